"""Trousers, skirts, dresses over trousers, outfits."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tests.embedded_people import BLUE, GREEN, drawn_garment, drawn_person, drawn_skirt, drawn_trousers
from vastra_live.errors import NothingToFitError
from vastra_live.photo import lay_over
from vastra_live.synthesis.embedded import EmbeddedSynthesizer
from vastra_live.synthesis.embedded.girth import measure_girth
from vastra_live.synthesis.embedded.hem_line import even_hem
from vastra_live.synthesis.embedded.lower import BareBelow, relower, tucked
from vastra_live.synthesis.embedded.lower_pattern import TrouserPattern
from vastra_live.synthesis.embedded.lower_reading import Waistline, find_waistline, settled
from vastra_live.synthesis.embedded.lower_snap import snapped_lower
from vastra_live.synthesis.embedded.mesh import TORSO, Painted
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.reading import Reading
from vastra_live.synthesis.embedded.skeleton import read_skeleton
from vastra_live.types import U8, Body, Category, Frame, Garment

UNSEEN = Waistline(np.inf, np.inf)


def like(bgr: U8, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a picture has a hue: the light of a scene may dim it."""
    hue = np.array(colour, float) / np.linalg.norm(colour)
    seen = bgr.astype(float)
    return np.asarray((seen @ hue) / np.maximum(np.linalg.norm(seen, axis=-1), 1) > 0.97) & (seen.max(axis=-1) > 40)


def dressed(garment: Garment, frame: Frame, body: Body) -> U8:
    return lay_over(EmbeddedSynthesizer().synthesize(frame, body, garment))


def joint(body: Body, index: int) -> tuple[int, int]:
    return int(body.landmarks_px[index, 0]), int(body.landmarks_px[index, 1])


def test_trousers_cover_both_legs_and_leave_the_top() -> None:
    frame, body = drawn_person((320, 460))
    picture = dressed(drawn_trousers(), frame, body)
    blue = like(picture, BLUE)
    for knee, ankle in ((25, 27), (26, 28)):
        x, y = joint(body, knee)
        assert blue[y - 10 : y + 10, x - 4 : x + 4].all()
        assert blue[(y + joint(body, ankle)[1]) // 2, x]
    chest = np.s_[130:200, 140:180]
    assert np.array_equal(picture[chest], frame.bgr[chest])


def test_shorts_end_above_the_knee_in_skin() -> None:
    frame, body = drawn_person((320, 460))
    picture = dressed(drawn_trousers(length=0.35), frame, body)
    x, y = joint(body, 25)
    assert like(picture, BLUE)[joint(body, 23)[1] + 30, x]
    shin = picture[y + 20 : y + 40, x - 4 : x + 4].astype(int)
    assert not like(picture, BLUE)[y + 20 : y + 40, x - 4 : x + 4].any()
    assert (shin[..., 2] > shin[..., 0] + 20).all()


def test_a_skirt_is_one_sheet_over_both_legs() -> None:
    frame, body = drawn_person((320, 460))
    blue = like(dressed(drawn_skirt(), frame, body), BLUE)
    x, y = 160, joint(body, 23)[1] + 50
    assert blue[y, x - 20 : x + 20].all()


def test_an_outfit_is_a_top_over_a_lower_garment() -> None:
    frame, body = drawn_person((320, 460))
    outfit = dataclasses.replace(drawn_garment(), worn_with=drawn_trousers())
    picture = dressed(outfit, frame, body)
    assert like(picture, GREEN)[160:200, 150:170].all()
    x, y = joint(body, 25)
    assert like(picture, BLUE)[y, x - 4 : x + 4].all()
    # below the hem of the one the other begins: nothing else between them
    x = 160
    column = (
        like(picture, GREEN)[180 : joint(body, 23)[1] + 20, x] | like(picture, BLUE)[180 : joint(body, 23)[1] + 20, x]
    )
    assert column.mean() > 0.9


def test_below_a_dress_trousers_become_legs() -> None:
    frame, body = drawn_person((320, 460))
    top = drawn_garment()
    dress = dataclasses.replace(top, category=Category.DRESS)
    x, y = joint(body, 25)
    shin = np.s_[y + 20 : y + 40, x - 3 : x + 3]
    bare = dressed(dress, frame, body)[shin].astype(int)
    assert (bare[..., 2] > bare[..., 0] + 20).all()
    assert np.abs(bare - frame.bgr[shin].astype(int)).max() > 40


def test_hips_that_are_not_in_the_picture_are_named() -> None:
    frame, body = drawn_person((320, 460))
    rows = joint(body, 23)[1] - 60
    cut = Frame(np.ascontiguousarray(frame.bgr[:rows]), 0, 1, "cut")
    seen = Body(body.landmarks_px, body.visibility, np.ascontiguousarray(body.person_alpha[:rows]), 0)
    with pytest.raises(NothingToFitError, match="hips and legs are not in the picture: step back"):
        dressed(drawn_trousers(), cut, seen)


def test_a_hand_that_was_read_as_trousers_is_a_hand() -> None:
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    bgr = np.full((460, 320, 3), 240, np.uint8)
    share = np.zeros((5, 460, 320), np.float32)
    share[LOWER] = 1
    face = np.s_[20:70, 140:180]
    bgr[face], share[SKIN][face], share[LOWER][face] = (120, 150, 205), 1, 0
    hand = np.round(skeleton.left.tip).astype(int)
    cv2.circle(bgr, tuple(int(v) for v in hand), 9, (118, 149, 203), -1)
    skin = settled(bgr, Reading(share, share[SKIN]), skeleton, UNSEEN).share[SKIN]
    assert skin[hand[1], hand[0]] > 0.8
    assert skin[300, 160] < 0.1


def test_trousers_end_where_the_worn_ones_do_but_wide_legs_stay_wide() -> None:
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    unit = skeleton.unit
    hips = skeleton.pelvis
    pattern = TrouserPattern(drawn_trousers())
    placed = pattern.targets(skeleton, measure_girth(body.person_alpha, skeleton, 0 * body.person_alpha), 1.0, UNSEEN)
    # worn trousers: a column of one width, of which the hips are a little wider than the new ones'
    half = 0.06 * unit + np.abs(placed[:, 0] - hips[0])[[3, 4]].max()
    share = np.zeros((5, 460, 320), np.float32)
    share[LOWER, int(hips[1]) - 30 :, round(hips[0] - half) : round(hips[0] + half)] = 1
    share[BACKGROUND] = 1 - share[LOWER]
    reading = Reading(share, share[SKIN])
    moved = snapped_lower(placed, pattern, reading, share[LOWER], skeleton)
    assert np.abs(moved[3:5, 0] - (hips[0] - half)).max() < 0.03 * unit
    wide = placed.copy()
    outer = pattern.on_legs[:3]
    wide[outer, 0] = hips[0] - half - 0.08 * unit
    still = snapped_lower(wide, pattern, reading, share[LOWER], skeleton)
    assert (still[outer, 0] < hips[0] - half - 0.04 * unit).all()


def test_trousers_stay_under_a_top_that_is_narrower_than_they_are() -> None:
    frame, body = drawn_person((320, 460))
    waist = joint(body, 23)[1] - 25
    # a waist drawn in above the hem
    bgr, alpha = frame.bgr.copy(), body.person_alpha.copy()
    for beside in (np.s_[waist - 40 : waist, 100:128], np.s_[waist - 40 : waist, 192:220]):
        bgr[beside], alpha[beside] = 190, 0
    slim = Body(body.landmarks_px, body.visibility, alpha, 0)
    blue = like(dressed(drawn_trousers(), Frame(bgr, 0, 0, "slim"), slim), BLUE)
    assert blue[waist + 60].any()
    assert not blue[waist - 40 : waist - 4].any()


def test_thighs_that_touch_are_seen_to_part_where_they_do() -> None:
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    share = np.zeros((5, 460, 320), np.float32)
    share[TOP, :210] = share[LOWER, 210:] = 1
    together = find_waistline(share, skeleton)
    assert together.fork > 0.3
    gap = joint(body, 23)[1] + 50
    share[LOWER, gap:, 155:165], share[BACKGROUND, gap:, 155:165] = 0, 1
    apart = find_waistline(share, skeleton)
    assert 0.15 < apart.fork < 0.3
    assert apart.hem == together.hem


def test_what_hangs_from_a_hem_in_its_shade_is_no_top() -> None:
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    x, hem = int(skeleton.pelvis[0]), int(skeleton.pelvis[1] - 10)
    share = np.zeros((5, 460, 320), np.float32)
    share[BACKGROUND] = 1
    share[:, 120:440, x - 40 : x + 40] = 0
    share[TOP, 120:hem, x - 40 : x + 40], share[LOWER, hem:440, x - 40 : x + 40] = 1, 1
    fringed = share.copy()
    for start in (-30, -8, 15):
        fringed[:, hem : hem + 5, x + start : x + start + 9] = share[:, hem - 1 : hem, x - 1 : x]
    even = fringed.copy()
    even_hem(even, skeleton)
    assert np.abs(even[TOP, hem + 1 : hem + 8]).max() < 0.1
    assert np.abs(even[:, : hem - 4] - share[:, : hem - 4]).max() == 0
    assert np.abs(even[:, hem + 8 :] - share[:, hem + 8 :]).max() == 0
    # a long sleeve beside the hips is no fringe
    fringed[:, 120 : hem + 60, x + 30 : x + 40] = share[:, 130:131, x - 1 : x]
    even_hem(fringed, skeleton)
    assert fringed[TOP, hem + 30, x + 32 : x + 40].min() == 1


@pytest.mark.parametrize("wavy", [0.0, 6.0])
def test_a_dress_above_new_trousers_ends_in_a_straight_line(wavy: float) -> None:
    """Its cloth goes on below the hips, and how far it is the top's is anybody's guess, row by row."""
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    share = np.zeros((5, 460, 320), np.float32)
    hips, rows = int(skeleton.pelvis[1]), np.arange(460)[:, None]
    x = slice(int(skeleton.pelvis[0]) - 30, int(skeleton.pelvis[0]) + 31)
    middle = hips + wavy * np.sin(np.arange(61) / 5)
    share[TOP, :, x] = np.clip(0.5 - (rows - middle) / 60, 0, 1)
    share[LOWER, :, x] = 1 - share[TOP, :, x]
    share[BACKGROUND] = 1 - share.sum(axis=0)
    even_hem(share, skeleton)
    ends = share[TOP, hips - 40 : hips + 40, x].sum(axis=0)
    line = np.polyval(np.polyfit(np.arange(61), ends, 1), np.arange(61))
    assert np.abs(ends - line).max() < 1.5
    assert ends.mean() == pytest.approx(40, abs=8)
    assert np.allclose(share.sum(axis=0), 1, atol=1e-5)
    between = share[TOP, hips - 25 : hips + 26, x]
    assert ((between > 0.1) & (between < 0.9)).sum(axis=0).max() <= 2


def test_between_fingers_trousers_are_seen() -> None:
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    bgr = np.full((460, 320, 3), (110, 60, 40), np.uint8)
    share = np.zeros((5, 460, 320), np.float32)
    share[LOWER] = 1
    hand = np.round(skeleton.left.tip).astype(int)
    for part in (np.s_[20:70, 140:180], np.s_[hand[1] - 12 : hand[1] + 13, hand[0] - 12 : hand[0] + 13]):
        bgr[part], share[SKIN][part], share[LOWER][part] = (120, 150, 205), 1, 0
    bgr[hand[1] - 4 : hand[1] + 5, hand[0] - 4 : hand[0] + 5] = (110, 60, 40)
    # a crease is dark, and of the skin's hue
    bgr[hand[1] + 8 : hand[1] + 11, hand[0] - 8 : hand[0] + 8] = (50, 65, 92)
    found = settled(bgr, Reading(share, np.zeros_like(share[SKIN])), skeleton, UNSEEN).share
    assert found[SKIN, hand[1], hand[0]] < 0.2
    assert found[LOWER, hand[1], hand[0]] > 0.8
    assert found[SKIN, hand[1] + 9, hand[0]] > 0.8
    # before the chest there is a top behind them
    _, lifted = drawn_person((320, 460), bends=(40, -150, 5, 5))
    skeleton = read_skeleton(lifted)
    share[SKIN] = 1 - share[LOWER]
    hand = np.round(skeleton.left.tip).astype(int)
    share[:, hand[1] - 12 : hand[1] + 13, hand[0] - 12 : hand[0] + 13] = 0
    share[SKIN, hand[1] - 12 : hand[1] + 13, hand[0] - 12 : hand[0] + 13] = 1
    found = settled(bgr, Reading(share, np.zeros_like(share[SKIN])), skeleton, UNSEEN).share
    assert found[SKIN, hand[1], hand[0]] > 0.8


def test_no_shadow_falls_on_the_wall_that_wide_trousers_leave() -> None:
    shape = (200, 160)
    share = np.zeros((5, *shape), np.float32)
    share[LOWER, 20:, 40:120], share[BACKGROUND] = 1, 1
    share[BACKGROUND, 20:, 40:120] = 0
    nothing = np.zeros((100, 80), np.float32)
    wall = np.full((100, 80, 3), 190, np.float32)
    narrow = Painted((60, 20, 100, 200), np.full((180, 40, 3), 60, np.uint8), np.ones((180, 40), np.float32))
    below = relower(
        np.full((*shape, 3), 190, np.uint8),
        wall,
        Reading(share, np.zeros(shape, np.float32)),
        worn=share[LOWER],
        worn_top=None,
        front=np.zeros(shape, np.float32),
        bare=BareBelow(nothing, nothing + 1),
        pieces={TORSO: narrow},
        gain=np.ones(3, np.float32),
        unit=80,
    )
    assert below.bgr[100, 62:98].max() < 70
    assert below.bgr[100, 42:58].min() > 186
    assert below.bgr[100, 102:118].min() > 186


def test_legs_that_are_made_have_the_tone_of_those_that_are_seen() -> None:
    """And not that of the arms beside them, which the sun has seen."""
    shape = (200, 160)
    share = np.zeros((5, *shape), np.float32)
    share[LOWER, 20:150, 50:110], share[SKIN, 150:, 60:100], share[SKIN, :140, 5:45] = 1, 1, 1
    share[BACKGROUND] = 1 - share.sum(axis=0)
    picture = np.full((*shape, 3), 90, np.uint8)
    picture[share[SKIN] > 0], picture[:140, 5:45] = (170, 190, 230), (90, 120, 170)
    legs = np.zeros((100, 80), np.float32)
    legs[10:, 30:50] = 1
    below = relower(
        picture,
        np.full((100, 80, 3), 90, np.float32),
        Reading(share, np.zeros(shape, np.float32)),
        worn=share[LOWER],
        worn_top=None,
        front=np.zeros(shape, np.float32),
        bare=BareBelow(legs, np.ones_like(legs)),
        pieces={},
        gain=np.ones(3, np.float32),
        unit=80,
    )
    made = below.bgr[40:90, 66:94].reshape(-1, 3).mean(axis=0)
    assert np.abs(made - (170, 190, 230)).max() < 14


def test_of_trousers_under_a_top_nothing_comes_out_beside_it_above_its_hem() -> None:
    _, body = drawn_person((320, 460))
    s = read_skeleton(body)
    wide = Painted((40, 100, 280, 400), np.full((300, 240, 3), 60, np.uint8), np.ones((300, 240), np.float32))
    alpha = tucked({TORSO: wide}, 0.9, s)[TORSO].alpha
    hem = int(s.neck[1] + 0.9 * s.torso_length) - 100
    assert alpha[: hem - 8].max() == 0
    assert alpha[hem:].min() == 1


def test_a_short_top_over_trousers_shows_their_waist() -> None:
    frame, body = drawn_person((320, 460))
    top = drawn_garment()
    marks = {name: (x, min(y, 200.0)) for name, (x, y) in top.landmarks_px.items()}
    short = dataclasses.replace(top, landmarks_px=marks, alpha=top.alpha * (np.arange(360) < 200)[:, None])
    picture = dressed(dataclasses.replace(short, worn_with=drawn_trousers()), frame, body)
    s = read_skeleton(body)
    column = np.s_[int(s.neck[1] + 0.2 * s.torso_length) : int(s.pelvis[1]) + 20, 160]
    covered = like(picture, GREEN)[column] | like(picture, BLUE)[column]
    assert covered.mean() > 0.9
