"""What of the networks' picture goes over the frame."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.conditions.crop import Crop
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.synthesis.conditions.person import PersonConditions
from vastra_live.types import F32, U8

__all__ = ["Cover"]

_WORN: Final = (Cihp.UPPER_CLOTHES, Cihp.DRESS, Cihp.COAT, Cihp.NECK, Cihp.LEFT_ARM, Cihp.RIGHT_ARM)
"""What the networks take away and make anew."""
_UPPER_7, _HAIR_7, _LEFT_ARM_7, _RIGHT_ARM_7 = 2, 3, 4, 5
_EDGE_SIGMA: Final = 1.5  # of the alpha's edge, in pixels at 768 wide


class Cover:
    """The layer's alpha, in two halves: what is known before the networks have answered, and the rest.

    The garment, wherever it came to lie; and within the greyed area what was garment, arm or neck before, or is arm
    now. Background and hair that were visible before stay the camera's own: the networks only made them up again.

    Args:
        person: what the networks are told.
        crop: where the picture lies in the frame; nothing beyond the frame is shown.
    """

    def __init__(self, person: PersonConditions, crop: Crop) -> None:
        self._inside = crop.inside()
        self._hidden = person.hidden & self._inside
        self._remade = self._hidden & _is_one_of(person.parse, _WORN)
        self._hair: npt.NDArray[np.bool_] = person.parse == Cihp.HAIR
        self._sigma = _EDGE_SIGMA * crop.size[0] / 768

    def alpha(self, label7: U8) -> F32:
        """(H, W) float32, 0..1, soft at its edge.

        Args:
            label7: (H, W) uint8, 0..6, what the networks decided to paint.
        """
        arms = (label7 == _LEFT_ARM_7) | (label7 == _RIGHT_ARM_7)
        mask = ((label7 == _UPPER_7) & self._inside) | self._remade | (self._hidden & arms)
        mask &= ~(self._hair & (label7 == _HAIR_7))
        soft: F32 = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), self._sigma)
        return soft


def _is_one_of(labels: U8, wanted: tuple[Cihp, ...]) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, np.uint8)
    table[list(wanted)] = 1
    found: npt.NDArray[np.bool_] = cv2.LUT(labels, table).view(np.bool_)
    return found
