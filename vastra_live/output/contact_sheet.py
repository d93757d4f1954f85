"""Sink: one picture that shows a whole run at a glance."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from vastra_live.errors import PictureError, RecordingError
from vastra_live.fitting import letterbox
from vastra_live.output.base import SlowConsumer
from vastra_live.pictures import write_picture
from vastra_live.types import U8, Rendered

__all__ = ["ContactSheet"]

COLUMNS = 4
TILES = 12
TILE_WIDTH = 480
GAP = 4


class ContactSheet:
    """Keeps small copies of pictures spread evenly over the run and writes them as one picture at the end.

    How long the run will be is not known, so the distance between kept pictures doubles whenever twice as many
    as wanted have come together: constant memory, and at most a factor of two between gaps.

    Args:
        path: the picture to write, ``.png`` or ``.jpg``.
        slow_consumer: as for every sink.
    """

    def __init__(self, path: Path, slow_consumer: SlowConsumer = SlowConsumer.DROP_OLDEST) -> None:
        self.name = f"sheet:{path}"
        self.slow_consumer = slow_consumer
        self._path = path
        self._kept: list[U8] = []
        self._stride = 1
        self._seen = 0

    def send(self, rendered: Rendered) -> None:
        """Take one picture; nothing is written before :meth:`close`."""
        if self._seen % self._stride == 0:
            height, width = rendered.bgr.shape[:2]
            tile = (TILE_WIDTH, max(1, round(height * TILE_WIDTH / width)))
            if self._kept:
                tile = (self._kept[0].shape[1], self._kept[0].shape[0])
            self._kept.append(letterbox(rendered.bgr, tile))
            if len(self._kept) == 2 * TILES:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._seen += 1

    def close(self) -> None:
        """Write the sheet; none is made when there was no picture. Harmless when repeated.

        Raises:
            RecordingError: the file cannot be written.
        """
        kept, self._kept = self._kept, []
        if not kept:
            return
        chosen = [kept[i] for i in np.linspace(0, len(kept) - 1, min(TILES, len(kept))).round().astype(int)]
        height, width = chosen[0].shape[:2]
        columns = min(COLUMNS, len(chosen))
        rows = math.ceil(len(chosen) / columns)
        sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), np.uint8)
        for i, tile in enumerate(chosen):
            top, left = (i // columns) * (height + GAP), (i % columns) * (width + GAP)
            sheet[top : top + height, left : left + width] = tile
        try:
            write_picture(self._path, sheet)
        except PictureError as error:  # the path was good when the run started
            raise RecordingError(str(error)) from error
