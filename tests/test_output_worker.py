"""A sink a thread: the slow drop or wait as told, the broken end alone."""

from __future__ import annotations

import threading

import numpy as np

from vastra_live.errors import RecordingError
from vastra_live.output.base import FrameSink, SlowConsumer
from vastra_live.output.worker import SinkWorker
from vastra_live.types import Rendered, Shown

PATIENCE_S = 10.0


def rendered(index: int) -> Rendered:
    bgr = np.zeros((2, 2, 3), np.uint8)
    return Rendered(bgr, bgr, index, 0, Shown.GARMENT)


class FakeSink:
    """Takes pictures while ``gate`` is open; fails at picture ``fails_at``."""

    def __init__(self, slow_consumer: SlowConsumer, fails_at: int = -1, close_fails: bool = False) -> None:
        self.name = "fake"
        self.slow_consumer = slow_consumer
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.got: list[int] = []
        self.closed = 0
        self.threads: set[str] = set()
        self._fails_at = fails_at
        self._close_fails = close_fails

    def send(self, rendered: Rendered) -> None:
        self.threads.add(threading.current_thread().name)
        self.entered.release()
        assert self.gate.wait(PATIENCE_S)
        if rendered.index == self._fails_at:
            raise RecordingError("the disk is full")
        self.got.append(rendered.index)

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed += 1
        if self._close_fails:
            raise RecordingError("the end is missing")


class Errors(list[tuple[FrameSink, Exception]]):
    def __call__(self, sink: FrameSink, error: Exception) -> None:
        self.append((sink, error))


def test_every_picture_arrives_at_a_sink_that_is_waited_for() -> None:
    sink, sent = FakeSink(SlowConsumer.WAIT), []
    worker = SinkWorker(sink, Errors(), on_sent=lambda picture: sent.append(picture.index))
    assert all(worker.offer(rendered(index)) for index in range(50))
    assert worker.finish(PATIENCE_S)
    assert worker.finish(PATIENCE_S)
    assert sink.got == sent == list(range(50))
    assert (sink.closed, worker.dropped, worker.error) == (1, 0, None)
    assert len(sink.threads) == 1
    assert not worker.offer(rendered(50))


def test_a_slow_live_sink_gets_the_newest_and_nobody_waits() -> None:
    sink = FakeSink(SlowConsumer.DROP_OLDEST)
    worker = SinkWorker(sink, Errors())
    sink.gate.clear()
    worker.offer(rendered(0))
    assert sink.entered.acquire(timeout=PATIENCE_S)  # it is busy with 0 now
    for index in range(1, 100):
        assert worker.offer(rendered(index))
    sink.gate.set()
    assert worker.finish(PATIENCE_S)
    assert sink.got == [0, 99]
    assert worker.dropped == 98


def test_a_broken_sink_ends_alone() -> None:
    broken, fine, errors = FakeSink(SlowConsumer.WAIT, fails_at=3), FakeSink(SlowConsumer.WAIT), Errors()
    workers = [SinkWorker(broken, errors), SinkWorker(fine, errors)]
    for index in range(20):
        for worker in workers:
            worker.offer(rendered(index))
    assert all(worker.finish(PATIENCE_S) for worker in workers)
    assert fine.got == list(range(20))
    assert broken.got == [0, 1, 2]
    assert broken.closed == 1
    assert [(sink, str(error)) for sink, error in errors] == [(broken, "the disk is full")]
    assert workers[0].error is errors[0][1]
    assert workers[1].error is None


def test_a_producer_that_waits_for_a_sink_that_breaks_is_let_go() -> None:
    sink = FakeSink(SlowConsumer.WAIT, fails_at=0)
    sink.gate.clear()
    worker = SinkWorker(sink, Errors())
    taken: list[bool] = []

    def produce() -> None:
        taken.extend(worker.offer(rendered(index)) for index in range(5))

    producer = threading.Thread(target=produce)
    producer.start()
    assert sink.entered.acquire(timeout=PATIENCE_S)
    sink.gate.set()
    producer.join(PATIENCE_S)
    assert not producer.is_alive()
    assert taken[-1] is False


def test_the_first_error_counts_not_that_of_closing() -> None:
    errors = Errors()
    worker = SinkWorker(FakeSink(SlowConsumer.WAIT, fails_at=0, close_fails=True), errors)
    worker.offer(rendered(0))
    assert worker.finish(PATIENCE_S)
    assert [str(error) for _, error in errors] == ["the disk is full"]


def test_an_end_that_fails_is_an_error() -> None:
    errors = Errors()
    worker = SinkWorker(FakeSink(SlowConsumer.WAIT, close_fails=True), errors)
    worker.offer(rendered(0))
    assert worker.finish(PATIENCE_S)
    assert str(worker.error) == "the end is missing"
    assert len(errors) == 1


def test_a_sink_that_hangs_does_not_hold_up_the_end() -> None:
    sink = FakeSink(SlowConsumer.WAIT)
    sink.gate.clear()
    worker = SinkWorker(sink, Errors())
    worker.offer(rendered(0))
    assert sink.entered.acquire(timeout=PATIENCE_S)
    assert not worker.finish(0.01)
    sink.gate.set()
    assert worker.finish(PATIENCE_S)
