"""One thread a sink, so that a slow or broken one never stalls the loop or its siblings."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vastra_live.output.base import FrameSink, SlowConsumer
from vastra_live.slot import Slot, SlotClosed, WhenFull
from vastra_live.types import Rendered

__all__ = ["SinkWorker"]

WHEN_FULL = {SlowConsumer.DROP_OLDEST: WhenFull.REPLACE, SlowConsumer.WAIT: WhenFull.WAIT}


def _ignore_sent(_rendered: Rendered) -> None:
    pass


class SinkWorker:
    """Feeds one sink from its own thread and its own slot.

    The first error ends this sink and nothing else: the sink is closed, pictures offered later are refused,
    and a producer that waits for a ``WAIT`` sink is let go at once.

    Args:
        sink: the sink; every call to it comes from the worker's thread.
        on_error: called with the sink and its first error, once, from the worker's thread.
        on_sent: called right after ``send`` returned, from the worker's thread; to measure latency.
    """

    def __init__(
        self,
        sink: FrameSink,
        on_error: Callable[[FrameSink, Exception], None],
        on_sent: Callable[[Rendered], None] = _ignore_sent,
    ) -> None:
        self.sink = sink
        self._on_error = on_error
        self._on_sent = on_sent
        self._slot: Slot[Rendered] = Slot(WHEN_FULL[sink.slow_consumer])
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._thread.start()

    @property
    def error(self) -> Exception | None:
        """What ended this sink; None while it works and after a good end."""
        return self._error

    @property
    def dropped(self) -> int:
        """Pictures this sink was too slow for."""
        return self._slot.dropped

    def offer(self, rendered: Rendered) -> bool:
        """Hand over a picture; waits for a ``WAIT`` sink only.

        Returns:
            False when this sink has ended and did not take it.
        """
        try:
            self._slot.put(rendered)
        except SlotClosed:
            return False
        return True

    def finish(self, timeout_s: float) -> bool:
        """Let the sink take what it was offered, close it, and wait for that. Harmless when repeated.

        Returns:
            False when the sink is still busy after ``timeout_s`` seconds; its thread never keeps Python alive.
        """
        self._slot.close()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        broken = _error_of(self._feed)
        self._slot.close()
        not_closed = _error_of(self.sink.close)
        self._error = broken or not_closed
        if self._error is not None:
            self._on_error(self.sink, self._error)

    def _feed(self) -> None:
        while True:
            try:
                rendered = self._slot.get()
            except SlotClosed:
                return
            if rendered is not None:
                self.sink.send(rendered)
                self._on_sent(rendered)


def _error_of(step: Callable[[], None]) -> Exception | None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 - the thread's boundary: the owner is handed every error
        return error
    return None
