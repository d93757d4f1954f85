"""Whether a photo shows a person: the faces and hands that mediapipe's own models find.

The only file of the wardrobe that uses mediapipe; it is imported when a photo is looked at. A face that is
printed on a garment is no wearer: there is cloth above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from vastra_live.chatter import without_chatter
from vastra_live.types import U8

__all__ = ["find_person"]

_FACE = 0.72
"""Hoods, collars and pockets are taken for faces with less confidence than this."""
_HAND = 0.3
"""The finder of hands takes no garment for one even at this confidence, and most hands are half hidden."""
_SMALLEST_FACE = 0.04
"""Faces lower than this share of the picture are prints or patterns."""
_HAIR = 0.9
"""Above a wearer's face is at most this much of its height: forehead and hair."""


def find_person(bgr: U8, mask: U8) -> str | None:
    """``face`` or ``hand`` if a person is in the picture, else None.

    Args:
        bgr: (H, W, 3) uint8.
        mask: (H, W) uint8, 255 where something lies on the ground.
    """
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    with without_chatter():
        faces, hand = _look(rgb)
    for face in faces:
        box = face.location_data.relative_bounding_box
        if face.score[0] < _FACE:
            continue
        if box.height > _SMALLEST_FACE and _bare(box.xmin + box.width / 2, box.ymin, box.height, mask):
            return "face"
    return "hand" if hand else None


def _look(rgb: U8) -> tuple[Sequence[Any], bool]:
    """mediapipe's face detections, and whether it sees a hand."""
    import mediapipe as mp

    # it heeds no confidence above its own
    with mp.solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5) as finder:
        faces = finder.process(rgb).detections or []
    with mp.solutions.hands.Hands(
        static_image_mode=True, max_num_hands=1, model_complexity=0, min_detection_confidence=_HAND
    ) as finder:
        return faces, bool(finder.process(rgb).multi_handedness)


def _bare(x: float, top: float, height: float, mask: U8) -> bool:
    """Whether no more than hair lies above a face; all shares of the picture."""
    rows, columns = mask.shape
    left, right = (round((x + side * 0.35 * height) * columns) for side in (-1, 1))
    strip = mask[: max(1, round(top * rows)), max(0, left) : max(1, right)] > 0
    above = int(np.count_nonzero(strip.mean(axis=1) > 0.5)) if strip.size else 0
    return above < _HAIR * height * rows
