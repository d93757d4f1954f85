"""What the machine's V4L2 devices say about themselves, and what is advised when one cannot be used."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest

from tests.fakes_capture import FakeDriver, steady
from vastra_live.capture import camera_reader, devices
from vastra_live.capture.devices import VideoDevice, camera_path, list_devices, why_unusable

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is Linux only")

CAPTURE, OUTPUT, DEVICE_CAPS = 0x1, 0x2, 0x80000000


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /dev."""
    import fcntl

    replies = {
        "video0": (b"uvcvideo", b"Integrated Camera", CAPTURE | OUTPUT | DEVICE_CAPS, CAPTURE),
        "video1": (b"uvcvideo", b"Integrated Camera", CAPTURE | OUTPUT | DEVICE_CAPS, 0x00800000),  # metadata only
        "video10": (b"v4l2 loopback", b"VirtCam", OUTPUT, 0),
    }
    for name in (*replies, "video2", "video-front"):
        (tmp_path / name).touch()

    def ioctl(node: int, request: int, reply: bytearray) -> int:
        assert request == 0x80685600
        name = Path(f"/proc/self/fd/{node}").readlink().name
        if name not in replies:
            raise OSError(25, "Inappropriate ioctl for device")
        driver, card, of_all, of_this = replies[name]
        reply[:] = struct.pack("16s32s32sIII12x", driver, card, b"bus", 1, of_all, of_this)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(devices, "Path", lambda p: tmp_path if p == "/dev" else Path(p))
    return tmp_path


def test_devices_are_listed_by_number_with_what_they_can(dev: Path) -> None:
    found = {Path(d.path).name: (d.card, d.captures, d.outputs) for d in list_devices()}
    assert list(found.items()) == [
        ("video0", ("Integrated Camera", True, False)),
        ("video1", ("Integrated Camera", False, False)),
        ("video2", ("", None, None)),
        ("video10", ("VirtCam", False, True)),
    ]
    assert str(list_devices()[0]) == f"{dev}/video0 (Integrated Camera)"


def test_the_advice_fits_the_cause(dev: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = why_unusable(f"{dev}/video7")
    assert "no such device" in missing
    assert "video0 (Integrated Camera)" in missing
    assert "video10" not in missing
    not_a_camera = why_unusable(f"{dev}/video1")
    assert f"use {dev}/video0 (Integrated Camera)" in not_a_camera
    assert "in use by another program" in why_unusable(f"{dev}/video0")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "usermod -aG video" in why_unusable(f"{dev}/video0")


def test_an_index_is_a_path_on_linux() -> None:
    assert camera_path(3) == "/dev/video3"
    assert camera_path("/dev/v4l/by-id/cam") == "/dev/v4l/by-id/cam"
    assert str(VideoDevice("/dev/video3")) == "/dev/video3"


def test_only_an_index_is_tried_with_other_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[int | str, int]] = []
    driver = FakeDriver([None, None, steady])

    def capture(device: int | str, backend: int) -> object:
        tried.append((device, backend))
        return driver(device)

    monkeypatch.setattr(camera_reader.cv2, "VideoCapture", capture)
    any_backend, v4l2 = camera_reader.cv2.CAP_ANY, camera_reader.cv2.CAP_V4L2
    assert not camera_reader.open_capture("/dev/video77").isOpened()
    assert camera_reader.open_capture(0).isOpened()
    assert tried == [("/dev/video77", v4l2), (0, v4l2), (0, any_backend)]
    assert driver.opened[1].released.is_set()
