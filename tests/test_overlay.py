"""What is drawn over the picture: legible at every size, never outside of it, never on the original."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.compositing import overlay
from vastra_live.compositing.overlay import draw_help, draw_hud, draw_notice, draw_recording_dot, split_view

BINDINGS = (("n  or right arrow", "next garment"), ("q  or Esc", "quit"), ("b", "before and after, side by side"))
DRAWINGS = {
    "hud": lambda bgr: draw_hud(bgr, ["60 fps", "latency 21 ms", "striped long sleeve"]),
    "help": lambda bgr: draw_help(bgr, BINDINGS),
    "notice": lambda bgr: draw_notice(bgr, "the camera is lost, trying again in 2 s"),
    "dot": draw_recording_dot,
    "split": lambda bgr: split_view(bgr, bgr),
}


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


@pytest.mark.parametrize("name", DRAWINGS)
@given(width=st.integers(1, 400), height=st.integers(1, 300))
def test_any_size_of_picture_can_be_drawn_on(name: str, width: int, height: int) -> None:
    bgr = grey(width, height)
    out = DRAWINGS[name](bgr)
    assert out.shape == bgr.shape
    assert out.dtype == np.uint8
    assert (bgr == 128).all()


@pytest.mark.parametrize("name", DRAWINGS)
def test_frames_of_the_camera_are_read_only_and_stay_so(name: str) -> None:
    bgr = grey(320, 240)
    bgr.flags.writeable = False
    assert (DRAWINGS[name](bgr) != bgr).any()


@pytest.mark.parametrize(("width", "height"), [(320, 240), (1280, 720), (3840, 2160), (720, 1280)])
def test_text_is_white_on_dark_wherever_it_is_drawn(width: int, height: int) -> None:
    for bright in (0, 128, 255):
        bgr = np.full((height, width, 3), bright, np.uint8)
        out = draw_hud(bgr, ["latency 21 ms"])
        changed = np.argwhere((out != bgr).any(axis=2)) if bright else np.argwhere(out.any(axis=2))
        assert out.max() == 255
        panel = out[changed[:, 0].min() : changed[:, 0].max(), changed[:, 1].min() : changed[:, 1].max()]
        assert np.median(panel) <= 110


def test_text_grows_with_the_picture() -> None:
    def height_of_text(height: int) -> int:
        out = draw_hud(np.zeros((height, height * 16 // 9, 3), np.uint8), ["H"])
        return int(np.ptp(np.nonzero(out.any(axis=(1, 2)))[0])) + 1

    small, large = height_of_text(240), height_of_text(2160)
    assert small >= 7
    assert large >= 5 * small


def test_a_long_notice_is_shown_to_its_end() -> None:
    text = "the camera /dev/video0 is lost, trying again in 2 s"
    out = draw_notice(np.zeros((480, 640, 3), np.uint8), text)
    columns = np.nonzero(out.any(axis=(0, 2)))[0]
    assert columns.min() > 0
    assert columns.max() < 639


def test_nothing_to_say_draws_nothing() -> None:
    bgr = grey(320, 240)
    for out in (draw_hud(bgr, []), draw_notice(bgr, ""), draw_help(bgr, [])):
        assert (out == bgr).all()
        assert out is not bgr


def test_a_word_outside_ascii_does_not_break_the_frame() -> None:
    assert draw_hud(grey(320, 240), ["Hemd \u2013 gr\u00fcn \U0001f455"]).shape == (240, 320, 3)


def test_the_same_words_are_rendered_once() -> None:
    overlay._line.cache_clear()
    for _ in range(50):
        draw_hud(grey(640, 480), ["60 fps", "latency 21 ms"])
    assert overlay._line.cache_info().misses == 2


@given(st.floats(-0.5, 1.5))
def test_the_split_shows_each_picture_on_its_side(position: float) -> None:
    before, after = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 200, np.uint8)
    out = split_view(before, after, position)
    edge = round(160 * min(1.0, max(0.0, position)))
    assert (out[60, : max(0, edge - 1)] == 0).all()
    assert (out[60, edge + 1 :] == 200).all()


def test_a_split_of_two_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        split_view(grey(10, 10), grey(12, 10))
