"""Colours by weights beside their plain twins, and the sizes that pictures are shrunk to."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.mesh import Painted
from vastra_live.synthesis.embedded.mix import mixed, ramp, scaled
from vastra_live.synthesis.embedded.places import near_segments, segment_distance
from vastra_live.synthesis.embedded.scale import enlarged, enlarged_part, halved, shrunk
from vastra_live.synthesis.embedded.scene import cut_at_edge, cut_out, touched
from vastra_live.synthesis.embedded.skeleton import read_skeleton


def random_pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two pictures and a weight, with whole pixels of 0 and 1."""
    rng = np.random.default_rng(3)
    under, over = rng.uniform(0, 255, (2, 37, 53, 3)).astype(np.float32)
    return under, over, np.clip(rng.uniform(-0.3, 1.3, (37, 53)), 0, 1).astype(np.float32)


def test_mixing_is_what_broadcasting_gives() -> None:
    under, over, weight = random_pictures()
    assert np.abs(mixed(under, over, weight) - (under + weight[..., None] * (over - under))).max() < 0.01


def test_scaling_is_what_broadcasting_gives() -> None:
    under, _, weight = random_pictures()
    assert np.allclose(scaled(under, weight), under * weight[..., None])


def test_a_ramp_is_a_line_held_between_0_and_1() -> None:
    values = np.linspace(-1, 2, 31, dtype=np.float32)
    assert np.allclose(ramp(values, 1.6, -0.3), np.clip(1.6 * values - 0.3, 0, 1), atol=1e-6)
    assert ramp(values[:0], 1.6, -0.3).shape == (0,)


def test_mixing_and_scaling_into_a_part_of_a_picture_leave_the_rest() -> None:
    under, over, weight = random_pictures()
    part = np.s_[5:30, 7:40]
    for into in (under.copy(), np.vstack([under] * 3)[: len(under)]):
        mixed(into[part], over[part], weight[part], into[part])
        assert np.abs(into[part] - mixed(under, over, weight)[part]).max() < 0.01
        scaled(into[part], weight[part], into[part])
        into[part] = under[part]
        assert np.array_equal(into, under)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("part", [np.s_[0:6, 0:4], np.s_[10:52, 20:83], np.s_[30:74, 60:106], np.s_[0:74, 0:106]])
def test_a_part_is_enlarged_as_the_whole(part: tuple[slice, slice], factor: int) -> None:
    small = random_pictures()[0]
    whole = enlarged(small, (factor * 37, factor * 53))
    assert np.allclose(enlarged_part(small, factor, part), whole[part], atol=1e-3)


def test_a_layer_changes_whole_pixels_of_a_quarter_around_what_goes_and_comes() -> None:
    gone = np.zeros((80, 102), np.float32)
    gone[31:40, 51:60] = 0.1
    sleeve = Painted((33, 30, 45, 37), np.zeros((7, 12, 3), np.uint8), np.ones((7, 12), np.float32))
    rows, columns = touched(gone, [sleeve], 40.0)
    assert rows == slice(24, 48)
    assert columns == slice(28, 68)
    assert touched(gone, [sleeve], 4000.0) == (slice(0, 80), slice(0, 102))


def test_what_is_near_segments_is_what_their_distances_say() -> None:
    a, b, c = np.array([[-5.0, 12.0], [20.0, 30.5], [70.0, 33.0]])
    near = near_segments((40, 60), [(a, b), (b, c)], 9.0, 3.0)
    distance = np.minimum(segment_distance((40, 60), a, b)[0], segment_distance((40, 60), b, c)[0])
    assert np.allclose(near, np.clip((9 - distance) / 3, 0, 1), atol=1e-5)
    assert not near_segments((40, 60), [(a - 100, a - 90)], 9.0, 3.0).any()


def test_an_odd_size_is_halved_as_an_even_one_that_repeats_its_border() -> None:
    picture = np.arange(35, dtype=np.float32).reshape(5, 7)
    even = np.pad(picture, ((0, 1), (0, 1)), mode="edge")
    plain = even.reshape(3, 2, 4, 2).mean(axis=(1, 3))
    assert np.allclose(halved(picture), plain)


@pytest.mark.parametrize("size", [(64, 48), (61, 40), (20, 15), (7, 5), (90, 70)])
def test_shrinking_keeps_place_and_light(size: tuple[int, int]) -> None:
    y, x = np.mgrid[:70, :90].astype(np.float32)
    ramp = np.dstack([x, y, x + y])
    small = shrunk(ramp, size)
    assert small.shape == (size[1], size[0], 3)
    plain = cv2.resize(ramp, size, interpolation=cv2.INTER_AREA)
    inner = np.s_[1:-1, 1:-1]
    assert np.abs(small[inner] - plain[inner]).max() < 1.0


@pytest.mark.parametrize("pixels", [640 * 480, 30_000, 7_001])
def test_a_scene_has_even_sides_of_one_scale(pixels: int) -> None:
    frame, body = drawn_person()
    scene = cut_out(frame, body, read_skeleton(body), 100.0, pixels, legs=False)
    height, width = scene.person.shape
    x0, y0, x1, y1 = scene.box
    assert height % 2 == width % 2 == 0
    assert scene.bgr.shape == (height, width, 3)
    assert abs((x1 - x0) * scene.scale - width) < 0.6
    assert abs((y1 - y0) * scene.scale - height) < 0.6


def test_a_scene_with_legs_is_as_wide_as_a_skirt_that_swings() -> None:
    frame, body = drawn_person((700, 640), centre=(350, 130), unit=80)
    s, person = read_skeleton(body), body.person_alpha.copy()
    narrow = cut_out(frame, body, s, 100.0, 10**6, legs=True).box
    hem = int(s.left_leg.knee[1])
    person[int(s.pelvis[1]) : hem, 150:580] = 1
    wide = replace(body, person_alpha=person)
    box = cut_out(frame, wide, s, 100.0, 10**6, legs=True).box
    assert box[0] <= 150 < narrow[0]
    assert box[2] >= 580 > narrow[2]
    without = [cut_out(frame, b, s, 100.0, 10**6, legs=False).box for b in (body, wide)]
    assert without[0] == without[1]


def test_nothing_is_painted_before_a_table_that_hides_the_legs() -> None:
    """But a sleeve that lies on it is; and where legs or the picture end nothing is cut."""
    _, body = drawn_person((400, 560), centre=(200, 120), unit=80)
    s, person = read_skeleton(body), body.person_alpha.copy()
    whole = np.ones_like(person)
    cut_at_edge(whole, person, s)
    assert whole.min() == 1
    edge = int(s.left_leg.knee[1])
    cut_at_edge(whole[:edge], person[:edge], s)
    assert whole.min() == 1
    person[edge:] = 0
    person[edge : edge + 30, 40:70] = 1
    cut_at_edge(whole, person, s)
    assert whole[:edge].min() == 1
    assert whole[edge + 2 :, 150:250].max() == 0
    assert whole[edge + 2 : edge + 28, 44:66].min() == 1


def test_a_scene_is_as_wide_as_sleeves_that_puff_out() -> None:
    frame, body = drawn_person((700, 640), centre=(350, 130), unit=80)
    s, person = read_skeleton(body), body.person_alpha.copy()
    narrow = cut_out(frame, body, s, 100.0, 10**6, legs=False).box
    elbow = s.left.elbow.astype(int)
    end = round(float(narrow[2])) + 12
    person[elbow[1] - 20 : elbow[1] + 10, elbow[0] : end] = 1
    wide = cut_out(frame, replace(body, person_alpha=person), s, 100.0, 10**6, legs=False).box
    assert wide[2] > end > narrow[2]
    assert wide[0] == narrow[0]
    # what is much farther off is somebody else's
    person[elbow[1] - 20 : elbow[1] + 10, :] = 1
    most = cut_out(frame, replace(body, person_alpha=person), s, 100.0, 10**6, legs=False).box
    assert most[0] > 0
    assert most[2] < 700
