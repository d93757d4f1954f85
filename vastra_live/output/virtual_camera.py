"""Sink: a virtual camera that video calls can choose (v4l2loopback, OBS, Unity Capture)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from vastra_live.errors import VirtualCameraError
from vastra_live.fitting import letterbox
from vastra_live.output.base import SlowConsumer
from vastra_live.output.loopback import in_use, real_size, release, revive
from vastra_live.types import Rendered

__all__ = ["REMEDIES", "VirtualCamera", "remedy"]

REMEDIES = {
    "linux": "sudo apt install v4l2loopback-dkms && "
    'sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label="Vastra Live"',
    "darwin": "install OBS Studio 30 or newer, open it, and click Start Virtual Camera once",
    "win32": "install OBS Studio (or Unity Capture) and start its virtual camera once",
}
"""What makes a virtual camera available, by ``sys.platform``."""


def remedy() -> str:
    """What to do on this operating system when there is no virtual camera."""
    return REMEDIES.get(sys.platform, "virtual cameras work on Linux, macOS and Windows")


class VirtualCamera:
    """Shows what is rendered to other programs as a webcam.

    Opened at the first picture, whose size then holds; later ones of another size are fitted into it. Never
    sleeps: pictures are passed on as they come.

    Args:
        device: device path (Linux) or camera name; None takes the first that works.
        fps: rate the camera announces.
        slow_consumer: see :class:`FrameSink`.
    """

    def __init__(
        self, device: str | None, *, fps: float, slow_consumer: SlowConsumer = SlowConsumer.DROP_OLDEST
    ) -> None:
        self.name = f"virtualcam:{device}" if device else "virtualcam"
        self.slow_consumer = slow_consumer
        self._wanted = device
        self._fps = fps
        self._camera: Any = None
        self._node: tuple[Path, int] | None = None

    @property
    def device(self) -> str | None:
        """The device in use; None before the first picture."""
        return str(self._camera.device) if self._camera else None

    def send(self, rendered: Rendered) -> None:
        """Show one picture.

        Raises:
            VirtualCameraError: no backend works (each one's reason is in the message), or the device was lost.
        """
        if self._camera is None:
            self._open((rendered.bgr.shape[1], rendered.bgr.shape[0]))
        # the v4l2loopback backend only prints that a write failed; a device that went away is seen here
        if self._node and not _same_node(*self._node):
            raise VirtualCameraError(f"the virtual camera {self._node[0]} was lost; load its driver again: {remedy()}")
        try:
            self._camera.send(letterbox(rendered.bgr, (self._camera.width, self._camera.height)))
        except (RuntimeError, OSError) as error:
            raise VirtualCameraError(f"the virtual camera {self._camera.device} failed: {error}") from error

    def _open(self, size: tuple[int, int]) -> None:
        if sys.platform == "linux":
            revive(self._wanted)
        camera = self._make(size)
        path = Path(camera.device)
        if path.is_char_device():
            kept = real_size(camera.device)
            if kept and kept != size:
                # somebody reads the device at the size of the run before; pictures are fitted into that
                camera.close()
                release(str(path))
                camera = self._make(kept)
            self._node = (path, path.stat().st_rdev)
        self._camera = camera

    def _make(self, size: tuple[int, int]) -> Any:
        try:
            import pyvirtualcam

            return pyvirtualcam.Camera(
                width=size[0], height=size[1], fps=self._fps, fmt=pyvirtualcam.PixelFormat.BGR, device=self._wanted
            )
        except ImportError as error:
            raise VirtualCameraError(f"pyvirtualcam cannot be loaded: {error}; pip install pyvirtualcam") from error
        except (RuntimeError, ValueError, OSError) as error:
            reasons = "; ".join(line for line in str(error).splitlines() if line)
            wanted = f" {self._wanted}" if self._wanted else ""
            busy = ", ".join(in_use(self._wanted)) if sys.platform == "linux" else ""
            todo = f"to get one: {remedy()}"
            if busy:
                todo = f"{busy} is open in another program; close that (in a video call: turn its camera off and on)"
            raise VirtualCameraError(f"no virtual camera{wanted} of {size[0]}x{size[1]}: {reasons}; {todo}") from error

    def close(self) -> None:
        """Give the device back. Harmless when repeated."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
            if self._node:
                release(str(self._node[0]))


def _same_node(path: Path, device_number: int) -> bool:
    try:
        return path.stat().st_rdev == device_number
    except OSError:
        return False
