"""Named points of a garment, found on its outline.

All rules work on a half path (:mod:`.silhouette`): the wearer's side, x outwards from the symmetry axis, in
units of the silhouette's height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vastra_live.types import F32, Category, Sleeve
from vastra_live.wardrobe.silhouette import Half, Silhouette, bends

__all__ = ["find_landmarks"]

_SHARP = 0.6
"""An armpit turns by more than this (radians); the hollow of a waist or an armhole does not."""


@dataclass(frozen=True, slots=True)
class _Side:
    """Where the points of one half lie on its path."""

    neck: int
    shoulder: int
    armpit: int
    cuff: tuple[int, int] | None


def find_landmarks(silhouette: Silhouette, category: Category) -> tuple[dict[str, tuple[float, float]], Sleeve]:
    """The named points of :class:`~vastra_live.types.Garment`, in pixels of the picture, and the sleeve's kind.

    ``neck_front`` is put on the outline's top; :mod:`.neckline` moves it down to the front collar.
    """
    if category is Category.LOWER:
        return _lower(silhouette), Sleeve.NONE
    return _upper(silhouette, category)


def _put(points: dict[str, tuple[float, float]], silhouette: Silhouette, name: str, side: str, point: F32) -> None:
    points[f"{name}_{side}"] = silhouette.to_picture(point, left=side == "left")


def _row_inside(silhouette: Silhouette, y: float, *, left: bool) -> float:
    """Half width of the middle piece of cloth at height ``y``, on one side."""
    mask = silhouette.mask
    row = mask[min(mask.shape[0] - 1, max(0, round(y * mask.shape[0])))] > 0
    start = min(row.size - 1, max(0, round(silhouette.axis)))
    ahead = row[start:] if left else row[start::-1]
    ground = np.nonzero(~ahead)[0]
    return float(ground[0] if len(ground) else len(ahead)) / mask.shape[0]


def _upper(silhouette: Silhouette, category: Category) -> tuple[dict[str, tuple[float, float]], Sleeve]:
    points: dict[str, tuple[float, float]] = {}
    reaches = []
    for name, half in (("left", silhouette.left), ("right", silhouette.right)):
        left = name == "left"
        side = _read_side(half)
        path = half.path
        _put(points, silhouette, "neck", name, path[side.neck])
        _put(points, silhouette, "shoulder", name, path[side.shoulder])
        _put(points, silhouette, "armpit", name, path[side.armpit])
        top, bottom = float(path[side.armpit, 1]), float(path[:, 1].max())
        hem = _hem(half, side.armpit)
        _put(points, silhouette, "hem", name, path[hem])
        bottom = float(path[hem, 1])
        waist = _waist(silhouette, top, bottom, category, left=left, width=float(path[side.armpit, 0]))
        points[f"waist_{name}"] = silhouette.to_picture(np.array(waist, np.float32), left=left)
        if side.cuff is not None:
            outer, inner = side.cuff
            _put(points, silhouette, "cuff_outer", name, path[outer])
            _put(points, silhouette, "cuff_inner", name, path[inner])
            length = float(np.linalg.norm(path[outer] - path[side.shoulder]))
            reaches.append(length / max(0.05, 2 * float(path[side.armpit, 0])))
    points["neck_front"] = (
        (points["neck_left"][0] + points["neck_right"][0]) / 2,
        (points["neck_left"][1] + points["neck_right"][1]) / 2,
    )
    return points, _sleeve(reaches, silhouette)


def _read_side(half: Half) -> _Side:
    path = half.path
    armpit, sleeved = _armpit(half)
    neck = _neck(half, armpit)
    shoulder = _shoulder(path, half.bend, neck, armpit, sleeved=sleeved)
    cuff = _cuff(path, shoulder, armpit) if sleeved else None
    return _Side(neck, shoulder, armpit, cuff)


def _armpit(half: Half) -> tuple[int, bool]:
    """Index of the armpit, and whether a sleeve leaves the body there."""
    path, bend = half.path, half.bend
    widest = float(path[:, 0].max())
    candidates = np.nonzero(
        (path[:, 0] > 0.25 * widest) & (path[:, 1] > 0.06) & (path[:, 1] < 0.75) & (bend < -_SHARP)
    )[0]
    # the outline runs outwards along the sleeve before the armpit, so something wider must come before it
    before = np.maximum.accumulate(path[:, 0])
    candidates = candidates[before[candidates] > path[candidates, 0] + 0.02]
    if len(candidates):
        return int(candidates[half.bend[candidates].argmin()]), True
    upper = np.nonzero((path[:, 1] > 0.08) & (path[:, 1] < 0.45) & (path[:, 0] > 0.3 * widest))[0]
    if not len(upper):
        return len(path) // 3, False
    # the bottom of an armhole is where its hollow ends in a bulge
    fine = bends(path, 8)[upper]
    bulge = fine - 0.5 * np.abs(path[upper, 1] - 0.22)
    return int(upper[bulge.argmax()]), False


def _neck(half: Half, armpit: int) -> int:
    """Where the collar meets the shoulder: the highest point of the half, or the foot of a standing collar."""
    path = half.path
    reach = path[:, 0] < max(0.05, 0.9 * float(path[armpit, 0]))
    upper = np.nonzero(reach & (np.arange(len(path)) < armpit))[0]
    if not len(upper):
        return 0
    return int(upper[path[upper, 1].argmin()])


def _shoulder(path: F32, bend: F32, neck: int, armpit: int, *, sleeved: bool) -> int:
    """Outer end of the shoulder: above the armpit, or the corner where a strap turns down."""
    between = np.arange(neck + 1, max(neck + 2, armpit))
    if sleeved:
        target = float(path[armpit, 0])
        crossing = between[path[between, 0] >= 0.97 * target]
        return int(crossing[0]) if len(crossing) else int(between[path[between, 0].argmax()])
    above = between[path[between, 1] < path[armpit, 1] - 0.03]
    return int(above[bend[above].argmax()]) if len(above) else int(between[0])


def _cuff(path: F32, shoulder: int, armpit: int) -> tuple[int, int]:
    """The sleeve's two end corners: the three chords that follow the outline from shoulder to armpit best."""
    index = np.unique(np.linspace(shoulder, armpit, 64).astype(int))
    points = path[index].astype(np.float64)
    count = len(points)
    error = np.zeros((count, count))
    for i in range(count - 1):
        for j in range(i + 1, count):
            chord = points[j] - points[i]
            length = max(1e-6, float(np.hypot(*chord)))
            offset = points[i : j + 1] - points[i]
            error[i, j] = (((offset[:, 0] * chord[1] - offset[:, 1] * chord[0]) / length) ** 2).sum()
    best, corners = np.inf, (1, 2)
    for i in range(1, count - 2):
        for j in range(i + 1, count - 1):
            cost = error[0, i] + 2 * error[i, j] + error[j, count - 1]
            if cost < best:
                best, corners = cost, (i, j)
    return int(index[corners[0]]), int(index[corners[1]])


def _hem(half: Half, armpit: int) -> int:
    """The hem's corner: after the armpit, farthest outwards and down."""
    path = half.path
    after = np.arange(armpit, len(path))
    return int(after[(path[after, 1] + 0.7 * path[after, 0]).argmax()])


def _waist(
    silhouette: Silhouette, top: float, bottom: float, category: Category, *, left: bool, width: float
) -> tuple[float, float]:
    """The narrowest place of the middle piece, where a waist can be."""
    if category is Category.DRESS:
        low, high = top + 0.7 * width, min(top + 2.2 * width, bottom - 0.1)
    else:
        low, high = top + 0.35 * (bottom - top), top + 0.75 * (bottom - top)
    heights = np.linspace(low, max(low + 0.01, high), 24)
    widths = np.array([_row_inside(silhouette, float(y), left=left) for y in heights])
    middle = np.abs(heights - heights.mean()) * 0.05
    best = int((widths + middle).argmin())
    return float(widths[best]), float(heights[best])


def _sleeve(reaches: list[float], silhouette: Silhouette) -> Sleeve:
    """The sleeve's kind from its length over the chest's width."""
    del silhouette
    if not reaches:
        return Sleeve.NONE
    reach = float(np.mean(reaches))
    if reach < 0.62:
        return Sleeve.SHORT
    return Sleeve.HALF if reach < 0.85 else Sleeve.LONG


def _lower(silhouette: Silhouette) -> dict[str, tuple[float, float]]:
    """Waist, crotch and leg ends; of a skirt the crotch is the middle of the hem and the inner ends meet there."""
    points: dict[str, tuple[float, float]] = {}
    crotches = []
    for name, half in (("left", silhouette.left), ("right", silhouette.right)):
        path = half.path
        top = np.arange(max(2, len(path) // 4))
        waist = int(top[(path[top, 0] - 1.5 * path[top, 1]).argmax()])
        outer = int((path[:, 1] + 0.5 * path[:, 0]).argmax())
        inner_part = np.arange(outer, len(path))
        inner = int(inner_part[(path[inner_part, 1] - 0.5 * path[inner_part, 0]).argmax()])
        _put(points, silhouette, "waist", name, path[waist])
        _put(points, silhouette, "cuff_outer", name, path[outer])
        _put(points, silhouette, "cuff_inner", name, path[inner])
        crotches.append(silhouette.to_picture(path[-1], left=name == "left"))
    points["crotch"] = (
        (crotches[0][0] + crotches[1][0]) / 2,
        (crotches[0][1] + crotches[1][1]) / 2,
    )
    return points
