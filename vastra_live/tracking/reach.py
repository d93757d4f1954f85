"""Where something may be in front of the wearer's clothes: around arms, hands and head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vastra_live.tracking.window import Window
from vastra_live.types import F32, U8, Body

__all__ = ["Reach", "Within", "reach_of", "torso_of"]

# left and right: shoulder, elbow, wrist; and the knuckles, whose middle a hand goes on beyond
_ARMS, _KNUCKLES = [[11, 13, 15], [12, 14, 16]], [[17, 19], [18, 20]]
_NOSE, _SHOULDERS, _HIPS = 0, [11, 12], [23, 24]
# A landmark that is less visible than this, in the picture, may be anywhere.
_VISIBLE = 0.3
# How far from a bone its flesh, what a hand holds, and the landmarks' error may be, in torso sizes.
_ARM, _HAND = 0.3, 0.5
# How near an arm's bone something of it surely reaches, likewise: fingers do not come by themselves.
_CLOSE = 0.2
# How broad a hand in motion or a forearm is at least, likewise: a badge is less.
_BREADTH = 0.3
# The fingers' ends, in lengths from wrist to knuckles.
_FINGERS = 2.0
# Head and hair, in distances from the nose to between the shoulders.
_HEAD = 1.1
# For how many body periods a motion may have gone on since the body was seen.
_AHEAD = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """Where something may be in front, on a work grid.

    Attributes:
        mask: (rows, columns) uint8, 255 there and 0 elsewhere.
        close: (rows, columns) uint8, likewise, where something in front reaches to, if it is no larger than a hand.
        hand: how broad a hand is at least, in work pixels.
    """

    mask: U8
    close: U8
    hand: float


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Where arms and head are and may have come since.

    Attributes:
        bones: (n, 2, 2) float32, start and end of each, in frame pixels.
        radii: (n,) float32, frame pixels.
        close: (n,) float32, likewise; see :class:`Within`.
        hand: how broad a hand is at least, frame pixels.
    """

    bones: F32
    radii: F32
    close: F32
    hand: float

    def on(self, window: Window) -> Within:
        """The same on a work grid."""
        return _drawn(self, window)


def torso_of(body: Body) -> tuple[F32, float]:
    """(2,) float32, the middle between the shoulders, and the torso's size, in frame pixels.

    Its size is the shoulders' width, or half the torso's length where it is seen from the side.
    """
    points = body.landmarks_px[:, :2]
    middle: F32 = points[_SHOULDERS].mean(axis=0)
    length = float(np.linalg.norm(middle - points[_HIPS].mean(axis=0)))
    return middle, max(float(np.linalg.norm(points[_SHOULDERS[0]] - points[_SHOULDERS[1]])), 0.5 * length, 1.0)


def reach_of(body: Body | None, before: Body | None = None) -> Reach | None:
    """The reach of a body; None when it is unknown, and something may be in front anywhere.

    Args:
        body: the newest.
        before: the one before it.
    """
    if body is None:
        return None
    points = body.landmarks_px[:, :2]
    height, width = body.person_alpha.shape
    for joint in (_NOSE, *_ARMS[0], *_ARMS[1]):
        inside = 0 <= points[joint, 0] < width and 0 <= points[joint, 1] < height
        if inside and body.visibility[joint] < _VISIBLE:
            return None
    middle, size = torso_of(body)
    step = np.zeros_like(points) if before is None else points - before.landmarks_px[:, :2]
    bones, radii = [[points[_NOSE], points[_NOSE]]], [_HEAD * float(np.linalg.norm(points[_NOSE] - middle))]
    for arm, knuckles in zip(_ARMS, _KNUCKLES, strict=True):
        for periods in (0.0, _AHEAD) if before is not None else (0.0,):
            now = points + np.float32(periods) * step
            shoulder, elbow, wrist = now[arm]
            fingers = wrist + _FINGERS * (now[knuckles].mean(axis=0) - wrist)
            bones += [[shoulder, elbow], [elbow, wrist], [wrist, fingers]]
            radii += [_ARM * size, _ARM * size, _HAND * size]
        bones += [[points[joint], points[joint] + np.float32(_AHEAD) * step[joint]] for joint in arm]
        radii += [_ARM * size, _ARM * size, _HAND * size]
    # hair and a chin's shadow are small, and the head's first
    close = np.minimum(radii, [radii[0]] + [_CLOSE * size] * (len(radii) - 1))
    return Reach(np.array(bones, np.float32), np.array(radii, np.float32), close.astype(np.float32), _BREADTH * size)


# a window and a body stay for some frames
@lru_cache(maxsize=4)
def _drawn(reach: Reach, window: Window) -> Within:
    # eighths of a work pixel are exact enough, and ends far outside must not overflow
    ends = np.round(np.clip(window.cells(reach.bones), -2048, 4096) * 8).astype(int)
    masks = np.zeros((2, window.rows, window.columns), np.uint8)
    for mask, radii in zip(masks, (reach.radii, reach.close), strict=True):
        for (start, end), radius in zip(ends, radii, strict=True):
            cv2.line(mask, start, end, 255, max(1, round(2 * float(radius) / window.step)), shift=3)
    masks.flags.writeable = False
    return Within(masks[0], masks[1], reach.hand / window.step)
