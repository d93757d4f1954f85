"""What of this machine works with vastra_live, what does not, and what to do about it.

One function a concern, each returning one :class:`Check` or, for cameras, one for each. What may hang or
crash (a camera, mediapipe's native code) is tried in a process of its own.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs
from rich.table import Table
from rich.text import Text

from vastra_live.capture.devices import VideoDevice, list_devices, why_unusable
from vastra_live.errors import DisplayError, RecordingError
from vastra_live.output.encoder import ffmpeg_executable
from vastra_live.output.virtual_camera import remedy
from vastra_live.output.window import probe_display

__all__ = ["Check", "as_dict", "examine", "report"]

PATIENCE_S = 20.0
"""How long a camera or a library may take before it counts as hanging."""
ENOUGH_SPACE = 2 * 1024**3
"""Bytes: the published checkpoints, or an hour of film."""
OPENCV_WHEELS = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        name: what.
        ok: True works; False does not and is needed by something; None is optional and not there.
        found: what was seen, one line.
        remedy: what to do, "" when nothing need be done.
    """

    name: str
    ok: bool | None
    found: str
    remedy: str = ""


def examine(data_dir: Path | None = None) -> list[Check]:
    """Look at everything; takes some seconds.

    Args:
        data_dir: where wardrobe and weights live; the user's data folder by default.
    """
    folder = data_dir or Path(platformdirs.user_data_dir("vastra-live", appauthor=False))
    return [
        check_python(),
        check_opencv(),
        check_body_tracking(),
        *check_cameras(list_devices()),
        check_display(),
        check_virtual_camera(list_devices()),
        check_recording(),
        check_gpu(),
        check_densepose(),
        check_folder("wardrobe", folder / "wardrobe"),
        check_folder("weights", folder / "weights"),
        check_space(folder),
    ]


def check_python() -> Check:
    """The interpreter and the operating system."""
    found = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    fits = (3, 10) <= sys.version_info[:2] <= (3, 12)
    return Check("python", fits, found, "" if fits else "use Python 3.10, 3.11 or 3.12")


def check_opencv() -> Check:
    """OpenCV, and whether a second wheel overwrites it."""
    import cv2

    installed = {wheel.name.lower(): wheel.version for wheel in importlib.metadata.distributions()}
    wheels = [f"{name} {installed[name]}" for name in OPENCV_WHEELS if name in installed]
    found = f"{cv2.__version__} ({', '.join(wheels) or 'not from a wheel'})"
    if len(wheels) <= 1:
        return Check("opencv", True, found)
    names = " ".join(wheel.split()[0] for wheel in wheels)
    return Check(
        "opencv",
        False,
        found,
        f"these wheels overwrite each other: pip uninstall {names}, then pip install opencv-contrib-python",
    )


BODY_PROBE = """
import numpy, mediapipe
pose = mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1, enable_segmentation=True)
pose.process(numpy.zeros((64, 64, 3), numpy.uint8))
pose.close()
print("mediapipe", mediapipe.__version__)
"""


def check_body_tracking() -> Check:
    """Whether mediapipe loads its models from its wheel."""
    told, complaint = _try_apart(BODY_PROBE)
    if told:
        return Check("body tracking", True, f"{told}, models load")
    return Check(
        "body tracking",
        False,
        complaint,
        "pip install --force-reinstall mediapipe==0.10.21; on Debian: apt install libgl1 libegl1",
    )


CAMERA_PROBE = """
import json, sys, time
from vastra_live.capture.open import open_source
from vastra_live.errors import VastraError
try:
    source = open_source(sys.argv[1], give_up_s=5)
    frames = [source.read()]
    until = time.monotonic() + 2
    while time.monotonic() < until and len(frames) < 60:
        frames.append(source.read())
except VastraError as error:
    print(json.dumps({"error": str(error)}))
else:
    seconds = (frames[-1].captured_ns - frames[0].captured_ns) / 1e9
    rate = (len(frames) - 1) / seconds if seconds else 0
    print(json.dumps({"size": frames[0].size, "rate": rate}))
    source.close()
"""


def check_cameras(devices: Sequence[VideoDevice]) -> list[Check]:
    """Every device frames can be read from, opened the way ``run`` opens it."""
    if platform.system() == "Linux":
        # a loopback device that somebody feeds is a camera as good as any; one that nobody feeds is no camera
        cameras = [device for device in devices if device.captures or (device.captures is None and not device.outputs)]
        found = [_check_camera(device.path, str(device)) for device in cameras]
    else:
        found = [check for check in (_check_camera(number, f"camera {number}") for number in "01") if check.ok]
    nothing = Check("camera", None, "none", "plug in a webcam, or use --source demo or a video file")
    return found or [nothing]


def _check_camera(source: str, called: str) -> Check:
    name = f"camera {source}"
    told, complaint = _try_apart(CAMERA_PROBE, source)
    try:
        seen: dict[str, Any] = json.loads(told)
    except ValueError:
        return Check(name, False, f"{called}: {complaint or told}", why_unusable(source))
    if "error" in seen:
        return Check(name, False, f"{called}: {seen['error']}", why_unusable(source))
    width, height = seen["size"]
    return Check(name, True, f"{called}: {width}x{height}, {seen['rate']:.0f} frames a second")


def _is_loopback(device: VideoDevice) -> bool:
    return device.driver == "v4l2 loopback"


def check_display() -> Check:
    """Whether a window can be opened."""
    try:
        return Check("display", True, probe_display())
    except DisplayError as error:
        found, _, todo = str(error).partition("; ")
        return Check("display", None, found, todo)


def check_virtual_camera(devices: Sequence[VideoDevice]) -> Check:
    """Whether pyvirtualcam has something to write to."""
    name = "virtual camera"
    try:
        import pyvirtualcam.camera
    except ImportError as error:
        return Check(name, False, f"pyvirtualcam cannot be loaded: {error}", "pip install pyvirtualcam")
    if platform.system() == "Linux":
        loopbacks = [str(device) for device in devices if _is_loopback(device)]
        if loopbacks:
            return Check(name, True, f"{', '.join(loopbacks)}, v4l2loopback")
        hidden = [device.path for device in devices if device.captures is None]
        denied = f"; {', '.join(hidden)} cannot be asked: {why_unusable(hidden[0])}" if hidden else ""
        return Check(name, None, f"no v4l2loopback device{denied}", remedy())
    backends = ", ".join(pyvirtualcam.camera.BACKENDS)
    try:
        with pyvirtualcam.Camera(width=640, height=480, fps=30) as camera:
            return Check(name, True, f"{camera.device} ({camera.backend})")
    except RuntimeError as error:
        return Check(name, None, f"{backends}: {'; '.join(str(error).splitlines())}", remedy())


def check_recording() -> Check:
    """The ffmpeg that writes films."""
    try:
        program = ffmpeg_executable()
        told = subprocess.run([program, "-version"], check=True, capture_output=True, text=True, timeout=PATIENCE_S)
    except (RecordingError, OSError, subprocess.SubprocessError) as error:
        return Check("recording", False, str(error), "pip install --force-reinstall imageio-ffmpeg")
    return Check("recording", True, " ".join(told.stdout.split()[:3]))


def check_gpu() -> Check:
    """What the published networks would run on."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            gib = torch.cuda.get_device_properties(0).total_memory / 1024**3
            return Check("gpu", True, f"{torch.cuda.get_device_name(0)}, {gib:.0f} GiB, torch {torch.__version__}")
        if torch.backends.mps.is_available():
            return Check("gpu", True, f"Apple GPU, torch {torch.__version__}")
        return Check(
            "gpu", None, f"none that torch {torch.__version__} can use", "needed by the published networks alone"
        )
    if importlib.util.find_spec("onnxruntime") is not None:
        import onnxruntime

        return Check("gpu", None, f"no torch; onnxruntime with {', '.join(onnxruntime.get_available_providers())}")
    return Check(
        "gpu", None, "neither torch nor onnxruntime", "only for the published networks: pip install 'vastra-live[gpu]'"
    )


def check_densepose() -> Check:
    """detectron2, which HR-VITON's body parts come from."""
    if importlib.util.find_spec("detectron2") is None:
        return Check("densepose", None, "detectron2 is not installed", "needed by the synthesizer hr-viton alone")
    return Check("densepose", True, f"detectron2 {importlib.metadata.version('detectron2')}")


def check_folder(name: str, folder: Path) -> Check:
    """Whether a folder can be written to, or made."""
    existing = _existing(folder)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            name, False, f"{folder}: no right to write in {existing}", f"make {existing} yours: chown or chmod it"
        )
    files = sum(1 for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return Check(name, True, f"{folder}, {files} files" if folder.is_dir() else f"{folder}, made when it is needed")


def check_space(folder: Path) -> Check:
    """Free space where the data folder is."""
    free = shutil.disk_usage(_existing(folder)).free
    enough = free >= ENOUGH_SPACE
    return Check("disk", enough, f"{free / 1024**3:.1f} GiB free", "" if enough else "free some space before recording")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _try_apart(code: str, *arguments: str) -> tuple[str, str]:
    """Run Python code in a process of its own.

    Returns:
        Its last line of output, or "" and why there is none.
    """
    command = [sys.executable, "-c", code, *arguments]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {PATIENCE_S:.0f} s"
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return lines[-1], ""
    complaints = done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"]
    return "", complaints[-1]


def as_dict(checks: Sequence[Check]) -> dict[str, list[dict[str, Any]]]:
    """For ``--json``."""
    return {"checks": [asdict(check) for check in checks]}


def report(checks: Sequence[Check]) -> Table:
    """For the terminal."""
    signs = {True: "[green]ok[/]", False: "[red]fails[/]", None: "[yellow]-[/]"}
    table = Table("", "what", "found", "what to do")
    for check in checks:
        # plain text: the brackets of vastra-live[gpu] are no markup
        table.add_row(signs[check.ok], *(Text(told) for told in (check.name, check.found, check.remedy)))
    return table
