"""The layer drawn where it is seen: each displayed pixel is resampled once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vastra_live.tracking.following import Followed
from vastra_live.tracking.limbs import Front
from vastra_live.types import F32, U8

__all__ = ["Canvas", "Drawn"]

# A change of light below this, in levels, is not worth a pass over the picture.
_NOTICEABLE = 1.5
# Below this share of a pixel an arm is not drawn.
_FAINT = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A layer at the frame's resolution, in buffers of the :class:`Canvas`.

    Attributes:
        box: x0, y0, x1, y1 in frame pixels.
        bgr: (y1 - y0, x1 - x0, 3) uint8, straight colour.
        alpha: (y1 - y0, x1 - x0) uint8.
    """

    box: tuple[int, int, int, int]
    bgr: U8
    alpha: U8


class Canvas:
    """Draws layers at the frame's resolution, into buffers that only grow. One display thread."""

    def __init__(self) -> None:
        self._buffers: dict[str, Any] = {}

    def draw(self, followed: Followed, texture_bgra: U8, width: int, height: int) -> Drawn:
        """The layer where it is seen.

        The decisions come from the coarser work grid, the layer's own fine outline from its texture: alpha is the
        texture's, changed by what the posterior changed of the expected alpha.

        Args:
            followed: where the anchor is now.
            texture_bgra: its texture, or one on the way to it.
            width, height: of the frame.
        """
        window, anchor, step = followed.window, followed.anchor, followed.window.step
        # only where anything can be seen, in whole work pixels and one more for the interpolation
        x, y, columns, rows = cv2.boundingRect((followed.seen.alpha > 0.02).astype(np.uint8))
        left, top = max(0, x - 1), max(0, y - 1)
        right, bottom = min(window.columns, x + columns + 1), min(window.rows, y + rows + 1)
        x0, y0, x1, y1 = window.inside(width, height)
        x0, x1 = max(x0, window.x + left * step), min(x1, window.x + right * step)
        y0, y1 = max(y0, window.y + top * step), min(y1, window.y + bottom * step)
        if columns == 0 or x0 >= x1 or y0 >= y1:
            return Drawn((0, 0, 0, 0), np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.uint8))
        cells = np.s_[top:bottom, left:right]
        size = ((right - left) * step, (bottom - top) * step)
        column0, row0 = window.x + left * step, window.y + top * step
        part = np.s_[y0 - row0 : y1 - row0, x0 - column0 : x1 - column0]

        places = anchor.window.centres()[cells] + followed.flow[cells] * np.float32(step)
        at = self._grow("at", cv2.transform(places, anchor.to_texture), size)[part]
        shape = at.shape[:2]
        bgra = self._buffer("bgra", (*shape, 4), np.uint8)
        drawn = cv2.remap(texture_bgra, at, None, cv2.INTER_LINEAR, bgra, cv2.BORDER_REPLICATE)
        for front in followed.fronts:
            self._draw_front(followed, front, drawn, x0, y0)
        bgr = cv2.cvtColor(drawn, cv2.COLOR_BGRA2BGR, self._buffer("bgr", (*shape, 3), np.uint8))
        alpha = cv2.extractChannel(drawn, 3, self._buffer("alpha", shape, np.uint8))
        changed = followed.seen.alpha[cells] - followed.expected_alpha[cells]
        self._shift(alpha, changed * np.float32(255), size, part)
        shade = followed.light[cells] * np.float32(anchor.response)
        if float(np.abs(shade).max()) >= _NOTICEABLE:
            self._shift(bgr, shade, size, part)
        return Drawn((x0, y0, x1, y1), bgr, alpha)

    def _draw_front(self, followed: Followed, front: Front, drawn: U8, left: int, top: int) -> None:
        """Draw a moved arm over what is behind it, in place.

        Args:
            followed: where the anchor is now.
            front: the arm.
            drawn: (h, w, 4) uint8, what is behind.
            left, top: where in the frame that begins.
        """
        window, key = followed.window, followed.anchor
        # around an arm there is as much again that shows none of it
        left_of, top_of, columns, rows = cv2.boundingRect(cv2.compare(front.share, _FAINT, cv2.CMP_GT))
        cells = np.s_[top_of : top_of + rows, left_of : left_of + columns]
        size = (columns * window.step, rows * window.step)
        x = window.x + (front.part[1].start + left_of) * window.step - left
        y = window.y + (front.part[0].start + top_of) * window.step - top
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + size[0], drawn.shape[1]), min(y + size[1], drawn.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        part = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
        at = self._grow("arm at", cv2.transform(key.window.places(front.cells[cells]), key.to_texture), size)[part]
        share = np.ascontiguousarray(self._grow("arm", np.ascontiguousarray(front.share[cells]), size)[part])
        arm = cv2.remap(key.texture_bgra, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        there = drawn[y0:y1, x0:x1]
        there[:] = cv2.blendLinear(arm, np.ascontiguousarray(there), share, cv2.subtract(1.0, share))

    def premultiply(self, drawn: Drawn) -> U8:
        """The colour times alpha, in place of the straight colour."""
        if drawn.alpha.size == 0:
            return drawn.bgr
        spread = cv2.merge((drawn.alpha,) * 3, self._buffer("spread", drawn.bgr.shape, np.uint8))
        premultiplied: U8 = cv2.multiply(drawn.bgr, spread, drawn.bgr, 1 / 255)
        return premultiplied

    def _shift(self, picture: U8, change: F32, size: tuple[int, int], part: tuple[slice, slice]) -> None:
        """Add a change on the work grid, in levels, to a picture at full size, in place.

        The change travels in one byte, in steps of two levels around the middle: wider sums cost four times as much.
        """
        steps = np.clip(change * np.float32(128 / 255) + np.float32(128.5), 0, 255).astype(np.uint8)
        wide = self._grow("steps", steps, size)[part]
        if picture.ndim == 3:
            wide = cv2.merge((wide,) * 3, self._buffer("spread", picture.shape, np.uint8))
        cv2.addWeighted(picture, 1, wide, 255 / 128, -255, picture)

    def _grow(self, name: str, field: Any, size: tuple[int, int]) -> Any:
        shape = (size[1], size[0], *field.shape[2:])
        return cv2.resize(field, size, self._buffer(name, shape, field.dtype), interpolation=cv2.INTER_LINEAR)

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """A contiguous array of this shape in memory that is kept from frame to frame."""
        size = int(np.prod(shape))
        kept = self._buffers.get(name)
        if kept is None or kept.size < size:
            kept = self._buffers[name] = np.empty(size, dtype)
        return kept[:size].reshape(shape)
