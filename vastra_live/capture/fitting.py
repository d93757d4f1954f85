"""Making what a decoder or driver hands out a BGR picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vastra_live.types import U8

__all__ = ["as_bgr"]

_TO_BGR = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}


def as_bgr(raw: Any, reported_size: tuple[int, int]) -> U8 | None:
    """What ``cv2.VideoCapture.read`` returned, as (H, W, 3) uint8; None when it is not a picture.

    Grey and BGRA pictures are converted. OpenCV 4.11 hands out BGR3 frames of a V4L2 device as one flat row
    of bytes (its pull request 27193); such a row is folded back when its length fits the reported size.

    Args:
        raw: the array, or None.
        reported_size: width and height the capture claims to deliver.
    """
    if not isinstance(raw, np.ndarray) or raw.dtype != np.uint8 or raw.size == 0:
        return None
    width, height = reported_size
    if raw.shape[0] == 1 and height > 1 and raw.size == width * height * 3:
        return raw.reshape(height, width, 3)
    if raw.ndim not in (2, 3) or min(raw.shape[:2]) < 2:
        return None
    channels = raw.shape[2] if raw.ndim == 3 else 1
    if channels == 3:
        return raw
    code = _TO_BGR.get(channels)
    return None if code is None else cv2.cvtColor(raw, code).astype(np.uint8, copy=False)
