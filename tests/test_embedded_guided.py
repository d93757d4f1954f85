from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vastra_live.synthesis.embedded.guided import GuidedSmoother
from vastra_live.types import F32, U8


def plain(guide_bgr: U8, plane: F32, radius: int, levels: float) -> F32:
    """The same, window by window, as the paper writes it."""
    guide = guide_bgr.astype(np.float64) / 255
    height, width = plane.shape
    pad = [(radius, radius), (radius, radius)]
    wide_guide = np.pad(guide, [*pad, (0, 0)], mode="symmetric")
    wide_plane = np.pad(plane.astype(np.float64), pad, mode="symmetric")
    lines = np.zeros((height, width, 4))
    for y in range(height):
        for x in range(width):
            colours = wide_guide[y : y + 2 * radius + 1, x : x + 2 * radius + 1].reshape(-1, 3)
            values = wide_plane[y : y + 2 * radius + 1, x : x + 2 * radius + 1].ravel()
            centred = colours - colours.mean(0)
            covariance = centred.T @ centred / len(colours) + np.eye(3) * (levels / 255) ** 2
            slope = np.linalg.solve(covariance, centred.T @ values / len(colours))
            lines[y, x] = (*slope, values.mean() - slope @ colours.mean(0))
    wide_lines = np.pad(lines, [*pad, (0, 0)], mode="symmetric")
    out = np.zeros_like(plane)
    for y in range(height):
        for x in range(width):
            line = wide_lines[y : y + 2 * radius + 1, x : x + 2 * radius + 1].reshape(-1, 4).mean(0)
            out[y, x] = line[:3] @ guide[y, x] + line[3]
    return out


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.floats(4, 40))
def test_the_fast_filter_equals_the_plain_one(seed: int, radius: int, levels: float) -> None:
    rng = np.random.default_rng(seed)
    guide = rng.integers(0, 256, (11, 13, 3), np.uint8)
    plane = rng.random((11, 13)).astype(np.float32)
    np.testing.assert_allclose(
        GuidedSmoother(guide, radius, levels).filter(plane), plain(guide, plane, radius, levels), atol=2e-3
    )


def test_a_ragged_map_takes_the_pictures_edge_and_loses_its_specks() -> None:
    truth = np.zeros((80, 80), np.float32)
    cv2.circle(truth, (40, 40), 24, 1.0, -1)
    guide = np.where(truth[..., None] > 0, (40, 60, 160), (150, 150, 150)).astype(np.uint8)
    rng = np.random.default_rng(3)
    ragged = cv2.blur(truth, (9, 9)) + rng.normal(0, 0.2, truth.shape).astype(np.float32)
    for shrink in (1, 2):
        smooth = GuidedSmoother(guide, 8, 10.0, shrink=shrink).filter(ragged)
        assert ((smooth > 0.5) == (truth > 0.5)).mean() > 0.995
        assert ((ragged > 0.5) == (truth > 0.5)).mean() < 0.985
