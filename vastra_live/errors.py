"""The exception tree.

Every message says what happened, to which input, and what to do about it. The command line prints the
message and ends with :attr:`VastraError.exit_code`; library users catch :class:`VastraError`.

::

    VastraError
    ├── InputError              (exit 2) what the user handed in cannot be used
    │   ├── ConfigError         a setting or flag
    │   ├── PictureError        a picture file
    │   ├── VideoError          a video file
    │   ├── GarmentError        a picture that is not a usable garment photo
    │   ├── WardrobeError       a wardrobe name or folder
    │   └── WeightsError        a checkpoint: missing, wrong, truncated or hostile
    ├── DeviceError             (exit 3) a device or file failed and did not come back
    │   ├── CameraError
    │   ├── DisplayError
    │   ├── VirtualCameraError
    │   └── RecordingError
    ├── MissingDependencyError  (exit 2) an optional package is not installed
    ├── SynthesisError          (exit 3) a synthesizer could not make a keyframe
    │   ├── GpuMemoryError       the GPU has no room left
    │   └── NothingToFitError   (exit 2) nobody to dress, seen from behind, ...: the picture stays plain
    └── SourceEnded             not a failure: a finite source has no more frames
"""

from __future__ import annotations

__all__ = [
    "CameraError",
    "ConfigError",
    "DeviceError",
    "DisplayError",
    "GarmentError",
    "GpuMemoryError",
    "InputError",
    "MissingDependencyError",
    "NothingToFitError",
    "PictureError",
    "RecordingError",
    "SourceEnded",
    "SynthesisError",
    "VastraError",
    "VideoError",
    "VirtualCameraError",
    "WardrobeError",
    "WeightsError",
]


class VastraError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 3


class InputError(VastraError):
    """Something the user handed in cannot be used."""

    exit_code = 2


class ConfigError(InputError):
    """A setting, flag or configuration file is wrong."""


class PictureError(InputError):
    """A picture file cannot be used: missing, empty, truncated, not a picture, too small or too large."""


class VideoError(InputError):
    """A video file cannot be used."""


class GarmentError(InputError):
    """The picture is not a usable photo of one garment."""


class WardrobeError(InputError):
    """A garment name is unknown, taken or not allowed, or the wardrobe folder cannot be used."""


class WeightsError(InputError):
    """A checkpoint is missing, incomplete, of another network, or not a checkpoint."""


class DeviceError(VastraError):
    """A device or an output file failed and could not be recovered."""


class CameraError(DeviceError):
    """A camera cannot be opened, or was lost and did not come back in time."""


class DisplayError(DeviceError):
    """No window can be opened."""


class VirtualCameraError(DeviceError):
    """No virtual camera can be opened, or the one in use was lost."""


class RecordingError(DeviceError):
    """An output file cannot be written."""


class MissingDependencyError(VastraError):
    """An optional package is not installed; the message holds the install line."""

    exit_code = 2


class SynthesisError(VastraError):
    """A synthesizer could not make a keyframe."""


class GpuMemoryError(SynthesisError):
    """A network finds no room in the GPU's memory, and says so in another way than torch does."""


class NothingToFitError(SynthesisError):
    """The frame shows nothing the garment can be put on; the message names the reason."""

    exit_code = 2


class SourceEnded(VastraError):  # noqa: N818 - an end, not an error, as in `StopIteration`
    """A finite source has no more frames."""

    exit_code = 0
