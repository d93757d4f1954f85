"""A garment that rests while its wearer does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vastra_live.synthesis.embedded.skeleton import Point
from vastra_live.types import Category, Frame, Garment

__all__ = ["Rest"]

_STILL_KNOWN_NS = 1_500_000_000
_CUT_GIVES_WAY = 0.15
"""How much of a difference in where an edge lies is believed at each keyframe."""


@dataclass(frozen=True, slots=True, eq=False)
class _Resting:
    """Where the garment's points were put last."""

    targets: Point
    captured_ns: int
    garment: Garment


class Rest:
    """Where garments were put on the last keyframes, one of each category."""

    def __init__(self) -> None:
        self._last: dict[Category, _Resting] = {}
        self._lower: tuple[Garment, list[float]] | None = None

    def of_one_cut(
        self, targets: Point, placed: Point, edges: Sequence[Sequence[int]], garment: Garment, down: Point, unit: float
    ) -> Point:
        """Targets with a neckline and a hem as far below those of the garment's cut as they were before; remembered.

        The edges of what is worn, on which the new ones come to lie where they are near, are not seen alike in every
        keyframe, and no garment is longer in one than in the next.

        Args:
            targets: (C, 2), taken to the edges of what is worn.
            placed: (C, 2) the same as the garment is cut.
            edges: the numbers of the points of each.
            garment: whose points they are.
            down: unit vector along the spine.
            unit: shoulder width, in the points' pixels.
        """
        before = self._lower[1] if self._lower is not None and self._lower[0] is garment else None
        lower, moved = [], targets.copy()
        for k, edge in enumerate(edges):
            numbers = list(edge)
            found = float(((targets - placed)[numbers] @ down).mean()) / unit
            lower.append(found if before is None else before[k] + _CUT_GIVES_WAY * (found - before[k]))
            moved[numbers] += (lower[k] - found) * unit * down
        self._lower = garment, lower
        return moved

    def steadied(self, targets: Point, frame: Frame, garment: Garment, unit: float) -> Point:
        """Targets that rest while the wearer rests, and follow at once when they move; remembered.

        Args:
            targets: (C, 2) in pixels of the frame.
            frame: the keyframe.
            garment: whose points they are.
            unit: shoulder width in pixels of the frame.
        """
        before = self._last.get(garment.category)
        self._last[garment.category] = _Resting(targets, frame.captured_ns, garment)
        if before is None or before.garment is not garment:
            return targets
        if not 0 < frame.captured_ns - before.captured_ns < _STILL_KNOWN_NS:
            return targets
        moved = np.linalg.norm(targets - before.targets, axis=1, keepdims=True) / unit
        # landmarks tremble by about 1 % of the shoulders' width
        follow = np.clip(moved / 0.05, 0.12, 1.0)
        steady = before.targets + follow * (targets - before.targets)
        self._last[garment.category] = _Resting(steady, frame.captured_ns, garment)
        return np.asarray(steady, np.float64)
