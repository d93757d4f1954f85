"""A garment is cut out of its photo: grounds, shadows, gaps and edges."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.drawn_photos import cut_alpha, iou, photo, shaded, shape_mask
from vastra_live.pictures import read_picture
from vastra_live.types import U8, Garment
from vastra_live.wardrobe.cutout import cut_out
from vastra_live.wardrobe.difference import read_difference
from vastra_live.wardrobe.faint import steady_outline
from vastra_live.wardrobe.gaps import open_gaps
from vastra_live.wardrobe.ground import Ground
from vastra_live.wardrobe.hanger import without_hanger
from vastra_live.wardrobe.intake import read_garment
from vastra_live.wardrobe.matte import soft_alpha
from vastra_live.wardrobe.shadow import with_tinted_shadow
from vastra_live.wardrobe.store import BUILT_IN


@pytest.mark.parametrize(
    ("colour", "ground"),
    [
        ((40, 40, 160), (255, 255, 255)),
        ((25, 22, 20), (246, 246, 246)),
        ((251, 252, 253), (242, 242, 242)),
        ((245, 245, 246), (255, 255, 255)),
        ((60, 160, 90), (150, 160, 190)),
        ((200, 200, 205), (90, 60, 40)),
    ],
)
@pytest.mark.parametrize("kind", ["tee", "trousers"])
def test_the_mask_fits_on_white_grey_and_coloured_grounds(
    kind: str, colour: tuple[int, int, int], ground: tuple[int, int, int]
) -> None:
    mask = shape_mask(kind)
    faint = max(abs(a - b) for a, b in zip(colour, ground, strict=True)) < 16
    assert iou(cut_alpha(photo(mask, colour, ground)), mask) > (0.97 if faint else 0.99)


def test_a_gradient_and_a_soft_shadow_belong_to_the_ground() -> None:
    mask = shape_mask("tee")
    picture = photo(mask, (120, 60, 40), (235, 236, 238)).astype(np.float32)
    y, x = np.indices(mask.shape, np.float32)
    shadow = cv2.GaussianBlur(np.roll(mask, (10, 8), (0, 1)).astype(np.float32) / 255, (0, 0), 9)
    light = (1 - 0.10 * y / y.max() - 0.05 * (x / x.max() - 0.5) ** 2) * (1 - 0.35 * shadow * (mask == 0))
    shaded = np.clip(picture * light[:, :, None], 0, 255).astype(np.uint8)
    assert iou(cut_alpha(shaded), mask) > 0.98


@pytest.mark.parametrize(("blur", "share"), [(4, 0.3), (9, 0.35), (18, 0.25)])
@pytest.mark.parametrize("kind", ["long", "trousers"])
def test_pale_cloth_is_told_from_its_own_shadow(kind: str, blur: float, share: float) -> None:
    mask = shape_mask(kind)
    picture = shaded(mask, (246, 247, 248), (226, 227, 228), blur, share)
    assert iou(cut_alpha(picture), mask) > 0.94


@pytest.mark.parametrize("colour", [(238, 240, 243), (120, 90, 60)], ids=["pale", "dark"])
def test_a_shadow_with_a_hue_of_its_own_is_ground(colour: tuple[int, int, int]) -> None:
    mask = shape_mask("tee", 1.5)
    picture = shaded(mask, colour, (224, 224, 224), 18, 0.6, tint=0.12)
    assert iou(cut_alpha(picture), mask) > 0.99


def test_the_hue_of_pale_cloth_is_not_taken_for_its_shadows() -> None:
    """The cloth's edge is as soft as a shadow, and nothing but it tells what hue a shadow has."""
    columns = np.arange(400)
    missing = np.where(columns < 60, 0, np.interp(columns, [60, 70, 86], [0, 0.09, 0.3]))[:, None]
    row = 224 * (1 - missing) + missing * np.array([30, 0, -30])
    row[columns > 150] = 20
    picture = np.rint(np.tile(row, (400, 1, 1))).astype(np.uint8)
    ground = Ground(np.full(picture.shape, 224, np.float32), sigma=0.35, plain=1.0)
    lit = np.tile(np.where(columns < 60, 255, 0).astype(np.uint8), (400, 1))
    assert not with_tinted_shadow(read_difference(picture, ground, 1.83), lit)[:, 100:].any()


def test_dark_cloth_on_a_dark_ground_is_no_shadow() -> None:
    mask = shape_mask("long")
    assert iou(cut_alpha(photo(mask, (20, 21, 22), (42, 42, 42))), mask) > 0.98


def test_the_gap_between_sleeve_and_body_is_ground_and_a_white_print_is_not() -> None:
    mask = shape_mask("long")
    cv2.rectangle(mask, (385, 460), (415, 475), 255, -1)
    picture = photo(mask, (130, 50, 50), (246, 246, 246), 0.4)
    cv2.circle(picture, (240, 260), 40, (252, 252, 252), -1)
    found = cut_out(picture).mask
    assert found[400, 392] == 0
    assert found[260, 240] == 255


@pytest.fixture(scope="module")
def tee() -> Garment:
    return read_garment(BUILT_IN / "coast-tee" / "photo.jpg")


def test_the_edge_is_soft_and_free_of_the_ground(tee: Garment) -> None:
    edge = (tee.alpha > 0.1) & (tee.alpha < 0.9)
    assert 800 < edge.sum() < 20_000
    # the photo's ground is nearly white, the tee dark: what little shows through would be bright
    assert tee.bgr[edge].mean() < 150


def test_the_inside_of_the_back_is_told_from_the_front(tee: Garment) -> None:
    assert tee.inside_alpha is not None
    x, y = tee.landmarks_px["neck_front"]
    assert tee.inside_alpha[round(y) - 12, round(x)] > 0.9
    assert tee.inside_alpha[round(y) + 12, round(x)] < 0.1


@pytest.mark.parametrize("colour", [(250, 250, 250), (128, 128, 128), (90, 120, 40)])
def test_a_built_in_garment_is_cut_out_again_on_other_grounds(tee: Garment, colour: tuple[int, int, int]) -> None:
    weight = tee.alpha[:, :, None]
    mixed = np.rint(tee.bgr * weight + np.array(colour) * (1 - weight)).astype(np.uint8)
    assert iou(cut_alpha(mixed), (tee.alpha * 255).astype(np.uint8)) > 0.985


def test_a_hanger_is_taken_off() -> None:
    mask = np.pad(shape_mask("tee"), ((60, 0), (0, 0)))
    bare = photo(mask, (150, 120, 60), (240, 240, 240))
    hung = bare.copy()
    wood = (30, 50, 90)
    cv2.fillPoly(
        hung, [np.array([[234, 70], [246, 70], [300, 140], [292, 146], [240, 100], [188, 146], [180, 140]])], wood
    )
    cv2.ellipse(hung, (240, 45), (12, 16), 0, -220, 60, (90, 90, 90), 5, cv2.LINE_AA)
    cv2.line(hung, (240, 60), (240, 78), (90, 90, 90), 5, cv2.LINE_AA)
    found = cut_out(hung).mask
    assert iou(found, mask) < 0.99
    freed = without_hanger(hung, found)
    assert freed[45:95, 220:260].max() == 0
    assert iou(freed, mask) > 0.96
    np.testing.assert_array_equal(without_hanger(bare, mask), mask)


def test_the_tip_of_a_hood_is_no_hook() -> None:
    mask = np.pad(shape_mask("tee"), ((60, 0), (0, 0)))
    cv2.fillPoly(mask, [np.array([(190, 130), (240, 40), (290, 130)])], 255)
    picture = photo(mask, (150, 120, 60), (240, 240, 240))
    np.testing.assert_array_equal(without_hanger(picture, mask), mask)


def ragged_hem() -> tuple[U8, U8]:
    """A silhouette, and the same with bites in its hem."""
    whole = shape_mask("tee", 1.7)
    bitten = whole.copy()
    bottom = round(480 * 1.7)
    for x, depth in zip(range(205, 620, 45), (9, 4, 7, 11, 3, 8, 10, 5, 9, 6), strict=True):
        cv2.ellipse(bitten, (x, bottom), (15, depth), 0, 0, 360, 0, -1)
    return whole, bitten


def test_a_faint_outline_runs_straight_and_keeps_its_corners() -> None:
    whole, bitten = ragged_hem()
    low = np.indices(whole.shape)[0] > 400 * 1.7
    found = steady_outline(bitten, np.where(low, 3, 40).astype(np.float32))
    rows = found.shape[0] - 1 - (found[::-1] > 0).argmax(axis=0)
    hem = slice(round((240 - 122) * 1.7), round((240 + 122) * 1.7))
    assert np.abs(rows[hem] - 480 * 1.7).max() < 4
    assert iou(found, whole) > 0.995


def test_a_clear_outline_is_left_as_it_is() -> None:
    _, bitten = ragged_hem()
    np.testing.assert_array_equal(steady_outline(bitten, np.full(bitten.shape, 40, np.float32)), bitten)


def test_the_narrow_gap_beside_a_pale_sleeve_stays_open() -> None:
    mask = shape_mask("long", 1.7)
    # the sleeve hangs down: a gap a fiftieth of the picture wide
    cv2.fillPoly(mask, [np.array([(636, 330), (736, 200), (760, 880), (662, 880)], np.int32)], 255)
    cv2.fillPoly(mask, [np.array([(630, 345), (640, 345), (661, 880), (630, 880)], np.int32)], 0)
    picture = photo(mask, (216, 217, 219), (205, 209, 210), 1.0).astype(np.float32)
    picture[mask > 0] += np.random.default_rng(2).normal(0, 5, (*mask.shape, 1))[mask > 0]
    found = cut_out(np.clip(picture, 0, 255).astype(np.uint8)).mask
    gap = (mask == 0)[420:800, 560:700]
    assert (found[420:800, 560:700][gap] == 0).mean() > 0.9


def test_a_shadow_beside_dark_cloth_leaves_no_fringe() -> None:
    mask = shape_mask("tee")
    picture = photo(mask, (40, 30, 30), (250, 250, 250), 0.5).astype(np.float32)
    near = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 4)
    picture[mask == 0] *= 1 - 0.5 * near[mask == 0][:, None]
    picture = np.rint(picture).astype(np.uint8)
    # as the watershed leaves it: a pixel too generous
    generous = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    alpha = soft_alpha(picture, generous, cut_out(picture).ground)
    beyond = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))) == 0
    assert alpha[beyond].max() < 0.4
    assert iou(alpha, mask) > 0.995


@pytest.mark.parametrize(("colour", "least"), [((190, 60, 60), 0.99), ((214, 215, 217), 0.98)])
def test_a_dark_shadow_ends_at_the_edge_of_the_cloth(colour: tuple[int, int, int], least: float) -> None:
    mask = shape_mask("long", 1.7)
    assert iou(cut_alpha(shaded(mask, colour, (238, 238, 238), 9, 0.6)), mask) > least
    assert iou(cut_alpha(shaded(mask, colour, (238, 238, 238), 14, 0.5)), mask) > least


def test_a_gap_of_a_few_pixels_is_open_nearly_to_its_point(shared: Path) -> None:
    picture = read_picture(shared / "garments" / "00017_00.jpg").bgr
    found = cut_out(picture).mask
    # beside the left sleeve: ground to the level, eight pixels wide
    assert picture[525:565, 571].min() > 240
    assert (found[525:565, 571] == 0).all()


def cut_and_opened(picture: U8) -> U8:
    cutout = cut_out(picture)
    return open_gaps(picture, cutout.mask, cutout.ground)


@pytest.mark.parametrize("shade", [0.0, 0.25])
def test_a_gap_is_open_up_to_its_point(shade: float) -> None:
    mask = shape_mask("tee", 1.7)
    # the sleeve hangs down beside the body
    cv2.fillPoly(mask, [np.array([(632, 323), (760, 323), (740, 640), (650, 640), (632, 540)], np.int32)], 255)
    cv2.fillPoly(mask, [np.array([(630, 640), (650, 640), (632, 540)], np.int32)], 0)
    picture = photo(mask, (60, 40, 120), (245, 245, 245), 0.6).astype(np.float32)
    rows = np.arange(530, 640)[:, None, None]
    picture[530:640, 600:665] *= 1 - shade * (640 - rows) / 110 * (mask[530:640, 600:665, None] == 0)
    found = cut_and_opened(np.asarray(np.clip(picture, 0, 255), np.uint8))
    gap = cv2.erode(255 - mask, np.ones((3, 3), np.uint8))[545:562, 610:670] > 0
    assert (found[545:562, 610:670][gap] == 0).mean() > 0.75
    assert iou(found, mask) > 0.985


def test_stripes_of_the_grounds_colour_are_no_gaps() -> None:
    mask = shape_mask("tee", 1.7)
    bottom = round(480 * 1.7)
    picture = photo(mask, (60, 40, 120), (245, 245, 245), 0.6)
    for x in range(230, 600, 40):
        picture[250 : bottom - 12, x : x + 4] = 245
    for y in range(300, 780, 50):
        picture[y : y + 5, 260:640][mask[y : y + 5, 260:640] > 0] = 245
    cutout = cut_out(picture)
    opened = open_gaps(picture, cutout.mask, cutout.ground)
    # above lie the armpits, which are
    np.testing.assert_array_equal(opened[345:], cutout.mask[345:])


def test_the_ripples_between_a_garment_and_the_pictures_border_are_ground() -> None:
    mask = shape_mask("tee", 1.7)[: round(480 * 1.7) + 6]
    picture = photo(mask, (40, 90, 200), (255, 255, 255), 0)
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    found = cut_out(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)).mask
    below = found[-3:, 220:600]
    assert (below == 0).mean() > 0.95


@pytest.mark.parametrize(("scale", "least"), [(0.6, 0.95), (1.0, 0.93)])
def test_the_ripples_of_a_small_jpeg_are_ground(scale: float, least: float) -> None:
    mask = shape_mask("long", scale)
    jpeg = cv2.imencode(".jpg", photo(mask, (120, 50, 20), (250, 250, 250), 0.0), [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    enlarged = 1024 / max(mask.shape)
    size = (round(mask.shape[1] * enlarged), 1024)
    picture = cv2.resize(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), size, interpolation=cv2.INTER_CUBIC)
    found = cut_out(np.asarray(picture, np.uint8), enlarged).mask
    assert iou(found, np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.uint8)) > least


def test_a_print_of_the_grounds_colour_is_no_gap_however_wide_the_margins_are() -> None:
    mask = np.pad(shape_mask("tee"), ((210, 210), (168, 168)))
    picture = photo(mask, (130, 50, 50), (246, 246, 246), 0.4)
    picture[530:610, 340:370] = photo(np.zeros((80, 30), np.uint8), (0, 0, 0), (246, 246, 246), 0.4)
    assert cut_out(picture).mask[540:600, 345:365].min() == 255
