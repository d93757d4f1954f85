"""Large motion: a wearer who leaps is found again, at once and when a keyframe of before the leap arrives late."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.propagation_scene import HEIGHT, WIDTH, body, expanded, garment, overlap, recoloured, scene
from vastra_live.tracking.expecting import expect, is_astray
from vastra_live.tracking.leap import leap, small_colours
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
    moved = leap(window, alpha, small_colours(before), small_colours(now), WIDTH)
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
        assert leap(window, alpha, small_colours(before), small_colours(scene(hand=hand)[0]), WIDTH) == window


def test_another_picture_size_is_no_leap() -> None:
    frame, mask = scene()
    window = window_around(110, 80, 101, 160)
    assert (
        leap(window, window.shrink(window.cut(mask)), small_colours(frame), small_colours(frame[:120]), WIDTH) == window
    )


def test_the_small_picture_is_the_plain_average() -> None:
    frame, _ = scene()
    plain = frame.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean(axis=(1, 3)) @ [0.114, 0.587, 0.299]
    assert np.abs(small_colours(frame)[..., 0] - plain).max() < 2
    tall = np.zeros((400, 100, 3), np.uint8)
    assert small_colours(tall).shape == (160, 40, 3)
    assert small_colours(np.zeros((3, 5, 3), np.uint8)).shape == (3, 5, 3)


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


def test_keyframes_that_overlap_take_over_one_from_the_other() -> None:
    """The second was captured before the first one was shown: it is placed by way of it."""
    places = [(0, 0), (40, 0), (-20, 0), (-45, 0), (15, 35), (-30, 10), (30, 0), (-10, 20)]
    frames = [Frame(_at(*place)[0], index, index * FRAME_NS, "test") for index, place in enumerate(places)]
    propagator = Propagator()
    for index, frame in enumerate(frames):
        keyframe = {0: 0, 3: 1, 6: 2}.get(index)
        if keyframe is not None:
            made_of = frames[keyframe]
            mask = _at(*places[keyframe])[1]
            who = body(places[keyframe][0], keyframe)
            layer = Layer(recoloured(made_of.bgr, mask), mask, made_of, who, garment("tee"))
            propagator.adopt(propagator.prepare(layer))
        carried = propagator.carry(frame.bgr, frame.captured_ns)
        assert overlap(expanded(carried, SHAPE), _at(*places[index])[1]) > 0.93, index


@settings(max_examples=25, deadline=None)
@given(st.integers(-60, 60))
def test_the_flow_is_astray_when_the_torso_is_elsewhere(off: int) -> None:
    propagator = Propagator()
    frame, mask = scene()
    layer = Layer(recoloured(frame, mask), mask, Frame(frame, 0, 0, "test"), body(0), garment("tee"))
    followed = expect(propagator.prepare(layer), None)
    # shoulders and hips span 161 pixels
    assert is_astray(followed, body(off, 1)) == (abs(off) > 16)
    visibility = np.ones(33, np.float32)
    visibility[[11, 12, 23]] = 0
    assert not is_astray(followed, replace(body(off, 1), visibility=visibility))


def test_plain_cloth_that_slid_away_is_brought_back_by_the_body() -> None:
    """A grey torso before a grey wall: the flow sees nothing move, and is content; the body's landmarks are not."""
    mask = np.zeros(SHAPE, np.float32)
    mask[80:, 110:210] = 1

    def plain(shift: int) -> tuple[U8, F32]:
        moved = np.roll(mask, shift, axis=1)
        grey = np.where(moved[..., None] > 0, np.uint8(150), np.uint8(154)).repeat(3, axis=2)
        return grey, moved

    frame, _ = plain(0)
    red = np.full((*SHAPE, 3), (0, 0, 255), np.uint8)
    propagator = Propagator()
    layer = Layer(red, mask, Frame(frame, 0, 0, "test"), body(0), garment("red"))
    propagator.adopt(propagator.prepare(layer))
    for index in range(1, 12):
        shift = 6 * min(index, 8)
        frame, true = plain(shift)
        propagator.observe(body(shift, index), index * FRAME_NS)
        carried = propagator.carry(frame, index * FRAME_NS)
    assert overlap(expanded(carried, SHAPE), true) > 0.8


def test_a_wearer_who_leans_is_followed() -> None:
    """Eight degrees a frame, there and back: more than a flow that starts where the last one ended can do."""
    frame, mask = scene()
    propagator = Propagator()
    propagator.rebase(frame, recoloured(frame, mask), mask)
    for degrees in (8, 16, 8, 0, -8, -16, -8, 0):
        turn = cv2.getRotationMatrix2D((160, 200), degrees, 1.0)
        turned = cv2.warpAffine(frame, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        true = cv2.warpAffine(mask, turn, (WIDTH, HEIGHT))
        bgr, alpha = propagator.advance(turned)
        upper = np.s_[:200]  # further down another part of the garment has come in
        assert overlap(alpha[upper], true[upper]) > 0.94, degrees
        inside = (alpha > 0.5) & (true > 0.5)
        assert np.abs(bgr[inside].astype(int) - turned[..., ::-1][inside]).mean() < 12, degrees


def test_what_surrounds_the_layer_makes_no_leap() -> None:
    rng = np.random.default_rng(3)
    disc = cv2.circle(np.zeros((120, 120), np.uint8), (60, 60), 59, 255, -1)[..., None] > 0
    cloth = cv2.resize(rng.integers(30, 226, (8, 8), np.uint8), (120, 120), interpolation=cv2.INTER_LINEAR)[..., None]
    # a wearer before a motley wall, and beside them a picture that looks a little like their clothes before a plain one
    before = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    before[20:112, :92] = np.kron(rng.integers(0, 2, (12, 12, 1), np.uint8) * 255, np.ones((10, 10, 3), np.uint8))[
        :92, :92
    ]
    picture = np.clip(cloth + 100.0 * (np.arange(120) < 40)[:, None, None], 0, 255).astype(np.uint8)
    for top, left, shown in ((30, 10, cloth), (116, 96, picture)):
        place = before[top : top + 120, left : left + 120]
        np.copyto(place, shown, where=disc)
    now = before.copy()
    # a hand
    now[95:140, 30:80] = 128
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[30:150, 10:130] = disc[..., 0]
    window = window_around(10, 30, 120, 120)
    assert leap(window, window.shrink(window.cut(mask)), small_colours(before), small_colours(now), WIDTH) == window
