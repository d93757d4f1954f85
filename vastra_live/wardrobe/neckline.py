"""The neck opening: where the front's edge runs, and the inside of the back that is seen through it.

In a product photo the inside of the back collar shows above the front neckline. It belongs to the garment
but behind the wearer's neck. The edge between the two is found among the curves that hang between the two neck
points::

    y(t) = y0 + depth (1 - |t / spread|^power),   t in -spread..spread, -1 and 1 at the neck points

A low power makes a V, a high one a boat neck; a spread below 1 leaves room for a wide rib. What counts is the step
of colour across the curve, in each of a dozen pieces of it, relative to how dark the cloth is: on a black garment
two levels are an edge. It must go the same way in most pieces and on both sides alike, so that neither a label nor
a print is taken for a neckline; how strong it is beyond that counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Neckline", "find_neckline"]

_DEPTHS = np.linspace(0.08, 1.6, 58, dtype=np.float32)
_POWERS = np.array([1.0, 1.4, 2.0, 2.8, 4.0], np.float32)
_SPREADS = np.array([1.0, 0.88, 0.76], np.float32)
_PIECES, _PER_PIECE = 12, 8
_POINTS = np.linspace(-0.92, 0.92, _PIECES * _PER_PIECE, dtype=np.float32)
"""Close to the neck points every curve runs along the outline."""
_BANDS = (0.015, 0.03, 0.045)
"""How far on both sides of the curve colours are compared, as shares of the neck's width: across a seam."""
_GREY, _DARKEST = 128.0, 20.0
"""Steps count as they would on a cloth of this grey; the gain is held back by the second number, for noise."""
_CLEAR, _STRONGEST = 2.0, 16.0
"""A step of fewer levels in a piece is none; more than the second number say no more."""
_LEAST_PIECES, _LEAST_SHARE = 8, 0.6
_USUAL, _USUAL_V, _VARIETY = 0.42, 0.6, 0.8
"""Usual depth of a round neckline and of a V, and the logarithm of how much they vary."""
_LIGHTER = ((0.25, 0.45), (0.35, 0.6))
"""The inside lies in the shade. A lighter one (a lining, a rib's shadow) is believed less, the less the shallower,
since the lower edge of the back's own collar looks like that: weights at two depths."""
_RIM, _RIVAL = 0.14, 0.85
"""Of two edges closer than this the upper one is the rim, the other the seam of its rib, if they are as clear."""
_LEAST = 1.8
_UNSEEN = 0.25
"""Where no edge is seen: the depth of a shallow round neckline."""
_STANDING = 0.12
"""A collar that stands this high over the neck points (as a share of their distance) has an inside only where
it is visibly in the shade; a turtleneck has none."""
_SHADE = 0.85
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


@dataclass(frozen=True, slots=True)
class _Curves:
    """Curves between two neck points, K of them; depth in units of the neck's width.

    Attributes:
        start, end: the neck points (x, y), in pixels.
        depth, power, spread: (K,) float32.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    depth: F32
    power: F32
    spread: F32

    @property
    def width(self) -> float:
        return max(4.0, self.end[0] - self.start[0])

    def at(self, share: F32) -> tuple[F32, F32]:
        """x and y (K, N) in pixels at shares (N,) of the curve, -1..1."""
        t = share[None] * self.spread[:, None] / 2
        x = (self.start[0] + self.end[0]) / 2 + (self.end[0] - self.start[0]) * t
        base = (self.start[1] + self.end[1]) / 2 + (self.end[1] - self.start[1]) * t
        sag = 1 - np.abs(share[None]) ** self.power[:, None]
        return x.astype(np.float32), (base + self.width * self.depth[:, None] * sag).astype(np.float32)


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
    middle, level = (x0 + x1) / 2, (y0 + y1) / 2
    top = _top_at(alpha, middle)
    if top - level > _HOLLOW * width:
        return Neckline((middle, top), None)
    depths = _DEPTHS[level + _DEPTHS * width <= lowest]
    grid = np.meshgrid(depths, _POWERS, _SPREADS, indexing="ij")
    curves = _Curves((x0, y0), (x1, y1), *(axis.ravel() for axis in grid))
    smooth = cv2.GaussianBlur(bgr, (0, 0), max(0.6, 0.008 * width)).astype(np.float32)
    best = _best(curves, _evidence(curves, smooth, alpha)) if len(depths) else None
    standing = level - top > _STANDING * width
    if best is None:
        return Neckline((middle, level if standing else max(top, level + _UNSEEN * width)), None)
    front = (middle, level + float(curves.depth[best]) * width)
    inside = _inside(alpha, curves, best)
    if inside is not None and standing and not _shaded(smooth, alpha, inside, front):
        return Neckline(front, None)
    return Neckline(front, inside)


def _evidence(curves: _Curves, smooth: F32, alpha: F32) -> F32:
    """How much each curve (K,) looks like a neckline; 0 for those that do not."""
    step, covered = _steps(curves, smooth, alpha)
    step *= _gain(curves, smooth, alpha)
    kept = covered.reshape(len(step), _PIECES, _PER_PIECE).sum(axis=2)
    total = np.where(covered[:, :, None], step, 0).reshape(len(step), _PIECES, _PER_PIECE, 3).sum(axis=2)
    piece = total / np.maximum(kept, 1)[:, :, None]
    seen = kept > _PER_PIECE / 2
    length = np.linalg.norm(piece, axis=2)
    piece *= (seen * np.minimum(1, _STRONGEST / np.maximum(length, 1e-6)))[:, :, None]
    mean = piece.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)[:, None]
    way = mean / np.maximum(np.linalg.norm(mean, axis=1), 1e-6)[:, None]
    along = (piece * way[:, None]).sum(axis=2)
    # a piece and its mirror image: the weaker of the two tells how far both go the same way
    weaker = np.minimum(along, along[:, ::-1])
    both = seen & seen[:, ::-1]
    count = both.sum(axis=1)
    share = ((weaker > _CLEAR) & both).sum(axis=1) / np.maximum(count, 1)
    value = ((along + weaker) / 2 * both).sum(axis=1) / np.maximum(count, 1)
    darker = way.mean(axis=1) > -0.15
    trust = np.where(darker, 1.0, np.interp(curves.depth, *_LIGHTER))
    usual = np.where(curves.power < 1.7, _USUAL_V, _USUAL)
    likely = np.exp(-0.5 * (np.log(curves.depth / usual) / _VARIETY) ** 2)
    known = (count >= _LEAST_PIECES) & (share >= _LEAST_SHARE)
    return np.asarray(known * np.maximum(value, 0) * trust * likely * share**2, np.float32)


def _steps(curves: _Curves, smooth: F32, alpha: F32) -> tuple[F32, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """Colour below minus colour above (K, N, 3), and whether cloth is on both sides (K, N)."""
    x, y = curves.at(_POINTS)
    slope = np.gradient(y, axis=1) / np.gradient(x, axis=1)
    across = curves.width / np.sqrt(1 + slope * slope)
    covered = np.ones(x.shape, np.bool_)
    step = np.zeros((*x.shape, 3), np.float32)
    for band in _BANDS:
        reach = band * across
        above, below = (x + slope * reach, y - reach), (x - slope * reach, y + reach)
        step += (_at(smooth, *below) - _at(smooth, *above)) / len(_BANDS)
        if band < _BANDS[-1]:
            covered &= (_at(alpha, *above) > 0.9) & (_at(alpha, *below) > 0.9)
    return step, covered


def _gain(curves: _Curves, smooth: F32, alpha: F32) -> float:
    """What the steps are multiplied by, so that they count the same on dark cloth as on grey."""
    top = max(0, round(min(curves.start[1], curves.end[1])))
    rows = slice(top, round(top + curves.width) + 1)
    columns = slice(max(0, round(curves.start[0])), round(curves.end[0]) + 1)
    cloth = smooth[rows, columns][alpha[rows, columns] > 0.9]
    return max(1.0, _GREY / (float(np.median(cloth)) + _DARKEST)) if len(cloth) else 1.0


def _best(curves: _Curves, evidence: F32) -> int | None:
    """The curve that is the front neckline; None where nothing looks like one."""
    by_depth = evidence.reshape(-1, len(_POWERS) * len(_SPREADS))
    strongest = by_depth.max(axis=1)
    peak = cv2.dilate(strongest[:, None], np.ones((7, 1), np.uint8))[:, 0]
    peaks = np.nonzero((strongest >= peak) & (strongest > 0))[0]
    if not len(peaks) or strongest.max() < _LEAST:
        return None
    best = int(peaks[strongest[peaks].argmax()])
    depth = curves.depth.reshape(by_depth.shape)[:, 0]
    above = depth[best] - depth[peaks]
    rims = peaks[(above > 0) & (above < _RIM) & (strongest[peaks] >= _RIVAL * strongest[best])]
    row = int(rims[0]) if len(rims) else best
    return row * by_depth.shape[1] + int(by_depth[row].argmax())


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


def _at(plane: F32, x: F32, y: F32) -> F32:
    """Values at points, between pixels."""
    sampled = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def _top_at(alpha: F32, x: float) -> float:
    column = alpha[:, min(alpha.shape[1] - 1, max(0, round(x)))] > 0.5
    return float(column.argmax()) if column.any() else 0.0


def _inside(alpha: F32, curves: _Curves, index: int) -> F32 | None:
    """What of the garment lies above a curve; None if that is next to nothing."""
    x, y = (axis[index] for axis in curves.at(np.linspace(-1, 1, 97, dtype=np.float32)))
    outline = np.stack([np.r_[x, x[-1], x[0]], np.r_[y, 0, 0]], axis=-1)
    mask = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    inside = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.7) * alpha
    least = 0.02 * float(curves.depth[index]) * curves.width**2
    return np.asarray(inside, np.float32) if float(inside.sum()) > least else None
