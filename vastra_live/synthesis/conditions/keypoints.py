"""Body key points in OpenPose's numbering: from BlazePose, from a file, made complete for drawing.

BODY_25 (Cao et al. 2019) is what HR-VITON's pictures are drawn from, COCO-18 what CP-VTON's heat maps are made of.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vastra_live.errors import InputError, NothingToFitError
from vastra_live.types import Body

__all__ = ["Keypoints", "Point", "complete_torso", "from_blazepose", "read_openpose", "to_coco18"]

F64 = npt.NDArray[np.float64]

BODY_25 = 25
COCO_18 = 18


class Point(IntEnum):
    """The BODY_25 points used here. Left and right are the person's own."""

    NOSE = 0
    NECK = 1
    RIGHT_SHOULDER = 2
    RIGHT_ELBOW = 3
    RIGHT_WRIST = 4
    LEFT_SHOULDER = 5
    LEFT_ELBOW = 6
    LEFT_WRIST = 7
    MID_HIP = 8
    RIGHT_HIP = 9
    RIGHT_KNEE = 10
    RIGHT_ANKLE = 11
    LEFT_HIP = 12
    LEFT_KNEE = 13
    LEFT_ANKLE = 14
    RIGHT_EYE = 15
    LEFT_EYE = 16
    RIGHT_EAR = 17
    LEFT_EAR = 18


# BODY_25 point of each COCO-18 point; the mid-hip (8) is not among them.
_FROM_COCO: Final = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)

# BlazePose landmark of each BODY_25 point that has one (15.. eyes and ears, 19.. feet).
_FROM_BLAZEPOSE: Final = {
    0: 0, 2: 12, 3: 14, 4: 16, 5: 11, 6: 13, 7: 15, 9: 24, 10: 26, 11: 28, 12: 23, 13: 25, 14: 27,
    15: 5, 16: 2, 17: 8, 18: 7, 19: 31, 21: 29, 22: 32, 24: 30,
}  # fmt: skip

FARTHEST_PX = 1e5

SEEN = 0.5
"""BlazePose visibility from which a landmark counts as seen."""

HIP_WIDTH = 0.63
TORSO_LENGTH = 1.5
"""Distance of the hips, and of the shoulders' middle from the hips' middle, in shoulder widths: medians of what
OpenPose finds on frontal standing people. Used only where a picture does not show the hips."""


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """One person's BODY_25 points.

    Attributes:
        points_px: (25, 2) float64, x and y in pixels of the picture they belong to; (0, 0) where absent.
        present: (25,) bool.
    """

    points_px: F64
    present: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        points = np.array(self.points_px, np.float64)
        present = np.array(self.present, bool)
        if points.shape != (BODY_25, 2) or present.shape != (BODY_25,):
            raise ValueError(f"Keypoints: expected shapes (25, 2) and (25,), got {points.shape} and {present.shape}")
        if not np.isfinite(points).all():
            raise ValueError("Keypoints.points_px: expected finite coordinates, got NaN or infinity")
        points[~present] = 0.0
        points.flags.writeable = present.flags.writeable = False
        object.__setattr__(self, "points_px", points)
        object.__setattr__(self, "present", present)

    def has(self, *points: int) -> bool:
        """Whether all of these points are present."""
        return bool(self.present[list(points)].all())

    def moved(self, affine: npt.NDArray[np.floating[Any]]) -> Keypoints:
        """The same person in another picture; ``affine`` is (2, 3), from this one's pixels to that one's."""
        return replace(self, points_px=self.points_px @ affine[:, :2].T + affine[:, 2])


def from_blazepose(body: Body) -> Keypoints:
    """BlazePose's 33 landmarks as BODY_25; neck and mid-hip are mid-points.

    A point is taken when BlazePose saw it. Elbows are always taken, and wrists with an elbow inside the picture:
    where an arm leaves the picture, BlazePose's guess still says which way it leaves. Hips BlazePose did not see, or
    put outside of the picture, are absent: :func:`complete_torso` puts them below the shoulders.
    """
    height, width = body.person_alpha.shape
    points = np.zeros((BODY_25, 2))
    present = np.zeros(BODY_25, bool)
    inside = np.zeros(BODY_25, bool)
    for ours, theirs in _FROM_BLAZEPOSE.items():
        x, y = points[ours] = body.landmarks_px[theirs, :2]
        present[ours] = body.visibility[theirs] >= SEEN
        inside[ours] = 0 <= x < width and 0 <= y < height
    for hip in (Point.RIGHT_HIP, Point.LEFT_HIP):
        present[hip] &= inside[hip]
    for elbow, wrist in ((Point.RIGHT_ELBOW, Point.RIGHT_WRIST), (Point.LEFT_ELBOW, Point.LEFT_WRIST)):
        present[wrist] |= inside[elbow]
        present[wrist] &= inside[elbow] | inside[wrist]
        present[elbow] = True
    # BlazePose always places both shoulders, and nothing can be drawn without them
    present[[Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER]] = True
    for middle, right, left in (
        (Point.NECK, Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER),
        (Point.MID_HIP, Point.RIGHT_HIP, Point.LEFT_HIP),
    ):
        points[middle] = (points[right] + points[left]) / 2
        present[middle] = present[right] and present[left]
    return Keypoints(points, present)


def read_openpose(path: str | os.PathLike[str]) -> Keypoints:
    """The largest person of an OpenPose JSON file: BODY_25 or COCO-18, with or without confidences' use.

    COCO-18 (field ``pose_keypoints`` of old files, or 18 points in ``pose_keypoints_2d``) is re-ordered; its mid-hip is
    the middle of the hips. A point at exactly (0, 0) is absent, as OpenPose writes it.

    Raises:
        InputError: not such a file, or nobody in it.
    """
    file = Path(path)
    try:
        people = json.loads(file.read_text(encoding="utf-8"))["people"]
        found = [_points_of(person) for person in people]
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: is not an OpenPose JSON file with 18 or 25 body points ({error})") from error
    found = [person for person in found if person.present.any()]
    if not found:
        raise InputError(f"{file}: holds no person; use a picture with one")
    return max(found, key=lambda person: float(np.ptp(person.points_px[person.present], axis=0).prod()))


def _points_of(person: dict[str, Any]) -> Keypoints:
    values = person["pose_keypoints_2d"] if "pose_keypoints_2d" in person else person["pose_keypoints"]
    flat = np.asarray(values, np.float64)
    if flat.size not in (3 * BODY_25, 3 * COCO_18):
        raise ValueError(f"{flat.size} numbers")
    if not (np.abs(flat) < FARTHEST_PX).all():
        raise ValueError("a coordinate that is in no picture")
    given = flat.reshape(-1, 3)[:, :2]
    if len(given) == BODY_25:
        return Keypoints(given, given.any(axis=1))
    points = np.zeros((BODY_25, 2))
    points[list(_FROM_COCO)] = given
    if points[Point.RIGHT_HIP].any() and points[Point.LEFT_HIP].any():
        points[Point.MID_HIP] = (points[Point.RIGHT_HIP] + points[Point.LEFT_HIP]) / 2
    return Keypoints(points, points.any(axis=1))


def to_coco18(keypoints: Keypoints) -> F64:
    """(18, 2) float64 in COCO-18 order; (0, 0) where absent. The mid-hip is left out."""
    return keypoints.points_px[list(_FROM_COCO)]


def complete_torso(keypoints: Keypoints) -> Keypoints:
    """The same person with neck, both shoulders and both hips present.

    A missing shoulder is the other one mirrored about the neck. Missing hips hang below the shoulders' middle, square
    to the shoulders, by :data:`TORSO_LENGTH` shoulder widths; a single missing hip stands beside the other. So a
    seated person cut off at the chest gets hips below the picture's edge.

    Raises:
        NothingToFitError: no shoulder, or one and no neck; or the shoulders fall on one point.
    """
    points, present = keypoints.points_px.copy(), keypoints.present.copy()
    right, left, neck = Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER, Point.NECK
    for one, other in ((right, left), (left, right)):
        if not present[one] and present[other] and present[neck]:
            points[one] = 2 * points[neck] - points[other]
            present[one] = True
    if not (present[right] and present[left]):
        raise NothingToFitError("the picture shows no pair of shoulders to put a garment on")
    across = points[left] - points[right]
    width = float(np.hypot(*across))
    if width < 1.0:
        raise NothingToFitError("both shoulders fall on one point: the person is seen from the side")
    if not present[neck]:
        points[neck] = (points[right] + points[left]) / 2
    down = np.array([-across[1], across[0]]) / width
    if _upside_down(down, points, present):
        down = -down
    _hang_hips(points, present, across / width, down, width)
    present[[neck, Point.RIGHT_HIP, Point.LEFT_HIP, Point.MID_HIP]] = True
    return Keypoints(points, present)


def _upside_down(down: F64, points: F64, present: npt.NDArray[np.bool_]) -> bool:
    """Whether ``down`` points at the head: from behind, the left shoulder is on the left."""
    middle = (points[Point.RIGHT_SHOULDER] + points[Point.LEFT_SHOULDER]) / 2
    if present[Point.NOSE]:
        return bool((points[Point.NOSE] - middle) @ down > 0)
    return bool(down[1] < 0)


def _hang_hips(points: F64, present: npt.NDArray[np.bool_], across: F64, down: F64, width: float) -> None:
    right, left = Point.RIGHT_HIP, Point.LEFT_HIP
    half = across * width * HIP_WIDTH / 2
    if present[right] and not present[left]:
        points[left] = points[right] + 2 * half
    elif present[left] and not present[right]:
        points[right] = points[left] - 2 * half
    elif not present[right]:
        middle = (points[Point.RIGHT_SHOULDER] + points[Point.LEFT_SHOULDER]) / 2 + down * width * TORSO_LENGTH
        points[right], points[left] = middle - half, middle + half
    points[Point.MID_HIP] = (points[right] + points[left]) / 2
