"""A neckline moved onto the edge beside it, point by point."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32
from vastra_live.wardrobe.neck_curves import BANDS, Curves, at, steps

__all__ = ["along_edge"]

_POINTS_ALONG, _OFFSETS = 97, np.linspace(-0.12, 0.12, 25, dtype=np.float32)
"""Points of the curve that are moved onto the edge, and how far across it at most, in shares of the neck's width."""
_LABEL, _JUMP = 17, 0.03
"""So many points are wider than twice a label's edge, and so far it is from the neckline at least."""
_STIFF, _OVER, _SEEN = 0.5, 1.5, 1.6
"""What the farthest move costs, in steps as high as the curve's own: between two edges the nearer one is followed; how
high a step counts at most; and what four fifths of the points must find in both bands, or a print leads them astray."""
_FAINT, _SMOOTHED = 12.0, (11, 5)
"""An edge of fewer levels is found less exactly: the moves are averaged over so many points there, and elsewhere."""


def along_edge(curve: Curves, smooth: F32, alpha: F32) -> F32:
    """(N, 2) points of one curve, each moved across it onto the edge that the curve follows.

    The moves that gather most of the curve's own step of colour, and of the dark line that a layer of cloth throws on
    another; neighbours move together (Viterbi 1967).
    """
    outline = _evenly_spaced(*(axis[0] for axis in curve.at(np.linspace(-1, 1, 8 * _POINTS_ALONG, dtype=np.float32))))
    ahead = np.gradient(outline, axis=0)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1) / np.linalg.norm(ahead, axis=1)[:, None]
    step, covered = steps(curve, smooth, alpha)
    way = step[0][covered[0]].mean(axis=0)
    moved = outline[:, None] + across[:, None] * (_OFFSETS * curve.width)[:, None]
    value = np.zeros(moved.shape[:2], np.float32)
    for band in BANDS[:2]:
        below, above = (
            (moved + sign * band * curve.width * across[:, None]).astype(np.float32).transpose(2, 0, 1)
            for sign in (1, -1)
        )
        rise = (at(smooth, *below) - at(smooth, *above)) @ way / (way @ way)
        on_cloth = np.minimum(at(alpha, *below), at(alpha, *above)) > 0.9
        value += np.where(on_cloth, np.clip(rise, -_OVER, _OVER), 0)
    darker = np.minimum(*(at(smooth, *side).mean(axis=2) for side in (below, above))) - at(
        smooth, *moved.astype(np.float32).transpose(2, 0, 1)
    ).mean(axis=2)
    value += np.where(on_cloth, np.clip(darker / np.linalg.norm(way / 3**0.5), 0, _OVER), 0)
    path = _best_path(value - _STIFF * (_OFFSETS / _OFFSETS[-1]) ** 2)
    if np.quantile(value[np.arange(len(value)), path], 0.2) < _SEEN:
        return outline
    # a label's edge beside the neckline is a jump there and back
    around = np.lib.stride_tricks.sliding_window_view(np.pad(_OFFSETS[path], _LABEL // 2, mode="edge"), _LABEL)
    usual = np.median(around, axis=1)
    move = np.where(np.abs(_OFFSETS[path] - usual) > _JUMP, usual, _OFFSETS[path]) * curve.width
    move = cv2.blur(move[:, None], (1, _SMOOTHED[int(np.linalg.norm(way) > _FAINT)]))
    return np.asarray(outline + across * move, np.float32)


def _evenly_spaced(x: F32, y: F32) -> F32:
    """(N, 2) points at equal distances along a finely sampled curve."""
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    at = np.linspace(0, length[-1], _POINTS_ALONG)
    return np.stack([np.interp(at, length, x), np.interp(at, length, y)], axis=-1).astype(np.float32)


def _best_path(value: F32) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(N,) the columns of an (N, K) table that gather most from row to row, two steps aside at a time."""
    gathered = value.copy()
    for k in range(1, len(value)):
        gathered[k] += cv2.dilate(gathered[k - 1][:, None], np.ones((5, 1), np.uint8))[:, 0]
    path = np.empty(len(value), np.int64)
    path[-1] = gathered[-1].argmax()
    for k in range(len(value) - 2, -1, -1):
        low = max(int(path[k + 1]) - 2, 0)
        path[k] = low + gathered[k, low : path[k + 1] + 3].argmax()
    return path
