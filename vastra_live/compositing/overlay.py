"""What is drawn over the picture in the window: figures, help, notices, the before/after split.

Every function takes (H, W, 3) uint8 BGR and returns a new picture of the same shape; sizes follow the
picture's height, so that text reads the same at 240 lines and at 2160. Text is ASCII in Aileron, the font
Pillow brings; a rendered line is kept, because the same words are drawn on many frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vastra_live.types import U8

__all__ = ["draw_help", "draw_hud", "draw_notice", "draw_recording_dot", "split_view"]

WHITE = (255, 255, 255)
RED = (48, 48, 230)
DIM = 0.42
"""What a panel leaves of the picture behind it."""
LINES_ON_SCREEN = 30
"""How many lines of text the height of a picture is divided into."""
SMALLEST_TEXT = 11
"""Pixels; below this the font cannot be read."""


def _text_size(bgr: U8) -> int:
    """Letters' size in pixels for a picture: by its shorter side, so that portrait pictures fit too."""
    return max(SMALLEST_TEXT, round(min(bgr.shape[0], bgr.shape[1] * 0.75) / LINES_ON_SCREEN))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=256)
def _line(text: str, size: int) -> npt.NDArray[np.uint8]:
    """One line of text as coverage, (h, w) uint8; h depends on ``size`` alone."""
    font = _font(size)
    printable = text.encode("ascii", "replace").decode()
    height = round(size * 1.3)
    width = max(1, int(np.ceil(font.getlength(printable))))
    canvas = Image.new("L", (width, height))
    ImageDraw.Draw(canvas).text((0, round(size * 0.1)), printable, fill=255, font=font)
    coverage = np.asarray(canvas)
    coverage.flags.writeable = False
    return coverage


def _ink(bgr: U8, text: str, left: int, top: int, size: int, colour: tuple[int, int, int] = WHITE) -> None:
    """Put one line of text into the picture in place; what does not fit is cut off."""
    line = _line(text, size)
    height, width = bgr.shape[:2]
    line = line[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    if line.size == 0:
        return
    top, left = max(0, top), max(0, left)
    place = bgr[top : top + line.shape[0], left : left + line.shape[1]]
    alpha = cv2.cvtColor(line, cv2.COLOR_GRAY2BGR)
    ink = np.empty_like(place)
    ink[:] = colour
    # place + (ink - place) * alpha, in 8 bits
    kept = cv2.multiply(place, 255 - alpha, scale=1 / 255)
    cv2.add(kept, cv2.multiply(ink, alpha, scale=1 / 255), dst=place)


def _dim(bgr: U8, left: int, top: int, width: int, height: int) -> None:
    """Darken a rectangle in place, so that white text reads on anything."""
    place = bgr[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    if place.size:
        cv2.convertScaleAbs(place, dst=place, alpha=DIM)


def draw_hud(bgr: U8, lines: Sequence[str]) -> U8:
    """Lines of text on a dark panel in the top left corner."""
    out = bgr.copy()
    if not lines:
        return out
    size = _text_size(bgr)
    pad, step = size // 2, round(size * 1.3)
    width = max(_line(line, size).shape[1] for line in lines) + 2 * pad
    _dim(out, pad, pad, width, step * len(lines) + 2 * pad)
    for row, line in enumerate(lines):
        _ink(out, line, 2 * pad, 2 * pad + row * step, size)
    return out


def draw_notice(bgr: U8, text: str) -> U8:
    """One line across the foot of the picture ("camera lost, trying again"); smaller letters if it is long."""
    out = bgr.copy()
    if not text:
        return out
    height, width = bgr.shape[:2]
    size = _fitting(text, _text_size(bgr) * 5 // 4, width * 19 // 20)
    line_height = round(size * 1.3)
    band = line_height + size
    _dim(out, 0, height - band, width, band)
    left = (width - _line(text, size).shape[1]) // 2
    _ink(out, text, max(0, left), height - band + size // 2, size)
    return out


def _fitting(text: str, size: int, width: int) -> int:
    """The letters' size, at most ``size``, at which the text is no wider than ``width``."""
    needed = _line(text, size).shape[1]
    return size if needed <= width else max(SMALLEST_TEXT, size * width // needed)


def draw_help(bgr: U8, bindings: Sequence[tuple[str, str]]) -> U8:
    """The keys and what they do, on a panel in the middle.

    Args:
        bgr: the picture.
        bindings: keys, meaning.
    """
    out = bgr.copy()
    if not bindings:
        return out
    height, width = bgr.shape[:2]
    size = _text_size(bgr) * 5 // 4
    while True:
        pad, step = size, round(size * 1.5)
        keys_width = max(_line(keys, size).shape[1] for keys, _ in bindings)
        panel_width = keys_width + max(_line(meaning, size).shape[1] for _, meaning in bindings) + 3 * pad
        panel_height = step * len(bindings) + 2 * pad
        if size <= SMALLEST_TEXT or (panel_width <= width and panel_height <= height):
            break
        size -= 1
    left, top = (width - panel_width) // 2, (height - panel_height) // 2
    _dim(out, left, top, panel_width, panel_height)
    for row, (keys, meaning) in enumerate(bindings):
        y = top + pad + row * step
        _ink(out, keys, left + pad, y, size, (160, 220, 255))
        _ink(out, meaning, left + 2 * pad + keys_width, y, size)
    return out


def draw_recording_dot(bgr: U8) -> U8:
    """A red dot in the top right corner, while a film is written."""
    out = bgr.copy()
    radius = max(4, _text_size(bgr) // 2)
    centre = (bgr.shape[1] - 3 * radius, 3 * radius)
    cv2.circle(out, centre, radius + max(1, radius // 4), (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(out, centre, radius, RED, -1, cv2.LINE_AA)
    return out


def split_view(before_bgr: U8, after_bgr: U8, position: float = 0.5) -> U8:
    """The camera's picture on the left of a thin line, the dressed one on the right.

    Args:
        before_bgr, after_bgr: two pictures of one size.
        position: where the line is, 0 (left edge) to 1 (right edge).

    Raises:
        ValueError: the pictures' sizes differ.
    """
    if before_bgr.shape != after_bgr.shape:
        raise ValueError(f"split_view: expected two pictures of one size, got {before_bgr.shape}, {after_bgr.shape}")
    height, width = after_bgr.shape[:2]
    edge = round(width * min(1.0, max(0.0, position)))
    out = after_bgr.copy()
    out[:, :edge] = before_bgr[:, :edge]
    thickness = max(1, height // 360)
    out[:, max(0, edge - thickness) : edge + thickness] = WHITE
    size = _text_size(after_bgr)
    pad = size // 2
    band = round(size * 1.3) + pad
    # at the head of the line: the corners and the foot belong to figures, dot and notices
    for text, is_left, room in (("before", True, edge - thickness), ("after", False, width - edge - thickness)):
        needed = _line(text, size).shape[1] + 2 * pad
        if needed + pad <= room:
            left = edge - thickness - needed if is_left else edge + thickness
            _dim(out, left, 0, needed, band)
            _ink(out, text, left + pad, pad // 2, size)
    return out
