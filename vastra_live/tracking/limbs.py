"""The arms, by the body's landmarks: where the flow cannot follow them, each bone carries its own surface.

An arm that swings across the picture moves further between keyframe and live picture than a flow can search, and
what it passes in front of moves otherwise. So each arm has a motion of its own, a chain of bones, as in layered
motion (Wang and Adelson 1994). Landmarks are late and they jitter, so they count only for an arm that has moved
far, and only where the picture agrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.tracking.reach import torso_of
from vastra_live.tracking.window import Window, most, sampled
from vastra_live.types import F32, U8, Body

__all__ = [
    "ARM",
    "ARMS",
    "FOREARMS",
    "PARTS",
    "ArmMotion",
    "Arms",
    "arm_masks",
    "arm_window",
    "arms_of",
    "around_arms",
    "carried",
    "layer_on",
    "lost_parts",
    "motion_of",
    "within",
]

# left and right: shoulder, elbow, wrist, then index and little finger, whose middle ends the chain
_CHAINS = np.array([[11, 13, 15, 19, 17], [12, 14, 16, 20, 18]])
# How sure the body must be of shoulder, elbow and wrist; a hand below the picture still ends a forearm.
_VISIBLE = (0.5, 0.5, 0.2)
# Half the width of upper arm, forearm and hand in a sleeve, in shares of the torso's size.
_RADII = (0.19, 0.17, 0.17)
# The part of the upper arm, next to the shoulder, that moves with the torso rather than with the bone.
_SHOULDER = 0.25
# How far an elbow or wrist must have moved against the torso, in torso sizes, before its part is looked for; and how
# near it must come again before it is not.
_FAR, _NEAR = 0.25, 0.18
# How far, in torso sizes, the flow must be from where the landmarks see a part before it has lost that part.
_LOST = 0.2
# Every so many work pixels are asked whether the flow has lost an arm.
_SPARSE = 4
# Rows and columns of the arms' extent come in multiples of the first, and are at least the second: less is the tip of
# an arm that is out of the picture.
_CELLS, _LEAST = 8, 16
# How near a bone an arm surely is, in radii, and what share of that a layer must cover to be on it.
_CORE, _DRESSED = 0.4, 0.3
# How far off what is remembered behind an arm may be, in work pixels; by how many levels a pixel must be nearer to that
# than to the arm's middle before it is none of the arm's, and over which the decision changes.
_OFF, _OTHER = 5, 24.0
# A forearm shorter than this in the keyframe, in torso sizes, points at the camera, and the keyframe shows nothing
# of it: this last part of the upper arm stands in for it, folded back at the elbow.
_END_ON, _FOLD = 0.35, 0.3

# What moves by itself, each a bit of a set: the left upper arm, the left forearm with its hand, and the right ones.
PARTS = 4
ARM, FOREARMS, ARMS = 0b11, 0b1010, 0b1111
_BONES = ((0, (0,)), (0, (1, 2)), (1, (0,)), (1, (1, 2)))


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """Both arms in one picture.

    Attributes:
        joints: (2, 4, 2) float32, left and right: shoulder, elbow, wrist, middle of the knuckles; frame pixels.
        seen: (2,) bool, whether the arm can be relied on.
        middle: (2,) float32, between the shoulders.
        size: the torso's, in frame pixels: shoulder width, or half its length where it is seen from the side.
        look: what they looked like when the body was last seen, see :func:`~vastra_live.tracking.arm_looks.look_of`;
            None when that is not known.
    """

    joints: F32
    seen: npt.NDArray[np.bool_]
    middle: F32
    size: float
    look: F32 | None = None

    def moved(self, now: Arms, held: int = 0, far: float = _FAR) -> int:
        """Which parts moved far against the torso: a set of bits.

        Args:
            now: the arms in another picture.
            held: parts that had done so; these must come nearer before they have not.
            far: what that is, in torso sizes.
        """
        here, there = ((each.joints - each.middle) / np.float32(each.size) for each in (self, now))
        bits = 1 << np.arange(PARTS).reshape(2, 2)
        bound = np.where(bits & held, np.float32(_NEAR), np.float32(far))
        # a forearm hangs from its elbow
        off = np.maximum.accumulate(np.linalg.norm(here - there, axis=2)[:, 1:3], axis=1)
        return int(bits[(off > bound) & (self.seen & now.seen)[:, None]].sum())


@dataclass(frozen=True, slots=True, eq=False)
class ArmMotion:
    """The newest arms, and how far their joints came since the body before: (2, 4, 2) float32, frame pixels."""

    arms: Arms
    step: F32

    def ahead(self, periods: float) -> Arms:
        """Where they are expected so many body periods later."""
        arms = self.arms
        return replace(arms, joints=arms.joints + self.step * np.float32(periods))


# asked of a body again and again, while it is one of the newest
@lru_cache(maxsize=4)
def arms_of(body: Body | None) -> Arms | None:
    """The arms of a body; None when neither can be relied on."""
    if body is None:
        return None
    seen = (body.visibility[_CHAINS[:, :3]] > _VISIBLE).all(axis=1)
    if not seen.any():
        return None
    points = body.landmarks_px[:, :2]
    chains = points[_CHAINS]
    joints = np.concatenate([chains[:, :3], chains[:, 3:].mean(axis=1, keepdims=True)], axis=1)
    middle, size = torso_of(body)
    return Arms(joints, seen, middle, size)


def motion_of(body: Body | None, before: Body | None = None) -> ArmMotion | None:
    """Arms and their motion from the newest body and the one before; None when no arm can be relied on."""
    arms, earlier = arms_of(body), arms_of(before)
    if arms is None:
        return None
    return ArmMotion(arms, np.zeros_like(arms.joints) if earlier is None else arms.joints - earlier.joints)


def arm_masks(arms: Arms, part: int, window: Window, margins: Sequence[float]) -> tuple[F32, ...]:
    """What a part of an arm may cover: (rows, columns) float32 each, 0..1.

    Args:
        arms: of the picture.
        part: its bit's number.
        window: of the picture.
        margins: its widths, in shares of the usual.
    """
    off = _off_part(arms, part, window)
    return tuple(within(off * np.float32(1 / margin)) for margin in margins)


# a keyframe asks for the same arms' in several widths, at several places
@lru_cache(maxsize=2 * PARTS)
def _off_part(arms: Arms, part: int, window: Window) -> F32:
    """How far each work pixel is from a part of an arm, in radii: (rows, columns) float32. Read-only."""
    _, (_, _, distance) = _along_bones(arms, 1 << part, window.centres(), 1.0)
    nearest: F32 = distance.min(axis=0)
    nearest.flags.writeable = False
    return nearest


def around_arms(body: Body | None, parts: int, window: Window, margins: Sequence[float]) -> tuple[F32, ...] | None:
    """What these parts of a body's arms may cover together, as :func:`arm_masks`; None when neither arm is seen."""
    arms = arms_of(body)
    chosen = [] if arms is None else [part for part in range(PARTS) if parts >> part & 1 and arms.seen[part // 2]]
    if arms is None or not chosen:
        return None
    masks = zip(*(arm_masks(arms, part, window, margins) for part in chosen), strict=True)
    return tuple(np.maximum.reduce(each) for each in masks)


def layer_on(arms: Arms, window: Window, alpha: F32, bgr: U8, behind: U8) -> tuple[int, F32, F32]:
    """What of a layer is on the arms of a keyframe, and not on the torso or the wall beside them.

    Where the middle of an arm is bare, what the layer covers beside it is not a sleeve. Where it is not, what looks
    like what is behind the arm, and not like its middle, lies beside a made arm that is narrower than the worn one.

    Args:
        arms: of the keyframe.
        window: of the keyframe.
        alpha: (rows, columns) float32, its layer's on the work grid, with nothing put back that is hidden.
        bgr: (rows, columns, 3) uint8, the layer's colours there.
        behind: (rows, columns, 3) uint8, and what is behind the arms, as far as that is known.

    Returns:
        The parts that the layer is on, a set of bits; (rows, columns) float32, 0..1, how much of what is around arms
        moves with them; and the same with what lies beside made arms.
    """
    places = window.centres()[::2, ::2] + np.float32(window.step / 2)
    here = cv2.resize(alpha, places.shape[1::-1], interpolation=cv2.INTER_AREA)
    look = cv2.resize(bgr, places.shape[1::-1], interpolation=cv2.INTER_AREA)
    around = np.ones((_OFF, _OFF), np.uint8)
    low, high = (cv2.resize(pick(behind, around), here.shape[::-1]) for pick in (cv2.erode, cv2.dilate))
    unlike = most(cv2.max(cv2.subtract(low, look), cv2.subtract(look, high))).astype(np.float32)
    nearest, own, worn = np.full(here.shape, np.inf, np.float32), np.ones_like(here), np.ones_like(here)
    dressed = 0
    for part in (part for part in range(PARTS) if arms.seen[part // 2]):
        ends, (along, _, distance) = _along_bones(arms, 1 << part, places, 1.0)
        for number, (side, bone) in enumerate(ends):
            start, end = arms.joints[side, bone], arms.joints[side, bone + 1]
            middle = window.cells(start + np.clip(along[number], 0, 1)[..., None] * (end - start))
            on_middle = sampled(alpha, middle)
            spread = np.maximum(here - on_middle, 0)
            other = most(cv2.absdiff(look, sampled(bgr, middle))) - unlike - np.float32(_OTHER)
            other = (
                np.clip(other / np.float32(_OTHER), 0, 1) * (distance[number] > _CORE) * np.minimum(2 * on_middle, 1)
            )
            other = cv2.blur(other, (3, 3))
            worn = np.where(distance[number] < nearest, 1 - spread, worn)
            own = np.where(distance[number] < nearest, (1 - spread) * (1 - other), own)
            nearest = np.minimum(nearest, distance[number])
        core = (distance.min(axis=0) < _CORE).astype(np.float32)
        if _mean(here, core) > _DRESSED:
            dressed |= 1 << part
    size = (window.columns, window.rows)
    own, worn = (cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in (own, worn))
    return dressed, own, worn


def lost_parts(
    key: Arms, key_window: Window, now: Arms, window: Window, cells: F32, held: int, dressed: int = 0
) -> int:
    """Which parts of the arms moved so far that the flow has lost them: a set of bits.

    Args:
        key: the arms in the keyframe.
        key_window: of the keyframe.
        now: where they are expected in the live picture.
        window: of that.
        cells: (rows, columns, 2) float32, where the flow has found each of its pixels on the keyframe's grid.
        held: parts that the flow was not asked to find, and need no losing.
        dressed: parts that the layer is on: out of the window the flow finds nothing.
    """
    parts = key.moved(now, held)
    lost = held & parts
    for bit in (1 << part for part in range(PARTS)):
        extent = arm_window(now, bit, window, dressed) if parts & ~lost & bit else None
        if extent is None:
            continue
        inside, _ = window.overlap(extent)
        sparse = _thinned(inside)
        places = window.centres()[sparse]
        if 2 * places[..., 0].size * _SPARSE**2 < extent.rows * extent.columns:
            lost |= bit
            continue
        guess, off = carried(key, key_window, now, bit, places)
        if _mean(np.linalg.norm(guess - cells[sparse], axis=2), within(off)) * key_window.step > _LOST * key.size:
            lost |= bit
    # a forearm hangs from its elbow
    return lost | (lost & 0b0101) << 1


def arm_window(arms: Arms, parts: int, window: Window, dressed: int = 0) -> Window | None:
    """What these parts may touch, on a window's lattice; None when there are none.

    Args:
        arms: in the live picture.
        parts: which of them.
        window: the live one.
        dressed: parts that count beyond the window too.
    """
    room = max(_RADII) * arms.size
    boxes = []
    for bit in (1 << part for part in range(PARTS) if parts >> part & 1):
        side, bones = _BONES[bit.bit_length() - 1]
        joints = arms.joints[side, bones[0] : bones[-1] + 2]
        left, top = np.floor(window.cells(joints.min(axis=0) - room)).astype(int).tolist()
        right, bottom = np.ceil(window.cells(joints.max(axis=0) + room)).astype(int).tolist()
        if not dressed & bit:
            left, right = max(left, 0), min(right, window.columns // _CELLS * _CELLS - 1)
            top, bottom = max(top, 0), min(bottom, window.rows // _CELLS * _CELLS - 1)
        if right > left and bottom > top:
            boxes.append((left, top, -right, -bottom))
    if not boxes:
        return None
    # the flow wants whole coarse cells
    x0, y0, x1, y1 = (int(end) // _CELLS * _CELLS for end in np.min(boxes, axis=0) - (0, 0, 1, 1))
    columns, rows = -x1 - x0, -y1 - y0
    if min(columns, rows) < _LEAST:
        return None
    return Window(window.x + x0 * window.step, window.y + y0 * window.step, columns, rows, window.step)


def _thinned(extent: tuple[slice, slice]) -> tuple[slice, slice]:
    rows, columns = extent
    return slice(rows.start, rows.stop, _SPARSE), slice(columns.start, columns.stop, _SPARSE)


def _mean(values: F32, share: F32) -> float:
    return float((values * share).sum()) / max(float(share.sum()), 1.0)


def _of(parts: int) -> list[tuple[int, tuple[int, ...]]]:
    """Side and bones of each of these parts."""
    return [_BONES[part] for part in range(PARTS) if parts >> part & 1]


def carried(key: Arms, key_window: Window, now: Arms, parts: int, places: F32) -> tuple[F32, F32]:
    """For each place the cell of the keyframe that the nearest bone brought there, and how far off it is in radii."""
    ends, (along, aside, distance) = _along_bones(now, parts, places, 1.0)
    aside *= np.float32(key.size / now.size)
    weight = 1 / (0.05 + distance * distance) ** 2
    weight /= weight.sum(axis=0)
    target = np.zeros(places.shape, np.float32)
    for number, (side, bone) in enumerate(ends):
        share, off, by = along[number], aside[number], weight[number]
        origin, tip = key.joints[side, bone], key.joints[side, bone + 1]
        if bone == 1 and np.linalg.norm(tip - origin) < _END_ON * key.size:
            origin, tip = key.joints[side, 0], key.joints[side, 1]
            share = 1 - _FOLD * np.clip(share, 0, 1)
        across, down = (tip - origin).tolist()
        length = max(math.hypot(across, down), 1.0)
        x, y = origin.tolist()
        target[..., 0] += (share * across - off * (down / length) + x) * by
        target[..., 1] += (share * down + off * (across / length) + y) * by
    return key_window.cells(target), distance.min(axis=0)


def _along_bones(
    arms: Arms, parts: int, places: F32, margin: float
) -> tuple[list[tuple[int, int]], tuple[F32, F32, F32]]:
    """Side and number of each bone; place along it (0 at its start, 1 at its end), pixels aside, distance in radii.

    The three are (bones, h, w) float32.
    """
    ends = [(side, bone) for side, bones in _of(parts) for bone in bones]
    sides, bones = np.transpose(ends)
    start = arms.joints[sides, bones]
    vector = arms.joints[sides, bones + 1] - start
    length = np.maximum(np.linalg.norm(vector, axis=1), 1)
    radius = np.array(_RADII, np.float32)[bones] * np.float32(margin * arms.size)
    first = np.where(bones == 0, np.float32(_SHOULDER), np.float32(0))
    x, y = (places[None, ..., axis] - _each(start[:, axis]) for axis in (0, 1))
    along = x * _each(vector[:, 0] / length**2) + y * _each(vector[:, 1] / length**2)
    aside = y * _each(vector[:, 0] / length) - x * _each(vector[:, 1] / length)
    beyond = np.maximum(np.maximum(_each(first) - along, along - 1), 0) * _each(length)
    distance = np.sqrt(aside * aside + beyond * beyond) * _each(1 / radius)
    return ends, (along, aside, distance)


def _each(values: F32) -> F32:
    return values[:, None, None]


def within(distance: F32) -> F32:
    """Distance in radii to a share, with a soft end."""
    inside: F32 = (1.1 - distance) * 5
    if inside.size > 0:
        # in a third of the time of numpy's clip
        cv2.threshold(inside, 1, 1, cv2.THRESH_TRUNC, inside)
        cv2.threshold(inside, 0, 0, cv2.THRESH_TOZERO, inside)
    return inside
