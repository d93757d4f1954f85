"""Colours by weights: three channels by one, for which numpy's broadcasting takes four times as long as OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32

__all__ = ["mixed", "scaled"]


def mixed(under: F32, over: F32, weight: F32) -> F32:
    """``under + weight * (over - under)``, to 1e-5 of it.

    Args:
        under, over: (h, w, 3) float32.
        weight: (h, w) float32 0..1.
    """
    return np.asarray(cv2.blendLinear(over, under, weight, 1 - weight), np.float32)


def scaled(bgr: F32, factor: F32) -> F32:
    """(h, w, 3) colours, each pixel's by the factor of (h, w)."""
    return np.asarray(cv2.multiply(bgr, cv2.merge((factor, factor, factor))), np.float32)
