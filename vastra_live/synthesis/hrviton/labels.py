"""The three label sets of HR-VITON: 20 (CIHP parse), 13 (condition generator), 7 (image generator)."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from vastra_live.types import U8

__all__ = [
    "CLASSES_7",
    "CLASSES_13",
    "CLASSES_20",
    "KEPT_UNDER_OCCLUSION",
    "MERGE_13_TO_7",
    "MERGE_20_TO_13",
    "UPPER_13",
    "merge_20_to_13",
]

CLASSES_20: Final = 20
CLASSES_13: Final = 13
CLASSES_7: Final = 7

MERGE_20_TO_13: Final = (0, 1, 1, 12, 2, 3, 3, 3, 11, 4, 0, 12, 4, 2, 5, 6, 7, 8, 9, 10)
"""New label of each CIHP label. The neck (10) becomes background; hair is 1 and face 2."""

MERGE_13_TO_7: Final = (0, 3, 1, 2, 1, 4, 5, 1, 1, 1, 1, 1, 6)
"""New label of each of the 13: background, paste, upper, hair, left arm, right arm, noise."""

UPPER_13: Final = 3
"""The garment's class among the 13."""

KEPT_UNDER_OCCLUSION: Final = (0, 3, 4)
"""Classes among the 13 that never hide the warped garment: background, upper, bottom."""


def merge_20_to_13(parse: U8) -> U8:
    """A CIHP label map (H, W) uint8 with labels 0..19 as labels 0..12.

    Raises:
        ValueError: a label is above 19.
    """
    if parse.size and int(parse.max()) >= CLASSES_20:
        raise ValueError(f"parse: expected labels 0..{CLASSES_20 - 1}, got {int(parse.max())}")
    table = np.zeros(256, np.uint8)
    table[:CLASSES_20] = MERGE_20_TO_13
    merged: U8 = cv2.LUT(parse, table)
    return merged
