"""The outline of cloth that looks like its ground: the less clear it shows, the straighter it runs.

White cloth on a white ground differs from it by a few levels, in places by none. There the flood's shore is ragged:
JPEG moves it by a pixel or two, and where the two are alike it bites into the cloth. A sewn edge is smooth. So along
the pieces of the outline that show faintly a smooth curve is fitted, which holds on to a point the more, the clearer it
is, and to points on its outer side more than to those inside, since the flood takes away and adds nothing (asymmetric
least squares, Eilers 2003).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8

__all__ = ["steady_outline"]

F64 = npt.NDArray[np.float64]

_FAINT = 14.0
"""An outline that differs from the ground by more levels is clear, and stays."""
_STEP = 0.004
"""Distance of the points along the outline, as a share of the picture's longer side."""
_STIFF = 30.0
"""What bending costs: where points count in full, waves of some fifteen steps are kept."""
_LEAST, _INSIDE = 0.03, 0.1
"""What the faintest point counts, and what one inside of the curve counts against one outside of it."""
_HELD, _HOLD = 3, 1e3
"""So many clear points at both ends of a faint piece are held, and how firmly."""
_FARTHEST = 0.012
"""A point moves by at most this share of the picture's longer side."""
_DEPTHS_PX = (1.0, 2.0, 3.0, 4.0, 6.0)
"""So far inside of the outline it is looked how the cloth differs."""
_FRAME_PX = 6
"""Closer to the picture's border the outline is left as it is."""
_CORNER, _REACH = 0.8, 10
"""An outline turns a corner where its course over so many steps before differs from that after by so much (radians);
there it may bend."""
_ROUNDS = 5


def steady_outline(mask: U8, distance: F32) -> U8:
    """The mask with a smooth outline where it is faint.

    Args:
        mask: (H, W) uint8, 255 inside, one connected piece.
        distance: (H, W) float32, levels by which each pixel differs from the ground.
    """
    longer = max(mask.shape)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return mask
    path = _evenly(max(contours, key=len)[:, 0].astype(np.float64), max(2.0, _STEP * longer))
    if len(path) < 8 * _HELD:
        return mask
    clear = _clearness(path, distance)
    # begun where it shows best, so that no faint piece runs over the end
    begin = -int(clear.argmax())
    path, clear = np.roll(path, begin, axis=0), np.roll(clear, begin)
    pieces = _faint_pieces(clear)
    if not pieces:
        return mask
    steady = path.copy()
    corners = _corners(path)
    for piece in pieces:
        steady[piece] = _fitted(path[piece], clear[piece], corners[piece], _FARTHEST * longer)
    before, after = _filled(path, mask.shape), _filled(steady, mask.shape)
    solid = np.asarray(cv2.drawContours(np.zeros_like(mask), contours, -1, 255, cv2.FILLED), np.uint8)
    moved = (solid | (after & ~before)) & ~(before & ~after)
    # between the pixels' outline and its polygon a grain or two may be left
    closed = cv2.morphologyEx(moved, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(closed & ~(solid & ~mask), np.uint8)


def _evenly(points: F64, step: float) -> F64:
    """A closed line (N, 2) at even steps."""
    closed = np.concatenate([points, points[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.arange(0.0, length[-1], step)
    return np.stack([np.interp(at, length, closed[:, i]) for i in (0, 1)], axis=1)


def _outwards(path: F64) -> F64:
    """Unit normals (N, 2) of an outline as OpenCV traces it: against the clock on the screen, cloth on its left."""
    ahead = np.gradient(path, axis=0)
    length = np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    return np.asarray(np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / length, np.float64)


def _clearness(path: F64, distance: F32) -> F64:
    """(N,) levels by which the cloth differs from the ground just inside of each point of its outline."""
    inside = [path - depth * _outwards(path) for depth in _DEPTHS_PX]
    x, y = (np.stack([points[:, i] for points in inside]).astype(np.float32) for i in (0, 1))
    seen = cv2.remap(distance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).max(axis=0)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(seen, 2, mode="wrap"), 5)
    height, width = distance.shape
    # where the picture ends nothing can be seen to be wrong
    cut = ((path < _FRAME_PX) | (path > np.array([width, height]) - 1 - _FRAME_PX)).any(axis=1)
    return np.where(cut, 255.0, np.median(around, axis=1))


def _faint_pieces(clear: F64) -> list[slice]:
    """Where the outline is faint, with a few points beyond both ends."""
    steps = np.diff(np.concatenate([[0], (clear < _FAINT).astype(np.int8), [0]]))
    starts, ends = np.nonzero(steps == 1)[0], np.nonzero(steps == -1)[0]
    return [
        slice(max(0, start - _HELD), min(len(clear), end + _HELD))
        for start, end in zip(starts, ends, strict=True)
        if end - start >= _HELD
    ]


def _corners(path: F64) -> npt.NDArray[np.bool_]:
    """(N,) the sharpest turn of each corner of a closed line."""
    before, after = (path - np.roll(path, _REACH, axis=0)), (np.roll(path, -_REACH, axis=0) - path)
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.abs(np.arctan2(cross, (before * after).sum(axis=1)))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(turn, _REACH, mode="wrap"), 2 * _REACH + 1)
    return np.asarray((turn > _CORNER) & (turn >= around.max(axis=1)), np.bool_)


def _fitted(points: F64, clear: F64, corners: npt.NDArray[np.bool_], farthest: float) -> F64:
    """A curve (N, 2) along points, held at its ends, smooth but for its corners."""
    second = np.diff(np.eye(len(points)), n=2, axis=0) * ~corners[1:-1, None]
    bending = _STIFF * second.T @ second
    trust = np.clip((clear / _FAINT) ** 2, _LEAST, 1.0)
    weight = trust.copy()
    curve = points
    for _ in range(_ROUNDS):
        weight[:_HELD] = weight[-_HELD:] = _HOLD
        curve = np.linalg.solve(bending + np.diag(weight), weight[:, None] * points)
        outside = ((points - curve) * _outwards(curve)).sum(axis=1) > 0
        weight = np.where(outside, np.maximum(trust, 0.5), _INSIDE * trust)
    move = curve - points
    length = np.maximum(np.linalg.norm(move, axis=1), 1e-9)
    return np.asarray(points + move * np.minimum(1, farthest / length)[:, None], np.float64)


def _filled(path: F64, shape: tuple[int, ...]) -> U8:
    """The inside (H, W) of a closed line, 255."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(path * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    return mask
