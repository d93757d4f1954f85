"""Where something may be in front of what is worn."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.arm_scene import HEIGHT, WIDTH, arm_body, arm_joints, arm_scene
from tests.propagation_scene import expanded, garment
from vastra_live.tracking.propagation import Propagator
from vastra_live.tracking.reach import reach_of
from vastra_live.tracking.window import Window
from vastra_live.types import Frame, Layer


def test_the_reach_is_around_arms_and_head_and_ahead_of_a_hand_that_moves() -> None:
    window = Window(0, 0, WIDTH // 2, HEIGHT // 2, 2)
    reach = reach_of(arm_body(5, -100))
    assert reach is not None
    mask = reach.on(window).mask
    shoulder, elbow, wrist = arm_joints(5, -100)
    for place in (shoulder, elbow, wrist, (180, 40)):
        assert mask[int(place[1] / 2), int(place[0] / 2)] == 255
    assert mask[225 // 2, 180 // 2] == 0, "the belly, far from either hand"
    moving = reach_of(arm_body(5, -100, 1), arm_body(5, -70, 0))
    assert moving is not None
    ahead = moving.on(window).mask
    assert (ahead >= mask).all() and ahead.sum() > mask.sum()


def test_when_a_hand_may_be_anywhere_so_may_something_in_front() -> None:
    body = arm_body(5, -100)
    visibility = body.visibility.copy()
    visibility[15] = 0.1
    assert reach_of(replace(body, visibility=visibility)) is None
    landmarks = body.landmarks_px.copy()
    landmarks[15, :2] = (150, HEIGHT + 80)
    assert reach_of(replace(body, landmarks_px=landmarks, visibility=visibility)) is not None, "below the picture"
    assert reach_of(None) is None


@pytest.mark.parametrize("size, in_front", [(5, False), (24, True)])
def test_a_badge_that_swings_is_no_hand(size: int, in_front: bool) -> None:
    """Far from arms and head: what is smaller than a hand is taken for part of what is worn."""
    frame, mask = arm_scene(5, 5)
    propagator = Propagator()
    layer = Layer(frame[..., ::-1].copy(), mask, Frame(frame, 0, 0, "test"), arm_body(5, 5), garment("tee"))
    propagator.adopt(propagator.prepare(layer))
    for index in range(1, 6):
        propagator.observe(arm_body(5, 5, index))
        shown = frame.copy()
        cv2.circle(shown, (175, 190), size, (250, 250, 250), -1)
        carried = propagator.carry(shown, index * 33_333_333)
    inside = cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (175, 190), max(1, size - 4), 1, -1) > 0
    covered = float((expanded(carried, (HEIGHT, WIDTH))[inside] > 0.5).mean())
    assert covered < 0.2 if in_front else covered > 0.9


@pytest.mark.parametrize("held", [False, True])
def test_near_a_hand_only_what_reaches_to_it_is_in_front(held: bool) -> None:
    """A badge may hang beside a hand; a hand's fingers, and what it holds, hang together with it."""
    frame, mask = arm_scene(5, 5)
    propagator, badge = Propagator(), (196, 200)
    layer = Layer(frame[..., ::-1].copy(), mask, Frame(frame, 0, 0, "test"), arm_body(5, 5), garment("tee"))
    propagator.adopt(propagator.prepare(layer))
    reach = reach_of(arm_body(5, 5))
    assert reach is not None and reach.on(Window(0, 0, WIDTH, HEIGHT, 1)).mask[badge[::-1]] == 255
    for index in range(1, 6):
        propagator.observe(arm_body(5, 5, index))
        shown = frame.copy()
        cv2.circle(shown, badge, 8, (250, 250, 250), -1)
        if held:
            cv2.line(shown, badge, (236, 200), (250, 250, 250), 8)
        carried = propagator.carry(shown, index * 33_333_333)
    inside = cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), badge, 5, 1, -1) > 0
    covered = float((expanded(carried, (HEIGHT, WIDTH))[inside] > 0.5).mean())
    assert covered < 0.2 if held else covered > 0.9
