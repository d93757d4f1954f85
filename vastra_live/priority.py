"""Who goes first on a machine whose cores are all busy: the display, before the slow clocks and their libraries."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import threadpoolctl

__all__ = ["display_first", "made_behind", "step_back"]

Made = TypeVar("Made")

# Steps of niceness. They leave a slow clock a tenth of the display's share of a core that both want, so a busy
# machine still gets keyframes; on two cores it gets as many as with five steps, and the display a sixth more pictures.
_STEPS = 10
# How long one thread may keep the Python interpreter from another that wants it. The default is ten times as long.
_SWITCH_S = 0.0005
# Body and keyframe clock; the display has a core for itself.
_SLOW_CLOCKS = 2


def step_back() -> None:
    """Lower the calling thread's priority, where threads have one of their own; those it starts inherit it."""
    if sys.platform == "linux":
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, min(19, os.getpriority(os.PRIO_PROCESS, me) + _STEPS))


def made_behind(make: Callable[[], Made]) -> Made:
    """What a call returns, made on a thread that has stepped back, and with it every thread the call starts.

    For libraries that compute on threads of their own: those work for a slow clock, wherever it was set up.
    """
    with ThreadPoolExecutor(1, "behind", initializer=step_back) as behind:
        return behind.submit(make).result()


@contextlib.contextmanager
def display_first() -> Iterator[None]:
    """Keep the libraries from spreading work over cores that the clocks keep busy; put everything back after.

    OpenCV and numpy's BLAS hand out shares of an operation and then spin until the last is done: where every core has
    work already, half of a frame's time goes into waiting. The interpreter changes hands more often, for a slow clock
    that computes in Python would keep the display waiting for it many times a frame.
    """
    spare = max(1, _cores() - _SLOW_CLOCKS)
    threads, switch_s = cv2.getNumThreads(), sys.getswitchinterval()
    cv2.setNumThreads(min(threads, spare))
    sys.setswitchinterval(_SWITCH_S)
    try:
        with threadpoolctl.threadpool_limits(spare, user_api="blas"):
            yield
    finally:
        sys.setswitchinterval(switch_s)
        cv2.setNumThreads(threads)


def _cores() -> int:
    """How many cores this process may use: not all of the machine's, in a container or under taskset."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
