"""Where the worn top ends, read off the colours down the middle of the body."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.places import LOWER, TOP, Hem, Places
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["Hems", "bare_belly", "find_hem", "follow_hem", "running_median"]

F64 = npt.NDArray[np.float64]
I16 = npt.NDArray[np.int16]
I64 = npt.NDArray[np.int64]

_FIRST, _LAST, _BAND = 0.2, 1.5, 0.05
"""Bands across the body, in depth on the torso: 0 at the shoulder joints, 1 at the hip joints."""
_ENOUGH = 6
"""So many pixels of a band tell its colour."""
_MIDDLE = 0.085
"""From the beginning of the first of two neighbouring bands to the step between them, which is over two bands."""
_LONG_WIDTH, _CLEAR_WIDTH = 0.08, 0.2
"""How sharply a hem is believed in: a clear step is seen by its colours wherever the hem curves to."""
_CLEAR_STEP = 20.0
"""What is below differs by so much from a top that ends in one clear step."""
_RIB = 3
"""A rib is as deep as so many bands and two."""
_KEPT, _LOWER_ONES = 5, 0.75
"""The hems of so many keyframes are remembered, and so many of them lie above the one that counts."""
_ELSEWHERE = 0.3
"""Below one clear step colours change by less than so much of it: by the shade, by pockets, by no other garment."""
_STRONG, _FAINT, _HARDLY_A_STEP = 25.0, 14.0, 15.0
"""Of a colour from so strong on a hem is seen, of a fainter one where light and shade make smaller steps than a hem."""
_HUE_STEP = 8.0
"""What is below differs by so much in hue and chroma from a top that is told from it by them alone."""
_TRACED_WIDTH = 0.02
"""The same, once it is known where the hem curves to."""
_SWING = 0.18
"""How far in depth a hem may run above and below what it is in the middle of the body."""
_OTHER = 0.3
"""A colour so far on the way from the top's to that below the hem is the top's no more: it lies in the hem's shade."""
_MIXED = 0.4
"""A pixel that a hem runs through counts as below: the hem lies lower than that by so many rows on average."""
_CLEAR_EDGE = 0.3
"""A step by so much is the hem's; where there is none, it goes on between those that are."""
_SHADE = 2.0
"""So many rows below the step the top's own edge and its line of shade end."""
_PRINTED = 0.25
"""So much of the top may have the colours of what is below its hem, or its own steps are taken for the hem."""


class Hems:
    """The hems of the last keyframes: no top is another length because a hand is before the stripes of its rib."""

    def __init__(self) -> None:
        self._depths: deque[float] = deque(maxlen=_KEPT)
        self._found: deque[bool] = deque(maxlen=_KEPT)

    def steadied(self, hem: Hem | None) -> Hem | None:
        """This keyframe's hem, remembered, where the lower ones of the last were: a stripe may look like one.

        Args:
            hem: as :func:`find_hem` found it. One that was followed to both sides is as good as it gets; where none is
                seen the colours know better than an earlier keyframe, and where mostly none was seen, better than this.
        """
        self._found.append(hem is not None)
        if hem is None or (hem.bend is None and 2 * sum(self._found) < len(self._found)):
            return None
        self._depths.append(hem.depth)
        return hem if hem.bend is not None else replace(hem, depth=float(np.quantile(self._depths, _LOWER_ONES)))


def find_hem(lab: U8, places: Places) -> Hem | None:
    """The hem, or None when nothing clear is seen, and the top ends where tops usually end.

    Colours are followed down the middle of the body: light falls off slowly, a hem is a step.
    """
    edges, medians, seen_to = _bands(lab, places)
    # over two bands: a hem inside a band halves the step to each neighbour
    steps = np.linalg.norm(medians[2:] - medians[:-2], axis=1)
    edges = edges[: len(steps)]
    if (edges < 0.75).sum() < 6:
        return None
    clear = _one_clear_step(edges, steps, medians)
    if clear is None:
        return _one_step_in_hue(edges, medians) or _long(edges, steps, medians, seen_to)
    at = int(np.argmin(np.abs(edges + _MIDDLE - clear.depth)))
    return _traced(lab, places, clear, medians[max(at - 4, 0) : at + 1], medians[at + 2 : at + 7])


def _traced(lab: U8, places: Places, hem: Hem, top: F64, below: F64) -> Hem:
    """The hem followed to both sides: no hem is square to the spine all the way.

    Args:
        lab: (h, w, 3) the picture.
        places: the skeleton in it.
        hem: what it is in the middle of the body.
        top: (n, 3) colours of the top, above the hem.
        below: (n, 3) colours below the hem.
    """
    offset = places.depth - np.float32(hem.depth)
    strip = places.sure & (np.abs(offset) < _SWING)
    rows = np.flatnonzero(strip.any(axis=1))
    columns = np.flatnonzero(strip.sum(axis=0) > 0.5 * len(rows))
    start = np.median(top, axis=0).astype(np.float32)
    way = np.median(below, axis=0).astype(np.float32) - start
    if len(columns) < 4 or len(rows) < 6 or float(way @ way) < _CLEAR_STEP**2:
        return hem
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    other = _towards(lab[part], start, way)
    own = places.trunk[part] & (offset[part] < -_SWING / 2)
    # a print has the colours of what is below it, and a hem of its own at each petal
    if not own.any() or float(other[own].mean()) > _PRINTED:
        return hem
    # above a hem all is top, below it nothing is
    step = _steps(other)
    step[~strip[part]] = 0
    path = _brightest_path(step)
    along_path = path, np.arange(len(path))
    # beside a sleeve the path goes down along its edge
    level = np.abs(np.gradient(path)) <= 1
    clear = ((step[along_path] > 0.5) & level).astype(np.uint8)
    seen = np.flatnonzero(cv2.erode(clear[None], np.ones((1, 3), np.uint8))[0])
    if len(seen) < 0.5 * np.count_nonzero(places.trunk[rows[0] : rows[-1] + 1].any(axis=0)):
        return hem
    below = _between_rows(step, path) + _MIXED
    found = offset[part][along_path] + below * float(np.median(np.diff(offset[part], axis=0)))
    # a fold or a seam that begins at the hem is no dip of it
    bend = np.interp(np.arange(lab.shape[1]), seen + columns[0], running_median(found[seen], 2))
    shown = np.zeros((1, lab.shape[1]), np.uint8)
    shown[0, seen + columns[0]] = 1
    # where it is lost for a moment it goes on
    shown = cv2.morphologyEx(shown, cv2.MORPH_CLOSE, np.ones((1, 2 * (len(columns) // 16) + 1), np.uint8))
    return replace(hem, width=_TRACED_WIDTH, bend=bend.astype(np.float32), shown=shown[0] > 0, colours=(start, way))


def follow_hem(bgr: U8, share: F32, hem: Hem, s: Skeleton, scale: float) -> None:
    """Put the edge between top and lower garment on a hem that was seen in a smaller picture. In place.

    There a hem and the shade under it lie in one pixel; here the shade is seen to be the lower garment's.

    Args:
        bgr: (h, w, 3) the picture.
        share: (5, h, w) probability of each class.
        hem: in the smaller picture.
        s: the skeleton, in the larger one.
        scale: pixels of the smaller picture per pixel of the larger one.
    """
    if hem.bend is None or hem.shown is None or hem.colours is None:
        return
    small = s.seen_in(np.zeros(2), scale)
    columns = np.flatnonzero(hem.shown)
    columns = np.arange(math.ceil(columns[0] / scale), min(math.floor((columns[-1] + 1) / scale), bgr.shape[1]))
    across = (columns + 0.5) * scale - 0.5
    columns = columns[hem.shown[np.round(across).astype(int)]]
    across = (columns + 0.5) * scale - 0.5
    depth = hem.depth + np.interp(across, np.arange(len(hem.bend)), hem.bend)
    down = small.neck[1] + (small.torso_length * depth - (across - small.neck[0]) * small.down[0]) / small.down[1]
    reach = math.ceil(1.5 / scale) + 3
    rows = np.round((down + 0.5) / scale - 0.5).astype(int) + np.arange(-reach, reach + 1)[:, None]
    inside = (rows[0] >= 0) & (rows[-1] < len(bgr))
    rows, columns = rows[:, inside], columns[inside]
    if not len(columns):
        return
    start, way = hem.colours
    lab = cv2.cvtColor(bgr[rows, columns], cv2.COLOR_BGR2LAB)
    # along the hem, as the smaller picture has it, what is one pixel's grain goes
    near = round(1 / scale)
    step = cv2.blur(_steps(_towards(lab, start, way)), (2 * near + 1, 1))
    every = np.arange(len(columns))
    found = step.argmax(axis=0)
    clear = step[found, every] > _CLEAR_EDGE
    if np.count_nonzero(clear) < 0.5 * len(columns):
        return
    edge = running_median(np.interp(every, every[clear], found[clear]), 3 * near)
    edge = cv2.blur(edge[None], (2 * near + 1, 1), borderType=cv2.BORDER_REPLICATE)
    below = np.clip(np.arange(2 * reach + 1)[:, None] - edge - _SHADE, 0, 1)
    both = share[TOP][rows, columns] + share[LOWER][rows, columns]
    share[TOP][rows, columns] = both * (1 - below)
    share[LOWER][rows, columns] = both * below


def _towards(lab: U8, start: F32, way: F32) -> F32:
    """(h, w) 0..1: how far a colour of (h, w, 3) is beyond what the top's can be, towards those below it."""
    along = (lab.astype(np.float32) * np.array([0.6, 1, 1], np.float32) - start) @ way / (way @ way)
    return np.clip(along / np.float32(_OTHER), 0, 1)


def _steps(other: F32) -> F32:
    """(h, w) by how much there is more of another colour in the three rows below than in the three above."""
    return np.asarray(cv2.filter2D(other, -1, np.array([[-1], [-1], [-1], [0], [1], [1], [1]], np.float32) / 3))


def running_median(values: F64 | I64, reach: int) -> F64:
    """(n,) the middle one of each value and its neighbours, the ends repeated."""
    padded = np.pad(values.astype(np.float64), reach, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1))


def _between_rows(step: F32, path: I64) -> F64:
    """(w,) how far below its row the top of the step lies in each column, -0.5..0.5: of a parabola through three."""
    columns = np.arange(len(path))
    here = step[path, columns]
    before = step[np.maximum(path - 1, 0), columns]
    after = step[np.minimum(path + 1, len(step) - 1), columns]
    return np.asarray(np.clip((after - before) / np.maximum(2 * (2 * here - before - after), 1e-3), -0.5, 0.5))


def _brightest_path(step: F32) -> I64:
    """(w,) the row in each column of the path from left to right that gathers most; it climbs at most by two."""
    count = step.shape[1]
    reach = np.ones((5, 1), np.uint8)
    gathered = np.ascontiguousarray(step.T)
    for k in range(1, count):
        gathered[k] += cv2.dilate(gathered[k - 1][:, None], reach)[:, 0]
    path = np.empty(count, np.int64)
    path[-1] = gathered[-1].argmax()
    for k in range(count - 2, -1, -1):
        low = max(int(path[k + 1]) - 2, 0)
        path[k] = low + gathered[k, low : path[k + 1] + 3].argmax()
    return path


def _bands(lab: U8, places: Places) -> tuple[F64, F64, float]:
    """Where the bands begin, (n, 3) median colour of each, and the depth down to which anything is seen."""
    seen = places.column & (places.depth >= _FIRST) & (places.depth < _LAST)
    # numbers are gone through faster than flags
    at = np.flatnonzero(seen)
    band = ((places.depth.take(at) - np.float32(_FIRST)) / np.float32(_BAND)).astype(np.int16)
    known, middles = _middles(lab.reshape(-1, 3).take(at, axis=0), band)
    edges = np.arange(_FIRST, _LAST - _BAND / 2, _BAND)
    if not len(known):
        return edges[:0], np.empty((0, 3)), 0.0
    # behind an arm, or out of the picture, nothing changes that can be seen
    last = np.searchsorted(known, np.arange(known[0], len(edges)), side="right") - 1
    return edges[known[0] :], middles[last] * (0.6, 1.0, 1.0), _FIRST + (int(known[-1]) + 1) * _BAND


def _middles(colours: U8, band: I16) -> tuple[I64, F64]:
    """(k,) the bands that have enough of some (n, 3) colours, and (k, 3) the median of each.

    All are sorted within their bands at once: numpy's median, of one band after the other, takes ten times as long.
    """
    sizes = np.bincount(band)
    known = np.flatnonzero(sizes >= _ENOUGH)
    first, sizes = (np.cumsum(sizes) - sizes)[known], sizes[known]
    ordered = np.sort((band[:, None] * np.int16(256) + colours).T).T % 256
    return known, (ordered[first + (sizes - 1) // 2] + ordered[first + sizes // 2]) / 2


def _one_clear_step(edges: F64, steps: F64, medians: F64) -> Hem | None:
    """The hem of a top that is of one colour down to one step, and what is below of another."""
    k = int(np.where((edges >= 0.4) & (edges < 1.0), steps, 0).argmax())
    size = float(steps[k])
    own = np.median(medians[max(k - 4, 0) : k + 1], axis=0)
    # a print, or a block of another colour in the top, has steps of its own
    if size <= _CLEAR_STEP or steps[: max(k - 2, 0)].max(initial=0.0) > max(8.0, 0.4 * size):
        return None
    # where the top's own colour comes again below, the step was one of a rib's stripes
    again = np.flatnonzero(np.linalg.norm(medians[k + 2 : k + 3 + _RIB] - own, axis=1) < 0.4 * size)
    if len(again):
        last = k + 2 + int(again[-1])
        below = steps[last - 1 : last + 1]
        k = last - 1 + int(below.argmax()) if below.max(initial=0.0) > 0.5 * size else last + 1
    if steps[k + 3 :][edges[k + 3 :] < 1.1].max(initial=0.0) > _ELSEWHERE * size:
        return None
    return Hem(float(edges[min(k, len(edges) - 1)]) + _MIDDLE, _CLEAR_WIDTH)


def _one_step_in_hue(edges: F64, medians: F64) -> Hem | None:
    """The hem of a top whose print, checks or rib are light and dark, where what is below is of another hue."""
    steps = np.hypot(*(medians[2:] - medians[:-2])[: len(edges), 1:].T)
    k = int(np.where(edges >= 0.7, steps, 0).argmax())
    # a step shows in two or three neighbours
    elsewhere = np.delete(steps, slice(max(k - 2, 0), k + 3))
    depth = float(edges[k]) + _MIDDLE
    one = steps[k] > _HUE_STEP and steps[k] > 2 * elsewhere.max(initial=0.0)
    return Hem(depth, _LONG_WIDTH) if one and depth < 1.45 else None


def _long(edges: F64, steps: F64, medians: F64, seen_to: float) -> Hem | None:
    """The hem of a top that hangs over the hips."""
    # a print has steps of its own
    step = max(9.0, 1.6 * float(steps[edges < 0.75].max()))
    found = np.flatnonzero((steps > step) & (edges >= 0.75))
    if len(found):
        # a step shows in two or three neighbours; it is where it shows most
        near = found[found <= found[0] + 2]
        hem = float(edges[near[steps[near].argmax()]]) + _MIDDLE
        return Hem(hem, _LONG_WIDTH) if 1.0 < hem < 1.45 else None
    # No step down to the picture's edge: a strong colour is one long top; grey on grey can hide a hem.
    chroma = np.median(np.hypot(medians[:10, 1] - 128, medians[:10, 2] - 128))
    even = steps[edges >= 0.7].max(initial=0.0) < _HARDLY_A_STEP
    one = chroma > _STRONG or (chroma > _FAINT and even)
    return Hem(seen_to + 0.3, _LONG_WIDTH) if one and 1.0 < seen_to < 1.38 else None


def bare_belly(skin: F32, places: Places) -> Hem | None:
    """The hem of a cropped top, when a band of bare skin crosses the trunk below it; folded arms are no belly."""
    depth, skin = places.depth[places.belly], skin[places.belly]
    starts = np.arange(0.35, 1.0, 0.04)
    band = np.floor((depth - 0.35) / 0.04).astype(int)
    within = (band >= 0) & (band < len(starts))
    count = np.bincount(band[within], minlength=len(starts))
    bare = np.bincount(band[within], skin[within], len(starts))
    found = np.flatnonzero((count > _ENOUGH) & (bare > 0.55 * count))
    return Hem(float(starts[found[0]]), _LONG_WIDTH) if len(found) else None
