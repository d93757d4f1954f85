"""Which arms hang behind the body: there a bare arm is seen beside the new top, and not in front of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vastra_live.synthesis.embedded.girth import ARM_STATIONS, ELBOW, Girth, arm_points, sample
from vastra_live.synthesis.embedded.places import LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32

__all__ = ["with_arms_behind"]

_STATIONS = np.linspace(ELBOW, 0.95, 9)
_ACROSS = np.linspace(-1.3, 1.3, 27)
"""Where a line across the arm is looked at, in half widths: a bone is found no better than that."""
_HIDDEN = 0.55
"""Of an arm beside the hips no more is hidden by the lower garment than so much, or it is behind them."""
_ALONG = 2
"""Stations that say so, or it is the hand in a pocket or a wrist before the hem."""


def with_arms_behind(s: Skeleton, share: F32, girth: Girth) -> Skeleton:
    """The skeleton with what the lower garment says about its arms: one that is partly hidden by it hangs behind.

    Args:
        s: the skeleton.
        share: (5, h, w) class probabilities, in the same pixels.
        girth: of the body.
    """
    right, left = (
        replace(arm, behind=_behind(share, arm, halves * s.unit))
        for arm, halves in zip((s.right, s.left), girth.arms, strict=True)
    )
    return replace(s, right=right, left=left)


def _behind(share: F32, arm: Arm, halves: Point) -> bool:
    """The same for one arm, given half its widths in pixels."""
    middles, along = arm_points(arm, _STATIONS)
    normals = np.column_stack([-along[:, 1], along[:, 0]])
    out = np.interp(_STATIONS, ARM_STATIONS, halves)[:, None] * _ACROSS
    points = middles[:, None] + out[..., None] * normals[:, None]
    pictured = ((points >= 0) & (points < share.shape[:0:-1])).all(axis=(1, 2))
    lower, skin, top = (sample(share[plane], points).mean(axis=1) for plane in (LOWER, SKIN, TOP))
    return int((pictured & (lower > _HIDDEN * (lower + skin + top))).sum()) >= _ALONG
