"""Where in its photo each place of a bent sheet comes from: quads drawn into a coarse grid of samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vastra_live.types import F32

__all__ = ["inverse_map"]

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


_TOUCH = 1e-4
"""A sample so near to a triangle's edge, as a share of it, lies on it: between two triangles is no crack."""


def inverse_map(target: F64, source: F64, size: tuple[int, int]) -> tuple[F32, F32]:
    """Inverse map of quads: (h, w, 2) photo position of each sample, and (h, w) 1 where any quad covers it.

    Every quad is two triangles; the samples in all the triangles' boxes are gone through at once, one after the other.
    """
    width, height = size
    where = np.zeros((height * width, 2), np.float32)
    covered = np.zeros((height, width), np.float32)
    # corner, x or y, triangle
    placed, photo = (
        np.concatenate([quads[:, :3], quads[:, (0, 2, 3)]]).astype(np.float32).transpose(1, 2, 0)
        for quads in (target, source)
    )
    (x0, y0), (x1, y1), (x2, y2) = placed
    low_x, wide = _span((x0, x1, x2), width)
    low_y, tall = _span((y0, y1, y2), height)
    # from the first corner to the others
    x1, y1, x2, y2 = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    twice = x1 * y2 - y1 * x2
    # a triangle that is turned over is the far side of a crease
    solid = twice > 1e-6
    count = np.where(solid, wide * tall, 0)
    which = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    rows = number // wide[which]
    columns = number - rows * wide[which] + low_x[which]
    rows += low_y[which]
    # the sample's place in shares of the two edges
    per_area = 1 / np.where(solid, twice, 1)
    dx, dy = columns - x0[which], rows - y0[which]
    a = dx * (y2 * per_area)[which] - dy * (x2 * per_area)[which]
    b = dy * (x1 * per_area)[which] - dx * (y1 * per_area)[which]
    inside = np.flatnonzero((a >= -_TOUCH) & (b >= -_TOUCH) & (a + b <= 1 + _TOUCH))
    which, a, b = which[inside], a[inside], b[inside]
    at = rows[inside] * width + columns[inside]
    for axis, (first, second, third) in enumerate(photo.transpose(1, 0, 2)):
        where[at, axis] = first[which] + a * (second - first)[which] + b * (third - first)[which]
    covered.ravel()[at] = 1
    return where.reshape(height, width, 2), covered


def _span(corners: tuple[F32, F32, F32], length: int) -> tuple[I32, I32]:
    """(n,) the first sample within each triangle along one axis, and how many there are from it on."""
    low = np.ceil(np.minimum(np.minimum(*corners[:2]), corners[2]) - np.float32(_TOUCH))
    high = np.floor(np.maximum(np.maximum(*corners[:2]), corners[2]) + np.float32(_TOUCH))
    low, high = np.maximum(low, 0), np.minimum(high, length - 1)
    return low.astype(np.int32), np.maximum(high - low + 1, 0).astype(np.int32)
