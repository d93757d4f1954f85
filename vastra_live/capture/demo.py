"""A moving person for a machine without a camera."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vastra_live.capture.paced import Clock, PacedSource
from vastra_live.errors import MissingDependencyError
from vastra_live.pictures import read_picture
from vastra_live.types import F32, U8

__all__ = ["DEMO_FRAMES", "DEMO_SIZE", "Demo"]

DEMO_FRAMES = 300
"""Frames of one pass; the motion repeats seamlessly after them."""
DEMO_SIZE = (480, 560)
"""About the photo's own size and proportions."""

# Where the wearer is in matplotlib's 512x600 portrait: the middle of the shoulders; where the hat begins and
# where the forehead does, between which the picture may start; and how far down it should reach: the chest.
_SUBJECT_X = 258.0
_HAT_Y = 14.0
_FOREHEAD_Y = 130.0
_CHEST_Y = 590.0

# The virtual camera: part of the photo it sees when it is farthest away, and how it moves.
_WIDEST = 0.94
_ZOOM = 0.05
_PAN_PX = 9.0
_TILT_PX = 4.0
_ROLL_RAD = math.radians(1.2)
_BRIGHTNESS = 0.04
_NOISE_SIGMA = 2.0
_NOISE_MARGIN_PX = 64


class Demo(PacedSource):
    """matplotlib's portrait of Grace Hopper (US Navy, public domain), filmed by a smooth virtual camera.

    The camera pans, zooms and rolls a little, the brightness drifts, and there is sensor noise; the frame is
    always filled by the photo. A frame depends on its index alone and repeats after :data:`DEMO_FRAMES`.
    The photo is upright, as a mirror is. Wide frames show less of it: at 4:3 no hat, at 16:9 no more than face and
    shoulders.

    Args:
        size: width and height of the frames.
        fps: frames a second.
        loop: never end; otherwise one pass.
        asap: every frame, as fast as they are taken.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = DEMO_SIZE,
        fps: float = 30.0,
        loop: bool = False,
        asap: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__("demo", fps, every_frame=asap, clock=clock)
        self._photo = _portrait()
        self._size = size
        self._loop = loop
        width, height = size
        photo = np.array(self._photo.shape[1::-1], np.float64)
        # the largest piece of the photo with the frame's proportions, in photo pixels
        self._view = float((photo / size).min()) * _WIDEST * np.array(size, np.float64)
        cos, sin = math.cos(_ROLL_RAD), math.sin(_ROLL_RAD)
        half = 0.5 * np.array([self._view[0] * cos + self._view[1] * sin, self._view[0] * sin + self._view[1] * cos])
        # the camera's axis stays where even its widest, most rolled view ends inside the photo
        top = float(np.clip(_CHEST_Y - 2.0 * half[1], _HAT_Y, _FOREHEAD_Y))
        wanted = np.array([_SUBJECT_X, top + half[1]])
        self._swing = np.minimum([_PAN_PX, _TILT_PX], photo / 2 - half)
        self._centre = np.clip(wanted, half + self._swing, photo - half - self._swing)
        rng = np.random.default_rng(0)
        margin = (height + _NOISE_MARGIN_PX, width + _NOISE_MARGIN_PX, 3)
        self._noise = np.rint(rng.standard_normal(margin, dtype=np.float32) * _NOISE_SIGMA).astype(np.int16)

    def _picture(self, index: int) -> U8 | None:
        if not self._loop and index >= DEMO_FRAMES:
            return None
        index %= DEMO_FRAMES
        turn = 2.0 * math.pi * index / DEMO_FRAMES
        bgr = cv2.warpAffine(
            self._photo, self._to_photo(turn), self._size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        )
        bgr = cv2.convertScaleAbs(bgr, alpha=1.0 + _BRIGHTNESS * math.sin(turn))
        x, y = np.random.default_rng(index).integers(0, _NOISE_MARGIN_PX, 2)
        noise = self._noise[y : y + self._size[1], x : x + self._size[0]]
        noisy: U8 = cv2.add(bgr, noise, dtype=cv2.CV_8U)
        return noisy

    def _to_photo(self, turn: float) -> F32:
        """(2, 3) affine from frame pixels to photo pixels. Different harmonics, so that the path is no ellipse."""
        zoom = 1.0 - _ZOOM * (0.5 - 0.5 * math.cos(turn))
        roll = _ROLL_RAD * math.sin(turn)
        scale = zoom * self._view[0] / self._size[0]
        a, b = scale * math.cos(roll), scale * math.sin(roll)
        x = self._centre[0] + self._swing[0] * math.sin(2.0 * turn)
        y = self._centre[1] + self._swing[1] * math.sin(3.0 * turn)
        middle_x, middle_y = (self._size[0] - 1) / 2, (self._size[1] - 1) / 2
        return np.array(
            [[a, -b, x - 0.5 - a * middle_x + b * middle_y], [b, a, y - 0.5 - b * middle_x - a * middle_y]], np.float32
        )


def _portrait() -> U8:
    try:
        from matplotlib.cbook import get_sample_data
    except ImportError as error:
        raise MissingDependencyError(
            'demo: the portrait comes with matplotlib, which is not installed; pip install "vastra-live[demo]"'
        ) from error
    return np.ascontiguousarray(read_picture(str(get_sample_data("grace_hopper.jpg", asfileobj=False))).bgr)
