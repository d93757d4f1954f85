"""The wearer's legs: where along them a point lies, how thick they are, and what they look like bare."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import sample, unit_vector
from vastra_live.synthesis.embedded.places import segment_distance
from vastra_live.synthesis.embedded.skeleton import Arm, Leg, Point, Skeleton
from vastra_live.types import F32

__all__ = [
    "CROTCH",
    "KNEE",
    "SeenLeg",
    "bare_legs",
    "crotch_station",
    "leg_half",
    "leg_point",
    "leg_stretch",
    "measure_build",
    "seen_legs",
]

F64 = npt.NDArray[np.float64]

KNEE = 0.52
"""The knee's station on the leg: 0 at the hip joint, 1 at the ankle."""
CROTCH = 0.42
"""How far below the hip joints the crotch of trousers lies, in shoulder widths (the pose puts hips high)."""
_STATIONS = np.array([0.0, 0.17, 0.35, KNEE, 0.67, 0.86, 1.0])
_USUAL_HALF = np.array([0.27, 0.255, 0.205, 0.148, 0.15, 0.093, 0.08])
_GOES_OVER = 0.3
"""Over so much of its length a leg that is made goes over into one that is seen."""
_FEW = 4
"""Of fewer stations than that a leg is not measured."""
_ROUND = 0.28
"""How much darker a bare leg is at its sides than in its middle."""


def leg_point(leg: Leg, station: float) -> tuple[Point, Point]:
    """The point at a station of the leg, and the direction there, turning softly at the knee."""
    thigh, shin = leg.knee - leg.hip, leg.ankle - leg.knee
    # from 1 on it lies below the ankle
    below = max(station - KNEE, 0.0) / (1 - KNEE)
    point = leg.hip + thigh * min(station / KNEE, 1.0) + shin * below
    turn = np.clip((station - KNEE) / 0.12 + 0.5, 0, 1)
    along = (1 - turn) * unit_vector(thigh, shin) + turn * unit_vector(shin, thigh)
    return point, unit_vector(along, thigh)


def leg_stretch(leg: Leg) -> float:
    """Length of a leg as it is seen, in pixels."""
    return float(np.linalg.norm(leg.knee - leg.hip) + np.linalg.norm(leg.ankle - leg.knee))


def crotch_station(leg: Leg, unit: float) -> float:
    """Where on a leg its inner side begins; of a thigh seen from its end, as somebody seated shows it, half way."""
    return float(np.clip(KNEE * CROTCH * unit / max(float(np.linalg.norm(leg.knee - leg.hip)), 1.0), 0.12, 0.3))


def leg_half(station: float, build: float) -> float:
    """Half width of a bare leg at a station, in shoulder widths."""
    return build * float(np.interp(station, _STATIONS, _USUAL_HALF))


def measure_build(person: F32, skin: F32, s: Skeleton) -> float:
    """How thick the legs are, 1 for the usual ones; what is worn on them can only make them look thicker.

    Args:
        person: (h, w) float32, the silhouette.
        skin: (h, w) float32 0..1, how surely a pixel is skin: bare legs are the best measure.
        s: the skeleton, in the same pixels.
    """
    height, width = person.shape
    out = np.linspace(0.04, 0.5, 47)
    points, lines, stations = [], [], []
    for leg in (s.right_leg, s.left_leg):
        for station in (0.3, 0.4, 0.48, 0.6, 0.75):
            point, along = leg_point(leg, station)
            if not (0 <= point[0] < width and 0 <= point[1] < height):
                continue
            normal = np.array([-along[1], along[0]])
            for sign in (-1, 1):
                points.append(point)
                lines.append(point + np.outer(out * sign * s.unit, normal))
                stations.append(station)
    if not points:
        return 1.0
    inside = sample(person, np.concatenate(lines)).reshape(len(lines), -1) > 0.5
    is_bare = sample(skin, np.array(points)) > 0.6
    clothed: list[float] = []
    bare: list[float] = []
    for line, seen, station, known in zip(lines, inside, stations, is_bare, strict=True):
        off = np.flatnonzero(~seen)
        # what ends at a hanging hand is not the leg
        if len(off) and min(_arm_gap(line[off[0]], arm) for arm in (s.left, s.right)) > 0.2 * s.unit:
            (bare if known else clothed).append(float(out[off[0]]) / leg_half(station, 1.0))
    if len(bare) >= 2:
        return float(np.clip(np.median(bare), 0.75, 1.3))
    if len(clothed) < 4:
        return 1.0
    return float(np.clip(0.92 * np.quantile(clothed, 0.25), 0.82, 1.15))


@dataclass(frozen=True, slots=True, eq=False)
class SeenLeg:
    """What is seen of a bare leg.

    Attributes:
        stations: (n,) where on the leg, from its upper end on.
        halves: (n,) half widths there, in units of those of a usual leg.
        aside: (n,) how far to the left of the bone, as the leg points, its middle lies, in shoulder widths.
    """

    stations: F64
    halves: F64
    aside: F64

    def at(self, station: float, build: float) -> tuple[float, float]:
        """Half width and middle at a station: as seen, and further up more and more those of a usual leg."""
        if not len(self.stations):
            return build, 0.0
        half, aside = (float(np.interp(station, self.stations, of)) for of in (self.halves, self.aside))
        known = float(np.clip(1 - (self.stations[0] - station) / _GOES_OVER, 0, 1))
        return build + known * (half - build), known * aside


def seen_legs(skin: F32, s: Skeleton) -> tuple[SeenLeg, SeenLeg]:
    """The right and the left leg as far as they are bare; where the two touch, nothing is measured.

    Args:
        skin: (h, w) float32 0..1, how surely a pixel is skin.
        s: the skeleton, in the same pixels.
    """
    stations = np.linspace(0.2, 0.96, 20)
    out = np.linspace(-0.4, 0.4, 65)
    found = []
    for leg in (s.right_leg, s.left_leg):
        points, along = (np.array(both) for both in zip(*(leg_point(leg, at) for at in stations), strict=True))
        normals = np.column_stack([-along[:, 1], along[:, 0]]) * s.unit
        lines = np.asarray(points[:, None] + out[:, None] * normals[:, None], np.float64)
        bare = sample(skin, lines) > 0.5
        known, halves, aside = [], [], []
        for row, station in zip(bare, stations, strict=True):
            edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0))
            runs = [(out[a], out[b - 1]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
            usual = leg_half(float(station), 1.0)
            for low, high in runs:
                half, middle = (high - low) / 2, (high + low) / 2
                if abs(middle) < usual and 0.6 < half / usual < 1.5:
                    known.append(station)
                    halves.append(half / usual)
                    aside.append(middle)
        if len(known) < _FEW:
            found.append(SeenLeg(*np.zeros((3, 0))))
            continue
        smooth = [np.asarray(cv2.medianBlur(np.array([of], np.float32), 3)[0], np.float64) for of in (halves, aside)]
        found.append(SeenLeg(np.array(known), *smooth))
    return found[0], found[1]


def _arm_gap(point: Point, arm: Arm) -> float:
    """Distance of a point to the bones of an arm, in pixels."""
    gaps = []
    for start, end in ((arm.shoulder, arm.elbow), (arm.elbow, arm.wrist), (arm.wrist, arm.tip)):
        along = end - start
        t = np.clip((point - start) @ along / max(float(along @ along), 1e-6), 0, 1)
        gaps.append(float(np.linalg.norm(point - start - t * along)))
    return min(gaps)


def bare_legs(
    shape: tuple[int, ...],
    s: Skeleton,
    build: float,
    covered_to: float = 0.0,
    seen: tuple[SeenLeg, SeenLeg] | None = None,
) -> tuple[F32, F32]:
    """Both legs without anything on them, from the hip joints to the ankles.

    Args:
        shape: height and width of what is drawn.
        s: the skeleton.
        build: how thick the legs are.
        covered_to: the station down to which trousers cover them: there they are drawn thinner.
        seen: of the right and the left leg, what goes on below.

    Returns:
        (h, w) float32 0..1, where they are, and (h, w) float32, light across them: 1 in the middle, less at the sides.
    """
    where = np.zeros(shape, np.float32)
    light = np.ones(shape, np.float32)
    for k, leg in enumerate((s.right_leg, s.left_leg)):
        stations = np.sort(np.concatenate([_STATIONS, [0.26, 0.44, 0.6, 0.76, 1.06, max(covered_to - 0.04, 0.01)]]))
        ways = [leg_point(leg, station) for station in stations]
        shapes = [(build, 0.0) if seen is None else seen[k].at(station, build) for station in stations]
        points = np.array(
            [
                point + aside * s.unit * np.array([-along[1], along[0]])
                for (point, along), (_, aside) in zip(ways, shapes, strict=True)
            ]
        )
        # the hip joint's round would look out above a waistband
        thin = [
            np.interp(station, (0, 0.17), (0.55, 0.75)) if station < covered_to - 0.03 else 1.0 for station in stations
        ]
        halves = [
            leg_half(station, half) * s.unit * less
            for station, (half, _), less in zip(stations, shapes, thin, strict=True)
        ]
        # a leg is worked out in its own box
        reach = max(halves) + 2
        x0, y0 = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(points.max(axis=0) + reach), shape[::-1]).astype(int)
        if x1 <= x0 or y1 <= y0:
            continue
        box, part = (y1 - y0, x1 - x0), np.s_[y0:y1, x0:x1]
        points = points - (x0, y0)
        ratio = np.full(box, 9.0, np.float32)
        mine = np.zeros(box, np.float32)
        for i in range(len(stations) - 1):
            distance, t = segment_distance(box, points[i], points[i + 1])
            radius = (halves[i] + (halves[i + 1] - halves[i]) * t).astype(np.float32)
            ratio = np.minimum(ratio, distance / np.maximum(radius, 1))
            mine = np.maximum(mine, np.clip(radius - distance + 0.5, 0, 1))
        where[part] = np.maximum(where[part], mine)
        # the bone in front: a knee is a little lighter, the hollow below it a little darker
        bump = np.ones(box, np.float32)
        for station, gain in ((KNEE, 0.035), (KNEE + 0.075, -0.05)):
            centre = leg_point(leg, station)[0] - (x0, y0)
            distance, _ = segment_distance(box, centre, centre)
            bump += np.float32(gain) * np.exp(-((distance / (0.5 * leg_half(station, build) * s.unit)) ** 2))
        # the later leg is in front
        light[part] = np.where(ratio < 1, (1 - _ROUND * ratio**2) * bump, light[part])
    return where, np.asarray(cv2.blur(light, (3, 3)), np.float32)
