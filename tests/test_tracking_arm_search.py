"""Arms that are sought in a picture, and what is expected of them there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.arm_scene import HEIGHT, WIDTH, arm_body, arm_joints
from tests.propagation_scene import layer
from vastra_live.tracking import propagation
from vastra_live.tracking.arm_looks import look_of, refresh
from vastra_live.tracking.arm_search import sought
from vastra_live.tracking.fronts import Front
from vastra_live.tracking.leap import small_colours
from vastra_live.tracking.limbs import ArmMotion, Arms, arms_of
from vastra_live.tracking.propagation import Propagator
from vastra_live.tracking.surface import surface_of
from vastra_live.tracking.window import Window, grid
from vastra_live.types import F32, U8, Sleeve


def _scene(upper: float, fore: float) -> U8:
    """A torso, and before it a plain left sleeve that ends in a hand."""
    frame = np.full((HEIGHT, WIDTH, 3), (190, 200, 195), np.uint8)
    cv2.rectangle(frame, (130, 80), (230, 250), (60, 60, 150), -1)
    shoulder, elbow, wrist = (np.round(joint).astype(int) for joint in arm_joints(upper, fore))
    cv2.polylines(frame, [np.array([shoulder, elbow, wrist])], False, (150, 70, 40), 22)
    cv2.line(frame, wrist.tolist(), (wrist + (wrist - elbow) // 3).tolist(), (120, 150, 200), 22)
    return frame


def _looking(frame: U8, upper: float, fore: float) -> Arms:
    arms = arms_of(arm_body(upper, fore))
    assert arms is not None
    return replace(arms, look=look_of(arms, frame))


def _wrist_in(motion: ArmMotion, frame: U8) -> np.ndarray:
    return np.asarray(sought(motion, 0.5, small_colours(frame), WIDTH).joints[0, 2])


@pytest.mark.parametrize("turn", [35, -35])
def test_an_arm_that_begins_to_move_is_found_before_its_body_is(turn: int) -> None:
    arms = _looking(_scene(40, 60), 40, 60)
    still = ArmMotion(arms, np.zeros_like(arms.joints))
    wrist = arm_joints(40, 60 + turn)[2]
    off = np.linalg.norm(_wrist_in(still, _scene(40, 60 + turn)) - wrist)
    assert off < 0.4 * np.linalg.norm(arms.joints[0, 2] - wrist)


def test_an_arm_that_stops_is_not_carried_on() -> None:
    arms = _looking(_scene(40, 60), 40, 60)
    step = np.zeros_like(arms.joints)
    step[0, 2:] = (30, -30)
    assert np.linalg.norm(_wrist_in(ArmMotion(arms, step), _scene(40, 60)) - arms.joints[0, 2]) < 6


def test_an_arm_that_looks_right_where_it_is_expected_stays_there() -> None:
    frame = _scene(40, 60)
    arms = _looking(frame, 40, 60)
    still = ArmMotion(arms, np.zeros_like(arms.joints))
    assert np.array_equal(sought(still, 0.5, small_colours(frame), WIDTH).joints, arms.joints)


@pytest.mark.parametrize(("other_hand_near", "covered"), [(False, True), (True, False)])
def test_a_bare_forearm_that_the_keyframe_showed_otherwise_is_known_from_the_newest_body(
    other_hand_near: bool, covered: bool
) -> None:
    window = Window(0, 0, WIDTH // 2, HEIGHT // 2, 2)
    arms = arms_of(arm_body(20, 60))
    assert arms is not None
    joints = arms.joints.copy()
    middle = (joints[0, 1] + joints[0, 2]) / 2
    if other_hand_near:
        joints[1, 2:] = middle
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.line(picture, *(np.round(joint).astype(int).tolist() for joint in joints[0, 1:3]), (0, 90, 170), 30)
    arms = replace(arms, joints=joints, look=look_of(arms, picture))
    shape = (window.rows, window.columns)
    live = np.zeros((*shape, 4), np.uint8)
    live[..., :3] = cv2.cvtColor(np.full((1, 1, 3), (0, 90, 170), np.uint8), cv2.COLOR_BGR2YCrCb)
    # the keyframe showed a dark sleeve, and a new one over it
    dark = surface_of(np.full((*shape, 3), (20, 128, 128), np.uint8), np.ones(shape, np.float32))
    expected = dark.at(grid(*shape[::-1]))
    ones = np.ones(shape, np.float32)
    refresh(Front(window, live, grid(*shape[::-1]), ones, ones, arms, 0b11), expected)
    column, row = np.round(window.cells(middle)).astype(int)
    here, low, high = (
        each[row, column, :3].astype(int) for each in (live, expected.covered_low, expected.covered_high)
    )
    assert bool(((low <= here) & (here <= high)).all()) is covered


@pytest.mark.parametrize(("sleeve", "times"), [(Sleeve.SHORT, 0), (Sleeve.LONG, 1)])
def test_arms_are_looked_at_where_a_sleeve_may_be_on_them(
    monkeypatch: pytest.MonkeyPatch, sleeve: Sleeve, times: int
) -> None:
    looked = []

    def counted(arms: Arms, frame: U8) -> F32:
        looked.append(arms)
        return look_of(arms, frame)

    monkeypatch.setattr(propagation, "look_of", counted)
    propagator, frame = Propagator(), _scene(40, 60)
    mask = (frame[..., 0] < 100).astype(np.float32)
    painted = layer(frame, mask)
    propagator.adopt(propagator.prepare(replace(painted, garment=replace(painted.garment, sleeve=sleeve))))
    propagator.observe(arm_body(40, 60), 1, frame)
    assert len(looked) == times
    propagator.carry(_scene(40, 95), 30_000_000)
