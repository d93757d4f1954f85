"""A hem between cloths of one colour is seen by its shade alone.

White over white, or black over black, the classes go over into each other little by little: nothing but the place
speaks for the one or the other. But a hem stands off what it hangs over, and below it runs a line that is darker than
the cloth above it, from side to side.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import LOWER, TOP
from vastra_live.synthesis.embedded.scale import halved
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["settle_at_shade"]

F64 = npt.NDArray[np.float64]

_SOFT = 0.15
"""From so many shoulder widths on, over which the classes go over into each other, no colour tells them apart."""
_DOUBTFUL = 0.08
_ASIDE = 0.35
"""How far from the spine the line has to run, in shoulder widths."""
_LEAST = 5.0
"""By so many grey levels a shade is darker than the cloth above it."""
_STANDS_OUT = 3.0
"""So many times stronger is the line than what else there is of steps."""
_TILT, _BOW = 0.08, 0.06
"""So much a hem runs askew and bent at most, in shoulder widths."""
_SEEN = 0.75
"""In so many of the columns."""


def settle_at_shade(bgr: U8, share: F32, s: Skeleton) -> None:
    """Put a soft edge between top and lower garment where a line of shade runs across it. In place.

    Args:
        bgr: (h, w, 3) the picture.
        share: (5, h, w) probability of each class.
        s: the skeleton, in the same pixels.
    """
    columns = slice(*(max(int(s.pelvis[0] + side * _ASIDE * s.unit) // 2, 0) for side in (-1, 1)))
    first = max(int(s.neck[1] + 0.4 * s.torso_length) // 2, 0)
    height, width = share.shape[1:]
    if first >= height // 2 - 8 or min(columns.stop, width // 2) - columns.start < 8:
        return
    part = np.s_[2 * first : height // 2 * 2, 2 * columns.start : min(2 * columns.stop, width // 2 * 2)]
    top, lower = halved(share[TOP][part]), halved(share[LOWER][part])
    both = top + lower > 0.8
    # the rows in which neither is sure
    soft = both & (np.minimum(top, lower) > _DOUBTFUL)
    doubtful = np.flatnonzero(soft.mean(axis=1) > 0.5)
    if len(doubtful) < _SOFT * s.unit / 2:
        return
    room = max(2, round(0.06 * s.unit / 2))
    low, high = max(int(doubtful[0]) - room, 0), min(int(doubtful[-1]) + 2 * room, len(top))
    light = halved(cv2.cvtColor(bgr[part], cv2.COLOR_BGR2GRAY))[low:high]
    light = cv2.blur(light, (2 * max(1, round(0.015 * s.unit / 2)) + 1, 1))
    step = np.maximum(cv2.filter2D(light, -1, _kernel(s.unit / 2), borderType=cv2.BORDER_REPLICATE), 0)
    step[~both[low:high]] = 0
    edge = _line(step, s.unit / 2)
    if edge is None:
        return
    rows = slice(2 * (first + low), 2 * (first + high))
    hem = 2 * np.interp((np.arange(width) - part[1].start) / 2, np.arange(len(edge)), edge).astype(np.float32) + 1
    below = ramp(np.arange(rows.stop - rows.start, dtype=np.float32)[:, None] - hem, 1, 0.5)
    # beside the middle a sleeve may hang, which is no more doubtful there than further up
    settled = np.minimum(share[TOP, rows], share[LOWER, rows]) > _DOUBTFUL
    settled[:, part[1]] = True
    either = share[TOP, rows] + share[LOWER, rows]
    share[TOP, rows] = np.where(settled, either * (1 - below), share[TOP, rows])
    share[LOWER, rows] = np.where(settled, either * below, share[LOWER, rows])


def _line(step: F32, unit: float) -> F64 | None:
    """(w,) the row of the gently bent line that has most columns in which it gets darker; None where none stands out.

    Args:
        step: (h, w) by how many grey levels each row is lighter than what lies below it.
        unit: shoulder width in pixels.
    """
    height, width = step.shape
    columns = np.linspace(0, width - 1, 32).astype(int)
    across = np.linspace(-1, 1, 32)
    tilts, bows = np.linspace(-_TILT, _TILT, 9) * unit, np.linspace(-_BOW, _BOW, 5) * unit
    # one strong piece is none that runs from side to side
    bounded = np.minimum(cv2.dilate(step, np.ones((3, 1), np.uint8)), 4 * _LEAST)[:, columns]
    # (tilt, bow, row, column)
    bends = tilts[:, None, None, None] * across + bows[:, None, None] * (across**2 - 1 / 3)
    lines = np.round(np.arange(height)[:, None] + bends).astype(np.int32)
    at = np.clip(lines, 0, height - 1) * np.int32(32) + np.arange(32, dtype=np.int32)
    gathered = bounded.take(at).mean(axis=-1)
    best = np.unravel_index(gathered.argmax(), gathered.shape)
    found = np.interp(np.arange(width), columns, lines[best])
    near = np.round(found).astype(int) + np.arange(-2, 3)[:, None]
    near = step[np.clip(near, 0, height - 1), np.arange(width)]
    along = near.max(axis=0)
    if (along > _LEAST).mean() < _SEEN or np.median(along) < _STANDS_OUT * max(float(step.mean()), 1.0):
        return None
    off = cv2.blur((near.argmax(axis=0) - 2.0)[None], (2 * max(1, round(0.06 * unit)) + 1, 1))[0]
    return np.asarray(found + off, np.float64)


def _kernel(unit: float) -> F32:
    """(n, 1) by how much the rows above are lighter than those below."""
    size = max(2, round(0.02 * unit))
    return np.array([[1.0]] * size + [[0.0]] + [[-1.0]] * size, np.float32) / size
