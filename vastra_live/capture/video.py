"""Video files as a source of frames."""

from __future__ import annotations

import math
from pathlib import Path

import cv2

from vastra_live.capture.fitting import as_bgr
from vastra_live.capture.opencv import quiet_opencv
from vastra_live.capture.paced import Clock, PacedSource
from vastra_live.errors import VideoError
from vastra_live.fitting import letterbox
from vastra_live.types import U8

__all__ = ["VideoFile"]

_DEFAULT_FPS = 30.0
_MAX_FPS = 240.0


class VideoFile(PacedSource):
    """A video file at its own rate: a late consumer gets the newest frame due, and none is shown early.

    A phone's rotation mark is applied (by OpenCV, once); grey video becomes BGR.

    Args:
        path: the file; anything OpenCV's FFmpeg reads.
        size: width and height to fit the frames into, with black bars; None for the file's own.
        fps: the rate when the file names none or an impossible one (0, NaN, above 240); 30 if not given.
        loop: begin again after the last frame.
        asap: every frame in order, as fast as they are taken.

    Raises:
        VideoError: missing, a folder, empty, not a video, or a video without a single frame.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        loop: bool = False,
        asap: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._path = Path(path)
        _check_file(self._path)
        quiet_opencv()
        self._capture = self._open()
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        if not (math.isfinite(rate) and 0.0 < rate <= _MAX_FPS):
            rate = fps or _DEFAULT_FPS
        super().__init__(self._path.name, rate, every_frame=asap, clock=clock)
        self._loop = loop
        self._next = 0  # index the decoder will deliver next
        # read now, so that a file without frames is refused when it is opened and not in mid-run
        first = self._decode()
        if first is None:
            self._capture.release()
            raise VideoError(f"{self._path}: holds no frame that can be decoded; convert it or choose another video")
        self._size = size or (first.shape[1], first.shape[0])
        self._first: U8 | None = first

    def _picture(self, index: int) -> U8 | None:
        if self._first is not None:  # index 0: a pacer never skips the first
            first, self._first = self._first, None
            return letterbox(first, self._size)
        while self._next < index:
            if self._stop.is_set():
                return None
            if self._capture.grab():
                self._next += 1
            elif not self._rewind():
                return None
        bgr = self._decode()
        if bgr is None and self._rewind():
            bgr = self._decode()
        return None if bgr is None else letterbox(bgr, self._size)

    def _decode(self) -> U8 | None:
        ok, raw = self._capture.read()
        if not ok:
            return None
        self._next += 1
        reported = (
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
        return as_bgr(raw, reported)

    def _rewind(self) -> bool:
        """Begin again, if asked to. By opening the file anew: seeking lands beside the first frame in some."""
        if not self._loop:
            return False
        self._capture.release()
        self._capture = self._open()
        return True

    def _open(self) -> cv2.VideoCapture:
        for backend in (cv2.CAP_FFMPEG, cv2.CAP_ANY):
            capture = cv2.VideoCapture(str(self._path), backend)
            if capture.isOpened():
                capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
                return capture
            capture.release()
        raise VideoError(f"{self._path}: is not a video this program can read; convert it to MP4 (H.264)")

    def _release(self) -> None:
        self._capture.release()


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise VideoError(f"{path}: there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise VideoError(f"{path}: cannot be read ({error}); check the path and its permissions") from error
    if not path.is_file():
        raise VideoError(f"{path}: is not a file; name one video file")
    if size == 0:
        raise VideoError(f"{path}: is empty (0 bytes); fetch it again")
