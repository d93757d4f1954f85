"""Half size and back: what is smooth is worked out on a quarter of the pixels."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32

__all__ = ["enlarged", "halved", "halved_skeleton"]


def halved(picture: npt.NDArray[np.generic]) -> F32:
    """A picture at half its size, as float32; odd sizes are rounded up."""
    height, width = picture.shape[:2]
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def halved_skeleton(skeleton: Skeleton) -> Skeleton:
    """The skeleton in the pixels of the halved picture, whose first pixel's centre lies at (0.5, 0.5)."""
    return skeleton.seen_in(np.array([0.5, 0.5]), 0.5)


def enlarged(picture: F32, like: tuple[int, ...]) -> F32:
    """A picture at the height and width of a shape."""
    return np.asarray(cv2.resize(picture, (like[1], like[0]), interpolation=cv2.INTER_LINEAR), np.float32)
