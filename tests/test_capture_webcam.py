"""A camera that refuses, fails, hangs, hands out garbage and comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from tests.fakes_capture import Behaviour, FakeCapture, FakeDriver, after, always, failing, hanging, picture, steady
from vastra_live.capture.base import FrameSource
from vastra_live.capture.camera_reader import CameraLimits, CameraReader, RateMeter
from vastra_live.capture.fitting import as_bgr
from vastra_live.capture.webcam import Webcam
from vastra_live.errors import CameraError, SourceEnded
from vastra_live.types import Frame

QUICK = CameraLimits(
    first_frame_s=0.3,
    stall_s=0.05,
    warm_up_s=0.05,
    bad_frames=3,
    bad_pause_s=0.001,
    backoff_s=0.005,
    backoff_max_s=0.02,
)


def webcam(driver: FakeDriver, limits: CameraLimits = QUICK, **options: object) -> Webcam:
    return Webcam(0, opener=driver, limits=limits, **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(2)
        assert not thread.is_alive(), f"{thread.name} was left behind"


def read_until_opened(source: Webcam, driver: FakeDriver, openings: int) -> Frame:
    """Read on until a frame comes from the given opening."""
    while True:
        source.read()
        if len(driver.opened) >= openings:
            return source.read()


def test_frames_come_with_growing_numbers_and_times() -> None:
    source = webcam(FakeDriver([steady]))
    assert isinstance(source, FrameSource)
    frames = [source.read() for _ in range(20)]
    source.close()
    assert all(b.index > a.index for a, b in pairwise(frames))
    assert all(b.captured_ns > a.captured_ns for a, b in pairwise(frames))
    assert frames[0].size == (64, 48)
    assert source.live
    assert source.health.ok
    with pytest.raises(SourceEnded):
        source.read()


def test_the_newest_frame_wins_and_the_gap_shows_what_was_missed() -> None:
    taken = threading.Event()

    def gated(_: FakeCapture) -> Iterator[tuple[bool, np.ndarray]]:
        for i in range(10):
            yield True, picture(value=i)
        taken.set()
        while True:
            yield False, None  # type: ignore[misc]

    source = webcam(FakeDriver([gated]), CameraLimits(bad_frames=10_000, bad_pause_s=0.001))
    assert taken.wait(5)
    frame = source.read()
    source.close()
    assert frame.index == 9
    assert frame.bgr[0, 0, 0] == 9


def test_it_asks_for_mjpg_then_yuyv_before_the_size() -> None:
    fourcc = {code: float(cv2.VideoWriter.fourcc(*code)) for code in ("MJPG", "YUYV")}
    for offered, asked in ((["MJPG"], ["MJPG"]), (["YUYV"], ["MJPG", "YUYV"]), ([], ["MJPG", "YUYV"])):
        driver = FakeDriver([steady], fourccs=frozenset(fourcc[c] for c in offered))
        webcam(driver, size=(640, 480), fps=30).close()
        properties = driver.opened[0].asked
        n = len(asked)
        assert properties[:n] == [(cv2.CAP_PROP_FOURCC, fourcc[c]) for c in asked]
        assert properties[n:][:3] == [
            (cv2.CAP_PROP_FRAME_WIDTH, 640),
            (cv2.CAP_PROP_FRAME_HEIGHT, 480),
            (cv2.CAP_PROP_FPS, 30),
        ]


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (None, "cannot be opened"),
        (failing, "no usable frame"),
        (always(np.zeros((0, 0, 3), np.uint8)), "no usable frame"),
        (hanging, "hangs"),
    ],
)
def test_a_camera_that_never_worked_is_an_error_at_once(behaviour: Behaviour | None, says: str) -> None:
    driver = FakeDriver([behaviour])
    with pytest.raises(CameraError, match=says) as caught:
        webcam(driver)
    driver.let_go.set()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert driver.opened[0].released.wait(2)


def test_a_missing_device_names_the_remedy() -> None:
    with pytest.raises(CameraError, match=r"(?s)/dev/video97.*(no such device.*--source demo|plugged in)"):
        Webcam("/dev/video97", limits=QUICK)


@pytest.mark.parametrize(
    "trouble",
    [
        failing,
        hanging,
        always(None),
        always(np.zeros((0, 0, 3), np.uint8)),
        always(picture((32, 48))),
        always(np.zeros((1, 1000), np.uint8)),
        always(np.zeros((48, 64, 3), np.float32)),
        always("garbage"),
    ],
    ids=["fails", "hangs", "none", "empty", "other size", "flat", "float", "text"],
)
def test_a_lost_camera_is_opened_again(trouble: Behaviour) -> None:
    driver = FakeDriver([after(5, trouble), None, None, steady])
    source = webcam(driver)
    first = source.read()
    back = read_until_opened(source, driver, 4)
    assert back.index > first.index
    assert back.size == first.size
    assert source.health.ok
    driver.let_go.set()
    source.close()
    assert all(c.released.wait(2) for c in driver.opened)


def test_health_says_what_is_going_on() -> None:
    driver = FakeDriver([after(3, failing), steady])
    source = webcam(driver, CameraLimits(bad_frames=1, bad_pause_s=0.001, backoff_s=60, backoff_max_s=60))

    def read_on() -> None:
        with pytest.raises(SourceEnded):
            while True:
                source.read()

    reading = threading.Thread(target=read_on)
    reading.start()
    lost = threading.Event()
    while source.health.ok:
        lost.wait(0.002)
    message = source.health.message
    source.interrupt()
    reading.join(1)
    assert not reading.is_alive()
    source.close()
    assert message.startswith(source.name + " lost (")
    assert message.endswith("trying again in 60 s")


def test_the_pauses_double_up_to_a_limit() -> None:
    limits = CameraLimits(backoff_s=0.5, backoff_max_s=8)
    assert [limits.pause_s(n) for n in range(6)] == [0.5, 1, 2, 4, 8, 8]
    assert limits.pause_s(10**6) == 8


def test_a_camera_that_stays_away_ends_the_run_when_asked_to() -> None:
    driver = FakeDriver([after(3, failing), None])
    limits = CameraLimits(bad_frames=1, bad_pause_s=0.001, backoff_s=0.001, backoff_max_s=0.01, give_up_s=0.1)
    source = webcam(driver, limits)
    with pytest.raises(CameraError, match=r"lost .* not back within 0\.1 s"):
        while True:
            source.read()
    source.close()


class Late(CameraReader):
    """Whoever opens it looks when it has long ended, if it ends."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._thread.join(0.1)


def test_a_camera_lost_before_anybody_looks_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vastra_live.capture.webcam.CameraReader", Late)
    driver = FakeDriver([after(1, failing), steady])
    source = webcam(driver, CameraLimits(bad_frames=1, bad_pause_s=0.001, backoff_s=0.001))
    assert source.read().size == (64, 48)
    source.close()


@pytest.mark.parametrize("trouble", [hanging, failing])
def test_interrupt_ends_a_blocked_read(trouble: Behaviour) -> None:
    driver = FakeDriver([after(1, trouble)])
    source = webcam(driver, CameraLimits(stall_s=3600, bad_frames=10**9, bad_pause_s=0.001))
    source.read()
    threading.Timer(0.02, source.interrupt).start()
    with pytest.raises(SourceEnded):
        source.read()
    driver.let_go.set()
    source.close()
    source.close()


def test_hung_drivers_do_not_pile_up() -> None:
    driver = FakeDriver([after(1, hanging), hanging])
    limits = CameraLimits(first_frame_s=0.2, stall_s=0.01, backoff_s=0.001, max_hung=2, give_up_s=0.8)
    source = webcam(driver, limits)
    with pytest.raises(CameraError):
        while True:
            source.read()
    assert len(driver.opened) == 2
    driver.let_go.set()
    source.close()


def test_it_comes_back_with_another_size_and_is_fitted_in() -> None:
    driver = FakeDriver([after(3, failing), steady], sizes=[(64, 48), (128, 48)])
    source = webcam(driver)
    frame = read_until_opened(source, driver, 2)
    source.close()
    assert frame.size == (64, 48)
    assert frame.bgr[0, 0, 0] == 0
    assert frame.bgr[24, 32, 0] == 100


def test_flat_rows_of_a_bgr3_device_are_folded_back() -> None:
    bgr = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    source = webcam(FakeDriver([always(bgr.reshape(1, -1))]))
    frame = source.read()
    source.close()
    np.testing.assert_array_equal(frame.bgr, bgr)


def test_grey_and_bgra_frames_become_bgr() -> None:
    grey = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    for raw in (grey, grey[..., None], np.dstack([grey] * 3 + [grey * 0])):
        bgr = as_bgr(raw, (64, 48))
        assert bgr is not None
        np.testing.assert_array_equal(bgr, np.dstack([grey] * 3))
    assert as_bgr(np.zeros((4, 4, 2), np.uint8), (4, 4)) is None


@pytest.mark.parametrize("reader", [CameraReader, Late])
def test_a_driver_bug_is_raised_where_frames_are_read(
    reader: type[CameraReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vastra_live.capture.webcam.CameraReader", reader)

    def broken(_: FakeCapture) -> Iterator[tuple[bool, np.ndarray]]:
        yield True, picture()
        raise RuntimeError("a bug")

    source = webcam(FakeDriver([broken]))
    with pytest.raises(RuntimeError, match="a bug"):
        while True:
            source.read()
    source.close()


def test_the_rate_is_what_was_delivered_lately() -> None:
    meter = RateMeter(window_s=2.0)
    for i in range(10):
        meter.tick(i * 40_000_000)
    assert meter.rate is None
    for i in range(10, 100):
        meter.tick(i * 40_000_000)
    assert meter.rate == pytest.approx(25.0)
    start = 100 * 40_000_000
    for i in range(100):
        meter.tick(start + i * 100_000_000)
    assert meter.rate == pytest.approx(10.0)


def test_until_it_is_measured_the_rate_is_what_the_driver_says() -> None:
    for says, expected in ((25.0, 25.0), (0.0, 30.0), (float("nan"), 30.0), (1e6, 30.0)):
        source = webcam(FakeDriver([hanging_after_first], fps=says), CameraLimits(stall_s=3600))
        assert source.fps == expected
        source.close()


def hanging_after_first(capture: FakeCapture) -> Iterator[tuple[bool, np.ndarray | None]]:
    yield True, picture()
    while not capture.released.is_set():
        yield False, None
