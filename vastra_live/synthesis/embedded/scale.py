"""Half size and back: what is smooth is worked out on a quarter of the pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32

__all__ = ["enlarged", "enlarged_part", "halved", "halved_shape", "halved_skeleton", "shrunk"]


def halved(picture: npt.NDArray[np.generic]) -> F32:
    """A picture at half its size, as float32; of an odd size the last row or column counts twice."""
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        # OpenCV halves even sizes twenty times as fast as others
        picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def halved_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of the halved picture of one of height and width ``shape``."""
    return (shape[0] + 1) // 2, (shape[1] + 1) // 2


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


# a keyframe asks for that of one skeleton again and again
@lru_cache(maxsize=4)
def halved_skeleton(skeleton: Skeleton) -> Skeleton:
    """The skeleton in the pixels of the halved picture, whose first pixel's centre lies at (0.5, 0.5)."""
    return skeleton.seen_in(np.array([0.5, 0.5]), 0.5)


def enlarged(picture: F32, like: tuple[int, ...]) -> F32:
    """A picture at the height and width of a shape."""
    return np.asarray(cv2.resize(picture, (like[1], like[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def enlarged_part(picture: F32, factor: int, part: tuple[slice, slice]) -> F32:
    """Rows and columns of a picture that is enlarged by a whole factor, at the cost of that part."""
    cuts, inner = [], []
    for span, length in zip(part, picture.shape[:2], strict=True):
        # a pixel more on each side, between which and the part's own it is drawn
        first = max(span.start // factor - 1, 0)
        cuts.append(slice(first, min(-(-span.stop // factor) + 1, length)))
        inner.append(slice(span.start - factor * first, span.stop - factor * first))
    cut = picture[tuple(cuts)]
    size = (factor * cut.shape[1], factor * cut.shape[0])
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR)[tuple(inner)], np.float32)
