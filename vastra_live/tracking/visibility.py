"""What is seen at each live pixel: the keyframe's surface, or something else.

A mixture over three explanations of a live pixel's colour, in the spirit of Stauffer and Grimson 1999:
the keyframe's own surface, moved here (covered by the layer or not, as it was there); an unseen part of what
the layer covers; anything else, such as a hand. The posterior that the pixel belongs to the layer is its
alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.appearance import ColourModel, colour_bins
from vastra_live.types import F32, U8

__all__ = ["Seen", "see"]

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The posterior of one picture, on the work grid.

    Attributes:
        odds_log: (H, W) float32, log odds that the pixel belongs to the layer.
        matched: (H, W) float32, 0..1, probability that the keyframe's own surface is seen.
    """

    odds_log: F32
    matched: F32


def see(live: U8, expected: U8, spread: F32, alpha: F32, known: F32, colours: ColourModel) -> Seen:
    """Explain a live picture.

    Args:
        live: (H, W, 3) uint8 YCrCb.
        expected: (H, W, 3) uint8 YCrCb, the keyframe's surface moved to the live picture.
        spread: (H, W) float32, how far luma may be off because the surface is textured, in levels.
        alpha: (H, W) float32, the keyframe's layer alpha moved likewise.
        known: (H, W) float32, 0..1, prior that the keyframe's surface is seen here at all.
        colours: densities of covered and other colours.
    """
    difference = live.astype(np.float32) - expected
    variance_y = spread * spread + 49.0
    variance_c = 0.15 * spread * spread + 9.0
    square = difference * difference
    distance = square[..., 0] / variance_y + (square[..., 1] + square[..., 2]) / variance_c
    # Student's t with 4 degrees of freedom over 3 channels: outliers happen
    surface_log = -3.5 * np.log1p(distance / 4) - 0.5 * np.log(variance_y) - np.log(variance_c) - 2.1
    bins = colour_bins(live)
    surface = known * np.exp(surface_log)
    near = np.clip(cv2.GaussianBlur(alpha, (0, 0), 4), 0.05, 0.6)
    other = (1 - known) + 0.02
    covered = other * near * np.exp(colours.covered_log[bins])
    rest = other * (1 - near) * np.exp(colours.rest_log[bins])
    layer, else_ = surface * alpha + covered, surface * (1 - alpha) + rest
    odds = np.log(layer + 1e-12) - np.log(else_ + 1e-12)
    return Seen(np.clip(odds, -5, 5).astype(np.float32), (surface / (layer + else_)).astype(np.float32))
