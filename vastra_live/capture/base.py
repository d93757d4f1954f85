"""What a source of frames is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from vastra_live.types import Frame

__all__ = ["FrameSource", "Health"]


@dataclass(frozen=True, slots=True)
class Health:
    """How a source is doing right now.

    Attributes:
        ok: False while a camera is lost and being reopened.
        message: one line for the screen, "" while ok.
    """

    ok: bool = True
    message: str = ""


@runtime_checkable
class FrameSource(Protocol):
    """A camera, a video, a picture: one verb, :meth:`read`, and one terminal exception.

    Attributes:
        name: for messages and reports.
        fps: nominal frames a second, for recorders; measured for cameras.
        live: True for a camera, whose frames come whether or not anyone takes them.
        every_frame: True when no frame may be skipped (``--asap``): the consumer sets the pace.
    """

    name: str
    live: bool
    every_frame: bool

    @property
    def fps(self) -> float:
        """Nominal frames a second."""
        ...

    @property
    def health(self) -> Health:
        """How the source is doing; may be asked from any thread."""
        ...

    def read(self) -> Frame:
        """The next frame; waits for it. Called by one thread.

        A live or paced source gives the newest frame that is due; ``Frame.index`` counts what was skipped too,
        so a gap is a skipped frame. The clock of a paced source starts with the second read: the time a
        consumer takes after its first frame, to load its models, skips nothing.

        Raises:
            SourceEnded: there are no more frames, or :meth:`interrupt` was called.
            InputError: a file broke in the middle.
            CameraError: the camera was lost and did not come back in time.
        """
        ...

    def interrupt(self) -> None:
        """End a blocked :meth:`read` within a second, from any thread; further reads raise SourceEnded."""
        ...

    def close(self) -> None:
        """Give the device or file back. Harmless when repeated."""
        ...
