"""Smoothing a map along the edges of a picture.

The fast global smoother (Min et al. 2014) where OpenCV has its contrib part, else the guided filter (He, Sun, Tang
2013) with a colour guide. A plain or headless OpenCV that was installed on top has no contrib part, and a machine
with one would have no synthesizer; the guided filter needs box filters alone. On the people of ``bench/tryon.py``
both read the worn top equally well, at 1.5 times the cost of a keyframe with the guided filter.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["GuidedSmoother", "Smoother", "edge_smoother"]

Smoother = Callable[[F32], F32]


def edge_smoother(guide_bgr: U8, *, strength: float, levels: float, radius: int, shrink: int = 1) -> Smoother:
    """A smoother of (h, w) float32 maps with values in 0..1.

    Args:
        guide_bgr: (h, w, 3) uint8, the picture whose edges stay.
        strength: how far the fast global smoother carries, its lambda.
        levels: differences of colour below so many grey levels are smoothed over.
        radius: how far the guided filter carries, in pixels.
        shrink: the guided filter works on a guide so many times smaller.
    """
    contrib = getattr(cv2, "ximgproc", None)
    if contrib is not None:
        filter_: Smoother = contrib.createFastGlobalSmootherFilter(guide_bgr, strength, levels, 0.25, 2).filter
        return filter_
    guided = GuidedSmoother(guide_bgr, radius, 1.6 * levels, shrink=shrink)
    return lambda plane: np.clip(guided.filter(plane), 0, 1)


class GuidedSmoother:
    """Filters maps of one picture; what depends on the picture alone is worked out once.

    In every window the map is explained as a linear function of the three colours; where the picture has an edge
    the explanation follows it, where it is flat the map is averaged.

    Args:
        guide_bgr: (h, w, 3) uint8.
        radius: of the windows, pixels of the guide.
        levels: differences of colour below so many grey levels are smoothed over.
        shrink: work on a guide so many times smaller (He and Sun 2015, "Fast guided filter"); the result has the
            guide's full size and its full edges.
    """

    def __init__(self, guide_bgr: U8, radius: int, levels: float, *, shrink: int = 1) -> None:
        height, width = guide_bgr.shape[:2]
        self._guide = guide_bgr.astype(np.float32) / 255
        self._size = (max(1, width // shrink), max(1, height // shrink))
        small = self._guide if shrink == 1 else cv2.resize(self._guide, self._size, interpolation=cv2.INTER_AREA)
        side = 2 * max(1, radius // shrink) + 1
        self._window = (side, side)
        self._small: F32 = small
        self._mean: F32 = self._box(small)
        products = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        bb, bg, br, gg, gr, rr = (
            self._box(small[..., i] * small[..., j]) - self._mean[..., i] * self._mean[..., j] for i, j in products
        )
        floor = (levels / 255) ** 2
        bb, gg, rr = bb + floor, gg + floor, rr + floor
        # the inverse of the symmetric 3x3 covariance, by cofactors: a solver per pixel would cost ten times as much
        c_bb, c_bg, c_br = gg * rr - gr * gr, br * gr - bg * rr, bg * gr - br * gg
        c_gg, c_gr, c_rr = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
        inverse = np.stack([c_bb, c_bg, c_br, c_bg, c_gg, c_gr, c_br, c_gr, c_rr], axis=-1)
        determinant = bb * c_bb + bg * c_bg + br * c_br
        self._inverse: F32 = (inverse / determinant[..., None]).reshape(*small.shape[:2], 3, 3)

    def _box(self, values: F32) -> F32:
        mean: F32 = cv2.blur(values, self._window, borderType=cv2.BORDER_REFLECT)
        return mean

    def filter(self, plane: F32) -> F32:
        """The map, smoothed along the guide's edges.

        Args:
            plane: (h, w) float32, of the guide's size.
        """
        height, width = self._guide.shape[:2]
        small = plane
        if self._size != (width, height):
            small = cv2.resize(plane, self._size, interpolation=cv2.INTER_AREA)
        mean = self._box(small)
        shared = self._box(self._small * small[..., None]) - self._mean * mean[..., None]
        slope: F32 = np.einsum("hwij,hwj->hwi", self._inverse, shared)
        offset: F32 = mean - (slope * self._mean).sum(axis=-1)
        line = self._box(np.dstack([slope, offset]))
        if self._size != (width, height):
            line = cv2.resize(line, (width, height), interpolation=cv2.INTER_LINEAR)
        out: F32 = (line[..., :3] * self._guide).sum(axis=-1) + line[..., 3]
        return out
