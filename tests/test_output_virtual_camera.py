"""The virtual camera with a stand-in for pyvirtualcam; real devices are checked in a virtual machine."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from vastra_live.errors import VirtualCameraError
from vastra_live.output import loopback, virtual_camera
from vastra_live.output.virtual_camera import VirtualCamera
from vastra_live.types import Rendered, Shown


def rendered(width: int = 64, height: int = 48) -> Rendered:
    bgr = np.full((height, width, 3), 90, np.uint8)
    return Rendered(bgr, bgr, 0, 0, Shown.GARMENT)


class FakeCamera:
    """pyvirtualcam.Camera, as far as the sink uses it."""

    made: list[FakeCamera]
    refuse = ""
    backend = "fake"

    def __init__(self, width: int, height: int, fps: float, fmt: str, device: str | None) -> None:
        if self.refuse:
            raise RuntimeError(self.refuse)
        self.width, self.height, self.fps, self.fmt, self.device = width, height, fps, fmt, device or "first"
        self.shapes: list[tuple[int, ...]] = []
        self.closed = 0
        self.made.append(self)

    def send(self, bgr: np.ndarray) -> None:
        self.shapes.append(bgr.shape)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> list[FakeCamera]:
    FakeCamera.made = []
    monkeypatch.setattr(FakeCamera, "refuse", "")
    module = types.SimpleNamespace(Camera=FakeCamera, PixelFormat=types.SimpleNamespace(BGR="BGR"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return FakeCamera.made


def test_it_opens_at_the_first_picture_and_keeps_that_size(cameras: list[FakeCamera]) -> None:
    sink = VirtualCamera(None, fps=25)
    assert not cameras
    assert sink.device is None
    sink.send(rendered(64, 48))
    sink.send(rendered(48, 64))
    sink.close()
    sink.close()
    (camera,) = cameras
    assert (camera.width, camera.height, camera.fps, camera.fmt) == (64, 48, 25, "BGR")
    assert camera.shapes == [(48, 64, 3), (48, 64, 3)]
    assert camera.closed == 1


def test_one_error_holds_every_backends_reason_and_the_remedy(
    cameras: list[FakeCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCamera, "refuse", "'obs' backend: not installed\n'unitycapture' backend: no device")
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(VirtualCameraError) as caught:
        VirtualCamera("OBS", fps=30).send(rendered())
    message = str(caught.value)
    assert "no virtual camera OBS of 64x48" in message
    assert "'obs' backend: not installed; 'unitycapture' backend: no device" in message
    assert virtual_camera.REMEDIES["win32"] in message
    assert "\n" not in message
    assert not cameras


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(VirtualCameraError, match="pip install pyvirtualcam"):
        VirtualCamera(None, fps=30).send(rendered())


@pytest.mark.parametrize("failure", [RuntimeError("gone"), OSError("gone")])
def test_a_device_that_fails_later_is_lost(cameras: list[FakeCamera], failure: Exception) -> None:
    sink = VirtualCamera(None, fps=30)
    sink.send(rendered())

    def fail(_bgr: np.ndarray) -> None:
        raise failure

    cameras[0].send = fail  # type: ignore[method-assign]
    with pytest.raises(VirtualCameraError, match="failed: gone"):
        sink.send(rendered())


def test_a_device_node_that_went_away_is_lost(
    cameras: list[FakeCamera], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """v4l2loopback's backend prints that a write failed and goes on."""
    node = tmp_path / "video10"
    node.touch()
    monkeypatch.setattr(Path, "is_char_device", lambda _self: True)
    sink = VirtualCamera(str(node), fps=30)
    sink.send(rendered())
    node.unlink()
    with pytest.raises(VirtualCameraError, match="video10 was lost"):
        sink.send(rendered())
    sink.close()
    assert cameras[0].closed == 1


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """video0 is a webcam, video10 a loopback device."""
    for name in ("video0", "video10"):
        (tmp_path / name).mkdir()
    (tmp_path / "video10" / "format").write_text("\n")
    monkeypatch.setattr(loopback, "SYSFS", tmp_path)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")
def test_a_size_a_reader_holds_on_to_is_taken(
    cameras: list[FakeCamera], sysfs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "node" / "video10"
    node.parent.mkdir()
    node.touch()
    (sysfs / "video10" / "format").write_text("YU12:320x240@30\n")
    monkeypatch.setattr(Path, "is_char_device", lambda _self: True)
    sink = VirtualCamera(str(node), fps=30)
    sink.send(rendered(64, 48))
    assert [(camera.width, camera.height, camera.closed) for camera in cameras] == [(64, 48, 1), (320, 240, 0)]
    assert cameras[1].shapes == [(240, 320, 3)]


@pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")
def test_a_device_another_program_has_open_is_named(
    cameras: list[FakeCamera], sysfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sysfs / "video10" / "format").write_text("YU12:320x240@30\n")
    monkeypatch.setattr(FakeCamera, "refuse", "not a video output device")
    with pytest.raises(VirtualCameraError, match="/dev/video10 is open in another program"):
        VirtualCamera(None, fps=30).send(rendered())
    assert not cameras


def test_only_an_idle_loopback_device_is_revived(sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[str] = []
    monkeypatch.setattr(loopback, "_stream_and_close", touched.append)
    loopback.revive(None)
    assert touched == ["/dev/video10"]
    (sysfs / "video10" / "format").write_text("YU12:320x240@30\n")
    loopback.revive(None)
    assert touched == ["/dev/video10"]
    assert loopback.real_size("/dev/video10") == (320, 240)
    assert loopback.real_size("/dev/video0") is None
    assert loopback.in_use(None) == ["/dev/video10"]
