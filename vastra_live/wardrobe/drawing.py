"""A garment as the program understands it, drawn for a person to check."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8, Garment

__all__ = ["draw_garment"]

_SQUARE = 16
_LIGHT, _DARK = 214, 190
_OUTLINE = (40, 160, 40)
_INSIDE = (210, 120, 40)
_LEFT, _RIGHT, _MIDDLE = (40, 40, 210), (200, 60, 160), (30, 130, 230)


def _checker(height: int, width: int) -> U8:
    y, x = np.indices((height, width)) // _SQUARE
    grey = np.where((x + y) % 2 == 0, _LIGHT, _DARK).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _outline(picture: U8, alpha: F32, colour: tuple[int, int, int]) -> None:
    mask = np.where(alpha >= 0.5, 255, 0).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, colour, 1, cv2.LINE_AA)


def draw_garment(garment: Garment) -> U8:
    """The garment on a grey checker: its outline green, what lies behind the neck blue, its landmarks named.

    Points of the wearer's left are red, of the right violet, those between orange.

    Returns:
        (H, W, 3) uint8, at the photo's size.
    """
    height, width = garment.alpha.shape
    weight = garment.alpha[:, :, None]
    blended = garment.bgr * weight + _checker(height, width) * (1 - weight)
    if garment.inside_alpha is not None:
        tint = 0.45 * garment.inside_alpha[:, :, None]
        blended = blended * (1 - tint) + np.array(_INSIDE, np.float32) * tint
    picture = np.rint(blended).astype(np.uint8)
    _outline(picture, garment.alpha, _OUTLINE)
    if garment.inside_alpha is not None:
        _outline(picture, garment.inside_alpha, _INSIDE)
    _points(picture, garment)
    title = f"{garment.name}: {garment.category.value}, sleeve {garment.sleeve.value}"
    _text(picture, title, (8, height - 10), (30, 30, 30), max(0.4, width / 1400))
    return picture


def _points(picture: U8, garment: Garment) -> None:
    width = picture.shape[1]
    size, radius = max(0.32, width / 1900), max(2, width // 190)
    for name, (x, y) in garment.landmarks_px.items():
        colour = _LEFT if name.endswith("_left") else _RIGHT if name.endswith("_right") else _MIDDLE
        centre = (round(x), round(y))
        cv2.circle(picture, centre, radius + 1, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, centre, radius, colour, -1, cv2.LINE_AA)
        (length, _), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        # written inwards of the nearer border, so that no name runs out of the picture
        start = x - length - radius - 4 if name.endswith("_right") else x + radius + 4
        at = (round(min(max(start, 2), width - length - 2)), round(y + 4))
        _text(picture, name, at, colour, size)


def _text(picture: U8, text: str, at: tuple[int, int], colour: tuple[int, int, int], size: float) -> None:
    for shade, thickness in (((255, 255, 255), 3), (colour, 1)):
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, shade, thickness, cv2.LINE_AA)
