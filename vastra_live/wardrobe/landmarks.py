"""Named points of a garment, found on its outline."""

from __future__ import annotations

import numpy as np

from vastra_live.types import F32, Category, Sleeve
from vastra_live.wardrobe.sides import Side, read_sides
from vastra_live.wardrobe.silhouette import Silhouette

__all__ = ["find_landmarks"]

Points = dict[str, tuple[float, float]]

_WAIST_TOP = (0.35, 0.55, 0.75)
"""A waist lies between the first and the last share of the way from armpit to hem; on straight sides at the second."""
_WAIST_DRESS = (0.7, 1.3, 2.2)
"""The same for a dress, in half chest widths below the armpit."""
_CLEAR_WAIST = 0.012
"""A side that draws in by this much of the garment's height shows where the waist is."""
_APEX = 0.004
"""Points this much of the height below the top of the gap between two legs have a say in where it is."""
_LEGS = 0.1
"""A gap from the hem up to this share of the height parts two legs; a skirt has none."""


def find_landmarks(silhouette: Silhouette, category: Category) -> tuple[Points, Sleeve]:
    """The named points of :class:`~vastra_live.types.Garment`, in pixels of the picture, and the sleeve's kind.

    ``neck_front`` is put on the outline's top; :mod:`.neckline` moves it down to the front collar.
    """
    if category is Category.LOWER:
        return _lower(silhouette), Sleeve.NONE
    return _upper(silhouette, category)


def _put(points: Points, silhouette: Silhouette, name: str, side: str, point: F32) -> None:
    points[f"{name}_{side}"] = silhouette.to_picture(point, left=side == "left")


def _upper(silhouette: Silhouette, category: Category) -> tuple[Points, Sleeve]:
    points: Points = {}
    both = read_sides(silhouette)
    waist = _waist(silhouette, both, category)
    for name, side in zip(("left", "right"), both, strict=True):
        for role in ("neck", "shoulder", "armpit", "hem"):
            _put(points, silhouette, role, name, getattr(side, role))
        half_width = _side_width(silhouette, side, np.array([waist]), left=name == "left")
        _put(points, silhouette, "waist", name, np.array([half_width[0], waist], np.float32))
        if side.cuff is not None:
            _put(points, silhouette, "cuff_outer", name, side.cuff[0])
            _put(points, silhouette, "cuff_inner", name, side.cuff[1])
    (xl, yl), (xr, yr) = points["neck_left"], points["neck_right"]
    points["neck_front"] = ((xl + xr) / 2, (yl + yr) / 2)
    order = list(Sleeve)
    return points, max((side.sleeve for side in both), key=order.index)


def _waist(silhouette: Silhouette, both: tuple[Side, Side], category: Category) -> float:
    """Height of the waist: the mean of where it usually is and of where the sides draw in, the more they do so."""
    top = float(both[0].armpit[1] + both[1].armpit[1]) / 2
    bottom = float(both[0].hem[1] + both[1].hem[1]) / 2
    if category is Category.DRESS:
        half = float(both[0].armpit[0] + both[1].armpit[0]) / 2
        low, usual, high = (min(top + share * half, bottom - 0.1) for share in _WAIST_DRESS)
    else:
        low, usual, high = (top + share * (bottom - top) for share in _WAIST_TOP)
    heights = np.linspace(low, max(low + 0.01, high), 49)
    widths = sum(
        _side_width(silhouette, side, heights, left=left) for side, left in zip(both, (True, False), strict=True)
    )
    widths = np.convolve(np.pad(np.asarray(widths) / 2, 4, mode="edge"), np.full(9, 1 / 9), "valid")
    away = (heights - usual) / max(high - low, 0.01)
    weight = np.exp(-(widths - widths.min()) / _CLEAR_WAIST - 2 * away**2)
    return float((weight * heights).sum() / weight.sum())


def _side_width(silhouette: Silhouette, side: Side, heights: F32, *, left: bool) -> F32:
    """Half width of the middle piece of cloth at some heights.

    Where a sleeve lies against the body there is no outline between the two: no wider than from armpit to hem.
    """
    ends = np.interp(heights, [side.armpit[1], side.hem[1]], [side.armpit[0], side.hem[0]])
    # within half of that an open front may part, or a print look like a hole
    rows = np.array(
        [_row_inside(silhouette, float(y), float(end) / 2, left=left) for y, end in zip(heights, ends, strict=True)]
    )
    return np.asarray(np.where(rows > 1.15 * ends, ends, rows), np.float32)


def _row_inside(silhouette: Silhouette, y: float, near: float, *, left: bool) -> float:
    """Half width of the middle piece of cloth at height ``y``, on one side; holes nearer to the axis do not count."""
    mask = silhouette.mask
    row = mask[min(mask.shape[0] - 1, max(0, round(y * mask.shape[0])))] > 0
    start = min(row.size - 1, max(0, round(silhouette.axis)))
    ahead = row[start:] if left else row[start::-1]
    cloth = np.nonzero(ahead[round(near * mask.shape[0]) :])[0]
    first = round(near * mask.shape[0]) + int(cloth[0]) if len(cloth) else 0
    ground = np.nonzero(~ahead[first:])[0]
    return float(first + ground[0] if len(ground) else len(ahead)) / mask.shape[0]


def _lower(silhouette: Silhouette) -> Points:
    """Waist, crotch and leg ends of trousers; waist and hem of a skirt."""
    points: Points = {}
    halves = {"left": silhouette.left, "right": silhouette.right}
    legs = all(1 - half.path[-1, 1] > _LEGS for half in halves.values())
    gaps: list[tuple[F32, list[tuple[float, float]]]] = []
    for name, half in halves.items():
        path = half.path
        top = np.arange(max(2, len(path) // 4))
        waist = int(top[(path[top, 0] - 1.5 * path[top, 1]).argmax()])
        _put(points, silhouette, "waist", name, path[waist])
        outer = int((path[:, 1] + 0.5 * path[:, 0]).argmax())
        if not legs:
            _put(points, silhouette, "hem", name, path[outer])
            continue
        inner_part = np.arange(outer, len(path))
        inner = int(inner_part[(path[inner_part, 1] - 0.5 * path[inner_part, 0]).argmax()])
        _put(points, silhouette, "cuff_outer", name, path[outer])
        _put(points, silhouette, "cuff_inner", name, path[inner])
        gap = path[inner:]
        gaps.append((gap[:, 1], [silhouette.to_picture(point, left=name == "left") for point in gap]))
    if legs:
        # the legs part where the gap between them is highest, which need not be on the axis
        height = np.concatenate([heights for heights, _ in gaps])
        weight = np.exp(-(height - height.min()) / _APEX)
        x, y = weight @ np.array([point for _, gap in gaps for point in gap]) / weight.sum()
        points["crotch"] = (float(x), float(y))
    return points
