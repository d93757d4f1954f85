"""Sleeves that lie against the body all the way down, so that no gap parts the two.

What shows them is the outline: from the shoulder it goes on outwards to an elbow or a cuff without the hollow of an
armhole, and comes back to a hem that is much narrower. Where it comes back a fold may be seen, or nothing.
"""

from __future__ import annotations

import numpy as np

from vastra_live.types import F32
from vastra_live.wardrobe.silhouette import Half, bends

__all__ = ["hanging_cuff", "hanging_folds"]

_WIDE = 40
"""Path steps on both sides of a point over which an armhole is hollow and a wrinkle is not."""
_ARMHOLE = 0.16
"""An armhole turns the outline inwards by more than this (radians)."""
_STEEP, _LOWEST_FOOT = 1.9, 0.33
"""No shoulder falls off more steeply than the first, and none begins below the second share of the height."""
_WRINKLES = 0.86
"""Farther out than this share of the greatest width a hollow is a sleeve's own."""
_HIGHEST = 0.3
"""Such a garment is widest below this share of its height, at the elbow or lower."""
_NARROWED = 0.85
"""Its hem is narrower than this share of that."""
_LOW = 0.6
"""The fold lies below this share of the height."""
_FOLD = 0.3
"""A fold turns the outline by at least so much; where none does, the hem's corner ends the sleeve."""
_CUFF = 0.2
"""A cuff's usual width, in widths of the body."""
_CORNER = 0.6
"""A cuff's corner turns the outline by more than this."""


def hanging_folds(halves: tuple[Half, Half]) -> tuple[int, int] | None:
    """Indices of the folds between the sleeves' ends and the hem, or None where no sleeves hang along the body.

    Garments are symmetric: the fold that shows less clearly is sought beside the other one's place.
    """
    found = [_fold(half) for half in halves]
    if found[0] is None or found[1] is None:
        return None
    bend = [float(half.bend[fold]) for half, fold in zip(halves, found, strict=True) if fold is not None]
    clear = int(np.argmin(bend))
    place = halves[clear].path[found[clear]]
    first, second = (_beside(half, place) for half in halves)
    return first, second


def _fold(half: Half) -> int | None:
    path, bend = half.path, half.bend
    widest = int(path[:, 0].argmax())
    reach = float(path[widest, 0])
    if path[widest, 1] < _HIGHEST or _has_armhole(path[: widest + 1]):
        return None
    low = np.arange(widest + 4, len(path))
    low = low[path[low, 1] > _LOW]
    inner = low[(path[low, 0] > 0.3 * reach) & (path[low, 0] < _NARROWED * reach)]
    if not len(inner):
        return None
    fold = int(inner[bend[inner].argmin()])
    if bend[fold] < -_FOLD:
        return fold
    corner = int(low[(path[low, 1] + 0.7 * path[low, 0]).argmax()])
    return corner if path[corner, 0] < _NARROWED * reach else None


def _beside(half: Half, place: F32) -> int:
    """The index nearest to a place, beyond where the half is widest."""
    widest = int(half.path[:, 0].argmax())
    return widest + int(np.linalg.norm(half.path[widest:] - place, axis=1).argmin())


def _has_armhole(path: F32) -> bool:
    """Whether an outline from the top to where it is widest is hollow below a shoulder, or at a waist."""
    bend = bends(path, _WIDE)
    hollow = (bend < -_ARMHOLE) & (path[:, 0] < _WRINKLES * path[-1, 0])
    starts = np.flatnonzero(np.diff(hollow.astype(np.int8), prepend=0) == 1)
    for start in starts:
        length = int(np.argmin(np.append(hollow[start:], False)))
        deepest = start + int(bend[start : start + length].argmin())
        onwards = path[min(deepest + _WIDE, len(path) - 1)] - path[deepest]
        # the foot of a collar or a hood is hollow too, but there the outline goes on outwards
        if path[deepest, 1] > _LOWEST_FOOT or onwards[1] > _STEEP * onwards[0]:
            return True
    return False


def hanging_cuff(half: Half, fold: int) -> tuple[F32, F32]:
    """The two corners of such a sleeve's end, (2,) float32 each: one of the outline's, clear or at a cuff's width from
    the fold, and the fold.
    """
    path, bend = half.path, half.bend
    width = _CUFF * 2 * float(path[fold, 0])
    before = np.arange(int(path[:, 0].argmax()), fold + 1)
    away = np.linalg.norm(path[before] - path[fold], axis=1)
    near = before[(away > 0.5 * width) & (away < 2.5 * width)]
    if len(near) and bend[near].max() > _CORNER:
        corner = int(near[bend[near].argmax()])
    else:
        corner = int(before[np.abs(away - width).argmin()])
    return np.asarray(path[corner], np.float32), np.asarray(path[fold], np.float32)
