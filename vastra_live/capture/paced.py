"""Sources that have a rate of their own: files, pictures, the demo."""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from typing import Protocol

from vastra_live.capture.base import Health
from vastra_live.errors import SourceEnded
from vastra_live.types import U8, Frame

__all__ = ["Clock", "MonotonicClock", "PacedSource", "Pacer"]


class Clock(Protocol):
    """Time for a :class:`Pacer`; a test brings its own."""

    def now_s(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Sleep, but no longer than until ``stop`` is set."""
        ...


class MonotonicClock:
    """The computer's clock."""

    def now_s(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Sleep, but no longer than until ``stop`` is set."""
        stop.wait(seconds)


class Pacer:
    """Says which frame is due.

    Frame ``i`` is due ``i / fps`` seconds after the start. A consumer that is early waits, one that is late
    gets the newest frame that is due and the ones between are skipped, so time in the picture stays true.

    The clock starts with the *second* frame: a consumer may take one frame, load its models for as long as it
    likes, and goes on with the frame right after.

    Args:
        fps: frames a second.
        every_frame: neither wait nor skip: the consumer sets the pace.
        clock: where time comes from.
    """

    def __init__(self, fps: float, *, every_frame: bool, clock: Clock | None = None) -> None:
        self._period_s = 1.0 / fps
        self._every_frame = every_frame
        self._clock = clock or MonotonicClock()
        self._last = -1
        self._first_taken_s = 0.0
        self._start_s = 0.0

    def next_index(self, stop: threading.Event) -> int:
        """Index of the next frame to show, once it is due (or ``stop`` is set)."""
        index = self._last + 1
        if not self._every_frame:
            index = self._due(index, stop)
        self._last = index
        return index

    def _due(self, index: int, stop: threading.Event) -> int:
        now = self._clock.now_s()
        if index == 0:
            self._first_taken_s = now
            return 0
        if index == 1:
            self._start_s = max(self._first_taken_s, now - self._period_s)
        # a little early is on time: floating point must not turn a frame that is due into a wait of nothing
        newest = math.floor((now - self._start_s) / self._period_s + 1e-6)
        if newest < index:
            self._clock.wait(stop, self._start_s + index * self._period_s - now)
        return max(index, newest)


class PacedSource(ABC):
    """A source that can say which picture belongs to which index; pacing, ending and closing are done here.

    ``Frame.index`` is the position in the source, counted on over repetitions: a gap is a skipped frame.
    """

    live = False

    def __init__(self, name: str, fps: float, *, every_frame: bool, clock: Clock | None = None) -> None:
        self.name = name
        self.every_frame = every_frame
        self._fps = fps
        self._pacer = Pacer(fps, every_frame=every_frame, clock=clock)
        self._stop = threading.Event()
        self._busy = threading.Lock()  # a decoder must not be released while it decodes
        self._ended = False

    @property
    def fps(self) -> float:
        """Nominal frames a second."""
        return self._fps

    @property
    def health(self) -> Health:
        """Always well: a file that breaks raises instead."""
        return Health()

    def read(self) -> Frame:
        """The next frame that is due; see :class:`Pacer`.

        Raises:
            SourceEnded: no more frames, or :meth:`interrupt` or :meth:`close` was called.
            InputError: the file broke while it was read.
        """
        if not self._ended:
            index = self._pacer.next_index(self._stop)
            with self._busy:
                bgr = None if self._stop.is_set() else self._picture(index)
            if bgr is not None:
                return Frame(bgr, index, time.monotonic_ns(), self.name)
            self._ended = True
        raise SourceEnded(f"{self.name}: no more frames")

    def interrupt(self) -> None:
        """End a blocked :meth:`read` from any thread; further reads raise SourceEnded."""
        self._stop.set()

    def close(self) -> None:
        """Give the file back. Harmless when repeated."""
        self._stop.set()
        with self._busy:
            self._release()

    @abstractmethod
    def _picture(self, index: int) -> U8 | None:
        """The (H, W, 3) BGR picture at this index, which only grows; None past the end."""

    def _release(self) -> None:  # noqa: B027 - most sources hold nothing
        """Give back what is held. Called once or more, never during :meth:`_picture`."""
