"""Sleeves that are read as the lower garment at their ends."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.skeleton import read_skeleton
from vastra_live.synthesis.embedded.sleeve_reading import keep_sleeves


@pytest.mark.parametrize("of_the_sleeve", [True, False])
def test_what_has_the_colour_of_the_sleeve_above_it_is_its_end(of_the_sleeve: bool) -> None:
    """Under a waistcoat, in whose colours the sleeve has no part; another colour is that of the hips behind."""
    _, body = drawn_person((320, 460))
    s = read_skeleton(body)
    arm, shape = s.left, body.person_alpha.shape
    share = np.zeros((5, *shape), np.float32)
    cells = np.zeros(shape, np.int64)
    middle = 0.4 * arm.elbow + 0.6 * arm.wrist
    for plane, start, end, cell in (
        (TOP, arm.shoulder, middle, 400),
        (LOWER, middle, arm.wrist, 400 if of_the_sleeve else 7000),
        (SKIN, arm.wrist, 2 * arm.tip - arm.wrist, 9000),
    ):
        stroke = np.zeros(shape, np.uint8)
        cv2.line(stroke, *(tuple(int(v) for v in point) for point in (start, end)), 1, int(0.24 * s.unit))
        share[:, stroke > 0] = 0
        share[plane][stroke > 0], cells[stroke > 0] = 1, cell
    share[BACKGROUND] = 1 - share.sum(axis=0)
    colours = np.full_like(share, 0.1)
    colours[TOP] = 0.001
    keep_sleeves(share, colours, cells.ravel(), s)
    x, y = np.round(0.3 * arm.elbow + 0.7 * arm.wrist).astype(int)
    assert (share[TOP, y, x] > 0.5) == of_the_sleeve
