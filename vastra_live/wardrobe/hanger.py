"""Take a hanger off the silhouette.

A hanger shows as a hook: something much narrower than the garment that rises above it near the middle. Where
its arms can be seen in the neck opening they have another colour than the cloth.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8
from vastra_live.wardrobe.cutout import largest_piece

__all__ = ["without_hanger"]

_HOOK_WIDTH = 0.07
"""A hook is narrower than this share of the silhouette's width."""
_HOOK_HEIGHT = 0.015
"""It rises at least this share of the silhouette's height."""
_UPRIGHT = 1.2
_TAPERING = 0.5
"""The tip of a hood is less than so many times higher than wide, and its upper quarter narrower than this share of its
lowest."""
_REACH = 0.22
"""The arms end at most this share of the height below the hook."""
_ALIKE = 26.0
"""Colours of one thing, as a distance in Lab."""
_MOST = 0.12
"""If more than this share of the silhouette would go, it is no hanger."""


def without_hanger(bgr: U8, mask: U8) -> U8:
    """The mask (H, W) uint8 without a hanger; unchanged where none is found."""
    left, top, width, height = cv2.boundingRect(mask)
    rows = mask[top : top + height, left : left + width] > 0
    first = rows.argmax(axis=1)
    extent = np.where(rows.any(axis=1), width - rows[:, ::-1].argmax(axis=1) - first, 0)
    # the hook ends at its last narrow row; its bow above may be wider
    narrow = np.nonzero(extent[: round(0.3 * height)] < _HOOK_WIDTH * width)[0]
    hook = int(narrow[-1]) + 1 if len(narrow) else 0
    middle = float(np.median(first[:hook] + extent[:hook] / 2)) / width if hook else 0.0
    broadest = float(extent[:hook].max(initial=0))
    high = hook >= _HOOK_HEIGHT * height and not _is_tip(extent[:hook])
    if not high or broadest > 2 * _HOOK_WIDTH * width or not 0.3 < middle < 0.7:
        return mask
    thinner = mask.copy()
    thinner[: top + hook] = 0
    arms = _arms(bgr, thinner, top + hook, round(left + middle * width), height)
    without = np.asarray(cv2.bitwise_and(thinner, cv2.bitwise_not(arms)), np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    kept, _ = largest_piece(np.asarray(cv2.morphologyEx(without, cv2.MORPH_OPEN, disc), np.uint8))
    kept = np.asarray(cv2.bitwise_and(cv2.dilate(kept, disc), without), np.uint8)
    if np.count_nonzero(kept) < (1 - _MOST) * np.count_nonzero(mask):
        return thinner
    return kept


def _is_tip(extent: npt.NDArray[np.int64]) -> bool:
    """Whether the topmost rows, so many pixels wide each, are a hood's."""
    quarter = max(1, len(extent) // 4)
    tapering = float(extent[:quarter].mean()) < _TAPERING * float(extent[-quarter:].mean())
    return tapering and len(extent) < _UPRIGHT * float(extent.max())


def _arms(bgr: U8, mask: U8, start: int, column: int, height: int) -> U8:
    """What below the hook has the colour found at its foot, as far as it hangs together (255)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (0, 0), 1.5), cv2.COLOR_BGR2LAB).astype(np.float32)
    end = start + round(_REACH * height)
    foot = np.zeros_like(mask)
    reach = max(3, round(0.02 * height))
    foot[start + reach // 2 : start + 3 * reach, max(0, column - reach) : column + reach] = 255
    # along the outline colours are mixed with the ground's
    core = cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0
    seeds = (foot > 0) & core
    nothing = np.zeros_like(mask)
    if not seeds.any():
        return nothing
    below = lab[end : end + height // 4][mask[end : end + height // 4] > 0]
    cloth = np.median(below, axis=0) if len(below) else None
    alike = np.zeros(mask.shape, np.bool_)
    for colour in _two_colours(lab[seeds]):
        if cloth is not None and np.linalg.norm(cloth - colour) > _ALIKE:
            alike |= (np.linalg.norm(lab - colour, axis=2) < _ALIKE) & core
    alike[end:] = False
    closed = cv2.morphologyEx(alike.astype(np.uint8) * 255, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    _, labels = cv2.connectedComponents(closed)
    touched = np.unique(labels[seeds & (closed > 0)])
    arms = np.isin(labels, touched[touched > 0])
    return np.asarray(cv2.dilate(arms.astype(np.uint8) * 255, np.ones((9, 9), np.uint8)), np.uint8)


def _two_colours(lab: F32) -> F32:
    """The two colours that a foot may have, metal and wood: (2, 3) of (N, 3)."""
    if len(lab) < 4:
        return lab[:1]
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 12, 0.0)
    cv2.setRNGSeed(1)
    _, _, centres = cv2.kmeans(lab, 2, np.zeros((0,), np.int32), stop, 2, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, np.float32)
