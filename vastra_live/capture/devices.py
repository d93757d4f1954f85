"""Which V4L2 devices a Linux machine has, and why one of them cannot be opened."""

from __future__ import annotations

import os
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VideoDevice", "camera_path", "list_devices", "why_unusable"]

# linux/videodev2.h: VIDIOC_QUERYCAP = _IOR('V', 0, struct v4l2_capability)
_VIDIOC_QUERYCAP = 0x80685600
_CAPABILITY = struct.Struct("16s32s32sIII12x")  # driver, card, bus_info, version, capabilities, device_caps
_CAN_CAPTURE = 0x00000001 | 0x00001000  # single- and multi-planar
_CAN_OUTPUT = 0x00000002 | 0x00002000
_HAS_DEVICE_CAPS = 0x80000000


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One ``/dev/video*`` node.

    Attributes:
        path: such as ``/dev/video0``.
        card: what the driver calls it, "" when it could not be asked.
        driver: such as ``uvcvideo`` or ``v4l2 loopback``.
        captures: frames can be read from it; None when it could not be asked.
        outputs: frames can be written to it (a virtual camera); None when it could not be asked.
    """

    path: str
    card: str = ""
    driver: str = ""
    captures: bool | None = None
    outputs: bool | None = None

    def __str__(self) -> str:
        return f"{self.path} ({self.card})" if self.card else self.path


def list_devices() -> tuple[VideoDevice, ...]:
    """The V4L2 devices of a Linux machine by number; empty elsewhere. Opens none of them for streaming."""
    if not sys.platform.startswith("linux"):
        return ()
    numbered = [(int(m[1]), p) for p in Path("/dev").glob("video*") if (m := re.fullmatch(r"video(\d+)", p.name))]
    return tuple(_query(str(path)) for _, path in sorted(numbered))


def camera_path(device: int | str) -> str:
    """How a camera is called in messages: ``/dev/videoN`` on Linux, its number elsewhere."""
    if isinstance(device, int) and sys.platform.startswith("linux"):
        return f"/dev/video{device}"
    return str(device)


def why_unusable(device: int | str) -> str:
    """What keeps a camera from being opened, and the remedy, as one sentence."""
    path = camera_path(device)
    if not sys.platform.startswith("linux"):
        return "check that it is plugged in, that no other program uses it, and that this program may use the camera"
    if not Path(path).exists():
        cameras = [str(d) for d in list_devices() if d.captures is not False]
        found = ", ".join(cameras) if cameras else "none"
        return f"there is no such device; cameras found: {found}; plug one in, or use --source demo"
    if not os.access(path, os.R_OK | os.W_OK):
        return (
            "you may not read it; add yourself to the group that may: sudo usermod -aG video $USER, then log in again"
        )
    known = _query(path)
    if known.captures is False:
        others = [str(d) for d in list_devices() if d.captures]
        instead = f"use {', '.join(others)}" if others else "no other camera was found; use --source demo"
        return f"it delivers no frames now ({known.card or 'not a camera'}); {instead}"
    return "it is in use by another program, or not a camera; close the other program, or use --source demo"


def _query(path: str) -> VideoDevice:
    import fcntl  # Linux only

    reply = bytearray(_CAPABILITY.size)
    try:
        node = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return VideoDevice(path)
    try:
        fcntl.ioctl(node, _VIDIOC_QUERYCAP, reply)
    except OSError:
        return VideoDevice(path)
    finally:
        os.close(node)
    driver, card, _, _, of_all_nodes, of_this_node = _CAPABILITY.unpack(reply)
    can = of_this_node if of_all_nodes & _HAS_DEVICE_CAPS else of_all_nodes
    return VideoDevice(path, _text(card), _text(driver), bool(can & _CAN_CAPTURE), bool(can & _CAN_OUTPUT))


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
