"""One ffmpeg process that writes one H.264 mp4; docs/decisions/0003-recording.md says why a process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2

from vastra_live.errors import RecordingError
from vastra_live.fitting import letterbox
from vastra_live.types import U8

__all__ = ["Encoder", "ffmpeg_executable"]

LAST_WORDS = 8
"""How many lines of ffmpeg's complaints are kept for the error."""

HEADER_BYTES = 4096
"""A file shorter than this holds headers and no picture."""


def ffmpeg_executable() -> str:
    """The ffmpeg that films are written with.

    Raises:
        RecordingError: there is none.
    """
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise RecordingError(
            f"recording needs ffmpeg and found none ({error}); pip install imageio-ffmpeg, "
            "or install ffmpeg 7.1 or newer and name it in IMAGEIO_FFMPEG_EXE"
        ) from error


def _arguments(path: Path, size: tuple[int, int], fps: float) -> list[str]:
    """ffmpeg's command line after the executable's name.

    Raw yuv420p comes in: half the bytes of BGR through the pipe, and the conversion is BT.601 in limited
    range, which the colour tags say. One keyframe and one fragment a second: what a power cut can take.
    """
    rate = Fraction(fps).limit_denominator(1001)
    colours = ["-color_range", "tv", "-colorspace", "smpte170m"]
    colours += ["-color_primaries", "smpte170m", "-color_trc", "smpte170m"]
    return [
        *("-hide_banner", "-nostats", "-loglevel", "error", "-xerror", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", str(rate), *colours),
        *("-i", "pipe:0", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", str(max(1, round(fps)))),
        *(*colours, "-movflags", "+hybrid_fragmented", "-f", "mp4", os.fspath(path)),
    ]


def _own_group() -> dict[str, Any]:
    """Ctrl-C in the terminal is for us; ffmpeg ends when its input does."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


class Encoder:
    """Writes pictures of one size to an mp4 at a constant rate. For one thread.

    While it runs the file is a fragmented mp4, playable up to its last whole second; :meth:`finish` turns it
    into an ordinary one. When this process is killed ffmpeg sees the end of its input and finishes by itself.

    Args:
        path: the file; overwritten.
        size: width and height of the first picture. 4:2:0 video has even sides: an odd one gets its last
            row or column twice.
        fps: frames a second of the film.

    Raises:
        RecordingError: ffmpeg cannot be started.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._path = path
        self._size = size
        self._odd = (size[0] % 2, size[1] % 2)
        even = (size[0] + self._odd[0], size[1] + self._odd[1])
        command = [ffmpeg_executable(), *_arguments(path, even, fps)]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, bufsize=0, **_own_group()
            )
        except OSError as error:
            raise RecordingError(f"{path}: cannot start {command[0]}: {error}") from error
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        # ffmpeg would stop at a full pipe if nobody read what it says
        self._listener = threading.Thread(target=self._listen, name="ffmpeg-stderr", daemon=True)
        self._listener.start()
        self.written = 0
        """Pictures handed to ffmpeg so far."""

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                self._words.append(line.decode(errors="replace").strip())

    def write(self, bgr: U8, copies: int = 1) -> None:
        """Append a picture ``copies`` times; one of another size is fitted into the film's, black around it.

        Raises:
            RecordingError: ffmpeg gave up: a full disk, a folder that went away.
        """
        assert self._process.stdin is not None
        if copies < 1:
            return
        fitted = letterbox(bgr, self._size)
        if any(self._odd):
            fitted = cv2.copyMakeBorder(fitted, 0, self._odd[1], 0, self._odd[0], cv2.BORDER_REPLICATE)
        yuv = cv2.cvtColor(fitted, cv2.COLOR_BGR2YUV_I420).reshape(-1).data
        try:
            for _ in range(copies):
                rest = yuv
                while rest:  # a raw pipe may take less than it was given
                    rest = rest[self._process.stdin.write(rest) :]
                self.written += 1
        except OSError as error:
            self._process.stdin.close()
            self._process.wait()
            raise self._failure() from error

    def finish(self) -> None:
        """End the film and wait for ffmpeg. Harmless when repeated.

        Raises:
            RecordingError: the end could not be written.
        """
        assert self._process.stdin is not None
        if self._process.stdin.closed:
            return
        self._process.stdin.close()
        if self._process.wait() != 0:
            raise self._failure()

    def _failure(self) -> RecordingError:
        self._listener.join()
        code = self._process.returncode
        # ffmpeg: "[vost#0:0/libx264 @ 0x55f7597f3280] Error ...: No space left on device"
        reason = self._words[0].rpartition("] ")[2] if self._words else f"ffmpeg ended with code {code}"
        kept = "what was written before that plays"
        if not self._path.is_file() or self._path.stat().st_size < HEADER_BYTES:
            self._path.unlink(missing_ok=True)
            kept = "nothing was kept"
        return RecordingError(
            f"{self._path}: recording failed after {self.written} frames: {reason}; {kept}; "
            "free some space or choose another folder"
        )
