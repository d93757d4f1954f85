"""The person in a frame, by BlazePose (Bazarevsky et al. 2020) from mediapipe's own wheel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vastra_live.chatter import without_chatter
from vastra_live.priority import made_behind
from vastra_live.tracking.arrivals import Arrivals
from vastra_live.tracking.smoothing import OneEuroFilter
from vastra_live.tracking.wearers import Wearers
from vastra_live.types import F32, Body, Frame

__all__ = ["BlazePoseTracker"]

# BlazePose crops the person to 256 x 256; beyond this size more pixels only cost time.
_LONGEST_SIDE = 960


class BlazePoseTracker:
    """Landmarks and silhouette of the nearest person; a :class:`~vastra_live.tracking.base.BodyTracker`.

    Smoothing is ours (One Euro on landmarks), not mediapipe's: its filter takes every call for 1/30 s, whatever
    the body clock really gave, and its mask smoothing drags the silhouette behind a moving arm. Both are off.

    Args:
        smooth: steady the landmarks over time.
        static: every frame is a picture of its own: search the person anew, smooth nothing.
    """

    def __init__(self, *, smooth: bool = True, static: bool = False) -> None:
        self._filter = OneEuroFilter() if smooth and not static else None
        self._wearers = None if static else Wearers()
        self._arrivals = None if static else Arrivals()
        self._wearer = 0
        self._static = static
        self._looked = False
        self._softly = False
        self._spoke = False
        with without_chatter():
            # Imported here: it takes 0.7 s, and only those who track a body should wait for it.
            from mediapipe.python.solutions.pose import Pose

            def opened() -> Any:
                pose = Pose(
                    static_image_mode=static,
                    model_complexity=1,
                    smooth_landmarks=False,
                    enable_segmentation=True,
                    smooth_segmentation=False,
                )
                # its threads go on opening, and chattering, until it has seen a picture
                pose.process(np.zeros((64, 64, 3), np.uint8))
                return pose

            self._pose: Any = made_behind(opened)

    def track(self, frame: Frame) -> Body | None:
        """The person in this frame, or None when nobody is seen.

        Raises:
            RuntimeError: the tracker was closed.
        """
        if self._pose is None:
            raise RuntimeError("BlazePoseTracker.track: the tracker is closed")
        found = self._process(frame)
        if found.pose_landmarks is None and (self._static or not self._looked):
            # a picture that stands alone, or the first of a film, has no next look
            found = self._process(frame)
        self._looked = True
        if found.pose_landmarks is None or found.segmentation_mask is None:
            if self._filter is not None:
                self._filter.reset()
            if self._wearers is not None:
                self._wearers.missed(frame.captured_ns)
            if self._arrivals is not None:
                self._arrivals.reset()
            return None
        width, height = frame.size
        raw = np.array([(p.x, p.y, p.z, p.visibility) for p in found.pose_landmarks.landmark], np.float32)
        # z comes in the same unit as x: shares of the picture's width
        points = raw[:, :3] * np.array([width, height, width], np.float32)
        if not np.isfinite(points).all():
            return None
        size = _size(points)
        if self._wearers is not None:
            before, self._wearer = self._wearer, self._wearers.number(points, size, frame.captured_ns)
            if self._filter is not None and before != self._wearer:
                self._filter.reset()
        if self._filter is not None:
            points = self._filter.smooth(points, size, frame.captured_ns)
        alpha = found.segmentation_mask
        if alpha.shape != (height, width):
            alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
        body = Body(
            landmarks_px=points,
            visibility=np.clip(raw[:, 3], 0, 1),
            person_alpha=np.clip(alpha, 0, 1, dtype=np.float32),
            frame_index=frame.index,
            wearer=self._wearer,
        )
        return body if self._arrivals is None else self._arrivals.judged(frame.bgr, body)

    def close(self) -> None:
        """Give the model back. Harmless when repeated."""
        if self._pose is not None:
            self._pose.close()
            self._pose = None

    def _process(self, frame: Frame) -> Any:
        """What BlazePose finds. Where it finds nobody, the next call softens the picture, and the one after does not.

        BlazePose shrinks without averaging, so that strong noise hides everybody from it; softened by 3 x 3 it finds
        them, at noise of 35 levels still. In a picture without noise that would only blur the landmarks.
        """
        found = self._look(frame)
        if found.pose_landmarks is None:
            self._softly = not self._softly
        return found

    def _look(self, frame: Frame) -> Any:
        width, height = frame.size
        bgr, scale = frame.bgr, _LONGEST_SIDE / max(width, height)
        if scale < 1:
            small = (max(1, round(width * scale)), max(1, round(height * scale)))
            rgb = cv2.cvtColor(cv2.resize(bgr, small, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        else:
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        if self._softly:
            rgb = cv2.blur(rgb, (3, 3))
        if self._spoke:
            return self._pose.process(rgb)
        # the networks load, and chatter, with the first person they see
        with without_chatter():
            found = self._pose.process(rgb)
        self._spoke = found.pose_landmarks is not None
        return found


def _size(points: F32) -> float:
    """How large the body is in the picture: mean of width and height of its landmarks, at least a pixel."""
    extent = np.ptp(points[:, :2], axis=0)
    return max(1.0, float(extent.mean()))
