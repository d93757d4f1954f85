"""Sink: nowhere."""

from __future__ import annotations

from vastra_live.output.base import SlowConsumer
from vastra_live.types import Rendered

__all__ = ["NullSink"]


class NullSink:
    """Takes pictures and forgets them, to measure the loop."""

    def __init__(self, slow_consumer: SlowConsumer = SlowConsumer.DROP_OLDEST) -> None:
        self.name = "null"
        self.slow_consumer = slow_consumer

    def send(self, rendered: Rendered) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to give back."""
