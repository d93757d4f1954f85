"""Where the points of trousers and skirts belong on a body."""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import DEPTHS, USUAL_HALF, Girth
from vastra_live.synthesis.embedded.legs import (
    CROTCH,
    KNEE,
    crotch_station,
    leg_half,
    leg_point,
    leg_stretch,
)
from vastra_live.synthesis.embedded.lower_reading import Waistline
from vastra_live.synthesis.embedded.mesh import LEFT_SLEEVE, RIGHT_SLEEVE, TORSO
from vastra_live.synthesis.embedded.skeleton import Leg, Point, Skeleton
from vastra_live.synthesis.embedded.snap import Edge, EdgeKind
from vastra_live.types import F32, Garment

__all__ = ["LowerPattern", "SkirtPattern", "TrouserPattern", "lower_pattern"]

I32 = npt.NDArray[np.int32]

# A leg is to the mesh what a sleeve is: a part of its own that bends once.
_LEFT_LEG, _RIGHT_LEG = LEFT_SLEEVE, RIGHT_SLEEVE

_WAIST_TO_ANKLE = 2.7
"""Of a usual body, in shoulder widths."""
_LEG = 2.35
_REACHES_THE_ANKLE = 0.74
"""Trousers are taken for long ones from this share of the usual length on: wide ones look short for their width."""
_ANKLE = 1.04
"""The station where long trousers end: on the shoe."""
_EASE = 1.05
_SIGNS = {"right": -1.0, "left": 1.0}


class LowerPattern(Protocol):
    """The points of a lower garment that are pinned to the body.

    Attributes:
        handles: (C, 2) where they are in the photo.
        parts: (C,) the part of the mesh each is fastened to.
        masks: what of the photo each part shows; a part that is not there is 0 everywhere.
        seams: where parts are sewn together, as segments of the photo.
        bends: for each leg that reaches past the knee, a point of the photo at its knee, the direction to its cuff, and
            0: neither half is shown farther than the crease needs.
        edges: of its outline, which fall on those of a worn lower garment where they lie close.
        on_legs: numbers of the points on the outline of a leg.
        beside: the numbers of those that lie across from them.
    """

    handles: Point
    parts: I32
    masks: list[F32]
    seams: list[tuple[Point, Point]]
    bends: dict[int, tuple[Point, Point, float]]
    edges: tuple[Edge, ...]
    on_legs: I32
    beside: I32

    @property
    def covers_to(self) -> float:
        """The station of the legs down to which they are covered, each by itself; 0 for a skirt."""
        ...

    def targets(self, skeleton: Skeleton, girth: Girth, build: float, worn: Waistline) -> Point:
        """(C, 2) where the points belong on this body.

        Args:
            skeleton: the wearer's; the points are in its pixels.
            girth: of the torso.
            build: how thick the legs are.
            worn: where the worn lower garment begins and its legs part.
        """
        ...


def lower_pattern(garment: Garment) -> LowerPattern:
    """The pattern of trousers or, without a crotch, of a skirt."""
    return TrouserPattern(garment) if "crotch" in garment.landmarks_px else SkirtPattern(garment)


def _runs(row: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last column of every piece of cloth in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _waist_half(s: Skeleton, girth: Girth, side: int, below: float) -> float:
    """Half width of hips and waist at a height (shoulder widths below the hip joints), in shoulder widths."""
    depth = 1 + below * s.unit / s.torso_length
    # a worn top may flare over the hips: what is worn below it does not
    return float(np.interp(depth, DEPTHS, np.minimum(girth.torso[side], 1.15 * USUAL_HALF)))


def _raised(top: float, worn: float, s: Skeleton) -> float:
    """Height of a waist, in shoulder widths below the hip joints: where the worn one is, if that is a little higher."""
    seen = (worn - 1) * s.torso_length / s.unit - 0.05
    return seen if top - 0.55 < seen < top else top


class TrouserPattern:
    """A ``LowerPattern`` of trousers and shorts: two halves sewn together from waist to crotch, a leg each.

    Args:
        garment: of category lower, with a crotch.
    """

    def __init__(self, garment: Garment) -> None:
        m = {name: np.array(point) for name, point in garment.landmarks_px.items()}
        alpha = garment.alpha
        waist = (m["waist_left"] + m["waist_right"]) / 2
        cuffs = {side: (m[f"cuff_outer_{side}"] + m[f"cuff_inner_{side}"]) / 2 for side in _SIGNS}
        bottom = (cuffs["left"] + cuffs["right"]) / 2
        total = max(float(bottom[1] - waist[1]), 8.0)
        waist_width = float(m["waist_left"][0] - m["waist_right"][0])
        # legs that touch in the photo part further down than the crotch is
        rows = np.arange(int(waist[1]), int(min(m["crotch"][1], waist[1] + 0.8 * waist_width, alpha.shape[0] - 1)) + 1)
        widths = [np.ptp(np.flatnonzero(row)) for y in rows if (row := alpha[y] > 0.5).any()]
        hip_width = float(np.quantile(widths, 0.9)) if widths else waist_width
        rise = float(np.clip(m["crotch"][1] - waist[1], 0.3 * hip_width, min(0.95 * hip_width, 0.85 * total)))
        self._rise = float(np.clip(1.02 * rise / hip_width, 0.62, 0.85))
        self._hip_width = hip_width
        share = float(np.sqrt(total / hip_width / 2.75 * total / rise / 3.9))
        # station of the cuffs on a usual body; a body of other proportions has them at the same station
        start = CROTCH / _LEG
        reach = start + (share * _WAIST_TO_ANKLE - self._rise) / _LEG
        self._end = _ANKLE if share > _REACHES_THE_ANKLE else float(np.clip(reach, start + 0.06, 0.97))
        crotch = np.array([m["crotch"][0], waist[1] + rise])
        self.masks, self.seams = self._halves(alpha, waist, crotch, m)
        knee = (KNEE - start) / (self._end - start)
        if knee < 0.9:
            self._shares = np.array([0.06, 0.15, knee / 2, knee - 0.08, knee, knee + 0.08, (knee + 1.08) / 2, 1.0])
        else:
            self._shares = np.array([0.25, 0.6, 1.0])
        self._knee = knee
        points, parts = [], []
        self.bends = {}
        self._flat: dict[str, list[float]] = {}
        for side, part in (("right", _RIGHT_LEG), ("left", _LEFT_LEG)):
            mask = self.masks[part]
            hips = [m[f"waist_{side}"], *(self._outer(mask, waist[1] + q * rise, side) for q in (0.5, 1.0))]
            edges = [self._leg_edges(mask, crotch, cuffs[side], share, side, m) for share in self._shares]
            self._flat[side] = [abs(float(outer[0] - inner[0])) for outer, inner in edges]
            mine = [waist, crotch, *hips, *(point for pair in edges for point in pair)]
            points.extend(mine)
            parts.extend([part] * len(mine))
            if knee < 0.9:
                self.bends[part] = (crotch + (cuffs[side] - crotch) * knee, np.array([0.0, 1.0]), 0.0)
        self.handles, self.parts = np.array(points), np.array(parts, np.int32)
        count = len(points) // 2
        self.edges = self._outline(count)
        outer = np.concatenate([np.arange(first + 5, first + count, 2) for first in (0, count)])
        self.on_legs = np.concatenate([outer, outer + 1]).astype(np.int32)
        self.beside = np.concatenate([outer + 1, outer]).astype(np.int32)

    def _outline(self, count: int) -> tuple[Edge, ...]:
        """The sides of hips and legs, of ``count`` points a half, clockwise as the photo shows them."""
        edges: list[Edge] = []
        for first, right in ((0, True), (count, False)):
            outer = [*range(first + 2, first + 5), *range(first + 5, first + count, 2)]
            inner = list(range(first + 6, first + count, 2))
            # the right half lies on the left of the photo: its outer side is drawn upwards
            for points, up in ((outer, right), (inner, not right)):
                edges.append(Edge(EdgeKind.INNER, tuple(reversed(points) if up else points)))
        return tuple(edges)

    def _halves(
        self, alpha: F32, waist: Point, crotch: Point, m: dict[str, Point]
    ) -> tuple[list[F32], list[tuple[Point, Point]]]:
        """No torso, the left half and the right half; and the seam between them."""
        inner = (m["cuff_inner_left"] + m["cuff_inner_right"]) / 2
        middle = np.interp(
            np.arange(alpha.shape[0]), [waist[1], crotch[1], inner[1]], [waist[0], crotch[0], inner[0]]
        ).astype(np.float32)
        for y in range(int(crotch[1]), alpha.shape[0]):
            runs = _runs(alpha[y] > 0.5)
            gaps = [(a[1] + b[0]) / 2 for a, b in pairwise(runs)]
            near = [gap for gap in gaps if abs(gap - middle[y]) < 0.15 * self._hip_width]
            if near:
                middle[y] = min(near, key=lambda gap, at=middle[y]: abs(gap - at))  # type: ignore[misc]
        beyond = np.arange(alpha.shape[1], dtype=np.float32)[None, :] - middle[:, None]
        # above the crotch the left half reaches a little under the right one: they meet without a crack
        under = np.where(np.arange(alpha.shape[0])[:, None] < crotch[1], max(2.0, alpha.shape[1] / 120), 0.0)
        left = alpha * np.clip(beyond + under.astype(np.float32) + 0.5, 0, 1)
        right = alpha * np.clip(-beyond + 0.5, 0, 1)
        masks = [np.zeros_like(alpha), np.asarray(left, np.float32), np.asarray(right, np.float32)]
        return masks, [(waist - (0, 0.2 * self._hip_width), crotch)]

    @staticmethod
    def _outer(mask: F32, y: float, side: str) -> Point:
        columns = np.flatnonzero(mask[int(np.clip(y, 0, mask.shape[0] - 1))] > 0.5)
        edge = 0.0 if not len(columns) else float(columns[-1] if side == "left" else columns[0])
        return np.array([edge, y])

    @staticmethod
    def _leg_edges(
        mask: F32, crotch: Point, cuff: Point, share: float, side: str, m: dict[str, Point]
    ) -> tuple[Point, Point]:
        """Outer and inner edge of a leg at a share of its way from crotch to cuff."""
        if share == 1.0:
            return m[f"cuff_outer_{side}"], m[f"cuff_inner_{side}"]
        y = float(crotch[1] + (cuff[1] - crotch[1]) * share)
        runs = _runs(mask[int(np.clip(y, 0, mask.shape[0] - 1))] > 0.5)
        if not runs:
            return np.array([cuff[0], y]), np.array([cuff[0], y])
        # torn trousers have gaps: the leg goes on behind them
        low, high = runs[0][0], runs[-1][1]
        return (
            (np.array([high, y]), np.array([low, y])) if side == "left" else (np.array([low, y]), np.array([high, y]))
        )

    @property
    def covers_to(self) -> float:
        """The station where the cuffs are."""
        return self._end

    def targets(self, skeleton: Skeleton, girth: Girth, build: float, worn: Waistline) -> Point:
        """As in ``LowerPattern``."""
        s, unit = skeleton, skeleton.unit
        crotch = s.pelvis + s.down * CROTCH * unit
        top = _raised(CROTCH - self._rise, worn.waist, s)
        waistband = s.pelvis + s.down * top * unit
        hips = sum(max(_waist_half(s, girth, k, 0.2), leg_half(0.17, build) + 0.24) for k in (0, 1))
        scale = _EASE * hips / self._hip_width
        placed: list[Point] = []
        for k, (side, leg, other) in enumerate((("right", s.right_leg, s.left_leg), ("left", s.left_leg, s.right_leg))):
            start = crotch_station(leg, unit)
            stations = np.interp(
                self._shares, [0.0, min(self._knee, 0.99), 1.0], [start, min(KNEE, self._end), self._end]
            )
            if self._knee >= 0.9:
                stations = start + (self._end - start) * self._shares
            halves = [self._half(side, i, station, scale, build) for i, station in enumerate(stations)]
            outward = _SIGNS[side] * s.hips_across
            placed.extend([waistband, crotch])
            for share in (0.0, 0.5):
                below = top + share * (CROTCH - top)
                half = _waist_half(s, girth, k, below) * (1.0 + 0.03 * share) + 0.01
                placed.append(s.pelvis + s.down * below * unit + outward * half * unit)
            thigh, along = leg_point(leg, start)
            placed.append(thigh + self._outward(along, outward) * max(halves[0], leg_half(start, build) + 0.01) * unit)
            for station, half in zip(stations, halves, strict=True):
                point, along = leg_point(leg, station)
                normal = self._outward(along, outward)
                # side by side, the inner edges meet in the middle and do not cross
                between = (leg_point(other, station)[0] - point) / 2
                room = float(between @ -normal) / unit + 0.015
                inner = half if room < 0.05 else max(min(half, room), 0.6 * leg_half(station, build))
                # thighs that touch go on touching in narrow trousers
                if station < worn.fork and half < room < 1.3 * half:
                    inner = room + 0.02
                placed.extend([point + normal * half * unit, point - normal * inner * unit])
        return np.array(placed)

    def _half(self, side: str, index: int, station: float, scale: float, build: float) -> float:
        """Half width of a trouser leg, in shoulder widths: as it is cut, but the leg has to go in."""
        bare = leg_half(station, build)
        return float(np.clip(0.92 * scale * self._flat[side][index] / 2, 1.06 * bare + 0.008, 2.6 * bare))

    @staticmethod
    def _outward(along: Point, outward: Point) -> Point:
        normal = np.array([-along[1], along[0]])
        return normal if float(normal @ outward) > 0 else -normal


class SkirtPattern:
    """A ``LowerPattern`` of a skirt: one sheet from waist to hem, as wide as hips and both legs need it.

    Args:
        garment: of category lower, without a crotch.
    """

    _SHARES = np.array([0.0, 0.15, 0.3, 0.5, 0.75, 1.0])

    def __init__(self, garment: Garment) -> None:
        m = {name: np.array(point) for name, point in garment.landmarks_px.items()}
        waist, hem = ((m[f"{name}_left"] + m[f"{name}_right"]) / 2 for name in ("waist", "hem"))
        self.masks = [garment.alpha]
        self.seams: list[tuple[Point, Point]] = []
        self.bends: dict[int, tuple[Point, Point, float]] = {}
        total = max(float(hem[1] - waist[1]), 8.0)
        self._sides: dict[str, list[Point]] = {}
        for side in ("right", "left"):
            between = [self._outer(garment.alpha, waist, hem, share, side) for share in self._SHARES[1:-1]]
            self._sides[side] = [m[f"waist_{side}"], *between, m[f"hem_{side}"]]
        self._waist, self._hem = waist, hem
        # a waist may be gathered and hips may be wide: photo pixels per shoulder width by both
        widths = [float(np.linalg.norm(a - b)) for a, b in zip(self._sides["left"], self._sides["right"], strict=True)]
        self._unit = min(max(widths[0] / 0.92, widths[1] / 1.1), widths[0] / 0.8)
        self._length = total / self._unit
        middles = [(self._sides["right"][i] + self._sides["left"][i]) / 2 for i in (0, 3, 5)]
        self.handles = np.array([*self._sides["right"], *self._sides["left"], *middles])
        self.parts = np.full(len(self.handles), TORSO, np.int32)
        self.edges: tuple[Edge, ...] = ()
        self.on_legs = self.beside = np.zeros(0, np.int32)

    @staticmethod
    def _outer(alpha: F32, waist: Point, hem: Point, share: float, side: str) -> Point:
        at = waist + (hem - waist) * share
        columns = np.flatnonzero(alpha[int(np.clip(at[1], 0, alpha.shape[0] - 1))] > 0.5)
        if not len(columns):
            return at
        return np.array([float(columns[-1] if side == "left" else columns[0]), at[1]])

    @property
    def covers_to(self) -> float:
        """Legs are bare under a skirt."""
        return 0.0

    def targets(self, skeleton: Skeleton, girth: Girth, build: float, worn: Waistline) -> Point:
        """As in ``LowerPattern``."""
        s, unit = skeleton, skeleton.unit
        legs = (s.right_leg, s.left_leg)
        top = _raised(-0.35, worn.waist, s)
        # long legs wear a skirt of the same length higher: it is measured in legs
        stretch = float(np.clip(np.mean([leg_stretch(leg) for leg in legs]) / (_LEG * unit), 0.75, 1.25))
        waistband = s.pelvis + s.down * top * unit
        length = self._length * stretch * unit
        scale = 1 / self._unit
        placed: list[Point] = []
        for k, (side, leg) in enumerate(zip(("right", "left"), legs, strict=True)):
            outward = _SIGNS[side] * s.hips_across
            for share, point in zip(self._SHARES, self._sides[side], strict=True):
                centre = waistband + s.down * length * share
                flat = abs(float((point - self._waist - (self._hem - self._waist) * share)[0])) * scale
                below = top + length * share / unit
                half = _waist_half(s, girth, k, min(below, 0.3)) * 1.03 + 0.01
                if share > 0:
                    half = max(
                        half if below < 0.35 else 0.0, 0.95 * flat, self._leg_needs(leg, centre, outward, s, build)
                    )
                placed.append(centre + outward * half * unit)
        placed.extend((placed[i] + placed[i + 6]) / 2 for i in (0, 3, 5))
        return np.array(placed)

    @staticmethod
    def _leg_needs(leg: Leg, centre: Point, outward: Point, s: Skeleton, build: float) -> float:
        """How far a leg reaches to its side at a height, in shoulder widths."""
        stations = np.linspace(0.1, 1.0, 19)
        points = np.array([leg_point(leg, station)[0] for station in stations])
        nearest = int(np.argmin(np.abs((points - centre) @ s.down)))
        aside = float((points[nearest] - centre) @ outward) / s.unit
        return aside + leg_half(float(stations[nearest]), build) + 0.02
