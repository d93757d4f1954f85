"""The garments of one run, and which of them is wanted now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from vastra_live.types import Garment

__all__ = ["Rack"]


class Rack:
    """An ordered set of garments to leaf through. Thread-safe.

    Pictures are read when a garment is first worn, by the thread that makes the keyframe, so that a key press
    never stalls the display.

    Args:
        names: in the order of leafing; at least one.
        load: gives the garment of a name; raises InputError.
    """

    def __init__(self, names: Sequence[str], load: Callable[[str], Garment]) -> None:
        if not names:
            raise ValueError("Rack.names: expected at least one garment, got none")
        self._names = list(names)
        self._load = load
        self._loaded: dict[str, Garment] = {}
        self._lock = threading.Lock()
        self._at = 0

    @property
    def wanted(self) -> str:
        """Name of the garment to wear now."""
        with self._lock:
            return self._names[self._at]

    def step(self, by: int) -> str:
        """Leaf on by so many garments, round and round; the name of the new one."""
        with self._lock:
            self._at = (self._at + by) % len(self._names)
            return self._names[self._at]

    def garment(self, name: str) -> Garment:
        """The garment of a name; reads its picture the first time.

        Raises:
            InputError: it cannot be read.
        """
        with self._lock:
            known = self._loaded.get(name)
        if known is None:
            known = self._load(name)
            with self._lock:
                self._loaded[name] = known
        return known
