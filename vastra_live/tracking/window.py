"""The part of the picture that propagation works on, and the coarser grid it decides on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Picture", "Window", "colours_apart", "grid", "most", "sampled", "window_around"]

Picture = TypeVar("Picture", F32, U8)

# Decisions are made on about this many work pixels, whatever the camera's resolution: time goes with it. Steps are
# whole, so a window may have two thirds of it, or half as many again.
_WORK_AREA = 18_000
# Room on each side of the layer, in shares of its extent.
_MARGIN = 0.1
_CELLS = 4
# What a level of Y, Cr and Cb counts when colours are compared.
_CHROMA_TWICE = np.array([[1, 2, 2]], np.float32)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the frame, cut into work pixels of ``step`` by ``step`` frame pixels.

    It may reach beyond the frame, where the frame's edge is repeated.

    Attributes:
        x, y: left and top, in frame pixels; may be negative.
        columns, rows: size in work pixels.
        step: frame pixels to a work pixel, along each axis.
    """

    x: int
    y: int
    columns: int
    rows: int
    step: int

    @property
    def width(self) -> int:
        """Width in frame pixels."""
        return self.columns * self.step

    @property
    def height(self) -> int:
        """Height in frame pixels."""
        return self.rows * self.step

    def moved(self, columns: int, rows: int) -> Window:
        """The window shifted by whole work pixels."""
        return Window(self.x + columns * self.step, self.y + rows * self.step, self.columns, self.rows, self.step)

    def overlap(self, other: Window) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """What a window on the same lattice shares with this one: rows and columns here, and there; maybe none."""
        row, column = (other.y - self.y) // self.step, (other.x - self.x) // self.step
        y0, x0 = min(max(row, 0), self.rows), min(max(column, 0), self.columns)
        y1 = max(y0, min(row + other.rows, self.rows))
        x1 = max(x0, min(column + other.columns, self.columns))
        return np.s_[y0:y1, x0:x1], np.s_[y0 - row : y1 - row, x0 - column : x1 - column]

    def joined(self, other: Window) -> Window:
        """The smallest window that holds this one and another on the same lattice."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Window(x, y, (right - x) // self.step, (bottom - y) // self.step, self.step)

    def widened(self, field: Any, wide: Window, value: float | None = None) -> Any:
        """A field of this window on one that holds it; around it is a value, or its edge is repeated."""
        top, left = (self.y - wide.y) // self.step, (self.x - wide.x) // self.step
        bottom, right = wide.rows - self.rows - top, wide.columns - self.columns - left
        kind = cv2.BORDER_REPLICATE if value is None else cv2.BORDER_CONSTANT
        return cv2.copyMakeBorder(field, top, bottom, left, right, kind, value=value)

    def inside(self, frame_width: int, frame_height: int) -> tuple[int, int, int, int]:
        """The part within the frame: x0, y0, x1, y1 in frame pixels; x0 == x1 or y0 == y1 when there is none."""
        x0, y0 = min(max(self.x, 0), frame_width), min(max(self.y, 0), frame_height)
        x1, y1 = min(max(self.x + self.width, x0), frame_width), min(max(self.y + self.height, y0), frame_height)
        return x0, y0, x1, y1

    def cut(self, picture: Any) -> Any:
        """The window's pixels of a frame-sized picture; a view where the window lies inside the frame."""
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = self.inside(width, height)
        # wholly outside, the nearest edge pixels stand for it
        x0, y0 = min(x0, width - 1), min(y0, height - 1)
        x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
        part = picture[y0:y1, x0:x1]
        rows, columns = part.shape[:2]
        if (rows, columns) == (self.height, self.width):
            return part
        top, left = min(max(y0 - self.y, 0), self.height - rows), min(max(x0 - self.x, 0), self.width - columns)
        bottom, right = self.height - rows - top, self.width - columns - left
        return cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_REPLICATE)

    def shrink(self, picture: Any) -> Any:
        """A window-sized picture on the work grid, averaged over two samples a side of each work pixel."""
        if self.step == 1:
            return picture
        if self.step > 2:
            # a plain area average reads the same pixels at half the speed
            picture = cv2.resize(picture, (2 * self.columns, 2 * self.rows), interpolation=cv2.INTER_LINEAR)
        return cv2.resize(picture, (self.columns, self.rows), interpolation=cv2.INTER_AREA)

    def grow(self, field: Any) -> Any:
        """A field on the work grid at full size, bilinear."""
        if self.step == 1:
            return field
        return cv2.resize(field, (self.width, self.height), interpolation=cv2.INTER_LINEAR)

    def centres(self) -> F32:
        """(rows, columns, 2) float32: where in the frame the middle of each work pixel is. Read-only."""
        return _centres(self)

    def to_cells(self) -> F32:
        """(2, 3) float32: the affine of :meth:`cells`."""
        middle = (self.step - 1) / 2
        affine = np.array([[1, 0, -self.x - middle], [0, 1, -self.y - middle]], np.float32)
        affine /= self.step
        return affine

    def cells(self, positions: F32) -> F32:
        """Frame positions (..., 2) on the work grid: the inverse of :meth:`centres`."""
        middle = (self.step - 1) / 2
        cells: F32 = (positions - np.array([self.x + middle, self.y + middle], np.float32)) / np.float32(self.step)
        return cells

    def places(self, cells: F32) -> F32:
        """Places (..., 2) on the work grid in the frame: the inverse of :meth:`cells`."""
        middle = (self.step - 1) / 2
        places: F32 = cells * np.float32(self.step) + np.array([self.x + middle, self.y + middle], np.float32)
        return places


def window_around(x: float, y: float, width: float, height: float) -> Window:
    """The window to follow a layer in: what it covers and some of what surrounds it.

    Args:
        x, y, width, height: the layer's bounding box, in frame pixels.
    """
    room = max(8.0, _MARGIN * max(width, height))
    width, height = width + 2 * room, height + 2 * room
    step = max(1, round((width * height / _WORK_AREA) ** 0.5))
    # whole numbers of coarse cells, which halving and quartering the grid fall on
    columns, rows = (_CELLS * -int(-side // (_CELLS * step)) for side in (width, height))
    return Window(round(x - room), round(y - room), columns, rows, step)


@lru_cache(maxsize=8)
def _centres(window: Window) -> F32:
    middle = np.array([window.x, window.y], np.float32) + np.float32((window.step - 1) / 2)
    centres: F32 = grid(window.columns, window.rows) * np.float32(window.step) + middle
    centres.flags.writeable = False
    return centres


@lru_cache(maxsize=8)
def grid(columns: int, rows: int) -> F32:
    """(rows, columns, 2) float32: each pixel's own x and y. Read-only, shared by all who ask."""
    places = np.empty((rows, columns, 2), np.float32)
    places[..., 0], places[..., 1] = np.arange(columns), np.arange(rows)[:, None]
    places.flags.writeable = False
    return places


def colours_apart(one: U8, other: U8) -> U8:
    """How far two pictures are apart, (h, w) uint8 of (h, w, 3) uint8 Y, Cr, Cb: levels, each chroma's twice."""
    apart: U8 = cv2.transform(cv2.absdiff(one, other), _CHROMA_TWICE)
    return apart


def most(bgr: U8) -> U8:
    """The largest of each pixel's three channels; along a picture's last axis numpy takes ten times as long."""
    blue, green, red = cv2.split(bgr)
    largest: U8 = cv2.max(cv2.max(blue, green), red)
    return largest


def sampled(field: Picture, at: F32) -> Picture:
    """A field at other places, bilinear; its edge is repeated beyond it.

    Args:
        field: (rows, columns) or (rows, columns, channels).
        at: (h, w, 2) float32, x and y on the field's grid.
    """
    result: Picture = cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return result
