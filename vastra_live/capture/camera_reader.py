"""One opening of a camera: a thread that owns the driver handle from opening it to giving it back."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2

from vastra_live.capture.fitting import as_bgr
from vastra_live.capture.opencv import quiet_opencv
from vastra_live.slot import Slot, SlotClosed
from vastra_live.types import U8

__all__ = ["CameraLimits", "CameraReader", "Capture", "Opener", "RateMeter", "Request", "Shot", "open_capture"]


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether the device could be opened."""
        ...

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        """Ask the driver for something; it may do otherwise."""
        ...

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        """What the driver says."""
        ...

    def read(self) -> tuple[bool, Any]:
        """Wait for a frame."""
        ...

    def release(self) -> None:
        """Give the device back."""
        ...


Opener = Callable[["int | str"], Capture]


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """How long a camera may misbehave.

    Attributes:
        first_frame_s: from opening to the first usable frame; past it the driver counts as hung.
        stall_s: between two usable frames; past it the driver counts as hung.
        warm_up_s: how long unusable frames are borne before the first usable one.
        bad_frames: unusable frames in a row after which the camera is lost, once it delivered.
        bad_pause_s: pause after an unusable frame, since a driver that fails at once would spin.
        backoff_s: pause before the first reopening; doubles with each failure.
        backoff_max_s: longest pause between two reopenings.
        give_up_s: how long a lost camera is waited for; None is for ever.
        max_hung: hung readers that may be left behind; no further opening is tried while there are as many.
    """

    first_frame_s: float = 10.0
    stall_s: float = 2.0
    warm_up_s: float = 3.0
    bad_frames: int = 10
    bad_pause_s: float = 0.02
    backoff_s: float = 0.5
    backoff_max_s: float = 4.0
    give_up_s: float | None = None
    max_hung: int = 3

    def pause_s(self, tries: int) -> float:
        """Pause before reopening, after so many failed attempts."""
        return min(self.backoff_max_s, self.backoff_s * 2.0 ** min(tries, 30))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the driver; None leaves it alone."""

    size: tuple[int, int] | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A usable frame as it left the driver: its number in this opening, pixels and time."""

    number: int
    bgr: U8
    captured_ns: int


class RateMeter:
    """Frames a second over the last moments.

    Args:
        window_s: how far back it looks.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_ns = int(window_s * 1e9)
        self._ticks: deque[int] = deque()
        self.rate: float | None = None
        """None until a quarter of the window is seen."""

    def tick(self, now_ns: int) -> None:
        """Count a frame."""
        self._ticks.append(now_ns)
        while now_ns - self._ticks[0] > self._window_ns:
            self._ticks.popleft()
        span = now_ns - self._ticks[0]
        if span * 4 >= self._window_ns:
            self.rate = (len(self._ticks) - 1) * 1e9 / span


class CameraReader:
    """Opens the camera, reads it, and leaves the newest frame in :attr:`shots`, all on its own daemon thread.

    A driver call that hangs cannot be ended from outside. The owner then calls :meth:`stop` and walks away:
    the thread gives the device back if its call ever returns, and does not keep the process alive if not.

    Attributes:
        shots: newest frame; closed when the reader has ended.
        settled: set at the first frame, or when the reader ended without one.
        reason: why it ended, "" while it runs or after :meth:`stop`.
        opened: whether the driver let itself be opened.
        crash: an error nobody foresaw, for the owner to raise.
    """

    def __init__(self, device: int | str, opener: Opener, request: Request, limits: CameraLimits) -> None:
        self.shots: Slot[Shot] = Slot()
        self.settled = threading.Event()
        self.reason = ""
        self.opened = False
        self.crash: BaseException | None = None
        self.meter = RateMeter()
        self.nominal_fps = 0.0
        self._device = device
        self._opener = opener
        self._request = request
        self._limits = limits
        self._stop = threading.Event()
        self._born_s = time.monotonic()
        self._last_good_s: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"camera {device}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    @property
    def delivered(self) -> bool:
        """Whether a usable frame came, whatever happened afterwards."""
        return self._last_good_s is not None

    def overdue(self) -> bool:
        """Whether the driver hangs: no usable frame for longer than the limits allow."""
        if self._last_good_s is None:
            return time.monotonic() - self._born_s > self._limits.first_frame_s
        return time.monotonic() - self._last_good_s > self._limits.stall_s

    def stop(self, wait_s: float = 0.0) -> None:
        """Ask it to end; wait at most so long for the device to be given back."""
        self._stop.set()
        self.shots.close()
        if wait_s > 0:
            self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            self.reason = self._open_and_read()
        except SlotClosed:
            pass  # stop() was called between two frames
        except cv2.error as error:
            self.reason = f"OpenCV failed: {' '.join(str(error).split())}"
        except BaseException as error:  # noqa: BLE001 - thread boundary: the owner raises it
            self.crash = error
        finally:
            self.shots.close()
            self.settled.set()

    def _open_and_read(self) -> str:
        capture = self._opener(self._device)
        try:
            if not capture.isOpened():
                return "it cannot be opened"
            self.opened = True
            if not self._stop.is_set():
                _configure(capture, self._request)
            self.nominal_fps = float(capture.get(cv2.CAP_PROP_FPS))
            return self._read_frames(capture)
        finally:
            capture.release()

    def _read_frames(self, capture: Capture) -> str:
        reported = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        shape: tuple[int, ...] | None = None
        number = bad = 0
        while not self._stop.is_set():
            ok, raw = capture.read()
            now_ns = time.monotonic_ns()
            bgr = as_bgr(raw, reported) if ok else None
            if bgr is None or (shape is not None and bgr.shape != shape):
                bad += 1
                if shape is not None and bad >= self._limits.bad_frames:
                    return f"{bad} unusable frames in a row"
                if shape is None and time.monotonic() - self._born_s > self._limits.warm_up_s:
                    return "it opens but delivers no usable frame"
                self._stop.wait(self._limits.bad_pause_s)
                continue
            bad, shape = 0, bgr.shape
            self._last_good_s = now_ns * 1e-9
            self.meter.tick(now_ns)
            self.shots.put(Shot(number, bgr, now_ns))
            self.settled.set()
            number += 1
        return ""


def open_capture(device: int | str) -> Capture:
    """Open a camera with the system's own interface; an index, failing that, with whatever else OpenCV has.

    A path is V4L2's alone: to OpenCV's other backends it is a file name, and for one that ends in digits they
    look for a numbered sequence of pictures, for more than ten seconds.

    Returns:
        The capture; not opened when it could not be.
    """
    quiet_opencv()
    native = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_MSMF}.get(sys.platform)
    capture = cv2.VideoCapture(device, cv2.CAP_ANY if native is None else native)
    if capture.isOpened() or native is None or isinstance(device, str):
        return capture
    capture.release()
    return cv2.VideoCapture(device, cv2.CAP_ANY)


def _configure(capture: Capture, request: Request) -> None:
    """Ask for compressed frames (a USB 2 camera carries 720p at 30 Hz no other way), size and rate.

    The pixel format comes first: sizes and rates depend on it. Two buffers, not one: this package's reader
    never lets frames pile up, and with one a V4L2 driver has nowhere to put a frame while one is decoded.
    """
    for code in ("MJPG", "YUYV"):
        fourcc = cv2.VideoWriter.fourcc(*code)
        if capture.set(cv2.CAP_PROP_FOURCC, fourcc) and int(capture.get(cv2.CAP_PROP_FOURCC)) == fourcc:
            break
    if request.size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, request.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, request.size[1])
    if request.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, request.fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
