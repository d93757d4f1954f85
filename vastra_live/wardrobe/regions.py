"""Parts of a picture as masks, (H, W) uint8 of 0 and 255: spread, thinned, followed."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8

__all__ = ["binary", "climbed", "disc", "eroded", "grown", "opened", "reached"]


def reached(allowed: U8) -> U8:
    """What of ``allowed`` hangs together with the picture's border (255)."""
    _, labels = cv2.connectedComponents(allowed, connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lookup = np.zeros(int(labels.max()) + 1, np.uint8)
    lookup[np.unique(edge)] = 255
    lookup[0] = 0
    return np.asarray(lookup[labels], np.uint8)


def grown(seed: U8, allowed: U8, steps: int) -> U8:
    """``seed`` spread into ``allowed``, at most so many pixels deep."""
    cross = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
    for _ in range(steps):
        seed = np.asarray(cv2.bitwise_or(seed, cv2.bitwise_and(cv2.dilate(seed, cross), allowed)), np.uint8)
    return seed


def climbed(seed: U8, allowed: U8, steepness: F32, slack: float, reach: float) -> U8:
    """``seed`` spread uphill, to the ridge of the next edge within so many pixels."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(round(reach)):
        behind = cv2.erode(np.where(seed > 0, steepness, np.float32(1e6)), cross)
        seed = seed | (binary(steepness > behind - slack) & allowed)
    return seed


def opened(mask: U8, radius: int) -> U8:
    """What of a mask a disc of that radius covers."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(radius)), np.uint8)


def eroded(mask: U8, radius: int) -> U8:
    """The mask without its rim; the picture's border counts as inside."""
    return np.asarray(cv2.erode(mask, disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=255), np.uint8)


def disc(radius: int) -> U8:
    """A round structuring element."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def binary(condition: npt.NDArray[np.bool_]) -> U8:
    """255 where a condition holds."""
    return np.asarray(condition, np.uint8) * np.uint8(255)
