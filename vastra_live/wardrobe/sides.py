"""The two sides of a top or a dress: neck, shoulder, armpit, sleeve end and hem, read from each and then compared.

All rules work on a half path (:mod:`.silhouette`): the wearer's side, x outwards from the symmetry axis, in
units of the silhouette's height. Garments are symmetric: where the sides disagree, the one that reads less clearly
takes the other's points. A sleeve may lie against the body, a ruffle may look like a sleeve, a tie may hang below the
hem; seldom on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vastra_live.types import F32, Sleeve
from vastra_live.wardrobe.silhouette import Half, Silhouette, bends, sharp_armpit

__all__ = ["Side", "read_sides"]

_USUAL_ARMPIT = 0.68
"""Depth of an armpit below the top, in chest widths."""
_DEEPEST_ARMPIT = 0.95
"""Lower, a sleeve lies against the body and hides it."""
_DEEPEST_FOLD = 2.6
_LONE_ARMPITS = (0.4, 1.6)
"""A sharp hollow deeper than the first is none below a sleeve; one that is seen on one side only must lie between the
second."""
_HIGHEST_CUFF = 0.3
"""A sleeve ends lower than this share of its armpit's depth; what points up is a ruffle, a bow, a strap."""
_SAME = 0.06
_SAME_CUFF = 0.08
"""Points of the two sides farther apart than this are not the same."""
_LONGEST_END = 60
"""Of 110 points from shoulder to armpit, a sleeve's end runs over at most so many."""
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
        """The sleeve's kind from its outer length over the width between the shoulders."""
        width = 2 * float(self.shoulder[0])
        if self.cuff is None:
            strap = abs(float(self.shoulder[0] - self.neck[0]))
            return Sleeve.STRAP if strap < 0.11 * width else Sleeve.NONE
        reach = float(np.linalg.norm(self.cuff[0] - self.shoulder)) / max(width, 0.05)
        if reach < 0.85:
            return Sleeve.SHORT
        return Sleeve.HALF if reach < 1.35 else Sleeve.LONG


@dataclass(frozen=True, slots=True)
class _Arm:
    """A sleeve on one half's path.

    Attributes:
        armpit: (2,) float32, the armpit.
        shoulder: index of the shoulder's outer end.
        cuff: the sleeve's two end corners, (2,) float32 each.
        clear: how clearly these show.
    """

    armpit: F32
    shoulder: int
    cuff: tuple[F32, F32]
    clear: float

    @property
    def depth(self) -> float:
        """Of the armpit, in chest widths."""
        return float(self.armpit[1]) / max(2 * float(self.armpit[0]), 1e-3)

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
        left, right = (_sleeveless(half) for half in halves)
    else:
        # two armpits at one place are both seen or both hidden
        hidden = min(arm.depth for arm in arms) > _DEEPEST_ARMPIT
        left, right = (_sleeved(half, arm, hidden) for half, arm in zip(halves, arms, strict=True))
    return (
        replace(left, hem=_hem(silhouette, left.hem, right.hem, left=True)),
        replace(right, hem=_hem(silhouette, right.hem, left.hem, left=False)),
    )


def _arms(left: Half, right: Half) -> tuple[_Arm, _Arm] | None:
    """The sleeves of both sides; None if there are none."""
    own = [_arm(half, fold) for half in (left, right) if (fold := sharp_armpit(half)) is not None]
    found = [arm for arm in own if arm.believed]
    if not found:
        return None
    best = min(found, key=lambda arm: abs(float(np.log(max(arm.depth, 1e-3) / _USUAL_ARMPIT))))
    if len(found) == 1 and not _LONE_ARMPITS[0] < best.depth < _LONE_ARMPITS[1]:
        return None
    pair = [_own(half, best) for half in (left, right)]
    clearest = max(pair, key=lambda arm: arm.clear)
    return _same_cuff(left, pair[0], clearest), _same_cuff(right, pair[1], clearest)


def _arm(half: Half, fold: int) -> _Arm:
    """The sleeve between the neck and the index where it meets the body."""
    shoulder = _shoulder(half.path, fold)
    cuff, clear = _cuff(half, shoulder, fold)
    return _Arm(np.asarray(half.path[fold], np.float32), shoulder, cuff, clear)


def _own(half: Half, best: _Arm) -> _Arm:
    """A half's own sleeve, with the other half's armpit where its own cannot be right."""
    fold = sharp_armpit(half)
    arm = None if fold is None else _arm(half, fold)
    if arm is None or not arm.believed:
        arm = _arm(half, _nearest(half.path, best.armpit))
    elif float(np.abs(arm.armpit - best.armpit).max()) < _SAME:
        return arm
    return replace(arm, armpit=best.armpit, clear=-np.inf)


def _same_cuff(half: Half, arm: _Arm, clearest: _Arm) -> _Arm:
    """The sleeve with its own end corners, or those of the other side where these differ and show more clearly."""
    apart = max(float(np.abs(a - b).max()) for a, b in zip(arm.cuff, clearest.cuff, strict=True))
    if apart < _SAME_CUFF:
        return arm
    outer, inner = (_snapped(half.path, corner) for corner in clearest.cuff)
    return replace(arm, cuff=(outer, inner))


def _nearest(path: F32, point: F32) -> int:
    return max(1, int(np.linalg.norm(path - point, axis=1).argmin()))


def _snapped(path: F32, point: F32) -> F32:
    """The path's point next to another side's, if there is one nearby; that point itself otherwise."""
    near = np.asarray(path[_nearest(path, point)], np.float32)
    return near if float(np.linalg.norm(near - point)) < _SAME else point


def _sleeved(half: Half, arm: _Arm, hidden: bool) -> Side:
    path = half.path
    width = 2 * float(arm.armpit[0])
    armpit = arm.armpit
    if hidden:
        armpit = np.array([armpit[0], _USUAL_ARMPIT * width], np.float32)
    neck = _neck(path, half.bend, arm.shoulder)
    return Side(path[neck], path[arm.shoulder], armpit, path[_corner(path, arm.armpit)], arm.cuff)


def _sleeveless(half: Half) -> Side:
    path = half.path
    corner = _strap_corner(path, half.bend)
    bottom = _armhole_bottom(half, corner)
    neck = _neck(path, half.bend, corner)
    return Side(path[neck], path[max(corner, neck + 1)], path[bottom], path[_corner(path, path[bottom])], None)


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


def _cuff(half: Half, shoulder: int, fold: int) -> tuple[tuple[F32, F32], float]:
    """The sleeve's two end corners: sharp, with a straight piece between them, far from the body.

    Returns:
        The outer and the inner corner, and how clear they are.
    """
    path = half.path
    index = np.unique(np.linspace(shoulder, fold, 110).astype(int))
    points, turn = path[index].astype(np.float64), np.minimum(half.bend[index], 1.2)
    base = (points[0] + points[-1]) / 2
    root = float(np.linalg.norm(points[-1] - points[0]))
    far = np.linalg.norm(points - base, axis=1)
    step = float(np.linalg.norm(np.diff(points, axis=0), axis=1).mean())
    best, corners = -np.inf, (1, max(2, len(index) - 2))
    for i in range(2, len(index) - 3):
        chord = points[i : min(i + _LONGEST_END, len(index) - 1)] - points[i]
        length = np.maximum(np.linalg.norm(chord, axis=1), 1e-6)
        areas = np.abs(chord[:, None, 0] * chord[None, :, 1] - chord[:, None, 1] * chord[None, :, 0])
        bulge = np.tril(areas).max(axis=1) / length
        j = i + np.arange(len(chord))
        score = turn[i] + turn[j] - 3.0 * bulge / length + 1.5 * (far[i] + far[j]) / (2 * far.max())
        # the seam below an arm is no longer than the sleeve's outside
        score -= 5.0 * np.maximum(0, len(index) - 1 - j - i) * step / far.max()
        score[(length <= max(0.02, 0.18 * root)) | (length >= 1.3 * max(root, 0.05)) | (j < i + 2)] = -np.inf
        if score.max() > best:
            best, corners = float(score.max()), (i, int(j[score.argmax()]))
    outer, inner = (path[index[min(corner, len(index) - 1)]] for corner in corners)
    return (np.asarray(outer, np.float32), np.asarray(inner, np.float32)), best


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
