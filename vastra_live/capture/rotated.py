"""A camera that stands on its side, as in a mirror on an upright screen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vastra_live.capture.base import FrameSource, Health
from vastra_live.types import U8, Frame

__all__ = ["ROTATIONS", "Rotated"]

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
ROTATIONS = (0, *_TURNS)
"""Degrees clockwise."""


class Rotated:
    """Another source with every frame turned; a ``FrameSource``.

    Args:
        source: closed and interrupted with this one.
        degrees: clockwise: 90, 180 or 270.
    """

    def __init__(self, source: FrameSource, degrees: int) -> None:
        self._source, self._turn = source, _TURNS[degrees]
        self.name, self.live, self.every_frame = source.name, source.live, source.every_frame

    @property
    def fps(self) -> float:
        """Nominal frames a second."""
        return self._source.fps

    @property
    def health(self) -> Health:
        """How the source is doing; may be asked from any thread."""
        return self._source.health

    def read(self) -> Frame:
        """The next frame, turned; as :meth:`FrameSource.read`."""
        frame = self._source.read()
        turned: U8 = np.asarray(cv2.rotate(frame.bgr, self._turn), np.uint8)
        return replace(frame, bgr=turned)

    def interrupt(self) -> None:
        """End a blocked :meth:`read`, from any thread."""
        self._source.interrupt()

    def close(self) -> None:
        """Give the device or file back. Harmless when repeated."""
        self._source.close()
