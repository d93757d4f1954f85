"""The doctor names what is there, what is not, and never hangs or falls ill itself."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from vastra_live import doctor
from vastra_live.capture.devices import VideoDevice
from vastra_live.doctor import Check
from vastra_live.errors import DisplayError, RecordingError

WEBCAM = VideoDevice("/dev/video0", "A Webcam", "uvcvideo", captures=True, outputs=False)
METADATA = VideoDevice("/dev/video1", "A Webcam", "uvcvideo", captures=False, outputs=False)
IDLE_LOOPBACK = VideoDevice("/dev/video10", "VirtCam", "v4l2 loopback", captures=False, outputs=True)
FED_LOOPBACK = VideoDevice("/dev/video11", "Phone", "v4l2 loopback", captures=True, outputs=False)


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")


def answer(monkeypatch: pytest.MonkeyPatch, told: str, complaint: str = "") -> list[str]:
    """Stand in for the processes of their own; the sources that were tried."""
    tried: list[str] = []

    def try_apart(_code: str, *arguments: str) -> tuple[str, str]:
        tried.extend(arguments)
        return told, complaint

    monkeypatch.setattr(doctor, "_try_apart", try_apart)
    return tried


@pytest.mark.usefixtures("linux")
def test_cameras_are_told_from_their_metadata_nodes_and_from_virtual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = answer(monkeypatch, '{"size": [1280, 720], "rate": 29.9}')
    checks = doctor.check_cameras([WEBCAM, METADATA, IDLE_LOOPBACK, FED_LOOPBACK])
    assert tried == ["/dev/video0", "/dev/video11"]
    assert checks[0] == Check("camera /dev/video0", True, "/dev/video0 (A Webcam): 1280x720, 30 frames a second")


@pytest.mark.usefixtures("linux")
def test_a_camera_that_fails_or_hangs_is_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, '{"error": "camera /dev/video0 delivers garbage"}')
    (check,) = doctor.check_cameras([WEBCAM])
    assert (check.ok, "delivers garbage" in check.found, bool(check.remedy)) == (False, True, True)
    answer(monkeypatch, "", "no answer within 20 s")
    (check,) = doctor.check_cameras([WEBCAM])
    assert (check.ok, "no answer" in check.found, bool(check.remedy)) == (False, True, True)


@pytest.mark.usefixtures("linux")
def test_no_camera_is_no_failure() -> None:
    (check,) = doctor.check_cameras([IDLE_LOOPBACK])
    assert check.ok is None
    assert "--source demo" in check.remedy


@pytest.mark.usefixtures("linux")
def test_the_virtual_camera_is_the_loopback_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "pyvirtualcam.camera", SimpleNamespace(BACKENDS={}))
    found = doctor.check_virtual_camera([WEBCAM, IDLE_LOOPBACK])
    assert (found.ok, found.found) == (True, "/dev/video10 (VirtCam), v4l2loopback")
    missing = doctor.check_virtual_camera([WEBCAM])
    assert missing.ok is None
    assert "modprobe v4l2loopback" in missing.remedy or not sys.platform.startswith("linux")


def test_a_real_process_that_hangs_crashes_or_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._try_apart("import sys; print('x'); print(sys.argv[1])", "7") == ("7", "")
    assert doctor._try_apart("raise ImportError('libGL.so.1')") == ("", "ImportError: libGL.so.1")
    told, complaint = doctor._try_apart("import os; os.abort()")
    assert told == "" and "ended with code" in complaint
    monkeypatch.setattr(doctor, "PATIENCE_S", 0.3)
    assert doctor._try_apart("import time; time.sleep(60)") == ("", "no answer within 0 s")


def test_two_opencv_wheels_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def wheels(*names: str) -> None:
        found = [SimpleNamespace(name=name, version="4.11") for name in names]
        monkeypatch.setattr(importlib.metadata, "distributions", lambda: found)

    wheels("opencv-contrib-python", "numpy")
    assert doctor.check_opencv().ok
    wheels("opencv-contrib-python", "opencv-python-headless")
    check = doctor.check_opencv()
    assert check.ok is False
    assert "pip uninstall opencv-contrib-python opencv-python-headless" in check.remedy


def test_no_display_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise DisplayError("no display: DISPLAY is not set; use a file")

    monkeypatch.setattr(doctor, "probe_display", none)
    assert doctor.check_display() == Check("display", None, "no display: DISPLAY is not set", "use a file")
    monkeypatch.setattr(doctor, "probe_display", lambda: "x11, 1920x1080")
    assert doctor.check_display() == Check("display", True, "x11, 1920x1080")


def test_the_ffmpeg_is_run_not_only_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_recording().found.startswith("ffmpeg version")

    def none() -> str:
        raise RecordingError("no ffmpeg")

    monkeypatch.setattr(doctor, "ffmpeg_executable", none)
    assert doctor.check_recording().ok is False


def test_folders_and_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = doctor.check_folder("wardrobe", tmp_path / "a" / "b")
    assert new.ok
    assert not (tmp_path / "a").exists()
    (tmp_path / "garment").touch()
    assert doctor.check_folder("wardrobe", tmp_path).found == f"{tmp_path}, 1 files"
    assert doctor.check_space(tmp_path / "a").found.endswith("GiB free")
    monkeypatch.setattr(os, "access", lambda *_args: False)
    assert doctor.check_folder("wardrobe", tmp_path).ok is False


def test_torch_is_not_loaded_to_find_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    gpu, densepose = doctor.check_gpu(), doctor.check_densepose()
    assert gpu.ok is densepose.ok is None
    assert "vastra-live[gpu]" in gpu.remedy
    code = "import sys, vastra_live.doctor; print('torch' in sys.modules, 'mediapipe' in sys.modules)"
    root = Path(__file__).resolve().parents[1]
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root).stdout
    assert told.split() == ["False", "False"]


def test_the_report_reads_the_same_in_a_table_and_in_json() -> None:
    checks = [Check("a", True, "one"), Check("b", False, "two [x]", "mend it"), Check("c", None, "none", "buy one")]
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(doctor.report(checks))
    console.file.close()
    text = console.export_text()
    for check in checks:
        assert check.found in text
        assert check.remedy in text
    assert json.loads(json.dumps(doctor.as_dict(checks)))["checks"][1] == {
        "name": "b",
        "ok": False,
        "found": "two [x]",
        "remedy": "mend it",
    }
