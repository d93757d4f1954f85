"""What a synthesizer is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from vastra_live.types import Body, Frame, Garment, Layer

__all__ = ["Progress", "Synthesizer"]

Progress = Callable[[str, float], None]
"""Told which stage begins or goes on, and the share of the work that is done, 0..1."""


@runtime_checkable
class Synthesizer(Protocol):
    """Paints a garment on a person, for one frame at a time. Called by one thread.

    Attributes:
        name: as in ``--synthesizer``; of networks also device, precision and size, as they really run. It may change
            between two calls, and holds after :meth:`close`.
    """

    name: str

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The layer for this frame.

        May keep what it learned from earlier frames of the same run (background plate, colour models).

        Raises:
            NothingToFitError: this frame shows nothing the garment can be put on.
            SynthesisError: the synthesizer failed.
        """
        ...

    def close(self) -> None:
        """Give models and memory back. Harmless when repeated.

        Another thread may be in :meth:`synthesize`, which may then fail; where a keyframe takes seconds it does, soon.
        """
        ...
