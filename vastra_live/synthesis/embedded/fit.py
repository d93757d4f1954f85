"""Where the points of a garment belong on a body."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.bend import Run
from vastra_live.synthesis.embedded.girth import (
    ARM_STATIONS,
    ASIDE,
    DEPTHS,
    ELBOW,
    Girth,
    arm_point,
    unit_vector,
)
from vastra_live.synthesis.embedded.mesh import LEFT_SLEEVE, RIGHT_SLEEVE, TORSO, has_sleeves, part_masks
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.synthesis.embedded.snap import Edge, EdgeKind
from vastra_live.types import F32, Category, Garment, Sleeve

__all__ = ["Openings", "TopPattern"]

_PHOTO_SHOULDERS = 0.86
"""Shoulders of a garment in its photo, in shoulder widths of its wearer: on a mannequin they curve away."""
_USUAL_LENGTH = 1.66
"""From neck to hem of a top, in shoulder widths of its wearer."""
_TRUST_IN_SHOULDERS = 0.75
_NECK = (0.235, 0.46)
"""Nearest and farthest that a neck opening's ends lie from the spine: the neck is as wide as that."""
_USUAL_ARM = 1.6
"""From the outer end of the shoulder to the wrist, in shoulder widths."""

I32 = npt.NDArray[np.int32]


def _outline(mask: F32) -> Point:
    """(n, 2) outline of the largest piece of a mask; empty when there is none."""
    found, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.empty((0, 2))
    return np.asarray(max(found, key=cv2.contourArea)[:, 0], np.float64)


def _along(outline: Point, start: Point, end: Point, avoid: Point, shares: Point) -> list[Point]:
    """Points of an outline at shares of its way from start to end, on the side that does not pass ``avoid``.

    The straight line stands in where the outline makes a detour (a sleeve that touches the side of the torso).
    """
    straight = [start + (end - start) * share for share in shares]
    if len(outline) < 8:
        return straight
    i, j, k = (int(np.argmin(((outline - p) ** 2).sum(axis=1))) for p in (start, end, avoid))
    n = len(outline)
    forward = (j - i) % n
    if (k - i) % n < forward:
        way = outline[(i - np.arange((i - j) % n + 1)) % n]
    else:
        way = outline[(i + np.arange(forward + 1)) % n]
    if len(way) < 4:
        return straight
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    if travelled[-1] > 1.5 * float(np.linalg.norm(end - start)) + 8:
        return straight
    at = [np.array([np.interp(s * travelled[-1], travelled, way[:, c]) for c in (0, 1)]) for s in shares]
    return [*at[:-1], end]


def _carried(points: list[Point], corners: Point, to: Point) -> list[Point]:
    """Points that keep their place in a triangle while its three corners move; a flat one keeps what lies along it."""
    base = corners[1] - corners[0]
    middle, new_middle = (corners[0] + corners[1]) / 2, (to[0] + to[1]) / 2
    rise = corners[2] - middle
    new_rise = to[2] - new_middle
    if abs(_cross(base, rise)) < 0.02 * float(base @ base):
        rise, new_rise = np.array([-base[1], base[0]]), np.zeros(2)
    area = _cross(base, rise)
    off = [point - middle for point in points]
    # two equations each; numpy's solver would wake threads that then wait, at full speed, for more to do
    shares = [(_cross(point, rise) / area, _cross(base, point) / area) for point in off]
    return [new_middle + along * (to[1] - to[0]) + up * new_rise for along, up in shares]


def _cross(a: Point, b: Point) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _beside(inner: Point, outer: Point, torso: Point, s: Skeleton, outward: Point) -> Point:
    """The inner point of an upper sleeve, moved off the torso's side: a hanging sleeve covers none of the chest."""
    depth = (torso - s.neck) @ s.down
    side = np.interp((inner - s.neck) @ s.down, depth, (torso - s.neck) @ outward)
    over = float(side) - float((inner - s.neck) @ outward)
    room = 0.5 * max(float((outer - inner) @ outward), 0.0)
    return inner + outward * min(max(over, 0.0), room)


@dataclass(frozen=True, slots=True, eq=False)
class Openings:
    """Where a top ends on a body, and the wearer's skin begins.

    Attributes:
        neckline: (n, 2) from the wearer's right to the left, in pixels; None for a top without sleeves, which leaves
            the shoulders bare too.
        hem: its highest point, in depth on the torso.
    """

    neckline: Point | None
    hem: float


class TopPattern:
    """The points of one top or dress that are pinned to the body: where they are in the photo, and how to place them.

    Args:
        garment: a top or a dress.
    """

    def __init__(self, garment: Garment) -> None:
        m = {name: np.array(point) for name, point in garment.landmarks_px.items()}
        self._marks = m
        self._sleeved = has_sleeves(garment)
        self._sleeve = garment.sleeve
        self._masks = part_masks(garment)
        self._points: list[Point] = []
        self._parts: list[int] = []
        neck_mid = (m["neck_left"] + m["neck_right"]) / 2
        hem_mid = (m["hem_left"] + m["hem_right"]) / 2
        shoulder_width = float(np.linalg.norm(m["shoulder_left"] - m["shoulder_right"]))
        chest_width = float(np.linalg.norm(m["armpit_left"] - m["armpit_right"]))
        length = max(float(np.linalg.norm(hem_mid - neck_mid)), 1.0)
        # Photo pixels per shoulder width of the wearer, were the garment cut for them. Shoulders alone are a poor
        # measure (dropped, hidden by the mannequin's curve), so a usual length has a say.
        unit = (shoulder_width if self._sleeved else max(shoulder_width, 0.95 * chest_width)) / _PHOTO_SHOULDERS
        trust = _TRUST_IN_SHOULDERS if garment.category is Category.UPPER else 1.0
        self._unit: float = unit**trust * (length / _USUAL_LENGTH) ** (1 - trust)
        self._axis = (hem_mid - neck_mid) / length
        self._neck_mid = neck_mid
        for name in ("neck_right", "neck_left", "neck_front", "shoulder_right", "shoulder_left"):
            self._pin(m[name], TORSO)
        for side in ("right", "left"):
            self._pin(self._above((m[f"neck_{side}"] + m[f"shoulder_{side}"]) / 2), TORSO)
        self._side_shares = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
        self._sides = {}
        for side, sign in (("right", -1), ("left", 1)):
            points = self._side_points(side, sign)
            self._sides[side] = points
            for point in points:
                self._pin(point, TORSO)
        for i in (0, 3):
            self._pin((self._sides["right"][i] + self._sides["left"][i]) / 2, TORSO)
        outline = _outline(self._masks[TORSO])
        shares = np.array([1, 2, 3]) / 3
        necks = [_along(outline, m[f"neck_{side}"], m["neck_front"], hem_mid, shares)[:2] for side in ("right", "left")]
        self._neckline = [*necks[0], *reversed(necks[1])]
        self._hem = _along(outline, m["hem_left"], m["hem_right"], neck_mid, np.arange(1, 7) / 6)[:5]
        for point in (*self._neckline, *self._hem):
            self._pin(point, TORSO)
        self._sleeves: dict[str, tuple[list[Point], list[Point], Point]] = {}
        if self._sleeved:
            for side, part in (("right", RIGHT_SLEEVE), ("left", LEFT_SLEEVE)):
                edges = self._sleeve_edges(side, self._masks[part])
                self._sleeves[side] = edges
                for point in edges[0] + edges[1]:
                    self._pin(point, part)
        self._edges = self._connected()

    @property
    def handles(self) -> Point:
        """(C, 2) pinned points, in pixels of the photo."""
        return np.array(self._points)

    @property
    def parts(self) -> I32:
        """(C,) the part each is fastened to."""
        return np.array(self._parts, np.int32)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The garment's edges, as indices of the pinned points."""
        return self._edges

    @property
    def elbows(self) -> dict[int, tuple[Point, Point, float]]:
        """Where the sleeves that reach past the elbow bend: a point of the photo, direction to the cuff, half width."""
        found = {}
        for part, (side, end) in zip(
            (RIGHT_SLEEVE, LEFT_SLEEVE), zip(("right", "left"), self.sleeve_ends, strict=True), strict=True
        ):
            if end > ELBOW + 0.05:
                m = self._marks
                start = (m[f"shoulder_{side}"] + m[f"armpit_{side}"]) / 2
                cuff = (m[f"cuff_outer_{side}"] + m[f"cuff_inner_{side}"]) / 2
                outer, inner, shares = self._sleeves[side]
                widths = [float(np.linalg.norm(a - b)) for a, b in zip(outer[2:], inner, strict=True)]
                half = 0.5 * float(np.interp(ELBOW / end, shares, widths))
                found[part] = (start + (cuff - start) * ELBOW / end, unit_vector(cuff - start, cuff - start), half)
        return found

    def sleeves(self, skeleton: Skeleton) -> dict[int, tuple[Run, Run, Arm]]:
        """The sleeves that reach past the elbow: outer and inner edge, and the arm in it."""
        found, first = {}, len(self._points)
        for side, part, arm in (
            ("left", LEFT_SLEEVE, skeleton.left),
            ("right", RIGHT_SLEEVE, skeleton.right),
        ):
            if side not in self._sleeves:
                continue
            outer, inner, _ = self._sleeves[side]
            at = first - len(inner), first - len(inner) - len(outer)
            first = at[1]
            if part in self.elbows:
                runs = self._stations(side, arm, skeleton.unit)
                numbers = range(at[1], at[0]), range(at[0], at[0] + len(inner))
                found[part] = (Run(tuple(numbers[0]), runs[0]), Run(tuple(numbers[1]), runs[1]), arm)
        return found

    def _stations(self, side: str, arm: Arm, unit: float) -> tuple[Point, Point]:
        """Where along an arm the points of a sleeve's outer and inner edge lie."""
        end, shares = self._sleeve_end(side), self._sleeves[side][2]
        if end < ELBOW + 0.15:
            # its length is known in shoulder widths, and the arm may be longer than usual; shorter it points forward
            length = float(np.linalg.norm(arm.elbow - arm.shoulder) + np.linalg.norm(arm.wrist - arm.elbow))
            end *= min(1.0, _USUAL_ARM * unit / max(length, 1.0))
        inner_start = 0.22 * min(1.0, end / 0.5)
        return np.array([0.0, 0.0, *(end * shares)]), inner_start + (end - inner_start) * shares

    def _pin(self, point: Point, part: int) -> None:
        self._points.append(point)
        self._parts.append(part)

    def _connected(self) -> tuple[Edge, ...]:
        """The pinned points in the order of the outline, clockwise; the numbers are those of their pinning."""
        neck, shoulder, middle = (0, 1), (3, 4), (5, 6)
        sides = tuple(range(7, 13)), tuple(range(13, 19))
        neckline, hem = tuple(range(21, 25)), tuple(range(25, 30))
        outer: list[tuple[int, ...]] = [(), ()]
        edges = [
            Edge(EdgeKind.NECK, (0, *neckline[:2], 2, *neckline[2:], 1)),
            Edge(EdgeKind.SIDE, sides[0][::-1], frozenset({sides[0][0]})),
            Edge(EdgeKind.SIDE, sides[1], frozenset({sides[1][0]})),
            Edge(EdgeKind.HEM, (sides[1][-1], *hem, sides[0][-1])),
        ]
        first = 30
        for k, (points_outer, points_inner, _) in enumerate(self._sleeves.values()):
            outer[k] = tuple(range(first, first + len(points_outer)))
            inner = tuple(range(first + len(points_outer), first + len(points_outer) + len(points_inner)))
            first = inner[-1] + 1
            clockwise = -1 if k else 1
            edges.append(Edge(EdgeKind.INNER, (sides[k][0], *inner)[::clockwise], frozenset({sides[k][0]})))
            edges.append(Edge(EdgeKind.CUFF, (inner[-1], outer[k][-1])[::clockwise]))
        for k in (0, 1):
            line = (neck[k], middle[k], shoulder[k], *outer[k])
            edges.append(Edge(EdgeKind.OUTLINE, line if k else line[::-1], sleeve=frozenset(outer[k])))
        return tuple(edges)

    def _above(self, point: Point) -> Point:
        """The point of the shoulder's outline above or below a point of the line from neck to shoulder."""
        mask = self._masks[TORSO]
        column = mask[:, int(np.clip(point[0], 0, mask.shape[1] - 1))] > 0.5
        rows = np.flatnonzero(column)
        if not len(rows) or abs(rows[0] - point[1]) > 0.15 * self._unit:
            return point
        return np.array([point[0], float(rows[0])])

    def _side_points(self, side: str, sign: int) -> list[Point]:
        """The torso's outline from armpit to hem, at even shares of its height."""
        top, bottom = self._marks[f"armpit_{side}"], self._marks[f"hem_{side}"]
        mask = self._masks[TORSO]
        points = [top]
        for share in self._side_shares[1:-1]:
            on_line = top + (bottom - top) * share
            row = mask[int(np.clip(on_line[1], 0, mask.shape[0] - 1))] > 0.5
            columns = np.flatnonzero(row)
            reach = 0.25 * np.linalg.norm(bottom - top)
            if len(columns):
                edge = float(columns[-1] if sign > 0 else columns[0])
                on_line = np.array([np.clip(edge, on_line[0] - reach, on_line[0] + reach), on_line[1]])
            points.append(on_line)
        return [*points, bottom]

    def _sleeve_edges(self, side: str, mask: F32) -> tuple[list[Point], list[Point], Point]:
        """Outer and inner edge of a sleeve at even shares of its length, without the seam; and the shares."""
        m = self._marks
        outer0, outer1 = m[f"shoulder_{side}"], m[f"cuff_outer_{side}"]
        inner0, inner1 = m[f"armpit_{side}"], m[f"cuff_inner_{side}"]
        length = float(max(np.linalg.norm(outer1 - outer0), np.linalg.norm(inner1 - inner0)))
        count = int(np.clip(round(length / (0.3 * self._unit)), 1, 6))
        shares = np.arange(1, count + 1) / count
        end = self._sleeve_end(side)
        if end > ELBOW + 0.15:
            # points on both sides of the elbow and at its tip, so that a bent sleeve has a corner
            elbow = ELBOW / end
            shares = np.array([elbow / 3, elbow * 2 / 3, elbow - 0.07, elbow, elbow + 0.07, (elbow + 1.07) / 2, 1.0])
        outline = _outline(mask)
        length = float(np.linalg.norm(outer1 - outer0))
        cap = min(0.16 * self._unit / max(length, 1.0), 0.6 * shares[0])
        outer = _along(outline, outer0, outer1, inner0, np.concatenate([[0.45 * cap, cap], shares]))
        inner = _along(outline, inner0, inner1, outer0, shares)
        return outer, inner, shares

    def targets(self, skeleton: Skeleton, girth: Girth) -> Point:
        """(C, 2) where the pinned points belong on this body, in the skeleton's pixels."""
        s, m, unit = skeleton, self._marks, skeleton.unit
        scale = unit / self._unit
        placed: list[Point] = []
        turn = float(np.linalg.norm(s.left.shoulder - s.right.shoulder)) / unit
        signs = {"right": -1.0, "left": 1.0}

        def on_shoulder(side: int, aside: float) -> Point:
            """A point of the shoulder's outline, ``aside`` shoulder widths from the middle (seen from the front)."""
            outline = [girth.rise[side, 0] + 0.04, *girth.rise[side]]
            rise = float(np.interp(aside, [0.2, *ASIDE], outline)) + (0.02 if self._sleeved else 0.01)
            shoulder = s.neck + s.across * (-1, 1)[side] * aside * unit * turn - s.down * rise * unit
            return np.asarray(shoulder, np.float64)

        def aside_of(name: str, least: float, most: float) -> float:
            return float(np.clip(abs(m[name][0] - self._neck_mid[0]) * scale / unit, least, most))

        necks = [aside_of(f"neck_{side}", *_NECK) for side in ("right", "left")]
        placed.extend(on_shoulder(k, aside) for k, aside in enumerate(necks))
        neck_line = (placed[0] + placed[1]) / 2
        fall = float((m["neck_front"] - self._neck_mid) @ self._axis) * scale
        placed.append(neck_line + s.down * fall)
        # a sleeve's seam sits at the end of the shoulder whatever the photo's scale; a strap stays where it is
        least, most = (0.48, 0.58) if self._sleeved else (0.3, 0.56)
        ends = [aside_of(f"shoulder_{side}", least, most) for side in ("right", "left")]
        placed.extend(on_shoulder(k, aside) for k, aside in enumerate(ends))
        placed.extend(on_shoulder(k, (necks[k] + ends[k]) / 2) for k in range(2))
        sides: dict[str, list[Point]] = {}
        for k, side in enumerate(("right", "left")):
            sides[side] = []
            for point in self._sides[side]:
                away = point - self._neck_mid
                below = float(away @ self._axis) * scale
                flat = abs(float(away[0])) * scale / unit
                centre = neck_line + s.down * below
                depth = float((centre - s.neck) @ s.down) / s.torso_length
                body = float(np.interp(depth, DEPTHS, girth.torso[k]))
                # cloth laid flat is half its round; on the body part of that goes to the depth of the chest
                half = min(max(body + 0.4 * (flat - body), body + 0.015), 1.25 * body + 0.05) * turn
                if depth > 1.0:  # a skirt hangs free of the hips, as wide as it is cut
                    half = max(half, 0.9 * flat * turn)
                sides[side].append(centre + s.across_at(depth) * signs[side] * half * unit)
            placed.extend(sides[side])
        placed.extend((sides["right"][i] + sides["left"][i]) / 2 for i in (0, 3))
        corners = np.array([m["neck_right"], m["neck_left"], m["neck_front"]])
        placed.extend(_carried(self._neckline, corners, np.array(placed[:3])))
        corners = np.array([m["hem_left"], m["hem_right"], self._neck_mid])
        placed.extend(_carried(self._hem, corners, np.array([sides["left"][-1], sides["right"][-1], neck_line])))
        if self._sleeved:
            for k, side in enumerate(("right", "left")):
                placed.extend(self._place_sleeve(side, s, girth.sleeves[k], girth.centres[k], np.array(sides[side])))
        return np.array(placed)

    def reach(self, skeleton: Skeleton) -> float:
        """How far below the shoulder joints the hem hangs, in the skeleton's pixels."""
        hem = (self._marks["hem_left"] + self._marks["hem_right"]) / 2
        return float((hem - self._neck_mid) @ self._axis) * skeleton.unit / self._unit

    @property
    def sleeve_ends(self) -> tuple[float, float]:
        """How far down the right and the left arm the sleeves reach: 0 shoulder joint, 1 wrist."""
        if not self._sleeved:
            return 0.15, 0.15
        return self._sleeve_end("right"), self._sleeve_end("left")

    def openings(self, placed: Point, skeleton: Skeleton) -> Openings:
        """Where the garment ends whose points were placed at (C, 2), in the skeleton's pixels."""
        neck, hem = (next(edge for edge in self._edges if edge.kind is kind) for kind in (EdgeKind.NECK, EdgeKind.HEM))
        depths = (placed[list(hem.points)] - skeleton.neck) @ skeleton.down / skeleton.torso_length
        return Openings(placed[list(neck.points)] if self._sleeved else None, float(depths.min()))

    def _sleeve_end(self, side: str) -> float:
        m = self._marks
        length = float(np.linalg.norm(m[f"cuff_outer_{side}"] - m[f"shoulder_{side}"])) / self._unit
        share = (length - 0.05) / _USUAL_ARM
        if self._sleeve is Sleeve.LONG:
            return float(np.clip(share, 1.04, 1.08))
        return float(np.clip(share, 0.12, 0.97))

    def _place_sleeve(self, side: str, s: Skeleton, halves: Point, centres: Point, torso: Point) -> list[Point]:
        outer, inner, _ = self._sleeves[side]
        unit, arm = s.unit, s.right if side == "right" else s.left
        sign = 1.0 if side == "right" else -1.0
        outward = -sign * s.across
        outer_stations, inner_stations = self._stations(side, arm, unit)
        # the side of the arm that is outside when it hangs, wherever it points to
        normal = np.array([-1.0, 1.0]) * arm_point(arm, 0.1)[1][::-1] * sign
        reach = (1.08 * halves[0] + centres[0]) * unit
        cap = arm.shoulder + unit_vector(normal + 0.3 * outward, outward) * reach
        over = arm.shoulder + unit_vector(normal + 0.3 * outward - s.down, outward) * reach
        # outside of the bend the two edges of upper arm and forearm meet in a corner
        upper = unit_vector(arm.elbow - arm.shoulder, outward)
        fore = unit_vector(arm.wrist - arm.elbow, upper)
        tip = upper - fore
        corner = float(np.clip(0.9 / np.sqrt(max((1 + float(upper @ fore)) / 2, 0.1)), 1.0, 1.35))
        placed_outer, placed_inner = [over, cap], []
        for a, b, *stations in zip(outer[2:], inner, outer_stations[2:], inner_stations, strict=True):
            flat = float(np.linalg.norm(a - b)) / 2 / self._unit
            points = []
            for k, station in enumerate(stations):
                point, along = arm_point(arm, station)
                normal = sign * np.array([-along[1], along[0]])
                arm_half = float(np.interp(station, ARM_STATIONS, halves))
                edge = -normal if k else normal
                # loose cloth hangs down: below an arm that is held out, and outside of one that hangs by the side
                loose = min(max(0.3 * (flat - arm_half), 0.04 * arm_half), 0.4 * arm_half)
                # at the shoulder its width is that of the armhole, which lies flat
                loose *= min(1.0, station / 0.3)
                lower = min(max(float(-normal @ s.down), 0.0), 1.0)
                half = arm_half + 2 * loose * (lower if k else 1 - lower)
                if abs(station - ELBOW) < 0.03 and float(edge @ tip) > 0:
                    half *= corner
                centre = float(np.interp(station, ARM_STATIONS, centres))
                points.append(point + (edge * half + normal * centre) * unit)
            if station < ELBOW:
                points[1] = _beside(points[1], points[0], torso, s, outward)
            placed_outer.append(points[0])
            placed_inner.append(points[1])
        return placed_outer + placed_inner
