"""A garment that rests while its wearer does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vastra_live.synthesis.embedded.skeleton import Point
from vastra_live.types import Category, Frame, Garment

__all__ = ["Rest"]

_STILL_KNOWN_NS = 1_500_000_000
_LENGTH_GIVES_WAY = 0.15
"""How much of a difference in length is believed at each keyframe."""


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
        self._longer: tuple[Garment, float] | None = None

    def of_one_length(
        self, targets: Point, placed: Point, hem: Sequence[int], garment: Garment, down: Point, unit: float
    ) -> Point:
        """Targets with a hem that is as much longer than the garment's cut as it was before; remembered.

        The worn hem, on which the new one comes to lie where it is near, is not seen in every keyframe, and no
        garment is longer in one than in the next.

        Args:
            targets: (C, 2), taken to the edges of what is worn.
            placed: (C, 2) the same as the garment is cut.
            hem: the numbers of its hem's points.
            garment: whose points they are.
            down: unit vector along the spine.
            unit: shoulder width, in the points' pixels.
        """
        numbers = list(hem)
        longer = float(((targets - placed)[numbers] @ down).mean()) / unit
        steady = longer
        if self._longer is not None and self._longer[0] is garment:
            steady = self._longer[1] + _LENGTH_GIVES_WAY * (longer - self._longer[1])
        self._longer = garment, steady
        moved = targets.copy()
        moved[numbers] += (steady - longer) * unit * down
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
