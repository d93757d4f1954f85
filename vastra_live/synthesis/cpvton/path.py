"""CP-VTON and CP-VTON+ from prepared channels to the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as nnf

from vastra_live.synthesis.cpvton.networks import AGNOSTIC_CHANNELS, GeometricOutput, check_channels

__all__ = ["TryOnInputs", "TryOnResult", "compose", "run", "store_and_reload", "warp"]


@dataclass(frozen=True, slots=True, eq=False)
class TryOnInputs:
    """N prepared person-garment pairs at 256 x 192, float32.

    Attributes:
        matching_agnostic: (N, 22, 256, 192), the person as GMM sees it.
        try_on_agnostic: (N, 22, 256, 192), as TOM sees it (CP-VTON: the same).
        cloth: (N, 3, 256, 192), RGB in -1..1.
        cloth_mask: (N, 1, 256, 192), 0 or 1.

    Raises:
        TypeError, ValueError: a tensor has another dtype or shape.
    """

    matching_agnostic: Tensor
    try_on_agnostic: Tensor
    cloth: Tensor
    cloth_mask: Tensor

    def __post_init__(self) -> None:
        check_channels("TryOnInputs", "matching_agnostic", self.matching_agnostic, AGNOSTIC_CHANNELS)
        check_channels("TryOnInputs", "try_on_agnostic", self.try_on_agnostic, AGNOSTIC_CHANNELS)
        check_channels("TryOnInputs", "cloth", self.cloth, 3)
        check_channels("TryOnInputs", "cloth_mask", self.cloth_mask, 1)


@dataclass(frozen=True, slots=True, eq=False)
class TryOnResult:
    """The picture and every stage on the way to it.

    Attributes:
        matching: grid and offsets.
        warped_cloth: (N, 3, 256, 192), -1..1.
        warped_mask: (N, 1, 256, 192), 0..1.
        raw: (N, 4, 256, 192), TOM's output.
        composition: (N, 1, 256, 192), 0..1, where the picture is the warped garment itself.
        output: (N, 3, 256, 192), RGB in -1..1.
    """

    matching: GeometricOutput
    warped_cloth: Tensor
    warped_mask: Tensor
    raw: Tensor
    composition: Tensor
    output: Tensor


def warp(grid: Tensor, cloth: Tensor, cloth_mask: Tensor, align_corners: bool = True) -> tuple[Tensor, Tensor]:
    """Garment and mask along the grid; beyond the photo the garment repeats its edge, the mask is 0.

    ``align_corners`` is how torch 0.4 sampled, with which the weights were trained.
    """
    moved = nnf.grid_sample(cloth, grid, padding_mode="border", align_corners=align_corners)
    mask = nnf.grid_sample(cloth_mask, grid, padding_mode="zeros", align_corners=align_corners)
    return moved, mask


def store_and_reload(warped_cloth: Tensor, warped_mask: Tensor) -> tuple[Tensor, Tensor]:
    """What TOM sees of the first stage: 8 bits of colour, a binary mask (without the JPEG between)."""
    levels = torch.trunc((warped_cloth.clamp(-1, 1) + 1) / 2 * 255)
    binary = torch.trunc(255 * warped_mask.clamp(0, 1)) >= 128
    return (levels / 255 - 0.5) / 0.5, binary.to(warped_mask)


def compose(raw: Tensor, warped_cloth: Tensor) -> tuple[Tensor, Tensor]:
    """The picture, and the mask by which rendering and warped garment were mixed."""
    mask = torch.sigmoid(raw[:, 3:])
    return warped_cloth * mask + torch.tanh(raw[:, :3]) * (1 - mask), mask


def run(
    inputs: TryOnInputs,
    matching: Callable[[Tensor, Tensor], GeometricOutput],
    try_on: Callable[[Tensor], Tensor],
    plus: bool = False,
) -> TryOnResult:
    """The whole path.

    Args:
        inputs: the prepared pairs.
        matching: a :class:`GeometricMatching` in eval mode.
        try_on: a :class:`TryOn` in eval mode.
        plus: both networks are CP-VTON+'s.
    """
    matched = matching(inputs.matching_agnostic, inputs.cloth_mask if plus else inputs.cloth)
    warped_cloth, warped_mask = warp(matched.grid, inputs.cloth, inputs.cloth_mask)
    cloth, mask = store_and_reload(warped_cloth, warped_mask)
    seen = (inputs.try_on_agnostic, cloth, mask) if plus else (inputs.try_on_agnostic, cloth)
    raw = try_on(torch.cat(seen, 1))
    output, composition = compose(raw, cloth)
    return TryOnResult(matched, warped_cloth, warped_mask, raw, composition, output)
