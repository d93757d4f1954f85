"""The part of a frame a try-on network sees: one person, framed as the training pictures are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import NothingToFitError
from vastra_live.synthesis.conditions.keypoints import F64, Keypoints, Point
from vastra_live.synthesis.conditions.keypoints import TORSO_LENGTH as TORSO_IN_SHOULDERS
from vastra_live.types import F32, U8

__all__ = ["SHOULDERS_AT", "SHOULDER_WIDTH", "Crop", "frame_person", "whole_picture"]

SHOULDER_WIDTH: Final = 0.34
"""Distance of the shoulders, as a share of the crop's width: the median of frontal VITON-HD pictures."""
SHOULDERS_AT: Final = 0.33
"""Height of the shoulders' middle, as a share of the crop's height from its top; likewise."""

_SMALLEST_SHOULDERS_PX: Final = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """An upright box of a frame, resampled to a size. It may reach beyond the frame.

    Attributes:
        left, top: the box's corner in the frame, pixels; the outer edge of the first pixel.
        scale: crop pixels per frame pixel.
        size: width and height of the crop in pixels.
        frame_size: width and height of the frame.
    """

    left: float
    top: float
    scale: float
    size: tuple[int, int]
    frame_size: tuple[int, int]

    def __post_init__(self) -> None:
        if not (np.isfinite((self.left, self.top, self.scale)).all() and self.scale > 0):
            raise ValueError(f"Crop: expected a finite box of positive scale, got {self}")

    @property
    def to_crop(self) -> F64:
        """(2, 3) affine, frame pixels to crop pixels; pixel centres are whole numbers in both."""
        # the centre of the first pixel lies half a pixel inside its edge
        shift = 0.5 * self.scale - 0.5
        return np.array(
            [[self.scale, 0, shift - self.left * self.scale], [0, self.scale, shift - self.top * self.scale]]
        )

    @property
    def to_frame(self) -> F32:
        """(2, 3) float32 affine, crop pixels to frame pixels, as :class:`~vastra_live.types.Layer` holds it."""
        inverse: F32 = cv2.invertAffineTransform(self.to_crop).astype(np.float32)
        return inverse

    def cut(self, bgr: U8) -> U8:
        """The crop of a picture of the frame's size. Beyond the frame, its edge pixels repeat."""
        return self._warp(bgr, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)

    def cut_alpha(self, alpha: F32) -> F32:
        """The crop of an (H, W) float32 mask; 0 beyond the frame."""
        cut: F32 = self._warp(alpha, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        return cut

    def inside(self) -> npt.NDArray[np.bool_]:
        """(h, w) bool, what of the crop the camera showed."""
        shown = np.ones(self.frame_size[::-1], np.uint8)
        mask: npt.NDArray[np.bool_] = self._warp(shown, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) > 0
        return mask

    def _warp(self, picture: npt.NDArray[Any], how: int, border: int) -> npt.NDArray[Any]:
        height, width = picture.shape[:2]
        if (width, height) != self.frame_size:
            raise ValueError(f"Crop: expected a picture of {self.frame_size}, got {(width, height)}")
        affine = self.to_crop
        if self.scale < 0.75 and how == cv2.INTER_LINEAR:
            # averaged down first: linear sampling alone would skip pixels
            small = max(1, round(width * self.scale)), max(1, round(height * self.scale))
            picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
            shrink = np.array([width / small[0], height / small[1]])
            affine = affine.copy()
            affine[:, 2] += affine[:, :2] @ (0.5 * shrink - 0.5)
            affine[:, :2] *= shrink
        warped: npt.NDArray[Any] = cv2.warpAffine(picture, affine, self.size, flags=how, borderMode=border)
        return warped


def whole_picture(frame_size: tuple[int, int], size: tuple[int, int]) -> Crop:
    """The whole of a picture that is framed already.

    Raises:
        ValueError: the sides of picture and crop are not in the same ratio.
    """
    scale = size[0] / frame_size[0]
    if round(frame_size[1] * scale) != size[1]:
        raise ValueError(f"whole_picture: expected a picture of the ratio {size}, got {frame_size}")
    return Crop(0.0, 0.0, scale, size, frame_size)


def frame_person(keypoints: Keypoints, frame_size: tuple[int, int], size: tuple[int, int] = (768, 1024)) -> Crop:
    """The crop that shows a person from above the head to the thighs, shoulders where training pictures have them.

    The person's size is read off the shoulders, or off the torso where the person is turned and the shoulders are
    foreshortened. A camera that shows less than the crop, as one on a desk does, leaves the rest to be padded.

    Args:
        keypoints: in frame pixels, with a complete torso.
        frame_size: width and height of the frame.
        size: width and height of the crop.

    Raises:
        NothingToFitError: the person is too small to be dressed.
    """
    right, left = keypoints.points_px[[Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER]]
    middle = (right + left) / 2
    hips = keypoints.points_px[[Point.RIGHT_HIP, Point.LEFT_HIP]].mean(axis=0)
    shoulders = max(float(np.hypot(*(left - right))), float(np.hypot(*(hips - middle))) / TORSO_IN_SHOULDERS)
    if shoulders < _SMALLEST_SHOULDERS_PX:
        raise NothingToFitError(
            f"the person is too small: {shoulders:.0f} pixels across the shoulders; come closer to the camera"
        )
    width, height = size
    scale = SHOULDER_WIDTH * width / shoulders
    centre_x = (middle[0] + hips[0]) / 2
    # pixel coordinates name centres, the box has edges
    return Crop(
        left=float(centre_x + 0.5 - width / 2 / scale),
        top=float(middle[1] + 0.5 - SHOULDERS_AT * height / scale),
        scale=scale,
        size=size,
        frame_size=frame_size,
    )
