"""The rim of the worn top: what is mixed goes, what is the neighbour's own stays."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.synthesis.embedded.rim import notches, seams, sharpened, solve_rim

BLACK, WHITE, HAND = np.float32([20, 18, 16]), np.float32([230, 228, 226]), np.float32([120, 150, 200])


def sleeve(offset: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A black stripe on white with a soft edge at x = 80, and its label, off by some pixels."""
    truth = np.zeros((160, 200), np.float32)
    truth[:, :80] = 1
    share = cv2.GaussianBlur(truth, (0, 0), 1.0)
    noise = np.random.default_rng(0).normal(0, 3, (160, 200, 1)).astype(np.float32)
    bgr = np.clip(WHITE + share[..., None] * (BLACK - WHITE) + noise, 0, 255).astype(np.uint8)
    return bgr, np.roll(truth, offset, axis=1) * (np.arange(200) < 120)


def test_a_label_that_is_off_leaves_no_line_and_takes_no_strip() -> None:
    for offset in (-2, 0, 2):
        bgr, worn = sleeve(offset)
        rim = solve_rim(bgr, worn.astype(np.float32), np.zeros((160, 200), np.float32), 250)
        made = bgr + rim.gone[..., None] * (WHITE - bgr)
        assert made[20:140, 10:190].min() > 200
        assert rim.gone[20:140, 88:].max() == 0


def test_a_crease_in_white_trousers_is_no_sleeve() -> None:
    bgr, worn = sleeve()
    bgr[60:64, 84:] = 190
    rim = solve_rim(bgr, worn, np.zeros((160, 200), np.float32), 250)
    assert rim.gone[50:74, 90:].max() == 0


def test_a_hand_is_no_mixture_of_sleeve_and_wall() -> None:
    bgr, worn = sleeve()
    bgr[70:, 82:] = HAND
    hand = np.zeros((160, 200), np.float32)
    hand[70:, 82:] = 1
    rim = solve_rim(bgr, worn, hand, 250)
    assert rim.gone[80:150, 85:].max() == 0


def test_where_colours_do_not_tell_the_label_counts() -> None:
    bgr = np.full((160, 200, 3), 60, np.uint8)
    _, worn = sleeve()
    rim = solve_rim(bgr, worn, np.zeros((160, 200), np.float32), 250)
    assert rim.gone[:, :79].min() == 1
    assert rim.gone[:, 92:].max() == 0


def test_what_lies_beside_goes_on_into_the_rim() -> None:
    bgr, worn = sleeve()
    rim = solve_rim(bgr, worn, np.zeros((160, 200), np.float32), 250)
    assert np.abs(rim.beside[20:60, 40:44] - WHITE).max() < 6


def test_a_spot_of_a_sleeve_that_was_missed_goes_and_what_hides_the_arm_stays() -> None:
    arms, gone, lower = np.zeros((3, 80, 100), np.float32)
    arms[:, 30:60] = 1
    gone[:, 30:55] = 1
    gone[35:38, 40:44] = 0
    lower[35:38, 40:44] = 1
    found = notches(gone, arms, arms, lower, 125)
    assert found[36, 41:43].min() > 0.9
    gone[:, 46:], lower[:, 46:] = 0, 1
    assert notches(gone, arms, arms, lower, 125)[:, 47:].max() == 0


def test_a_strip_of_trousers_within_an_arm_is_its_sleeves_and_beside_it_stays() -> None:
    arms, gone, lower = np.zeros((3, 80, 100), np.float32)
    arms[:, 30:60] = 1
    gone[:, 30:56] = 1
    lower[:, 56:] = 1
    found = notches(gone, arms, arms, lower, 125)
    assert found[10:70, 56:59].min() > 0.9
    assert found[:, 61:].max() == 0
    # of an arm behind the hips it is the hips'
    assert notches(gone, arms, 0 * arms, lower, 125)[:, 57:].max() == 0


def test_a_spot_goes_though_it_hangs_together_with_dark_trousers_beside_the_arm() -> None:
    arms, gone, lower = np.zeros((3, 80, 100), np.float32)
    arms[:, 30:60] = 1
    gone[:, 30:60] = 1
    lower[:, 60:] = 1
    for spot in (np.s_[35:41, 50:56], np.s_[39:41, 54:60]):
        gone[spot], lower[spot] = 0, 1
    assert notches(gone, arms, arms, lower, 125)[36:40, 51:55].min() > 0.9


def test_hands_and_necks_go_over_into_made_skin_and_a_bare_arm_beside_a_top_does_not() -> None:
    arms, sleeve, top = np.zeros((3, 100, 100), np.float32)
    arms[:, 40:60] = 1
    sleeve[:60, 35:65] = 1
    top[:, 58:] = 1
    nothing = np.zeros_like(arms)
    rim = seams(sleeve, arms, nothing, arms * (1 - sleeve), 100)
    assert rim[58, 50] > 0.9 and 0.2 < rim[60, 50] < 0.95 and rim[66, 50] == 0
    assert np.all(np.diff(rim[55:70, 50]) <= 1e-6)
    assert seams(top, arms, nothing, arms * (1 - top), 100)[:, 40:56].max() < 0.1
    # a neck goes over into made skin beside it, however little of that is seen
    collar = top * (np.arange(100)[:, None] < 20)
    neck = seams(collar, nothing, arms, arms * (1 - collar), 100)
    assert 0.2 < neck[10, 57] < 1 and neck[10, 50] == 0 and neck[30].max() == 0


def test_beside_a_cuff_the_wall_is_made_anew_and_the_hands_corner_stays() -> None:
    gone, wall, hand = np.zeros((3, 120, 200), np.float32)
    gone[:60, 60:120] = wall[:60, 60:120] = wall[:, 120:] = wall[:, :60] = 1
    hand[60:, 60:130] = 0.4
    wall[60:, 60:130] = 0.6
    line = sharpened(gone, wall, hand, 200)
    assert line[30, 121] > 0.9
    assert line[62:, 60:130].max() < 0.1
