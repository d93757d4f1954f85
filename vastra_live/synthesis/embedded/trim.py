"""The last pixels of the garment's outline: where it runs along the worn one's, it takes that edge as it is seen."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from vastra_live.synthesis.embedded.mesh import Painted
from vastra_live.synthesis.embedded.reading import BACKGROUND, HAIR, SKIN, Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.types import F32, U8

__all__ = ["trimmed"]

_REACH = 0.035
"""Shoulder widths that an edge moves at most."""


def trimmed(pieces: Mapping[int, Painted], worn: F32, reading: Reading, unit: float) -> dict[int, Painted]:
    """The pieces, grown or cut back by a few pixels to the worn top's edge where the two run side by side.

    Args:
        pieces: the garment's pieces.
        worn: (h, w) 0..1, the worn top with its edges on the picture's.
        reading: the classes; an edge that hair makes is none of the top's.
        unit: shoulder width in pixels.
    """
    if not pieces:
        return dict(pieces)
    alphas = {name: _bytes(piece.alpha) for name, piece in pieces.items()}
    union = np.zeros(worn.shape, np.uint8)
    for name, piece in pieces.items():
        x0, y0, x1, y1 = piece.box
        np.maximum(union[y0:y1, x0:x1], alphas[name], out=union[y0:y1, x0:x1])
    radius = max(2, round(_REACH * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown, shrunk = cv2.dilate(union, kernel), cv2.erode(union, kernel)
    seen = _without_stripes(_bytes(worn), reading, radius)
    edge = np.clip(seen, shrunk, grown).astype(np.float32)
    whole = union.astype(np.float32)
    follow = _side_by_side(union, seen, reading.share[HAIR], unit)
    # the alpha the union should have, and what each piece gives to it
    wanted = (whole + follow * (edge - whole)) / np.float32(255)
    kept = np.minimum(1, wanted / np.maximum(whole / np.float32(255), 1e-3))
    result = {}
    for name, piece in pieces.items():
        x0, y0, x1, y1 = piece.box
        part = np.s_[y0:y1, x0:x1]
        alpha = piece.alpha * kept[part]
        more = np.minimum(cv2.dilate(alphas[name], kernel).astype(np.float32) / 255, wanted[part])
        if piece.covered is not None:
            more *= piece.covered
        alpha = np.where(wanted[part] > whole[part] / 255, np.maximum(alpha, more), alpha)
        result[name] = Painted(piece.box, piece.bgr, alpha, piece.covered)
    return result


def _bytes(alpha: F32) -> U8:
    return np.asarray(alpha * 255 + 0.5, np.uint8)


def _without_stripes(worn: U8, reading: Reading, radius: int) -> U8:
    """The worn top with narrow stripes, which are read as something else, filled; not the gap beside an arm."""
    size = 2 * radius + 1
    closed = cv2.morphologyEx(worn, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    other = np.clip(2 * (reading.share[BACKGROUND] + reading.share[SKIN] + reading.share[HAIR]), 0, 1)
    return np.maximum(worn, np.minimum(closed, _bytes(1 - other)))


def _side_by_side(union: U8, worn: U8, hair: F32, unit: float) -> F32:
    """(h, w) 0..1: where an edge of the garment runs along one of the worn top, in its direction."""
    size = 2 * max(1, round(0.5 * _REACH * unit)) + 1
    slopes = []
    for plane in (halved(union) / 255, halved(worn) / 255):
        soft = cv2.blur(cv2.blur(plane, (size, size)), (size, size))
        slopes.append((cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)))
    (ax, ay), (bx, by) = slopes
    both = np.sqrt((ax**2 + ay**2) * (bx**2 + by**2))
    alike = (ax * bx + ay * by) / (both + 1e-6)
    # where two straight edges fall together the blurred planes rise by 8 / size within a pixel; a ragged one less
    strong = np.clip(3 * both * (size / 8) ** 2 - 0.2, 0, 1)
    free = 1 - cv2.dilate(halved(hair), np.ones((5, 5), np.uint8))
    follow = np.clip(2.5 * alike - 1.25, 0, 1) * strong * np.clip(free, 0, 1)
    return np.clip(enlarged(cv2.blur(follow, (3, 3)), worn.shape) * 1.3, 0, 1)
