"""Telling whether the person seen now may be another one than the person seen before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vastra_live.types import F32

__all__ = ["WearerSettings", "Wearers"]

_SHOULDERS = [11, 12]


@dataclass(frozen=True, slots=True)
class WearerSettings:
    """When somebody may be somebody else.

    Attributes:
        away_s: who was looked for in vain for longer may have been replaced.
        jump: nobody moves further between two looks than this, in body sizes,
        speed: and in body sizes per second; a body size is about two shoulder widths, 0.8 m.
        growth: nor grows or shrinks in the picture by more than this factor.
    """

    away_s: float = 0.7
    jump: float = 0.45
    speed: float = 3.0
    growth: float = 1.7

    def __post_init__(self) -> None:
        if min(self.away_s, self.jump, self.speed) <= 0 or self.growth <= 1:
            raise ValueError(f"WearerSettings: expected positive limits and growth above 1, got {self}")


class Wearers:
    """Numbers the wearers of a run, by continuity alone: nobody's face or colours are compared or kept."""

    def __init__(self, settings: WearerSettings | None = None) -> None:
        self._settings = settings or WearerSettings()
        self._number = 0
        self._seen: tuple[F32, float, int] | None = None
        self._missing_since_ns: int | None = None

    def missed(self, time_ns: int) -> None:
        """Somebody was looked for at this time, and nobody was there."""
        if self._missing_since_ns is None:
            self._missing_since_ns = time_ns

    def number(self, landmarks_px: F32, size: float, time_ns: int) -> int:
        """The number of the person seen now: the one before's, or a new one where it may be another person.

        Args:
            landmarks_px: (33, 2 or more) float32, BlazePose order.
            size: size of the body in the same pixels, more than 0.
            time_ns: when they were seen, monotonic nanoseconds.
        """
        middle = landmarks_px[_SHOULDERS, :2].mean(axis=0)
        if self._seen is not None and not self._may_be_the_same(middle, size, time_ns):
            self._number += 1
        self._seen, self._missing_since_ns = (middle, size, time_ns), None
        return self._number

    def _may_be_the_same(self, middle: F32, size: float, time_ns: int) -> bool:
        assert self._seen is not None
        limits = self._settings
        # a pause in which nobody looked, as while a model loads, says nothing
        if self._missing_since_ns is not None and time_ns - self._missing_since_ns > limits.away_s * 1e9:
            return False
        before, size_before, seen_ns = self._seen
        moved = float(np.linalg.norm(middle - before)) / max(size, size_before)
        grown = max(size, size_before) / min(size, size_before)
        return moved <= max(limits.jump, limits.speed * (time_ns - seen_ns) * 1e-9) and grown <= limits.growth
