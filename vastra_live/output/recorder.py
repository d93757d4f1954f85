"""Sink: an mp4 file."""

from __future__ import annotations

from pathlib import Path

from vastra_live.output.base import SlowConsumer
from vastra_live.output.encoder import Encoder
from vastra_live.types import U8, Rendered

__all__ = ["Pacer", "Recorder"]


class Pacer:
    """Places pictures that come at their own times into a film of constant rate.

    A picture stays until the next one; so the film has true speed whether the loop was slower than the film
    (pictures are repeated) or faster (some are left out). A picture near the next place takes it: without
    that slack, a camera whose rate is a hair off would stutter each time its phase passes a half.

    Args:
        fps: frames a second of the film.
    """

    SLACK = 0.75
    """How far, in places, a picture may be from its true place to be simply the next one."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._start_ns: int | None = None
        self._place = 0

    def copies_before(self, captured_ns: int) -> int:
        """How many places the picture before this one fills: 0 leaves it out. 0 for the first picture."""
        if self._start_ns is None:
            self._start_ns = captured_ns
            return 0
        true_place = (captured_ns - self._start_ns) * self._fps / 1e9
        copies = 1 if abs(true_place - (self._place + 1)) <= self.SLACK else max(0, round(true_place) - self._place)
        self._place += copies
        return copies


class Recorder:
    """Writes what is rendered to an mp4 (H.264) of constant rate, without sound.

    With ``DROP_OLDEST`` pictures are placed by their capture time (:class:`Pacer`); with ``WAIT`` every
    picture is one frame of the film. The film has the size of its first picture, made even.

    Args:
        path: the file; overwritten when the first picture comes.
        fps: frames a second of the film: the source's.
        slow_consumer: live or one for one, see above.
    """

    def __init__(self, path: Path, *, fps: float, slow_consumer: SlowConsumer) -> None:
        self.name = f"file:{path}"
        self.slow_consumer = slow_consumer
        self._path = path
        self._fps = fps
        self._pacer = Pacer(fps) if slow_consumer is SlowConsumer.DROP_OLDEST else None
        self._waiting: U8 | None = None
        self._encoder: Encoder | None = None

    @property
    def written(self) -> int:
        """Frames of the film so far."""
        return self._encoder.written if self._encoder else 0

    def send(self, rendered: Rendered) -> None:
        """Take one picture.

        Raises:
            RecordingError: the file cannot be written; what was written before plays.
        """
        bgr = rendered.bgr
        if self._encoder is None:
            self._encoder = Encoder(self._path, (bgr.shape[1], bgr.shape[0]), self._fps)
        if self._pacer is None:
            self._encoder.write(bgr)
            return
        copies = self._pacer.copies_before(rendered.captured_ns)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._encoder.write(waiting, copies)
        self._waiting = bgr

    def close(self) -> None:
        """Finish the file; no file is made when there was no picture. Harmless when repeated.

        Raises:
            RecordingError: the end could not be written.
        """
        if self._encoder is None:
            return
        waiting, self._waiting = self._waiting, None
        try:
            if waiting is not None:
                self._encoder.write(waiting)
        finally:
            self._encoder.finish()
