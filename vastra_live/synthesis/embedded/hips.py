"""How wide hips are at most: where the wall is seen between them and an arm, and above that, they are not."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["beside_hips"]

_WAIST = 0.65
"""Depth on the torso above which nothing is a hip."""
_SURELY = 0.75
"""So sure is the wall beside hips."""
_ASIDE, _WIDEST = 0.25, 1.15
"""They are at least so wide, in shoulder widths, to one side, and widest above this depth on the torso."""
_TAPER = 0.5
"""By so much of a row they are wider in each row below."""


def beside_hips(background: F32, s: Skeleton) -> F32:
    """(h, w) 0..1: where hips do not reach: the wall is seen beside them, and above that they are no wider.

    Args:
        background: (h, w) 0..1.
        s: in the same pixels.
    """
    free = np.zeros_like(background)
    height, width = background.shape
    # from the waist down, and seen where they are not yet legs
    waist, widest = (
        int(np.clip(s.neck[1] + depth * s.torso_length * s.down[1], 0, height)) for depth in (_WAIST, _WIDEST)
    )
    if widest <= waist:
        return free
    wall = cv2.erode((background[waist:widest] > _SURELY).astype(np.uint8), np.ones((3, 3), np.uint8))
    columns, aside = np.arange(width, dtype=np.float32), _ASIDE * s.unit
    right = _first_wall(wall, s.pelvis[0] + aside, height - waist)
    left = _first_wall(wall[:, ::-1], width - 1 - s.pelvis[0] + aside, height - waist)
    free[waist:] = ramp(np.maximum(columns - right[:, None], columns[::-1] - left[:, None]), 1, 1)
    return free


def _first_wall(wall: U8, start: float, height: int) -> F32:
    """(height,) the column from ``start`` on that hips do not reach, given (h, w) 0 or 1 above where they are widest.

    Below a row in which that is seen they go out little by little.
    """
    first = int(np.clip(start, 0, wall.shape[1]))
    beside = wall[:, first:]
    limit = np.full(height, wall.shape[1], np.float32)
    found = np.flatnonzero(beside.any(axis=1))
    if len(found):
        limit[found] = first + beside[found].argmax(axis=1)
    limit = np.minimum.accumulate(limit[::-1])[::-1]
    out = np.float32(_TAPER) * np.arange(height, dtype=np.float32)
    return np.asarray(np.minimum.accumulate(limit - out) + out, np.float32)
