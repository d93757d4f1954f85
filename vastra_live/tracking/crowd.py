"""Two people before one mirror: told by their faces, and refused.

BlazePose follows one person and says nothing of a second one; between two it jumps. A face detector at about once a
second costs a hundredth of a core and sees them both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np

from vastra_live.chatter import without_chatter
from vastra_live.errors import NothingToFitError
from vastra_live.tracking.base import BodyTracker
from vastra_live.types import Body, Frame

__all__ = ["BlazeFaceFinder", "CrowdSettings", "Face", "FaceFinder", "OneAtATime", "in_company"]

# BlazeFace sees 192 x 192 pixels; more than twice that only costs time.
_LONGEST_SIDE = 480
_MIN_SCORE = 0.6


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture.

    Attributes:
        x, y: the middle between the eyes, pixels of the frame.
        span_px: from there to the middle of the mouth, pixels.
    """

    x: float
    y: float
    span_px: float


@runtime_checkable
class FaceFinder(Protocol):
    """Finds every face of a picture. Called by one thread."""

    def find(self, frame: Frame) -> Sequence[Face]:
        """The faces, in no order."""
        ...

    def close(self) -> None:
        """Give the model back. Harmless when repeated."""
        ...


class BlazeFaceFinder:
    """BlazeFace (Bazarevsky et al. 2019) for faces up to 5 m away, from mediapipe's own wheel; a :class:`FaceFinder`.

    The model for near faces misses, in a picture of whole bodies, the faces that matter here.
    """

    def __init__(self) -> None:
        with without_chatter():
            from mediapipe.python.solutions.face_detection import FaceDetection

            self._model: Any = FaceDetection(model_selection=1, min_detection_confidence=_MIN_SCORE)
        self._spoke = False

    def find(self, frame: Frame) -> Sequence[Face]:
        """The faces of a frame.

        Raises:
            RuntimeError: the finder was closed.
        """
        if self._model is None:
            raise RuntimeError("BlazeFaceFinder.find: the finder is closed")
        width, height = frame.size
        scale = min(1.0, _LONGEST_SIDE / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        rgb = cv2.cvtColor(cv2.resize(frame.bgr, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        if self._spoke:
            found = self._model.process(rgb)
        else:
            with without_chatter():
                found = self._model.process(rgb)
            self._spoke = True
        faces = []
        for detection in found.detections or ():
            # right eye, left eye, nose, mouth, ears
            points = [(p.x * width, p.y * height) for p in detection.location_data.relative_keypoints]
            eyes = np.mean(points[:2], axis=0)
            faces.append(Face(float(eyes[0]), float(eyes[1]), float(np.linalg.norm(eyes - points[3]))))
        return faces

    def close(self) -> None:
        """Give the model back. Harmless when repeated."""
        if self._model is not None:
            self._model.close()
            self._model = None


@dataclass(frozen=True, slots=True)
class CrowdSettings:
    """Who counts, and for how long before it does.

    Attributes:
        least_size: a face counts that is at least so large beside the wearer's; who is smaller is far behind.
        period_s: how often faces are looked for.
        doubtful_s: how often, while they contradict what is shown.
        settle_s: how long they must do so before it changes, so that somebody who passes by changes nothing.
        away_s: after so long without a wearer the first look decides alone.
    """

    least_size: float = 0.6
    period_s: float = 1.0
    doubtful_s: float = 0.25
    settle_s: float = 1.0
    away_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.least_size <= 1:
            raise ValueError(f"CrowdSettings.least_size: expected 0..1 and not 0, got {self.least_size}")
        if not 0 < self.doubtful_s <= self.period_s or min(self.settle_s, self.away_s) < 0:
            raise ValueError(f"CrowdSettings: expected 0 < doubtful_s <= period_s and no negative time, got {self}")


def in_company(body: Body, faces: Sequence[Face], least_size: float) -> bool:
    """Whether somebody else of comparable size is in the picture.

    Not counted are the wearer's own face, faces printed on what they wear, and faces much smaller than theirs.

    Args:
        body: the wearer.
        faces: every face of the same frame.
        least_size: a face counts from this share of the wearer's on.
    """
    points = body.landmarks_px[:, :2].astype(np.float64)
    eyes, mouth = points[[2, 5]].mean(axis=0), points[[9, 10]].mean(axis=0)
    span = float(np.linalg.norm(eyes - mouth))
    shoulders = points[[11, 12]]
    # from the side shoulders and face each look narrower than they are
    unit = max(float(np.linalg.norm(shoulders[0] - shoulders[1])), 2.2 * span, 1.0)
    span = max(span, unit / 6)
    height, width = body.person_alpha.shape
    for face in faces:
        at = np.array([face.x, face.y])
        if face.span_px < least_size * span or float(np.linalg.norm(at - eyes)) < 0.4 * unit:
            continue
        column, row = (int(np.clip(round(value), 0, end - 1)) for value, end in zip(at, (width, height), strict=True))
        on_the_wearer = body.person_alpha[row, column] > 0.5
        below_the_chin = face.y > mouth[1] and abs(face.x - shoulders[:, 0].mean()) < 0.7 * unit
        if not (on_the_wearer and below_the_chin):
            return True
    return False


class OneAtATime:
    """A :class:`~vastra_live.tracking.base.BodyTracker` that does not choose between two people: it names them.

    Args:
        tracker: follows one person; closed with this.
        faces: sees them all; closed with this.
        settings: who counts, and when.
        static: every frame is a picture of its own, and its faces decide alone.
    """

    def __init__(
        self, tracker: BodyTracker, faces: FaceFinder, settings: CrowdSettings | None = None, *, static: bool = False
    ) -> None:
        self._tracker = tracker
        self._faces = faces
        self._settings = settings or CrowdSettings()
        self._static = static
        self._crowded = False
        self._seen_ns: int | None = None
        self._looked_ns: int | None = None
        self._contrary_since_ns: int | None = None
        self._wearer = 0

    def track(self, frame: Frame) -> Body | None:
        """The one person in this frame, or None when nobody is seen.

        Raises:
            NothingToFitError: there are two.
        """
        body = self._tracker.track(frame)
        if body is not None:
            self._watch(frame, body)
            if self._crowded:
                raise NothingToFitError("two people in the picture: one at a time, please")
        return body

    def close(self) -> None:
        """Give the models back. Harmless when repeated."""
        self._tracker.close()
        self._faces.close()

    def _watch(self, frame: Frame, body: Body) -> None:
        now, limits = frame.captured_ns, self._settings
        away = self._seen_ns is None or now - self._seen_ns > limits.away_s * 1e9
        self._seen_ns = now
        period_s = limits.period_s if self._contrary_since_ns is None else limits.doubtful_s
        changed, self._wearer = body.wearer != self._wearer, body.wearer
        alone = away or self._static or self._looked_ns is None
        if not (alone or changed or now - (self._looked_ns or 0) >= period_s * 1e9):
            return
        self._looked_ns = now
        crowded = in_company(body, self._faces.find(frame), limits.least_size)
        if crowded == self._crowded:
            self._contrary_since_ns = None
            return
        if self._contrary_since_ns is None:
            self._contrary_since_ns = now
        if alone or now - self._contrary_since_ns >= limits.settle_s * 1e9:
            self._crowded, self._contrary_since_ns = crowded, None
