"""The worn lower garment shows where hips and legs end: new trousers that would end beside its outline end on it.

A strip of the worn ones beside the new ones would have to be made anew as background; where none is left, nothing is.
Trousers that are cut wider than the worn ones stay so on the legs; on the hips all are as wide as the hips.
"""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.lower_pattern import LowerPattern
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER
from vastra_live.synthesis.embedded.reading import Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.synthesis.embedded.snap import snapped
from vastra_live.types import F32

__all__ = ["snapped_lower"]

_BEHIND = 0.03
"""Behind what is in front of it a lower garment goes on by at least so many shoulder widths."""
_NARROWER = 0.03
"""So much, in shoulder widths, an edge of a leg may come in to that of narrower ones."""


def snapped_lower(placed: Point, pattern: LowerPattern, reading: Reading, worn: F32, s: Skeleton) -> Point:
    """The points of a lower garment with its outline on the worn one's where they lie close.

    Args:
        placed: (C, 2) points in pixels of the reading.
        pattern: of the garment.
        reading: classes, (5, h, w) and (h, w).
        worn: (h, w) 0..1, the worn lower garment.
        s: the skeleton, in the same pixels.
    """
    moved = snapped(placed, pattern.edges, reading, _whole(worn, reading, s), s)
    on_legs = pattern.on_legs
    if len(on_legs):
        outward = placed[on_legs] - placed[pattern.beside]
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
        along = ((moved[on_legs] - placed[on_legs]) * outward).sum(axis=1)
        moved[on_legs] -= np.minimum(along + _NARROWER * s.unit, 0)[:, None] * outward
    return moved


def _whole(worn: F32, reading: Reading, s: Skeleton) -> F32:
    """(h, w) 0..1, the worn lower garment without shoes, and on a little behind arms and top, where it is no edge."""
    # what is only likely cloth is taken away too, but its edge is none to follow
    worn = np.minimum(worn, ramp(reading.share[LOWER], 1.6, -0.3))
    small = halved(worn)
    _, labels = cv2.connectedComponents((small > 0.5).astype(np.uint8))
    near = np.hypot(*np.indices(small.shape)[::-1] - (s.pelvis / 2)[:, None, None]) < 0.7 * s.unit / 2
    on_hips = np.unique(labels[near & (labels > 0)])
    small = small * np.isin(labels, on_hips)
    size = 2 * max(1, round(_BEHIND * s.unit / 2)) + 1
    grown = enlarged(cv2.dilate(small, np.ones((size, size), np.uint8)), worn.shape)
    hidden = reading.share[BACKGROUND] + reading.share[LOWER] < 0.5
    return np.asarray(np.where(hidden, grown, worn * (enlarged(small, worn.shape) > 0)), np.float32)
