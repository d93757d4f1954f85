"""One Euro filter: calm at rest, no lag in motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vastra_live.types import F32

__all__ = ["OneEuroFilter", "OneEuroSettings"]


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """How much to smooth.

    Attributes:
        min_cutoff_hz: cut-off of a point at rest; lower is calmer.
        beta: how fast the cut-off opens, in Hz for each body size per second of speed.
        speed_cutoff_hz: cut-off of the speed estimate itself.
        max_gap_s: after a longer pause the filter starts afresh; what was there before says nothing.
    """

    min_cutoff_hz: float = 0.8
    beta: float = 20.0
    speed_cutoff_hz: float = 3.0
    max_gap_s: float = 0.5

    def __post_init__(self) -> None:
        if min(self.min_cutoff_hz, self.speed_cutoff_hz, self.max_gap_s) <= 0 or self.beta < 0:
            raise ValueError(f"OneEuroSettings: expected positive cut-offs and gap, beta of 0 or more, got {self}")


class OneEuroFilter:
    """Smooths a set of points over time, each by its own speed.

    Casiez, Roussel, Vogel: "1 Euro Filter", CHI 2012, equations 1-5. Speed is measured in body sizes per
    second, so a person far away is treated like one near by, whatever the camera's resolution.
    """

    def __init__(self, settings: OneEuroSettings | None = None) -> None:
        self._settings = settings or OneEuroSettings()
        self._value: F32 | None = None
        self._speed: F32 | None = None
        self._seen_ns = 0

    def reset(self) -> None:
        """Forget everything; the next points come back as they are."""
        self._value = self._speed = None

    def smooth(self, points: F32, size: float, time_ns: int) -> F32:
        """The smoothed points.

        Args:
            points: (N, D) float32, in any unit.
            size: size of the body in the same unit, more than 0.
            time_ns: when the points were seen, monotonic nanoseconds.

        Returns:
            (N, D) float32. The points themselves after a reset, a pause or when time did not advance.
        """
        elapsed_s = (time_ns - self._seen_ns) * 1e-9
        usable = self._value is not None and self._value.shape == points.shape
        self._seen_ns = time_ns
        if self._value is None or not usable or not 0 < elapsed_s <= self._settings.max_gap_s:
            self._value = points.astype(np.float32, copy=True)
            self._speed = np.zeros_like(self._value)
            return self._value.copy()
        assert self._speed is not None
        raw_speed = (points - self._value) / (elapsed_s * size)
        self._speed += _weight(self._settings.speed_cutoff_hz, elapsed_s) * (raw_speed - self._speed)
        pace = np.linalg.norm(self._speed, axis=1, keepdims=True)
        cutoff = self._settings.min_cutoff_hz + self._settings.beta * pace
        self._value += _weight(cutoff, elapsed_s) * (points - self._value)
        return self._value.copy()


def _weight(cutoff_hz: F32 | float, elapsed_s: float) -> F32 | float:
    """Share of the new sample in a first-order low-pass (equation 3 with 4 put in)."""
    turns = 2 * math.pi * cutoff_hz * elapsed_s
    return turns / (turns + 1)
