"""Prepared pictures as the tensors HR-VITON's path takes."""

from __future__ import annotations

from functools import cache
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

__all__ = ["signed_rgb", "to_inputs"]

_SIGNED: Final = (np.arange(256, dtype=np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)


def to_inputs(person: PersonConditions, cloth: ClothConditions) -> TryOnInputs:
    """One pair, on the CPU.

    Raises:
        ValueError: person and cloth differ in size, or the size is not one the networks take.
    """
    return TryOnInputs(
        agnostic=_planes(person.agnostic_bgr),
        densepose=_planes(person.densepose_bgr),
        parse_agnostic=torch.from_numpy(merge_20_to_13(person.parse_agnostic).astype(np.int64))[None],
        cloth=_planes(cloth.bgr),
        cloth_mask=torch.from_numpy(cloth.mask.astype(np.float32))[None, None],
    )


def signed_rgb(bgr: Tensor) -> Tensor:
    """(H, W, 3) uint8 blue-green-red as (1, 3, H, W) float32 RGB, (u / 255 - 0.5) / 0.5, on the tensor's device.

    Looked up: CUDA multiplies by 1 / 255 where the originals divide.
    """
    return _signed_table(bgr.device)[bgr.flip(-1).long()].permute(2, 0, 1)[None]


@cache
@torch.inference_mode(False)  # kept, and used by callers with and without gradients
def _signed_table(device: torch.device) -> Tensor:
    """Kept for ever: a captured CUDA graph goes on reading it."""
    return torch.from_numpy(_SIGNED).to(device)


def _planes(bgr: U8) -> Tensor:
    """As :func:`signed_rgb`, from an array."""
    height, width = bgr.shape[:2]
    planes = np.concatenate(cv2.split(bgr)[::-1])
    return torch.from_numpy(cv2.LUT(planes, _SIGNED)).view(1, 3, height, width)
