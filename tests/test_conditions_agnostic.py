"""The person without the garment, against the training data's own files and the reference masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.conditions.agnostic import GREY, agnostic_mask, draw_agnostic, erase_garment, limb_radius
from vastra_live.synthesis.conditions.keypoints import Keypoints, Point, complete_torso, read_openpose
from vastra_live.synthesis.conditions.labels import Cihp

OPENPOSE_25 = ["00121", "00135", "00330", "00373", "00460"]
PEOPLE = ["00006", *OPENPOSE_25]


def person(shared: Path, name: str) -> tuple[np.ndarray, np.ndarray, Keypoints]:
    folder = shared / "people" / name
    keypoints = complete_torso(read_openpose(folder / "keypoints.json"))
    return read_picture(folder / "image.jpg").bgr, read_labels(folder / "parse.png"), keypoints


@pytest.mark.parametrize("name", PEOPLE)
def test_equals_the_reference_masks(shared: Path, name: str) -> None:
    picture, parse, keypoints = person(shared, name)
    (file,) = (shared / "reference").glob(f"**/prep/{name}_00-agnostic-mask.png")
    differs = read_labels(file) > 0
    assert_array_equal(draw_agnostic(picture, parse, keypoints), np.where(differs[:, :, None], GREY, picture))


@pytest.mark.parametrize("name", OPENPOSE_25)
def test_equals_the_data_sets_files(shared: Path, name: str) -> None:
    picture, parse, keypoints = person(shared, name)
    folder = shared / "people" / name
    theirs = read_picture(folder / "agnostic.jpg").bgr
    off = np.abs(draw_agnostic(picture, parse, keypoints).astype(int) - theirs).max(axis=2)
    assert (off <= 32).mean() >= 0.999
    erased = erase_garment(parse, keypoints)
    assert (erased == read_labels(folder / "parse-agnostic.png")).mean() >= 0.9999


def standing(size: tuple[int, int] = (192, 256)) -> Keypoints:
    """A frontal person in a picture of this width and height, arms hanging."""
    share = {
        Point.NOSE: (0.5, 0.15), Point.NECK: (0.5, 0.3),
        Point.RIGHT_SHOULDER: (0.33, 0.3), Point.RIGHT_ELBOW: (0.28, 0.5), Point.RIGHT_WRIST: (0.27, 0.7),
        Point.LEFT_SHOULDER: (0.67, 0.3), Point.LEFT_ELBOW: (0.72, 0.5), Point.LEFT_WRIST: (0.73, 0.7),
        Point.RIGHT_HIP: (0.4, 0.7), Point.LEFT_HIP: (0.6, 0.7), Point.MID_HIP: (0.5, 0.7),
    }  # fmt: skip
    points, present = np.zeros((25, 2)), np.zeros(25, bool)
    for point, at in share.items():
        points[point], present[point] = np.multiply(at, size), True
    return Keypoints(points, present)


def without(keypoints: Keypoints, *points: Point) -> Keypoints:
    present = keypoints.present.copy()
    present[list(points)] = False
    return Keypoints(keypoints.points_px, present)


def test_a_missing_arm_is_left_out_not_drawn_to_the_corner() -> None:
    parse = np.zeros((256, 192), np.uint8)
    whole = agnostic_mask(parse, standing())
    armless = agnostic_mask(parse, without(standing(), Point.LEFT_ELBOW, Point.LEFT_WRIST))
    assert not (armless & ~whole).any()
    elbow_x, elbow_y = standing().points_px[Point.LEFT_ELBOW].astype(int)
    assert whole[elbow_y + 30, elbow_x + 12] and not armless[elbow_y + 30, elbow_x + 12]
    assert not armless[:30, :30].any()


def test_what_is_not_covered_stays() -> None:
    picture = np.full((256, 192, 3), 200, np.uint8)
    parse = np.zeros((256, 192), np.uint8)
    parse[20:60, 80:110] = Cihp.FACE
    parse[185:, 60:130] = Cihp.TROUSERS
    chair = np.s_[100:200, :20]
    drawn = draw_agnostic(picture, parse, standing())
    assert (drawn[parse > 0] == 200).all()
    assert (drawn[chair] == 200).all()
    assert (drawn[120, 96] == GREY).all()


def test_hands_stay_and_sleeves_go() -> None:
    keypoints = standing()
    parse = np.full((256, 192), Cihp.LEFT_ARM, np.uint8)
    hidden = agnostic_mask(parse, keypoints)
    wrist_x, wrist_y = keypoints.points_px[Point.LEFT_WRIST].astype(int)
    assert hidden[wrist_y - 30, wrist_x]
    assert not hidden[wrist_y + 5 * limb_radius(keypoints), wrist_x]
    erased = erase_garment(parse, keypoints)
    assert erased[wrist_y - 30, wrist_x] == 0
    assert erased[wrist_y + 5 * limb_radius(keypoints), wrist_x] == Cihp.LEFT_ARM


@pytest.mark.parametrize("label", [Cihp.UPPER_CLOTHES, Cihp.DRESS, Cihp.COAT, Cihp.NECK])
def test_garment_and_neck_are_erased_everywhere(label: Cihp) -> None:
    assert not erase_garment(np.full((256, 192), label, np.uint8), standing()).any()


def test_hips_on_one_point_part_along_the_shoulders() -> None:
    keypoints = standing()
    points = keypoints.points_px.copy()
    points[Point.LEFT_HIP] = points[Point.RIGHT_HIP] = points[Point.MID_HIP]
    together = agnostic_mask(np.zeros((256, 192), np.uint8), Keypoints(points, keypoints.present))
    assert_array_equal(together, agnostic_mask(np.zeros((256, 192), np.uint8), keypoints))


def test_an_incomplete_torso_is_refused() -> None:
    with pytest.raises(ValueError, match="RIGHT_HIP"):
        agnostic_mask(np.zeros((256, 192), np.uint8), without(standing(), Point.RIGHT_HIP))


@given(st.lists(st.floats(-2000, 4000), min_size=50, max_size=50), st.lists(st.booleans(), min_size=25, max_size=25))
def test_any_points_draw_or_are_refused(values: list[float], present: list[bool]) -> None:
    from vastra_live.errors import NothingToFitError

    parse = np.full((64, 48), Cihp.LEFT_ARM, np.uint8)
    try:
        keypoints = complete_torso(Keypoints(np.reshape(values, (25, 2)), np.array(present)))
    except NothingToFitError:
        return
    assert agnostic_mask(parse, keypoints).shape == parse.shape
    assert erase_garment(parse, keypoints).shape == parse.shape
