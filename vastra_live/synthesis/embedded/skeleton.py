"""The wearer's joints, read off the landmarks: what is out of the picture extrapolated, what cannot be worn refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vastra_live.errors import NothingToFitError
from vastra_live.types import F32, Body

__all__ = ["Arm", "Leg", "Proportions", "Skeleton", "read_skeleton"]

Point = npt.NDArray[np.float64]

# Proportions of a grown body, in shoulder-joint widths (biacromial tables; joints lie inside the acromia).
_TORSO = 1.42
_UPPER_ARM = 0.86
_FOREARM = 0.72
_THIGH = 1.15
_SHIN = 1.1
_FOOT = 0.25

_SEEN, _ANKLE = 0.3, 0.2
# A hand so near to its own shoulder, in shoulder widths, is made up more often than it is there.
_FOLDED = 0.35
# Of folded arms one hand lies on the other arm, and one below it.
_HAND_SEEN = 0.6
# How much of a difference in proportions is believed at each keyframe, and how much of one is.
_GIVES_WAY, _UNUSUAL = 0.05, 1.3


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One arm. Points are (x, y) in pixels."""

    shoulder: Point
    elbow: Point
    wrist: Point
    tip: Point
    """Where the fingers point to, at the knuckles."""
    in_front: bool
    """Whether the forearm is nearer to the camera than the chest."""
    behind: bool = False
    """Whether the hips hide a part of it."""
    hand_seen: bool = True
    """Whether its hand is taken to be in view."""


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """One leg. Points are (x, y) in pixels."""

    hip: Point
    knee: Point
    ankle: Point


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A person in the pixels of one picture; left is the wearer's left.

    Attributes:
        unit: the width between the shoulder joints as seen from the front, in pixels; the measure of the body.
        across: unit vector from the right to the left shoulder.
        hips_across: unit vector from the right to the left hip.
        down: unit vector from the neck to the pelvis.
        eyes, mouth: centres.
        face_span: distance from eyes to mouth, in pixels.
        ears: how far from the middle of the face the right and the left one lie, square to it, in pixels.
    """

    left: Arm
    right: Arm
    left_leg: Leg
    right_leg: Leg
    neck: Point
    pelvis: Point
    unit: float
    across: Point
    hips_across: Point
    down: Point
    eyes: Point
    mouth: Point
    face_span: float
    ears: tuple[float, float]

    @property
    def chin(self) -> Point:
        """The lowest point of the face."""
        return self.mouth + self.face_up * (-0.72 * self.face_span)

    @property
    def face_up(self) -> Point:
        """Unit vector from the mouth to the eyes."""
        return (self.eyes - self.mouth) / max(self.face_span, 1e-6)

    def across_at(self, depth: float) -> Point:
        """Unit vector from right to left at a depth of the torso: the shoulders' at 0, the hips' from 1 on."""
        share = min(max(depth, 0.0), 1.0)
        mixed = (1 - share) * self.across + share * self.hips_across
        return mixed / math.hypot(*mixed)

    @property
    def torso_length(self) -> float:
        """From the middle of the shoulders to the middle of the hips, in pixels."""
        return math.hypot(*(self.pelvis - self.neck))

    def seen_in(self, origin: Point, scale: float) -> Skeleton:
        """The same person in the pixels of a cut-out that begins at ``origin`` and is shrunk by ``scale``."""

        def p(point: Point) -> Point:
            return (point - origin) * scale

        def arm(a: Arm) -> Arm:
            return Arm(p(a.shoulder), p(a.elbow), p(a.wrist), p(a.tip), a.in_front, a.behind, a.hand_seen)

        def leg(a: Leg) -> Leg:
            return Leg(p(a.hip), p(a.knee), p(a.ankle))

        return Skeleton(
            left=arm(self.left),
            right=arm(self.right),
            left_leg=leg(self.left_leg),
            right_leg=leg(self.right_leg),
            neck=p(self.neck),
            pelvis=p(self.pelvis),
            unit=self.unit * scale,
            across=self.across,
            hips_across=self.hips_across,
            down=self.down,
            eyes=p(self.eyes),
            mouth=p(self.mouth),
            face_span=self.face_span * scale,
            ears=(self.ears[0] * scale, self.ears[1] * scale),
        )


class Proportions:
    """How a wearer's shoulders and torso measure up, over a run: who lifts their arms is no smaller.

    The joints of raised shoulders lie nearer together, and a garment measured by them alone would shrink.
    """

    def __init__(self) -> None:
        self._broad: float | None = None

    def steadied(self, skeleton: Skeleton) -> Skeleton:
        """The skeleton with a shoulder width that its torso's length has a say in; remembered."""
        length = max(skeleton.torso_length, 1.0)
        broad = skeleton.unit / length
        if self._broad is None:
            self._broad = broad
        self._broad *= (broad / self._broad) ** _GIVES_WAY
        usual = float(np.clip(self._broad / broad, 1 / _UNUSUAL, _UNUSUAL))
        return replace(skeleton, unit=skeleton.unit * math.sqrt(usual))


def read_skeleton(body: Body) -> Skeleton:
    """The joints of a person who can be dressed, in pixels of the frame.

    Raises:
        NothingToFitError: no shoulders in the picture, too small, from behind, from the side.
    """
    points = body.landmarks_px[:, :2].astype(np.float64)
    depth = body.landmarks_px[:, 2].astype(np.float64)
    seen = body.visibility
    height, width = body.person_alpha.shape
    left, right = points[11], points[12]
    neck = (left + right) / 2
    if min(seen[11], seen[12]) < _SEEN or not (0 <= neck[0] < width and 0 <= neck[1] < height):
        raise NothingToFitError("no shoulders in the picture: step back until both can be seen")
    apart = float(np.linalg.norm(left - right))
    eyes = (points[2] + points[5]) / 2
    mouth = (points[9] + points[10]) / 2
    face_span = max(float(np.linalg.norm(eyes - mouth)), 1.0)
    # From the side the joints fall together; torso and face then still measure the body.
    torso = float(np.linalg.norm((points[23] + points[24]) / 2 - neck)) if min(seen[23], seen[24]) > 0.5 else 0.0
    unit = max(apart, 0.6 * torso, 2.2 * face_span)
    if unit < 24:
        raise NothingToFitError(
            f"the person is too small to dress ({unit:.0f} pixels across the shoulders): come closer"
        )
    if left[0] < right[0] - 0.15 * unit:
        raise NothingToFitError("the person is seen from behind: turn to the camera")
    if apart < 0.4 * unit:
        raise NothingToFitError("the person is seen from the side: turn to the camera")
    across = (left - right) / apart
    down, pelvis = _torso(points, seen, neck, across, unit)
    ground = _ground(body.person_alpha, pelvis, unit) if min(seen[27], seen[28]) < _ANKLE else 0.0
    return Skeleton(
        left=_arm(points, depth, seen, (11, 13, 15, 17, 19), across, down, unit, (width, height)),
        right=_arm(points, depth, seen, (12, 14, 16, 18, 20), -across, down, unit, (width, height)),
        left_leg=_leg(points, seen, (23, 25, 27), pelvis + across * 0.25 * unit, down, unit, ground),
        right_leg=_leg(points, seen, (24, 26, 28), pelvis - across * 0.25 * unit, down, unit, ground),
        neck=neck,
        pelvis=pelvis,
        unit=unit,
        across=across,
        hips_across=_hips_across(points, seen, across, unit),
        down=down,
        eyes=eyes,
        mouth=mouth,
        face_span=face_span,
        ears=_ears(points, eyes, mouth),
    )


def _torso(
    points: Point, seen: npt.NDArray[np.float32], neck: Point, across: Point, unit: float
) -> tuple[Point, Point]:
    """Direction of the spine and middle of the hips; from the shoulders alone where the hips are not to be trusted."""
    upright = np.array([-across[1], across[0]])
    if upright[1] < 0:
        upright = -upright
    spine = (points[23] + points[24]) / 2 - neck
    length = float(np.linalg.norm(spine))
    along = float(spine @ upright) / max(length, 1e-6)
    if min(seen[23], seen[24]) < 0.15 or along < 0.8 or not 0.8 * unit < length < 2.2 * unit:
        return upright, neck + upright * _TORSO * unit
    return spine / length, neck + spine


def _ears(points: Point, eyes: Point, mouth: Point) -> tuple[float, float]:
    """How far the right and the left ear lie from the middle of the face, square to it."""
    up = eyes - mouth
    aside = np.array([-up[1], up[0]]) / max(float(np.linalg.norm(up)), 1e-6)
    right, left = ((points[ear] - (eyes + mouth) / 2) @ aside for ear in (8, 7))
    return -float(right), float(left)


def _hips_across(points: Point, seen: npt.NDArray[np.float32], across: Point, unit: float) -> Point:
    """Direction of the hips; the shoulders' where the hips are not seen or say something impossible."""
    hips = points[23] - points[24]
    length = float(np.linalg.norm(hips))
    if min(seen[23], seen[24]) < 0.5 or length < 0.25 * unit or float(hips @ across) < 0.9 * length:
        return across
    return np.asarray(hips / length, np.float64)


def _arm(
    points: Point,
    depth: npt.NDArray[np.float64],
    seen: npt.NDArray[np.float32],
    joints: tuple[int, int, int, int, int],
    outward: Point,
    down: Point,
    unit: float,
    size: tuple[int, int],
) -> Arm:
    """An arm; joints that are not seen hang down, a little away from the body."""
    shoulder, elbow, wrist = (points[j] for j in joints[:3])
    hanging = down + 0.18 * outward
    hanging = hanging / np.linalg.norm(hanging)
    # below a picture that ends at the chest a hand is made up before it, on an elbow that nobody saw
    folded = float(np.linalg.norm(wrist - shoulder)) < _FOLDED * unit
    doubtful = bool(seen[joints[1]] < (0.85 if folded else 0.6))
    made_up = doubtful and not _within(elbow, size) and _within(wrist, size)
    if seen[joints[1]] < 0.1 or np.linalg.norm(elbow - shoulder) > 1.6 * unit:
        elbow = shoulder + hanging * _UPPER_ARM * unit
        along = hanging
    elif made_up or seen[joints[2]] < 0.1 or np.linalg.norm(wrist - elbow) > 1.5 * unit:
        along = (elbow - shoulder) / max(float(np.linalg.norm(elbow - shoulder)), 1e-6)
    else:
        tip = (points[joints[3]] + points[joints[4]]) / 2
        in_front = bool(depth[joints[2]] < depth[joints[0]] - 0.1 * unit)
        hand_seen = bool(min(seen[joints[3]], seen[joints[4]]) > _HAND_SEEN)
        return Arm(shoulder, elbow, wrist, tip, in_front, hand_seen=hand_seen)
    wrist = elbow + along * _FOREARM * unit
    return Arm(shoulder, elbow, wrist, wrist, in_front=False)


def _within(point: Point, size: tuple[int, int]) -> bool:
    return bool(0 <= point[0] < size[0] and 0 <= point[1] < size[1])


def _ground(person: F32, pelvis: Point, unit: float) -> float:
    """The row at which the silhouette ends below the hips, or 0 where it goes on to the picture's edge."""
    left, right = (int(np.clip(pelvis[0] + side * 0.5 * unit, 0, person.shape[1])) for side in (-1, 1))
    rows = np.flatnonzero((person[:, left:right] > 0.5).any(axis=1))
    return float(rows[-1]) if len(rows) and rows[-1] < len(person) - 0.05 * unit - 1 else 0.0


def _leg(
    points: Point,
    seen: npt.NDArray[np.float32],
    joints: tuple[int, int, int],
    hip: Point,
    down: Point,
    unit: float,
    ground: float,
) -> Leg:
    """A leg; joints that are not seen stand straight below the hip, the ankle down to where a long skirt ends."""
    if seen[joints[0]] > 0.15:
        hip = points[joints[0]]
    knee, ankle = points[joints[1]], points[joints[2]]
    if seen[joints[1]] < 0.2:
        knee = hip + down * _THIGH * unit
    if seen[joints[2]] < _ANKLE:
        ankle = knee + down * _SHIN * unit
        ankle = ankle + down * max(ground - _FOOT * unit - ankle[1], 0.0)
    return Leg(hip, knee, ankle)
