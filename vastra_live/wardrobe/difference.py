"""How a photo differs from the ground it was taken on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.types import F32, U8
from vastra_live.wardrobe.ground import Ground

__all__ = ["Difference", "edge_width", "read_difference", "tight_limit"]

_SLACK = 14.0
"""A shadow of unknown hue differs from the dimmed ground by so many levels for all the light that is missing."""
_CRISP = 0.0024
"""What is wider than this share of the picture's longer side is no edge but a shadow's falling off."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How each pixel differs from the ground, in levels.

    Attributes:
        distance: largest channel difference, lightly smoothed.
        dimmed: share of the ground's light that is missing.
        off: (H, W, 3), difference to the dimmed ground.
        off_colour: largest channel of that, less the tint of shadows.
        slack: off_colour that shadows may have, for all the ground's light that is missing.
        steepness: change per pixel.
        crisp: change per pixel that is left once what is wide is taken off: an edge, the grain of cloth, no shadow.
        level: the ground's light, 1 for white.
        offset: signed difference, mean of the channels.
        tight: what noise alone reaches.
    """

    distance: F32
    dimmed: F32
    off: F32
    off_colour: F32
    slack: float
    steepness: F32
    crisp: F32
    level: F32
    offset: F32
    tight: float

    def tinted(self, tint: F32, slack: float) -> Difference:
        """The same where shadows have a hue of their own.

        Args:
            tint: (3,) or (H, W, 3) levels, for all the ground's light that is missing.
            slack: see above.
        """
        off_colour = np.abs(self.off - tint * np.maximum(self.dimmed, 0)[:, :, None]).max(axis=2)
        return replace(self, off_colour=np.asarray(off_colour, np.float32), slack=slack)


def tight_limit(ground: Ground) -> float:
    """What noise alone reaches, in levels."""
    return 1.2 + 1.8 * ground.sigma


def read_difference(bgr: U8, ground: Ground, tight: float) -> Difference:
    """How a picture (H, W, 3) uint8 differs from its ground."""
    residual = cv2.blur(bgr.astype(np.float32) - ground.bgr, (3, 3))
    light = np.maximum(cv2.transform(ground.bgr * ground.bgr, np.ones((1, 3), np.float32)), 1.0)
    dimmed = -cv2.transform(residual * ground.bgr, np.ones((1, 3), np.float32)) / light
    off = residual + ground.bgr * dimmed[:, :, None]
    off_colour = np.abs(off).max(axis=2)
    grey = cv2.transform(residual, np.full((1, 3), 1 / 3, np.float32))
    fine = grey - cv2.GaussianBlur(grey, (0, 0), edge_width(bgr.shape))
    level = np.asarray(np.sqrt(light) / 441.7, np.float32)
    distance = np.abs(residual).max(axis=2)
    return Difference(distance, dimmed, off, off_colour, _SLACK, _slope(grey), _slope(fine), level, grey, tight)


def edge_width(shape: tuple[int, ...]) -> float:
    """What is wider than so many pixels is no edge, in a picture of that shape."""
    return max(1.2, _CRISP * max(shape))


def _slope(grey: F32) -> F32:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(cv2.magnitude(across, down) / 8, np.float32)
