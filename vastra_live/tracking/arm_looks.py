"""What forearms and hands look like where a body was last seen: fresher than the keyframe, and along their bones."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.tracking.fronts import Front, difference
from vastra_live.tracking.leap import small_colours
from vastra_live.tracking.limbs import Arms
from vastra_live.tracking.surface import Expected
from vastra_live.types import F32, U8

__all__ = ["colours_at", "look_of", "refresh"]

# Points of a forearm and of a hand: which bone, where along it, and so many torso sizes beside it.
_BONES = np.array([1, 1, 1, 1, 1, 2, 2, 2])
_SHARES = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 1.0, 1.5], np.float32)
_BESIDE = np.array([-0.08, 0.0, 0.08], np.float32)
# So many of them are surely of a forearm and no hand, though the wrist's landmark be off.
_FOREARM = 4
# Half the width of what looks like the middle, and how near another hand what is seen may be of that one, likewise.
_BREADTH, _APART = 0.13, 0.3
# How many levels it may differ from that.
_SLACK = 8


def look_of(arms: Arms, frame_bgr: U8) -> F32:
    """What forearms and hands look like in a picture: (2, points, across, 3) float32 Y, Cr, Cb.

    Args:
        arms: in that picture.
        frame_bgr: (H, W, 3) uint8.
    """
    return colours_at(arms.joints, arms.size, small_colours(frame_bgr), max(frame_bgr.shape[:2]))


def colours_at(joints: F32, size: float, small: U8, side: int) -> F32:
    """The colours of arms with these joints: (..., points, across, 3) float32 of (..., 4, 2).

    Args:
        joints: in frame pixels.
        size: the torso's, likewise.
        small: (h, w, 3) uint8, see :func:`~vastra_live.tracking.leap.small_colours`.
        side: the frame's longer one.
    """
    bones = np.diff(joints, axis=-2)
    length = np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1)
    across = np.stack([-bones[..., 1], bones[..., 0]], axis=-1) / length * np.float32(size)
    points = _middles(joints)[..., None, :] + across[..., _BONES, None, :] * _BESIDE[:, None]
    scale = np.float32(max(small.shape) / side)
    cells: npt.NDArray[np.intp] = np.round((points + np.float32(0.5)) * scale - np.float32(0.5)).astype(np.intp)
    columns, rows = np.clip(cells[..., 0], 0, small.shape[1] - 1), np.clip(cells[..., 1], 0, small.shape[0] - 1)
    colours: F32 = small[rows, columns].astype(np.float32)
    return colours


def refresh(front: Front, arm: Expected) -> None:
    """Expect of a forearm what it looked like where the body was last seen, where the picture is nearer to that.

    A keyframe that shows a forearm from its end, or in the shade, does not know what it looks like along its bone.

    Args:
        front: a moved arm.
        arm: what is expected there, changed in place.
    """
    now = front.arms
    if now is None or now.look is None:
        return
    known = cv2.merge((arm.luma, arm.red, arm.blue))
    drawn, there = known.copy(), np.zeros(arm.luma.shape, np.uint8)
    width = max(1, round(2 * _BREADTH * now.size / front.window.step))
    for side in (side for side in range(2) if front.parts >> (2 * side + 1) & 1):
        middles = _middles(now.joints[side])
        cells, colours = np.round(front.window.cells(middles)).astype(int).tolist(), now.look[side, :, 1].tolist()
        apart = _apart(middles, now, 1 - side)[:_FOREARM]
        for number in np.flatnonzero(apart[:-1] & apart[1:]).tolist():
            for picture, colour in ((drawn, colours[number]), (there, (255,))):
                cv2.line(picture, cells[number], cells[number + 1], colour, width)
    picture = np.ascontiguousarray(front.live[..., :3])
    nearer = cv2.compare(difference(drawn, picture), difference(known, picture), cv2.CMP_LT)
    nearer = cv2.bitwise_and(nearer, there)
    planes = cv2.split(drawn)
    for plane, look in zip((arm.luma, arm.red, arm.blue), planes, strict=True):
        cv2.copyTo(look, nearer, plane)
    look = cv2.merge((*planes, np.zeros_like(there)))
    inside = cv2.bitwise_and(nearer, cv2.compare(arm.alpha, 127, cv2.CMP_GT))
    cv2.copyTo(cv2.subtract(look, (_SLACK,) * 4), inside, arm.covered_low)
    cv2.copyTo(cv2.add(look, (_SLACK,) * 4), inside, arm.covered_high)


def _middles(joints: F32) -> F32:
    """Points in the middle of forearms and hands: (..., points, 2) float32 of (..., 4, 2)."""
    starts, ends = joints[..., _BONES, :], joints[..., _BONES + 1, :]
    middles: F32 = starts + (ends - starts) * _SHARES[:, None]
    return middles


def _apart(points: F32, arms: Arms, side: int) -> npt.NDArray[np.bool_]:
    """Which of (n, 2) points are apart from a side's hand: (n,) bool."""
    wrist, knuckles = arms.joints[side, 2:]
    hand = 2 * (knuckles - wrist)
    along = np.clip((points - wrist) @ hand / max(float(hand @ hand), 1.0), 0, 1)
    off = np.linalg.norm(points - wrist - along[:, None] * hand, axis=1)
    apart: npt.NDArray[np.bool_] = off > _APART * arms.size
    return apart
