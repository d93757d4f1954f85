"""Who goes first: priorities are inherited, libraries do not spread, and everything is put back."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import threadpoolctl

from vastra_live.priority import _cores, display_first, made_behind, step_back
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import Frame

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")


def _niceness(thread: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, thread)


def _threads() -> set[int]:
    return {int(task.name) for task in Path("/proc/self/task").iterdir()}


@linux_only
def test_a_thread_that_steps_back_takes_those_it_starts_along_and_nobody_else() -> None:
    own, found = _niceness(threading.get_native_id()), []

    def child() -> None:
        found.append(_niceness(threading.get_native_id()))

    def parent() -> None:
        step_back()
        child()
        thread = threading.Thread(target=child)
        thread.start()
        thread.join()

    made_behind(child)
    thread = threading.Thread(target=parent)
    thread.start()
    thread.join()
    assert found == [min(19, own + 10)] * 3
    assert _niceness(threading.get_native_id()) == own


def test_what_is_made_behind_comes_back_and_so_does_its_error() -> None:
    assert made_behind(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        made_behind(lambda: 1 // 0)


@linux_only
def test_blazepose_computes_behind_the_display() -> None:
    before = _threads()
    tracker = BlazePoseTracker()
    tracker.track(Frame(np.zeros((120, 160, 3), np.uint8), 0, 0, "black"))
    started = _threads() - before
    own = _niceness(threading.get_native_id())
    niceness = {_niceness(thread) for thread in started}
    tracker.close()
    assert started, "mediapipe has no threads of its own any more: nothing needs to step back"
    assert niceness == {min(19, own + 10)}


def _blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("cores, spare", [(1, 1), (2, 1), (4, 2)])
def test_libraries_leave_the_clocks_their_cores(cores: int, spare: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vastra_live.priority._cores", lambda: cores)
    before = (cv2.getNumThreads(), sys.getswitchinterval(), _blas_threads())
    assert before[2], "numpy's BLAS is not known to threadpoolctl"
    try:
        cv2.setNumThreads(4)
        with pytest.raises(KeyboardInterrupt), display_first():
            assert cv2.getNumThreads() == spare
            assert max(_blas_threads()) <= spare
            assert sys.getswitchinterval() < before[1]
            raise KeyboardInterrupt
        assert cv2.getNumThreads() == 4
        assert (sys.getswitchinterval(), _blas_threads()) == before[1:]
    finally:
        cv2.setNumThreads(before[0])


@linux_only
def test_cores_that_this_process_may_not_use_are_not_counted() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert _cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert _cores() == len(allowed)
