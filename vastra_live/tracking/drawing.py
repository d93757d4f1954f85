"""The layer drawn where it is seen: each displayed pixel is resampled once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from vastra_live.tracking.following import Followed
from vastra_live.tracking.fronts import Front
from vastra_live.tracking.window import Window
from vastra_live.types import F32, U8

__all__ = ["Canvas", "Drawn"]

# A change of light below this, in levels, is not worth a pass over the picture.
_NOTICEABLE = 1.5
# Below this share of a pixel a layer, or an arm of it, is not drawn.
_FAINT = 0.02
# What is less of the layer than this on a work pixel and on all around it is nothing.
_NOTHING, _AROUND = 0.1, np.ones((3, 3), np.uint8)
# A change of nothing, see :func:`_in_steps`.
_NO_STEP = 128
# So many pixels are worth another thread's while; and what share of them is drawn before it is done with the others,
# for it must be woken first.
_SHARED, _OWN = 100_000, 0.6


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


@dataclass(frozen=True, slots=True)
class _Band:
    """Some rows of what is drawn.

    Attributes:
        cells: the part of the work grid they come from, with a row more on each side to interpolate with.
        size: columns and rows of those cells at the frame's resolution.
        part: what of that lies in the band.
        rows: where the band is in what is drawn.
    """

    cells: tuple[slice, slice]
    size: tuple[int, int]
    part: tuple[slice, slice]
    rows: slice


class Canvas:
    """Draws layers at the frame's resolution, into buffers that only grow. One display thread.

    Args:
        helper: another thread, which draws the lower part of what is large; its owner ends it.
    """

    def __init__(self, helper: Executor | None = None) -> None:
        self._helper = helper
        self._whole = _Buffers()
        self._first, self._second = _Buffers(), _Buffers()

    def draw(
        self, followed: Followed, texture_bgra: U8, width: int, height: int, *, premultiplied: bool = False
    ) -> Drawn:
        """The layer where it is seen.

        The decisions come from the coarser work grid, the layer's own fine outline from its texture: alpha is the
        texture's, changed by what the posterior changed of the expected alpha.

        Args:
            followed: where the anchor is now.
            texture_bgra: its texture, or one on the way to it.
            width, height: of the frame.
            premultiplied: the colour times alpha, not the straight colour.
        """
        window, anchor = followed.window, followed.anchor
        places = anchor.window.centres() + followed.flow * np.float32(window.step)
        alpha, shade = followed.seen.alpha, followed.light * np.float32(anchor.response)
        changed = _in_steps((alpha - followed.expected_alpha) * np.float32(255))
        # where all around is seen nothing of the layer, or nothing else, no fine outline is left standing as a line
        changed[cv2.dilate(alpha, _AROUND) < _NOTHING] = 0
        changed[cv2.erode(alpha, _AROUND) > 1 - _NOTHING] = 255
        shaded = _in_steps(shade) if float(np.abs(shade).max()) >= _NOTICEABLE else None
        wide = reduce(Window.joined, (front.window for front in followed.fronts), window)
        if wide != window:
            # an arm beyond the window, where nothing else is drawn
            places, alpha = window.widened(places, wide), window.widened(alpha, wide, 0)
            changed = window.widened(changed, wide, _NO_STEP)
            usual = _in_steps(np.array(followed.usual_light() * anchor.response, np.float32))
            shaded = None if shaded is None else window.widened(shaded, wide, float(usual))
            for front in followed.fronts:
                here, _ = wide.overlap(front.window)
                alpha[here] = np.maximum(alpha[here], front.share)
        box, bands = _bands(wide, alpha, width, height, shared=self._helper is not None)
        x0, y0, x1, y1 = box
        bgr = self._whole.get("bgr", (y1 - y0, x1 - x0, 3), np.uint8)
        drawn = Drawn(box, bgr, self._whole.get("alpha", bgr.shape[:2], np.uint8))
        plan = _Plan(
            followed,
            texture_bgra,
            places,
            # around an arm there is as much again that shows none of it
            [(front, cv2.boundingRect(cv2.compare(front.share, _FAINT, cv2.CMP_GT))) for front in followed.fronts],
            changed,
            shaded,
            premultiplied,
        )
        waiting = None
        if self._helper is not None and len(bands) > 1:
            waiting = self._helper.submit(_draw_band, plan, bands[1], drawn, self._second)
        if bands:
            _draw_band(plan, bands[0], drawn, self._first)
        if waiting is not None and waiting.cancel():
            # a helper that has not even begun is not waited for
            _draw_band(plan, bands[1], drawn, self._first)
        elif waiting is not None:
            waiting.result()
        return drawn


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What every band of a picture is drawn from.

    Attributes:
        followed: where the anchor is now.
        texture_bgra: (h, w, 4) uint8.
        places: (rows, columns, 2) float32, where in the keyframe each work pixel comes from.
        fronts: moved arms, and the part of each that shows an arm: column, row, columns and rows.
        changed, shaded: (rows, columns) uint8, changes of alpha and of light, see :func:`_in_steps`; None for no
            change of light.
        premultiplied: whether the colour is.
    """

    followed: Followed
    texture_bgra: U8
    places: F32
    fronts: Sequence[tuple[Front, Sequence[int]]]
    changed: U8
    shaded: U8 | None
    premultiplied: bool


class _Buffers:
    """Arrays that are kept from frame to frame, by name. One thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """A contiguous array of this shape, with anything in it."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = self._kept[name] = np.empty(size, dtype)
        return kept[:size].reshape(shape)

    def grow(self, name: str, field: Any, size: tuple[int, int]) -> Any:
        """A field at another size, bilinear."""
        shape = (size[1], size[0], *field.shape[2:])
        return cv2.resize(field, size, self.get(name, shape, field.dtype), interpolation=cv2.INTER_LINEAR)

    def spread(self, field: U8) -> U8:
        """A field in three channels."""
        spread: U8 = cv2.merge((field,) * 3, self.get("spread", (*field.shape, 3), np.uint8))
        return spread


def _draw_band(plan: _Plan, band: _Band, drawn: Drawn, buffers: _Buffers) -> None:
    """Draw some rows into their place."""
    followed = plan.followed
    places = cv2.transform(plan.places[band.cells], followed.anchor.to_texture)
    at = buffers.grow("at", places, band.size)[band.part]
    bgra = buffers.get("bgra", (*at.shape[:2], 4), np.uint8)
    bgra = cv2.remap(plan.texture_bgra, at, None, cv2.INTER_LINEAR, bgra, cv2.BORDER_REPLICATE)
    corner = (drawn.box[0], drawn.box[1] + band.rows.start)
    _clear_beyond(followed.window, bgra, corner)
    for front, extent in plan.fronts:
        _draw_front(followed, front, extent, bgra, corner, buffers)
    bgr = cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR, drawn.bgr[band.rows])
    alpha = cv2.extractChannel(bgra, 3, drawn.alpha[band.rows])
    _shift(alpha, plan.changed, band, buffers)
    if plan.shaded is not None:
        _shift(bgr, plan.shaded, band, buffers)
    if plan.premultiplied:
        cv2.multiply(bgr, buffers.spread(alpha), bgr, 1 / 255)


def _clear_beyond(window: Window, drawn: U8, corner: tuple[int, int]) -> None:
    """Nothing is drawn beyond a window, in place; ``corner``: x and y in the frame where ``drawn`` begins."""
    x, y = window.x - corner[0], window.y - corner[1]
    for beyond in (
        np.s_[: max(0, y)],
        np.s_[max(0, y + window.height) :],
        np.s_[:, : max(0, x)],
        np.s_[:, max(0, x + window.width) :],
    ):
        drawn[beyond] = 0


def _draw_front(
    followed: Followed, front: Front, extent: Sequence[int], drawn: U8, corner: tuple[int, int], buffers: _Buffers
) -> None:
    """Draw a moved arm over what is behind it, in place.

    Args:
        followed: where the anchor is now.
        front: the arm.
        extent: the part of it that shows an arm: column, row, columns and rows.
        drawn: (h, w, 4) uint8, what is behind.
        corner: x and y in the frame where that begins.
        buffers: to draw in.
    """
    key, limbs, step = followed.anchor, followed.anchor.limbs, front.window.step
    assert limbs is not None
    left, top, columns, rows = extent
    x, y = front.window.x + left * step - corner[0], front.window.y + top * step - corner[1]
    # what is drawn here, and a row more on each side to interpolate with
    first, last = max(0, -y // step - 1), min(rows, -((y - drawn.shape[0]) // step) + 1)
    y, size = y + first * step, (columns * step, max(0, last - first) * step)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + size[0], drawn.shape[1]), min(y + size[1], drawn.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    cells, part = np.s_[top + first : top + last, left : left + columns], np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    at = buffers.grow("at", cv2.transform(key.window.places(front.cells[cells]), key.to_texture), size)[part]
    arm = cv2.remap(limbs.texture_bgra, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = buffers.grow("steps", cv2.convertScaleAbs(front.share[cells], alpha=255), size)[part]
    # in bytes, rounded twice: within a level of what weights of float32 give, in a third of their time
    shares = cv2.merge((share,) * 4)
    there = drawn[y0:y1, x0:x1]
    behind = cv2.multiply(there, cv2.bitwise_not(shares), scale=1 / 255)
    cv2.add(cv2.multiply(arm, shares, scale=1 / 255), behind, there)


def _shift(picture: U8, steps: U8, band: _Band, buffers: _Buffers) -> None:
    """Add a change on the work grid to a band of a picture at full size, in place; see :func:`_in_steps`."""
    wide = buffers.grow("steps", steps[band.cells], band.size)[band.part]
    cv2.addWeighted(picture, 1, buffers.spread(wide) if picture.ndim == 3 else wide, 255 / 128, -255, picture)


def _in_steps(change: F32) -> U8:
    """A change in levels in one byte, in steps of two levels around the middle: wider sums cost four times as much."""
    steps: U8 = np.clip(change * np.float32(128 / 255) + np.float32(128.5), 0, 255).astype(np.uint8)
    return steps


def _bands(
    window: Window, alpha: F32, width: int, height: int, *, shared: bool
) -> tuple[tuple[int, int, int, int], list[_Band]]:
    """What is drawn of a frame, x0, y0, x1, y1, and the bands of it, from top to bottom.

    Args:
        window: of the layer.
        alpha: (rows, columns) float32 in it: only where anything can be seen is anything drawn.
        width, height: of the frame.
        shared: in two bands, where that is worth it.
    """
    step = window.step
    # in whole work pixels and one more for the interpolation
    x, y, columns, rows = cv2.boundingRect((alpha > _FAINT).astype(np.uint8))
    left, top = max(0, x - 1), max(0, y - 1)
    right, bottom = min(window.columns, x + columns + 1), min(window.rows, y + rows + 1)
    x0, y0, x1, y1 = window.inside(width, height)
    x0, x1 = max(x0, window.x + left * step), min(x1, window.x + right * step)
    y0, y1 = max(y0, window.y + top * step), min(y1, window.y + bottom * step)
    if columns == 0 or x0 >= x1 or y0 >= y1:
        return (0, 0, 0, 0), []
    column, bands = window.x + left * step, []
    # rows of the work grid that are in the frame
    begin, end = (y0 - window.y) // step, -((window.y - y1) // step)
    cuts = (0.0, _OWN, 1.0) if shared and (x1 - x0) * (y1 - y0) >= _SHARED else (0.0, 1.0)
    for first, last in pairwise(round(begin + (end - begin) * cut) for cut in cuts):
        above, below = max(top, first - 1), min(bottom, last + 1)
        row, start, stop = window.y + above * step, max(y0, window.y + first * step), min(y1, window.y + last * step)
        bands.append(
            _Band(
                cells=np.s_[above:below, left:right],
                size=((right - left) * step, (below - above) * step),
                part=np.s_[start - row : stop - row, x0 - column : x1 - column],
                rows=slice(start - y0, stop - y0),
            )
        )
    return (x0, y0, x1, y1), bands
