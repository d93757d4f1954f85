"""What the Propagator shows: it follows, yields to hands, remembers what they hid, fades, and knows when it is lost."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from tests.propagation_scene import HEIGHT, WIDTH, body, expanded, layer, overlap, recoloured, scene
from vastra_live.compositing.blend import blend_into
from vastra_live.tracking.propagation import Propagator
from vastra_live.types import F32, U8

SHAPE = (HEIGHT, WIDTH)


def _based(shift: int = 0, hand: tuple[int, int] | None = None) -> Propagator:
    propagator = Propagator()
    frame, mask = scene(shift, hand)
    propagator.rebase(frame, recoloured(frame, mask), mask)
    return propagator


def test_before_the_first_keyframe_there_is_nothing_to_carry() -> None:
    with pytest.raises(RuntimeError, match="no keyframe"):
        Propagator().advance(np.zeros((48, 64, 3), np.uint8))


def test_the_layer_follows_the_garment() -> None:
    propagator = _based()
    for shift in range(0, 60, 4):
        frame, mask = scene(shift)
        bgr, alpha = propagator.advance(frame)
        assert bgr.shape == frame.shape and bgr.dtype == np.uint8
        assert alpha.shape == SHAPE and alpha.dtype == np.float32
        assert overlap(alpha, mask) > 0.95, shift
        inside = (alpha > 0.5) & (mask > 0.5)
        assert np.abs(bgr[inside].astype(int) - frame[..., ::-1][inside]).mean() < 8, shift


def test_a_hand_in_front_is_left_out_and_what_it_leaves_comes_back() -> None:
    propagator = _based()
    for x in range(60, 261, 8):
        frame, mask = scene(0, hand=(x, 160))
        _, alpha = propagator.advance(frame)
        assert overlap(alpha, mask) > 0.95, x
    _, alpha = propagator.advance(scene()[0])
    assert overlap(alpha, scene()[1]) > 0.98


def test_an_outline_behind_a_hand_leaves_no_line_on_it() -> None:
    """The layer's outline is finer than the grid that says what is seen of it."""

    def large(hand: tuple[int, int] | None = None) -> tuple[U8, F32]:
        frame, mask = (cv2.resize(each, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR) for each in scene(0, hand))
        return frame, (mask > 0.5).astype(np.float32)

    hand, (frame, mask) = (212, 150), large()
    propagator = Propagator()
    propagator.rebase(frame, recoloured(frame, mask), mask)
    for _ in range(2):
        _, alpha = propagator.advance(large(hand)[0])
    within = cv2.ellipse(np.zeros(SHAPE, np.uint8), hand, (16, 7), 20, 0, 360, 1, -1)
    assert alpha[cv2.resize(within, None, fx=3, fy=3) > 0].max() < 0.02


def test_what_a_hand_hides_in_a_keyframe_is_remembered_from_the_one_before() -> None:
    propagator = _based()
    hidden, visible = scene(0, hand=(160, 160))
    propagator.rebase(hidden, recoloured(hidden, visible), visible)
    frame, mask = scene()
    bgr, alpha = propagator.advance(frame)
    assert overlap(alpha, mask) > 0.97
    uncovered = (mask > 0.5) & (visible < 0.5) & (alpha > 0.5)
    assert np.abs(bgr[uncovered].astype(int) - frame[..., ::-1][uncovered]).mean() < 15


def test_without_memory_the_gap_is_never_filled_with_the_hand() -> None:
    propagator = Propagator()
    hidden, visible = scene(0, hand=(160, 160))
    propagator.rebase(hidden, recoloured(hidden, visible), visible)
    bgr, alpha = propagator.advance(scene()[0])
    gap = (visible < 0.5) & (scene()[1] > 0.5) & (alpha > 0.5)
    skin_recoloured = np.array([215, 160, 130])
    if gap.any():
        assert np.abs(bgr[gap].astype(int) - skin_recoloured).sum(axis=1).min() > 30


def test_light_carries_over() -> None:
    """The room gets darker: the layer is still found and gets darker with it."""
    propagator = _based()
    for step in range(1, 9):
        frame, mask = scene(light=1 - 0.05 * step)
        bgr, alpha = propagator.advance(frame)
        assert overlap(alpha, mask) > 0.95, step
    inside = (alpha > 0.5) & (mask > 0.5)
    bright = recoloured(*scene())[inside].mean()
    assert 0.5 * bright < bgr[inside].mean() < 0.8 * bright


def test_confidence_falls_when_the_wearer_leaves_and_rises_when_they_return() -> None:
    propagator = _based()
    frame, mask = scene()
    assert propagator.carry(frame).confidence > 0.8
    empty = scene(shift=WIDTH)[0]
    for _ in range(3):
        gone = propagator.carry(empty)
    assert gone.confidence < 0.3
    assert expanded(gone, SHAPE).mean() < 0.05
    for _ in range(3):
        back = propagator.carry(frame)
    assert back.confidence > 0.8
    assert overlap(expanded(back, SHAPE), mask) > 0.95


def test_what_lies_beyond_the_pictures_edge_is_not_lost() -> None:
    frame, mask = scene()
    # the picture ends in the middle of the garment, and then shows more of it
    for cut in (150, 165):
        part, there = np.ascontiguousarray(frame[:150]), mask[:150]
        propagator = Propagator()
        propagator.rebase(part, recoloured(part, there), there)
        shown = np.ascontiguousarray(frame[cut - 150 : cut])
        for _ in range(3):
            carried = propagator.carry(shown)
        assert carried.confidence > 0.85


def test_the_body_tells_where_to_look_after_a_leap() -> None:
    """Nothing of the motion was seen: the flow alone cannot find it, the body can."""
    far, mask = scene(shift=70)
    empty = scene(shift=WIDTH)[0]
    propagator = Propagator()
    propagator.adopt(propagator.prepare(layer(*scene())))
    for _ in range(3):
        propagator.carry(empty)
    for index in range(1, 4):
        propagator.observe(body(70, index))
        carried = propagator.carry(far)
    assert carried.confidence > 0.8
    assert overlap(expanded(carried, SHAPE), mask) > 0.95


def _shown(propagator: Propagator, frame: U8) -> F32:
    picture = frame.copy()
    blend_into(picture, propagator.carry(frame))
    return picture.astype(np.float32)


def test_a_garment_swap_fades_and_never_shows_the_wearer() -> None:
    frame, mask = scene()
    red, green = (np.full((*SHAPE, 3), colour, np.uint8) for colour in ((0, 0, 250), (0, 250, 0)))
    propagator = Propagator()
    propagator.adopt(propagator.prepare(layer(frame, mask, "red", red)))
    inside = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0.5
    before = _shown(propagator, frame)[inside].mean(axis=0)
    propagator.adopt(propagator.prepare(layer(frame, mask, "green", green)))
    steps = [before] + [_shown(propagator, frame)[inside].mean(axis=0) for _ in range(6)]
    reds, greens = (np.array([step[channel] for step in steps]) for channel in (2, 1))
    assert (np.diff(reds) <= 0.5).all() and reds[0] > 240 and reds[-1] < 8
    assert (np.diff(greens) >= -0.5).all() and greens[0] < 8 and greens[-1] > 240
    # between the two the layer stays opaque: nothing of the cloth's own blue comes through
    assert max(step[0] for step in steps) < 12
    assert np.abs(np.diff(reds)).max() < 100, "a pop"


def test_a_sleeve_that_is_elsewhere_in_the_next_keyframe_does_not_fade_out_where_it_was() -> None:
    """On a wall that is all one, which its loose cloth covered too, nothing speaks against it but the new layer."""
    frame, mask = scene()
    frame[:, 210:] = 200
    wide = mask.copy()
    wide[100:140, 210:280] = 1
    propagator = Propagator()
    for cover in (wide, mask):
        propagator.adopt(propagator.prepare(layer(frame, cover)))
        carried = propagator.carry(frame)
    assert expanded(carried, SHAPE)[105:135, 225:275].max() < 0.05


def test_a_keyframe_is_prepared_while_frames_are_carried() -> None:
    propagator = _based()
    frames = [scene(shift)[0] for shift in range(0, 24, 2)]
    with ThreadPoolExecutor(max_workers=1) as pool:
        anchors = [pool.submit(propagator.prepare, layer(*scene(shift), "")) for shift in (0, 4, 8)]
        for index, frame in enumerate(frames):
            if index in (3, 6, 9):
                propagator.adopt(anchors.pop(0).result())
            carried = propagator.carry(frame)
    assert overlap(expanded(carried, SHAPE), scene(22)[1]) > 0.95


def test_a_layer_may_have_its_own_resolution() -> None:
    frame, mask = scene()
    big = cv2.resize(recoloured(frame, mask), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)[100:, 120:]
    big_alpha = cv2.resize(mask, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)[100:, 120:]
    to_frame = np.array([[0.5, 0, 60 - 0.25], [0, 0.5, 50 - 0.25]], np.float32)
    plain = layer(frame, mask)
    own = type(plain)(big, np.ascontiguousarray(big_alpha), plain.frame, plain.body, plain.garment, to_frame)
    propagator, reference = Propagator(), Propagator()
    propagator.adopt(propagator.prepare(own))
    reference.adopt(reference.prepare(plain))
    moved, true = scene(6)
    carried, expected = propagator.advance(moved), reference.advance(moved)
    assert overlap(carried[1], true) > 0.95
    inside = (carried[1] > 0.9) & (expected[1] > 0.9)
    assert np.abs(carried[0][inside].astype(int) - expected[0][inside]).mean() < 4


def test_nothing_changes_where_nothing_moves() -> None:
    """A still scene with camera noise: the outline does not shimmer."""
    rng = np.random.default_rng(2)
    propagator = _based()
    frame, _ = scene()
    alphas = []
    for _ in range(5):
        noisy = np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8)
        alphas.append(propagator.advance(noisy)[1])
    assert np.abs(np.diff(np.stack(alphas), axis=0)).mean() < 0.002


def test_memory_does_not_grow() -> None:
    propagator = _based()
    frames = [scene(shift)[0] for shift in (0, 3, 6, 3)]

    def carry(count: int) -> int:
        for index in range(count):
            propagator.carry(frames[index % 4])
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        start = carry(48)  # where the layer was in the last second is remembered
        grown = carry(120) - start
    finally:
        tracemalloc.stop()
    assert grown < 20_000, f"{grown} bytes in 120 frames"


@pytest.mark.parametrize("height, width", [(48, 64), (121, 77), (240, 427)])
def test_odd_sizes(height: int, width: int) -> None:
    frame, mask = (cv2.resize(picture, (width, height)) for picture in scene())
    propagator = Propagator()
    propagator.rebase(frame, recoloured(frame, mask), mask)
    bgr, alpha = propagator.advance(frame)
    assert bgr.shape == (height, width, 3) and alpha.shape == (height, width)
    assert overlap(alpha, mask) > 0.9


def test_an_empty_layer_stays_empty() -> None:
    frame, mask = scene()
    propagator = Propagator()
    propagator.rebase(frame, frame, np.zeros_like(mask))
    assert propagator.advance(scene(4)[0])[1].max() < 0.1
