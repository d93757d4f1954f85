"""Hands that come into the picture on an arm whose elbow is out of it: some are not there.

Where the picture ends at the chest, BlazePose now and then folds an arm that hangs below it, puts the hand beside the
neck, and is sure of it. But a hand that comes changes the picture, and has the colour of the face.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vastra_live.tracking.leap import small_colours
from vastra_live.tracking.reach import torso_of
from vastra_live.tracking.window import most
from vastra_live.types import F32, U8, Body

__all__ = ["Arrivals"]

# right and left: elbow, wrist, and the knuckles, whose middle a hand goes on beyond
_ELBOWS, _WRISTS, _KNUCKLES = (14, 13), (16, 15), ((18, 20), (17, 19))
# nose, eyes and mouth in BlazePose's numbering
_NOSE, _EYES, _MOUTH = 0, [2, 5], [9, 10]
# Half of a hand's breadth, in torso sizes.
_HALF = 0.07
# By how many levels a picture changes, on the mean, where no hand came.
_UNCHANGED = 4.5
# How far a hand's chroma is from the face's at most, in levels; its luma, in shares of the face's; and how much of what
# is taken for a hand has these.
_CHROMA, _LUMA, _SKIN = 12, (0.35, 1.7), 0.5
# How large a face is, in distances from the eyes to the mouth: no hair, no background.
_FACE = 0.8


class Arrivals:
    """Which hands have come. Of one film, frame by frame; one thread."""

    def __init__(self) -> None:
        self._before: U8 | None = None
        self._there = [False, False]

    def reset(self) -> None:
        """Nobody is there: whoever comes next comes with their hands."""
        self._before, self._there = None, [False, False]

    def judged(self, frame_bgr: U8, body: Body) -> Body:
        """The body, its wrist and knuckles unseen where no hand is.

        Args:
            frame_bgr: (H, W, 3) uint8, the body's frame.
            body: as it was found.
        """
        now = cv2.blur(small_colours(frame_bgr), (3, 3))
        scale = max(now.shape[:2]) / max(frame_bgr.shape[:2])
        visibility = body.visibility
        for side, (elbow, wrist, knuckles) in enumerate(zip(_ELBOWS, _WRISTS, _KNUCKLES, strict=True)):
            comes = _inside(body, [wrist, *knuckles])
            if comes and not self._there[side] and self._before is not None and not _inside(body, [elbow]):
                hand = _hand(body, wrist, knuckles, scale, now.shape)
                if not (_changed(self._before, now, hand) or _like_face(now, hand, body, scale)):
                    visibility = visibility.copy()
                    visibility[[wrist, *knuckles]] = 0
                    continue
            self._there[side] = comes
        self._before = now
        return body if visibility is body.visibility else replace(body, visibility=visibility)


def _inside(body: Body, joints: list[int]) -> bool:
    """Whether some of these joints are in the picture."""
    points = body.landmarks_px[joints, :2]
    height, width = body.person_alpha.shape
    return bool(((points >= 0) & (points < (width, height))).all(axis=1).any())


def _hand(body: Body, wrist: int, knuckles: tuple[int, int], scale: float, shape: tuple[int, ...]) -> U8:
    """(h, w) uint8: where a hand would be in the small picture, 255 or 0."""
    points = body.landmarks_px[:, :2]
    ends = np.clip(np.array([points[wrist], points[list(knuckles)].mean(axis=0)]) * scale, -2048, 4096)
    hand = np.zeros(shape[:2], np.uint8)
    start, end = np.rint(ends).astype(int)
    cv2.line(hand, start, end, 255, max(2, round(2 * _HALF * torso_of(body)[1] * scale)))
    return hand


def _changed(before: U8, now: U8, hand: U8) -> bool:
    """Whether the picture has changed there; it has if it changed its size."""
    if before.shape != now.shape:
        return True
    return float(cv2.mean(most(cv2.absdiff(before, now)), hand)[0]) > _UNCHANGED


def _like_face(now: U8, hand: U8, body: Body, scale: float) -> bool:
    """Whether most of it has the colour of the face."""
    points: F32 = body.landmarks_px[:, :2] * np.float32(scale)
    eyes, mouth = points[_EYES].mean(axis=0), points[_MOUTH].mean(axis=0)
    face = np.zeros_like(hand)
    radius = max(1, round(_FACE * float(np.linalg.norm(eyes - mouth))))
    cv2.circle(face, np.rint(np.clip(points[_NOSE], -2048, 4096)).astype(int), radius, 255, -1)
    if not face.any() or not hand.any():
        return True
    luma, *chroma = np.median(now[face > 0], axis=0).tolist()
    low = (_LUMA[0] * luma, *(level - _CHROMA for level in chroma))
    high = (_LUMA[1] * luma, *(level + _CHROMA for level in chroma))
    return float(cv2.mean(cv2.inRange(now, low, high), hand)[0]) > 255 * _SKIN
