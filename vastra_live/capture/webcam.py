"""A camera that is expected to fail now and then."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from vastra_live.capture.base import Health
from vastra_live.capture.camera_reader import CameraLimits, CameraReader, Opener, Request, Shot, open_capture
from vastra_live.capture.devices import camera_path, why_unusable
from vastra_live.errors import CameraError, SourceEnded
from vastra_live.fitting import letterbox
from vastra_live.slot import SlotClosed
from vastra_live.types import Frame

__all__ = ["Webcam"]

_POLL_S = 0.1
_DEFAULT_FPS = 30.0
_FPS_RANGE = (1.0, 240.0)
_CLOSE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Loss:
    """A camera that is gone: since when, why, how often it was reopened, and when that is tried next."""

    since_s: float
    reason: str
    tries: int
    retry_at_s: float


class Webcam:
    """A live camera: the newest frame wins, and a lost camera is opened again and again.

    A thread (:class:`CameraReader`) owns the driver handle. When the driver hangs, fails or hands out garbage,
    that thread is left behind and a new one opens the camera, with growing pauses between the attempts; how
    long everything may take is in :class:`CameraLimits`. ``read`` meanwhile waits and :attr:`health` says so.

    All frames have the size of the first one; should the camera come back with another, it is fitted in.

    Args:
        device: index, or path such as ``/dev/video0``.
        size: asked of the camera, which may deliver another.
        fps: asked of the camera, which may deliver another.
        limits: see :class:`CameraLimits`.
        opener: makes the capture; a test brings its own.

    Raises:
        CameraError: it cannot be opened, or delivers nothing, at the first attempt.
    """

    live = True
    every_frame = False

    def __init__(
        self,
        device: int | str,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        limits: CameraLimits | None = None,
        opener: Opener = open_capture,
    ) -> None:
        self.name = f"camera {camera_path(device)}"
        self._device = device
        self._opener = opener
        self._request = Request(size, fps)
        self._limits = limits or CameraLimits()
        self._stop = threading.Event()
        self._size: tuple[int, int] | None = None
        self._next_index = 0
        self._index_base = 0
        self._last_fps = _DEFAULT_FPS
        self._loss: _Loss | None = None
        self._hung: list[CameraReader] = []
        self._reader: CameraReader | None = self._open_reader()
        try:
            self._await_first(self._reader)
        except BaseException:
            # nobody else holds it yet: Ctrl-C while it is awaited must not leave a camera open either
            self.close()
            raise

    @property
    def fps(self) -> float:
        """Frames a second, measured over the last two seconds; before that, what the driver says, or 30."""
        reader = self._reader
        for rate in (reader.meter.rate, reader.nominal_fps) if reader is not None else ():
            if rate is not None and math.isfinite(rate) and _FPS_RANGE[0] <= rate <= _FPS_RANGE[1]:
                return rate
        return self._last_fps

    @property
    def health(self) -> Health:
        """Whether frames come; if not, what is being done about it."""
        loss = self._loss
        if loss is None:
            return Health()
        wait_s = math.ceil(loss.retry_at_s - time.monotonic())
        next_step = f"trying again in {wait_s} s" if wait_s > 0 else "opening it again"
        return Health(False, f"{self.name} lost ({loss.reason}); {next_step}")

    def read(self) -> Frame:
        """The newest frame not yet read; waits for one, also while the camera is lost.

        ``Frame.index`` counts what the camera delivered: a gap is a frame nobody took in time.

        Raises:
            SourceEnded: :meth:`interrupt` or :meth:`close` was called.
            CameraError: the camera was lost for longer than ``give_up_s``.
        """
        while not self._stop.is_set():
            self._check_patience()
            if self._reader is None:
                self._try_again()
                continue
            shot = self._take(self._reader)
            if shot is not None:
                return self._frame(shot)
        raise SourceEnded(f"{self.name}: closed")

    def interrupt(self) -> None:
        """End a blocked :meth:`read` from any thread, even if the driver hangs; further reads raise SourceEnded."""
        self._stop.set()

    def close(self) -> None:
        """Give the camera back. Waits a second for the driver; if it hangs, its thread is left behind."""
        self._stop.set()
        if self._reader is not None:
            self._reader.stop(_CLOSE_S)

    def _open_reader(self) -> CameraReader:
        self._index_base = self._next_index
        return CameraReader(self._device, self._opener, self._request, self._limits)

    def _await_first(self, reader: CameraReader) -> None:
        reader.settled.wait(self._limits.first_frame_s)
        if reader.delivered:
            # what befell it since is dealt with where frames are read
            return
        if reader.crash is not None:
            raise reader.crash
        if reader.reason:
            remedy = why_unusable(self._device) if not reader.opened else "try another program with it, or replug it"
            raise CameraError(f"{self.name}: {reader.reason}: {remedy}")
        if not reader.settled.is_set():
            raise CameraError(
                f"{self.name}: no frame within {self._limits.first_frame_s:g} s: the driver hangs; replug the camera"
            )

    def _take(self, reader: CameraReader) -> Shot | None:
        """The next shot; None when there was none for a moment, or the camera was just lost."""
        try:
            shot = reader.shots.get(min(_POLL_S, self._limits.stall_s))
        except SlotClosed:
            if reader.crash is not None:
                raise reader.crash from None
            self._lose(reader, reader.reason)
            return None
        if shot is None and reader.overdue():
            self._lose(reader, "it stopped delivering frames")
        return shot

    def _lose(self, reader: CameraReader, reason: str) -> None:
        self._last_fps = self.fps
        reader.stop()
        self._hung.append(reader)
        self._reader = None
        now = time.monotonic()
        tries = self._loss.tries + 1 if self._loss else 0
        since = self._loss.since_s if self._loss else now
        self._loss = _Loss(since, reason, tries, now + self._limits.pause_s(tries))

    def _try_again(self) -> None:
        """Wait until the next attempt is due and start it, unless too many drivers hang already."""
        wait_s = self._loss.retry_at_s - time.monotonic() if self._loss else 0.0
        if wait_s > 0:
            self._stop.wait(min(wait_s, _POLL_S))
            return
        self._hung = [r for r in self._hung if r.alive]
        if len(self._hung) >= self._limits.max_hung:
            self._stop.wait(_POLL_S)
            return
        self._reader = self._open_reader()
        if self._stop.is_set():  # close() may have come just before and found no reader to stop
            self._reader.stop()

    def _check_patience(self) -> None:
        give_up_s = self._limits.give_up_s
        if self._loss is None or give_up_s is None:
            return
        if time.monotonic() - self._loss.since_s > give_up_s:
            raise CameraError(
                f"{self.name}: lost ({self._loss.reason}) and not back within {give_up_s:g} s: "
                "check the cable, then start again"
            )

    def _frame(self, shot: Shot) -> Frame:
        self._loss = None
        if self._size is None:
            self._size = (shot.bgr.shape[1], shot.bgr.shape[0])
        index = self._index_base + shot.number
        self._next_index = index + 1
        return Frame(letterbox(shot.bgr, self._size), index, shot.captured_ns, self.name)
