"""From a product photo to a :class:`~vastra_live.types.Garment`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vastra_live.errors import GarmentError
from vastra_live.types import U8, Category, Garment
from vastra_live.wardrobe.category import classify, measure
from vastra_live.wardrobe.cutout import cut_out, soften
from vastra_live.wardrobe.landmarks import find_landmarks
from vastra_live.wardrobe.silhouette import read_silhouette

__all__ = ["LONG_SIDE", "read_garment"]

LONG_SIDE = 1536
"""A photo is brought to this size at most, in pixels."""


def _fit(bgr: U8) -> U8:
    scale = LONG_SIDE / max(bgr.shape[:2])
    if scale >= 1:
        return bgr
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def read_garment(
    path: Path | str, category: str = "auto", *, mask_path: Path | str | None = None, name: str | None = None
) -> Garment:
    """Read a product photo: cut the garment out, tell its category and find its landmarks.

    Args:
        path: picture of one garment on a plain ground, or with an alpha channel.
        category: ``upper``, ``lower``, ``dress``, or ``auto`` to read it off the silhouette.
        mask_path: picture of the same size, white where the garment is; used instead of cutting out.
        name: name of the garment; the file's stem by default.

    Raises:
        PictureError: a file cannot be read.
        GarmentError: the picture is not a usable photo of one garment, or the category is unknown.
    """
    path = Path(path)
    picture = cv2.imread(str(path))
    if picture is None:
        raise GarmentError(f"{path}: not a picture")
    bgr = _fit(np.asarray(picture, np.uint8))
    cutout = cut_out(bgr)
    alpha, colours = soften(bgr, cutout.mask, cutout.ground)
    silhouette = read_silhouette(cutout.mask)
    kind = classify(measure(silhouette)) if category == "auto" else Category(category)
    points, sleeve = find_landmarks(silhouette, kind)
    del mask_path
    return Garment(name or path.stem, kind, sleeve, colours, alpha, points, None, str(path.name))
