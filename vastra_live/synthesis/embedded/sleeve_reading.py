"""Sleeves that hang before or beside a lower garment of their own colour.

Below the hem the place speaks for the lower garment. Where no colour contradicts it, the sleeve of somebody in black
over black ends at the hem, and what is left of it would be a cuff around a bare arm.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.colours import I64, learned
from vastra_live.synthesis.embedded.girth import arm_points, sample
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, TOP, segment_distance, window
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32

__all__ = ["keep_sleeves"]

_STATIONS = np.linspace(0.3, 0.9, 13)
"""Where an arm is looked at, from the upper arm to before the hand."""
_CLOTHED = 0.8
"""So much of it is cloth in a long sleeve."""
_WIDTHS = np.linspace(0.04, 0.3, 14)
"""Where its outer edge is looked for, in shoulder widths from the bone."""
_LEAST, _USUAL, _MOST = 0.1, 0.13, 0.24
"""Half the width of a sleeve in shoulder widths: the usual where another cloth lies on both sides of it."""
_ROOM = 0.03
"""So much farther from the bone on the other side it may end: a bone is found no better."""
_AROUND_WRIST = np.linspace(-0.25, 0.2, 19)
"""Where a sleeve's end is looked for along the forearm, in shoulder widths from the wrist."""
_OBLIQUE = 0.03
"""So much farther than in its middle it may end at its sides."""
_HAND = 0.012
"""So much skin at its end, in squared shoulder widths, is a hand: then the arm is before the hips."""
_NONE = 0.1
"""Less of the lower garment than that, at any pixel around a forearm, is none."""
_ALIKE = 0.3
"""A colour is the sleeve's if it is so likely for it as for the lower garment."""
_CUFF = 0.01
"""Less of another colour than that, in squared shoulder widths, is no end of a sleeve."""


def keep_sleeves(share: F32, colours: F32, cells: I64, s: Skeleton) -> None:
    """Give long sleeves back what was taken for the lower garment on them. In place.

    Args:
        share: (5, h, w) probability of each class.
        colours: (5, h, w) how likely each class has this colour, wherever it is.
        cells: (h*w,) colour cell of each pixel.
        s: the skeleton, in the same pixels.
    """
    for arm in (s.right, s.left):
        around = window(share.shape[1:], (arm.elbow, arm.wrist), _MOST * s.unit)
        # most arms are nowhere near it
        if share[LOWER][around].max(initial=0) < _NONE or not _has_long_sleeve(share, arm, s.unit):
            continue
        half = _half_width(share, arm, s.unit) + _ROOM
        end = _cuff(share, arm, s.unit)
        part = window(share.shape[1:], (arm.elbow, end), half * s.unit)
        distance, down = segment_distance(share.shape[1:], arm.elbow, end, part)
        near = np.clip((half - distance / s.unit) / _ROOM, 0, 1) * (down < 1)
        alike = colours[TOP][part] > _ALIKE * colours[LOWER][part]
        lower = share[LOWER][part] * near
        unlike = float(lower[~alike].sum())
        if unlike > _CUFF * s.unit**2:
            # under a waistcoat a sleeve may have the lower garment's colour, and on the whole the top has another
            own = cells.reshape(share.shape[1:])[part]
            model = learned(own.ravel(), (share[TOP][part] * near)[None])[0]
            of_sleeve = alike | (model.take(own) > _ALIKE * colours[LOWER][part])
            # what is mixed with the hips beside it explains little of them
            if unlike - float(lower[~of_sleeve].sum()) > 0.5 * unlike:
                alike = of_sleeve
        # a pixel's grain decides nothing
        side = 2 * max(1, round(0.03 * s.unit)) + 1
        moved = lower * (cv2.blur(alike.astype(np.float32), (side, side)) > 0.5)
        share[TOP][part] += moved
        share[LOWER][part] -= moved


def _has_long_sleeve(share: F32, arm: Arm, unit: float) -> bool:
    """Whether an arm is covered down to a hand that is seen."""
    points, _ = arm_points(arm, _STATIONS)
    if not ((points >= 0) & (points < share.shape[:0:-1])).all():
        return False
    top = sample(share[TOP], points)
    if top[:4].min() < 0.5 or float((top + sample(share[LOWER], points) > 0.5).mean()) < _CLOTHED:
        return False
    reach = 0.15 * unit
    part = window(share.shape[1:], (arm.wrist, arm.tip), reach)
    distance, _ = segment_distance(share.shape[1:], arm.wrist, 2 * arm.tip - arm.wrist, part)
    return float(share[SKIN][part][distance < reach].sum()) > _HAND * unit**2


def _cuff(share: F32, arm: Arm, unit: float) -> Point:
    """Where on the forearm, or on the hand, the sleeve ends: a wrist is found no better than that."""
    forearm = arm.wrist - arm.elbow
    along = forearm / max(float(np.linalg.norm(forearm)), 1e-6)
    points = arm.wrist + np.outer(_AROUND_WRIST * unit, along)
    skin = sample(share[SKIN], points) > 0.5
    return np.asarray(points[skin.argmax()] if skin.any() else arm.wrist, np.float64) + along * _OBLIQUE * unit


def _half_width(share: F32, arm: Arm, unit: float) -> float:
    """Half the width of a sleeve in shoulder widths: where the wall begins on its one side or the other."""
    points, along = arm_points(arm, _STATIONS)
    normals = np.column_stack([-along[:, 1], along[:, 0]]) * unit
    found: list[npt.NDArray[np.float64]] = []
    for sign in (1, -1):
        wall = sample(share[BACKGROUND], points[:, None] + sign * _WIDTHS[:, None] * normals[:, None]) > 0.5
        ends = wall.any(axis=1)
        found.append(_WIDTHS[wall[ends].argmax(axis=1)])
    widths = max(found, key=len)
    return float(np.clip(np.median(widths), _LEAST, _MOST)) if len(widths) >= 4 else _USUAL
