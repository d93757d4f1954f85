"""Half size and back: what is smooth is worked out on a quarter of the pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32

__all__ = ["enlarged", "enlarged_part", "halved", "halved_skeleton", "shrunk"]


def halved(picture: npt.NDArray[np.generic]) -> F32:
    """A picture at half its size, as float32; of an odd size the last row or column counts twice."""
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        # OpenCV halves even sizes twenty times as fast as others
        picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def shrunk(picture: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """A picture at a smaller (width, height), of its own type: halved while that is not too small, the rest linearly.

    By a broken factor OpenCV's mean over areas takes four times as long.
    """
    height, width = picture.shape[:2]
    while width >= 2 * size[0] and height >= 2 * size[1] and height % 2 == width % 2 == 0:
        height, width = height // 2, width // 2
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if (width, height) == size:
        return picture
    far = width >= 2 * size[0] or height >= 2 * size[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if far else cv2.INTER_LINEAR))


def halved_skeleton(skeleton: Skeleton) -> Skeleton:
    """The skeleton in the pixels of the halved picture, whose first pixel's centre lies at (0.5, 0.5)."""
    return skeleton.seen_in(np.array([0.5, 0.5]), 0.5)


def enlarged(picture: F32, like: tuple[int, ...]) -> F32:
    """A picture at the height and width of a shape."""
    return np.asarray(cv2.resize(picture, (like[1], like[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def enlarged_part(picture: F32, like: tuple[int, ...], part: tuple[slice, slice]) -> F32:
    """What ``enlarged(picture, like)[part]`` is, to a 32nd of a pixel, at the cost of that part."""
    down, across = picture.shape[0] / like[0], picture.shape[1] / like[1]
    rows, columns = part
    to_small = np.array(
        [
            [across, 0, (columns.start + 0.5) * across - 0.5],
            [0, down, (rows.start + 0.5) * down - 0.5],
        ]
    )
    size = (columns.stop - columns.start, rows.stop - rows.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
