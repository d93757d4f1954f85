"""Colours by weights: three channels by one, for which numpy's broadcasting takes four times as long as OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32

__all__ = ["mixed", "ramp", "scaled"]

_STRIP = 64
"""So many rows at a time stay in the processor's cache."""


def mixed(under: F32, over: F32, weight: F32, into: F32 | None = None) -> F32:
    """``under + weight * (over - under)``, to 1e-5 of it.

    Args:
        under, over: (h, w, 3) float32.
        weight: (h, w) float32 0..1.
        into: where the result goes, ``under`` or ``over`` if that is not needed any more; by default a new picture.
    """
    return np.asarray(cv2.blendLinear(over, under, weight, 1 - weight, into), np.float32)


def scaled(bgr: F32, factor: F32, into: F32 | None = None) -> F32:
    """(h, w, 3) colours, each pixel's by the factor of (h, w); ``into`` as :func:`mixed` has it."""
    into = np.empty_like(bgr) if into is None else into
    for top in range(0, len(bgr), _STRIP):
        rows = slice(top, top + _STRIP)
        cv2.multiply(bgr[rows], cv2.merge((factor[rows],) * 3), into[rows])
    return into


def ramp(values: F32, slope: float, start: float) -> F32:
    """``slope * values + start``, held between 0 and 1; numpy's clip takes as long as two of these."""
    line = values * np.float32(slope)
    line += np.float32(start)
    np.maximum(line, 0, out=line)
    return np.minimum(line, 1, out=line)
