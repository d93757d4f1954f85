"""Where the points of a garment belong on a body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.bend import Run
from vastra_live.synthesis.embedded.girth import ASIDE, DEPTHS, Girth
from vastra_live.synthesis.embedded.mesh import LEFT_SLEEVE, RIGHT_SLEEVE, TORSO
from vastra_live.synthesis.embedded.outline import along_outline, largest_outline
from vastra_live.synthesis.embedded.parts import has_sleeves, part_masks
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.synthesis.embedded.sleeve import SleevePattern
from vastra_live.synthesis.embedded.snap import Edge, EdgeKind
from vastra_live.types import Category, Garment

__all__ = ["Openings", "TopPattern"]

_PHOTO_SHOULDERS = 0.86
"""Shoulders of a garment in its photo, in shoulder widths of its wearer: on a mannequin they curve away."""
_USUAL_LENGTH = 1.66
"""From neck to hem of a top, in shoulder widths of its wearer."""
_TRUST_IN_SHOULDERS = 0.75
_NECK = (0.235, 0.46)
"""Nearest and farthest that a neck opening's ends lie from the spine: the neck is as wide as that."""

I32 = npt.NDArray[np.int32]


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


@dataclass(frozen=True, slots=True, eq=False)
class Openings:
    """Where a top ends on a body, and the wearer's skin begins.

    Attributes:
        neckline: (n, 2) from the wearer's right to the left, in pixels; None for a top without sleeves, which leaves
            the shoulders bare too.
        hem: its highest point, in depth on the torso.
        sleeves: how far they reach down the right and the left arm: 0 shoulder joint, 1 wrist.
    """

    neckline: Point | None
    hem: float
    sleeves: tuple[float, float] = (0.15, 0.15)


class TopPattern:
    """The points of one top or dress that are pinned to the body: where they are in the photo, and how to place them.

    Args:
        garment: a top or a dress.
    """

    def __init__(self, garment: Garment) -> None:
        m = {name: np.array(point) for name, point in garment.landmarks_px.items()}
        self._marks = m
        self._sleeved = has_sleeves(garment)
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
        outline = largest_outline(self._masks[TORSO])
        shares = np.array([1, 2, 3]) / 3
        necks = [
            along_outline(outline, m[f"neck_{side}"], m["neck_front"], hem_mid, shares)[:2]
            for side in ("right", "left")
        ]
        self._neckline = [*necks[0], *reversed(necks[1])]
        self._hem = along_outline(outline, m["hem_left"], m["hem_right"], neck_mid, np.arange(1, 7) / 6)[:5]
        for point in (*self._neckline, *self._hem):
            self._pin(point, TORSO)
        self._sleeves: dict[int, SleevePattern] = {}
        self._runs: dict[int, tuple[range, range]] = {}
        if self._sleeved:
            for side, part in (("right", RIGHT_SLEEVE), ("left", LEFT_SLEEVE)):
                sleeve = SleevePattern(m, side, garment.sleeve, self._masks[part], self._unit)
                self._sleeves[part] = sleeve
                first = len(self._points)
                inner, end = first + len(sleeve.outer), first + len(sleeve.outer) + len(sleeve.inner)
                self._runs[part] = range(first, inner), range(inner, end)
                for point in sleeve.outer + sleeve.inner:
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
    def neckline(self) -> tuple[int, ...]:
        """The numbers of the pinned points along the neckline, from the wearer's right to the left."""
        return self._of(EdgeKind.NECK)

    @property
    def hem(self) -> tuple[int, ...]:
        """The numbers of the pinned points along the hem."""
        return self._of(EdgeKind.HEM)

    @property
    def elbows(self) -> dict[int, tuple[Point, Point, float]]:
        """Where the sleeves that reach past the elbow bend: a point of the photo, direction to the cuff, half width."""
        return {part: sleeve.elbow for part, sleeve in self._sleeves.items() if sleeve.elbow is not None}

    def sleeves(self, skeleton: Skeleton) -> dict[int, tuple[Run, Run, Arm]]:
        """The sleeves that reach past the elbow: outer and inner edge, and the arm in it."""
        found = {}
        for part, arm in ((LEFT_SLEEVE, skeleton.left), (RIGHT_SLEEVE, skeleton.right)):
            if part in self.elbows:
                stations = self._sleeves[part].stations(arm, skeleton.unit)
                outer, inner = (Run(tuple(k), at) for k, at in zip(self._runs[part], stations, strict=True))
                found[part] = outer, inner, arm
        return found

    def _of(self, kind: EdgeKind) -> tuple[int, ...]:
        return next(edge.points for edge in self._edges if edge.kind is kind)

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
        for k, runs in enumerate(self._runs.values()):
            outer[k], inner = tuple(runs[0]), tuple(runs[1])
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
            for k, (side, part) in enumerate((("right", RIGHT_SLEEVE), ("left", LEFT_SLEEVE))):
                sleeve = self._sleeves[part]
                placed.extend(sleeve.targets(s, girth.sleeves[k], girth.centres[k], np.array(sides[side])))
        return np.array(placed)

    def reach(self, skeleton: Skeleton) -> float:
        """How far below the shoulder joints the hem hangs, in the skeleton's pixels."""
        hem = (self._marks["hem_left"] + self._marks["hem_right"]) / 2
        return float((hem - self._neck_mid) @ self._axis) * skeleton.unit / self._unit

    def openings(self, placed: Point, skeleton: Skeleton) -> Openings:
        """Where the garment ends whose points were placed at (C, 2), in the skeleton's pixels."""
        depths = (placed[list(self.hem)] - skeleton.neck) @ skeleton.down / skeleton.torso_length
        if not self._sleeved:
            return Openings(None, float(depths.min()))
        right, left = (
            self._sleeves[part].end_at((placed[runs[0][-1]] + placed[runs[1][-1]]) / 2, arm, skeleton.unit)
            for (part, runs), arm in zip(self._runs.items(), (skeleton.right, skeleton.left), strict=True)
        )
        return Openings(placed[list(self.neckline)], float(depths.min()), (right, left))
