"""The neck opening: where the front's edge runs, and the inside of the back that is seen through it.

In a product photo the inside of the back collar shows above the front neckline. It belongs to the garment
but behind the wearer's neck. The edge between the two is found among the curves that hang between the two neck
points::

    y(t) = y0 + depth (1 - |t|^p),   t in -1..1 from one neck point to the other

A low p makes a V, a high one a boat neck. The curve with the strongest step of colour across it wins, if the
step is there along most of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Neckline", "find_neckline"]

_POWERS = (1.0, 1.4, 2.0, 2.8, 4.0)
_DEPTHS = np.linspace(0.16, 1.9, 59)
_POINTS = np.linspace(-0.9, 0.9, 61)
_REACH = 0.03
"""How far on both sides of the curve colours are compared, as a share of the neck's width."""
_STRONGEST = 22.0
"""A step above so many levels counts no more: a label is no better neckline than a shadow."""
_CLEAR = 4.0
_COHERENT = 0.45
"""Across a neckline colours step the same way all along; across the edge of a print they do not."""
_STANDING = 0.12
"""A collar that stands this high over the neck points (as a share of their distance) has an inside only where
it is visibly in the shade; a turtleneck has none."""
_SHADE = 0.85
_DOME = 0.04
_RIVAL = 0.55
_OPEN = 0.8
_HOLLOW = 0.35
"""The outline itself is the front neckline if it sags this deep, as a share of the neck's width."""


@dataclass(frozen=True, slots=True)
class Neckline:
    """Where the neck opening is.

    Attributes:
        front: lowest point (x, y) of the front's edge, in pixels of the photo.
        inside: (H, W) float32, 0..1, the inside of the back above it; None if none is seen.
    """

    front: tuple[float, float]
    inside: F32 | None


def find_neckline(
    bgr: U8, alpha: F32, neck_left: tuple[float, float], neck_right: tuple[float, float], lowest: float
) -> Neckline:
    """Find the front neckline.

    Args:
        bgr: (H, W, 3) uint8, the photo.
        alpha: (H, W) float32, the garment.
        neck_left: where collar meets shoulder on the wearer's left (right of the picture).
        neck_right: the same on the other side.
        lowest: y above which the neckline must lie: the armpits, say.
    """
    (x1, y1), (x0, y0) = neck_left, neck_right
    width = max(4.0, x1 - x0)
    middle = (x0 + x1) / 2
    top = _top_at(alpha, middle)
    if top - (y0 + y1) / 2 > _HOLLOW * width:
        return Neckline((middle, top), None)
    smooth = cv2.GaussianBlur(bgr, (0, 0), max(0.6, 0.008 * width)).astype(np.float32)
    found: list[tuple[float, float, float]] = []
    for depth in _DEPTHS * width:
        if (y0 + y1) / 2 + depth > lowest:
            break
        for power in _POWERS:
            score = _step(smooth, alpha, (x0, y0), (x1, y1), float(depth), power)
            if score > 0:
                found.append((score, float(depth), power))
    if not found:
        return Neckline((middle, max(top, (y0 + y1) / 2)), None)
    best, depth, power = max(found)
    if (y0 + y1) / 2 - top > _DOME * width:
        # a collar that rises behind the neck has an edge of its own above the front's
        rivals = [c for c in found if c[0] > _RIVAL * best and c[1] <= max(depth, _OPEN * width)]
        _, depth, power = max(rivals, key=lambda c: (c[1], c[0]))
    front = (middle, (y0 + y1) / 2 + depth)
    inside = _inside(alpha, (x0, y0), (x1, y1), depth, power)
    if inside is not None and (y0 + y1) / 2 - top > _STANDING * width and not _shaded(smooth, alpha, inside, front):
        return Neckline(front, None)
    return Neckline(front, inside)


def _curve(start: tuple[float, float], end: tuple[float, float], depth: float, power: float, t: F32) -> tuple[F32, F32]:
    x = start[0] + (end[0] - start[0]) * (t + 1) / 2
    y = start[1] + (end[1] - start[1]) * (t + 1) / 2 + depth * (1 - np.abs(t) ** power)
    return x.astype(np.float32), y.astype(np.float32)


def _step(
    smooth: F32, alpha: F32, start: tuple[float, float], end: tuple[float, float], depth: float, power: float
) -> float:
    """Mean step of colour across the curve; 0 where it is missing along much of it or leaves the garment."""
    t = _POINTS.astype(np.float32)
    x, y = _curve(start, end, depth, power, t)
    slope = np.gradient(y, x)
    reach = _REACH * (end[0] - start[0]) / np.sqrt(1 + slope * slope)
    above = np.stack([x + slope * reach, y - reach], axis=-1)
    below = np.stack([x - slope * reach, y + reach], axis=-1)
    inner, outer = (_at(smooth, points) for points in (above, below))
    covered = (_at(alpha, above) > 0.9) & (_at(alpha, below) > 0.9)
    if covered.mean() < 0.75:
        return 0.0
    step = np.abs(inner - outer).max(axis=1)
    lengths = np.linalg.norm(outer - inner, axis=1)
    coherence = float(np.linalg.norm((outer - inner).mean(axis=0)) / max(1e-3, float(lengths.mean())))
    darker = (outer - inner).mean(axis=1) > 0
    # the inside lies in the shade; a lighter one (a lining, a label) is believed less
    value = np.minimum(step, _STRONGEST) * np.where(darker, 1.0, 0.55)
    clear = (step > _CLEAR) & covered
    if clear.mean() < 0.7 or coherence < _COHERENT:
        return 0.0
    return float(value[covered].mean()) * float(clear.mean()) * coherence


def _shaded(smooth: F32, alpha: F32, inside: F32, front: tuple[float, float]) -> bool:
    """Whether what lies above the neckline is darker than the cloth below it."""
    grey = smooth.mean(axis=2)
    rows = np.nonzero((inside > 0.5).any(axis=1))[0]
    below = np.zeros_like(inside)
    span = int(front[1] - rows[0]) if len(rows) else 0
    columns = (inside > 0.5).any(axis=0)
    below[round(front[1]) : round(front[1]) + max(4, span), columns] = 1
    within, under = grey[inside > 0.5], grey[(below > 0) & (alpha > 0.9)]
    return bool(len(within) and len(under) and np.median(within) < _SHADE * np.median(under))


def _at(plane: F32, points: F32) -> F32:
    """Values at points (N, 2), to the nearest pixel."""
    columns = np.clip(np.rint(points[:, 0]).astype(int), 0, plane.shape[1] - 1)
    rows = np.clip(np.rint(points[:, 1]).astype(int), 0, plane.shape[0] - 1)
    return np.asarray(plane[rows, columns], np.float32)


def _top_at(alpha: F32, x: float) -> float:
    column = alpha[:, min(alpha.shape[1] - 1, max(0, round(x)))] > 0.5
    return float(column.argmax()) if column.any() else 0.0


def _inside(alpha: F32, start: tuple[float, float], end: tuple[float, float], depth: float, power: float) -> F32 | None:
    t = np.linspace(-1, 1, 97, dtype=np.float32)
    x, y = _curve(start, end, depth, power, t)
    outline = np.stack([np.r_[x, x[-1], x[0]], np.r_[y, 0, 0]], axis=-1)
    mask = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    inside = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.7) * alpha
    return np.asarray(inside, np.float32) if float(inside.sum()) > 0.02 * depth * (end[0] - start[0]) else None
