"""A silhouette's category, sleeve and points."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn_photos import EXPECTED, SHAPES, Points, iou, landmarks, photo, shape_mask
from vastra_live.errors import GarmentError
from vastra_live.pictures import write_picture
from vastra_live.types import U8, Category, Sleeve
from vastra_live.wardrobe import intake
from vastra_live.wardrobe.cutout import Cutout, cut_out
from vastra_live.wardrobe.silhouette import read_silhouette, sharp_armpit


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


def test_a_crease_at_the_end_of_a_leg_is_no_armpit() -> None:
    mask = shape_mask("trousers")
    crease = np.array([(50, 561), (70, 561), (80, 470), (36, 450)])
    for side in (-1, 1):
        cv2.fillPoly(mask, [crease * (side, 1) + (240, 0)], 0)
    silhouette = read_silhouette(mask)
    assert [sharp_armpit(half) for half in (silhouette.left, silhouette.right)] == [None, None]


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


def moved(points: Points, frame: npt.NDArray[np.float64]) -> Points:
    """Points as they lie in a picture that a (2, 3) frame was applied to."""
    return {name: (float(x), float(y)) for name, point in points.items() for x, y in [frame @ (*point, 1.0)]}


@given(
    kind=st.sampled_from(sorted(SHAPES)),
    degrees=st.floats(-5, 5),
    scale=st.floats(0.9, 1.8),
    margin=st.tuples(st.integers(60, 200), st.integers(60, 200)),
)
@settings(max_examples=25, deadline=None)
def test_however_a_garment_lies_in_its_photo_its_points_are_the_same(
    kind: str, degrees: float, scale: float, margin: tuple[int, int]
) -> None:
    mask = shape_mask(kind)
    category, points, sleeve = landmarks(mask)
    height, width = mask.shape
    frame = np.array(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale), np.float64)
    corners = np.abs(frame[:, :2]) @ (width / 2, height / 2)
    frame[:, 2] += corners + margin - (width / 2, height / 2)
    size = np.ceil(2 * corners + 2 * np.array(margin)).astype(int)
    turned = cv2.warpAffine(mask, frame, (int(size[0]), int(size[1])))
    found_category, found, found_sleeve = landmarks(np.where(turned > 127, 255, 0).astype(np.uint8))
    assert (found_category, found_sleeve) == (category, sleeve)
    allowed = 0.025 * scale * cv2.boundingRect(mask)[3]
    for name, expected in moved(points, frame).items():
        assert found[name] == pytest.approx(expected, abs=allowed), name


def folded(frill: int) -> U8:
    """A tee whose sleeves end in a frill of this width, beside a gather that is as sharp a corner."""
    mask = shape_mask("tee")
    for side in (1, -1):
        frills = [(216, 208), (216 + frill, 200 + frill), (158 + frill, 232 + frill), (158, 242)]
        cv2.fillPoly(mask, [np.array([(240 + side * x, y) for x, y in frills])], 255)
    return mask


def test_a_sleeves_end_does_not_leap_where_two_are_alike() -> None:
    ends = [np.array(landmarks(folded(frill))[1]["cuff_outer_left"]) for frill in range(4, 40, 3)]
    assert max(float(np.linalg.norm(b - a)) for a, b in pairwise(ends)) < 14


def test_a_print_that_is_open_to_the_ground_narrows_no_waist() -> None:
    mask = shape_mask("tee")
    _, points, _ = landmarks(mask)
    for y in range(300, 360, 20):
        cv2.circle(mask, (215, y), 9, 0, -1)
    _, printed, _ = landmarks(mask)
    for name in ("waist_left", "waist_right"):
        assert printed[name] == pytest.approx(points[name], abs=8), name


@pytest.mark.parametrize("height", [480, 1024, 1400])
def test_a_photo_is_read_at_one_size(height: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def cut(bgr: U8, enlarged: float) -> Cutout:
        seen.append(max(bgr.shape))
        return cut_out(bgr, enlarged)

    monkeypatch.setattr(intake, "cut_out", cut)
    mask = shape_mask("tee", height / 600)
    path = tmp_path / "tee.png"
    write_picture(path, photo(mask, (90, 60, 150), (240, 240, 240)))
    garment = intake.read_garment(path)
    assert seen == [1024]
    assert garment.alpha.shape == mask.shape
    assert iou(garment.alpha, mask) > 0.99


def silhouette_of(right: list[tuple[float, float]], *holes: list[tuple[float, float]]) -> U8:
    """A symmetric silhouette (600, 480) by its right half, and holes in it by theirs."""
    mask = np.zeros((600, 480), np.uint8)
    for ring, value in ((right, 255), *((hole, 0) for hole in holes)):
        half = np.array(ring, np.float64)
        whole = np.concatenate([half, half[::-1] * (-1, 1)]) + np.array([240, 0])
        cv2.fillPoly(mask, [np.rint(whole).astype(np.int32)], value)
    return mask


def test_a_skirt_that_flares_below_its_waistband_is_no_cape() -> None:
    assert landmarks(silhouette_of([(60, 80), (70, 110), (125, 150), (180, 420)]))[0] is Category.LOWER
    cape = silhouette_of([(40, 80), (70, 95), (150, 170), (180, 420)], [(38, 70), (0, 105)])
    assert landmarks(cape)[0] is Category.UPPER


def test_what_hangs_from_one_shoulder_and_a_tube_top_are_no_skirts() -> None:
    slanted = np.zeros((600, 480), np.uint8)
    ring = [(165, 60), (200, 60), (340, 200), (330, 420), (150, 420), (140, 180)]
    cv2.fillPoly(slanted, [np.array(ring, np.int32)], 255)
    assert landmarks(slanted)[0] is Category.UPPER
    tube = silhouette_of([(140, 200), (128, 330)])
    assert landmarks(tube)[0] is Category.UPPER
    assert landmarks(silhouette_of([(120, 200), (150, 330)]))[0] is Category.LOWER


def test_the_opening_of_a_halter_neck_is_its_neckline() -> None:
    halter = silhouette_of([(20, 60), (34, 90), (110, 220), (105, 420)], [(8, 68), (20, 90), (0, 190)])
    category, points, sleeve = landmarks(halter)
    assert category is Category.UPPER
    assert sleeve in (Sleeve.NONE, Sleeve.STRAP)
    assert points["hem_left"] == pytest.approx((345, 420), abs=10)


@pytest.mark.parametrize("sleeved", [False, True])
def test_a_jumpsuit_is_refused_unless_it_is_said_what_it_is(sleeved: bool, tmp_path: Path) -> None:
    sleeve = [(130, 280), (105, 285), (70, 150)] if sleeved else []
    collar = [(20, 30), (70, 45)] if sleeved else [(45, 30), (70, 36)]
    right = [*collar, *sleeve, (62, 200), (85, 330), (80, 570), (28, 570), (0, 310)]
    dips = [] if sleeved else [[(44, 20), (30, 90)]]
    path = tmp_path / "jumpsuit.png"
    write_picture(path, photo(silhouette_of(right, *dips), (90, 60, 150), (240, 240, 240)))
    with pytest.raises(GarmentError, match="jumpsuit"):
        intake.read_garment(path)
    assert intake.read_garment(path, "dress").category is Category.DRESS
