"""Prepared pictures as the tensors HR-VITON's path takes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vastra_live.synthesis.conditions.cloth import ClothConditions
from vastra_live.synthesis.conditions.person import PersonConditions
from vastra_live.synthesis.hrviton.labels import merge_20_to_13
from vastra_live.synthesis.hrviton.path import TryOnInputs
from vastra_live.types import U8

__all__ = ["to_cloth_tensors", "to_inputs", "to_person_tensors"]


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
    rgb = torch.from_numpy(np.ascontiguousarray(bgr[:, :, ::-1].transpose(2, 0, 1)))[None]
    return (rgb.float() / 255 - 0.5) / 0.5
