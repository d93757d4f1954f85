"""The lower garment, continued upwards over the edge that the worn top hid.

What comes out where a shorter top hangs is the lower garment's own cloth, reflected at its edge: its texture,
its seams and its light go on without a step, which no colour and no copy from further down does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.mix import scaled
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32

__all__ = ["Carried", "carry_up"]

_RIM = 0.03
"""Below its seen edge the garment lies in the top's shadow: so much of it, in shoulder widths, is not reflected."""
_LEAST = 0.12
"""A strip lower than this, in shoulder widths, is mostly shadow and tells nothing."""
_COLUMN = 0.4
"""How far from the spine the edge is looked for, in shoulder widths."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """The continued garment.

    Attributes:
        bgr: (h, w, 3) float32.
        known: (h, w) float32 0..1, how much of it is cloth that was seen; elsewhere ``bgr`` means nothing.
        adjoins: 0..1, how much of the worn top's lower edge the garment meets, and not bare skin.
    """

    bgr: F32
    known: F32
    adjoins: float


def carry_up(bgr: F32, lower: F32, worn: F32, skin: F32, s: Skeleton) -> Carried | None:
    """Reflect the lower garment at its upper edge; None where too little of it is seen.

    Args:
        bgr: (h, w, 3) float32, the picture.
        lower: (h, w) 0..1, the lower garment.
        worn: (h, w) 0..1, the worn top.
        skin: (h, w) 0..1, bare skin.
        s: in the same pixels; its spine is taken as upright.
    """
    height, width = lower.shape
    centre = s.neck[0] + (np.arange(height) - s.neck[1]) * s.down[0] / max(s.down[1], 0.5)
    hips = int(np.clip(s.pelvis[1], 0, height - 1))
    x0 = int(np.clip(centre[hips] - _COLUMN * s.unit, 0, width - 1))
    x1 = int(np.clip(centre[hips] + _COLUMN * s.unit, x0 + 1, width))
    first = max(0, int(s.neck[1] + 0.4 * s.torso_length))
    seen = (lower[first:, x0:x1] > 0.6) & (worn[first:, x0:x1] < 0.3)
    columns = np.flatnonzero(seen.sum(axis=0) > _LEAST * s.unit)
    if len(columns) < 0.3 * (x1 - x0):
        return None
    top = first + np.argmax(seen[:, columns], axis=0)
    end = height - np.argmax(seen[::-1, columns], axis=0)
    # a soft hem leaves a gap between two sure labels; one with skin in it is a belly
    over = (worn[:, x0 + columns] > 0.25) & (np.arange(height)[:, None] < top)
    end_of_top = height - np.argmax(over[::-1], axis=0)
    between = (np.arange(height)[:, None] >= end_of_top) & (np.arange(height)[:, None] < top)
    bare = (skin[:, x0 + columns] * between).sum(axis=0) > 0.03 * s.unit
    adjoins = float((over.any(axis=0) & ~bare).mean())
    # a hand or a pocket in front of the edge is no step of it
    reach = max(1, round(0.15 * s.unit))
    edge = np.interp(np.arange(width), x0 + columns, _median(top, reach)).astype(np.float32)
    edge = cv2.blur(edge[None], (2 * reach + 1, 1))[0] + np.float32(_RIM * s.unit)
    depth = float(np.clip(np.median(end) - np.median(edge), 2.0, 0.7 * s.unit))
    # below the edge everything stays
    rows = np.arange(int(np.clip(np.ceil(edge.max()), 1, height)), dtype=np.float32)[:, None]
    over = edge[None] - rows
    # back and forth in what is seen
    folded = depth - np.abs(np.mod(over, np.float32(2 * depth)) - np.float32(depth))
    source = np.where(over > 0, edge[None] + folded, rows)
    across = np.broadcast_to(np.arange(width, dtype=np.float32), source.shape)
    planes = cv2.merge((*cv2.split(scaled(bgr, lower)), lower))
    planes[: len(rows)] = cv2.remap(
        planes, np.ascontiguousarray(across), source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    *colour, known = cv2.split(planes)
    # half a hem over skin is an open jacket or a pocketed hand; most of it is a bare belly
    meets = float(np.clip((adjoins - 0.35) / 0.3, 0, 1))
    return Carried(scaled(cv2.merge(colour), 1 / np.maximum(known, np.float32(1e-3))), known, meets)


def _median(values: npt.NDArray[np.int64], reach: int) -> npt.NDArray[np.float64]:
    """Running median over 2 reach + 1 neighbours, the ends repeated."""
    padded = np.pad(values.astype(np.float64), reach, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1))
