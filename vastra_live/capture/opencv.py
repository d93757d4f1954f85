"""OpenCV's own chatter."""

from __future__ import annotations

import os

import cv2

__all__ = ["quiet_opencv"]

_SILENT = 0
_FFMPEG_QUIET = "-8"


def quiet_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to stderr; what matters of it, our own errors say.

    Called when a camera or video is opened, never at import. A user who sets ``OPENCV_LOG_LEVEL`` or
    ``OPENCV_FFMPEG_LOGLEVEL`` gets what they asked for. FFmpeg reads its variable once a process, when the
    first video is opened.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _FFMPEG_QUIET)
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.setLogLevel(_SILENT)
