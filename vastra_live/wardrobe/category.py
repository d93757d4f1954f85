"""What kind of garment a silhouette is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vastra_live.types import U8, Category
from vastra_live.wardrobe.silhouette import Half, Silhouette, sharp_armpit

__all__ = ["Shape", "classify", "is_jumpsuit", "measure"]


_NECK = 0.33
"""The outline turns by more than this (radians) where a neckline meets a shoulder or a strap."""

_DEEP = 0.06
"""A top edge that sags more than this, in units of the height, is a neckline."""

_LEGS = 0.15
"""Legs are longer than this."""

_POINTED = 0.3
"""No dress ends narrower than this share of its waist."""

_OPEN_FRONT = 0.2
"""Two fronts that hang apart begin within this share of the width above of the axis; sleeves lie farther out."""

_SHOULDERED = 0.7
"""Below a neck a garment with sleeves soon becomes wider: the top edge is less than this share. A waistband is more."""

_FLAT, _WAISTBAND, _FLARED = 0.005, 0.6, 1.3
"""A top edge that sags less than this is a waistband's, if it is wider than the second share of what lies just below
and the hem wider than the third: every neckline sags more, and a standing collar is narrower."""

_TUBE = 0.6
"""A tube top is wider than this, and narrows downwards; no skirt so wide does."""

_SHOULDER = 0.4
"""What begins narrower than this share of its waist hangs from one shoulder or the neck."""

_RISE = 1.15
"""Between waistband and crotch trousers are no higher than this share of their width; a jumpsuit goes on to a neck."""

_STRAP = 0.5
"""The body of a garment begins where this share of its waist is cloth; above there are straps."""
_HOOD = (0.1, 0.4)
"""Between these shares of the height the sharpest hollow of both sides is the foot of a hood, which stands above the
body."""
_FOOT = 0.45
"""There the outline turns by more than this (radians)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Measures of a silhouette, in units of its height.

    Attributes:
        gap: depth of the gap between two legs, 0 without.
        gap_width: width of that gap near its top.
        top_width: width just below the top edge.
        shoulder_width: width at an eighth of the height.
        waist_width: smallest width of the middle piece between three and seven tenths of the height below a hood.
        hem_width: width of the middle piece at the bottom.
        neck_corner: sharpest turn (radians) of the top edge between its middle and its outer end: where a
            neckline meets a strap or a shoulder. A waistband has none.
        sleeved: whether something leaves the body sideways under a sharp armpit.
        length: from the top to the lowest cloth on the axis.
        body: the same, but for straps and a hood.
        sag: how much lower the middle of the top edge lies than its highest point, on the side where it does less.
        rise: from the top to where two legs part, in widths of the cloth above; 0 without legs.
    """

    gap: float
    gap_width: float
    top_width: float
    shoulder_width: float
    waist_width: float
    hem_width: float
    neck_corner: float
    sleeved: bool
    length: float
    body: float
    sag: float
    rise: float


def _extent(row: U8) -> int:
    inside = np.nonzero(row)[0]
    return int(inside[-1] - inside[0] + 1) if len(inside) else 0


def _run(row: U8, column: int) -> tuple[int, int]:
    """Start and end of the run of cloth nearest to a column; (0, 0) in an empty row."""
    padded = np.concatenate([[0], (row > 0).astype(np.int8), [0]])
    steps = np.diff(padded)
    starts, ends = np.nonzero(steps == 1)[0], np.nonzero(steps == -1)[0]
    if not len(starts):
        return 0, 0
    distance = np.maximum(np.maximum(starts - column, column - ends + 1), 0)
    best = int(distance.argmin())
    return int(starts[best]), int(ends[best])


def measure(silhouette: Silhouette) -> Shape:
    """Measure a silhouette."""
    mask, axis = silhouette.mask, round(silhouette.axis)
    height, width = mask.shape
    gap, gap_width = _leg_gap(mask, axis)
    rise = _rise(mask, axis, height - gap) if gap else 0.0
    mask = _closed_front(mask, axis)
    top = mask[round(0.02 * height)]
    cloth = np.nonzero(mask[:, min(width - 1, max(0, axis))])[0]
    length = int(cloth[-1]) + 1 if len(cloth) else height
    # above the neckline the piece nearest to the axis would be a strap
    below_neck = (int(cloth[0]) if len(cloth) else 0) + round(0.03 * height)
    # ties and sleeves may hang below the hem
    last = min(round(0.7 * height), round(0.95 * length))
    halves = (silhouette.left, silhouette.right)
    hood = round(min(_hood(half) for half in halves) * height)
    first = max(hood + round(0.3 * (height - hood)), below_neck)
    rows = [_run(mask[y], axis) for y in range(first, last, 4)]
    widths = [end - start for start, end in rows if end > start]
    waist = min(widths, default=width)
    begins = int((np.count_nonzero(mask, axis=1) > _STRAP * waist).argmax())
    begins = max(begins, hood)
    hem = _run(mask[max(0, length - 1 - round(0.03 * height))], axis)
    return Shape(
        gap=gap / height,
        gap_width=gap_width / height,
        top_width=_extent(top) / height,
        shoulder_width=_extent(mask[height // 8]) / height,
        waist_width=waist / height,
        hem_width=(hem[1] - hem[0]) / height,
        neck_corner=min(_neck_corner(half) for half in halves),
        sleeved=all(sharp_armpit(half) is not None for half in halves),
        length=length / height,
        body=max(length - begins, 1) / height,
        sag=min(float(half.path[0, 1] - half.path[:, 1].min()) for half in halves),
        rise=rise,
    )


def _rise(mask: U8, axis: int, crotch: int) -> float:
    """Height of a crotch below the top, in median widths of the cloth between the two."""
    runs = [_run(mask[y], axis) for y in range(round(0.3 * crotch), max(round(0.9 * crotch), 1), 4)]
    width = float(np.median([end - start for start, end in runs])) if runs else 0.0
    return crotch / max(width, 1.0)


def _closed_front(mask: U8, axis: int) -> U8:
    """The mask with an open front closed: what lies between two pieces of cloth that are both near the axis."""
    reach = round(_OPEN_FRONT * _extent(mask[: mask.shape[0] // 4].max(axis=0)))
    left, right = max(0, axis - reach), axis + reach + 1
    near = mask[:, left:right] > 0
    columns = np.arange(near.shape[1])
    first, last = near.argmax(axis=1), near.shape[1] - near[:, ::-1].argmax(axis=1)
    between = near.any(axis=1)[:, None] & (columns >= first[:, None]) & (columns < last[:, None])
    closed = mask.copy()
    closed[:, left:right][between] = 255
    return closed


def _hood(half: Half) -> float:
    """Height of the hollow where a hood meets the shoulder, 0 without: beyond it the outline goes on to a sleeve."""
    path, bend = half.path, half.bend
    if sharp_armpit(half) is None:
        return 0.0  # a waist may be as hollow
    index = np.arange(len(path))
    onwards = path[np.minimum(index + 26, len(path) - 1)] - path
    shoulder = (onwards[:, 0] > 0.5 * onwards[:, 1]) & (onwards[:, 0] > 0)
    # something narrower comes before, and nothing as wide as the shoulder
    before = np.maximum.accumulate(path[:, 0])
    # a hood is a dome; between straps the outline begins lower than they do
    low, high = max(_HOOD[0], 3 * float(path[0, 1])), _HOOD[1]
    foot = (path[:, 1] > low) & (path[:, 1] < high) & (bend < -_FOOT) & shoulder & (before < 0.6 * path[:, 0].max())
    found = np.flatnonzero(foot)
    return float(path[found[bend[found].argmin()], 1]) if len(found) else 0.0


def _neck_corner(half: Half) -> float:
    peak = int(half.path[:, 1].argmin())
    if half.path[0, 1] - half.path[peak, 1] > _DEEP:
        return float(np.pi / 2)  # thin straps have no shoulder to go on along
    below = np.nonzero(half.path[peak:, 1] > 0.2)[0]
    end = peak + int(below[0]) if len(below) else len(half.path)
    path, bend = half.path[:end], half.bend[:end]
    # beyond a neckline's corner the outline goes on outwards, along the shoulder; beyond a waistband's, down
    index, last = np.arange(end), len(half.path) - 1
    onwards = half.path[np.minimum(index + 26, last)] - half.path[np.minimum(index + 10, last)]
    inner = (path[:, 0] < 0.8 * path[:, 0].max()) & (onwards[:, 0] > onwards[:, 1])
    return float(bend[inner].max(initial=0.0))


def _leg_gap(mask: U8, axis: int) -> tuple[int, int]:
    """Depth of the ground between two legs and its width near the top, in pixels; (0, 0) without."""
    height, width = mask.shape
    spread = max(2, round(0.12 * width))
    columns = range(max(0, axis - spread), min(width, axis + spread + 1))
    best = (0, 0)
    for column in columns:
        cloth = np.nonzero(mask[:, column])[0]
        if not len(cloth):
            continue
        crotch = int(cloth[-1])
        depth = height - crotch
        if depth > best[0]:
            best = (depth, crotch)
    depth, crotch = best
    if depth < 0.08 * height:
        return 0, 0
    y = min(height - 1, crotch + max(3, round(0.04 * height)))
    ground = mask[y] == 0
    left = axis
    sides = np.nonzero(~ground)[0]
    before, after = sides[sides <= left], sides[sides > left]
    if not len(before) or not len(after):
        return 0, 0
    return depth, int(after[0] - before[-1])


def is_jumpsuit(shape: Shape) -> bool:
    """Whether legs hang from something with a neckline: neither a top nor trousers nor a dress."""
    legs = shape.gap > _LEGS and shape.gap_width < 0.5 * shape.shoulder_width
    # a coat that is open below has sleeves and a neckline
    worn_above = shape.sleeved != (shape.neck_corner >= _NECK)
    return legs and worn_above and shape.rise > _RISE


def classify(shape: Shape) -> Category:
    """Trousers by the gap between the legs, skirts by a straight top edge, dresses by their length."""
    # an open cardigan parts below too, but under sleeves and a neckline; torn jeans have fringes, but no neck
    necked = shape.neck_corner >= _NECK or shape.top_width < _SHOULDERED * shape.shoulder_width
    worn_above = shape.sleeved and necked
    if not worn_above and shape.gap > _LEGS and shape.gap_width < 0.5 * shape.shoulder_width:
        return Category.LOWER
    narrowing = shape.waist_width < 0.9 * shape.top_width
    if not shape.sleeved and _is_waistband(shape) and not narrowing:
        return Category.LOWER
    slimness = shape.waist_width / shape.body
    if shape.sleeved and shape.hem_width < _POINTED * shape.waist_width:
        return Category.UPPER  # a bodysuit
    if slimness < 0.385 or (slimness < 0.47 and shape.hem_width > 1.45 * shape.waist_width):
        return Category.DRESS
    return Category.UPPER


def _is_waistband(shape: Shape) -> bool:
    """Whether a top edge is a skirt's."""
    if shape.waist_width > _TUBE and shape.hem_width < shape.top_width:
        return False
    if shape.top_width < _SHOULDER * shape.waist_width:
        return False
    wide = shape.top_width > _WAISTBAND * shape.shoulder_width and shape.hem_width > _FLARED * shape.top_width
    return shape.neck_corner < _NECK or (shape.sag < _FLAT and wide)
