"""What a sink is."""

from __future__ import annotations

from enum import Enum
from typing import Protocol, runtime_checkable

from vastra_live.types import Rendered

__all__ = ["FrameSink", "SlowConsumer"]


class SlowConsumer(Enum):
    """What happens to a picture when the sink has not finished the one before."""

    DROP_OLDEST = "drop_oldest"
    """The newest picture wins; a slow sink shows fewer. Windows, virtual cameras, live recordings."""
    WAIT = "wait"
    """The loop waits for this sink; every picture arrives. A recording of a source read ``--asap``."""


@runtime_checkable
class FrameSink(Protocol):
    """Takes finished pictures. All calls come from one thread.

    Attributes:
        name: for messages and reports.
        slow_consumer: what to do when this sink is slower than the loop.
    """

    name: str
    slow_consumer: SlowConsumer

    def send(self, rendered: Rendered) -> None:
        """Take one picture; opens the device or file at the first one, whose size then holds.

        Raises:
            DeviceError: the sink is broken and will take no more pictures.
        """
        ...

    def close(self) -> None:
        """Finish and give the device or file back. Harmless when repeated.

        Raises:
            DeviceError: what was sent could not be finished (a full disk); everything is given back all the same.
        """
        ...
