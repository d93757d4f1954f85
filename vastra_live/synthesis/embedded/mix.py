"""Colours by weights: three channels by one, for which numpy's broadcasting takes four times as long as OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32

__all__ = ["mixed", "ramp", "scaled", "spread"]


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
    return np.asarray(cv2.multiply(bgr, cv2.merge((factor,) * 3), into), np.float32)


def ramp(values: F32, slope: float, start: float) -> F32:
    """``slope * values + start``, held between 0 and 1; two thresholds take a third of the time of numpy's clip."""
    line = values * np.float32(slope)
    line += np.float32(start)
    if line.size:
        cv2.threshold(line, 1, 1, cv2.THRESH_TRUNC, line)
        cv2.threshold(line, 0, 0, cv2.THRESH_TOZERO, line)
    return line


def spread(bgr: F32, weight: F32, *, smooth: bool = False) -> F32:
    """Carry known colours over the unknown: (h, w, 3) where weight is 0 becomes a smooth continuation.

    Push-pull over a pyramid (Grossman and Dally 1998): near the known pixels it equals them, far away it is
    their average.

    Args:
        bgr: (h, w, 3).
        weight: (h, w) 0..1, how well each pixel is known.
        smooth: known pixels too are no finer than two by two; half the time, where only the rest is wanted.
    """
    levels = [(scaled(bgr, weight), weight)]
    while min(levels[-1][1].shape) > 2:
        colour, w = levels[-1]
        size = ((w.shape[1] + 1) // 2, (w.shape[0] + 1) // 2)
        levels.append(
            (cv2.resize(colour, size, interpolation=cv2.INTER_AREA), cv2.resize(w, size, interpolation=cv2.INTER_AREA))
        )
    colour, w = levels[-1]
    pulled = np.full(colour.shape, colour.sum(axis=(0, 1)) / max(float(w.sum()), 1e-6), np.float32)
    for colour, w in reversed(levels[1:] if smooth else levels):
        pulled = cv2.resize(pulled, (w.shape[1], w.shape[0]), interpolation=cv2.INTER_LINEAR)
        # from a quarter on it is known well enough; the colours are weighted already
        pulled = scaled(pulled, ramp(w, -4, 1), pulled)
        pulled += scaled(colour, 1 / cv2.max(w, 0.25), colour)
    height, width = weight.shape
    return cv2.resize(pulled, (width, height), interpolation=cv2.INTER_LINEAR) if smooth else pulled
