"""Reading the person: hems by their step, specks by what is around them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.hair import attach_hair
from vastra_live.synthesis.embedded.hem import Hems, _brightest_path, _middles, bare_belly, find_hem, follow_hem
from vastra_live.synthesis.embedded.places import Hem, Places
from vastra_live.synthesis.embedded.reading import (
    HAIR,
    LOWER,
    SKIN,
    TOP,
    Memory,
    Reading,
    _fill_bays,
    _settle_islands,
    read_person,
)
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton
from vastra_live.types import U8, Body, Frame

RED, BLUE, WHITE = (40, 40, 190), (120, 70, 40), (235, 235, 235)


def dressed_to(depth: float) -> tuple[Frame, Body, Skeleton]:
    """The drawn person, whose red top ends at a depth of the torso; blue from there on."""
    frame, body = drawn_person()
    s = read_skeleton(body)
    bgr = np.array(frame.bgr)
    row = int(s.neck[1] + depth * s.torso_length)
    low = np.s_[row:, 110:210]
    part = bgr[low]
    part[(body.person_alpha[low] > 0.5) & (np.abs(part.astype(int) - RED).max(axis=-1) < 60)] = BLUE
    return Frame(cv2.GaussianBlur(bgr, (3, 3), 0), 0, 0, "drawn"), body, s


def read(frame: Frame, body: Body, s: Skeleton) -> Reading:
    return read_person(frame.bgr, body.person_alpha, s, Memory())


def with_rows(frame: Frame, body: Body, rows: np.ndarray) -> U8:
    """The picture with a colour for each row of it, (h, 3), on the trunk."""
    bgr, trunk = np.array(frame.bgr), np.s_[:, 115:205]
    bgr[trunk] = np.where(body.person_alpha[trunk][..., None] > 0.5, rows[:, None], bgr[trunk])
    return bgr


def hem_of(bgr: U8, body: Body, s: Skeleton) -> Hem | None:
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (3, 3), 0), cv2.COLOR_BGR2LAB)
    return find_hem(lab, Places(body.person_alpha, s, lab))


@pytest.mark.parametrize("depth", [0.55, 0.7, 0.9])
def test_a_hem_is_found_where_the_colour_changes(depth: float) -> None:
    frame, body, s = dressed_to(depth)
    lab = cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB)
    hem = find_hem(lab, Places(body.person_alpha, s, lab))
    assert hem is not None
    assert hem.depth == pytest.approx(depth, abs=0.05)


@pytest.mark.parametrize("count", [0, 1, 400])
def test_the_bands_middle_colours_are_those_of_one_after_the_other(count: int) -> None:
    rng = np.random.default_rng(count)
    colours, band = rng.integers(0, 256, (count, 3), np.uint8), rng.integers(0, 40, count).astype(np.int16)
    known, middles = _middles(colours, band)
    plainly = [k for k in range(40) if (band == k).sum() >= 6]
    assert known.tolist() == plainly
    for k, middle in zip(plainly, middles, strict=True):
        assert middle == pytest.approx(np.median(colours[band == k], axis=0))


def test_a_top_that_ends_below_the_hips_is_likelier_there_than_what_is_worn_below_it() -> None:
    frame, body = drawn_person((320, 460))
    s = read_skeleton(body)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    prior = places.priors(Hem(1.3, 0.08))
    for aside in (-0.45, 0.0, 0.45):
        x, y = np.round(s.neck + 1.2 * s.torso_length * s.down + aside * s.unit * s.across).astype(int)
        assert prior[TOP, y, x] > 4 * prior[LOWER, y, x]
        x, y = np.round(s.neck + 1.4 * s.torso_length * s.down + aside * s.unit * s.across).astype(int)
        assert prior[TOP, y, x] < prior[LOWER, y, x]


@pytest.mark.parametrize("depth", [0.85, 1.05])
def test_a_dark_rib_below_a_light_and_dark_print_is_the_tops(depth: float) -> None:
    """The print steps by more in lightness than its hem does; below the hem is another hue."""
    frame, body = drawn_person()
    s = read_skeleton(body)
    below = np.arange(frame.bgr.shape[0]) - s.neck[1]
    bands = np.where((below / (0.1 * s.torso_length)).astype(int) % 2 == 0, 130, 30)
    grey = np.where(below > (depth - 0.13) * s.torso_length, 25, bands)
    rows = np.where((below > depth * s.torso_length)[:, None], (90, 50, 25), np.repeat(grey[:, None], 3, axis=1))
    hem = hem_of(with_rows(frame, body, rows), body, s)
    assert hem is not None
    assert hem.depth == pytest.approx(depth, abs=0.05)


def test_a_mottled_top_over_dark_trousers_ends_at_its_clearest_step() -> None:
    """Its own steps are half of it, and it is none of the hips' yet."""
    frame, body = drawn_person()
    s = read_skeleton(body)
    depth = (np.arange(frame.bgr.shape[0]) - s.neck[1]) / s.torso_length
    mottled = np.where((depth / 0.15).astype(int) % 2 == 0, 66, 48)
    rows = np.repeat(np.where(depth < 1.04, mottled, 26)[:, None], 3, axis=1)
    hem = hem_of(with_rows(frame, body, rows), body, s)
    assert hem is not None
    assert hem.depth == pytest.approx(1.04, abs=0.05)


@pytest.mark.parametrize("step", [0, 30])
def test_a_top_of_a_faint_colour_goes_on_to_the_pictures_edge_where_no_step_is_seen(step: int) -> None:
    """Though light falls off from its chest down, more steeply than a hem would."""
    frame, body = drawn_person((320, 252))
    s = read_skeleton(body)
    depth = (np.arange(252) - s.neck[1]) / s.torso_length
    light = np.interp(depth, (0.2, 0.4, 0.8), (1.0, 0.72, 0.66))
    light[depth > 0.95] -= step / 200
    hem = hem_of(with_rows(frame, body, light[:, None] * (160, 166, 214)), body, s)
    assert (hem is not None and hem.depth > depth[-1]) == (step == 0)


def test_a_striped_rib_is_the_tops() -> None:
    """The first stripe of the rib is the clearest step; then the top's own colour comes once more."""
    frame, body, s = dressed_to(1.3)
    bgr = np.array(frame.bgr)
    for depth, deep, colour in ((0.9, 0.05, WHITE), (1.15, 0.4, BLUE)):
        row, end = (int(s.neck[1] + d * s.torso_length) for d in (depth, depth + deep))
        part = bgr[row:end, 115:205]
        part[body.person_alpha[row:end, 115:205] > 0.5] = colour
    hem = hem_of(bgr, body, s)
    assert hem is not None
    assert hem.depth > 0.98


def test_shorts_in_the_shade_of_a_top_of_their_hue_are_no_part_of_it() -> None:
    """They grow darker downwards, and where they end, on bare legs, is a clearer step in hue."""
    frame, body, s = dressed_to(0.75)
    depth = (np.arange(frame.bgr.shape[0]) - s.neck[1]) / s.torso_length
    shade = np.interp(depth, (0.75, 0.95), (1.0, 0.38))[:, None]
    rows = np.where(depth[:, None] < 0.75, (225, 200, 170), shade * (150, 110, 70))
    rows = np.where(depth[:, None] < 1.25, rows, (120, 150, 200))
    hem = hem_of(with_rows(frame, body, rows), body, s)
    assert hem is not None
    assert hem.depth == pytest.approx(0.75, abs=0.05)


def test_a_hem_stays_when_one_keyframe_sees_it_elsewhere() -> None:
    hems = Hems()
    for depth in (1.2, 1.22, 1.18, 1.0):
        steadied = hems.steadied(Hem(depth, 0.2))
        assert steadied is not None
    assert 1.18 < steadied.depth < 1.22
    assert hems.steadied(None) is None
    followed = Hem(0.9, 0.02, bend=np.zeros(4, np.float32))
    assert hems.steadied(followed) is followed


def test_a_hem_that_one_keyframe_sees_and_none_before_is_none() -> None:
    """Of a dress that is of one colour, whose own hem one keyframe takes for a top's."""
    hems, long = Hems(), Hem(1.4, 0.08)
    assert hems.steadied(long) is not None, "the first one is all that is known"
    for _ in range(4):
        assert hems.steadied(None) is None
    assert hems.steadied(long) is None
    assert [hems.steadied(long) is not None for _ in range(3)] == [False, True, True]


def test_trousers_worn_high_are_no_top() -> None:
    frame, body, s = dressed_to(0.6)
    share = read(frame, body, s).share
    x, y = s.neck + s.down * 0.75 * s.torso_length
    assert share[LOWER, int(y), int(x)] > 0.8
    x, y = s.neck + s.down * 0.45 * s.torso_length
    assert share[TOP, int(y), int(x)] > 0.8


def test_a_top_in_stripes_has_no_hem_at_each() -> None:
    frame, body, s = dressed_to(0.9)
    bgr = np.array(frame.bgr)
    for k in range(3):
        row = int(s.neck[1] + (0.2 + 0.22 * k) * s.torso_length)
        bgr[row : row + 8][body.person_alpha[row : row + 8] > 0.5] = WHITE
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
    hem = find_hem(lab, Places(body.person_alpha, s, lab))
    assert hem is None or hem.depth > 0.8


def test_letters_in_the_colour_of_skin_belong_to_the_top() -> None:
    frame, body, s = dressed_to(0.9)
    bgr = np.array(frame.bgr)
    x, y = (s.neck + s.down * 0.5 * s.torso_length).astype(int)
    for k in (-14, 0, 14):
        bgr[y : y + 12, x + k : x + k + 4] = (130, 160, 215)
    share = read_person(bgr, body.person_alpha, s, Memory()).share
    letters = share[:, y : y + 12, x - 14 : x + 18]
    assert letters[TOP].min() > 0.5
    assert letters[SKIN].max() < 0.4


def test_the_top_is_what_is_likelier_than_any_other_class() -> None:
    share = np.zeros((5, 1, 3), np.float32)
    share[:, 0, 0] = (0.2, 0.2, 0.1, 0.4, 0.1)
    share[:, 0, 1] = (0.0, 0.6, 0.0, 0.4, 0.0)
    share[TOP, 0, 2] = 1
    worn = Reading(share, np.zeros((1, 3), np.float32)).worn_top()
    assert worn[0, 0] > 0.5 > worn[0, 1]
    assert worn[0, 2] == 1


@pytest.mark.parametrize("first", [0.2, 0.45, 0.7])
def test_a_bare_belly_begins_at_the_first_band_of_skin(first: float) -> None:
    frame, body, s = dressed_to(0.9)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    skin = (places.depth >= first).astype(np.float32)
    hem = bare_belly(skin, places)
    depth, seen = places.depth[places.belly], skin[places.belly]
    bands = [(low, seen[(depth >= low) & (depth < low + 0.04)]) for low in np.arange(0.35, 1.0, 0.04)]
    plainly = [low for low, band in bands if len(band) > 6 and band.mean() > 0.55]
    assert hem is not None and hem.depth == pytest.approx(plainly[0])
    assert bare_belly(np.zeros_like(skin), places) is None


def test_folded_bare_arms_are_no_belly() -> None:
    """They are wider than the strip along their bones."""
    frame, body = drawn_person(bends=(10, -100, 10, -100))
    s = read_skeleton(body)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    arms = np.zeros(body.person_alpha.shape, np.float32)
    for arm in (s.left, s.right):
        ends = [tuple(int(v) for v in point) for point in (arm.elbow, arm.tip)]
        cv2.line(arms, ends[0], ends[1], 1, int(0.5 * s.unit))
    assert bare_belly(arms, places) is None
    belly = (places.depth > 0.8).astype(np.float32)
    hem = bare_belly(np.maximum(arms, belly), places)
    assert hem is not None and hem.depth > 0.7


def test_what_holds_more_than_background_is_found_with_room_in_a_larger_picture() -> None:
    share = np.zeros((5, 60, 80), np.float32)
    share[TOP, 20:40, 30:50] = 0.1
    share[0] = 1 - share[TOP]
    rows, columns = Reading(share, np.zeros((60, 80), np.float32)).peopled((150, 200))
    assert (rows.start, rows.stop) == pytest.approx((50 - 7.5, 100 + 7.5), abs=1.5)
    assert (columns.start, columns.stop) == pytest.approx((75 - 7.5, 125 + 7.5), abs=1.5)


def test_a_collar_at_the_jaw_is_read_by_its_colour() -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    bgr = np.array(frame.bgr)
    jaw = int(s.chin[1])
    bgr[jaw - 2 : int(s.neck[1]) + 4][body.person_alpha[jaw - 2 : int(s.neck[1]) + 4] > 0.5] = RED
    share = read_person(bgr, body.person_alpha, s, Memory()).share
    assert share[TOP, jaw + 1, int(s.chin[0])] > 0.5
    assert share[SKIN, int(s.mouth[1]), int(s.mouth[0])] > 0.5


def test_a_collar_of_the_trousers_colour_is_none_of_them() -> None:
    frame, body, s = dressed_to(0.9)
    bgr = np.array(frame.bgr)
    row, half = int(s.neck[1] - 0.14 * s.unit), int(0.3 * s.unit)
    collar = np.s_[row : row + 10, int(s.neck[0]) - half : int(s.neck[0]) + half]
    bgr[collar][body.person_alpha[collar] > 0.5] = BLUE
    share = read_person(bgr, body.person_alpha, s, Memory()).share
    assert share[LOWER][collar].max() < 0.2
    assert share[TOP][collar].mean() > 0.5


def test_a_lock_that_an_ear_cuts_off_from_the_head_is_hair() -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    bgr, alpha = np.array(frame.bgr), body.person_alpha.copy()
    brown, skin = (40, 70, 95), (130, 160, 215)
    x, y = int(s.eyes[0]), int(s.eyes[1] - 0.8 * s.face_span)
    for picture, value in ((bgr, brown), (alpha, 1.0)):
        cv2.ellipse(picture, (x, y), (int(1.5 * s.face_span), int(s.face_span)), 0, 180, 360, value, -1)
    x, y = int(s.eyes[0] + 1.4 * s.face_span), int(s.mouth[1])
    for top, bottom, colour in ((y - 2, y + int(0.45 * s.unit), brown), (y - 2 - int(s.face_span), y - 2, skin)):
        bgr[top:bottom, x - 6 : x + 6], alpha[top:bottom, x - 6 : x + 6] = colour, 1
    share = read_person(bgr, alpha, s, Memory()).share
    assert share[HAIR, y + 2 : y + 14, x - 2 : x + 3].mean() > 0.5


@pytest.mark.parametrize(("likely", "hair"), [(0.5, False), (0.9, True)])
def test_a_collar_at_the_jaw_that_may_as_well_be_hair_is_none(likely: float, hair: bool) -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    x, y = np.round(s.chin + 0.3 * s.unit * s.across).astype(int)
    collar = np.s_[y - 4 : y + 10, x - 3 : x + 4]
    share = np.zeros((5, *body.person_alpha.shape), np.float32)
    share[TOP] = 1
    share[TOP][collar], share[HAIR][collar] = 1 - likely, likely
    # at its very edge, where it is brightest, hair is likelier
    share[TOP, y - 4, x - 3 : x + 4], share[HAIR, y - 4, x - 3 : x + 4] = 0.2, 0.8
    attach_hair(share, places)
    assert (share[HAIR, y + 5, x] > 0.5) == hair


def test_the_ground_of_a_print_is_no_lower_garment_of_its_colour() -> None:
    share = np.zeros((5, 60, 60), np.float32)
    share[TOP, :40], share[LOWER, 40:] = 1, 1
    share[:, 35:39, 28:32] = 0
    share[LOWER, 35:39, 28:32] = 1
    alike = np.ones_like(share)
    black = share.copy()
    _fill_bays(black, alike, 50.0)
    assert black[TOP, :40].min() == 1
    assert black[LOWER, 40:].min() == 1
    white, told_apart = share.copy(), alike.copy()
    told_apart[TOP, 35:39, 28:32] = 0.01
    _fill_bays(white, told_apart, 50.0)
    assert white[LOWER, 35:39, 28:32].min() == 1


def test_a_slanted_hem_is_followed_and_what_lies_in_its_shade_is_no_top() -> None:
    frame, body, s = dressed_to(0.9)
    bgr = np.array(frame.bgr).astype(np.float32)
    _, columns = np.indices(bgr.shape[:2])
    hem = s.neck[1] + 0.9 * s.torso_length + 0.12 * (columns - s.neck[0])
    below = np.arange(bgr.shape[0])[:, None] - hem
    inside = body.person_alpha > 0.5
    near = inside & (np.abs(columns - s.neck[0]) < 45) & (np.abs(below) < 30)
    shade = 0.45 + 0.55 * np.clip(below / 8, 0, 1)
    # the top has that colour too, on its shoulders
    y = int(s.neck[1] + 0.15 * s.torso_length)
    bgr[y : y + 25][(np.abs(columns - s.neck[0]) > 30)[y : y + 25] & inside[y : y + 25]] = np.array(BLUE) * 0.5
    bgr[near & (below < 0)] = RED
    bgr[near & (below >= 0)] = (np.array(BLUE) * shade[..., None])[near & (below >= 0)]
    share = read_person(bgr.astype(np.uint8), body.person_alpha, s, Memory()).share
    middle = inside & (np.abs(columns - s.neck[0]) < 0.3 * s.unit)
    assert (share[LOWER] > 0.5)[middle & (below > 2) & (below < 8)].mean() > 0.95
    assert (share[TOP] > 0.5)[middle & (below < -2) & (below > -8)].mean() > 0.95


def test_the_path_along_a_hem_leaves_out_brighter_spots_beside_it() -> None:
    step = np.zeros((20, 30), np.float32)
    truth = np.clip(4 + np.arange(30) // 3, 0, 19)
    step[truth, np.arange(30)] = 1
    step[18, 3::7] = 1.5
    assert np.array_equal(_brightest_path(step), truth)


def test_a_strip_of_sleeve_beside_a_hip_stays() -> None:
    share = np.zeros((5, 80, 60), np.float32)
    share[LOWER] = 1
    for x in (4, 40):
        share[:, 30:50, x : x + 3] = 0
        share[TOP, 30:50, x : x + 3] = 1
    sleeves = np.zeros((80, 60), np.bool_)
    sleeves[:, :10] = True
    _settle_islands(share, 60.0, sleeves)
    assert share[TOP, 30:50, 4:7].min() > 0.9
    assert share[TOP, 30:50, 40:43].max() < 0.5


def test_what_a_raised_forearm_leaves_of_a_short_sleeve_stays() -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    x, y = np.round(s.right.shoulder - 0.18 * s.unit * (s.across + s.down)).astype(int)
    share = np.zeros((5, *body.person_alpha.shape), np.float32)
    share[SKIN] = 1
    for row, column in ((y, x), (y - int(0.5 * s.unit), x)):
        share[:, row - 2 : row + 3, column - 2 : column + 3] = 0
        share[TOP, row - 2 : row + 3, column - 2 : column + 3] = 1
    _settle_islands(share, s.unit, places.sleeves)
    assert share[TOP, y, x] == 1
    assert share[TOP, y - int(0.5 * s.unit), x] < 0.5


def test_specks_along_a_bare_arms_edge_are_no_sleeve_however_many() -> None:
    share = np.zeros((5, 120, 60), np.float32)
    share[SKIN], sleeves = 1, np.ones((120, 60), bool)
    for row in range(4, 116, 6):
        share[:, row : row + 3, 30:32] = 0
        share[TOP, row : row + 3, 30:32] = 1
    _settle_islands(share, 60.0, sleeves)
    assert share[TOP].max() < 0.5


def test_a_hem_of_a_small_picture_is_followed_in_a_larger_one() -> None:
    _, body = drawn_person((320, 460))
    skeleton = read_skeleton(body)
    middle = skeleton.neck[1] + 0.9 * skeleton.torso_length
    # slanting, and with its shade on pale trousers
    hem = middle + 0.05 * (np.arange(320) - 160)
    below = np.arange(460)[:, None] - hem
    light = np.where(below < 0, 30, np.clip(120 + 8 * below, 0, 220)).astype(np.uint8)
    bgr = np.repeat(light[..., None], 3, 2)
    share = np.zeros((5, 460, 320), np.float32)
    share[TOP] = np.clip((8 - below) / 12, 0, 1)
    share[LOWER] = 1 - share[TOP]
    scale = 0.25
    bend = 0.05 * (np.arange(80) - 40) / (scale * skeleton.torso_length)
    colours = np.array([18, 128, 128], np.float32), np.array([110, 0, 0], np.float32)
    shown = np.abs(np.arange(80) - 40) < 20
    follow_hem(bgr, share, Hem(0.9, 0.02, bend.astype(np.float32), shown, colours), skeleton, scale)
    columns = np.arange(100, 220)
    ends = (share[TOP][:, columns] > 0.5).sum(axis=0) - hem[columns]
    assert np.abs(ends - 2).max() < 2
    assert 8 > (share[TOP][:, 40] > 0.5).sum() - hem[40] > 1


@pytest.mark.parametrize("hands", [True, False])
def test_a_sleeve_before_trousers_of_its_colour_ends_at_the_hand(hands: bool) -> None:
    """All in blue; with no hand at its end the arm may as well be behind the hip."""
    frame, body = drawn_person((320, 460))
    s = read_skeleton(body)
    bgr = np.array(frame.bgr)
    clothes = body.person_alpha > 0.5
    clothes[: int(s.neck[1])] = False
    skin = np.abs(bgr.astype(int) - (130, 160, 215)).max(axis=-1) < 30
    bgr[clothes & ~(skin & hands)] = BLUE
    share = read(Frame(bgr, 0, 0, "drawn"), body, s).share
    for arm in (s.right, s.left):
        across, down = np.round(arm.elbow + 0.75 * (arm.wrist - arm.elbow)).astype(int)
        sleeve = share[:, down - 2 : down + 3, across - 2 : across + 3].mean(axis=(1, 2))
        assert (sleeve[TOP] > 0.6) == hands
    across, down = s.left_leg.hip.astype(int)
    assert share[LOWER, down + 20 : down + 40, across - 5 : across + 5].min() > 0.8


@pytest.mark.parametrize("bare", [True, False])
def test_below_its_hem_a_top_does_not_go_on_beside_a_bare_forearm(bare: bool) -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    skin, prior = np.full_like(body.person_alpha, 0.9 if bare else 0.1), np.ones_like(body.person_alpha)
    places.end_bare_arms_at(Hem(0.9, 0.05), skin, prior)
    x, y = np.round(s.left.wrist).astype(int)
    hem = int(s.neck[1] + 0.9 * s.torso_length)
    assert y > hem + 0.1 * s.torso_length
    assert (prior[y, x] < 0.5) == bare
    assert prior[: hem + 2].min() == prior[:, int(s.neck[0])].min() == 1


@pytest.mark.parametrize("bare", [True, False])
def test_the_shade_on_a_bare_forearm_is_no_top(bare: bool) -> None:
    frame, body = drawn_person(bends=(20, 150, 5, 5))
    s = read_skeleton(body)
    places = Places(body.person_alpha, s, cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2LAB))
    skin, prior = np.zeros_like(body.person_alpha), np.ones_like(body.person_alpha)
    if bare:
        ends = [tuple(int(v) for v in point) for point in (0.75 * s.left.elbow + 0.25 * s.left.wrist, s.left.tip)]
        cv2.line(skin, ends[0], ends[1], 1, int(0.25 * s.unit))
    places.bare_forearms(skin, prior)
    x, y = np.round(s.left.elbow).astype(int)
    assert (prior[y, x] < 0.5) == bare
    x, y = np.round(s.right.elbow).astype(int)
    assert prior[y, x] == prior[int(s.neck[1] + 0.5 * s.torso_length), int(s.neck[0])] == 1


def test_the_white_collar_of_someone_who_smiles_is_no_skin() -> None:
    """Of a dark suit's shirt little is seen, and teeth are as white."""
    frame, body = drawn_person((480, 540), centre=(240, 180), unit=120)
    s, bgr = read_skeleton(body), np.array(frame.bgr)
    bgr[np.abs(bgr.astype(int) - RED).max(axis=-1) < 60] = (60, 30, 25)
    x, chin, neck = (int(v) for v in (s.chin[0], s.chin[1], s.neck[1]))
    point = (x, round(neck + 0.25 * s.torso_length))
    cv2.fillPoly(bgr, [np.array([(x - 5, neck), (x + 5, neck), point])], WHITE)
    collar = np.s_[chin - 2 : neck + 4, x - 26 : x - 8]
    bgr[collar][body.person_alpha[collar] > 0.5] = WHITE
    wide, high = int(0.3 * s.face_span), int(0.16 * s.face_span)
    cv2.ellipse(bgr, (int(s.mouth[0]), int(s.mouth[1])), (wide, high), 0, 0, 360, (240, 240, 240), -1)
    share = read(Frame(cv2.GaussianBlur(bgr, (3, 3), 0), 0, 0, "drawn"), body, s).share
    assert share[TOP, (chin + neck) // 2, x - 16] > 0.9
