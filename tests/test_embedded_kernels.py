"""Fast kernels of the embedded synthesizer beside their slow plain twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.synthesis.embedded.colours import CELLS, learned
from vastra_live.synthesis.embedded.girth import middle_of
from vastra_live.synthesis.embedded.snap import _normals

RNG = np.random.default_rng(3)


def test_learned_colours_are_counted_and_smoothed_cell_by_cell() -> None:
    """A quarter of either neighbour, which is mirrored at the ends of the first axis and the last."""
    cells = np.append(RNG.integers(0, CELLS, 60), [0, CELLS - 1])
    weights = RNG.random((2, 1, len(cells)), dtype=np.float32)
    # too little of a class is seen: any colour is as likely
    weights[1] *= 0.01
    cube = np.bincount(cells, weights[0, 0], CELLS).reshape(24, 24, 24)
    for axis in range(3):
        along = np.moveaxis(cube, axis, 0)
        smooth = along.copy()
        for k in range(24):
            if axis != 1 or 0 < k < 23:
                smooth[k] = 0.5 * along[k] + 0.25 * (along[abs(k - 1)] + along[min(k + 1, 46 - k - 1)])
        cube = np.moveaxis(smooth, 0, axis)
    models = learned(cells, weights)
    np.testing.assert_allclose(models[0], cube.ravel() / cube.sum(), atol=1e-7)
    np.testing.assert_allclose(models[1], 1 / CELLS, rtol=1e-5)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=9))
def test_the_middle_of_a_few_is_their_median(values: list[float]) -> None:
    assert middle_of(values) == pytest.approx(float(np.median(values)))


def test_normals_are_square_to_the_gradient() -> None:
    points = RNG.random((7, 2)) * 40
    across = np.gradient(points, axis=0)
    normals = _normals(points)
    np.testing.assert_allclose((normals * across).sum(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(np.hypot(*normals.T), 1)
    assert (across[:, 0] * normals[:, 1] - across[:, 1] * normals[:, 0] < 0).all()
