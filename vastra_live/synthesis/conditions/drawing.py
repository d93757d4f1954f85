"""Stages as pictures, for ``photo --debug-dir``."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from vastra_live.synthesis.conditions.crop import Crop
from vastra_live.synthesis.conditions.keypoints import Keypoints, Point
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.types import U8

__all__ = ["draw_crop", "draw_keypoints", "draw_labels", "draw_mask"]

_LIMBS: Final = (
    (Point.RIGHT_SHOULDER, Point.RIGHT_ELBOW, Point.RIGHT_WRIST),
    (Point.LEFT_SHOULDER, Point.LEFT_ELBOW, Point.LEFT_WRIST),
    (Point.RIGHT_SHOULDER, Point.NECK, Point.LEFT_SHOULDER),
    (Point.NOSE, Point.NECK, Point.MID_HIP),
    (Point.RIGHT_HIP, Point.MID_HIP, Point.LEFT_HIP),
    (Point.RIGHT_HIP, Point.RIGHT_KNEE, Point.RIGHT_ANKLE),
    (Point.LEFT_HIP, Point.LEFT_KNEE, Point.LEFT_ANKLE),
)


def draw_labels(labels: U8) -> U8:
    """A label map in the colours human parses are usually shown in (PASCAL VOC's: bits of the label, spread)."""
    index = np.arange(len(Cihp))
    table = np.zeros((len(Cihp), 3), np.uint8)
    for bit in range(3):
        for channel in range(3):
            # red takes bits 0, 3, ..., green 1, 4, ..., blue 2, 5, ...
            table[:, 2 - channel] |= ((index >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return table[labels]


def draw_mask(mask: U8) -> U8:
    """A mask of 0 and 1 in black and white."""
    return np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2)


def draw_keypoints(bgr: U8, keypoints: Keypoints) -> U8:
    """The points and limbs that are present, over a darkened picture."""
    drawn: U8 = (bgr // 2).astype(np.uint8)
    thickness = max(1, bgr.shape[0] // 256)
    at = [tuple(int(v) for v in np.rint(point)) for point in keypoints.points_px]
    for number, limb in enumerate(_LIMBS):
        colour = tuple(int(v) for v in cv2.applyColorMap(np.array([[number * 36]], np.uint8), cv2.COLORMAP_HSV)[0, 0])
        for one, other in pairwise(limb):
            if keypoints.has(one, other):
                cv2.line(drawn, at[one], at[other], colour, thickness, cv2.LINE_AA)
    for point in np.nonzero(keypoints.present)[0]:
        cv2.circle(drawn, at[point], 2 * thickness, (255, 255, 255), -1, cv2.LINE_AA)
    return drawn


def draw_crop(frame_bgr: U8, crop: Crop) -> U8:
    """The crop's box in the frame; what reaches beyond the frame is cut off."""
    drawn = frame_bgr.copy()
    width, height = (side / crop.scale for side in crop.size)
    corners = ((crop.left, crop.top), (crop.left + width, crop.top + height))
    (x0, y0), (x1, y1) = ((round(x), round(y)) for x, y in corners)
    cv2.rectangle(drawn, (x0, y0), (x1, y1), (255, 255, 255), max(1, frame_bgr.shape[0] // 256))
    return drawn
