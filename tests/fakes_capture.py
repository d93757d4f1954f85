"""A camera driver that misbehaves on command, and a clock that stands still until told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

Read = tuple[bool, Any]
Behaviour = Callable[["FakeCapture"], Iterator[Read]]


def picture(size: tuple[int, int] = (64, 48), value: int = 100) -> np.ndarray:
    """A plain BGR picture."""
    return np.full((size[1], size[0], 3), value, np.uint8)


def steady(capture: FakeCapture, *, count: int | None = None, value: int = 100) -> Iterator[Read]:
    """Good frames, for ever or so many."""
    sent = 0
    while count is None or sent < count:
        yield True, picture(capture.size, value)
        sent += 1


def failing(_: FakeCapture) -> Iterator[Read]:
    """What OpenCV returns when the device is gone."""
    while True:
        yield False, None


def after(count: int, then: Behaviour) -> Behaviour:
    """Some good frames, then something else."""

    def behave(capture: FakeCapture) -> Iterator[Read]:
        yield from steady(capture, count=count)
        yield from then(capture)

    return behave


def always(raw: Any) -> Behaviour:
    """The same thing as every frame, called a success."""

    def behave(_: FakeCapture) -> Iterator[Read]:
        while True:
            yield True, raw

    return behave


def hanging(capture: FakeCapture) -> Iterator[Read]:
    """A driver call that does not return until the test lets it."""
    capture.driver.let_go.wait(30)
    yield False, None


class FakeCapture:
    """Stands for ``cv2.VideoCapture``."""

    def __init__(self, driver: FakeDriver, behaviour: Behaviour | None, size: tuple[int, int]) -> None:
        self.driver = driver
        self.size = size
        self.released = threading.Event()
        self.asked: list[tuple[int, float]] = []
        self._fourcc = 0.0
        self._frames = behaviour(self) if behaviour else None

    def isOpened(self) -> bool:
        return self._frames is not None

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        self.asked.append((propId, value))
        if propId != cv2.CAP_PROP_FOURCC:
            return True
        taken = value in self.driver.fourccs
        self._fourcc = value if taken else self._fourcc
        return taken

    def get(self, propId: int) -> float:  # noqa: N803
        known = {
            cv2.CAP_PROP_FRAME_WIDTH: self.size[0],
            cv2.CAP_PROP_FRAME_HEIGHT: self.size[1],
            cv2.CAP_PROP_FPS: self.driver.fps,
            cv2.CAP_PROP_FOURCC: self._fourcc,
        }
        return float(known.get(propId, 0))

    def read(self) -> Read:
        assert not self.released.is_set(), "read after release"
        assert self._frames is not None
        time.sleep(0.0005)
        return next(self._frames)

    def release(self) -> None:
        self.released.set()


@dataclass
class FakeDriver:
    """An opener: the n-th opening behaves as the n-th entry of ``plan`` says; the last entry repeats."""

    plan: list[Behaviour | None]
    sizes: list[tuple[int, int]] = field(default_factory=lambda: [(64, 48)])
    fps: float = 25.0
    fourccs: frozenset[float] = frozenset({float(cv2.VideoWriter.fourcc(*"MJPG"))})
    opened: list[FakeCapture] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _: int | str) -> FakeCapture:
        n = len(self.opened)
        capture = FakeCapture(self, self.plan[min(n, len(self.plan) - 1)], self.sizes[min(n, len(self.sizes) - 1)])
        self.opened.append(capture)
        return capture


class FakeClock:
    """Time moves when the test or a wait moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def now_s(self) -> float:
        return self.now

    def wait(self, stop: threading.Event, seconds: float) -> None:
        if not stop.is_set():
            self.now += seconds
