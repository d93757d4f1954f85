"""The sides of the neck: where they are seen above the worn top, the skin that a collar hid goes on from there."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.girth import sample
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32

__all__ = ["Sides", "beside_neck", "neck_opening", "seen_sides"]

_STEP = 0.01
_ABOVE = np.arange(0.75, 0.0, -_STEP)
"""How far above the shoulder joints a neck is looked for, in shoulder widths."""
_ASIDE = np.arange(0.02, 0.45, _STEP)
_BESIDE, _RIM = 5, 6
"""Steps that show the wall, from no more than so many beside the skin on, or it ends at hair or at a collar."""
_UNDER = 0.04
"""So far the skin goes on under the cloth around it, in shoulder widths."""
_FALL = 0.35
"""So steeply shoulders fall from the neck at least."""

Sides = tuple[Point, Point]
"""The neck's right and left side as they are seen before the wall, (n, 2) each, downwards; none where they are not."""


def seen_sides(skin: F32, wall: F32, s: Skeleton) -> Sides:
    """Where the neck ends at the wall.

    Args:
        skin: (h, w) 0..1.
        wall: (h, w) 0..1, the background.
        s: the skeleton, in the same pixels.
    """
    chin = s.chin - s.neck
    height = float(-chin @ s.down) / s.unit
    levels = _ABOVE[height > _ABOVE]
    if not len(levels):
        # a bowed head hides its neck
        return np.empty((0, 2)), np.empty((0, 2))
    middles = s.neck + np.outer(levels / max(height, _STEP), chin)
    right, left = (_side(skin, wall, middles, outward) for outward in (-s.across * s.unit, s.across * s.unit))
    return right, left


def _side(skin: F32, wall: F32, middles: Point, outward: Point) -> Point:
    """(n, 2) points at which the skin ends that begins at some of the (m, 2) middles."""
    points = middles[:, None] + np.outer(_ASIDE, outward)
    across = sample(skin, points)
    bare = across >= 0.5
    rows = np.arange(len(middles))
    first = np.maximum((~bare).argmax(axis=1), 1)
    open_ = sample(wall, points) > 0.5
    # the shaded rim of a neck may be read as something else, a hair's breadth wide
    begins = np.argmax(open_ & (np.arange(len(_ASIDE)) >= first[:, None]), axis=1)
    beside = np.minimum(begins[:, None] + np.arange(_BESIDE), len(_ASIDE) - 1)
    free = (begins >= first) & (begins <= first + _RIM) & (open_[rows[:, None], beside].mean(axis=1) > 0.5)
    last, next_ = across[rows, first - 1], across[rows, first]
    edge = _ASIDE[first - 1] + _STEP * (last - 0.5) / np.maximum(last - next_, 1e-3)
    edge = np.where(begins > first + _BESIDE // 2, _ASIDE[begins] - _STEP, edge)
    seen = bare[:, 0] & ~bare.all(axis=1) & free
    return np.asarray(middles[seen] + edge[seen, None] * outward, np.float64)


def neck_opening(shape: tuple[int, ...], neckline: Point, s: Skeleton) -> F32:
    """(h, w) 0..1: the neck opening and a little under the cloth around it, and everything above.

    Args:
        shape: height and width.
        neckline: (n, 2) from the wearer's right to the left.
        s: the skeleton, in the same pixels.
    """
    up = -0.6 * s.unit * s.down
    size = 2 * max(1, round(_UNDER * s.unit)) + 1
    opening = _filled(shape, [neckline[0] + up, *neckline, neckline[-1] + up])
    return np.asarray(cv2.dilate(opening, np.ones((size, size), np.uint8)), np.float32)


def beside_neck(shape: tuple[int, ...], neckline: Point, s: Skeleton, sides: Sides) -> F32:
    """(h, w) 0..1: the wall close beside the neck as it is seen, and on from there to the ends of the new neckline.

    Args:
        shape: height and width.
        neckline: (n, 2) from the wearer's right to the left.
        s: the skeleton, in the same pixels.
        sides: of the neck.
    """
    up, aside = -0.1 * s.unit * s.down, 0.15 * s.unit * s.across
    beside = np.zeros(shape, np.float32)
    for end, side, outward in ((neckline[0], sides[0], -aside), (neckline[-1], sides[1], aside)):
        if len(side):
            # from a neck shoulders fall, whatever collars do
            way = end - side[-1]
            fall = max(_FALL * abs(float(way @ s.across)) - float(way @ s.down), 0.0)
            lower = end + fall * s.down
            beside += _filled(shape, [side[0] + up, *side, lower, lower + outward, side[0] + up + outward])
    return np.minimum(beside, 1)


def _filled(shape: tuple[int, ...], corners: list[Point]) -> F32:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(corners) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask * np.float32(1 / 255)
