"""The maker's label in a garment's neck.

A label is sewn to the inside of the back and hangs in the neck opening: a small upright rectangle of its own colour
with the same cloth to its left and right. It matters for what it says about the neckline: the front's edge runs
below it, never above.

Rectangles of all sizes are tried at all places of a small picture of the neck. What counts is the step of colour
across the sides, just inside against just outside, relative to how much the cloth beside it varies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Label", "find_label"]

Pixels = TypeVar("Pixels", U8, F32)

_NECK = 64
"""Pixels from neck point to neck point in the small picture."""
_WIDTHS, _HEIGHTS = range(7, 30, 2), (3, *range(4, 27, 2))
_WIDEST, _TALLEST = 6.0, 2.0
"""A label is at most so many times wider than tall, and taller than wide."""
_OFF_CENTRE = 0.15
"""Its middle lies within this share of the neck's width of the neck's."""
_HIGHEST, _LOWEST = 0.3, 0.45
"""Its top lies between so far above the neck points and so far below them, in shares of the neck's width: it hangs from
the back's collar. A print lies lower."""
_OTHER = 12.0
"""What differs so much from the cloth to its left and right is no cloth, in levels."""
_BESIDE, _ABOVE = 7, 3
"""So many pixels to its sides, and above and below, must show cloth too."""
_LEAST = 3.6
"""A step of colour so many times the variation beside it is a label."""
_NOISE = 6.0
"""Variation that is not held against it, in levels."""
_GREY, _DARKEST = 128.0, 20.0
"""Steps count as they would on a cloth of this grey; the gain is held back by the second number, for noise."""
_MARGIN = 0.035
"""Taken off with this much around it, in shares of the neck's width: its stitches and its shadow."""


@dataclass(frozen=True, slots=True)
class Label:
    """Where a label hangs, in pixels of the photo.

    Attributes:
        left, top, right, bottom: its sides.
        margin: what belongs to it around them.
    """

    left: float
    top: float
    right: float
    bottom: float
    margin: float

    def taken_off(self, bgr: U8) -> U8:
        """The photo (H, W, 3) uint8 with the cloth from both sides carried over the label."""
        return _bridged(
            bgr,
            (round(self.left - self.margin), round(self.right + self.margin)),
            (round(self.top - self.margin), round(self.bottom + self.margin)),
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Integral pictures (h + 1, w + 1, ...) of colours, of their squares and of alpha."""

    colour: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    square: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    alpha: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def find_label(bgr: U8, alpha: F32, neck_left: tuple[float, float], neck_right: tuple[float, float]) -> Label | None:
    """Find the label between two neck points; None where there is none.

    Args:
        bgr: (H, W, 3) uint8, the photo.
        alpha: (H, W) float32, the garment.
        neck_left, neck_right: as of :func:`~vastra_live.wardrobe.neckline.find_neckline`.
    """
    (x1, y1), (x0, y0) = neck_left, neck_right
    width, level = x1 - x0, (y0 + y1) / 2
    low = level + _LOWEST * width + width * (_HEIGHTS[-1] + _ABOVE + 1) / _NECK
    top, bottom = max(0, round(level - _HIGHEST * width)), min(len(bgr), round(low))
    left, right = max(0, round(x0)), min(bgr.shape[1], round(x1))
    scale = _NECK / max(width, 1.0)
    size = (round((right - left) * scale), round((bottom - top) * scale))
    if min(size) < 16 or right - left < 24:
        return None
    small = cv2.resize(bgr[top:bottom, left:right], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    cloth = cv2.resize(alpha[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    if not (cloth > 0.95).any():
        return None
    small *= max(1.0, _GREY / (float(np.median(small[cloth > 0.95])) + _DARKEST))
    last = round((level + _LOWEST * width - top) * scale)
    box = _rectangle(small, cloth, last)
    if box is None:
        return None
    x, y, wide, tall = box
    tall += _hanging(small, box)
    return Label(
        left + x / scale, top + y / scale, left + (x + wide) / scale, top + (y + tall) / scale, _MARGIN * width
    )


def _hanging(small: F32, box: tuple[int, int, int, int]) -> int:
    """How many rows hang on below a box: the size under the maker's name, a foot of another colour."""
    x, y, wide, tall = box
    end = min(len(small), y + 2 * tall + 1)
    cloth = _bridged(small, (x - 1, x + wide + 1), (y + tall, end))
    other = np.abs(small - cloth)[y + tall : end, x : x + wide].max(axis=2) > _OTHER
    rows = np.append(other.mean(axis=1) > 0.5, False)
    return int(rows.argmin())


def _rectangle(small: F32, cloth: F32, last: int) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of what looks most like a label, its top in row ``last`` at most."""
    sums = _Sums(cv2.integral(small), cv2.integral(small * small), cv2.integral(cloth))
    shapes = [(w, h) for w in _WIDTHS for h in _HEIGHTS if w <= _WIDEST * h and h <= _TALLEST * w]
    best = max((_best(sums, wide, tall, last) for wide, tall in shapes), default=(0.0, (0, 0, 0, 0)))
    _, (_, _, wide, tall) = best
    # every other size was tried: now its neighbours
    near = ((w, h) for w in (wide - 1, wide, wide + 1) for h in (tall - 1, tall, tall + 1) if w > 2 and h > 2)
    score, box = max((_best(sums, w, h, last) for w, h in near), default=best)
    return box if score > _LEAST else None


def _best(sums: _Sums, wide: int, tall: int, last: int) -> tuple[float, tuple[int, int, int, int]]:
    """The best score of a size, and its rectangle; 0 where it fits nowhere."""
    x, y = _places(sums.alpha, wide, tall, last)
    if not len(x):
        return 0.0, (0, 0, 0, 0)
    score = _score(sums, x, y, wide, tall)
    k = int(score.argmax())
    return float(score[k]), (int(x[k]), int(y[k]), wide, tall)


def _bridged(picture: Pixels, columns: tuple[int, int], rows: tuple[int, int]) -> Pixels:
    """The picture (H, W, 3) with the colours from both sides carried over a box."""
    height, width = picture.shape[:2]
    top, bottom = max(0, rows[0]), min(height, rows[1])
    left, right = max(2, columns[0]), min(width - 2, columns[1])
    out = picture.copy()
    ends = [picture[top:bottom, x - 2 : x + 2].astype(np.float32).mean(axis=1, keepdims=True) for x in (left, right)]
    share = np.linspace(0, 1, right - left, dtype=np.float32)[None, :, None]
    out[top:bottom, left:right] = np.rint(ends[0] * (1 - share) + ends[1] * share)
    return out


_Index = np.ndarray[tuple[int, ...], np.dtype[np.intp]]
_Values = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def _places(alpha: _Values, wide: int, tall: int, last: int) -> tuple[_Index, _Index]:
    """Left and top (K,) of rectangles of a size near the middle, with cloth beside them."""
    height, width = alpha.shape[0] - 1, alpha.shape[1] - 1
    columns = np.arange(_BESIDE, width - wide - _BESIDE + 1)
    columns = columns[np.abs(columns + wide / 2 - width / 2) < _OFF_CENTRE * _NECK]
    rows = np.arange(_ABOVE, min(height - tall - _ABOVE, last) + 1)
    x, y = (axis.ravel() for axis in np.meshgrid(columns, rows))
    covered = _mean(alpha, x - _BESIDE, y - 1, wide + 2 * _BESIDE, tall + 1 + _ABOVE) > 0.985
    return x[covered], y[covered]


def _score(sums: _Sums, x: _Index, y: _Index, wide: int, tall: int) -> _Values:
    """(K,) how high the step across the sides is, over how much varies along and beside them."""
    inner = [
        _mean(sums.colour, x + 1, y + 1, 1, tall - 2),
        _mean(sums.colour, x + wide - 2, y + 1, 1, tall - 2),
        _mean(sums.colour, x + 1, y + tall - 2, wide - 2, 1),
        _mean(sums.colour, x + 1, y + 1, wide - 2, 1),
    ]
    beside = ((x - 3, y, 2, tall), (x + wide + 1, y, 2, tall))
    outer = [_mean(sums.colour, *box) for box in (*beside, (x, y + tall + 1, wide, 2), (x, y - 3, wide, 2))]
    # beside a label is plain cloth for some way, beside a flower of a print there are others
    varied = [
        np.sqrt(np.maximum(_mean(sums.square, *box) - _mean(sums.colour, *box) ** 2, 0)).max(axis=1)
        for box in ((x - _BESIDE, y, _BESIDE - 1, tall), (x + wide + 1, y, _BESIDE - 1, tall))
    ]
    way = sum(inner) / 4 - (outer[0] + outer[1]) / 2
    way = way / np.maximum(np.linalg.norm(way, axis=1), 1e-6)[:, None]
    steps = [((within - without) * way).sum(axis=1) for within, without in zip(inner, outer, strict=True)]
    # what the label is sewn to may be lighter or darker than the cloth beside it
    steps[3] = 2 * steps[3]
    other = np.linalg.norm(outer[0] - outer[1], axis=1) + np.linalg.norm(inner[0] - inner[1], axis=1) / 2
    return np.asarray(np.minimum.reduce(steps) / (_NOISE + other + np.maximum(*varied)), np.float64)


def _mean(integral: _Values, x: _Index, y: _Index, wide: int, tall: int) -> _Values:
    """(K, ...) mean of rectangles."""
    total = integral[y + tall, x + wide] - integral[y, x + wide] - integral[y + tall, x] + integral[y, x]
    return np.asarray(total / (wide * tall), np.float64)
