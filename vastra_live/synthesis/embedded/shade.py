"""Light on skin that is made: how an arm is shaded across and along, and from which side the wearer is lit.

Measured on bare arms in shop pictures and webcam clips. Across an arm the light falls off like a parabola, faster on
the side that the trunk shades, slower on the side that the light comes from. Along it the deltoid and the forearm below
the elbow are light, the crease of the elbow and the wrist are dark, by less than a tenth.
"""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.girth import ELBOW
from vastra_live.synthesis.embedded.limb import FINE, Stretch
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32, U8

__all__ = ["limb_light", "side_light"]

_ROUND = 0.27
"""How much darker an arm is at its outline than in its middle, lit from the front."""
_BY_TRUNK = 0.09
"""By so much a hanging arm is darker on the trunk's side, and lighter on the other."""
_FROM_ABOVE = 0.13
"""By so much an arm that lies across is darker on its lower side: rooms are lit from above."""
_FROM_SIDE = 0.25
"""How much of the light's slope across the face is found across an arm, and between the two arms."""
_MOST = 0.4


def _along(stations: tuple[float, ...], values: tuple[float, ...]) -> F32:
    """(385,) a smooth curve through a few values."""
    rough = np.interp(FINE, stations, values).astype(np.float32)[None]
    return np.asarray(cv2.blur(rough, (25, 1), borderType=cv2.BORDER_REPLICATE)[0], np.float32)


_STRETCHED = _along(
    (0.0, 0.14, 0.3, 0.43, 0.5, ELBOW + 0.05, 0.74, 0.9, 1.0, 1.2),
    (1.0, 1.03, 1.0, 0.97, 0.955, 1.03, 1.0, 0.955, 0.95, 0.97),
)
"""Along the arm's middle: shoulder, upper arm, crease, forearm, wrist."""
_ASIDE = _along(
    (0.0, 0.2, 0.34, 0.48, 0.53, 0.62, 0.76, 1.0, 1.2), (0.0, 0.025, -0.02, 0.035, 0.045, -0.03, 0.015, 0.0, 0.0)
)
"""By so much it is lighter on its outer side than that, and darker on its inner: muscles, the crease's inner end."""
_HANDWARDS = _along((0.0, 0.98, 1.1, 1.2), (1.0, 1.0, 0.4, 0.4))
"""How much of that is found on hands."""


def limb_light(stretch: Stretch, outwards: Point, lit_from: float) -> F32:
    """(h, w) light on a part of an arm, 1 in its middle.

    Args:
        stretch: the part.
        outwards: unit vector from the trunk to the arm's side, in the picture.
        lit_from: as :func:`side_light` has it.
    """
    lit = lit_from * float(stretch.outward[0])
    # an arm that hangs has its inner side towards the trunk; of one that lies across, neither side is
    hangs = max(float(stretch.outward @ outwards), 0.0)
    bend = float(np.clip(_ROUND - _FROM_SIDE * lit, 0.12, 0.4))
    tilt = _BY_TRUNK * hangs + 0.1 * lit - _FROM_ABOVE * float(stretch.outward[1])
    radius = np.maximum(stretch.radius, 1)
    ratio = np.minimum(stretch.distance / radius, 1)
    side = np.clip(stretch.off / radius, -1, 1)
    fall = np.float32(bend) * ratio * ratio - side * (np.float32(tilt) + _ASIDE.take(stretch.index))
    fall += np.float32(0.5 * hangs) * np.square(np.maximum(-side - np.float32(0.5), 0))
    # a hand is flat
    light = 1 - fall * _HANDWARDS.take(stretch.index)
    return np.asarray(light * _STRETCHED.take(stretch.index) * np.float32(np.exp(_FROM_SIDE * lit)), np.float32)


def side_light(bgr: U8, face: F32, skin: F32, s: Skeleton) -> float:
    """From which side the wearer is lit: both halves of a face have one colour, what differs is the light.

    Args:
        bgr: (h, w, 3) the picture.
        face: (h, w) 0..1.
        skin: (h, w) 0..1.
        s: the skeleton.

    Returns:
        The slope of the light's logarithm across the face, per distance from eyes to mouth, within +-0.4: above 0 where
        the light comes from the picture's right.
    """
    weight = face * ramp(skin, 5, -2.5)
    at = np.flatnonzero(weight > 0)
    if len(at) < 30:
        return 0.0
    rows, columns = np.divmod(at, weight.shape[1])
    weight = weight.take(at)
    blue, green, red = (plane.take(at).astype(np.float32) for plane in cv2.split(bgr))
    light = np.log(np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red + 5)
    right = np.array([-s.face_up[1], s.face_up[0]]) / s.face_span
    across = ((columns - s.mouth[0]) * right[0] + (rows - s.mouth[1]) * right[1]).astype(np.float32)
    total = float(weight.sum())
    across -= float((weight * across).sum()) / total
    slope = float((weight * across * light).sum()) / max(float((weight * across * across).sum()), 1e-6)
    return float(np.clip(slope, -_MOST, _MOST))
