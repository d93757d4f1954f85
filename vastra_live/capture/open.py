"""From what the user names to a source of frames."""

from __future__ import annotations

import math
from pathlib import Path

from vastra_live.capture.base import FrameSource
from vastra_live.capture.camera_reader import CameraLimits
from vastra_live.capture.demo import DEMO_SIZE, Demo
from vastra_live.capture.rotated import ROTATIONS, Rotated
from vastra_live.capture.still import Folder, Still
from vastra_live.capture.video import VideoFile
from vastra_live.capture.webcam import Webcam
from vastra_live.errors import ConfigError
from vastra_live.pictures import is_picture

__all__ = ["open_source"]

_MIN_SIDE_PX, _MAX_SIDE_PX = 32, 8192
_MAX_FPS = 240.0
_DEFAULT_FPS = 30.0
_ACCEPTED = "name a camera (0, /dev/video0), a video file, a picture, a folder of pictures, or demo"


def open_source(
    spec: str,
    *,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    loop: bool = False,
    asap: bool = False,
    give_up_s: float | None = None,
    rotate: int = 0,
) -> FrameSource:
    """Open what ``--source`` names.

    Args:
        spec: a camera's index ("0") or device path ("/dev/video0"), a video file, a picture, a folder of
            pictures, or "demo".
        size: width and height. A camera is asked for it and may deliver another; files are fitted into it
            with black bars; the demo is made in it.
        fps: a camera is asked for it and may deliver another; pictures and the demo run at it (30 if None); a
            video file keeps its own rate.
        loop: repeat a finite source for ever. A camera never ends anyway.
        asap: deliver every frame of a finite source, as fast as they are taken. A camera is always live.
        give_up_s: how long a lost camera is waited for; None is for ever.
        rotate: degrees clockwise by which every frame is turned: 0, 90, 180 or 270. ``size`` is that before.

    Raises:
        ConfigError: the spec, size or rate cannot be meant.
        PictureError, VideoError: the file cannot be used.
        CameraError: the camera cannot be opened.
        MissingDependencyError: the demo's portrait is not installed.
    """
    _check(size, fps)
    if rotate not in ROTATIONS:
        raise ConfigError(f"rotate {rotate}: must be one of {', '.join(map(str, ROTATIONS))} degrees")
    source = _open(spec, size=size, fps=fps, loop=loop, asap=asap, give_up_s=give_up_s)
    return Rotated(source, rotate) if rotate else source


def _open(
    spec: str, *, size: tuple[int, int] | None, fps: float | None, loop: bool, asap: bool, give_up_s: float | None
) -> FrameSource:
    spec = spec.strip()
    rate = fps or _DEFAULT_FPS
    limits = CameraLimits(give_up_s=give_up_s)
    if spec == "demo":
        return Demo(size=size or DEMO_SIZE, fps=rate, loop=loop, asap=asap)
    if spec.isascii() and spec.isdigit():
        return Webcam(int(spec), size=size, fps=fps, limits=limits)
    if "://" in spec:
        raise ConfigError(f"source {spec!r}: network streams are not read; {_ACCEPTED}")
    path = Path(spec).expanduser()
    if spec.startswith(("/dev/video", "/dev/v4l/")) or path.is_char_device():
        return Webcam(spec, size=size, fps=fps, limits=limits)
    if spec and path.is_dir():
        return Folder(path, size=size, fps=rate, loop=loop, asap=asap)
    if is_picture(path):
        return Still(path, size=size, fps=rate, loop=loop, asap=asap)
    if path.is_file() or path.suffix:
        return VideoFile(path, size=size, fps=fps, loop=loop, asap=asap)
    raise ConfigError(f"source {spec!r}: there is no such thing; {_ACCEPTED}")


def _check(size: tuple[int, int] | None, fps: float | None) -> None:
    if size is not None and not all(_MIN_SIDE_PX <= side <= _MAX_SIDE_PX for side in size):
        raise ConfigError(
            f"size {size[0]}x{size[1]}: each side must be {_MIN_SIDE_PX} to {_MAX_SIDE_PX} pixels, such as 1280x720"
        )
    if fps is not None and not (math.isfinite(fps) and 0.0 < fps <= _MAX_FPS):
        raise ConfigError(f"fps {fps:g}: must be above 0 and at most {_MAX_FPS:g}, such as 30")
