"""Legs that are made, where some of them is seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.legs import bare_legs, leg_half, leg_point, seen_legs
from vastra_live.synthesis.embedded.lower_reading import leave_thighs, worn_lower
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton

SHAPE = (560, 320)


def skeleton() -> Skeleton:
    _, body = drawn_person((320, 560))
    return read_skeleton(body)


def bare_from(s: Skeleton, station: float, thicker: float, aside: float) -> np.ndarray:
    """Skin of both legs from a station down, thicker than usual ones and beside their bones."""
    skin = np.zeros(SHAPE, np.float32)
    for leg in (s.right_leg, s.left_leg):
        for at in np.linspace(station, 1.0, 60):
            point = leg_point(leg, at)[0] + (aside * s.unit, 0)
            half = leg_half(at, thicker) * s.unit
            y, x = int(point[1]), round(point[0])
            skin[y - 2 : y + 3, x - round(half) : x + round(half) + 1] = 1
    return skin


def width_at(where: np.ndarray, point: np.ndarray) -> tuple[float, float]:
    """Width and middle of what covers a point, along its row."""
    row = where[int(point[1]), int(point[0]) - 35 : int(point[0]) + 36]
    inside = np.flatnonzero(row > 0.5)
    return float(np.ptp(inside)) + 1, float(inside.mean()) + int(point[0]) - 35


def test_a_leg_that_is_made_goes_on_where_the_seen_one_ends() -> None:
    s = skeleton()
    skin = bare_from(s, 0.55, 1.25, 0.05)
    where, _ = bare_legs(SHAPE, s, 0.9, 0.0, seen_legs(skin, s))
    usual, _ = bare_legs(SHAPE, s, 0.9)
    for leg in (s.right_leg, s.left_leg):
        joined, middle = width_at(where, leg_point(leg, 0.53)[0])
        seen, seen_middle = width_at(skin, leg_point(leg, 0.6)[0])
        assert abs(joined - seen) < 4
        assert abs(middle - seen_middle) < 3
        high = leg_point(leg, 0.2)[0]
        assert width_at(where, high) == width_at(usual, high)


def test_of_legs_in_trousers_nothing_is_measured() -> None:
    s = skeleton()
    assert all(len(leg.stations) == 0 for leg in seen_legs(np.zeros(SHAPE, np.float32), s))


def test_below_bare_shins_there_are_socks_and_shoes() -> None:
    s = skeleton()
    share = np.zeros((5, *SHAPE), np.float32)
    share[SKIN] = bare_from(s, 0.55, 1.0, 0.0)
    for leg in (s.right_leg, s.left_leg):
        x, y = leg_point(leg, 0.93)[0].astype(int)
        share[SKIN, y:] = 0
        share[LOWER, y : y + 30, x - 9 : x + 10] = 1
        share[LOWER, int(s.pelvis[1]) : int(leg_point(leg, 0.54)[0][1]), x - 15 : x + 16] = 1
    share[BACKGROUND] = 1 - share.sum(axis=0)
    bgr = np.full((*SHAPE, 3), 230, np.uint8)
    worn = worn_lower(bgr, share, s)
    for leg in (s.right_leg, s.left_leg):
        assert worn[tuple(leg_point(leg, 0.3)[0][::-1].astype(int))] > 0.9
        assert worn[tuple(leg_point(leg, 0.98)[0][::-1].astype(int))] == 0
    # trousers go down to the shoes
    share[SKIN] = 0
    for leg in (s.right_leg, s.left_leg):
        x, y = leg_point(leg, 0.5)[0].astype(int)
        share[LOWER, y : y + 60, x - 9 : x + 10] = 1
    share[BACKGROUND] = np.maximum(1 - share[LOWER], 0)
    worn = worn_lower(bgr, share, s)
    for leg in (s.right_leg, s.left_leg):
        assert worn[tuple(leg_point(leg, 0.98)[0][::-1].astype(int))] > 0.9


def test_a_bag_in_the_hand_is_no_part_of_what_is_worn() -> None:
    s = skeleton()
    share = np.zeros((5, *SHAPE), np.float32)
    x, y = s.pelvis.astype(int)
    share[LOWER, y : y + 120, x - 40 : x + 40] = 1
    share[LOWER, y + 20 : y + 70, x + 60 : x + 100] = 1
    share[BACKGROUND] = 1 - share[LOWER]
    worn = worn_lower(np.full((*SHAPE, 3), 90, np.uint8), share, s)
    assert worn[y + 60, x] > 0.9
    assert worn[y + 20 : y + 70, x + 60 : x + 100].max() == 0


def test_a_wide_skirts_hem_as_low_as_the_shoes_goes_with_it() -> None:
    s = skeleton()
    share = np.zeros((5, *SHAPE), np.float32)
    ground = int(max(s.left_leg.ankle[1], s.right_leg.ankle[1]) + 0.25 * s.unit)
    share[LOWER, int(s.pelvis[1]) : ground, 10:310] = 1
    share[BACKGROUND] = 1 - share[LOWER]
    worn = worn_lower(np.full((*SHAPE, 3), 90, np.uint8), share, s)
    assert worn[ground - 8 : ground - 4, 14:40].min() > 0.9
    x, y = s.left_leg.ankle.astype(int)
    assert worn[int(y + 0.22 * s.unit), x] == 0


def test_an_ankle_below_a_long_skirt_is_as_low_as_the_skirt() -> None:
    _, body = drawn_person((320, 560))
    seen = body.visibility.copy()
    seen[25:29] = 0.1
    person = np.zeros(SHAPE, np.float32)
    person[: SHAPE[0] - 30, 100:220] = 1
    s, high = (read_skeleton(replace(body, visibility=seen, person_alpha=p)) for p in (person, np.ones_like(person)))
    assert s.left_leg.ankle[1] == pytest.approx(SHAPE[0] - 31 - 0.25 * s.unit, abs=1)
    # where the picture ends before the legs do, nothing is known of them
    assert high.left_leg.ankle[1] < s.left_leg.ankle[1]


def test_a_bare_thigh_beside_a_hand_is_no_hand() -> None:
    s = skeleton()
    skin = np.zeros(SHAPE, np.float32)
    for leg, arm in ((s.right_leg, s.right), (s.left_leg, s.left)):
        cv2.line(skin, *(tuple(int(v) for v in p) for p in (leg.hip, leg.ankle)), 1.0, int(0.5 * s.unit))
        cv2.line(skin, *(tuple(int(v) for v in p) for p in (arm.wrist, arm.tip)), 1.0, int(0.2 * s.unit))
    hands = leave_thighs(skin, skin, s)
    for leg, arm in ((s.right_leg, s.right), (s.left_leg, s.left)):
        assert hands[tuple(arm.tip[::-1].astype(int))] > 0.9
        beside = arm.tip + np.array([0.3 * s.unit * np.sign(leg.hip[0] - arm.tip[0]), 0.0])
        assert skin[tuple(beside[::-1].astype(int))] == 1
        assert hands[tuple(beside[::-1].astype(int))] == 0
