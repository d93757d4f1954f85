"""The layer over the frame: like the float formula, within a level; nothing outside the box."""

from __future__ import annotations

import numpy as np
import pytest

from vastra_live.compositing.blend import blend_into
from vastra_live.types import U8, Carried


def _carried(box: tuple[int, int, int, int]) -> Carried:
    rng = np.random.default_rng(4)
    x0, y0, x1, y1 = box
    alpha = rng.integers(0, 256, (y1 - y0, x1 - x0)).astype(np.uint8)
    alpha[0], alpha[-1] = 0, 255
    colour = rng.integers(0, 256, (*alpha.shape, 3))
    return Carried(box, np.round(colour * (alpha[..., None] / 255)).astype(np.uint8), alpha, 1.0, 0.0)


def _plain(frame: U8, carried: Carried, opacity: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    out = frame.astype(float)
    x0, y0, x1, y1 = carried.box
    for y in range(y0, y1):
        for x in range(x0, x1):
            through = 1 - opacity * carried.alpha[y - y0, x - x0] / 255
            out[y, x] = through * out[y, x] + opacity * carried.premultiplied_bgr[y - y0, x - x0]
    return out


@pytest.mark.parametrize("opacity, levels", [(1.0, 1.01), (0.37, 2.01)])
def test_equals_the_plain_formula(opacity: float, levels: float) -> None:
    frame = np.random.default_rng(3).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    carried = _carried((5, 3, 33, 27))
    blended = frame.copy()
    blend_into(blended, carried, opacity)
    assert np.abs(blended - _plain(frame, carried, opacity)).max() <= levels


def test_outside_the_box_and_when_invisible_nothing_changes() -> None:
    frame = np.full((20, 20, 3), 90, np.uint8)
    blended = frame.copy()
    blend_into(blended, _carried((4, 4, 9, 9)), 0.0)
    np.testing.assert_array_equal(blended, frame)
    blend_into(blended, _carried((4, 4, 9, 9)), 1.0)
    blended[4:9, 4:9] = 90
    np.testing.assert_array_equal(blended, frame)


def test_an_empty_layer_is_no_error() -> None:
    frame = np.full((8, 8, 3), 90, np.uint8)
    empty = Carried((0, 0, 0, 0), np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.uint8), 0.0, 0.0)
    blend_into(frame, empty)
    assert (frame == 90).all()
