"""Where the wall is seen, hips are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.hips import beside_hips
from vastra_live.synthesis.embedded.skeleton import read_skeleton


def test_hips_are_no_wider_than_to_the_wall_that_is_seen_beside_them() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    x, y = (int(v) for v in s.pelvis)
    wall = np.zeros((360, 320), np.float32)
    # a gap beside the left hip, between it and an arm; one between the legs; a speck
    wall[y - 12 : y, x + 40 : x + 52] = wall[y + 40 :, x - 6 : x + 6] = wall[y - 10, x - 40] = 1
    free = beside_hips(wall, s)
    assert free[y - 36 : y - 2, x + 43 :].min() == 1
    assert free[:, : x + 38].max() == 0
    # and wider again further down, little by little
    assert free[y + 4, x + 40] < 0.5 < free[y + 4, x + 48]
    assert free[y + 80, : x + 78].max() == 0
    # nobody's hips are in a picture that ends above them
    assert beside_hips(np.ones((150, 320), np.float32), s).max() == 0


def test_hips_that_have_left_the_picture_have_no_wall_beside_them() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    for way in (-400, 400):
        gone = replace(s, pelvis=s.pelvis + np.array([way, 0], s.pelvis.dtype))
        assert np.isfinite(beside_hips(np.ones((360, 320), np.float32), gone)).all()


def test_a_torso_that_points_up_has_no_hips_below_it() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    assert beside_hips(np.ones((360, 320), np.float32), replace(s, down=-s.down)).max() == 0
