"""Reading what is below the waist: where the worn top ends, what of the rest is cloth, leg and shoe."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.synthesis.embedded.compose import bare_arms, beyond, hands
from vastra_live.synthesis.embedded.girth import Girth
from vastra_live.synthesis.embedded.legs import leg_point
from vastra_live.synthesis.embedded.places import (
    BACKGROUND,
    HAIR,
    LOWER,
    SKIN,
    TOP,
    arm_distance,
    near_segments,
    segment_distance,
    window,
)
from vastra_live.synthesis.embedded.reading import Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved, halved_shape, halved_skeleton
from vastra_live.synthesis.embedded.skeleton import Leg, Point, Skeleton
from vastra_live.types import F32, U8

__all__ = [
    "Waistline",
    "depth_map",
    "find_waistline",
    "in_front_of_legs",
    "knows_skin",
    "leave_thighs",
    "settled",
    "worn_lower",
]

_TOUCH = 0.32
"""The station of the legs down to which thighs may touch."""
_SHOE = 0.6
"""So near to a leg, in shoulder widths, is its shoe: what is farther off and as low is a skirt's hem."""
_NEAR_BONES = 0.2
"""So near the bones of a leg, in shoulder widths, its cloth lies."""
_BESIDE = (0.2, 0.26, 0.32)
"""Where a row shows whether a top covers this side of it, in shoulder widths from the spine."""


@dataclass(frozen=True, slots=True)
class Waistline:
    """Where the worn top ends and the worn lower garment begins and parts, in front.

    Attributes:
        hem: of the top: depth, 0 at the shoulder joints, 1 at the hip joints; infinite when nothing is seen to end it.
        waist: upper edge of the lower garment, likewise; infinite when none is seen.
        fork: the station of the legs above which its two legs touch; 0 when none is seen between them.
    """

    hem: float
    waist: float
    fork: float = 0.0


def find_waistline(share: F32, s: Skeleton) -> Waistline:
    """Follow the classes down the spine."""
    depths = np.arange(0.4, 1.7, 0.02)
    aside = np.linspace(-0.22, 0.22, 12) * s.unit
    line = s.neck + np.outer(depths, (s.pelvis - s.neck))
    points = line[:, None] + np.outer(aside, s.hips_across)[None]
    inside = ((points >= 0) & (points < share.shape[:0:-1])).all(axis=-1).all(axis=-1)
    depths, points = depths[inside], points[inside]
    if not len(depths):
        return Waistline(np.inf, np.inf)
    at = np.round(points).astype(int)
    x, y = np.minimum(at[..., 0], share.shape[2] - 1), np.minimum(at[..., 1], share.shape[1] - 1)
    top, lower = share[TOP][y, x], share[LOWER][y, x]
    # hands in front say nothing
    seen = np.maximum((top + lower).mean(axis=1), 0.25)
    ends = np.flatnonzero(top.mean(axis=1) / seen < 0.5)
    starts = np.flatnonzero(lower.mean(axis=1) / seen > 0.5)
    return Waistline(
        float(depths[ends[0]]) if len(ends) else np.inf,
        float(depths[starts[0]]) if len(starts) else np.inf,
        _fork(share, s),
    )


def _fork(share: F32, s: Skeleton) -> float:
    """The station of the legs at which they part: where, between them, the lower garment ends."""
    stations = np.arange(0.14, _TOUCH, 0.01)
    right, left = (np.array([leg_point(leg, at)[0] for at in stations]) for leg in (s.right_leg, s.left_leg))
    between = right[:, None] + np.linspace(0.2, 0.8, 13)[:, None] * (left - right)[:, None]
    inside = ((between >= 0) & (between < share.shape[:0:-1])).all(axis=(1, 2))
    x, y = np.moveaxis(np.clip(between.astype(int), 0, np.array(share.shape[:0:-1]) - 1), 2, 0)
    ends = np.flatnonzero(~inside | (share[LOWER][y, x] < 0.65).any(axis=1))
    return float(stations[ends[0]]) if len(ends) else _TOUCH


def depth_map(shape: tuple[int, ...], s: Skeleton) -> F32:
    """(h, w) along the spine: 0 at the shoulder joints, 1 at the hip joints."""
    x = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(s.neck[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(s.neck[1])
    return np.asarray((x * s.down[0] + y * s.down[1]) / s.torso_length, np.float32)


def settled(bgr: U8, reading: Reading, s: Skeleton, waistline: Waistline) -> Reading:
    """The reading of what is below the hips, put right.

    Beside the hips a sleeve is likely, and jeans are taken for one; below them a lower garment is, and bare legs are
    taken for one.
    """
    share = reading.share.copy()
    share = _bare_legs_seen(bgr, share, s)
    share = _hands_seen(bgr, share, s)
    if np.isfinite(waistline.hem):
        share = _no_top_below(share, s, waistline.hem)
    return Reading(share, reading.face)


def _bare_legs_seen(bgr: U8, share: F32, s: Skeleton) -> F32:
    """The classes with legs of the skin's own colour as skin."""
    height, width = share.shape[1:]
    rows = np.arange(0, int(np.clip(s.pelvis[1], 1, height)), 4)
    known = share[SKIN][rows, ::4] > 0.7
    if known.sum() < 40:
        return share
    colours = _lab(bgr[rows, ::4][known][None])[0]
    usual = np.median(colours, axis=0) - (0, 128, 128)
    bare = []
    for leg in (s.right_leg, s.left_leg):
        ways = [a + (b - a) * t for a, b, t in _sampled(leg)]
        seen = np.array([(x, y) for x, y in np.round(ways).astype(int) if 0 <= x < width and 0 <= y < height])
        # a few pixels of cloth may have the colour of skin, most of a leg has not
        if len(seen) >= 8 and float(_like_skin(_lab(bgr[seen[:, 1], seen[:, 0]][None]), usual).mean()) > 0.5:
            bare.append(leg)
    if not bare:
        return share
    small = halved_skeleton(s)
    shape = halved_shape(share.shape[1:])
    legs = np.zeros(shape, np.float32)
    for leg, full in ((small.right_leg, s.right_leg), (small.left_leg, s.left_leg)):
        if any(full is one for one in bare):
            thigh, _ = segment_distance(shape, (leg.hip + leg.knee) / 2, leg.knee)
            shin, _ = segment_distance(shape, leg.knee, leg.ankle)
            legs = np.maximum(legs, np.clip((0.3 - np.minimum(thigh, shin) / small.unit) / 0.05, 0, 1))
    alike = _like_skin(_lab(np.asarray(halved(bgr), np.uint8)), usual)
    moved = share[LOWER] * enlarged(cv2.blur(legs * alike, (3, 3)), share[LOWER].shape)
    share[LOWER] -= moved
    share[SKIN] += moved
    return share


def _hands_seen(bgr: U8, share: F32, s: Skeleton) -> F32:
    """The classes with hands of the skin's own colour as skin: beside pale cloth and a pale wall they are overlooked.

    Where what is worn has the colour of skin itself, nothing is moved.
    """
    known = share[SKIN, ::4, ::4] > 0.7
    worn = share[LOWER, ::4, ::4] + share[TOP, ::4, ::4] > 0.9
    if known.sum() < 40:
        return share
    colours = _lab(bgr[::4, ::4])
    usual = np.median(colours[known], axis=0) - (0, 128, 128)
    if worn.any() and float(_like_skin(colours[worn][None], usual).mean()) > 0.1:
        return share
    small = halved_skeleton(s)
    hands = [(arm.wrist, arm.tip + 0.9 * (arm.tip - arm.wrist)) for arm in (small.left, small.right)]
    half = (share.shape[1] // 2, share.shape[2] // 2)
    rows, columns = window(half, [point for hand in hands for point in hand], 0.24 * small.unit)
    if rows.stop - rows.start < 4 or columns.stop - columns.start < 4:
        return share
    part = np.s_[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
    lab = _lab(np.asarray(halved(bgr[part]), np.uint8))
    near = near_segments(half, hands, 0.2 * small.unit, 0.04 * small.unit)[rows, columns]
    # without specks, and with the creases between the fingers
    alike = cv2.morphologyEx(_like_skin(lab, usual), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    size = 2 * max(1, round(0.02 * small.unit)) + 1
    alike = cv2.morphologyEx(alike, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    # what is seen between the fingers has another hue than they have
    chroma = max(float(np.hypot(usual[1], usual[2])), 4.0)
    along = ((lab[..., 1] - 128) * usual[1] + (lab[..., 2] - 128) * usual[2]) / chroma**2
    other_hue = cv2.morphologyEx(np.clip((0.25 - along) / 0.1, 0, 1), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    # behind a hand that is lifted there is a top
    other_hue[: max(int(small.pelvis[1] - 0.3 * small.unit) - rows.start, 0)] = 0
    shape = share[SKIN][part].shape
    found, between = (
        enlarged(cv2.blur((near * which).astype(np.float32), (3, 3)), shape) for which in (alike, other_hue)
    )
    for other in (BACKGROUND, TOP, LOWER):
        moved = share[other][part] * found
        share[other][part] -= moved
        share[SKIN][part] += moved
    moved = share[SKIN][part] * between * np.clip(1 - 2 * share[BACKGROUND][part], 0, 1)
    share[SKIN][part] -= moved
    share[LOWER][part] += moved
    return share


def _sampled(leg: Leg) -> list[tuple[Point, Point, float]]:
    """Pairs of joints, and shares of the way between them, from the middle of the thigh to the ankle."""
    ways = [(leg.hip, leg.knee, t) for t in np.linspace(0.5, 1.0, 12)]
    return ways + [(leg.knee, leg.ankle, t) for t in np.linspace(0.05, 1.0, 18)]


def _lab(bgr: U8) -> F32:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(bgr), cv2.COLOR_BGR2LAB), np.float32)


def _like_skin(lab: F32, usual: Point) -> F32:
    """(h, w) 0..1: legs may be tanned, shaded and in stockings, but the hue of skin stays.

    Args:
        lab: (h, w, 3).
        usual: light and chroma (a, b about 0) of the skin that is seen further up.
    """
    chroma = max(float(np.hypot(usual[1], usual[2])), 4.0)
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    along = (a * usual[1] + b * usual[2]) / chroma**2
    across = np.abs(a * usual[2] - b * usual[1]) / chroma**2
    light = lab[..., 0] / max(float(usual[0]), 1.0)
    alike = np.clip((0.42 - across) / 0.14, 0, 1) * np.clip(np.minimum((along - 0.5) / 0.15, (1.9 - along) / 0.2), 0, 1)
    return np.asarray(alike * np.clip(np.minimum((light - 0.35) / 0.1, (1.35 - light) / 0.1), 0, 1), np.float32)


def _no_top_below(share: F32, s: Skeleton, hem: float) -> F32:
    """The classes without top below its hem, but for sleeves."""
    small, shape = halved_skeleton(s), halved_shape(share.shape[1:])
    below = np.clip((depth_map(shape, small) - hem - 0.1) / 0.03, 0, 1)
    for arm in (small.left, small.right):
        middle = np.clip(np.round(arm.elbow + arm.wrist).astype(int), 0, np.array(share.shape[:0:-1]) - 1)
        if share[TOP][middle[1], middle[0]] > 0.5:
            near, _ = segment_distance(shape, arm.elbow, arm.wrist)
            # a sleeve ends at the wrist: between the fingers there is none
            past = np.clip(beyond(shape, arm.wrist, arm.wrist - arm.elbow) / small.unit / 0.05 - 2, 0, 1)
            below = np.minimum(below, np.maximum(np.clip(near / small.unit / 0.05 - 3.6, 0, 1), past))
    moved = share[TOP] * enlarged(below.astype(np.float32), share[TOP].shape)
    share[TOP] -= moved
    share[LOWER] += moved
    return share


def _on_legs(worn: F32, s: Skeleton) -> F32:
    """(h, w) 0..1: what hangs together with hips or legs; a bag in the hand does not."""
    _, islands = cv2.connectedComponents((worn > 0.2).astype(np.uint8))
    bones = [(leg.hip, leg.knee) for leg in (s.left_leg, s.right_leg)] + [(s.left_leg.hip, s.right_leg.hip)]
    bones += [(leg.knee, leg.ankle) for leg in (s.left_leg, s.right_leg)]
    near = near_segments(worn.shape, bones, _NEAR_BONES * s.unit, 1) > 0
    own = np.zeros(int(islands.max()) + 1, np.float32)
    own[islands[near]] = 1
    own[0] = 1
    return np.asarray(own[islands], np.float32)


def worn_lower(bgr: U8, share: F32, s: Skeleton) -> F32:
    """(h, w) float32 0..1, the worn lower garment down to the ankles: shoes and feet, read as the same class, stay.

    Around the ankles, where it is not known to the pixel which is which, a shoe has another colour than the shin.
    """
    small, lower = halved_skeleton(s), np.clip(halved(share[LOWER]) * 1.6 - 0.3, 0, 1)
    shape = lower.shape
    lab = _lab(np.asarray(halved(bgr), np.uint8))
    worn = lower.copy()
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    legs = []
    for leg in (small.right_leg, small.left_leg):
        shin = leg.ankle - leg.knee
        length = max(float(np.linalg.norm(shin)), 1e-6)
        distance, _ = segment_distance(shape, leg.knee, leg.ankle + 0.3 * shin)
        past = ((x - leg.ankle[0]) * shin[0] + (y - leg.ankle[1]) * shin[1]) / length
        legs.append((distance, np.asarray(past / small.unit, np.float32)))
    nearer = legs[0][0] < legs[1][0]
    for (distance, past), mine in zip(legs, (nearer, ~nearer), strict=True):
        foot = mine & (distance < _SHOE * small.unit) & (past > -0.22)
        # trousers end on the shoe, a little below the ankle
        stays = np.clip((0.1 - past) / 0.04 + 0.5, 0, 1)
        cloth = (lower > 0.8) & mine & (past > -0.7) & (past < -0.3) & (distance < 0.3 * small.unit)
        if cloth.sum() >= 12:
            colours = lab[cloth]
            usual = np.median(colours, axis=0)
            spread = np.median(np.abs(colours - usual).sum(axis=-1))
            off = np.abs(lab - usual).sum(axis=-1) / (3 * spread + 25)
            stays = stays * np.clip(2 * (1.5 - off), 0, 1)
        worn[foot] *= stays[foot]
    # below a bare shin there are socks and shoes
    for leg, (distance, past), mine in zip((small.right_leg, small.left_leg), legs, (nearer, ~nearer), strict=True):
        ends = _bare_to(share[SKIN], leg)
        if ends is not None:
            shin = leg.ankle - leg.knee
            along = float((ends - leg.ankle) @ shin) / max(float(np.linalg.norm(shin)), 1e-6)
            worn[mine & (distance < _SHOE * small.unit) & (past > along / small.unit)] = 0
    worn *= _on_legs(worn, small)
    # back at full size the class's own edges count
    own = np.clip(share[LOWER] * 1.6 - 0.3, 0, 1)
    # below the hips, on a wall of its colour, where nothing else can be, less is enough
    hips = np.s_[int(np.clip(s.pelvis[1], 0, share.shape[1])) :]
    alone = share[LOWER][hips] + share[BACKGROUND][hips] > 0.85
    own[hips] = np.where(alone, np.clip(6 * share[LOWER][hips] - 0.9, 0, 1), own[hips])
    return np.asarray(own * enlarged(worn / np.maximum(lower, 0.02), share[LOWER].shape), np.float32)


def _bare_to(skin: F32, leg: Leg) -> Point | None:
    """The lowest point of a shin that is bare there and above; None of one that is not.

    Args:
        skin: (h, w) 0..1.
        leg: in pixels of half that size.
    """
    ways = np.array([leg_point(leg, station)[0] for station in np.linspace(0.6, 1.0, 21)])
    x, y = np.clip(np.round(2 * ways).astype(int), 0, np.array(skin.shape[::-1]) - 1).T
    bare = skin[y, x] > 0.5
    # torn trousers show skin too, and go on below
    last = int(np.flatnonzero(bare)[-1]) if bare.any() else 0
    return ways[last] if np.count_nonzero(bare[: last + 1]) >= max(5, 0.8 * (last + 1)) else None


def in_front_of_legs(reading: Reading, worn_top: F32, s: Skeleton, girth: Girth, *, top_stays: bool) -> F32:
    """(h, w) float32 0..1: what is in front of a lower garment: hair, arms, sleeves, and the worn top if it stays."""
    share = reading.share
    skin = np.clip(share[SKIN] * 1.6 - 0.3, 0, 1)
    front = np.maximum(np.clip(share[HAIR] * 1.6 - 0.3, 0, 1), reading.face)
    front = np.maximum(front, np.maximum(leave_thighs(hands(skin, s), skin, s), bare_arms(skin, s, girth, (0.3, 0.3))))
    if top_stays:
        # where the hem is not surely found, it is a line all the same and no mist
        front = np.maximum(front, np.clip(4 * worn_top - 2.4, 0, 1))
        return np.asarray(np.maximum(front, _beside_top(share[LOWER], worn_top, s)), np.float32)
    small = halved_skeleton(s)
    near = np.minimum(*(arm_distance(halved_shape(skin.shape), arm) for arm in (small.left, small.right))) / small.unit
    sleeves = worn_top * enlarged(np.clip((0.2 - near) / 0.04, 0, 1).astype(np.float32), skin.shape)
    return np.asarray(np.maximum(front, sleeves), np.float32)


def _beside_top(lower: F32, worn_top: F32, s: Skeleton) -> F32:
    """(h, w) 0..1: what is beside the worn top, above its hem: nothing new comes out there where nothing did."""
    height, width = lower.shape
    rows = np.arange(height)
    spine = s.neck[0] + (rows - s.neck[1]) * s.down[0] / max(float(s.down[1]), 0.5)
    columns = np.arange(width)[None]
    beside = np.zeros_like(lower)
    for sign in (-1, 1):
        aside = sign * np.outer(_BESIDE, np.full(height, s.unit)) + spine
        at = np.clip(np.round(aside).astype(int), 0, width - 1)
        covered = (worn_top[rows[None], at] > 0.5).all(axis=0).astype(np.float32)
        # a fold in a hem is no end of it
        covered = cv2.blur(covered[:, None], (1, 3))
        beside = np.maximum(beside, covered * (sign * (columns - spine[:, None]) > 0))
    return np.asarray(beside * (1 - np.clip(4 * lower - 1, 0, 1)), np.float32)


def leave_thighs(found: F32, skin: F32, s: Skeleton) -> F32:
    """(h, w) 0..1: the hands; before a bare leg, from which no colour tells them, no more than a hand is wide.

    Args:
        found: (h, w) 0..1, skin near the hands.
        skin: (h, w) 0..1.
        s: the skeleton.
    """
    small, shape = halved_skeleton(s), halved_shape(skin.shape)
    for arm, leg in ((small.right, small.right_leg), (small.left, small.left_leg)):
        thigh = (leg.hip + leg.knee) / 2
        x, y = np.clip(np.round(2 * thigh).astype(int), 0, np.array(skin.shape[::-1]) - 1)
        if skin[y, x] < 0.5:
            continue
        reach = arm.tip - arm.wrist
        wide, _ = segment_distance(shape, arm.wrist, arm.tip + reach)
        close, _ = segment_distance(shape, arm.wrist, arm.tip + 0.7 * reach)
        leave = np.clip((close / small.unit - 0.13) / 0.03, 0, 1) * (wide < 0.35 * small.unit)
        found = found * (1 - enlarged(leave.astype(np.float32), skin.shape))
    return found


def knows_skin(share: F32, unit: float) -> bool:
    """Whether enough skin is seen to make legs of: a patch of a hand's size."""
    return float(np.clip(share[SKIN] * 2 - 1, 0, 1).sum()) > 0.03 * unit**2
