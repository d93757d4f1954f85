"""Garments made ready to be put on: once each, not at every keyframe."""

from __future__ import annotations

from dataclasses import dataclass

from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.lower_pattern import LowerPattern, lower_pattern
from vastra_live.synthesis.embedded.mesh import ElasticSheet
from vastra_live.types import Garment

__all__ = ["Cuts", "LowerCut", "TopCut"]

_KEPT = 4
"""So many garments are kept ready: an outfit, and the one before it."""


@dataclass(frozen=True, slots=True, eq=False)
class TopCut:
    """A top or a dress made ready."""

    pattern: TopPattern
    sheet: ElasticSheet


@dataclass(frozen=True, slots=True, eq=False)
class LowerCut:
    """A lower garment made ready."""

    pattern: LowerPattern
    sheet: ElasticSheet


class Cuts:
    """The garments that were put on last, made ready."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Garment, TopCut | LowerCut]] = {}

    def of_top(self, garment: Garment) -> TopCut:
        """A top or a dress."""
        known = self._known(garment)
        if isinstance(known, TopCut):
            return known
        pattern = TopPattern(garment)
        cut = TopCut(pattern, ElasticSheet(garment, pattern.handles, pattern.parts, pattern.elbows))
        self._keep(garment, cut)
        return cut

    def of_lower(self, garment: Garment) -> LowerCut:
        """Trousers or a skirt."""
        known = self._known(garment)
        if isinstance(known, LowerCut):
            return known
        p = lower_pattern(garment)
        cut = LowerCut(p, ElasticSheet(garment, p.handles, p.parts, p.bends, p.masks, p.seams))
        self._keep(garment, cut)
        return cut

    def clear(self) -> None:
        """Give memory back."""
        self._kept.clear()

    def _known(self, garment: Garment) -> TopCut | LowerCut | None:
        known = self._kept.get(id(garment))
        return known[1] if known is not None and known[0] is garment else None

    def _keep(self, garment: Garment, cut: TopCut | LowerCut) -> None:
        if len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[id(garment)] = (garment, cut)
