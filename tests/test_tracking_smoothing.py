"""One Euro: calm at rest, no lag in motion, fresh after a pause."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vastra_live.tracking.smoothing import OneEuroFilter, OneEuroSettings
from vastra_live.types import F32

STEP_NS = 33_333_333
SIZE = 200.0


def _plain(points: F32, settings: OneEuroSettings) -> F32:
    """The paper's filter for one point at a time, in Python floats."""
    step, out = STEP_NS * 1e-9, []

    def weight(cutoff: float) -> float:
        tau = 1 / (2 * np.pi * cutoff)
        return 1 / (1 + tau / step)

    value, speed = points[0], np.zeros_like(points[0])
    for now in points:
        if out:
            speed = speed + weight(settings.speed_cutoff_hz) * ((now - value) / (step * SIZE) - speed)
            value = value + weight(settings.min_cutoff_hz + settings.beta * float(np.hypot(*speed))) * (now - value)
        out.append(value)
    return np.stack(out)


def _run(points: F32) -> F32:
    one_euro = OneEuroFilter()
    return np.stack([one_euro.smooth(p, SIZE, 1 + i * STEP_NS) for i, p in enumerate(points)])


def test_equals_the_plain_filter() -> None:
    track = np.random.default_rng(0).normal(300, 40, (20, 5, 2)).astype(np.float32)
    ours = _run(track)
    for point in range(5):
        np.testing.assert_allclose(ours[:, point], _plain(track[:, point], OneEuroSettings()), rtol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 50), st.floats(-1000, 1000))
def test_scale_and_place_of_the_body_do_not_matter(scale: float, shift: float) -> None:
    track = np.random.default_rng(1).normal(0, 1, (12, 3, 2)).astype(np.float32)
    one, other = OneEuroFilter(), OneEuroFilter()
    for i, points in enumerate(track):
        plain = one.smooth(points, 1.0, 1 + i * STEP_NS)
        moved = other.smooth((points * scale + shift).astype(np.float32), scale, 1 + i * STEP_NS)
        np.testing.assert_allclose(moved, plain * scale + shift, atol=2e-3 * scale + 2e-3 * abs(shift) + 1e-4)


def test_rest_is_calm_and_motion_does_not_lag() -> None:
    rng = np.random.default_rng(2)
    rest = (100 + rng.normal(0, 0.5, (60, 1, 2))).astype(np.float32)
    assert _run(rest)[20:].std() < 0.45 * rest[20:].std()
    sweep = np.linspace(0, 2 * SIZE, 30, dtype=np.float32)[:, None, None].repeat(2, axis=2)  # two bodies a second
    assert np.abs(_run(sweep) - sweep)[10:].max() < 0.05 * SIZE


def test_a_pause_starts_afresh() -> None:
    one_euro = OneEuroFilter()
    far = np.full((1, 2), 500, np.float32)
    one_euro.smooth(np.zeros((1, 2), np.float32), SIZE, 1)
    np.testing.assert_array_equal(one_euro.smooth(far, SIZE, 2_000_000_000), far)
    one_euro.reset()
    np.testing.assert_array_equal(one_euro.smooth(far * 0, SIZE, 2_010_000_000), far * 0)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="positive"):
        OneEuroSettings(min_cutoff_hz=0)
