"""Pictures as a source of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vastra_live.capture.paced import Clock, PacedSource
from vastra_live.errors import PictureError
from vastra_live.fitting import letterbox
from vastra_live.pictures import is_picture, read_picture
from vastra_live.types import U8

__all__ = ["STILL_SECONDS", "Folder", "Still"]

STILL_SECONDS = 5.0
"""How long one pass over a single picture lasts."""

_LONG_SIDE_PX = 1920


class Still(PacedSource):
    """One picture, shown again and again for :data:`STILL_SECONDS`, or for ever with ``loop``.

    A picture with a side over 1920 pixels is scaled down to that, as no camera is expected to deliver more;
    ``size`` decides otherwise. Transparent parts show the colour the file stores below them.

    Args:
        path: the picture.
        size: width and height to fit the picture into, with black bars; None for its own.
        fps: frames a second.
        loop: never end.
        asap: every frame, as fast as they are taken.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: tuple[int, int] | None = None,
        fps: float = 30.0,
        loop: bool = False,
        asap: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(Path(path).name, fps, every_frame=asap, clock=clock)
        bgr = read_picture(path).bgr
        self._bgr = letterbox(bgr, size or _live_size(bgr))
        self._frames = None if loop else max(1, round(STILL_SECONDS * fps))

    def _picture(self, index: int) -> U8 | None:
        return self._bgr if self._frames is None or index < self._frames else None


class Folder(PacedSource):
    """The pictures of a folder in the order of their names, one a frame.

    All frames have the size of the first picture (a side over 1920 pixels scaled down to that) or ``size``;
    a picture of other proportions gets black bars. Files that are not pictures by name are passed over.

    Args:
        path: the folder.
        size: width and height of the frames; None for the first picture's.
        fps: frames a second.
        loop: begin again after the last picture.
        asap: every frame, as fast as they are taken.

    Raises:
        PictureError: no pictures in it, or the first one cannot be used.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: tuple[int, int] | None = None,
        fps: float = 30.0,
        loop: bool = False,
        asap: bool = False,
        clock: Clock | None = None,
    ) -> None:
        folder = Path(path)
        super().__init__(folder.name or str(folder), fps, every_frame=asap, clock=clock)
        try:
            self._paths = sorted(p for p in folder.iterdir() if is_picture(p) and not p.name.startswith("."))
        except OSError as error:
            raise PictureError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error
        if not self._paths:
            raise PictureError(f"{folder}: holds no pictures (.jpg, .png, ...); name a folder that does")
        first = read_picture(self._paths[0]).bgr
        self._size = size or _live_size(first)
        self._loop = loop

    def _picture(self, index: int) -> U8 | None:
        if not self._loop and index >= len(self._paths):
            return None
        return letterbox(read_picture(self._paths[index % len(self._paths)]).bgr, self._size)


def _live_size(bgr: U8) -> tuple[int, int]:
    height, width = bgr.shape[:2]
    scale = min(1.0, _LONG_SIDE_PX / max(width, height))
    return int(np.rint(width * scale)), int(np.rint(height * scale))
