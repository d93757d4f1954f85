"""A product photo becomes a garment, or is refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vastra_live.errors import GarmentError, PictureError
from vastra_live.pictures import read_picture, write_picture
from vastra_live.types import F32, U8, Category, Garment, Sleeve
from vastra_live.wardrobe.category import classify, measure
from vastra_live.wardrobe.cutout import cut_out
from vastra_live.wardrobe.faint import steady_outline
from vastra_live.wardrobe.hanger import without_hanger
from vastra_live.wardrobe.intake import LONG_SIDE_PX, read_garment
from vastra_live.wardrobe.landmarks import find_landmarks
from vastra_live.wardrobe.matte import soft_alpha
from vastra_live.wardrobe.silhouette import read_silhouette
from vastra_live.wardrobe.store import BUILT_IN

Points = dict[str, tuple[float, float]]

# right halves (the wearer's left), x from the middle, y down; mirrored to closed outlines by `outline`
SHAPES = {
    "tee": [(60, 40), (130, 70), (215, 210), (160, 240), (132, 190), (128, 480)],
    "long": [(60, 40), (130, 70), (215, 520), (180, 525), (132, 190), (128, 480)],
    "tank": [(50, 40), (85, 42), (88, 130), (130, 190), (122, 320), (130, 480)],
    "camisole": [(70, 40), (78, 40), (84, 110), (118, 150), (105, 260), (118, 420)],
    "off-shoulder": [(120, 80), (150, 72), (215, 200), (170, 225), (128, 180), (110, 300), (125, 460)],
    "crop": [(60, 40), (125, 70), (200, 190), (150, 215), (128, 175), (124, 260)],
    "trousers": [(95, 40), (105, 120), (120, 560), (50, 560), (0, 190)],
    "shorts": [(110, 40), (125, 120), (150, 330), (30, 330), (0, 190)],
    "skirt": [(80, 40), (130, 160), (190, 420)],
    "dress": [(40, 40), (75, 44), (70, 100), (92, 140), (72, 240), (160, 560)],
}
DIPS = {"tee": 70, "long": 70, "tank": 110, "dress": 80, "camisole": 120, "off-shoulder": 95, "crop": 75}
EXPECTED = {
    "tee": (Category.UPPER, Sleeve.SHORT),
    "long": (Category.UPPER, Sleeve.LONG),
    "tank": (Category.UPPER, Sleeve.NONE),
    "camisole": (Category.UPPER, Sleeve.STRAP),
    "off-shoulder": (Category.UPPER, Sleeve.SHORT),
    "crop": (Category.UPPER, Sleeve.SHORT),
    "trousers": (Category.LOWER, Sleeve.NONE),
    "shorts": (Category.LOWER, Sleeve.NONE),
    "skirt": (Category.LOWER, Sleeve.NONE),
    "dress": (Category.DRESS, Sleeve.NONE),
}


def shape_mask(kind: str, scale: float = 1.0, size: tuple[int, int] = (600, 480)) -> U8:
    """A drawn silhouette (H, W) uint8, 0 or 255."""
    right = np.array(SHAPES[kind], np.float64)
    left = right[::-1] * (-1, 1)
    ring = np.concatenate([right, left])
    if kind in DIPS:
        neck = right[0]
        dip = [
            (x, neck[1] + (DIPS[kind] - neck[1]) * (1 - (x / neck[0]) ** 2)) for x in np.linspace(-neck[0], neck[0], 15)
        ]
        ring = np.concatenate([ring, dip])
    rows, columns = round(size[0] * scale), round(size[1] * scale)
    pixels = np.rint((ring * scale + (columns / 2, 0)) * 16).astype(np.int32)
    mask = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(mask, [pixels], 255, cv2.LINE_8, 4)
    return mask


def photo(mask: U8, colour: tuple[int, int, int], ground: tuple[int, int, int], noise: float = 1.0) -> U8:
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.7)[:, :, None]
    mixed = soft * np.array(colour, np.float32) + (1 - soft) * np.array(ground, np.float32)
    grain = np.random.default_rng(1).normal(0, noise, mixed.shape)
    return np.rint(np.clip(mixed + grain, 0, 255)).astype(np.uint8)


def landmarks(mask: U8) -> tuple[Category, Points, Sleeve]:
    silhouette = read_silhouette(mask)
    kind = classify(measure(silhouette))
    points, sleeve = find_landmarks(silhouette, kind)
    return kind, points, sleeve


def cut_alpha(picture: U8) -> F32:
    cutout = cut_out(picture)
    return soft_alpha(picture, cutout.mask, cutout.ground)


def iou(mask: F32 | U8, truth: U8) -> float:
    a, b = mask > mask.max() / 2, truth > 127
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("kind", SHAPES)
def test_category_and_sleeve_are_read_off_the_silhouette(kind: str) -> None:
    category, _, sleeve = landmarks(shape_mask(kind))
    assert (category, sleeve) == EXPECTED[kind]


@pytest.mark.parametrize("apart", [6, 60])
def test_an_open_front_parts_no_legs(apart: int) -> None:
    mask = shape_mask("long")
    cv2.fillPoly(mask, [np.array([[240, 100], [240 - apart // 2, 490], [240 + apart // 2, 490]])], 0)
    category, _, sleeve = landmarks(mask)
    assert (category, sleeve) == (Category.UPPER, Sleeve.LONG)


def test_straps_do_not_make_a_top_a_dress() -> None:
    mask = shape_mask("camisole")
    mask = np.pad(mask, ((140, 0), (0, 0)))
    for x in (166, 314):
        cv2.line(mask, (x, 20), (x, 186), 255, 6)
    assert landmarks(mask)[0] is Category.UPPER


def test_the_points_of_a_long_sleeve_lie_where_they_were_drawn() -> None:
    _, points, _ = landmarks(shape_mask("long"))
    drawn = {
        "neck_left": (300, 40),
        "armpit_left": (372, 190),
        "cuff_outer_left": (455, 520),
        "cuff_inner_left": (420, 525),
        "hem_left": (368, 480),
        "cuff_outer_right": (25, 520),
        "hem_right": (112, 480),
    }
    for name, expected in drawn.items():
        assert points[name] == pytest.approx(expected, abs=14), name


def test_two_armpits_at_one_depth_are_both_seen() -> None:
    """They are so deep that sleeves that lie against the body are thought of; by a hair on one side only."""
    halves = []
    for armpit in ((122, 266), (119, 272)):
        half = [(60, 40), (130, 70), (205, 215), (160, 245), armpit, (128, 560)]
        halves.append(np.array(half, np.float64))
    ring = np.concatenate([halves[0], halves[1][::-1] * (-1, 1)])
    mask = np.zeros((600, 480), np.uint8)
    cv2.fillPoly(mask, [np.rint(ring + np.array([240, 0])).astype(np.int32)], 255)
    _, points, sleeve = landmarks(mask)
    assert sleeve is Sleeve.SHORT
    assert points["armpit_left"] == pytest.approx((362, 266), abs=6)
    assert points["armpit_right"] == pytest.approx((121, 272), abs=6)


def test_the_points_of_trousers_lie_where_they_were_drawn() -> None:
    _, points, _ = landmarks(shape_mask("trousers"))
    drawn = {
        "waist_left": (335, 40),
        "crotch": (240, 190),
        "cuff_outer_left": (360, 560),
        "cuff_inner_left": (290, 560),
    }
    for name, expected in drawn.items():
        assert points[name] == pytest.approx(expected, abs=14), name


@given(kind=st.sampled_from(sorted(SHAPES)), shift=st.integers(-15, 15))
@settings(max_examples=20, deadline=None)
def test_mirroring_a_photo_swaps_left_and_right(kind: str, shift: int) -> None:
    mask = np.roll(shape_mask(kind), shift, axis=1)
    mask[:300, : mask.shape[1] // 2] = cv2.erode(mask[:300, : mask.shape[1] // 2], np.ones((3, 3), np.uint8))
    _, points, sleeve = landmarks(mask)
    _, mirrored, mirrored_sleeve = landmarks(np.ascontiguousarray(mask[:, ::-1]))
    assert sleeve is mirrored_sleeve
    swap = {"left": "right", "right": "left"}
    for name, (x, y) in points.items():
        role, _, side = name.rpartition("_")
        other = mirrored[f"{role}_{swap[side]}" if side in swap else name]
        assert other == pytest.approx((mask.shape[1] - 1 - x, y), abs=8), name


@given(kind=st.sampled_from(sorted(SHAPES)), scale=st.floats(0.7, 2.5))
@settings(max_examples=20, deadline=None)
def test_scaling_a_photo_scales_the_points(kind: str, scale: float) -> None:
    _, points, _ = landmarks(shape_mask(kind))
    _, scaled, _ = landmarks(shape_mask(kind, scale))
    for name, (x, y) in points.items():
        assert scaled[name] == pytest.approx((x * scale, y * scale), abs=10 * max(1, scale)), name


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


def shaded(mask: U8, colour: tuple[int, int, int], ground: tuple[int, int, int], blur: float, share: float) -> U8:
    """A garment of grained cloth that throws a soft shadow to its lower right."""
    picture = photo(mask, colour, ground).astype(np.float32)
    picture[mask > 0] += np.random.default_rng(2).normal(0, 4, (*mask.shape, 1))[mask > 0]
    spot = cv2.GaussianBlur(np.roll(mask, (8, 6), (0, 1)).astype(np.float32) / 255, (0, 0), blur)
    light = 1 - share * spot * (1 - mask.astype(np.float32) / 255)
    return np.asarray(np.clip(picture * light[:, :, None], 0, 255), np.uint8)


@pytest.mark.parametrize(("blur", "share"), [(4, 0.3), (9, 0.35), (18, 0.25)])
@pytest.mark.parametrize("kind", ["long", "trousers"])
def test_pale_cloth_is_told_from_its_own_shadow(kind: str, blur: float, share: float) -> None:
    mask = shape_mask(kind)
    picture = shaded(mask, (246, 247, 248), (226, 227, 228), blur, share)
    assert iou(cut_alpha(picture), mask) > 0.94


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


def test_a_large_photo_is_brought_to_the_kept_size(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    write_picture(path, photo(shape_mask("tee", 3.0), (40, 40, 160), (240, 240, 240)))
    garment = read_garment(path)
    assert max(garment.bgr.shape) == LONG_SIDE_PX
    assert garment.name == "large"


def test_an_alpha_channel_is_the_mask(tmp_path: Path) -> None:
    mask = shape_mask("tee")
    path = tmp_path / "cut.png"
    # the colours are the same everywhere: only the alpha channel can tell
    write_picture(path, np.full((*mask.shape, 3), 90, np.uint8), mask.astype(np.float32) / 255)
    garment = read_garment(path)
    assert iou(garment.alpha, mask) > 0.99
    assert garment.category is Category.UPPER


def test_a_mask_replaces_every_guess(tmp_path: Path) -> None:
    mask = shape_mask("tee")
    noise = np.random.default_rng(0).integers(0, 255, (*mask.shape, 3)).astype(np.uint8)
    write_picture(tmp_path / "hard.png", noise)
    write_picture(tmp_path / "mask.png", np.repeat(mask[:, :, None], 3, axis=2))
    garment = read_garment(tmp_path / "hard.png", "dress", mask_path=tmp_path / "mask.png", name="mine")
    assert iou(garment.alpha, mask) > 0.98
    assert garment.category is Category.DRESS
    assert garment.name == "mine"
    for size, message in (((100, 600), "does not fit"), ((600, 480), "no usable mask")):
        write_picture(tmp_path / "bad.png", np.zeros((*size, 3), np.uint8))
        with pytest.raises(GarmentError, match=message):
            read_garment(tmp_path / "hard.png", mask_path=tmp_path / "bad.png")


def two() -> U8:
    return np.concatenate([photo(shape_mask("tee"), (60, 20, 20), (240, 240, 240))] * 2, axis=1)


def landscape() -> U8:
    y, x = np.indices((400, 600))
    sky = np.stack([230 - 0 * y, 180 - 0.1 * y, 120 - 0.1 * y], axis=-1)
    land = np.array([60, 120, 70]) + np.random.default_rng(0).normal(0, 20, (400, 600, 3))
    return np.clip(np.where((y > 250 + 40 * np.sin(x / 70))[:, :, None], land, sky), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((400, 300, 3), 240, np.uint8), "nothing stands out from the ground"),
        (np.random.default_rng(0).integers(0, 255, (400, 300, 3)).astype(np.uint8), "no garment on a plain ground"),
        (landscape(), "no whole garment was found"),
        (two(), "several garments"),
        (photo(shape_mask("tee"), (60, 20, 20), (240, 240, 240))[:, 100:], "cut off at the left side"),
        (
            photo(np.pad(shape_mask("tee"), ((0, 0), (200, 200))), (60, 20, 20), (240, 240, 240))[85:400],
            "runs out at the top and at the bottom",
        ),
    ],
    ids=["blank", "noise", "landscape", "two", "cut off", "torso"],
)
def test_what_is_no_photo_of_one_garment_is_refused(picture: U8, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.png"
    write_picture(path, np.ascontiguousarray(picture))
    with pytest.raises(GarmentError, match=rf"odd\.png: .*{message}.*--mask"):
        read_garment(path)


def test_a_portrait_is_refused(tmp_path: Path) -> None:
    skimage_data = pytest.importorskip("skimage.data", reason="the portrait comes with the extra `demo`")
    path = tmp_path / "portrait.png"
    write_picture(path, np.ascontiguousarray(skimage_data.astronaut()[:, :, ::-1]))
    with pytest.raises(GarmentError, match=r"shows a person \(a face was found\)"):
        read_garment(path)


def test_a_worn_garment_is_refused_with_and_without_the_head(shared: Path, tmp_path: Path) -> None:
    person = shared / "people" / "00121" / "image.jpg"
    with pytest.raises(GarmentError, match=r"shows a person \(a face was found\)"):
        read_garment(person)
    write_picture(tmp_path / "headless.png", np.ascontiguousarray(read_picture(person).bgr[200:]))
    with pytest.raises(GarmentError, match=r"shows a person \(a hand was found\)"):
        read_garment(tmp_path / "headless.png")


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        read_garment(tmp_path / "missing.jpg")


def test_real_photos_masks_fit_and_categories_are_right(shared: Path) -> None:
    folder = shared / "garments"
    labels = json.loads((folder / "labels.json").read_text())
    garments = {name: read_garment(folder / name) for name in labels}
    assert {name: garment.category.value for name, garment in garments.items()} == labels
    fits = [
        iou(garments[path.name.replace(".mask", "")].alpha, read_picture(path).bgr[:, :, 0])
        for path in sorted(folder.glob("*.mask.jpg"))
    ]
    assert np.mean(fits) >= 0.985
    assert min(fits) >= 0.96


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


def test_a_small_photo_is_read_as_the_large_one_is(shared: Path, tmp_path: Path) -> None:
    path = shared / "garments" / "12562_00.jpg"
    large = read_garment(path)
    bgr = read_picture(path).bgr
    write_picture(
        tmp_path / "small.png", np.asarray(cv2.resize(bgr, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA))
    )
    small = read_garment(tmp_path / "small.png")
    assert small.alpha.shape == (410, 307)
    assert (small.category, small.sleeve) == (large.category, large.sleeve)
    assert iou(cv2.resize(small.alpha, large.alpha.shape[::-1]), (large.alpha * 255).astype(np.uint8)) > 0.97
    for name, (x, y) in large.landmarks_px.items():
        assert small.landmarks_px[name] == pytest.approx((0.4 * x, 0.4 * y), abs=12), name


def test_trousers_trimmed_to_their_box_are_not_taken_for_a_body(tmp_path: Path) -> None:
    mask = shape_mask("trousers")
    x, y, width, height = cv2.boundingRect(mask)
    trimmed = photo(mask, (60, 20, 20), (240, 240, 240))[y : y + height, x : x + width]
    write_picture(tmp_path / "trimmed.png", np.ascontiguousarray(trimmed))
    assert read_garment(tmp_path / "trimmed.png").category is Category.LOWER


def save_odd(folder: Path, kind: str, rgb: U8) -> Path:
    """A photo (H, W, 3) RGB as a shop or a phone may deliver it."""
    image = Image.fromarray(rgb)
    path = folder / f"{kind}.{'jpg' if kind in ('rotated', 'cmyk', 'grey') else 'webp' if kind == 'webp' else 'png'}"
    if kind == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    elif kind == "deep":
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint16)
        Image.fromarray(grey * 257).save(path)
    else:
        mode = {"cmyk": "CMYK", "grey": "L", "palette": "P"}.get(kind, "RGB")
        image.convert(mode, palette=Image.Palette.ADAPTIVE).save(path)
    return path


@pytest.mark.parametrize("kind", ["rotated", "cmyk", "grey", "deep", "palette", "webp"])
def test_odd_files_give_the_same_garment(kind: str, tmp_path: Path) -> None:
    mask = shape_mask("tee")
    garment = read_garment(save_odd(tmp_path, kind, photo(mask, (60, 20, 20), (240, 240, 240))))
    assert iou(garment.alpha, mask) > 0.96
    assert (garment.category, garment.sleeve) == EXPECTED["tee"]


def test_a_truncated_photo_is_refused_by_name(tmp_path: Path) -> None:
    whole = save_odd(tmp_path, "webp", photo(shape_mask("tee"), (60, 20, 20), (240, 240, 240))).read_bytes()
    (tmp_path / "half.webp").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureError, match=r"half\.webp: .*(fetch it again|save it)"):
        read_garment(tmp_path / "half.webp")


def test_a_gap_of_a_few_pixels_is_open_nearly_to_its_point(shared: Path) -> None:
    picture = read_picture(shared / "garments" / "00017_00.jpg").bgr
    found = cut_out(picture).mask
    # beside the left sleeve: ground to the level, eight pixels wide
    assert picture[525:565, 571].min() > 240
    assert (found[525:565, 571] == 0).all()
