"""The worn top's hem as one line, where the top stays and what is worn below it goes."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.places import LOWER, TOP
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32

__all__ = ["even_hem"]

_MIXED = 0.02
"""So much of its own edge goes too, in shoulder widths: there the two are mixed."""
_EITHER, _SOFT = 0.1, 0.12
"""Cloth with less of one of the two than that is surely the other; where more rows than that, in shoulder widths, are
not, no hem is seen."""


def even_hem(share: F32, s: Skeleton) -> None:
    """Draw the worn top's hem with one stroke, where the top stays and the lower garment below it goes. In place.

    What lies in the shade below a hem, a pocket's opening or a fold, is taken for more of the top; it hangs from the
    line there, and what is worn now would show as a fringe above what is put on.

    Args:
        share: (5, h, w) probability of each class.
        s: the skeleton.
    """
    height, width = share.shape[1:]
    columns = slice(*(int(np.clip(s.pelvis[0] + side * 0.6 * s.unit, 0, width)) for side in (-1, 1)))
    first = int(np.clip(s.neck[1] + 0.4 * s.torso_length, 0, height - 1))
    top = share[TOP, first:, columns] > share[LOWER, first:, columns]
    cloth = share[TOP, first:, columns] + share[LOWER, first:, columns] > 0.6
    rows = np.arange(len(top))[:, None]
    ends = np.where(top & cloth, rows, -1).max(axis=0, initial=-1)
    # beside it hangs a sleeve, or nothing
    below = np.minimum(ends + max(2, round(0.04 * s.unit)), len(top) - 1)
    meets = (ends > 0) & cloth[below, np.arange(len(ends))] & ~top[below, np.arange(len(ends))]
    if np.count_nonzero(meets) < 0.3 * s.unit:
        return
    at = np.interp(np.arange(len(ends)), np.flatnonzero(meets), ends[meets])
    reach = max(2, round(0.12 * s.unit))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(at, reach, mode="edge"), 2 * reach + 1)
    line = np.quantile(around[:, :: max(1, reach // 8)], 0.3, axis=1).astype(np.float32)
    line = cv2.blur(line[None], (reach | 1, 1), borderType=cv2.BORDER_REPLICATE)[0] - np.float32(_MIXED * s.unit)
    fringe = meets & (at > line) & (at < line + 0.1 * s.unit)
    hangs = (np.clip(rows - line - 0.5, 0, 1) * fringe * (rows <= at + 1)).astype(np.float32)
    moved = share[TOP, first:, columns] * hangs
    share[TOP, first:, columns] -= moved
    share[LOWER, first:, columns] += moved
    both = share[TOP, first:, columns] + share[LOWER, first:, columns]
    part = share[TOP, first:, columns] / np.maximum(both, np.float32(1e-3))
    either = cloth & (part > _EITHER) & (part < 1 - _EITHER)
    if float(either.sum(axis=0)[meets].mean()) > _SOFT * s.unit:
        # one cloth above and below, a dress: it is cut off in a straight line
        at = np.flatnonzero(meets)
        slope, height_at = np.polyfit(at, line[at], 1)
        above = np.clip(height_at + slope * np.arange(len(line)) - rows + 0.5, 0, 1).astype(np.float32)
        share[TOP, first:, columns] = np.where(either, both * above, share[TOP, first:, columns])
        share[LOWER, first:, columns] = both - share[TOP, first:, columns]
