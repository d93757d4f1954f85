"""Propagation where the picture ends: what comes into it was not in the keyframe."""

from __future__ import annotations

import numpy as np
import pytest

from vastra_live.tracking.anchor import first_anchor
from vastra_live.tracking.expecting import expect
from vastra_live.tracking.following import follow
from vastra_live.tracking.leap import small_colours
from vastra_live.tracking.motion import Flow
from vastra_live.tracking.painted import Painted
from vastra_live.types import F32

HEIGHT, WIDTH = 480, 440


@pytest.mark.parametrize("step", [(0, 4), (4, 0)])
def test_what_comes_into_the_picture_misleads_nothing_beside_it(step: tuple[int, int]) -> None:
    """A wearer in a dark suit, cut off by the picture's edges, moves a known way across them."""
    pytest.importorskip("matplotlib")
    from vastra_live.capture.demo import Demo

    whole = Demo(asap=True).read().bgr
    mask: F32 = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[340:, 10:-10] = 1
    x, y = corner = np.array([20, 20]) - np.multiply(step, 5)
    first = whole[y : y + HEIGHT, x : x + WIDTH]
    identity = np.eye(2, 3, dtype=np.float32)
    anchor = first_anchor(Painted(first, first, mask, identity, "tee", None), small_colours(first))
    engine, found = Flow(), expect(anchor, None)
    for k in range(1, 6):
        x, y = corner + np.multiply(step, k)
        found = follow(engine, found, whole[y : y + HEIGHT, x : x + WIDTH])
    centres = found.window.centres()
    inside = (centres >= 0).all(axis=2) & (centres < (WIDTH, HEIGHT)).all(axis=2) & (found.expected_alpha > 0.5)
    off = np.linalg.norm(found.displacement() - np.multiply(step, 5), axis=2)[inside]
    assert np.percentile(off, 95) < 1
