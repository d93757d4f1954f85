"""The upper ends of gaps: between sleeve and body, or two legs, down to where they are a pixel wide.

The flood that finds the ground judges means of nine pixels, so that noise does not stop it; in the point of a gap these
hold cloth, and it stops where the gap is some ten pixels wide. Here single pixels are judged, and what keeps a white
print from being taken for ground is the shape: a gap's end stands on the gap, comes to a point above it, is short, and
has cloth that stands out on both sides.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8
from vastra_live.wardrobe.ground import Ground

__all__ = ["open_gaps"]

Bools = npt.NDArray[np.bool_]

_LONGEST, _WIDEST = 0.15, 0.03
"""A gap's end is no longer and no wider than these shares of the garment's height; a stripe of its colour is."""
_SLENDER = 1.0
"""It is so many times as high as wide at least."""
_POINT = 0.5
"""Its uppermost quarter is narrower than this share of its lowest, unless both are hair-thin."""
_HAIR_PX = 4.0
_RIPPLE, _MOST_RIPPLE, _REACH_PX = 0.08, 20.0, 8
"""What JPEG does to the ground beside an edge: a share of that edge, so many levels at most, within so many pixels."""
_WALL, _STEP, _WALLED = 22.0, 1.6, 0.85
"""Cloth beside a gap differs from the ground by so many levels more than so many times what the gap does, along so much
of it."""
_LIGHTER = 1.3
"""The middle of a gap is no lighter than the ground, to within so many times its noise."""
_DARKEST, _TINTED = 0.5, 14.0
"""In the shade of its walls it has lost at most this share of its light, and takes on a tint of so many levels were it
to lose all."""
_MIXED = 0.5
"""A pixel that differs from the ground by less than this share of what the cloth does is mostly ground."""
_SMALLEST_PX = 6


def open_gaps(bgr: U8, mask: U8, ground: Ground) -> U8:
    """The mask with the gaps in it open up to their points.

    Args:
        bgr: (H, W, 3) uint8.
        mask: (H, W) uint8, 255 inside.
        ground: what lies around.

    Returns:
        (H, W) uint8.
    """
    x, y, width, height = cv2.boundingRect(mask)
    part = np.s_[max(0, y - _REACH_PX) : y + height + _REACH_PX, max(0, x - _REACH_PX) : x + width + _REACH_PX]
    opened = mask.copy()
    opened[part] = _opened(bgr[part], mask[part], ground.bgr[part], 1.2 + 1.8 * ground.sigma)
    return opened


def _opened(bgr: U8, mask: U8, ground: F32, noise: float) -> U8:
    """The same where the garment is."""
    residual = bgr.astype(np.float32) - ground
    distance = np.abs(residual).max(axis=2)
    peak = cv2.dilate(distance, np.ones((2 * _REACH_PX + 1, 2 * _REACH_PX + 1), np.uint8))
    lit = distance < np.minimum(noise + _RIPPLE * peak, _MOST_RIPPLE)
    shaded = lit | (_in_shade(residual, ground, noise) & (distance < _MIXED * peak))
    level = cv2.transform(residual, np.full((1, 3), 1 / 3, np.float32))
    # a gap may be shaded all across, or only farther up; and it goes on beyond a place where it is hair-thin
    for alike in (shaded, lit, lit, shaded):
        ends = _ends(alike & (mask > 0), mask, distance, level < _LIGHTER * noise)
        mixed = (cv2.dilate(ends.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (distance < _MIXED * peak)
        mask = np.where(ends | mixed, 0, mask).astype(np.uint8)
    return mask


def _in_shade(residual: F32, ground: F32, noise: float) -> Bools:
    """(H, W) what has the ground's colour and less of its light."""
    light = np.maximum(cv2.transform(ground * ground, np.ones((1, 3), np.float32)), 1.0)
    dimmed = -cv2.transform(residual * ground, np.ones((1, 3), np.float32)) / light
    off_colour = np.abs(residual + ground * dimmed[:, :, None]).max(axis=2)
    return np.asarray((dimmed > 0) & (dimmed < _DARKEST) & (off_colour < noise + _TINTED * dimmed), np.bool_)


def _ends(alike: Bools, mask: U8, distance: F32, no_lighter: Bools) -> Bools:
    """(H, W) the patches of what is like the ground that are ends of gaps in the mask."""
    outside = mask == 0
    height = cv2.boundingRect(mask)[3]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(alike.astype(np.uint8), connectivity=8)
    shore = (cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & alike
    found = np.zeros(mask.shape, np.bool_)
    for label in np.unique(labels[shore]):
        x, y, w, h, area = (int(value) for value in stats[label])
        if area < _SMALLEST_PX or h > _LONGEST * height or w > min(_WIDEST * height, h / _SLENDER):
            continue
        part = np.s_[max(0, y - 6) : y + h + 6, max(0, x - 6) : x + w + 6]
        end = labels[part] == label
        dark = float(no_lighter[part][end].mean()) > 0.5
        if dark and _points_up(end, outside[part]) and _walled(end, outside[part], distance[part]):
            found[part] |= end
    return found


def _points_up(end: Bools, outside: Bools) -> bool:
    """Whether a patch stands on the ground outside and narrows upwards from there."""
    rows = np.nonzero(end.any(axis=1))[0]
    widths = np.count_nonzero(end[rows], axis=1)
    quarter = max(1, len(rows) // 4)
    mouth = np.nonzero((cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & end)[0]
    if len(rows) < 3 or float(mouth.mean()) < rows[-1] - quarter:
        return False
    above, below = float(widths[:quarter].mean()), float(widths[-quarter:].mean())
    return above < _POINT * below or max(above, below) < _HAIR_PX


def _walled(end: Bools, outside: Bools, distance: F32) -> bool:
    """Whether cloth that stands out lies around a patch, but for its mouth."""
    near, far = (cv2.dilate(end.astype(np.uint8), np.ones((size, size), np.uint8)) > 0 for size in (5, 9))
    ring = far & ~near & ~outside
    least = _WALL + _STEP * float(np.median(distance[end]))
    return bool(ring.any()) and float((distance[ring] > least).mean()) > _WALLED
