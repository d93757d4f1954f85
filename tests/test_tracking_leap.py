"""Large motion: a wearer who leaps is found again, at once and when a keyframe of before the leap arrives late."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.propagation_scene import HEIGHT, WIDTH, body, expanded, garment, overlap, recoloured, scene
from vastra_live.tracking.leap import leap, small_luma
from vastra_live.tracking.propagation import Propagator
from vastra_live.tracking.window import window_around
from vastra_live.types import F32, U8, Frame, Layer

SHAPE = (HEIGHT, WIDTH)
FRAME_NS = 33_333_333


def _at(x: int, y: int = 0) -> tuple[U8, F32]:
    """The scene, seen by a camera that was pushed, upwards only: what comes in from below was never painted."""
    frame, mask = scene(x)
    rows = np.clip(np.arange(HEIGHT) - y, 0, HEIGHT - 1)
    moved = mask[rows]
    moved[:y] = 0
    return np.ascontiguousarray(frame[rows]), moved


@settings(max_examples=25, deadline=None)
@given(st.integers(-60, 60), st.integers(0, 40))
def test_the_window_moves_as_the_wearer_does(x: int, y: int) -> None:
    before, mask = _at(0)
    now, _ = _at(x, y)
    window = window_around(110, 80, 101, 160)
    alpha = window.shrink(window.cut(mask))
    moved = leap(window, alpha, small_luma(before), small_luma(now), WIDTH)
    # what the flow covers by itself is left to it, and the small picture has two pixels of the frame in one
    if max(abs(x), abs(y)) >= 12:
        assert abs(moved.x - window.x - x) <= 3 and abs(moved.y - window.y - y) <= 3
    elif max(abs(x), abs(y)) < 6:
        assert moved == window


def test_a_hand_is_no_leap() -> None:
    before, mask = scene()
    window = window_around(110, 80, 101, 160)
    alpha = window.shrink(window.cut(mask))
    for hand in ((130, 120), (160, 160), (200, 200)):
        assert leap(window, alpha, small_luma(before), small_luma(scene(hand=hand)[0]), WIDTH) == window


def test_another_picture_size_is_no_leap() -> None:
    frame, mask = scene()
    window = window_around(110, 80, 101, 160)
    assert leap(window, window.shrink(window.cut(mask)), small_luma(frame), small_luma(frame[:120]), WIDTH) == window


def test_the_small_picture_is_the_plain_average() -> None:
    frame, _ = scene()
    plain = frame.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean(axis=(1, 3)) @ [0.114, 0.587, 0.299]
    assert np.abs(small_luma(frame) - plain).max() < 2
    tall = np.zeros((400, 100, 3), np.uint8)
    assert small_luma(tall).shape == (160, 40)
    assert small_luma(np.zeros((3, 5, 3), np.uint8)).shape == (3, 5)


def test_the_layer_follows_leaps_the_flow_cannot_see() -> None:
    propagator = Propagator()
    frame, mask = _at(0)
    propagator.rebase(frame, recoloured(frame, mask), mask)
    for x, y in ((45, 0), (0, 30), (-50, 0), (20, 35), (20, 0), (-40, 10)):
        frame, mask = _at(x, y)
        _, alpha = propagator.advance(frame)
        assert overlap(alpha, mask) > 0.95, (x, y)


@pytest.mark.parametrize("late", [1, 4])
def test_a_keyframe_of_before_a_leap_takes_over_where_the_wearer_is_now(late: int) -> None:
    places = [(0, 0), (40, 0), (0, 30), (-45, 0), (15, 35), (-30, 10), (30, 0)]
    frames = [Frame(_at(*place)[0], index, index * FRAME_NS, "test") for index, place in enumerate(places)]

    def made_of(index: int, name: str) -> Layer:
        frame, mask = frames[index], _at(*places[index])[1]
        return Layer(recoloured(frame.bgr, mask), mask, frame, body(places[index][0], index), garment(name))

    propagator = Propagator()
    propagator.adopt(propagator.prepare(made_of(0, "tee")))
    for frame in frames[: late + 1]:
        propagator.carry(frame.bgr, frame.captured_ns)
    propagator.adopt(propagator.prepare(made_of(1, "tee")))
    for frame, place in list(zip(frames, places, strict=True))[late + 1 :]:
        carried = propagator.carry(frame.bgr, frame.captured_ns)
        assert overlap(expanded(carried, SHAPE), _at(*place)[1]) > 0.94, place
        assert carried.confidence > 0.6
