"""The garment as the try-on networks know it: alone, on white, filling a 3:4 picture as shop photos do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from vastra_live.errors import GarmentError, NothingToFitError
from vastra_live.types import U8, Category, Garment

__all__ = ["ClothConditions", "prepare_cloth", "refuse_all_but_tops"]

FILLED: Final = 0.815
"""Share of the picture's width or height, whichever is reached first, that VITON-HD's garments fill."""
MASK_LEVEL: Final = 0.5
WHITE: Final = 255


@dataclass(frozen=True, slots=True, eq=False)
class ClothConditions:
    """The garment's side of a try-on.

    Attributes:
        bgr: (H, W, 3) uint8, the garment on white.
        mask: (H, W) uint8, 1 where the garment is, else 0.
    """

    bgr: U8
    mask: U8

    def __post_init__(self) -> None:
        if self.bgr.dtype != np.uint8 or self.bgr.ndim != 3 or self.bgr.shape[2] != 3:
            raise ValueError(f"ClothConditions.bgr: expected (H, W, 3) uint8, got {self.bgr.shape} {self.bgr.dtype}")
        if self.mask.dtype != np.uint8 or self.mask.shape != self.bgr.shape[:2]:
            raise ValueError(
                f"ClothConditions.mask: expected {self.bgr.shape[:2]} uint8, got {self.mask.shape} {self.mask.dtype}"
            )


def refuse_all_but_tops(garment: Garment, synthesizer: str) -> None:
    """Return for a top worn alone.

    Raises:
        NothingToFitError: the networks were trained on nothing else.
    """
    what = f"of category {garment.category.value}"
    if garment.worn_with is not None:
        what = f"worn with {garment.worn_with.name}"
    elif garment.category is Category.UPPER:
        return
    raise NothingToFitError(f"{garment.name} is {what}: {synthesizer} was trained on tops alone")


def prepare_cloth(garment: Garment, size: tuple[int, int] = (768, 1024)) -> ClothConditions:
    """A garment as cloth picture and mask, centred and scaled as the training data's.

    Args:
        garment: cut out of its photo.
        size: width and height of the result.

    Raises:
        GarmentError: its mask is empty.
    """
    solid = garment.alpha >= MASK_LEVEL
    if not solid.any():
        raise GarmentError(f"{garment.name}: nothing of the picture is marked as garment; give a mask with --mask")
    rows, columns = np.nonzero(solid.any(axis=1))[0], np.nonzero(solid.any(axis=0))[0]
    box_width, box_height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    width, height = size
    scale = float(min(FILLED * width / box_width, FILLED * height / box_height))
    centre = np.array([columns[0] + columns[-1], rows[0] + rows[-1]]) / 2
    shift = np.array([width - 1, height - 1]) / 2 - scale * centre
    affine = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])

    alpha = garment.alpha[:, :, None]
    on_white = garment.bgr * alpha + WHITE * (1 - alpha)
    if scale < 0.75:
        # softened first: linear sampling alone would skip pixels
        on_white, alpha = (cv2.GaussianBlur(a, (0, 0), 0.4 / scale) for a in (on_white, garment.alpha))
    bgr = cv2.warpAffine(on_white, affine, size, flags=cv2.INTER_LINEAR, borderValue=(WHITE, WHITE, WHITE))
    mask = cv2.warpAffine(alpha, affine, size, flags=cv2.INTER_LINEAR)
    return ClothConditions(np.rint(bgr).astype(np.uint8), (mask >= MASK_LEVEL).astype(np.uint8))
