"""What a body tracker is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from vastra_live.types import Body, Frame

__all__ = ["BodyTracker"]


@runtime_checkable
class BodyTracker(Protocol):
    """Finds the person in a frame. Called by one thread, with frames in time order."""

    def track(self, frame: Frame) -> Body | None:
        """The person in this frame, or None when nobody is seen.

        Raises:
            NothingToFitError: somebody is there who cannot be dressed, whatever the garment; the message says why.
        """
        ...

    def close(self) -> None:
        """Give the model back. Harmless when repeated."""
        ...
