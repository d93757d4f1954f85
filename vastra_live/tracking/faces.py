"""The faces in a picture: whether the wearer's is among them, and whether somebody else's is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np

from vastra_live.chatter import without_chatter
from vastra_live.priority import made_behind
from vastra_live.types import Body, Frame

__all__ = ["BlazeFaceFinder", "Face", "FaceFinder", "Head", "head_of", "in_company", "shows_face"]

# BlazeFace sees 192 x 192 pixels; more than twice that only costs time.
_LONGEST_SIDE = 480
_MIN_SCORE = 0.6
# Faces are found from about 6 of those 192 pixels on, from eyes to mouth.
_LEAST_SPAN = 7 / 192


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

            def opened() -> Any:
                model = FaceDetection(model_selection=1, min_detection_confidence=_MIN_SCORE)
                # its threads go on opening, and chattering, until it has seen a picture
                model.process(np.zeros((64, 64, 3), np.uint8))
                return model

            self._model: Any = made_behind(opened)
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
class Head:
    """The wearer's head by the pose, in pixels.

    Attributes:
        eyes, mouth: (x, y) of their middles.
        span_px: from eyes to mouth, at least as of a face seen from the front.
        unit_px: width between the shoulder joints as seen from the front, the measure of the body.
        ahead: how far the nose is nearer to the camera than the shoulders, in ``unit_px``. BlazePose gives a
            person seen from the front 1.0 to 2.4, one seen from behind mostly less than 0.
    """

    eyes: tuple[float, float]
    mouth: tuple[float, float]
    span_px: float
    unit_px: float
    ahead: float


def head_of(body: Body) -> Head:
    """Read the head off the landmarks."""
    points = body.landmarks_px.astype(np.float64)
    eyes, mouth = points[[2, 5], :2].mean(axis=0), points[[9, 10], :2].mean(axis=0)
    span = float(np.linalg.norm(eyes - mouth))
    shoulders, hips = points[[11, 12]], points[[23, 24]]
    apart = float(np.linalg.norm(shoulders[0, :2] - shoulders[1, :2]))
    torso = float(np.linalg.norm((shoulders - hips)[:, :2].mean(axis=0)))
    if body.visibility[[23, 24]].min() < 0.5:
        torso = 0.0
    # from the side shoulders and face each look narrower than they are
    unit = max(apart, 2.2 * span, 0.6 * torso, 1.0)
    ahead = float(shoulders[:, 2].mean() - points[0, 2]) / unit
    return Head((eyes[0], eyes[1]), (mouth[0], mouth[1]), max(span, unit / 6), unit, ahead)


def shows_face(body: Body, faces: Sequence[Face]) -> bool | None:
    """Whether the wearer's face is among those found; None where it is not, and was not to be expected.

    That is outside of the picture, and for a head too small for the finder.
    """
    head = head_of(body)
    if any(_is_of(face, head) for face in faces):
        return True
    height, width = body.person_alpha.shape
    if head.span_px < _LEAST_SPAN * max(width, height):
        return None
    room = 0.5 * head.span_px
    top, bottom = min(head.eyes[1], head.mouth[1]), max(head.eyes[1], head.mouth[1])
    if top < room or bottom > height - 1 - room or not room <= head.eyes[0] <= width - 1 - room:
        return None
    return False


def _is_of(face: Face, head: Head) -> bool:
    return float(np.hypot(face.x - head.eyes[0], face.y - head.eyes[1])) < 0.4 * head.unit_px


def in_company(body: Body, faces: Sequence[Face], least_size: float) -> bool:
    """Whether somebody else of comparable size is in the picture.

    Not counted are the wearer's own face, faces printed on what they wear, and faces much smaller than theirs.

    Args:
        body: the wearer.
        faces: every face of the same frame.
        least_size: a face counts from this share of the wearer's on.
    """
    head = head_of(body)
    middle = float(body.landmarks_px[[11, 12], 0].mean())
    height, width = body.person_alpha.shape
    for face in faces:
        if face.span_px < least_size * head.span_px or _is_of(face, head):
            continue
        column, row = min(max(round(face.x), 0), width - 1), min(max(round(face.y), 0), height - 1)
        on_the_wearer = body.person_alpha[row, column] > 0.5
        below_the_chin = face.y > head.mouth[1] and abs(face.x - middle) < 0.7 * head.unit_px
        if not (on_the_wearer and below_the_chin):
            return True
    return False
