"""Synthesizers: a frame, a body and a garment in, a layer out."""

from __future__ import annotations

from vastra_live.errors import MissingDependencyError
from vastra_live.synthesis.base import Synthesizer

__all__ = ["Synthesizer", "open_synthesizer"]


def open_synthesizer(name: str) -> Synthesizer:
    """The synthesizer of a name, ready to work.

    Args:
        name: ``auto``, ``embedded``, ``hr-viton`` or ``cp-vton``.

    Raises:
        MissingDependencyError: what it needs is not installed.
    """
    if name in ("auto", "embedded"):
        from vastra_live.synthesis.embedded import EmbeddedSynthesizer

        return EmbeddedSynthesizer()
    raise MissingDependencyError(
        f"--synthesizer {name}: this version cannot run {name} in the live loop yet; use --synthesizer embedded"
    )
