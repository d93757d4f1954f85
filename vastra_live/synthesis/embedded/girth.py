"""How wide the body is: half widths of torso and arms, and the rise of the shoulders, off the silhouette."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32

__all__ = [
    "ARM_STATIONS",
    "ASIDE",
    "DEPTHS",
    "ELBOW",
    "USUAL_HALF",
    "Girth",
    "arm_point",
    "arm_points",
    "measure_girth",
    "middle_of",
    "unit_vector",
]

DEPTHS = np.array([0.15, 0.3, 0.5, 0.7, 0.85, 1.0, 1.25])
"""Where the torso is measured: 0 at the shoulder joints, 1 at the hip joints."""
USUAL_HALF = np.array([0.52, 0.48, 0.45, 0.43, 0.46, 0.5, 0.52])
ASIDE = np.array([0.3, 0.4, 0.5, 0.6])
"""Where the height of the shoulders is measured: distance from the spine."""
_USUAL_RISE = np.array([0.22, 0.18, 0.135, 0.075])
ARM_STATIONS = np.array([0.25, 0.4, 0.54, 0.75, 0.95])
"""Where the arms are measured: 0 at the shoulder joint, 1 at the wrist."""
_USUAL_ARM = np.array([0.165, 0.15, 0.125, 0.115, 0.085])
_FULLER = 1.1
"""An arm in a short sleeve may be so much fuller than it is where it is bare, by its usual shape."""
ELBOW = 0.54

Mask = npt.NDArray[np.bool_]
Edges = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Girth:
    """Half widths of a body in shoulder widths (``Skeleton.unit``).

    Attributes:
        torso: (2, 7) from the spine to the wearer's right and left side, at ``DEPTHS``.
        arms: (2, 5) half width of right and left arm, from shoulder to wrist.
        sleeves: (2, 5) the same as they are seen, with what is worn on them.
        centres: (2, 5) how far outside of the bones the arms' middles lie.
        rise: (2, 4) how far the right and left shoulder's outline lies above the joints, from neck to arm.
    """

    torso: npt.NDArray[np.float64]
    arms: npt.NDArray[np.float64]
    sleeves: npt.NDArray[np.float64]
    centres: npt.NDArray[np.float64]
    rise: npt.NDArray[np.float64]

    def thickness(self, side: int) -> float:
        """How thick the right (0) or left (1) arm is on the whole, as a factor on the usual."""
        return middle_of(self.arms[side] / _USUAL_ARM)

    def mixed(self, newer: Girth, share: float) -> Girth:
        """This girth moved towards a newer one."""
        return Girth(
            self.torso + share * (newer.torso - self.torso),
            self.arms + share * (newer.arms - self.arms),
            self.sleeves + share * (newer.sleeves - self.sleeves),
            self.centres + share * (newer.centres - self.centres),
            self.rise + share * (newer.rise - self.rise),
        )


def measure_girth(person: F32, skeleton: Skeleton, clothed: F32) -> Girth:
    """Measure the silhouette; where an arm hides the side of the torso, the arm's inner side bounds it.

    Args:
        person: (h, w) float32 silhouette.
        skeleton: in the same pixels.
        clothed: (h, w) float32 0..1, the worn top, under which an arm is thinner than what is seen.
    """
    s, unit = skeleton, skeleton.unit
    reach = np.linspace(0.2, 1.1, 46)
    centres = s.neck + np.outer(DEPTHS, s.pelvis - s.neck)
    outward = np.array([s.across_at(depth) for depth in DEPTHS]) * unit
    # (side, depth, step along the line, x and y)
    steps = np.array([-1.0, 1.0])[:, None, None, None] * reach[:, None]
    lines = centres[:, None] + steps * outward[:, None]
    # below the picture's edge a hip is as wide as at it
    inside = np.clip(lines, 0, np.array(person.shape[::-1]) - 1)
    ends = (sample(person, lines) <= 0.5) | (_to_bones(inside, s) <= 0.13 * unit)
    halves = np.where(ends.any(axis=2), reach[ends.argmax(axis=2)], reach[-1])
    torso = np.clip(halves, 0.88 * USUAL_HALF, 1.4 * USUAL_HALF)
    torso[:, 1:-1] = 0.5 * torso[:, 1:-1] + 0.25 * (torso[:, 2:] + torso[:, :-2])
    both = s.right, s.left
    hidden = [_hidden(clothed, arm) for arm in both]
    edges = [_to_edges(person, arm, unit) for arm in both]
    arms = np.array([_measure_arm(edges[k], hidden[k]) for k in (0, 1)])
    limbs = np.array([_measure_limb(edges[k], hidden[k], k) for k in (0, 1)])
    rise = np.empty((2, len(ASIDE)))
    height = np.linspace(0.45, -0.2, 66)
    feet = s.neck + np.multiply.outer(np.outer((-1, 1), ASIDE * unit), s.across)
    over = sample(person, feet[:, :, None] - np.outer(height * unit, s.down)) > 0.5
    for side in (0, 1):
        for k, aside in enumerate(ASIDE):
            seen = np.flatnonzero(over[side, k])
            measured = height[seen[0]] if len(seen) else _USUAL_RISE[k]
            # far above the usual is hair, a collar or a raised arm, and not the shoulder's outline
            off = measured - _USUAL_RISE[k]
            most = 0.05 if aside < 0.45 else 0.11
            rise[side, k] = _USUAL_RISE[k] + (float(np.clip(off, -0.07, most)) if abs(off) < 0.2 else 0.0)
    # hair on a shoulder raises its outline, and mostly that of one side more
    near = ASIDE < 0.45
    rise[:, near] = np.minimum(rise[:, near], rise[::-1, near] + 0.03)
    return Girth(torso, arms, limbs[:, 0], limbs[:, 1], rise)


def _to_bones(points: Point, s: Skeleton) -> npt.NDArray[np.float64]:
    """(...) distance of (..., 2) points to the nearest bone of an arm, in pixels."""
    nearest = np.full(points.shape[:-1], np.inf)
    for arm in (s.left, s.right):
        for start, end in ((arm.shoulder, arm.elbow), (arm.elbow, arm.wrist)):
            along, off = end - start, points - start
            t = np.clip(off @ along / max(float(along @ along), 1e-6), 0, 1)
            nearest = np.minimum(nearest, np.hypot(off[..., 0] - t * along[0], off[..., 1] - t * along[1]))
    return nearest


def _measure_arm(edges: Sequence[Edges], hidden: Mask) -> npt.NDArray[np.float64]:
    """(5,) half widths of the bare arm at the stations, in shoulder widths.

    The nearer side counts, for the other one may touch the torso.
    """
    ratios = []
    for k, both in enumerate(edges):
        widths = [width for width in both if width is not None]
        ratios.append(min(widths) / _USUAL_ARM[k] if widths else 1.0)
    measured = np.clip(ratios, 0.85, 1.35)
    # under a sleeve the arm goes on as it is where it is bare
    bare = measured[~hidden]
    most = min(max(middle_of(bare), 0.85), 1.2) if len(bare) else 1.15
    return np.asarray(np.where(hidden, np.minimum(measured, most), measured) * _USUAL_ARM, np.float64)


def _measure_limb(edges: Sequence[Edges], hidden: Mask, side: int) -> npt.NDArray[np.float64]:
    """(2, 5) half widths of an arm as it is seen, sleeve and all, and how far outside of the bone its middle lies.

    Where the inner side touches the torso the width is that of the stations that stand free. A short sleeve that
    flares says nothing about the arm in it, which goes on as it is where it is bare.
    """
    widths = [both if side == 0 else both[::-1] for both in edges]
    free = [
        ((outer + inner) / 2 / _USUAL_ARM[k], k)
        for k, (outer, inner) in enumerate(widths)
        if outer is not None and inner is not None and max(outer, inner) < 2.2 * _USUAL_ARM[k]
    ]
    usual = min(max(middle_of([ratio for ratio, _ in free]), 0.85), 1.35) if free else 1.0
    halves, centres = usual * _USUAL_ARM, np.zeros(len(ARM_STATIONS))
    for k, (outer, inner) in enumerate(widths):
        if outer is None:
            continue
        if inner is not None and max(outer, inner) < 2.2 * _USUAL_ARM[k]:
            halves[k] = np.clip((outer + inner) / 2, 0.85 * _USUAL_ARM[k], 1.35 * _USUAL_ARM[k])
        centres[k] = np.clip(outer - halves[k], -0.1, 0.1)
    bare = [ratio for ratio, k in free if not hidden[k]]
    if bare:
        most = _FULLER * min(max(middle_of(bare), 0.85), 1.35)
        halves[hidden] = np.minimum(halves[hidden], most * _USUAL_ARM[hidden])
    # a flared sleeve or a shirt that stands off moves the outline, and not the arm
    middle = middle_of(centres)
    centres = np.clip(centres, middle - 0.05, middle + 0.05)
    if not hidden.all():
        # joints are not found to the pixel: how far off the bone lies changes from station to station
        stations = np.arange(len(ARM_STATIONS))
        nearest = np.abs(stations[:, None] - stations[~hidden]).argmin(axis=1)
        centres[hidden] = np.minimum(centres[hidden], centres[~hidden][nearest][hidden] + 0.02)
    return np.array([halves, centres])


def _hidden(clothed: F32, arm: Arm) -> Mask:
    """(5,) whether the worn top covers the arm at the stations."""
    points, _ = arm_points(arm, ARM_STATIONS)
    return np.asarray(sample(clothed, points) > 0.5, np.bool_)


def _to_edges(person: F32, arm: Arm, unit: float) -> list[Edges]:
    """At each station, shoulder widths from the bone to the silhouette's edge: to the left of the arm, to its right.

    Left and right are those of the picture for an arm that hangs; None where there is no edge nearby.
    """
    out = np.linspace(0.03, 0.4, 38)
    points, along = arm_points(arm, ARM_STATIONS)
    normals = np.column_stack([-along[:, 1], along[:, 0]]) * unit
    steps = np.array([1.0, -1.0])[:, None] * out
    off = sample(person, points[:, None, None] + steps[..., None] * normals[:, None, None]) < 0.5
    return [
        (float(out[left.argmax()]) if left.any() else None, float(out[right.argmax()]) if right.any() else None)
        for left, right in off
    ]


def sample(picture: F32, points: Point) -> F32:
    """(...) values at (..., 2) points; outside of the picture the border's."""
    at = points.reshape(1, -1, 2).astype(np.float32)
    values = cv2.remap(picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).reshape(points.shape[:-1])


def arm_point(arm: Arm, station: float) -> tuple[Point, Point]:
    """The point at a share of the arm's length, and the direction there, turning softly at the elbow."""
    upper, fore = arm.elbow - arm.shoulder, arm.wrist - arm.elbow
    if station <= ELBOW:
        point = arm.shoulder + upper * (station / ELBOW)
    else:
        point = arm.elbow + fore * ((station - ELBOW) / (1 - ELBOW))
    turn = min(max((station - ELBOW) / 0.12 + 0.5, 0.0), 1.0)
    along = (1 - turn) * unit_vector(upper, fore) + turn * unit_vector(fore, upper)
    return point, unit_vector(along, upper)


def arm_points(arm: Arm, stations: npt.NDArray[np.float64]) -> tuple[Point, Point]:
    """(n, 2) points and directions at many stations, as :func:`arm_point` has each."""
    upper, fore = arm.elbow - arm.shoulder, arm.wrist - arm.elbow
    below = np.maximum(stations - ELBOW, 0)[:, None] / (1 - ELBOW)
    points = arm.shoulder + np.minimum(stations, ELBOW)[:, None] / ELBOW * upper + below * fore
    turn = np.clip((stations - ELBOW) / 0.12 + 0.5, 0, 1)[:, None]
    along = (1 - turn) * unit_vector(upper, fore) + turn * unit_vector(fore, upper)
    length = np.hypot(along[:, 0], along[:, 1])[:, None]
    return points, np.where(length > 1e-3, along / np.maximum(length, 1e-3), unit_vector(upper, upper))


def middle_of(values: npt.ArrayLike) -> float:
    """The median of some numbers; of few of them numpy's takes ten times as long."""
    ordered = np.sort(values, axis=None)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def unit_vector(vector: Point, otherwise: Point) -> Point:
    """The direction of a vector; of the other one where it has none."""
    # asked for some hundred times a keyframe: numpy's norm takes ten times as long
    length = math.hypot(vector[0], vector[1])
    if length > 1e-3:
        return vector / length
    length = math.hypot(otherwise[0], otherwise[1])
    return otherwise / length if length > 1e-3 else np.array([0.0, 1.0])
