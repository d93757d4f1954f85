"""Sources of frames: webcam, video file, picture, folder, demo."""

from vastra_live.capture.base import FrameSource, Health
from vastra_live.capture.devices import VideoDevice, list_devices
from vastra_live.capture.open import open_source

__all__ = ["FrameSource", "Health", "VideoDevice", "list_devices", "open_source"]
