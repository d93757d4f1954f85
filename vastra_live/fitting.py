"""Bringing a picture to a given size, whole."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import U8

__all__ = ["letterbox"]


def letterbox(bgr: U8, size: tuple[int, int]) -> U8:
    """The whole picture, as large as fits into ``size``, centred, black around it.

    Args:
        bgr: (H, W, 3) uint8.
        size: width and height wanted, pixels.

    Returns:
        (size[1], size[0], 3) uint8; ``bgr`` itself when it has that size already.
    """
    width, height = size
    have_height, have_width = bgr.shape[:2]
    if (have_width, have_height) == (width, height):
        return bgr
    scale = min(width / have_width, height / have_height)
    # a bar of one pixel is a rounding error, not a difference in aspect
    inner_width, inner_height = (
        full if full - inner <= 1 else max(1, inner)
        for full, inner in ((width, round(have_width * scale)), (height, round(have_height * scale)))
    )
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(bgr, (inner_width, inner_height), interpolation=interpolation)
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    out: U8 = np.zeros((height, width, 3), np.uint8)
    out[top : top + inner_height, left : left + inner_width] = scaled
    return out
