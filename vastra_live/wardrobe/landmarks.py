"""Named points of a garment, found on its outline.

All rules work on a half path (:mod:`.silhouette`): the wearer's side, x outwards from the symmetry axis, in
units of the silhouette's height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vastra_live.types import F32, Category, Sleeve
from vastra_live.wardrobe.silhouette import Half, Silhouette, bends, sharp_armpit

__all__ = ["find_landmarks"]

_DEEPEST_ARMPIT = 0.95
"""An armpit lies at most so many chest widths below the top; lower, a sleeve lies against the body."""
_USUAL_ARMPIT = 0.68


@dataclass(frozen=True, slots=True)
class _Side:
    """Where the points of one half lie on its path."""

    neck: int
    shoulder: int
    armpit: int
    sleeved: bool
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
    cloth = np.nonzero(ahead)[0]
    first = int(cloth[0]) if len(cloth) else 0  # an open front has none on the axis
    ground = np.nonzero(~ahead[first:])[0]
    return float(first + ground[0] if len(ground) else len(ahead)) / mask.shape[0]


def _upper(silhouette: Silhouette, category: Category) -> tuple[dict[str, tuple[float, float]], Sleeve]:
    points: dict[str, tuple[float, float]] = {}
    kinds = []
    for name, half in (("left", silhouette.left), ("right", silhouette.right)):
        left = name == "left"
        side = _read_side(half)
        path = half.path
        armpit = _armpit_point(path, side)
        hem = path[_hem(half, side.armpit)]
        waist = _waist(silhouette, float(armpit[1]), float(hem[1]), category, left=left, width=float(armpit[0]))
        for role, point in (
            ("neck", path[side.neck]),
            ("shoulder", path[side.shoulder]),
            ("armpit", armpit),
            ("waist", np.array(waist, np.float32)),
            ("hem", hem),
        ):
            _put(points, silhouette, role, name, point)
        if side.cuff is not None:
            _put(points, silhouette, "cuff_outer", name, path[side.cuff[0]])
            _put(points, silhouette, "cuff_inner", name, path[side.cuff[1]])
        kinds.append(_sleeve(path, side))
    (xl, yl), (xr, yr) = points["neck_left"], points["neck_right"]
    points["neck_front"] = ((xl + xr) / 2, (yl + yr) / 2)
    order = list(Sleeve)
    return points, max(kinds, key=order.index)


def _read_side(half: Half) -> _Side:
    path, bend = half.path, half.bend
    armpit = sharp_armpit(half)
    sleeved = armpit is not None
    if armpit is None:
        corner = _strap_corner(path, bend)
        armpit = _armhole_bottom(half, corner)
        neck = _neck(path, bend, corner)
        return _Side(neck, max(corner, neck + 1), armpit, sleeved, None)
    shoulder = _shoulder(path, armpit)
    neck = _neck(path, bend, shoulder)
    return _Side(neck, shoulder, armpit, sleeved, _cuff(half, shoulder, armpit))


def _armpit_point(path: F32, side: _Side) -> F32:
    """The armpit; where a sleeve lies against the body it hides, and is put where it usually is."""
    point = np.asarray(path[side.armpit], np.float32)
    width = 2 * float(point[0])
    if side.sleeved and point[1] > _DEEPEST_ARMPIT * width:
        return np.array([point[0], _USUAL_ARMPIT * width], np.float32)
    return point


def _strap_corner(path: F32, bend: F32) -> int:
    """Without a sleeve: where the shoulder's outer end turns down into the armhole."""
    upper = np.nonzero((path[:, 1] < 0.2) & (path[:, 0] > 0.3 * path[:, 0].max()))[0]
    if not len(upper):
        return max(1, int(path[: len(path) // 3, 0].argmax()))
    return max(1, int(upper[(bend[upper] + 2.0 * path[upper, 0]).argmax()]))


def _armhole_bottom(half: Half, corner: int) -> int:
    """Without a sleeve: where the hollow of the armhole ends in a bulge, near the usual depth."""
    path = half.path
    width = 2 * float(path[corner, 0])
    index = np.arange(len(path))
    below = np.nonzero((index > corner) & (path[:, 1] > path[corner, 1] + 0.3 * width) & (path[:, 1] < 0.6))[0]
    if not len(below):
        return min(len(path) - 1, corner + 1)
    usual = float(path[corner, 1]) + _USUAL_ARMPIT * width
    score = bends(path, 16)[below] - 1.5 * np.abs(path[below, 1] - usual) / width
    return int(below[score.argmax()])


def _neck(path: F32, bend: F32, shoulder: int) -> int:
    """Where the collar meets the shoulder.

    The foot of a standing collar or a hood is the last hollow before the shoulder; an open neckline ends in
    the half's highest point; a closed dome (a shirt's collar) in its sharpest corner.
    """
    inner = np.arange(1, max(2, shoulder))
    reach = float(path[shoulder, 0])
    inner = inner[(path[inner, 0] > 0.15 * reach) & (path[inner, 0] < 0.92 * reach)]
    if not len(inner):
        return max(0, shoulder - 1)
    highest = int(inner[path[inner, 1].argmin()])
    after = inner[inner > highest]
    feet = after[(bend[after] < -0.3) & (path[after, 1] > path[highest, 1] + 0.025)]
    if len(feet):
        return int(feet[bend[feet].argmin()])
    if path[0, 1] > path[highest, 1] + 0.004:
        return highest
    outer = inner[path[inner, 0] > 0.3 * reach]
    return int(outer[bend[outer].argmax()]) if len(outer) else highest


def _shoulder(path: F32, armpit: int) -> int:
    """With a sleeve: the shoulder's outer end lies straight above the armpit."""
    between = np.arange(1, max(2, armpit))
    crossing = between[path[between, 0] >= 0.97 * path[armpit, 0]]
    return int(crossing[0]) if len(crossing) else int(between[path[between, 0].argmax()])


def _cuff(half: Half, shoulder: int, armpit: int) -> tuple[int, int]:
    """The sleeve's two end corners: sharp, with a straight piece between them, far from the body."""
    path = half.path
    index = np.unique(np.linspace(shoulder, armpit, 110).astype(int))
    points, turn = path[index].astype(np.float64), np.minimum(half.bend[index], 1.2)
    base = (points[0] + points[-1]) / 2
    root = float(np.linalg.norm(points[-1] - points[0]))
    far = np.linalg.norm(points - base, axis=1)
    best, corners = -np.inf, (1, max(2, len(index) - 2))
    for i in range(2, len(index) - 3):
        for j in range(i + 2, min(i + 40, len(index) - 1)):
            chord = points[j] - points[i]
            length = float(np.hypot(chord[0], chord[1]))
            if not max(0.02, 0.18 * root) < length < 1.3 * max(root, 0.05):
                continue
            offset = points[i : j + 1] - points[i]
            bulge = np.abs(offset[:, 0] * chord[1] - offset[:, 1] * chord[0]).max() / length
            score = turn[i] + turn[j] - 3.0 * bulge / length + 1.5 * (far[i] + far[j]) / (2 * far.max())
            if score > best:
                best, corners = score, (i, j)
    return int(index[corners[0]]), int(index[corners[1]])


def _sleeve(path: F32, side: _Side) -> Sleeve:
    """The sleeve's kind from its outer length over the width between the shoulders."""
    width = 2 * float(path[side.shoulder, 0])
    if side.cuff is None:
        strap = abs(float(path[side.shoulder, 0] - path[side.neck, 0]))
        return Sleeve.STRAP if strap < 0.11 * width else Sleeve.NONE
    reach = float(np.linalg.norm(path[side.cuff[0]] - path[side.shoulder])) / max(width, 0.05)
    if reach < 0.85:
        return Sleeve.SHORT
    return Sleeve.HALF if reach < 1.35 else Sleeve.LONG


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
    # a straight side has no narrowest place: rather its middle than where a pixel happens to be missing
    widths = np.convolve(np.pad(widths, 3, mode="edge"), np.full(7, 1 / 7), "valid")
    middle = np.abs(heights - heights.mean()) * 0.05
    best = int((widths + middle).argmin())
    return float(widths[best]), float(heights[best])


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
