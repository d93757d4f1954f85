"""What v4l2loopback (Linux's virtual camera) needs beyond what pyvirtualcam does."""

from __future__ import annotations

import contextlib
import os
import re
import struct
from pathlib import Path

__all__ = ["in_use", "real_size", "release", "revive"]

SYSFS = Path("/sys/class/video4linux")

# linux/videodev2.h
_VIDIOC_QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability)
_VIDIOC_STREAMON = 0x40045612  # _IOW('V', 18, int)
_CAPABILITY_BYTES = 104
_DEVICE_CAPS = struct.Struct("<I")
_DEVICE_CAPS_AT = 88
_VIDEO_OUTPUT = 2  # both the capability's bit and the buffer type


def real_size(device: str) -> tuple[int, int] | None:
    """The size the driver really set; None when nobody has the device open, or another driver is behind it.

    The driver answers a size it cannot set with the one it keeps, and pyvirtualcam does not look.
    """
    match = re.search(r":(\d+)x(\d+)", _format(device) or "")
    return (int(match[1]), int(match[2])) if match else None


def in_use(device: str | None) -> list[str]:
    """Of this device, or of all, those that some program has open."""
    return [path for path in _devices(device) if _format(path)]


def release(device: str) -> None:
    """Let others write to a device this process has just stopped writing to.

    v4l2loopback before 0.13 (Debian 12, Ubuntu 22.04) with ``exclusive_caps=1`` does not know a program that
    uses write(), as pyvirtualcam does, for a writer when it closes the device, and from then on says of itself
    that it takes no pictures (v4l2loopback issue 470, pyvirtualcam issue 61). Whoever starts an output stream
    is a writer to it, so doing that and closing mends it.
    """
    # a device we may not open, or a driver that refuses: pyvirtualcam will say so
    with contextlib.suppress(OSError):
        _stream_and_close(device)


def revive(device: str | None) -> None:
    """:func:`release` this device, or all, for a writer that was killed before it could.

    Left alone is a device that some program has open: it may be the writer.
    """
    for path in _devices(device):
        # only this driver has the attribute, and it is empty when nobody has the device open
        if _format(path) == "":
            release(path)


def _devices(device: str | None) -> list[str]:
    return [device] if device else [f"/dev/{node.name}" for node in sorted(SYSFS.glob("video*"))]


def _format(device: str) -> str | None:
    try:
        return (SYSFS / Path(device).name / "format").read_text().strip()
    except OSError:
        return None


def _stream_and_close(device: str) -> None:
    import fcntl  # Linux only

    node = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        reply = bytearray(_CAPABILITY_BYTES)
        fcntl.ioctl(node, _VIDIOC_QUERYCAP, reply)
        (caps,) = _DEVICE_CAPS.unpack_from(reply, _DEVICE_CAPS_AT)
        if not caps & _VIDEO_OUTPUT:
            fcntl.ioctl(node, _VIDIOC_STREAMON, struct.pack("i", _VIDEO_OUTPUT))
    finally:
        os.close(node)
