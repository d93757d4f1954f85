"""Prepared pictures as the tensors HR-VITON's path takes."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from vastra_live.synthesis.conditions.cloth import ClothConditions
from vastra_live.synthesis.conditions.person import PersonConditions
from vastra_live.synthesis.hrviton.labels import merge_20_to_13
from vastra_live.synthesis.hrviton.path import TryOnInputs
from vastra_live.types import U8

__all__ = ["to_cloth_tensors", "to_inputs", "to_person_tensors"]

_SIGNED: Final = (np.arange(256, dtype=np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)


def to_inputs(person: PersonConditions, cloth: ClothConditions) -> TryOnInputs:
    """One pair, on the CPU.

    Raises:
        ValueError: person and cloth differ in size, or the size is not one the networks take.
    """
    return TryOnInputs(*to_person_tensors(person), *to_cloth_tensors(cloth))


def to_person_tensors(person: PersonConditions) -> tuple[Tensor, Tensor, Tensor]:
    """Agnostic picture and DensePose, (1, 3, H, W) float32 RGB in -1..1, and the 13 labels, (1, H, W) int64."""
    labels = torch.from_numpy(merge_20_to_13(person.parse_agnostic).astype(np.int64))[None]
    return _signed_rgb(person.agnostic_bgr), _signed_rgb(person.densepose_bgr), labels


def to_cloth_tensors(cloth: ClothConditions) -> tuple[Tensor, Tensor]:
    """The cloth, (1, 3, H, W) float32 RGB in -1..1, and its mask, (1, 1, H, W) float32, 0 or 1."""
    return _signed_rgb(cloth.bgr), torch.from_numpy(cloth.mask.astype(np.float32))[None, None]


def _signed_rgb(bgr: U8) -> Tensor:
    """(1, 3, H, W) float32, (u / 255 - 0.5) / 0.5 of every value u, looked up."""
    height, width = bgr.shape[:2]
    planes = np.concatenate(cv2.split(bgr)[::-1])
    return torch.from_numpy(cv2.LUT(planes, _SIGNED)).view(1, 3, height, width)
