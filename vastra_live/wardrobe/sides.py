"""The two sides of a top or a dress: neck, shoulder, armpit, sleeve end and hem, read from each and then compared.

All rules work on a half path (:mod:`.silhouette`): the wearer's side, x outwards from the symmetry axis, in
units of the silhouette's height. Garments are symmetric: where the sides disagree, the one that reads less clearly
takes the other's points. A sleeve may lie against the body, a ruffle may look like a sleeve, a tie may hang below the
hem; seldom on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, Sleeve
from vastra_live.wardrobe.cuffs import Ends, read_ends
from vastra_live.wardrobe.hanging import hanging_cuff, hanging_folds
from vastra_live.wardrobe.silhouette import Half, Silhouette, bends, sharp_armpit

__all__ = ["Side", "read_sides"]

_USUAL_ARMPIT = 0.68
"""Depth of an armpit below the top, in chest widths."""
_HIDDEN = (0.8, 0.96)
"""Depth of an armpit below the shoulder's end: at the second a sleeve lies against the body and hides it, and between
the two perhaps; then it lies between where it is seen and where it usually is."""
_BELOW_SHOULDER = 0.6
"""The usual depth below the shoulder's end, whatever stands up above that: a collar, a hood, a piece of a hanger."""
_DEEPEST_FOLD = 2.6
_LONE_ARMPITS = (0.4, 1.6)
"""A sharp hollow deeper than the first is none below a sleeve; one that is seen on one side only must lie between the
second."""
_ELBOW, _WRIST = 0.95, 1.35
"""Sleeves longer than these, in widths between the shoulders, reach beyond the elbow or nearly to the wrist."""
_LOOSE_WRIST = 0.8
"""A loose top is wide, and its shoulders lie on the arms: its sleeves reach the wrist if their length, in widths
between the shoulders, times their length, in heights from neck to hem, is more than this."""
_HIGHEST_CUFF = 0.3
"""A sleeve ends lower than this share of its armpit's depth; what points up is a ruffle, a bow, a strap."""
_SAME = 0.06
"""Points of the two sides farther apart than this are not the same."""
_LEVEL = 0.002
"""Points that differ less in height lie level."""
_COLLAR = 0.025
"""The foot of a standing collar lies this much of the garment's height below its top at least."""
_HOLLOW = (0.2, 0.45)
"""There the outline turns by so much (radians): none stands below the first, one surely does above the second."""
_OPEN = (0.002, 0.008)
"""An outline whose middle lies this much lower than its highest point is a dome's or an open neckline's."""
_BELOW_HEM = 0.05
"""A sleeve that hangs lower than the hem by this share of the height shows its end."""
_TIE = 0.3
"""What hangs lower than the other side's hem and is narrower than this share of it is a tie."""


@dataclass(frozen=True, slots=True)
class Side:
    """The points of one half, each (2,) float32 in the half's coordinates.

    Attributes:
        neck: where collar meets shoulder.
        shoulder: the shoulder's outer end.
        armpit: where sleeve and body meet, or the bottom of the armhole.
        hem: the hem's corner.
        cuff: the sleeve's end, on the shoulder's and on the armpit's side; None without a sleeve.
    """

    neck: F32
    shoulder: F32
    armpit: F32
    hem: F32
    cuff: tuple[F32, F32] | None

    @property
    def sleeve(self) -> Sleeve:
        """The sleeve's kind from its length over the width between the shoulders and the height from neck to hem."""
        width = 2 * float(self.shoulder[0])
        if self.cuff is None:
            strap = abs(float(self.shoulder[0] - self.neck[0]))
            return Sleeve.STRAP if strap < 0.11 * width else Sleeve.NONE
        outer, inner = (float(np.linalg.norm(corner - self.shoulder)) for corner in self.cuff)
        # of a rounded end the lower corner is the farther one
        reach = max(outer, inner) / max(width, 0.05)
        loose = reach * max(outer, inner) / max(float(self.hem[1] - self.neck[1]), 0.05)
        if reach > _WRIST or (reach > _ELBOW and loose > _LOOSE_WRIST):
            return Sleeve.LONG
        return Sleeve.SHORT if outer < _ELBOW * max(width, 0.05) else Sleeve.HALF


@dataclass(frozen=True, slots=True)
class _Arm:
    """A sleeve on one half's path.

    Attributes:
        armpit: (2,) float32, the armpit.
        shoulder: index of the shoulder's outer end.
        cuff: the sleeve's two end corners, (2,) float32 each.
        ends: what these might be; None where the half shows no armpit of its own.
    """

    armpit: F32
    shoulder: int
    cuff: tuple[F32, F32]
    ends: Ends | None

    @property
    def depth(self) -> float:
        """Of the armpit, in chest widths."""
        return float(self.armpit[1]) / max(2 * float(self.armpit[0]), 1e-3)

    def below(self, half: Half) -> float:
        """Depth of the armpit below the shoulder's end, in chest widths."""
        return float(self.armpit[1] - half.path[self.shoulder, 1]) / max(2 * float(self.armpit[0]), 1e-3)

    @property
    def believed(self) -> bool:
        """Whether it looks like a sleeve at all."""
        end = float(self.cuff[0][1] + self.cuff[1][1]) / 2
        return self.depth < _DEEPEST_FOLD and end > _HIGHEST_CUFF * float(self.armpit[1])


def read_sides(silhouette: Silhouette) -> tuple[Side, Side]:
    """The wearer's left and right side."""
    halves = (silhouette.left, silhouette.right)
    arms = _arms(*halves)
    if arms is None:
        corners = [_strap_corner(half.path, half.bend) for half in halves]
        standing = _standing(halves, corners)
        left, right = (_sleeveless(half, corner, standing) for half, corner in zip(halves, corners, strict=True))
    else:
        # two armpits at one place are both seen or both hidden
        depth = min(arm.below(half) for half, arm in zip(halves, arms, strict=True))
        hidden = float(np.interp(depth, _HIDDEN, (0, 1)))
        standing = _standing(halves, [arm.shoulder for arm in arms])
        left, right = (_sleeved(half, arm, hidden, standing) for half, arm in zip(halves, arms, strict=True))
    left, right = _with_one_neck(halves, left, right)
    return (
        replace(left, hem=_hem(silhouette, left.hem, right.hem, left=True)),
        replace(right, hem=_hem(silhouette, right.hem, left.hem, left=False)),
    )


def _arms(left: Half, right: Half) -> tuple[_Arm, _Arm] | None:
    """The sleeves of both sides; None if there are none."""
    own = [_arm(half, fold) for half in (left, right) if (fold := sharp_armpit(half)) is not None]
    found = [arm for arm in own if arm.believed]
    if not found:
        return _hanging(left, right)
    best = min(found, key=lambda arm: abs(float(np.log(max(arm.depth, 1e-3) / _USUAL_ARMPIT))))
    if len(found) == 1 and not _LONE_ARMPITS[0] < best.depth < _LONE_ARMPITS[1]:
        return _hanging(left, right)
    first, second = _own(left, best), _own(right, best)
    return _with_cuff(left, first, second), _with_cuff(right, second, first)


def _hanging(left: Half, right: Half) -> tuple[_Arm, _Arm] | None:
    """Sleeves that no gap parts from the body, if both sides have one."""
    folds = hanging_folds((left, right))
    if folds is None:
        return None
    arms = []
    for half, fold in zip((left, right), folds, strict=True):
        arm = _arm(half, fold)
        if float(half.path[arm.shoulder : fold + 1, 1].max()) < half.path[fold, 1] + _BELOW_HEM:
            arm = replace(arm, cuff=hanging_cuff(half, fold))
        arms.append(arm)
    return arms[0], arms[1]


def _arm(half: Half, fold: int) -> _Arm:
    """The sleeve between the neck and the index where it meets the body."""
    shoulder = _shoulder(half.path, fold)
    ends = read_ends(half, shoulder, fold)
    return _Arm(np.asarray(half.path[fold], np.float32), shoulder, ends.corners(), ends)


def _own(half: Half, best: _Arm) -> _Arm:
    """A half's own sleeve, with the other half's armpit where its own cannot be right."""
    fold = sharp_armpit(half)
    arm = None if fold is None else _arm(half, fold)
    if arm is not None and arm.believed:
        apart = float(np.abs(arm.armpit - best.armpit).max())
        share = np.float32(np.interp(apart, (_SAME / 2, _SAME), (0, 1)))
        if share < 1:
            return replace(arm, armpit=arm.armpit + share * (best.armpit - arm.armpit))
    else:
        arm = _arm(half, _nearest(half.path, best.armpit))
    return replace(arm, armpit=best.armpit, ends=None)


def _with_cuff(half: Half, arm: _Arm, other: _Arm) -> _Arm:
    """The sleeve with end corners that fit the other side's, too; that side's where it has no armpit of its own."""
    if arm.ends is not None:
        return replace(arm, cuff=arm.ends.corners(other.ends))
    outer, inner = (_snapped(half.path, corner) for corner in other.cuff)
    return replace(arm, cuff=(outer, inner))


def _nearest(path: F32, point: F32) -> int:
    return max(1, int(np.linalg.norm(path - point, axis=1).argmin()))


def _snapped(path: F32, point: F32) -> F32:
    """The path's point next to another side's, if there is one nearby; that point itself otherwise."""
    near = np.asarray(path[_nearest(path, point)], np.float32)
    return near if float(np.linalg.norm(near - point)) < _SAME else point


def _sleeved(half: Half, arm: _Arm, hidden: float, standing: float) -> Side:
    path = half.path
    usual = float(path[arm.shoulder, 1]) + _BELOW_SHOULDER * 2 * float(arm.armpit[0])
    height = (1 - hidden) * float(arm.armpit[1]) + hidden * usual
    armpit = np.array([arm.armpit[0], height], np.float32)
    neck = _neck(half, arm.shoulder, standing)
    return Side(neck, path[arm.shoulder], armpit, path[_corner(path, arm.armpit)], arm.cuff)


def _sleeveless(half: Half, corner: int, standing: float) -> Side:
    path = half.path
    bottom = _armhole_bottom(half, corner)
    neck = _neck(half, corner, standing)
    outer = max(corner, _nearest(path, neck) + 1)
    return Side(neck, path[outer], path[bottom], path[_corner(path, path[bottom])], None)


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


def _neck(half: Half, shoulder: int, standing: float) -> F32:
    """Where the collar meets the shoulder, (2,) float32.

    The foot of a standing collar or a hood is the last hollow before the shoulder; an open neckline ends in
    the half's highest point; a closed dome (a shirt's collar) in its sharpest corner.

    Args:
        half: the side.
        shoulder: index of the shoulder's outer end.
        standing: how surely a collar stands there, 0..1; the point lies between where it is with and without one.
    """
    path = half.path
    inner = _inner(path, shoulder)
    if not len(inner):
        return np.asarray(path[max(0, shoulder - 1)], np.float32)
    highest = _highest(path, inner)
    outer = inner[path[inner, 0] > 0.3 * float(path[shoulder, 0])]
    corner = int(outer[half.bend[outer].argmax()]) if len(outer) else highest
    open_ = np.interp(float(path[0, 1] - path[highest, 1]), _OPEN, (0, 1))
    at = open_ * highest + (1 - open_) * corner
    foot = _foot(half, shoulder)
    if foot is not None:
        at = standing * foot + (1 - standing) * at
    every = np.arange(len(path))
    return np.array([np.interp(at, every, path[:, axis]) for axis in (0, 1)], np.float32)


def _with_one_neck(halves: tuple[Half, Half], left: Side, right: Side) -> tuple[Side, Side]:
    """The sides, both with that one's neck point which is the clearer corner on both, should they disagree.

    The neck of a one-shouldered garment is where the other half has no outline, and both stay.
    """
    necks, paths = (left.neck, right.neck), [half.path for half in halves]
    if float(np.abs(necks[0] - necks[1]).max()) < _SAME:
        return left, right
    places = [[_nearest(path, neck) for path in paths] for neck in necks]
    off = [
        max(float(np.linalg.norm(path[k] - neck)) for path, k in zip(paths, at, strict=True))
        for neck, at in zip(necks, places, strict=True)
    ]
    clear = [sum(float(half.bend[k]) for half, k in zip(halves, at, strict=True)) for at in places]
    first = 0 if clear[0] > clear[1] else 1
    if off[first] > _SAME:
        return left, right
    one, other = (np.asarray(path[k], np.float32) for path, k in zip(paths, places[first], strict=True))
    return replace(left, neck=one), replace(right, neck=other)


def _inner(path: F32, shoulder: int) -> npt.NDArray[np.int64]:
    """Indices of a path where a collar may meet the shoulder."""
    inner = np.arange(1, max(2, shoulder))
    reach = float(path[shoulder, 0])
    return np.asarray(inner[(path[inner, 0] > 0.15 * reach) & (path[inner, 0] < 0.92 * reach)], np.int64)


def _highest(path: F32, inner: npt.NDArray[np.int64]) -> int:
    """The index of the highest point; of a level piece, such as a strap's top, its inner end."""
    return int(inner[path[inner, 1] < path[inner, 1].min() + _LEVEL][0])


def _foot(half: Half, shoulder: int) -> int | None:
    """The sharpest hollow between the half's highest point and its shoulder, if there is any below that point."""
    inner = _inner(half.path, shoulder)
    if not len(inner):
        return None
    highest = _highest(half.path, inner)
    after = inner[(inner > highest) & (half.path[inner, 1] > half.path[highest, 1] + _COLLAR)]
    return int(after[half.bend[after].argmin()]) if len(after) else None


def _standing(halves: tuple[Half, Half], shoulders: list[int]) -> float:
    """How surely a collar stands up on the shoulders, 0..1: how hollow its foot is on the side where it is less so."""
    feet = [_foot(half, shoulder) for half, shoulder in zip(halves, shoulders, strict=True)]
    hollow = [0.0 if foot is None else -float(half.bend[foot]) for half, foot in zip(halves, feet, strict=True)]
    return float(np.interp(min(hollow), _HOLLOW, (0, 1)))


def _shoulder(path: F32, armpit: int) -> int:
    """With a sleeve: the shoulder's outer end lies straight above the armpit."""
    between = np.arange(1, max(2, armpit))
    crossing = between[path[between, 0] >= 0.97 * path[armpit, 0]]
    return int(crossing[0]) if len(crossing) else int(between[path[between, 0].argmax()])


def _corner(path: F32, armpit: F32) -> int:
    """The hem's corner: below the armpit, farthest outwards and down."""
    after = np.arange(_nearest(path, armpit), len(path))
    return int(after[(path[after, 1] + 0.7 * path[after, 0]).argmax()])


def _hem(silhouette: Silhouette, own: F32, other: F32, *, left: bool) -> F32:
    """A side's hem corner; the other side's where its own is the end of a hanging tie."""
    if own[1] - other[1] < _SAME:
        return own
    row = silhouette.mask[round((float(own[1]) - 0.02) * silhouette.mask.shape[0])] > 0
    wide = np.count_nonzero(row) / silhouette.mask.shape[0]
    if wide > _TIE * 2 * float(other[0]):
        return own
    return _snapped((silhouette.left if left else silhouette.right).path, other)
