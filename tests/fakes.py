"""Stand-ins for devices and models, so that tests of the loop take milliseconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import cv2
import numpy as np

from vastra_live.capture.base import Health
from vastra_live.errors import NothingToFitError, RecordingError, SourceEnded
from vastra_live.output.base import SlowConsumer
from vastra_live.types import U8, Body, Category, Frame, Garment, Layer, Rendered, Sleeve

WIDTH, HEIGHT = 160, 120
CYAN = (255, 255, 0)
MAGENTA = (255, 0, 255)


def scene(index: int, width: int = WIDTH, height: int = HEIGHT) -> U8:
    """A textured wall with a textured 'person' who sways by a few pixels."""
    rng = np.random.default_rng(7)
    wall = cv2.resize(rng.integers(90, 140, (height // 8, width // 8, 3), np.uint8), (width, height))
    person = cv2.resize(rng.integers(20, 230, (24, 16, 3), np.uint8), (width // 3, height * 3 // 4))
    picture = wall.copy()
    left = width // 3 + round(3 * np.sin(index / 5))
    top = height // 4
    picture[top : top + person.shape[0], left : left + person.shape[1]] = person
    return picture


def a_body(index: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Body:
    """Somebody who stands in the middle of :func:`scene`."""
    points = np.full((33, 3), (width / 2, height / 2, 0), np.float32)
    points[11, :2], points[12, :2] = (width * 0.62, height * 0.4), (width * 0.38, height * 0.4)
    points[23, :2], points[24, :2] = (width * 0.6, height * 0.9), (width * 0.4, height * 0.9)
    alpha = np.zeros((height, width), np.float32)
    alpha[height // 4 :, width // 3 : width * 2 // 3] = 1
    return Body(points, np.ones(33, np.float32), alpha, index)


def a_garment(name: str = "tee") -> Garment:
    picture = np.zeros((20, 10, 3), np.uint8)
    return Garment(name, Category.UPPER, Sleeve.SHORT, picture, np.ones((20, 10), np.float32), {"neck_left": (6, 2)})


class FakeSource:
    """Plays :func:`scene`; what happens at which read is scripted."""

    def __init__(
        self,
        frames: int | None = 30,
        *,
        every_frame: bool = True,
        live: bool = False,
        period_s: float = 0.0,
        script: Callable[[int, FakeSource], None] = lambda _i, _s: None,
    ) -> None:
        self.name = "fake camera"
        self.live = live
        self.every_frame = every_frame
        self.fps = 30.0
        self.health = Health()
        self.closed = False
        self._frames = frames
        self._period_s = period_s
        self._script = script
        self._index = 0
        self.interrupted = threading.Event()

    def read(self) -> Frame:
        if self._frames is not None and self._index >= self._frames:
            raise SourceEnded(self.name)
        self._script(self._index, self)
        if self.interrupted.wait(self._period_s):
            raise SourceEnded(self.name)
        frame = Frame(scene(self._index), self._index, time.monotonic_ns(), self.name)
        self._index += 1
        return frame

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        self.closed = True


class FakeTracker:
    """Sees somebody whenever ``present`` says so."""

    def __init__(self, present: Callable[[int], bool] = lambda _: True) -> None:
        self._present = present
        self.closed = False

    def track(self, frame: Frame) -> Body | None:
        return a_body(frame.index) if self._present(frame.index) else None

    def close(self) -> None:
        self.closed = True


class FakeSynthesizer:
    """Paints the person's box in the colour of the garment; fails as told."""

    name = "fake"

    def __init__(self, fail: Callable[[int], Exception | None] = lambda _: None, delay_s: float = 0.0) -> None:
        self._fail = fail
        self._delay_s = delay_s
        self.made: list[str] = []
        self.closed = False

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        time.sleep(self._delay_s)
        problem = self._fail(len(self.made))
        self.made.append(garment.name)
        if problem is not None:
            raise problem
        colour = MAGENTA if garment.name == "shirt" else CYAN
        return Layer(np.full_like(frame.bgr, colour), body.person_alpha, frame, body, garment)

    def close(self) -> None:
        self.closed = True


class FakeSink:
    """Keeps what it is sent; breaks or dawdles as told."""

    def __init__(
        self,
        *,
        slow_consumer: SlowConsumer = SlowConsumer.WAIT,
        break_at: int | None = None,
        delay_s: float = 0.0,
        on_send: Callable[[Rendered], None] = lambda _: None,
    ) -> None:
        self.name = "fake sink"
        self.slow_consumer = slow_consumer
        self.sent: list[Rendered] = []
        self.closed = False
        self._break_at = break_at
        self._delay_s = delay_s
        self._on_send = on_send

    def send(self, rendered: Rendered) -> None:
        if self._break_at is not None and len(self.sent) >= self._break_at:
            raise RecordingError("fake sink: the disk is full; free some space")
        time.sleep(self._delay_s)
        self.sent.append(rendered)
        self._on_send(rendered)

    def close(self) -> None:
        self.closed = True


def unfit(times: range) -> Callable[[int], Exception | None]:
    """A synthesizer's ``fail`` that cannot dress the person at these attempts."""
    return lambda attempt: NothingToFitError("the person is seen from behind") if attempt in times else None
