"""The neck opening: where the front's edge runs, and the inside of the back that is seen through it.

In a product photo the inside of the back collar shows above the front neckline. It belongs to the garment
but behind the wearer's neck. The edge between the two is found among the curves that hang between the two neck
points::

    y(t) = y0 + depth (1 - |t / spread|^power)^root,   t in -spread..spread, -1 and 1 at the neck points

A low power makes a V, a high one a boat neck, a root of a half a U with upright ends; a spread below 1 leaves room for
a wide rib, and one above 1 passes a neck point that the outline shows too far inside. What counts is the step of colour
across the curve, in each of a dozen pieces of it, relative to how dark the cloth is: on a black garment
two levels are an edge. It must go the same way in most pieces and on both sides alike, so that neither a label nor
a print is taken for a neckline; how strong it is beyond that counts for nothing. A maker's label (:mod:`.label`) is
taken off first, and the front runs below it; there the dark line between two layers of one colour counts too. No
neckline is quite such a curve, so the best one is then moved onto the edge beside it, point by point.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8
from vastra_live.wardrobe.label import Label, find_label
from vastra_live.wardrobe.neck_curves import PER_PIECE, PIECES, Curves, at, crossed, steps
from vastra_live.wardrobe.neck_edge import along_edge
from vastra_live.wardrobe.neck_ends import with_ends

__all__ = ["Neckline", "find_neckline"]

Point = tuple[float, float]
Bools = npt.NDArray[np.bool_]

_DEPTHS = np.linspace(0.08, 1.6, 115, dtype=np.float32)
_SHAPES = np.array([(1.0, 1), (1.4, 1), (2.0, 1), (2.8, 1), (4.0, 1), (2.0, 0.5), (2.8, 0.5)], np.float32)
"""Power and root."""
_SPREADS = np.array([1.1, 1.0, 0.88, 0.76], np.float32)
_BEYOND = 0.85
"""How much a curve is believed that passes the neck points, against one that does not."""
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
_RIM, _RIVAL, _EVEN = 0.14, 0.85, 0.9
"""Of two edges closer than the first the upper one is the rim, the other the seam of its rib, if it is nearly as clear;
farther apart, two even ones are no neckline but a print, and the upper one takes less of it away."""
_RIBBED = 10.0
"""A rib differs by so many levels from both the inside above it and the garment below it."""
_SHEER = (0.5, 2.0)
"""Below a label the rim is at least so many times as clear as the seam, and so many times as high a step."""
_LEAST = 1.8
_LINE, _LINE_SIDES = 0.008, 0.035
"""Half the width of the dark line where one layer of cloth ends on another, and how far beside it that is none."""
_ABOVE_LABEL, _INTO_LABEL = 0.4, 0.04
"""What a curve is believed that runs above a label, which may be a print after all; and how far a front may reach over
a label's lower end, as a share of the neck's width."""
_UNSEEN = 0.25
"""Where no edge is seen: the depth of a shallow round neckline."""
_STANDING = 0.12
"""A collar that stands this high over the neck points (as a share of their distance) has an inside only where
it is visibly in the shade; a turtleneck has none."""
_SHADE = 0.85
_HOLLOW = 0.35
"""The outline itself is the front neckline if it sags this deep, as a share of the neck's width."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for each of K curves.

    Attributes:
        value: (K,) float32, how much it looks like a neckline, 0 if it does not.
        either: (K,) float32, the same were a lighter inside as usual as a darker one.
        step: (K, 3) float32, the colour below it minus that above, levels; of a strong one the way alone.
        height: (K,) float32, how many levels that is, however many.
        below: (K,) bool, whether it runs below a maker's label that was found.
    """

    value: F32
    either: F32
    step: F32
    height: F32
    below: Bools


@dataclass(frozen=True, slots=True)
class Neckline:
    """Where the neck opening is.

    Attributes:
        front: lowest point (x, y) of the front's edge, in pixels of the photo.
        corners: where that edge meets the shoulders, on the wearer's left and right.
        inside: (H, W) float32, 0..1, the inside of the back above it; None if none is seen.
    """

    front: Point
    corners: tuple[Point, Point]
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
    (x1, y1), (x0, y0) = corners = neck_left, neck_right
    width = max(4.0, x1 - x0)
    middle, level = (x0 + x1) / 2, (y0 + y1) / 2
    top = _top_at(alpha, middle)
    if top - level > _HOLLOW * width:
        return Neckline((middle, top), corners, None)
    depths = _DEPTHS[level + _DEPTHS * width <= lowest]
    depth, shape, spread = (
        axis.ravel() for axis in np.meshgrid(depths, np.arange(len(_SHAPES)), _SPREADS, indexing="ij")
    )
    curves = Curves((x0, y0), (x1, y1), depth, _SHAPES[shape, 0], _SHAPES[shape, 1], spread)
    label = find_label(bgr, alpha, neck_left, neck_right)
    bare = bgr if label is None else label.taken_off(bgr)
    smooth = cv2.GaussianBlur(bare, (0, 0), max(0.6, 0.008 * width)).astype(np.float32)
    best = _best(curves, _evidence(curves, smooth, alpha, label)) if len(depths) else None
    standing = level - top > _STANDING * width
    if best is None:
        return Neckline((middle, level if standing else max(top, level + _UNSEEN * width)), corners, None)
    edge = along_edge(curves.only(best), smooth, alpha)
    lowest = float(edge[:, 1].max())
    front = (float(edge[edge[:, 1] > lowest - 0.03 * width, 0].mean()), lowest)
    inside = _inside(alpha, curves.only(best), edge)
    hangs = label is not None and label.top > level  # behind no closed collar
    if inside is None:
        return Neckline(front, corners, None)
    if standing and not hangs and not _shaded(smooth, alpha, inside, front):
        return Neckline((middle, level), corners, None)
    inside = with_ends(bgr, alpha, inside, edge)
    if not standing:
        # an opening that is wider than the outline's own corners tell
        left, right = (_on_top(alpha, float(x)) for x in (max(x1, edge[-1, 0]), min(x0, edge[0, 0])))
        corners = (left if left[0] > x1 else neck_left, right if right[0] < x0 else neck_right)
    return Neckline(front, corners, inside)


def _evidence(curves: Curves, smooth: F32, alpha: F32, label: Label | None) -> _Evidence:
    """How much each curve looks like a neckline."""
    step, covered = steps(curves, smooth, alpha)
    gain = _gain(curves, smooth, alpha)
    step *= gain
    piece, seen = _by_piece(step, covered)
    length = np.linalg.norm(piece, axis=2)
    height = (length * seen).sum(axis=1) / (np.maximum(seen.sum(axis=1), 1) * gain)
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
    likely = np.where(curves.spread > 1, _BEYOND, 1) * likely
    known = (count >= _LEAST_PIECES) & (share >= _LEAST_SHARE)
    either = known * np.maximum(value, 0) * likely * share**2
    evidence = either * trust
    below = np.zeros(len(either), np.bool_)
    if label is not None:
        below = _below(curves, label)
        lines = (count >= _LEAST_PIECES) * _lines(curves, smooth * gain, covered) * likely
        either = np.where(below, either + lines, _ABOVE_LABEL * either)
        evidence = np.where(below, either, _ABOVE_LABEL * evidence)
    value, either, step, height = (np.asarray(each, np.float32) for each in (evidence, either, mean / gain, height))
    return _Evidence(value, either, step, height, below)


def _by_piece(values: F32, covered: Bools) -> tuple[F32, Bools]:
    """Means (K, pieces, ...) of values (K, N, ...) over what is covered (K, N), and where most of a piece is."""
    shape = (len(values), PIECES, PER_PIECE)
    kept = covered.reshape(shape).sum(axis=2)
    flat = values.reshape(*covered.shape, -1)
    total = np.where(covered[:, :, None], flat, 0).reshape(*shape, -1).sum(axis=2)
    mean = np.asarray(total / np.maximum(kept, 1)[:, :, None], np.float32)
    return mean.reshape(*shape[:2], *values.shape[2:]), kept > PER_PIECE / 2


def _lines(curves: Curves, smooth: F32, covered: Bools) -> F32:
    """How dark a line runs along each curve (K,), in levels against the lighter cloth on both sides."""
    x, y, slope, across = crossed(curves)
    grey = smooth.mean(axis=2)
    rows = [
        at(grey, x + slope * reach, y - reach)
        for reach in (share * across for share in (-_LINE_SIDES, -_LINE, 0, _LINE, _LINE_SIDES))
    ]
    dark = np.minimum(rows[0], rows[-1]) - np.minimum.reduce(rows[1:-1])
    piece, seen = _by_piece(dark, covered)
    weaker = np.minimum(piece, piece[:, ::-1])
    both = seen & seen[:, ::-1]
    count = np.maximum(both.sum(axis=1), 1)
    share = ((weaker > _CLEAR) & both).sum(axis=1) / count
    value = (np.clip(weaker, 0, _STRONGEST) * both).sum(axis=1) / count
    return np.asarray(value * share**2, np.float32)


def _below(curves: Curves, label: Label) -> Bools:
    """(K,) whether each curve runs below a label."""
    middle = (curves.start[0] + curves.end[0]) / 2
    off = max(label.right - middle, middle - label.left) / (curves.width / 2)
    _, y = curves.at(np.array([-off, 0, off], np.float32) / float(curves.spread.max()))
    return np.asarray(y.min(axis=1) >= label.bottom - _INTO_LABEL * curves.width, np.bool_)


def _gain(curves: Curves, smooth: F32, alpha: F32) -> float:
    """What the steps are multiplied by, so that they count the same on dark cloth as on grey."""
    top = max(0, round(min(curves.start[1], curves.end[1])))
    rows = slice(top, round(top + curves.width) + 1)
    columns = slice(max(0, round(curves.start[0])), round(curves.end[0]) + 1)
    cloth = smooth[rows, columns][alpha[rows, columns] > 0.9]
    return max(1.0, _GREY / (float(np.median(cloth)) + _DARKEST)) if len(cloth) else 1.0


def _best(curves: Curves, found: _Evidence) -> int | None:
    """The curve that is the front neckline; None where nothing looks like one."""
    evidence, step = found.value, found.step
    by_depth = evidence.reshape(-1, len(_SHAPES) * len(_SPREADS))
    strongest = by_depth.max(axis=1)
    peak = cv2.dilate(strongest[:, None], np.ones((13, 1), np.uint8))[:, 0]
    peaks = np.nonzero((strongest >= peak) & (strongest > 0))[0]
    if not len(peaks) or strongest.max() < _LEAST:
        return None
    best = int(peaks[strongest[peaks].argmax()])
    depth = curves.depth.reshape(by_depth.shape)[:, 0]
    above = depth[best] - depth[peaks]
    rival = strongest[peaks] / strongest[best]
    rims = peaks[(above > 0) & ((above < _RIM) & (rival >= _RIVAL) | (rival >= _EVEN))]
    row = int(rims[0]) if len(rims) else best
    index = row * by_depth.shape[1] + int(by_depth[row].argmax())
    near = (curves.depth[index] - curves.depth > 0.03) & (curves.depth[index] - curves.depth < _RIM)
    # below a label the dark line along a rib's seam counts too, and may outdo the rib's own edge before a dark inside
    sheer = (
        near & found.below & (evidence > _SHEER[0] * evidence[index]) & (found.height > _SHEER[1] * found.height[index])
    )
    if found.below[index] and sheer.any():
        return int(np.where(sheer, found.height, -1).argmax())
    # a rib of another colour than the garment: its upper edge is as clear a step, the other way
    height = float(np.linalg.norm(step[index]))
    back = -(step @ step[index]) / max(height, 1e-6)
    ribbed = near & (back > _RIBBED) & (found.either > _RIVAL * evidence[index]) & (height > _RIBBED)
    return int(np.where(ribbed, found.either, -1).argmax()) if ribbed.any() else index


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


def _on_top(alpha: F32, x: float) -> Point:
    return x, _top_at(alpha, x)


def _top_at(alpha: F32, x: float) -> float:
    column = alpha[:, min(alpha.shape[1] - 1, max(0, round(x)))] > 0.5
    return float(column.argmax()) if column.any() else 0.0


def _inside(alpha: F32, curve: Curves, edge: F32) -> F32 | None:
    """What of the garment lies above an edge that a curve follows; None if that is next to nothing."""
    outline = np.concatenate([edge, [[edge[-1, 0], 0], [edge[0, 0], 0]]])
    mask = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    inside = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.7) * alpha
    least = 0.02 * float(curve.depth[0]) * curve.width**2
    return np.asarray(inside, np.float32) if float(inside.sum()) > least else None
