"""From a product photo to a :class:`~vastra_live.types.Garment`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import GarmentError
from vastra_live.pictures import Picture, read_picture
from vastra_live.types import F32, U8, Category, Garment
from vastra_live.wardrobe.category import classify, is_jumpsuit, measure
from vastra_live.wardrobe.crotch import open_crotch
from vastra_live.wardrobe.cutout import cut_out, largest_piece
from vastra_live.wardrobe.gaps import open_gaps
from vastra_live.wardrobe.ground import Ground
from vastra_live.wardrobe.hanger import without_hanger
from vastra_live.wardrobe.landmarks import find_landmarks
from vastra_live.wardrobe.matte import carry_colours, even_alpha, soft_alpha
from vastra_live.wardrobe.neckline import find_neckline
from vastra_live.wardrobe.screening import refuse_several, refuse_shapeless, refuse_unusable, refuse_worn
from vastra_live.wardrobe.silhouette import read_silhouette

__all__ = ["LONG_SIDE_PX", "read_garment", "read_photo"]

LONG_SIDE_PX = 1536
"""A photo is scaled down to this size; nothing on a screen shows more of a garment."""
_WORKED_PX = 1024
"""A photo is read at this size of its long side, whatever its own: ripples, noise and shadows then reach so many
pixels, and a photo and its enlargement are read alike. Only the edge is as fine as the photo that is kept."""
_USEFUL_ALPHA = 0.02
"""An alpha channel cuts out a garment if at least this share of the picture is clear, and as much is not."""
_CARD = 0.985
"""What fills its own box by more than this share is no garment that was cut out but a picture with rounded corners."""


def read_photo(path: Path | str) -> Picture:
    """A garment photo at the size the program keeps: the long side at most :data:`LONG_SIDE_PX`.

    Raises:
        PictureError: the file cannot be read.
    """
    picture = _without_card(read_picture(path))
    return _scaled(picture, min(1.0, LONG_SIDE_PX / max(picture.size)), cv2.INTER_AREA)


def read_garment(
    path: Path | str, category: str = "auto", *, mask_path: Path | str | None = None, name: str | None = None
) -> Garment:
    """Read a product photo: cut the garment out, tell its category and find its landmarks.

    Args:
        path: picture of one garment on a plain ground, or with an alpha channel.
        category: ``upper``, ``lower``, ``dress``, or ``auto`` to read it off the silhouette.
        mask_path: picture of the mask, white where the garment is, in the photo's proportions; used instead of
            cutting out, and whatever else the photo shows.
        name: name of the garment; the file's stem by default.

    Raises:
        PictureError: a file cannot be read.
        GarmentError: the picture is not a usable photo of one garment, the mask does not fit it, or the
            category is unknown.
    """
    path = Path(path)
    wanted = _category(category)
    kept = read_photo(path)
    scale = _WORKED_PX / max(kept.size)
    photo = _scaled(kept, scale, cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    fine = kept if scale < 1 else photo
    ground: Ground | None = None
    if mask_path is not None:
        mask = _given_mask(Path(mask_path), photo, path)
        alpha = even_alpha(_enlarged(mask, fine.size))
    elif photo.alpha is not None and fine.alpha is not None and _useful(photo.alpha):
        whole, second = largest_piece(np.where(photo.alpha >= 0.5, 255, 0).astype(np.uint8))
        refuse_worn(path, _before_white(photo.bgr, photo.alpha), whole)
        refuse_several(path, second)
        mask = without_hanger(photo.bgr, whole)
        alpha = np.where(_around(mask, whole, fine.size), fine.alpha, 0).astype(np.float32)
    else:
        cutout = cut_out(photo.bgr, scale)
        refuse_unusable(path, photo.bgr, cutout)
        ground = cutout.ground
        mask = open_gaps(photo.bgr, without_hanger(photo.bgr, cutout.mask), ground)
        alpha = soft_alpha(fine.bgr, _enlarged(mask, fine.size), ground.resized(fine.size))
    silhouette = read_silhouette(mask)
    if mask_path is None:
        refuse_shapeless(path, silhouette)
    shape = measure(silhouette)
    if wanted is None and is_jumpsuit(shape):
        raise GarmentError(
            f"{path}: looks like a jumpsuit, a top and trousers in one, which is not known here; "
            "say what to take it for with --category"
        )
    kind = wanted or classify(shape)
    points, sleeve = find_landmarks(silhouette, kind)
    if ground is not None and "crotch" in points:
        opened = open_crotch(photo.bgr, mask, ground, points["crotch"], (points["waist_left"], points["waist_right"]))
        if opened is not mask:
            # in the shade a pixel is no mixture of cloth and light ground
            alpha = np.minimum(alpha, even_alpha(_enlarged(opened, fine.size)))
            points, sleeve = find_landmarks(read_silhouette(opened), kind)
    inside = None
    if kind is not Category.LOWER:
        lowest = (points["armpit_left"][1] + points["armpit_right"][1]) / 2
        neckline = find_neckline(
            photo.bgr, _resized(alpha, photo.size), points["neck_left"], points["neck_right"], lowest
        )
        points["neck_front"], inside = neckline.front, neckline.inside
        points["neck_left"], points["neck_right"] = neckline.corners
    alpha = _resized(alpha, kept.size)
    if inside is not None:
        inside = np.minimum(_resized(inside, kept.size), alpha)
    return Garment(
        name=name or path.stem,
        category=kind,
        sleeve=sleeve,
        bgr=carry_colours(kept.bgr, alpha),
        alpha=alpha,
        landmarks_px={role: ((x + 0.5) / scale - 0.5, (y + 0.5) / scale - 0.5) for role, (x, y) in points.items()},
        inside_alpha=inside,
        origin=f"read from {path.name}",
    )


def _without_card(picture: Picture) -> Picture:
    """What a picture with rounded corners or a clear margin shows, opaque; any other picture itself."""
    if picture.alpha is None or not _useful(picture.alpha):
        return picture
    solid = picture.alpha >= 0.5
    x, y, width, height = cv2.boundingRect(solid.astype(np.uint8))
    if np.count_nonzero(solid) < _CARD * width * height:
        return picture
    box = solid[y : y + height, x : x + width]
    corners = [np.diagonal(np.rot90(box, turn)).argmax() for turn in range(4)]
    inset = int(max(corners))
    inside = np.s_[y + inset : y + height - inset, x + inset : x + width - inset]
    return Picture(np.ascontiguousarray(picture.bgr[inside]))


def _around(mask: U8, whole: U8, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where the soft edge of a mask may be at another size: not along what was taken off the whole."""
    near, off = (cv2.dilate(_enlarged(part, size), np.ones((7, 7), np.uint8)) for part in (mask, whole - mask))
    return np.asarray((near > 0) & ((off == 0) | (_enlarged(mask, size) > 0)), np.bool_)


def _before_white(bgr: U8, alpha: F32) -> U8:
    """A cut-out picture laid on white; what is under the clear pixels may be anything."""
    weight = alpha[:, :, None]
    return np.asarray(np.rint(bgr * weight + 255 * (1 - weight)), np.uint8)


def _scaled(picture: Picture, scale: float, interpolation: int) -> Picture:
    """A picture at another size; itself where the scale is 1."""
    if scale == 1:
        return picture
    size = (max(1, round(picture.size[0] * scale)), max(1, round(picture.size[1] * scale)))
    bgr = np.asarray(cv2.resize(picture.bgr, size, interpolation=interpolation), np.uint8)
    if picture.alpha is None:
        return Picture(bgr)
    alpha = np.clip(cv2.resize(picture.alpha, size, interpolation=interpolation), 0, 1)
    return Picture(bgr, np.asarray(alpha, np.float32))


def _resized(plane: F32, size: tuple[int, int]) -> F32:
    """A plane (H, W) at another size (width, height); itself where it has that."""
    if plane.shape == size[::-1]:
        return plane
    finer = size[0] > plane.shape[1]
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR if finer else cv2.INTER_AREA), np.float32)


def _enlarged(mask: U8, size: tuple[int, int]) -> U8:
    """A mask (H, W) of 0 and 255 at another size (width, height); itself where it has that."""
    return np.where(_resized(mask.astype(np.float32), size) > 127, 255, 0).astype(np.uint8)


def _category(name: str) -> Category | None:
    if name == "auto":
        return None
    try:
        return Category(name)
    except ValueError:
        known = ", ".join(category.value for category in Category)
        raise GarmentError(f"category {name!r}: expected auto, {known}") from None


def _useful(alpha: F32) -> bool:
    solid = float((alpha >= 0.5).mean())
    return _USEFUL_ALPHA <= solid <= 1 - _USEFUL_ALPHA


def _given_mask(mask_path: Path, photo: Picture, path: Path) -> U8:
    picture = read_picture(mask_path)
    width, height = photo.size
    given = picture.size
    if abs(given[0] * height - given[1] * width) > 0.01 * given[0] * height:
        raise GarmentError(
            f"{mask_path}: is {given[0]}x{given[1]}, which does not fit {path} ({width}x{height}); "
            "give a mask of the photo's size"
        )
    bgr = cv2.resize(picture.bgr, (width, height), interpolation=cv2.INTER_NEAREST)
    mask, _ = largest_piece(np.where(bgr.max(axis=2) >= 128, 255, 0).astype(np.uint8))
    if not _useful(mask.astype(np.float32) / 255):
        raise GarmentError(f"{mask_path}: no usable mask; it must be white where the garment is, black elsewhere")
    return mask
