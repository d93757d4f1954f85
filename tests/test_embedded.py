"""The embedded synthesizer on real and on drawn people."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.embedded_people import GREEN, drawn_garment, drawn_person
from vastra_live.photo import lay_over
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis import Synthesizer
from vastra_live.synthesis.embedded import EmbeddedSynthesizer
from vastra_live.synthesis.embedded.light import _inside_blur, cloth_levels, relief, scene_gain, scene_light
from vastra_live.synthesis.embedded.mesh import TORSO, Painted
from vastra_live.synthesis.embedded.mix import spread
from vastra_live.synthesis.embedded.plate import BackgroundPlate
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import Body, Category, Frame, Garment, Layer, Sleeve

FACE, HAIR = 13, 2
TOP = (5, 6, 7)
PIXELS = 300_000


@pytest.fixture(scope="module")
def people(shared: Path) -> dict[str, tuple[Frame, Body, np.ndarray]]:
    """Three people in black, short-sleeved black and print, with their parse."""
    tracker = BlazePoseTracker(static=True)
    found = {}
    for k, name in enumerate(("00006", "00121", "00460")):
        folder = shared / "people" / name
        frame = Frame(np.ascontiguousarray(read_picture(folder / "image.jpg").bgr), k, 0, name)
        body = tracker.track(frame)
        assert body is not None
        found[name] = (frame, body, read_labels(folder / "parse.png"))
    tracker.close()
    return found


@pytest.fixture(scope="module")
def dressed(people: dict[str, tuple[Frame, Body, np.ndarray]]) -> dict[str, Layer]:
    """Everyone in a green long sleeve."""
    green = drawn_garment(Sleeve.LONG)
    return {
        name: EmbeddedSynthesizer(layer_pixels=PIXELS).synthesize(frame, body, green)
        for name, (frame, body, _) in people.items()
    }


def greenish(bgr: np.ndarray) -> np.ndarray:
    """Where the picture is of about the drawn garment's hue."""
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    hue = cv2.cvtColor(np.uint8([[GREEN]]), cv2.COLOR_BGR2HSV)[0, 0, 0]
    return (np.abs(hsv[..., 0].astype(int) - hue) < 12) & (hsv[..., 1] > 60)


def test_it_is_a_synthesizer() -> None:
    assert isinstance(EmbeddedSynthesizer(), Synthesizer)


@pytest.mark.parametrize("name", ["00006", "00121", "00460"])
def test_the_worn_top_is_covered_or_gone(
    people: dict[str, tuple[Frame, Body, np.ndarray]], dressed: dict[str, Layer], name: str
) -> None:
    frame, _, parse = people[name]
    top = np.isin(parse, TOP)
    made = lay_over(dressed[name])
    unchanged = np.abs(made.astype(int) - frame.bgr).max(axis=-1) <= 6
    assert unchanged[top].mean() < 0.03
    assert greenish(made)[top].mean() > 0.85


@pytest.mark.parametrize("name", ["00006", "00121", "00460"])
def test_face_and_hair_stay_as_they_are(
    people: dict[str, tuple[Frame, Body, np.ndarray]], dressed: dict[str, Layer], name: str
) -> None:
    frame, _, parse = people[name]
    near_top = cv2.dilate(np.isin(parse, TOP).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    head = np.isin(parse, (FACE, HAIR)) & ~near_top
    changed = np.abs(lay_over(dressed[name]).astype(int) - frame.bgr).max(axis=-1)
    assert (changed[head] <= 12).mean() > 0.995


@pytest.mark.parametrize("name", ["00006", "00121", "00460"])
def test_the_worn_top_is_read(people: dict[str, tuple[Frame, Body, np.ndarray]], name: str) -> None:
    frame, body, parse = people[name]
    worn = EmbeddedSynthesizer(layer_pixels=PIXELS).worn_top(frame, body) > 0.5
    top = np.isin(parse, TOP)
    assert (worn & top).sum() / (worn | top).sum() > 0.9


def test_an_opencv_without_its_contrib_part_dresses_too(
    people: dict[str, tuple[Frame, Body, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cv2, "ximgproc")
    frame, body, parse = people["00006"]
    worn = EmbeddedSynthesizer(layer_pixels=PIXELS).worn_top(frame, body) > 0.5
    top = np.isin(parse, TOP)
    assert (worn & top).sum() / (worn | top).sum() > 0.9


def test_short_sleeves_bare_the_arms_in_the_wearers_tone(people: dict[str, tuple[Frame, Body, np.ndarray]]) -> None:
    frame, body, parse = people["00006"]
    made = lay_over(EmbeddedSynthesizer(layer_pixels=PIXELS).synthesize(frame, body, drawn_garment(Sleeve.SHORT)))
    forearm = (0.4 * body.landmarks_px[14, :2] + 0.6 * body.landmarks_px[16, :2]).astype(int)
    patch = made[forearm[1] - 4 : forearm[1] + 5, forearm[0] - 4 : forearm[0] + 5].reshape(-1, 3).mean(axis=0)
    hands = frame.bgr[np.isin(parse, (14, 15))].mean(axis=0)
    assert np.abs(patch - hands).max() < 45


def test_the_layer_keeps_to_the_person(people: dict[str, tuple[Frame, Body, np.ndarray]]) -> None:
    frame, body, _ = people["00006"]
    layer = EmbeddedSynthesizer(layer_pixels=PIXELS).synthesize(frame, body, drawn_garment())
    made = lay_over(layer)
    near = cv2.dilate((body.person_alpha > 0.3).astype(np.uint8), np.ones((121, 121), np.uint8)) > 0
    assert (made[~near] == frame.bgr[~near]).all()


def test_a_still_person_wears_a_still_garment() -> None:
    frame, body = drawn_person()
    synthesizer, garment = EmbeddedSynthesizer(), drawn_garment()
    layers = [synthesizer.synthesize(frame, body, garment) for _ in range(5)]
    a, b = layers[-2], layers[-1]
    assert a.bgr.shape == b.bgr.shape
    assert np.abs(a.alpha - b.alpha).mean() < 0.002


def test_another_picture_size_begins_anew() -> None:
    synthesizer, garment = EmbeddedSynthesizer(), drawn_garment()
    for size, centre, unit in (((320, 360), (160, 120), 80), ((640, 480), (320, 180), 110)):
        frame, body = drawn_person(size, centre=centre, unit=unit)
        assert greenish(lay_over(synthesizer.synthesize(frame, body, garment)))[int(centre[1] + unit), centre[0]]
    synthesizer.close()
    synthesizer.close()


def test_a_large_person_is_painted_small_and_drawn_up() -> None:
    frame, body = drawn_person((1280, 1440), centre=(640, 480), unit=320)
    layer = EmbeddedSynthesizer(layer_pixels=100_000).synthesize(frame, body, drawn_garment())
    assert layer.alpha.size <= 110_000
    assert greenish(lay_over(layer))[800, 640]


def test_a_dress_hangs_over_the_hips() -> None:
    top = drawn_garment(Sleeve.NONE)
    marks = {**top.landmarks_px, "hem_left": (225.0, 355.0), "hem_right": (75.0, 355.0)}
    alpha = np.array(top.alpha)
    cv2.fillPoly(alpha, [np.array([(85, 130), (215, 130), (225, 355), (75, 355)])], 1.0)
    bgr = np.where(alpha[..., None] > 0, np.uint8(GREEN), np.uint8(245)).astype(np.uint8)
    dress = Garment("dress", Category.DRESS, Sleeve.NONE, bgr, alpha, marks)
    frame, body = drawn_person()
    green = greenish(lay_over(EmbeddedSynthesizer().synthesize(frame, body, dress)))
    assert green[130:300, 160].mean() > 0.8
    knees = body.landmarks_px[25, 1]
    assert green[int(body.landmarks_px[23, 1]) : int(knees), 160].mean() > 0.3


def test_spread_keeps_what_is_known_and_continues_it() -> None:
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.uniform(0, 255, (60, 80, 3)).astype(np.float32), (0, 0), 9)
    known = np.ones((60, 80), np.float32)
    known[20:40, 30:50] = 0
    filled = spread(np.where(known[..., None] > 0, picture, 1e4).astype(np.float32), known)
    assert np.abs(filled - picture)[known > 0].max() < 1e-2
    assert np.abs(filled - picture)[known == 0].max() < 40


def test_the_plate_learns_what_the_wearer_uncovers() -> None:
    scene = np.zeros((240, 320, 3), np.uint8)
    scene[:, :160], scene[:, 160:] = (200, 50, 50), (50, 200, 50)
    plate = BackgroundPlate()
    for x in (60, 260):
        frame, person = scene.copy(), np.zeros((240, 320), np.float32)
        frame[40:, x - 50 : x + 50] = 255
        person[40:, x - 50 : x + 50] = 1
        plate.update(frame, person)
    behind = plate.seen_through((0, 0, 320, 240), (320, 240), (320, 240))
    assert np.abs(behind - scene)[:, :140].max() < 12
    assert np.abs(behind - scene)[:, 180:].max() < 12


def test_folds_are_light_and_prints_are_not() -> None:
    worn = np.ones((200, 200), np.float32)
    x = np.arange(200, dtype=np.float32)
    flat = np.full((200, 200, 3), 120, np.uint8)
    folds = (120 + 14 * np.sin(x / 6))[None, :, None] * np.ones((200, 1, 3))
    rng = np.random.default_rng(1)
    blocks = cv2.resize(rng.integers(0, 2, (25, 25)).astype(np.uint8), (200, 200), interpolation=cv2.INTER_NEAREST)
    printed = np.where(blocks[..., None] > 0, 220, 40) * np.ones((1, 1, 3))
    inner = np.s_[40:160, 40:160]
    assert np.abs(relief(flat, worn, 100) - 1)[inner].max() < 0.01
    assert relief(folds.astype(np.uint8), worn, 100)[inner].std() > 0.03
    assert relief(printed.astype(np.uint8), worn, 100)[inner].std() < 0.03


@pytest.mark.parametrize("sigma", [3.0, 7.0, 17.0])
def test_a_mean_over_cloth_is_that_of_box_blurs_at_the_whole_size(sigma: float) -> None:
    rng = np.random.default_rng(5)
    weight = np.zeros((161, 203), np.float32)
    cv2.ellipse(weight, (100, 80), (80, 60), 20, 0, 360, 1, -1)
    values = 4 + 0.5 * cv2.GaussianBlur(rng.standard_normal(weight.shape).astype(np.float32), (0, 0), 2)
    side = 2 * round(sigma) + 1
    total, mass = values * weight, weight + 1e-4
    for _ in range(2):
        total, mass = cv2.blur(total, (side, side)), cv2.blur(mass, (side, side))
    assert np.abs(_inside_blur(values, weight, sigma) - total / mass)[weight > 0].max() < 0.012


@pytest.mark.parametrize("worn_level", [30, 120, 220])
def test_what_shines_on_dark_cloth_is_little_on_bright_cloth(worn_level: int) -> None:
    """And all of it on cloth as dark as the worn one, or darker."""
    worn = np.ones((200, 200), np.float32)
    folds = worn_level * (1 + 0.12 * np.sin(np.arange(200, dtype=np.float32) / 6))
    bgr = np.broadcast_to(folds[None, :, None], (200, 200, 3)).round().astype(np.uint8)
    inner = np.s_[40:160, 40:160]
    whole = relief(bgr, worn, 100)[inner].std()
    depths = {
        level: relief(bgr, worn, 100, np.full((100, 100), level, np.float32))[inner].std() for level in (20, 120, 240)
    }
    assert depths[20] == pytest.approx(whole, rel=0.15)
    assert depths[240] < (0.5 if worn_level == 30 else 0.95 if worn_level == 120 else 1.01) * whole
    assert depths[240] > 0.25 * whole


def test_the_new_cloth_is_as_bright_as_most_of_it_is_there() -> None:
    bgr = np.full((120, 160, 3), 240, np.uint8)
    bgr[60:], bgr[30:33, 40:43] = 40, 0
    alpha = np.ones((120, 160), np.float32)
    alpha[:, :20] = 0
    levels = cloth_levels([Painted((9, 5, 169, 125), bgr, alpha)], (140, 200), 100.0)
    assert levels.shape == (70, 100)
    assert levels[20, 50] == pytest.approx(240, abs=25)
    assert levels[50, 50] == pytest.approx(40, abs=2)
    assert levels[20, 4] == 0
    # a sliver at the picture's edge between every fourth row and column tells nothing
    sliver = Painted((1, 1, 3, 3), bgr[:2, :2], alpha[:2, 20:22])
    assert not cloth_levels([sliver], (140, 200), 100.0).any()


def test_a_button_leaves_no_ring_on_the_new_garment() -> None:
    worn = np.ones((200, 200), np.float32)
    bgr = np.full((200, 200, 3), 230, np.uint8)
    cv2.circle(bgr, (100, 100), 8, (40, 60, 90), -1)
    assert np.abs(relief(bgr, worn, 200.0) - 1).max() < 0.05


def test_a_dim_scene_dims_the_garment_and_keeps_its_colour() -> None:
    nobody = np.zeros((90, 120), np.float32)
    bright = scene_gain(np.full((90, 120, 3), 235, np.uint8), nobody)
    dim = scene_gain(np.full((90, 120, 3), 120, np.uint8), nobody)
    assert (dim < bright).all()
    assert (dim > 0.6).all()
    blue = scene_gain(np.full((90, 120, 3), (255, 150, 120), np.uint8), nobody)
    assert blue.max() / blue.min() < 1.3


def test_a_coloured_wall_is_no_coloured_light_where_something_grey_is_seen() -> None:
    nobody = np.zeros((90, 120), np.float32)
    room = np.full((90, 120, 3), 200, np.uint8)
    wall = room.copy()
    wall[:, 30:] = (210, 140, 70)
    np.testing.assert_allclose(scene_gain(wall, nobody), scene_gain(room, nobody), atol=0.04)


@pytest.mark.parametrize("room", [0, 40, 90])
def test_something_bright_on_the_wearer_shows_that_the_wall_is_dark_and_not_the_light(room: int) -> None:
    person = np.zeros((90, 120), np.float32)
    person[20:, 30:90] = 1
    bgr = np.full((90, 120, 3), room, np.uint8)
    bgr[person > 0] = 60
    dark = scene_gain(bgr, person)
    # a forehead, a shirt
    bgr[20:40, 50:80] = 210
    assert scene_gain(bgr, person).mean() > 0.9 > dark.mean() + 0.2


def test_what_is_worn_does_not_colour_the_scene() -> None:
    room = np.full((90, 120, 3), 220, np.uint8)
    person = np.zeros((90, 120), np.float32)
    person[20:, 30:90] = 1
    orange = np.where(person[..., None] > 0, np.uint8([[[0, 90, 250]]]), room)
    np.testing.assert_allclose(scene_gain(orange, person), scene_gain(room, person), atol=0.02)


def test_where_nothing_is_dark_a_black_garment_is_not_either() -> None:
    rng = np.random.default_rng(0)
    room = rng.integers(2, 250, (90, 120, 3)).astype(np.uint8)
    hazy = np.maximum(room, 60)
    nobody = np.zeros((90, 120), np.float32)
    black = Painted((0, 0, 2, 2), np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), np.float32))
    clear, veiled = (scene_light(bgr, nobody).veiled([(TORSO, black)])[TORSO].bgr.mean() for bgr in (room, hazy))
    assert clear < 25
    assert veiled == pytest.approx(60, abs=8)
