"""Key points: from BlazePose and from files, made complete; and the crop they frame."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vastra_live.errors import InputError, NothingToFitError
from vastra_live.synthesis.conditions.crop import SHOULDER_WIDTH, SHOULDERS_AT, Crop, frame_person, whole_picture
from vastra_live.synthesis.conditions.drawing import draw_crop, draw_keypoints
from vastra_live.synthesis.conditions.keypoints import (
    TORSO_LENGTH,
    Keypoints,
    Point,
    complete_torso,
    from_blazepose,
    read_openpose,
    to_coco18,
)
from vastra_live.types import Body

WIDTH, HEIGHT = 640, 480


def seated_body(**changes: tuple[float, float, float]) -> Body:
    """Somebody at a desk: shoulders at three quarters of the height, hips guessed far below the picture.

    Changes: landmark name = x, y, visibility.
    """
    landmarks = {
        "nose": (0, 320, 190, 1.0), "left_eye": (2, 335, 170, 1.0), "right_eye": (5, 305, 170, 1.0),
        "left_ear": (7, 360, 180, 1.0), "right_ear": (8, 280, 180, 1.0),
        "left_shoulder": (11, 420, 340, 1.0), "right_shoulder": (12, 220, 340, 1.0),
        "left_elbow": (13, 470, 500, 0.3), "right_elbow": (14, 180, 450, 0.9),
        "left_wrist": (15, 480, 620, 0.1), "right_wrist": (16, 200, 420, 0.9),
        "left_hip": (23, 380, 700, 0.1), "right_hip": (24, 260, 700, 0.2),
    }  # fmt: skip
    points = np.full((33, 3), 0, np.float32)
    points[:, :2] = (320, 900)
    visibility = np.zeros(33, np.float32)
    for name, (index, *usual) in landmarks.items():
        *points[index, :2], visibility[index] = changes.get(name, usual)
    return Body(points, visibility, np.zeros((HEIGHT, WIDTH), np.float32), 0)


def test_neck_and_mid_hip_are_mid_points() -> None:
    keypoints = from_blazepose(seated_body(left_hip=(380, 470, 0.9), right_hip=(260, 470, 0.9)))
    assert_allclose(keypoints.points_px[Point.NECK], (320, 340))
    assert_allclose(keypoints.points_px[Point.MID_HIP], (320, 470))
    assert keypoints.points_px[Point.LEFT_SHOULDER][0] > keypoints.points_px[Point.RIGHT_SHOULDER][0]


def test_a_seated_person_gets_hips_below_the_picture() -> None:
    keypoints = from_blazepose(seated_body())
    assert not keypoints.present[[Point.RIGHT_HIP, Point.LEFT_HIP, Point.MID_HIP]].any()
    complete = complete_torso(keypoints)
    assert_allclose(complete.points_px[Point.MID_HIP], (320, 340 + 200 * TORSO_LENGTH))
    assert complete.points_px[Point.RIGHT_HIP][0] < 320 < complete.points_px[Point.LEFT_HIP][0]


def test_an_arm_that_leaves_the_picture_is_followed_to_its_edge() -> None:
    keypoints = from_blazepose(seated_body())
    assert keypoints.present[Point.LEFT_ELBOW] and not keypoints.present[Point.LEFT_WRIST]
    assert keypoints.has(Point.RIGHT_ELBOW, Point.RIGHT_WRIST)


def test_one_hip_is_enough() -> None:
    complete = complete_torso(from_blazepose(seated_body(right_hip=(260, 470, 0.9))))
    assert_allclose(complete.points_px[Point.RIGHT_HIP], (260, 470))
    assert complete.points_px[Point.LEFT_HIP][0] > 320
    assert complete.points_px[Point.LEFT_HIP][1] == 470


def test_a_missing_shoulder_mirrors_the_other() -> None:
    points, present = np.zeros((25, 2)), np.zeros(25, bool)
    points[[Point.NECK, Point.LEFT_SHOULDER]] = (100, 100), (140, 110)
    present[[Point.NECK, Point.LEFT_SHOULDER]] = True
    assert_allclose(complete_torso(Keypoints(points, present)).points_px[Point.RIGHT_SHOULDER], (60, 90))


def test_from_behind_the_hips_still_hang_down() -> None:
    body = seated_body(left_shoulder=(220, 340, 1.0), right_shoulder=(420, 340, 1.0))
    assert complete_torso(from_blazepose(body)).points_px[Point.MID_HIP][1] > 340


@pytest.mark.parametrize("at", [(320, 340), (320.4, 340)])
def test_shoulders_on_one_point_are_nothing_to_fit(at: tuple[float, float]) -> None:
    body = seated_body(left_shoulder=(*at, 1.0), right_shoulder=(320, 340, 1.0))
    with pytest.raises(NothingToFitError, match="side"):
        complete_torso(from_blazepose(body))


def test_no_shoulders_are_nothing_to_fit() -> None:
    with pytest.raises(NothingToFitError, match="shoulders"):
        complete_torso(Keypoints(np.zeros((25, 2)), np.zeros(25, bool)))


def write_people(path: Path, *people: dict[str, list[float]]) -> Path:
    path.write_text(json.dumps({"people": list(people)}))
    return path


def test_eighteen_points_are_reordered(tmp_path: Path) -> None:
    flat = [float(v) for i in range(18) for v in (10 + i, 100 + i, 0.5)]
    for field in ("pose_keypoints_2d", "pose_keypoints"):
        keypoints = read_openpose(write_people(tmp_path / "a.json", {field: flat}))
        assert_allclose(keypoints.points_px[Point.RIGHT_HIP], (18, 108))
        assert_allclose(keypoints.points_px[Point.LEFT_HIP], (21, 111))
        assert_allclose(keypoints.points_px[Point.MID_HIP], (19.5, 109.5))
        assert_array_equal(to_coco18(keypoints), np.reshape(flat, (18, 3))[:, :2])


def test_the_reordered_reference(shared: Path) -> None:
    ours = read_openpose(shared / "people/00006/keypoints.json")
    theirs = json.loads((shared / "reference/prep/00006_00-body25.json").read_text())["people"][0]["pose_keypoints_2d"]
    assert_array_equal(ours.points_px, np.reshape(theirs, (25, -1))[:, :2])


def test_of_several_people_the_largest_is_taken(tmp_path: Path) -> None:
    small = [v for i in range(25) for v in (10.0 + i, 10.0 + i % 5, 1.0)]
    large = [v for i in range(25) for v in (10.0 + 20 * i, 10.0 + 9 * (i % 5), 1.0)]
    file = write_people(tmp_path / "a.json", *({"pose_keypoints_2d": p} for p in (small, large)))
    assert read_openpose(file).points_px[24, 0] == 490


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"people": []}', "no person"),
        (json.dumps({"people": [{"pose_keypoints_2d": [0] * 75}]}), "no person"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "OpenPose"),
        ('{"people": 3}', "OpenPose"),
        ('{"people": [{}]}', "OpenPose"),
        ("[]", "OpenPose"),
        ("<html>", "OpenPose"),
        (json.dumps({"people": [{"pose_keypoints_2d": [float("nan")] * 75}]}), "OpenPose"),
        (json.dumps({"people": [{"pose_keypoints_2d": [1e9] * 75}]}), "in no picture"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "points.json"
    file.write_text(text)
    with pytest.raises(InputError, match=reason) as refusal:
        read_openpose(file)
    assert "points.json" in str(refusal.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_openpose(tmp_path / "none.json")


def test_the_crop_frames_shoulders_as_the_training_data_does() -> None:
    keypoints = complete_torso(from_blazepose(seated_body()))
    crop = frame_person(keypoints, (WIDTH, HEIGHT), (768, 1024))
    inside = keypoints.moved(crop.to_crop).points_px
    across = inside[Point.LEFT_SHOULDER] - inside[Point.RIGHT_SHOULDER]
    assert np.hypot(*across) == pytest.approx(SHOULDER_WIDTH * 768)
    assert inside[Point.NECK][0] == pytest.approx(768 / 2, abs=1)
    assert inside[Point.NECK][1] == pytest.approx(SHOULDERS_AT * 1024, abs=1)
    # a seated person: the lower part of the crop lies below the camera's picture
    shown = crop.inside()
    assert shown[400, 384] and not shown[1000, 384]


def test_the_whole_picture_is_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    crop = whole_picture((48, 64), (48, 64))
    assert_array_equal(crop.cut(picture), picture)
    assert_array_equal(crop.to_frame, [[1, 0, 0], [0, 1, 0]])
    with pytest.raises(ValueError, match="ratio"):
        whole_picture((64, 64), (48, 64))


def test_beyond_the_frame_edges_repeat_and_masks_end() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[-1] = 90
    crop = Crop(0, 20, 1.0, (40, 40), (40, 40))
    assert (crop.cut(picture)[25:] == 90).all()
    assert not crop.cut_alpha(np.ones((40, 40), np.float32))[21:].any()


def test_a_large_picture_is_averaged_down() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    cut = Crop(0, 0, 0.25, (100, 100), (400, 400)).cut(stripes)
    assert np.abs(cut[5:-5, 5:-5].astype(int) - 100).max() <= 2


@given(
    st.floats(-300, 900), st.floats(-300, 900), st.floats(0.1, 4.0), st.floats(0, 639), st.floats(0, 479)
)  # fmt: skip
def test_to_the_crop_and_back(left: float, top: float, scale: float, x: float, y: float) -> None:
    crop = Crop(left, top, scale, (192, 256), (WIDTH, HEIGHT))
    there = crop.to_crop @ (x, y, 1)
    back = crop.to_frame.astype(np.float64) @ (*there, 1)
    assert_allclose(back, (x, y), atol=2e-2)


@given(st.floats(0.3, 2.0))
def test_a_spot_lands_where_the_affine_says(scale: float) -> None:
    picture = np.zeros((120, 160), np.float32)
    cv2.circle(picture, (80, 60), 12, 1.0, -1)
    crop = Crop(10.0, 5.0, scale, (320, 240), (160, 120))
    moments = cv2.moments(crop.cut_alpha(picture))
    found = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    assert_allclose(found, crop.to_crop @ (80, 60, 1), atol=0.35)


def test_too_small_a_person_is_refused() -> None:
    keypoints = complete_torso(from_blazepose(seated_body()))
    tiny = keypoints.moved(np.array([[0.04, 0, 0], [0, 0.04, 0]]))
    with pytest.raises(NothingToFitError, match="too small"):
        frame_person(tiny, (WIDTH, HEIGHT))


def test_drawings_have_the_pictures_size() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    keypoints = complete_torso(from_blazepose(seated_body()))
    drawn = draw_keypoints(picture, keypoints)
    assert drawn.shape == picture.shape
    assert (drawn[340, 320] == 255).all(), "the neck is marked"
    boxed = draw_crop(picture, frame_person(keypoints, (WIDTH, HEIGHT)))
    assert boxed.shape == picture.shape and (boxed != picture).any()


def test_a_real_webcam_frame(shared: Path) -> None:
    from vastra_live.tracking.body import BlazePoseTracker
    from vastra_live.types import Frame

    video = cv2.VideoCapture(str(shared / "clips/book.mkv"))
    ok, bgr = video.read()
    video.release()
    assert ok
    tracker = BlazePoseTracker(static=True)
    try:
        body = tracker.track(Frame(bgr, 0, 0, "book"))
    finally:
        tracker.close()
    assert body is not None
    keypoints = complete_torso(from_blazepose(body))
    crop = frame_person(keypoints, (bgr.shape[1], bgr.shape[0]), (384, 512))
    assert crop.cut(bgr).shape == (512, 384, 3)
    # the wearer's face, not the wall, is at the crop's upper middle
    assert crop.cut_alpha(body.person_alpha)[60:120, 160:220].mean() > 0.5
