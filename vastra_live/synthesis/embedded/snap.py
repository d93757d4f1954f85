"""What is worn shows how cloth sits on this body: where the new garment would end beside an edge of it, it ends there.

The skeleton places a garment to within a few hundredths of a shoulder width. The worn top's own outline (shoulder
line, sleeves, sides, and neckline, hem and cuffs where it is cut alike) is known to a pixel. Points of the
garment's outline look along their normal for such an edge; how far they move falls off with its distance, so that a
garment of another cut keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from vastra_live.synthesis.embedded.girth import arm_point, sample, unit_vector
from vastra_live.synthesis.embedded.reading import BACKGROUND, HAIR, SKIN, Reading
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32

__all__ = ["Edge", "EdgeKind", "snapped"]

_STEPS = 41
_EASE = 0.015
"""Cloth stands off the skin, in shoulder widths."""
_STANDS_OFF = 0.03
"""So far, in shoulder widths, a short sleeve may follow one that stands off."""


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
    EdgeKind.NECK: (0.09, 0.18),
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
    pulls: list[list[tuple[Point, float]]] = [[] for _ in placed]
    for edge in edges:
        points = placed[list(edge.points)]
        normals = _normals(points)
        if edge.kind is EdgeKind.CUFF:
            # straight, and seen best in the middle of the arm: its ends may lie on the torso or beside a flared sleeve
            between = np.linspace(points[0], points[-1], 5)
            offsets, trust = _offsets(edge, between, np.tile(normals[0], (5, 1)), reading, worn, s)
            moves = np.full(len(points), _level(offsets, trust))
        else:
            offsets, trust = _offsets(edge, points, normals, reading, worn, s)
            if edge.kind is EdgeKind.NECK:
                offsets, trust = _cut_alike(offsets, trust, normals, s.unit)
            moves = _spread(offsets, trust)
        for k, normal, moved in zip(edge.points, normals, moves, strict=True):
            pulls[k].append((normal, moved))
    return np.asarray(placed + np.array([_together(pull) for pull in pulls]), np.float64)


def _normals(points: Point) -> Point:
    """(n, 2) unit normals of an open polyline, to its left on the screen."""
    step = np.gradient(points, axis=0)
    return np.array([unit_vector(np.array([dy, -dx]), np.array([0.0, 1.0])) for dx, dy in step])


def _offsets(
    edge: Edge, points: Point, normals: Point, reading: Reading, worn: F32, s: Skeleton
) -> tuple[Point, Point]:
    """(n,) how far along its normal each point finds the edge it belongs to, and (n,) how surely, 0..1."""
    unit = s.unit
    whole, none = _REACH[edge.kind]
    along = np.linspace(-none - 0.04, none + 0.04, _STEPS) * unit
    at = (points[:, None] + along[:, None] * normals[:, None]).astype(np.float32)
    top, background, skin, hair = (
        cv2.remap(plane, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        for plane in (
            worn,
            reading.share[BACKGROUND],
            reading.share[SKIN],
            np.maximum(reading.share[HAIR], reading.face),
        )
    )
    offsets, trust = np.zeros(len(points)), np.zeros(len(points))
    for k in range(len(points)):
        if k < len(edge.points) and edge.points[k] in edge.loose:
            continue
        found = _last_inside(top[k], along)
        if edge.kind in (EdgeKind.OUTLINE, EdgeKind.SIDE):
            found = _outermost(found, _last_inside(1 - background[k], along), edge.kind, unit)
        if found is None:
            continue
        offset, beyond = found
        if edge.kind is EdgeKind.SIDE and _past_an_arm(points[k], normals[k], offset, s):
            continue
        seen = slice(beyond + 1, beyond + 4)
        if float(hair[k, max(0, beyond - 3) : beyond + 4].max(initial=0)) > 0.4 and (
            edge.kind is not EdgeKind.OUTLINE or offset > 0
        ):
            continue  # the edge of hair, which may hang over the top's; but no shoulder reaches out of the hair
        if edge.kind is EdgeKind.NECK and float(skin[k, seen].min(initial=1)) < 0.4:
            continue
        offsets[k] = offset
        trust[k] = np.clip((none * unit - abs(offset)) / ((none - whole) * unit), 0, 1)
        if edge.kind is EdgeKind.OUTLINE and float(top[k, max(0, beyond - 3) : beyond].min(initial=1)) < 0.5:
            offsets[k] += _EASE * unit  # cloth lies on the skin whose outline this is
    if edge.kind is EdgeKind.OUTLINE and edge.sleeve and _bare_below(worn, points, s):
        _as_wide_as_the_arm(edge, offsets, trust, top, along, unit)
    if edge.kind in _CUT:
        trust *= np.clip((float(trust.mean()) - 0.35) / 0.3, 0, 1)
    return offsets, trust


def _cut_alike(offsets: Point, trust: Point, normals: Point, unit: float) -> tuple[Point, Point]:
    """The offsets that a neckline of the garment's own cut needs: moved and widened, but no V of a round one."""
    own: Point = np.column_stack([np.ones(len(offsets)), normals]).astype(np.float64)
    weighted = own * trust[:, None]
    cut = np.asarray(own @ np.linalg.solve(weighted.T @ own + 1e-3 * np.eye(3), weighted.T @ offsets), np.float64)
    off = float(np.sqrt((trust * (offsets - cut) ** 2).sum() / max(float(trust.sum()), 1e-6))) / unit
    alike = float(np.clip((0.02 - off) / 0.01, 0, 1))
    return cut, np.full(len(trust), float(trust.mean()) * alike)


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
    top: tuple[float, int] | None, person: tuple[float, int] | None, kind: EdgeKind, unit: float
) -> tuple[float, int] | None:
    """Of the worn top's edge and the person's, the one that the garment's outline follows."""
    if top is not None and person is not None and abs(top[0] - person[0]) < 0.04 * unit:
        return top  # the same edge, of which the top's is the sharper picture
    # over the shoulders and on the arms a strap, an armhole or a wide neck has edges that are no outline
    return person if kind is EdgeKind.OUTLINE or top is None else top


def _past_an_arm(point: Point, normal: Point, offset: float, s: Skeleton) -> bool:
    """Whether an edge seen from the torso is an arm's far side."""
    start, end = point - 0.15 * s.unit * normal, point + offset * normal
    return any(
        _cross(start, end, bone[0], bone[1])
        for arm in (s.left, s.right)
        for bone in ((arm.shoulder, arm.elbow), (arm.elbow, arm.wrist))
    )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments ab and cd cross."""

    def turn(p: Point, q: Point, r: Point) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def _last_inside(profile: F32, along: Point) -> tuple[float, int] | None:
    """Where a profile falls through one half, nearest to the middle, to the fraction of a step."""
    inside = profile >= 0.5
    falls = np.flatnonzero(inside[:-1] & ~inside[1:])
    # a speck is no cloth, a seam no edge
    falls = falls[[bool(inside[max(0, i - 2) : i + 1].all() and not inside[i + 1 : i + 4].any()) for i in falls]]
    if not len(falls):
        return None
    i = int(falls[np.argmin(np.abs(along[falls]))])
    share = (profile[i] - 0.5) / max(float(profile[i] - profile[i + 1]), 1e-6)
    return float(along[i] + share * (along[i + 1] - along[i])), i


def _level(offsets: Point, trust: Point) -> float:
    """One offset for the whole of a straight edge: the middle one of those that were found."""
    found = trust > 0.05
    return float(np.median(offsets[found]) * trust[found].mean()) if found.any() else 0.0


def _spread(offsets: Point, trust: Point, stiffness: float = 0.12) -> Point:
    """Offsets along an edge that follow the trusted ones and vary little between them."""
    count = len(offsets)
    if count == 1:
        return offsets * trust
    difference = np.diff(np.eye(count), axis=0)
    normal = np.diag(trust) + stiffness * difference.T @ difference + 0.02 * np.eye(count)
    return np.asarray(np.linalg.solve(normal, trust * offsets), np.float64)


def _together(pulls: list[tuple[Point, float]]) -> Point:
    """The least move that has each offset along its normal: a corner belongs to two edges."""
    if not pulls:
        return np.zeros(2)
    normals = np.array([normal for normal, _ in pulls])
    offsets = np.array([offset for _, offset in pulls])
    return np.asarray(np.linalg.solve(normals.T @ normals + 0.02 * np.eye(2), normals.T @ offsets), np.float64)
