"""Which arms hang behind the body: there a bare arm is seen beside the new top, and not in front of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import ARM_STATIONS, ELBOW, Girth, arm_points, sample
from vastra_live.synthesis.embedded.places import LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32

__all__ = ["with_arms_behind"]

Mask = npt.NDArray[np.bool_]

_STATIONS = np.linspace(0.2, 1.2, 21)
"""Where an arm is looked at: from above the elbow to the knuckles."""
_FOREARM = (_STATIONS > ELBOW) & (_STATIONS < 0.97)
_ACROSS = np.linspace(-1.3, 1.3, 27)
"""Where a line across the arm is looked at, in half widths: a bone is found no better than that."""
_HIDDEN = 0.55
"""Of an arm beside the hips no more is hidden by the lower garment than so much, or it is behind them."""
_ALONG = 2
"""Stations that say so, or it is the hand in a pocket or a wrist before the hem."""
_BARE, _CLOTH = 0.35, 0.75
"""So much across a bare arm is skin, and so much of what is no wall is cloth where a hand is hidden by it."""
_HAND, _FAR = 3, 0.7
"""Stations at an arm's end that are its hand, or as near to it as the picture shows, and from where on they may be."""
_NO_SKIN = 0.15
"""Less skin than that across it, and a hand is not seen."""
_BESIDE = 0.25
"""So many shoulder widths aside of the spine a hand at least is that the hips hide, and not the other arm."""


def with_arms_behind(s: Skeleton, share: F32, girth: Girth) -> Skeleton:
    """The skeleton with what the clothes say about its arms: one that is partly hidden by them lies behind.

    Either the lower garment hides most of it, beside the hips, or it is bare and its hand ends behind the back.

    Args:
        s: the skeleton.
        share: (5, h, w) class probabilities, in the same pixels.
        girth: of the body.
    """
    right, left = (
        replace(arm, behind=_behind(share, arm, halves * s.unit, float((arm.wrist - s.neck) @ outwards) / s.unit))
        for arm, halves, outwards in zip((s.right, s.left), girth.arms, (-s.across, s.across), strict=True)
    )
    return replace(s, right=right, left=left)


def _behind(share: F32, arm: Arm, halves: Point, aside: float) -> bool:
    """The same for one arm, given half its widths in pixels, and how far aside its wrist is in shoulder widths."""
    middles, along = arm_points(arm, np.minimum(_STATIONS, 1.0))
    middles += (np.maximum(_STATIONS - 1, 0) / 0.2)[:, None] * (arm.tip - arm.wrist)
    normals = np.column_stack([-along[:, 1], along[:, 0]])
    out = np.interp(_STATIONS, ARM_STATIONS, halves)[:, None] * _ACROSS
    points = middles[:, None] + out[..., None] * normals[:, None]
    pictured = ((points >= 0) & (points < share.shape[:0:-1])).all(axis=(1, 2))
    skin, top, lower = (sample(share[plane], points).mean(axis=1) for plane in (SKIN, TOP, LOWER))
    hips = pictured & _FOREARM & (lower > _HIDDEN * (lower + skin + top))
    if int(hips.sum()) >= _ALONG or _behind_back(skin, top, lower, pictured):
        return True
    fingers = 2 * arm.tip - arm.wrist
    if arm.hand_seen or aside < _BESIDE or not ((fingers >= 0) & (fingers < share.shape[:0:-1])).all():
        return False
    return _without_hand(skin, top, lower, pictured)


def _behind_back(skin: F32, top: F32, lower: F32, pictured: Mask) -> bool:
    """Whether the worn top is seen where a bare arm has its hand.

    A sleeve would be cloth all the way, and end at a hand that is skin; a pocket is the lower garment's.

    Args:
        skin, top, lower: (n,) how much of the line across the arm they are, at ``_STATIONS``.
        pictured: (n,) whether it lies in the picture.
    """
    cloth = top + lower
    bare = np.flatnonzero(pictured & (skin > _BARE) & (skin > cloth))
    seen = np.flatnonzero(pictured)
    if len(bare) < _ALONG or _STATIONS[seen[-1]] < _FAR or seen[-1] - bare[-1] < _HAND:
        return False
    hidden, hand = seen[seen > bare[-1]], seen[-_HAND:]
    return bool((cloth > _CLOTH * (cloth + skin))[hand].all() and top[hidden].sum() > lower[hidden].sum())


def _without_hand(skin: F32, top: F32, lower: F32, pictured: Mask) -> bool:
    """Whether there is nothing but the worn top where the hand of a sleeve would be; arguments as above."""
    hand = slice(-_HAND, None)
    cloth = top + lower
    hidden = bool((skin < _NO_SKIN)[hand].all() and (cloth > _CLOTH * (cloth + skin))[hand].all())
    return bool(pictured[hand].all()) and hidden and float(top[hand].sum()) > float(lower[hand].sum())
