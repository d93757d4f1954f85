"""When a new keyframe is worth asking for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from vastra_live.tracking.reach import torso_of
from vastra_live.types import F32, Body, Carried, Frame

__all__ = ["KeyframePolicy", "KeyframeSettings", "Reason"]

# shoulders, elbows, wrists, index fingers and hips in BlazePose's numbering: a hand that turns at its wrist covers
# something else
_JOINTS = np.array([11, 12, 13, 14, 15, 16, 19, 20, 23, 24])
# How far a garment reaches to the left, to the right and down from the shoulders' middle, in torso sizes.
_EXTENT = np.array([1.0, 1.0, 2.0], np.float32)
# What comes into the picture is in no keyframe, and smears of its edge stand for it: so much more it counts.
_COME = 5


class Reason(Enum):
    """Why a keyframe is due."""

    FIRST = "first"
    """There is none yet."""
    GARMENT = "garment"
    """Another garment was chosen."""
    LOST = "lost"
    """The carried layer is found again on too little of its surface."""
    RESIDUAL = "residual"
    """The picture has drifted from what the keyframe leads to expect."""
    POSE = "pose"
    """The wearer stands or turns otherwise than in the keyframe."""
    AGE = "age"
    """The keyframe is old."""


@dataclass(frozen=True, slots=True)
class KeyframeSettings:
    """When a keyframe is too old.

    Attributes:
        min_interval_s: never ask more often, whatever happened, except for another garment.
        max_age_s: ask after this time even if nothing happened.
        min_confidence: ask when the carried layer's confidence falls below.
        max_loss: ask when its confidence fell by so much since the keyframe was new; hands before the chest lower
            it for as long as they stay there, and another keyframe would not raise it.
        max_rise: ask when its residual rose by so many grey levels since the keyframe was new.
        max_pose_change: ask when a joint moved further, relative to the shoulders' middle, in torso sizes (about
            a shoulder width), or the wearer grew or shrank in the picture by this share, or a fifth as much more of
            them came into it.
    """

    min_interval_s: float = 0.1
    max_age_s: float = 1.5
    min_confidence: float = 0.4
    max_loss: float = 0.1
    max_rise: float = 1.5
    max_pose_change: float = 0.15

    def __post_init__(self) -> None:
        if not 0 <= self.min_interval_s <= self.max_age_s:
            raise ValueError(f"KeyframeSettings: expected 0 <= min_interval_s <= max_age_s, got {self}")
        if not 0 <= self.min_confidence <= 1 or min(self.max_loss, self.max_rise, self.max_pose_change) <= 0:
            raise ValueError(f"KeyframeSettings: expected min_confidence 0..1 and positive bounds, got {self}")


class KeyframePolicy:
    """Decides, frame by frame, whether a new keyframe is due. One thread.

    That only one request is in flight is the caller's business; so is not asking when nobody is there.
    """

    def __init__(self, settings: KeyframeSettings | None = None) -> None:
        self._settings = settings or KeyframeSettings()
        self._garment: str | None = None
        self._taken_ns = 0
        self._pose: _Pose | None = None
        self._new: tuple[float, float] | None = None  # confidence and residual of the keyframe when it was new

    def due(self, frame: Frame, body: Body | None, carried: Carried | None, garment_name: str) -> Reason | None:
        """Why a keyframe should be asked for now, or None. To be asked only while none is in flight.

        Args:
            frame: the live frame.
            body: the newest body, None when nobody is seen.
            carried: the layer as carried to the live frame, None before the first.
            garment_name: the garment to show.
        """
        limits = self._settings
        if self._new is None and carried is not None:
            self._new = carried.confidence, carried.residual
        if self._garment is None:
            return Reason.FIRST
        if garment_name != self._garment:
            return Reason.GARMENT
        age_s = (frame.captured_ns - self._taken_ns) * 1e-9
        if age_s < limits.min_interval_s:
            return None
        aged = None if carried is None else self._aged(carried)
        if aged is None and body is not None and self._pose is not None:
            change = self._pose.change(_Pose.of(body))
            aged = Reason.POSE if change > limits.max_pose_change else None
        return aged or (Reason.AGE if age_s >= limits.max_age_s else None)

    def _aged(self, carried: Carried) -> Reason | None:
        confidence, residual = self._new or (carried.confidence, carried.residual)
        if carried.confidence < max(self._settings.min_confidence, confidence - self._settings.max_loss):
            return Reason.LOST
        return Reason.RESIDUAL if carried.residual > residual + self._settings.max_rise else None

    def taken(self, frame: Frame, body: Body | None, garment_name: str) -> None:
        """A keyframe was asked for, from this frame."""
        self._garment = garment_name
        self._taken_ns = frame.captured_ns
        self._pose = None if body is None else _Pose.of(body)
        self._new = None


@dataclass(frozen=True, slots=True, eq=False)
class _Pose:
    """Joints around the shoulders' middle in torso sizes, so that walking sideways changes nothing.

    ``room``: (3,) how much of the garment's extent lies in the picture, likewise.
    """

    joints: F32
    visible: npt.NDArray[np.bool_]
    size: float
    room: F32

    @classmethod
    def of(cls, body: Body) -> _Pose:
        middle, size = torso_of(body)
        joints = (body.landmarks_px[_JOINTS, :2] - middle) / np.float32(size)
        height, width = body.person_alpha.shape
        room = np.array([middle[0], width - middle[0], height - middle[1]], np.float32) / np.float32(size)
        return cls(joints, body.visibility[_JOINTS] > 0.5, size, np.clip(room, 0, _EXTENT))

    def change(self, other: _Pose) -> float:
        """The largest move of a joint seen in both, change of size, or part come into the picture, in torso sizes."""
        both = self.visible & other.visible
        moved = np.linalg.norm(self.joints - other.joints, axis=1)[both]
        come = _COME * float((other.room - self.room).max())
        return max(float(moved.max(initial=0.0)), abs(other.size / self.size - 1), come)
