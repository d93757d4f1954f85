"""No step between cloth that is made and the same cloth as it is seen: the one goes over into the other.

How much the two differ along the border is carried on into what is made, less and less away from it: gradients stay
and the seam goes, as in Perez et al. 2003, without their solver.
"""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.mix import ramp, scaled, spread
from vastra_live.synthesis.embedded.places import window
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.types import F32

__all__ = ["meet"]

_NEAR, _FADES = 0.03, 0.08
"""So far beside what is made, in shoulder widths, is looked at what is seen, and so far it goes on like that."""

_DARKEST, _OTHER = 0.5, 20.0
"""A shade takes no more than so much of the light; what differs by so many grey levels more is another thing, and so is
what is lighter by twice as many."""


def meet(made: F32, seen: F32, known: F32, gone: F32, cloth: F32, unit: float) -> None:
    """Bring made cloth to the colours in which it is seen beside it. In place.

    Args:
        made: (h, w, 3) colours.
        seen: (h, w, 3) the picture.
        known: (h, w) 0..1, the cloth as it is seen and stays.
        gone: (h, w) 0..1, where it is made.
        cloth: (h, w) 0..1, where what is made is that cloth.
        unit: shoulder width in pixels.
    """
    left, top, width, height = cv2.boundingRect((cloth > 0).astype(np.uint8))
    if not width:
        return
    corners = [(float(left), float(top)), (float(left + width), float(top + height))]
    part = window(cloth.shape, corners, 2 * _NEAR * unit + 2)
    cloth, known = cloth[part], known[part]
    side = 2 * max(1, round(_NEAR * unit)) + 1
    off = seen[part] - made[part]
    along = known * cv2.dilate(gone[part], np.ones((side, side), np.uint8)) * _as_shaded(off, made[part])
    few = halved(along)
    step = scaled(halved(scaled(off, along)), 1 / np.maximum(few, np.float32(1e-3)))
    far = cv2.distanceTransform((halved(known) < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    slope = 2 / (_FADES * unit)
    step = scaled(spread(step, few), ramp(far, -slope, 1 + slope))
    made[part] += scaled(enlarged(step, cloth.shape), cloth)


def _as_shaded(off: F32, made: F32) -> F32:
    """(h, w) 0..1: where what is seen, so far (h, w, 3) off what is made, may be that in another light."""
    lighter = np.maximum.reduce(cv2.split(off))
    darker = np.maximum.reduce(cv2.split(np.float32(-_DARKEST) * made - off))
    return ramp(lighter, -1 / _OTHER, 2) * ramp(darker, -1 / _OTHER, 1)
