"""The gap between the legs of trousers, up to where they part.

It narrows to nothing, and the legs shade it: up there the ground is darker than cloth may be and its edge is as soft as
a fold's, so the flood that finds the ground stops below. But a shadow takes light and no colour. Between the legs of
trousers that are not grey themselves, what has the ground's own hue, and goes on from the gap below, is ground.
"""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8
from vastra_live.wardrobe.ground import Ground

__all__ = ["open_crotch"]

_COLOURED = 0.07
"""Cloth differs from the ground in hue when its channels do by so much of their mean, in units of the ground's."""
_NARROW = 0.12
"""Half the width of the gap at most, in widths of the waist."""
_HIGHEST = 0.3
"""So far down from the waist to the crotch, as it was found, a gap ends at the latest."""


def open_crotch(
    bgr: U8,
    mask: U8,
    ground: Ground,
    crotch: tuple[float, float],
    waist: tuple[tuple[float, float], tuple[float, float]],
) -> U8:
    """The mask of trousers, with the gap between their legs open up to where they part.

    Args:
        bgr: (H, W, 3) uint8.
        mask: (H, W) uint8, 255 inside.
        ground: what lies around.
        crotch: (x, y) where the gap ends in the mask.
        waist: its left and its right end.

    Returns:
        (H, W) uint8; the same mask where hue does not tell ground from cloth.
    """
    width = abs(waist[0][0] - waist[1][0])
    top = (waist[0][1] + waist[1][1]) / 2
    y0, y1 = int(top + _HIGHEST * (crotch[1] - top)), int(crotch[1] + 0.1 * width)
    x0, x1 = int(crotch[0] - 2 * _NARROW * width), int(crotch[0] + 2 * _NARROW * width)
    if x0 < 0 or x1 > mask.shape[1] or y0 < 0 or y1 > mask.shape[0] or y1 - y0 < 8 or x1 - x0 < 8:
        return mask
    part = np.s_[y0:y1, x0:x1]
    off = _hue(bgr[part], ground.bgr[part])
    cloth = mask[part] > 0
    aside = np.abs(np.arange(x0, x1) - crotch[0]) > _NARROW * width
    beside = off[:, aside][cloth[:, aside]]
    if not len(beside) or float(np.median(beside)) < _COLOURED:
        return mask
    # of a mixed pixel half is ground
    grey = (off < 0.5 * np.median(beside)).astype(np.uint8)
    grey[:, aside] = 0
    grey |= ~cloth & ~aside
    # up where it is a pixel or two wide there is no more of it than of the mixture beside it
    grey = cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 2), np.uint8))
    _, labels = cv2.connectedComponents(grey)
    below = np.unique(labels[~cloth & (grey > 0)])
    opened = np.isin(labels, below[below > 0])
    if not (opened & cloth).any():
        return mask
    # a gap is narrow above where it was found to end
    if opened[: max(int(crotch[1]) - y0, 0)].sum(axis=1).max(initial=0) > 1.5 * _NARROW * width:
        return mask
    # hue is softer than light is, in photos as they are stored
    opened = cv2.dilate(opened.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))) > 0
    result = mask.copy()
    result[part][opened] = 0
    return result


def _hue(bgr: U8, ground: F32) -> F32:
    """(h, w) how far a colour is from a shade of the ground's, in units of its light."""
    ratio = cv2.medianBlur(bgr, 3).astype(np.float32) / np.maximum(ground, 1)
    return np.asarray((ratio.max(axis=2) - ratio.min(axis=2)) / np.maximum(ratio.mean(axis=2), 0.02), np.float32)
