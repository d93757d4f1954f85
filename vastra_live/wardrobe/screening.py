"""Photos that intake must not guess about, each refused with its reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vastra_live.errors import GarmentError
from vastra_live.types import U8
from vastra_live.wardrobe.cutout import Cutout
from vastra_live.wardrobe.silhouette import Silhouette
from vastra_live.wardrobe.wearer import find_person

__all__ = ["refuse_several", "refuse_shapeless", "refuse_unusable", "refuse_worn"]

_PLAIN = 0.55
"""At least this share of the border shows the ground."""
_NOISY = 14.0
_SMALLEST = 0.015
"""A garment fills at least this share of the picture."""
_SECOND = 0.2
"""A second piece larger than this share of the first is a second garment."""
_CUT_OFF = 0.2
"""A garment that touches a side over more than this share of its height is cut off there."""
_CUT_THROUGH = (0.18, 0.3)
"""What touches the picture's top and its bottom over more than these shares of its width, and neither side, is a part
of something longer: a body without its head. A photo that was trimmed to its garment touches all sides."""
_ALIKE = 0.84
"""The mirror image of what is no garment seen from the front covers less than this share of it: a shoe's does."""
_SLENDER = 0.15
"""What is narrower than this share of its height is a belt or a scarf."""
_REMEDY = "give a photo of one garment alone on a plain ground, or its mask with --mask"


def refuse_unusable(path: Path, bgr: U8, cutout: Cutout) -> None:
    """Raise unless the cut-out is one whole garment by itself.

    Raises:
        GarmentError: the picture is blank, has no plain ground, shows a person, several garments, none, or
            one that is cut off.
    """
    ground, mask = cutout.ground, cutout.mask
    plain = ground.plain >= _PLAIN and ground.sigma <= _NOISY
    filled = float(np.count_nonzero(mask)) / mask.size
    if plain and filled < _SMALLEST:
        raise GarmentError(f"{path}: nothing stands out from the ground, so there is no garment to see; {_REMEDY}")
    refuse_worn(path, bgr, mask if plain else np.zeros_like(mask))
    if not plain:
        raise GarmentError(f"{path}: no garment on a plain ground was found, the border is too uneven; {_REMEDY}")
    refuse_several(path, cutout.second)
    sides = _cut_sides(mask)
    if len(sides) == 2:
        raise GarmentError(f"{path}: no whole garment was found, what is seen runs out at both sides; {_REMEDY}")
    if sides:
        raise GarmentError(f"{path}: the garment is cut off at the {sides[0]} side of the picture; {_REMEDY}")
    if not sides and _cut_through(mask):
        raise GarmentError(
            f"{path}: what is seen runs out at the top and at the bottom of the picture: a garment that is cut off, or "
            f"a body without its head; {_REMEDY}"
        )


def refuse_worn(path: Path, bgr: U8, mask: U8) -> None:
    """Raise if the picture shows a person; ``mask`` (H, W) uint8 is 255 where something lies on the ground.

    Raises:
        GarmentError: it does.
    """
    found = find_person(bgr, mask)
    if found is not None:
        raise GarmentError(f"{path}: shows a person (a {found} was found); {_REMEDY}")


def refuse_several(path: Path, second: float) -> None:
    """Raise if the second largest piece, as a share of the largest, is a garment of its own.

    Raises:
        GarmentError: it is.
    """
    if second > _SECOND:
        raise GarmentError(f"{path}: shows several garments or other things beside one; {_REMEDY}")


def refuse_shapeless(path: Path, silhouette: Silhouette) -> None:
    """Raise unless the outline may be a garment's that is seen from the front.

    Raises:
        GarmentError: it may not.
    """
    height, width = silhouette.mask.shape
    if width < _SLENDER * height:
        raise GarmentError(f"{path}: what is seen is too slender for a garment, as a belt is; {_REMEDY}")
    if silhouette.symmetry < _ALIKE:
        raise GarmentError(
            f"{path}: what is seen is not alike on both sides, as a garment is that is laid out and seen from the "
            f"front; {_REMEDY}"
        )


def _cut_through(mask: U8) -> bool:
    """Whether something runs through the picture from top to bottom."""
    width = cv2.boundingRect(mask)[2]
    top, bottom = (np.count_nonzero(edge.any(axis=0)) / width for edge in (mask[:2], mask[-2:]))
    beside = mask[:, :2].any() or mask[:, -2:].any()
    return bool(top > _CUT_THROUGH[0] and bottom > _CUT_THROUGH[1] and not beside)


def _cut_sides(mask: U8) -> list[str]:
    """Which sides of the picture the garment runs out of."""
    height = cv2.boundingRect(mask)[3]
    touching = {"left": mask[:, :2], "right": mask[:, -2:]}
    return [name for name, edge in touching.items() if np.count_nonzero(edge.any(axis=1)) > _CUT_OFF * height]
