"""The scene behind the wearer."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.mix import mixed, spread
from vastra_live.synthesis.embedded.scale import shrunk
from vastra_live.types import F32, U8

__all__ = ["BackgroundPlate"]


class BackgroundPlate:
    """The scene behind the wearer, gathered from keyframe to keyframe while they move.

    Resolution is a quarter of the frame's: what it fills is a strip beside the body.
    """

    def __init__(self) -> None:
        self._bgr: F32 | None = None
        self._known: F32 | None = None

    def update(self, frame_bgr: U8, person: F32) -> None:
        """Learn what this frame shows of the background; a scene that changed is learned anew."""
        size = (max(2, frame_bgr.shape[1] // 3), max(2, frame_bgr.shape[0] // 3))
        small = shrunk(frame_bgr, size).astype(np.float32)
        reach = max(3, size[0] // 64) | 1
        body = cv2.dilate(cv2.resize(person, size, interpolation=cv2.INTER_LINEAR), np.ones((reach, reach), np.uint8))
        free = (body < 0.08).astype(np.float32)
        if self._bgr is None or self._known is None or self._bgr.shape != small.shape:
            self._bgr, self._known = small, free
            return
        both = (free > 0) & (self._known > 0)
        if both.any() and _change(small, self._bgr, both) > 18:
            self._bgr, self._known = small, free
            return
        self._bgr = mixed(self._bgr, small, free * np.where(self._known > 0, np.float32(0.3), np.float32(1)))
        self._known = np.maximum(self._known, free)

    def seen_through(
        self, box: tuple[float, float, float, float], frame_size: tuple[int, int], size: tuple[int, int]
    ) -> F32:
        """The background of a box (x0, y0, x1, y1) of the frame, at (width, height) ``size``."""
        assert self._bgr is not None and self._known is not None
        kx, ky = self._bgr.shape[1] / frame_size[0], self._bgr.shape[0] / frame_size[1]
        x0, x1 = int(box[0] * kx), max(int(np.ceil(box[2] * kx)), int(box[0] * kx) + 2)
        y0, y1 = int(box[1] * ky), max(int(np.ceil(box[3] * ky)), int(box[1] * ky) + 2)
        filled = spread(self._bgr[y0:y1, x0:x1], self._known[y0:y1, x0:x1])
        return np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _change(a: F32, b: F32, where: npt.NDArray[np.bool_]) -> float:
    """The middle one of the largest differences of a channel; of every fourth pixel, where that is enough of them."""
    every = np.s_[::2, ::2] if where[::2, ::2].any() else np.s_[:, :]
    off: F32 = cv2.absdiff(np.ascontiguousarray(a[every]), np.ascontiguousarray(b[every]))
    return float(np.median(np.maximum.reduce(cv2.split(off))[where[every]]))
