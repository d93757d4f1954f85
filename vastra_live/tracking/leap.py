"""Where the wearer has leapt to: motion of the whole body, too large for the flow, found at a small size."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.tracking.window import Window, colours_apart
from vastra_live.types import F32, U8

__all__ = ["leap", "small_colours"]

# Longer side of the small picture.
_SIDE = 160
# The least side of what is looked for, in small pixels, and how far around it is looked, in its longer sides.
_LEAST, _FAR = 6, 0.75
# Who correlates so much with where they were has stayed there, and no other place is looked at.
_STAYED = 0.9
# What a place must correlate at least, and by how much more than where the wearer was.
_ALIKE, _BETTER = 0.3, 0.05
# Levels, luma and twice each chroma, beyond which a pixel is simply different; and what share of the difference where
# the wearer was another place may leave.
_DIFFERENT, _LIKELY = 60, 0.85
# Work pixels that the flow covers by itself.
_STEP = 8


def leap(window: Window, alpha: F32, before: U8, now: U8, frame_side: int) -> Window:
    """The window moved to where the wearer is now.

    The layer's part of the picture before is looked for in the new one, by normalised correlation of luma (Lewis 1995).
    What surrounds it has a say in that: a hand that rises, or a plain wall below. So the layer alone must have the
    colours that it had, more than where it was. A wearer who stays finds nothing that is better, and the window stays.

    Args:
        window: where the layer was in the picture before.
        alpha: (rows, columns) float32, 0..1, the layer in that window.
        before, now: (h, w, 3) uint8, both pictures as :func:`small_colours` gives them.
        frame_side: the frame's longer side, in pixels.
    """
    if before.shape != now.shape:
        return window
    scale = frame_side / max(now.shape[:2])
    x, y, width, height = (round(side / scale) for side in (window.x, window.y, window.width, window.height))
    seen = cv2.resize(alpha, (max(1, width), max(1, height)), interpolation=cv2.INTER_AREA)
    columns, rows = (round(side * scale / window.step) for side in _offset(before, now, seen, x, y))
    return window.moved(columns, rows) if max(abs(columns), abs(rows)) >= _STEP else window


def small_colours(frame_bgr: U8) -> U8:
    """The frame, small: (h, w, 3) uint8 Y, Cr, Cb, of at most 160 pixels along the longer side."""
    height, width = frame_bgr.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    # the pixels around each small one's middle are enough; averaging all of them would take many times as long
    small = cv2.resize(frame_bgr, (columns, rows), interpolation=cv2.INTER_LINEAR)
    colours: U8 = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)
    return colours


def _offset(before: U8, now: U8, seen: F32, left: int, top: int) -> tuple[int, int]:
    """How far the layer has moved; (0, 0) when no other place is better than where it was.

    Args:
        before, now: (h, w, 3) uint8.
        seen: (h', w') float32, 0..1, where the layer was in a part of ``before``.
        left, top: of that part.
    """
    rows, columns = now.shape[:2]
    x, y, width, height = cv2.boundingRect((seen > 0.5).astype(np.uint8))
    x0, y0 = max(0, left + x), max(0, top + y)
    x1, y1 = min(columns, left + x + width), min(rows, top + y + height)
    if min(x1 - x0, y1 - y0) < _LEAST:
        return 0, 0
    mask = seen[y0 - top : y1 - top, x0 - left : x1 - left]
    layer = before[y0:y1, x0:x1]
    template, there = (_layer_only(each[..., 0], mask) for each in (layer, now[y0:y1, x0:x1]))
    if float((template * there).sum()) ** 2 > _STAYED**2 * float((template**2).sum() * (there**2).sum()):
        return 0, 0
    far = round(_FAR * max(template.shape))
    # beyond the frame's edge there is nothing to compare with: half of the layer may have left
    around = cv2.copyMakeBorder(now, far, far, far, far, cv2.BORDER_REPLICATE)
    area = around[y0 : y1 + 2 * far, x0 : x1 + 2 * far]
    alike = cv2.matchTemplate(area[..., 0].astype(np.float32), template, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    if best < max(_ALIKE, float(alike[far, far]) + _BETTER):
        return 0, 0
    stayed, found = (
        _unlike(layer, area[top : top + mask.shape[0], left : left + mask.shape[1]], mask)
        for left, top in ((far, far), (x, y))
    )
    return (x - far, y - far) if found < _LIKELY * stayed else (0, 0)


def _unlike(one: U8, other: U8, mask: F32) -> float:
    """How many levels two pictures' colours differ within a mask, in sum; what is different is different."""
    return float((np.minimum(colours_apart(one, other), _DIFFERENT) * mask).sum())


def _layer_only(luma: U8, mask: F32) -> F32:
    """A picture about its mean within the mask, and nothing outside."""
    mean = float((luma * mask).sum()) / max(float(mask.sum()), 1e-3)
    about: F32 = (luma - np.float32(mean)) * mask
    return about
