"""A hand-over point between two threads that holds at most one item.

An unbounded queue turns a slow consumer into growing latency. A slot cannot: what happens to an item
nobody took yet is decided by name (:class:`WhenFull`), and nothing else can happen.
"""

from __future__ import annotations

import threading
from enum import Enum
from typing import Generic, TypeVar

__all__ = ["Slot", "SlotClosed", "WhenFull"]

T = TypeVar("T")


class WhenFull(Enum):
    """What :meth:`Slot.put` does while the slot still holds an item."""

    REPLACE = "replace"
    """The newest item wins; the old one is dropped and counted. Live video."""
    WAIT = "wait"
    """Wait until the consumer took it. Every item arrives; the producer is slowed down."""


class SlotClosed(Exception):  # noqa: N818 - an end, not an error
    """The slot was closed and is empty: no further item will come."""


class Slot(Generic[T]):
    """Holds at most one item between a producing and a consuming thread.

    Thread-safe. After :meth:`close`, a last item can still be taken; then :class:`SlotClosed` is raised.

    Args:
        when_full: what ``put`` does while an item is waiting.
    """

    def __init__(self, when_full: WhenFull = WhenFull.REPLACE) -> None:
        self._when_full = when_full
        self._condition = threading.Condition()
        self._item: T | None = None
        self._filled = False
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many items were replaced before anyone took them."""
        with self._condition:
            return self._dropped

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        with self._condition:
            return self._closed

    def put(self, item: T) -> None:
        """Leave an item.

        Raises:
            SlotClosed: the slot is closed, also while waiting for room.
        """
        with self._condition:
            if self._when_full is WhenFull.WAIT:
                self._condition.wait_for(lambda: self._closed or not self._filled)
            if self._closed:
                raise SlotClosed
            if self._filled:
                self._dropped += 1
            self._item, self._filled = item, True
            self._condition.notify_all()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the item; wait for one if there is none.

        Args:
            timeout_s: seconds to wait at most; None waits for ever, 0 only looks.

        Returns:
            The item, or None when the time ran out.

        Raises:
            SlotClosed: the slot is closed and empty.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._closed or self._filled, timeout_s):
                return None
            if not self._filled:
                raise SlotClosed
            item, self._item, self._filled = self._item, None, False
            self._condition.notify_all()
            return item

    def close(self) -> None:
        """End the hand-over: wakes everyone who waits. Harmless when repeated."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
