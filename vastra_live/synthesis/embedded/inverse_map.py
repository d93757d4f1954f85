"""Where in its photo each place of a bent sheet comes from: quads drawn into a coarse grid of samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vastra_live.types import F32

__all__ = ["inverse_map"]

F64 = npt.NDArray[np.float64]


def inverse_map(target: F64, source: F64, size: tuple[int, int]) -> tuple[F32, F32]:
    """Inverse map of quads: (h, w, 2) photo position of each sample, and (h, w) 1 where any quad covers it.

    Every quad is two triangles; all triangles are scan-converted at once in boxes of the largest one's size.
    """
    width, height = size
    where = np.zeros((height, width, 2), np.float32)
    covered = np.zeros((height, width), np.float32)
    tri_t = np.concatenate([target[:, [0, 1, 2]], target[:, [0, 2, 3]]])
    tri_s = np.concatenate([source[:, [0, 1, 2]], source[:, [0, 2, 3]]])
    low = np.ceil(tri_t.min(axis=1) - 1e-6).astype(np.int32)
    high = np.floor(tri_t.max(axis=1) + 1e-6).astype(np.int32)
    hit = (high >= low).all(axis=1) & (low < (width, height)).all(axis=1) & (high >= 0).all(axis=1)
    tri_t, tri_s, low, high = tri_t[hit], tri_s[hit], low[hit], high[hit]
    e1, e2 = tri_t[:, 1] - tri_t[:, 0], tri_t[:, 2] - tri_t[:, 0]
    twice = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    # a triangle that is turned over is the far side of a crease
    solid = twice > 1e-9
    tri_t, tri_s, low, high, e1, e2, twice = (v[solid] for v in (tri_t, tri_s, low, high, e1, e2, twice))
    if not len(tri_t):
        return where, covered
    extent = (high - low).max(axis=1) + 1
    for smallest, largest in ((0, 4), (4, 8), (8, 16), (16, 64)):
        group = (extent > smallest) & (extent <= largest)
        if not group.any():
            continue
        step = np.arange(largest)
        px = low[group, 0, None, None] + step[None, None, :]
        py = low[group, 1, None, None] + step[None, :, None]
        t0, g1, g2 = tri_t[group, 0], e1[group], e2[group]
        dx, dy = px - t0[:, 0, None, None], py - t0[:, 1, None, None]
        area = twice[group][:, None, None]
        a = (dx * g2[:, 1, None, None] - dy * g2[:, 0, None, None]) / area
        b = (dy * g1[:, 0, None, None] - dx * g1[:, 1, None, None]) / area
        seen = ((px >= 0) & (px < width)) & ((py >= 0) & (py < height))
        k, i, j = np.nonzero((a >= -1e-4) & (b >= -1e-4) & (a + b <= 1 + 1e-4) & seen)
        s = tri_s[group]
        s1, s2 = s[:, 1] - s[:, 0], s[:, 2] - s[:, 0]
        uv = s[k, 0] + a[k, i, j, None] * s1[k] + b[k, i, j, None] * s2[k]
        rows, columns = py[k, i, 0], px[k, 0, j]
        where[rows, columns] = uv
        covered[rows, columns] = 1
    return where, covered
