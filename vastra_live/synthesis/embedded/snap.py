"""What is worn shows how cloth sits on this body: where the new garment would end beside an edge of it, it ends there.

The skeleton places a garment to within a few hundredths of a shoulder width. The worn top's own outline (shoulder
line, sleeves, sides, and neckline, hem and cuffs where it is cut alike) is known to a pixel. Points of the
garment's outline look along their normal for such an edge; how far they move falls off with its distance, so that a
garment of another cut keeps its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import arm_point, middle_of, sample, unit_vector
from vastra_live.synthesis.embedded.reading import BACKGROUND, HAIR, LOWER, SKIN, Reading
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32

__all__ = ["Edge", "EdgeKind", "snapped"]

Mask = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.intp]

_STEPS = 41
_EVENLY = np.linspace(-1.0, 1.0, _STEPS)
_EASE = 0.015
"""Cloth stands off the skin, in shoulder widths."""
_ONE_HEM = 0.07
"""So far, in shoulder widths, points of a hem may find it apart from what most of them find; from twice that on they do
not count."""
_LEVEL = 0.5
"""How much a hem stays as level as the garment is cut, where a point that surely finds an edge counts 1."""
_WIDENS = 0.1
"""How much a neckline stays as wide as it is cut: what is found at its one end tells little of the other."""
_STANDS_OFF = 0.03
"""So far, in shoulder widths, a short sleeve may follow one that stands off."""
_BENT = 0.25
"""Cosine between upper arm and forearm below which what is seen in its crease is no edge to follow."""
_LEFT = 0.3
"""So much of the way between two neighbours on an edge is left at least, along itself."""


class EdgeKind(Enum):
    """Edges of a garment."""

    OUTLINE = "outline"
    """Over the shoulders and down the sleeves' outer side: against the background."""
    SIDE = "side"
    INNER = "inner"
    """A sleeve's edge on the armpit's side."""
    NECK = "neck"
    HEM = "hem"
    CUFF = "cuff"


_REACH = {
    EdgeKind.OUTLINE: (0.1, 0.2),
    EdgeKind.SIDE: (0.07, 0.16),
    EdgeKind.INNER: (0.09, 0.18),
    EdgeKind.NECK: (0.05, 0.1),
    EdgeKind.HEM: (0.14, 0.28),
    EdgeKind.CUFF: (0.12, 0.25),
}
"""How far an edge is followed wholly, and from where not at all, in shoulder widths."""
# where a garment is cut to another shape than the worn one, single points may still lie near its edge
_CUT = (EdgeKind.NECK, EdgeKind.HEM, EdgeKind.CUFF)


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Points along an edge of a garment, clockwise as its photo shows them.

    Attributes:
        kind: what it is.
        points: their numbers.
        loose: those of them that only follow the others.
        sleeve: those of them that lie on an arm.
    """

    kind: EdgeKind
    points: tuple[int, ...]
    loose: frozenset[int] = frozenset()
    sleeve: frozenset[int] = frozenset()


def snapped(placed: Point, edges: tuple[Edge, ...], reading: Reading, worn: F32, s: Skeleton) -> Point:
    """The garment's points with its outline on the worn one's where they lie close.

    Args:
        placed: (C, 2) points in pixels of the reading.
        edges: edges between them.
        reading: classes, (5, h, w) and (h, w).
        worn: (h, w) 0..1, the worn top.
        s: the skeleton, in the same pixels.
    """
    # plain numbers: of them there are too few for numpy
    pulls: list[list[tuple[list[float], float]]] = [[] for _ in placed]
    share = reading.share
    hair = np.maximum(share[HAIR], reading.face)
    for edge in edges:
        # what is seen where the top is not: hips below the sides, elsewhere bare skin
        planes = (worn, share[BACKGROUND], share[LOWER if edge.kind is EdgeKind.SIDE else SKIN], hair)
        points = placed[list(edge.points)]
        normals = _normals(points)
        if edge.kind is EdgeKind.CUFF:
            # straight, and seen best in the middle of the arm: its ends may lie on the torso or beside a flared sleeve
            between = np.linspace(points[0], points[-1], 5)
            offsets, trust = _offsets(edge, between, np.tile(normals[0], (5, 1)), planes, s)
            moves = np.full(len(points), _level(offsets, trust))
        else:
            offsets, trust = _offsets(edge, points, normals, planes, s)
            if edge.kind is EdgeKind.NECK:
                offsets, trust = _cut_alike(offsets, trust, normals, s.unit)
            elif edge.kind is EdgeKind.HEM:
                offsets, trust = _level_alike(offsets, trust)
            moves = _spread(offsets, trust)
        for k, normal, moved in zip(edge.points, normals.tolist(), moves.tolist(), strict=True):
            pulls[k].append((normal, moved))
    own = np.array([_together(pull) for pull in pulls])
    moves = _in_order(placed, own, edges).copy()
    for edge in edges:
        if edge.kind is EdgeKind.OUTLINE:
            # an end of a neckline that its neighbours take along slides along the shoulder, and does not stand up on it
            for k in {edge.points[0], edge.points[-1]} - edge.sleeve:
                normal, _ = pulls[k][-1]
                moves[k] += min(float((own[k] - moves[k]) @ normal), 0.0) * np.array(normal)
    moved = np.asarray(placed + moves, np.float64)
    for edge in edges:
        if edge.kind is EdgeKind.NECK:
            _hang(moved, placed, edge.points, s.down)
    return moved


def _hang(moved: Point, placed: Point, neckline: tuple[int, ...], down: Point) -> None:
    """Between its ends a neckline hangs as it is cut to, at least in part, wherever they were taken. In place."""
    numbers = list(neckline)
    way = np.linspace(0, 1, len(numbers))[:, None]
    cut, hung = (
        (points - (1 - way) * points[0] - way * points[-1]) @ down for points in (placed[numbers], moved[numbers])
    )
    short = np.maximum(_LEFT * np.maximum(cut, 0) - hung, 0)
    moved[numbers] += short[:, None] * down


def _in_order(placed: Point, moves: Point, edges: tuple[Edge, ...]) -> Point:
    """(C, 2) moves after which no edge runs back on itself, as those of a folded sheet would: such points go together.

    Args:
        placed: (C, 2) the points before.
        moves: (C, 2) how far each goes.
        edges: edges between them.
    """
    pairs = np.array([pair for edge in edges for pair in pairwise(edge.points)])
    if not len(pairs):
        return moves
    before = placed[pairs[:, 1]] - placed[pairs[:, 0]]
    least = _LEFT * (before**2).sum(axis=1)
    group, moved = np.arange(len(placed)), moves
    while True:
        after = before + moved[pairs[:, 1]] - moved[pairs[:, 0]]
        folded = ((after * before).sum(axis=1) < least) & (group[pairs[:, 0]] != group[pairs[:, 1]])
        if not folded.any():
            return moved
        for one, other in pairs[folded]:
            group[group == group[other]] = group[one]
        count = np.maximum(np.bincount(group, minlength=len(placed)), 1)
        moved = np.column_stack([np.bincount(group, along, len(placed)) / count for along in moves.T])[group]


def _normals(points: Point) -> Point:
    """(n, 2) unit normals of an open polyline, to its left on the screen."""
    # each from the point before it to the one after, as numpy's gradient has it in ten times as long
    number = np.arange(len(points))
    dx, dy = (points[np.minimum(number + 1, number[-1])] - points[np.maximum(number - 1, 0)]).T
    length = np.hypot(dx, dy)
    none = length <= 1e-3
    length[none] = 1
    return np.column_stack([np.where(none, 0, dy / length), np.where(none, 1, -dx / length)])


def _offsets(
    edge: Edge, points: Point, normals: Point, planes: tuple[F32, F32, F32, F32], s: Skeleton
) -> tuple[Point, Point]:
    """(n,) how far along its normal each point finds the edge it belongs to, and (n,) how surely, 0..1.

    Args:
        edge: it.
        points, normals: (n, 2) along it.
        planes: (h, w) worn top, background, what is seen beside the top, and hair or face, 0..1 each.
        s: the skeleton.
    """
    unit = s.unit
    whole, none = _REACH[edge.kind]
    along = (none + 0.04) * unit * _EVENLY
    at = (points[:, None] + along[:, None] * normals[:, None]).astype(np.float32)
    top, background, beside, hair = (
        cv2.remap(plane, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) for plane in planes
    )
    found, beyond = _last_inside(top, along)
    if edge.kind in (EdgeKind.OUTLINE, EdgeKind.SIDE):
        found, beyond = _outermost((found, beyond), _last_inside(1 - background, along), edge.kind, unit)
    if edge.kind in (EdgeKind.INNER, EdgeKind.SIDE):
        # the bare arm's own edge, which a sleeve covers, and that of the hips, over which a top hangs
        found, beyond = _beside_what_is_worn((found, beyond), beside, top, along, unit)
    used = np.isfinite(found)
    used[[k for k, index in enumerate(edge.points[: len(points)]) if index in edge.loose]] = False
    if edge.kind is EdgeKind.SIDE:
        for k in np.flatnonzero(used):
            # the edge of hips that hide an arm is theirs
            arms = [arm for arm in (s.left, s.right) if not (arm.behind and beside[k, beyond[k]] > 0.5)]
            used[k] = not _past_an_arm(points[k], normals[k], float(found[k]), arms, s.unit)
    here = np.arange(len(points)), beyond
    # the edge of hair, which may hang over the top's; but no shoulder reaches out of the hair
    hidden = cv2.dilate(hair, np.ones((1, 7), np.uint8))[here] > 0.4
    used &= ~(hidden & (found > 0)) if edge.kind is EdgeKind.OUTLINE else ~hidden
    if edge.kind is EdgeKind.NECK:
        # the three steps behind the edge
        used &= cv2.erode(beside, np.ones((1, 3), np.uint8), anchor=(0, 0))[here[0], beyond + 1] >= 0.4
    if edge.kind is EdgeKind.INNER:
        # before the chest, what ends beside a sleeve is a hand, not the gap beside the torso
        used &= cv2.erode(beside, np.ones((1, 3), np.uint8), anchor=(0, 0))[here[0], beyond + 1] < 0.4
        used &= ~_at_a_bend(points, s)
    offsets = np.where(used, found, 0)
    trust = np.where(used, np.clip((none * unit - np.abs(offsets)) / ((none - whole) * unit), 0, 1), 0)
    if edge.kind is EdgeKind.OUTLINE:
        # cloth lies on the skin whose outline this is; the three steps before it tell
        bare = cv2.erode(top, np.ones((1, 3), np.uint8), anchor=(2, 0))[here[0], np.maximum(beyond - 1, 0)] < 0.5
        offsets[used & bare] += _EASE * unit
    if edge.kind is EdgeKind.OUTLINE and edge.sleeve and _bare_below(planes[0], points, s):
        _as_wide_as_the_arm(edge, offsets, trust, top, along, unit)
    seen = trust > 0.05
    if edge.kind is EdgeKind.HEM and seen.any():
        # a hem is one line: a corner that finds an edge far from where the rest finds it has found a shade or a pocket
        trust *= np.clip(2 - np.abs(offsets - middle_of(offsets[seen])) / (_ONE_HEM * unit), 0, 1)
    if edge.kind in _CUT:
        trust *= np.clip((float(trust.mean()) - 0.35) / 0.3, 0, 1)
    return offsets, trust


def _cut_alike(offsets: Point, trust: Point, normals: Point, unit: float) -> tuple[Point, Point]:
    """The offsets that a neckline of the garment's own cut needs: moved and widened, but no V of a round one."""
    own: Point = np.column_stack([np.ones(len(offsets)), normals]).astype(np.float64)
    weighted = own * trust[:, None]
    cut = np.asarray(
        own @ np.linalg.solve(weighted.T @ own + np.diag([1e-3, _WIDENS, _WIDENS]), weighted.T @ offsets), np.float64
    )
    off = float(np.sqrt((trust * (offsets - cut) ** 2).sum() / max(float(trust.sum()), 1e-6))) / unit
    alike = float(np.clip((0.02 - off) / 0.01, 0, 1))
    return cut, np.full(len(trust), float(trust.mean()) * alike)


def _level_alike(offsets: Point, trust: Point) -> tuple[Point, Point]:
    """The offsets by which a hem of the garment's own cut is lowered and tilted onto the worn one."""
    own = np.column_stack([np.ones(len(offsets)), np.linspace(-1, 1, len(offsets))])
    weighted = own * trust[:, None]
    line = np.linalg.solve(weighted.T @ own + np.diag([1e-3, _LEVEL]), weighted.T @ offsets)
    return np.asarray(own @ line, np.float64), np.full(len(trust), float(trust.mean()))


def _as_wide_as_the_arm(edge: Edge, offsets: Point, trust: Point, top: F32, along: Point, unit: float) -> None:
    """No sleeve flares with a shorter one, or one that stands off, that is worn under it. In place."""
    middle = int(np.argmin(np.abs(along))) - 4
    covered = {index: bool(top[k, middle] >= 0.5) for k, index in enumerate(edge.points) if index in edge.sleeve}
    most = _STANDS_OFF * unit if all(covered.values()) else 0.0
    for k, index in enumerate(edge.points):
        if covered.get(index) and offsets[k] > most:
            offsets[k], trust[k] = most, 0.0


def _bare_below(worn: F32, points: Point, s: Skeleton) -> bool:
    """Whether the worn sleeve of the arm beside an outline ends above the forearm."""
    middle = points.mean(axis=0)
    arm = min((s.left, s.right), key=lambda arm: float(np.linalg.norm(arm.shoulder - middle)))
    return float(sample(worn, arm_point(arm, 0.75)[0][None])[0]) < 0.5


def _outermost(
    top: tuple[Point, Steps], person: tuple[Point, Steps], kind: EdgeKind, unit: float
) -> tuple[Point, Steps]:
    """Of the worn top's edge and the person's, the one that the garment's outline follows; as :func:`_last_inside`."""
    # the same edge, of which the top's is the sharper picture
    same = np.abs(top[0] - person[0]) < 0.04 * unit
    # over the shoulders and on the arms a strap, an armhole or a wide neck has edges that are no outline
    other = ~same if kind is EdgeKind.OUTLINE else np.isnan(top[0])
    return np.where(other, person[0], top[0]), np.where(other, person[1], top[1])


def _at_a_bend(points: Point, s: Skeleton) -> Mask:
    """(n,) which points lie in the crease of an elbow that is bent: there edges cross."""
    bent = np.zeros(len(points), np.bool_)
    for arm in (s.left, s.right):
        upper, fore = unit_vector(arm.elbow - arm.shoulder, s.down), unit_vector(arm.wrist - arm.elbow, s.down)
        if float(upper @ fore) < _BENT:
            bent |= ((points - arm.elbow) ** 2).sum(axis=1) < (0.3 * s.unit) ** 2
    return bent


def _beside_what_is_worn(
    worn: tuple[Point, Steps], other: F32, top: F32, along: Point, unit: float
) -> tuple[Point, Steps]:
    """The worn top's edge, or where it does not reach that of what is seen there instead; as :func:`_last_inside`."""
    # from the point itself a few steps to the inside
    within = np.s_[:, _STEPS // 2 - 4 : _STEPS // 2 + 1]
    instead = (other[within] - top[within]).sum(axis=1) > 2.5
    if not instead.any():
        return worn
    edge, step = _last_inside(other, along)
    return np.where(instead, edge + _EASE * unit, worn[0]), np.where(instead, step, worn[1])


def _past_an_arm(point: Point, normal: Point, offset: float, arms: Sequence[Arm], unit: float) -> bool:
    """Whether an edge seen from the torso is the far side of one of the arms."""
    start, end = point - 0.15 * unit * normal, point + offset * normal
    return any(
        _cross(start, end, bone[0], bone[1])
        for arm in arms
        for bone in ((arm.shoulder, arm.elbow), (arm.elbow, arm.wrist))
    )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments ab and cd cross."""

    def turn(p: Point, q: Point, r: Point) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def _last_inside(profiles: F32, along: Point) -> tuple[Point, Steps]:
    """Where each of (n, m) profiles falls through one half, nearest to the middle.

    Returns:
        (n,) where, to the fraction of a step, not a number where it nowhere does; and (n,) the step before it.
    """
    inside = profiles >= 0.5
    falls = inside[:, :-1] & ~inside[:, 1:]
    # a speck is no cloth, a seam no edge: three steps in a row on either side
    for more in (1, 2):
        falls[:, more:] &= inside[:, : -1 - more]
        falls[:, :-more] &= ~inside[:, 1 + more :]
    step = np.where(falls, np.abs(along[:-1]), np.inf).argmin(axis=1)
    rows = np.arange(len(profiles))
    last, next_ = profiles[rows, step], profiles[rows, step + 1]
    share = (last - 0.5) / np.maximum(last - next_, 1e-6)
    at = along[step] + share * (along[step + 1] - along[step])
    return np.where(falls[rows, step], at, np.nan), step


def _level(offsets: Point, trust: Point) -> float:
    """One offset for the whole of a straight edge: the middle one of those that were found."""
    found = trust > 0.05
    return middle_of(offsets[found]) * float(trust[found].mean()) if found.any() else 0.0


def _spread(offsets: Point, trust: Point, stiffness: float = 0.12) -> Point:
    """Offsets along an edge that follow the trusted ones and vary little between them."""
    count = len(offsets)
    if count == 1:
        return offsets * trust
    # each depends on its neighbours alone: one sweep there and one back, where a solver would wake threads
    middle = (trust + 0.02 + stiffness * np.array([1.0, *[2.0] * (count - 2), 1.0])).tolist()
    right = (trust * offsets).tolist()
    for k in range(1, count):
        share = stiffness / middle[k - 1]
        middle[k] -= share * stiffness
        right[k] += share * right[k - 1]
    moved = np.empty(count)
    after = 0.0
    for k in range(count - 1, -1, -1):
        moved[k] = after = (right[k] + stiffness * after) / middle[k]
    return moved


def _together(pulls: list[tuple[list[float], float]]) -> tuple[float, float]:
    """The least move that has each offset along its normal: a corner belongs to two edges."""
    if not pulls:
        return 0.0, 0.0
    xx = xy = yy = x = y = 0.0
    for (nx, ny), offset in pulls:
        xx, xy, yy = xx + nx * nx, xy + nx * ny, yy + ny * ny
        x, y = x + nx * offset, y + ny * offset
    xx, yy = xx + 0.02, yy + 0.02
    share = 1 / (xx * yy - xy * xy)
    x, y = share * (yy * x - xy * y), share * (xx * y - xy * x)
    # edges that run nearly side by side cross anywhere: no farther than where those of a right angle do
    most = math.sqrt(2) * max(abs(offset) for _, offset in pulls)
    share = min(1.0, most / max(math.hypot(x, y), 1e-6))
    return share * x, share * y
