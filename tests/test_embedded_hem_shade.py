"""A hem between cloths of one colour: only its shade shows it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.hem_shade import settle_at_shade
from vastra_live.synthesis.embedded.reading import BACKGROUND, LOWER, TOP
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton

HEM = 255
SHAPE = (360, 320)


def white_over_white(
    soft: float = 40.0, shade: float = 40.0, tilt: float = 0.0
) -> tuple[np.ndarray, np.ndarray, Skeleton]:
    """A picture with a line of shade below a hem, and classes that go over into each other above it."""
    _, body = drawn_person()
    s = read_skeleton(body)
    rng = np.random.default_rng(5)
    rows, columns = np.indices(SHAPE).astype(np.float32)
    hem = HEM + tilt * (columns - s.pelvis[0])
    light = 220 + rng.normal(0, 2, SHAPE) - shade * ((rows >= hem) & (rows < hem + 4))
    # folds end at a hem, and do not run along it
    light -= 30 * ((np.abs(columns - s.pelvis[0]) < 2) & (rows > HEM))
    top = np.clip(0.5 - (rows - HEM + 8) / soft, 0, 1)
    body_of = np.abs(columns - s.pelvis[0]) < 0.5 * s.unit
    share = np.zeros((5, *SHAPE), np.float32)
    share[TOP], share[LOWER], share[BACKGROUND] = top * body_of, (1 - top) * body_of, ~body_of
    return np.repeat(light[..., None], 3, axis=2).clip(0, 255).astype(np.uint8), share, s


@pytest.mark.parametrize("tilt", [0.0, 0.08, -0.05])
def test_a_hem_of_the_same_colour_is_found_by_its_shade(tilt: float) -> None:
    bgr, share, s = white_over_white(tilt=tilt)
    settle_at_shade(bgr, share, s)
    for off in (-30, -8, 10, 30):
        x = int(s.pelvis[0]) + off
        found = np.flatnonzero(share[TOP, :, x] > share[LOWER, :, x])[-1]
        assert abs(found - (HEM + tilt * off)) < 3
        assert np.minimum(share[TOP, :, x], share[LOWER, :, x]).max() < 0.6
    assert np.allclose(share.sum(axis=0), 1, atol=1e-3)


@pytest.mark.parametrize(("soft", "shade"), [(4.0, 40.0), (40.0, 0.0)])
def test_what_colours_tell_or_no_shade_tells_is_left_as_it_is(soft: float, shade: float) -> None:
    bgr, share, s = white_over_white(soft, shade)
    before = share.copy()
    settle_at_shade(bgr, share, s)
    assert np.array_equal(share, before)


def test_a_sleeve_that_hangs_beside_the_hips_stays() -> None:
    bgr, share, s = white_over_white()
    sleeve = np.s_[:, int(s.pelvis[0] + 0.4 * s.unit) : int(s.pelvis[0] + 0.5 * s.unit)]
    share[TOP][sleeve], share[LOWER][sleeve] = 1, 0
    settle_at_shade(bgr, share, s)
    assert share[TOP][sleeve].min() == 1
