"""From prepared inputs to the dressed picture: HR-VITON's whole test-time path with its default options.

Everything between the two networks lives here: label composition, blur, the two label maps, the full-size
warp, occlusion handling. Any height and width that are multiples of 128 (width at least 256).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.checks import check_multiple, check_tensor
from vastra_live.synthesis.hrviton.condition import ConditionOutput, flow_grid
from vastra_live.synthesis.hrviton.labels import CLASSES_7, CLASSES_13, KEPT_UNDER_OCCLUSION, MERGE_13_TO_7, UPPER_13

__all__ = [
    "ConditionFn",
    "GeneratorFn",
    "TryOnInputs",
    "TryOnResult",
    "WarpedGarment",
    "blur_logits",
    "cloth_input",
    "compose_logits",
    "generator_input",
    "merge_13_to_7",
    "one_hot",
    "person_input",
    "picture_u8",
    "run",
    "warp_garment",
]

CONDITION_SCALE = 4
"""The condition generator works at a quarter of the picture's size."""
BLUR_RADIUS = 7
BLUR_SIGMA = 3.0

ConditionFn = Callable[[Tensor, Tensor], ConditionOutput]
"""(cloth (N, 4, h, w), person (N, 16, h, w)) -> ConditionOutput: the plain network or a faster form of it."""
GeneratorFn = Callable[[Tensor, Tensor], Tensor]
"""(x (N, 9, H, W), one-hot labels (N, 7, H, W)) -> (N, 3, H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class TryOnInputs:
    """N prepared person-garment pairs at full size H x W, pictures RGB in -1..1.

    Attributes:
        agnostic: (N, 3, H, W) float32, the person with garment and arms greyed out.
        densepose: (N, 3, H, W) float32, the DensePose drawing.
        parse_agnostic: (N, H, W) int64, labels 0..12 without the garment.
        cloth: (N, 3, H, W) float32, the garment photo.
        cloth_mask: (N, 1, H, W) float32, 0 or 1.

    Raises:
        TypeError, ValueError: an array has another dtype or shape, H or W is not a multiple of 128, or W < 256.
    """

    agnostic: Tensor
    densepose: Tensor
    parse_agnostic: Tensor
    cloth: Tensor
    cloth_mask: Tensor

    def __post_init__(self) -> None:
        owner = "TryOnInputs"
        check_tensor(owner, "agnostic", self.agnostic, (None, 3, None, None))
        n, _, h, w = self.agnostic.shape
        check_multiple(owner, h, w, 128)
        if min(h, w) < 256:
            raise ValueError(f"{owner}: expected sides of at least 256, got {h} x {w}")
        check_tensor(owner, "densepose", self.densepose, (n, 3, h, w))
        check_tensor(owner, "parse_agnostic", self.parse_agnostic, (n, h, w), floating=False)
        check_tensor(owner, "cloth", self.cloth, (n, 3, h, w))
        check_tensor(owner, "cloth_mask", self.cloth_mask, (n, 1, h, w))


@dataclass(frozen=True, slots=True, eq=False)
class WarpedGarment:
    """The garment moved onto the person, at full size.

    Attributes:
        grid: (N, H, W, 2), where in the garment photo each pixel looks, -1..1, x first.
        cloth: (N, 3, H, W), RGB; before occlusion handling.
        mask: (N, 1, H, W), 0..1; before occlusion handling.
        visible_cloth: (N, 3, H, W), what the generator sees: white where something lies over the garment.
        visible_mask: (N, 1, H, W), 0..1.
    """

    grid: Tensor
    cloth: Tensor
    mask: Tensor
    visible_cloth: Tensor
    visible_mask: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class TryOnResult:
    """The picture, and every stage on the way to it.

    Attributes:
        condition: what the condition generator said.
        composed: (N, 13, h, w), its logits with the garment's class kept to the warped mask.
        blurred: (N, 13, H, W), the same at full size, blurred.
        label13: (N, H, W) int64, 0..12.
        label7: (N, H, W) int64, 0..6.
        garment: the warped garment.
        output: (N, 3, H, W), RGB in -1..1.
    """

    condition: ConditionOutput
    composed: Tensor
    blurred: Tensor
    label13: Tensor
    label7: Tensor
    garment: WarpedGarment
    output: Tensor


def cloth_input(cloth: Tensor, cloth_mask: Tensor) -> Tensor:
    """(N, 4, H/4, W/4), what the condition generator sees of the garment; fixed for a garment."""
    small = nnf.interpolate(cloth, scale_factor=1 / CONDITION_SCALE, mode="bilinear", align_corners=False)
    return torch.cat((small, cloth_mask[..., ::CONDITION_SCALE, ::CONDITION_SCALE].to(small)), 1)


def person_input(parse_agnostic: Tensor, densepose: Tensor) -> Tensor:
    """(N, 16, H/4, W/4), what the condition generator sees of the person."""
    labels = parse_agnostic[..., ::CONDITION_SCALE, ::CONDITION_SCALE]
    small = nnf.interpolate(densepose, scale_factor=1 / CONDITION_SCALE, mode="bilinear", align_corners=False)
    return torch.cat((one_hot(labels, CLASSES_13).to(small), small), 1)


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """(N, h, w) integer labels as (N, classes, h, w) float32."""
    ids = torch.arange(classes, device=labels.device, dtype=labels.dtype)
    return (labels[:, None] == ids[:, None, None]).float()


def compose_logits(condition: ConditionOutput) -> Tensor:
    """The label logits, with the garment's class scaled by the warped garment mask."""
    keep = torch.ones_like(condition.logits)
    keep[:, UPPER_13 : UPPER_13 + 1] = condition.warped_mask
    return condition.logits * keep


@cache
@torch.inference_mode(False)  # kept, and used by callers with and without gradients
def _enlarge_and_blur(small: int, large: int, device: torch.device) -> Tensor:
    """(large, small) matrix: linear interpolation, then the Gaussian with zeros beyond both ends.

    Kept for ever: a captured CUDA graph goes on reading it.
    """
    at = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1, dtype=torch.float64)
    bell = torch.exp(-(at**2) / (2 * BLUR_SIGMA**2))
    bell /= bell.sum()
    enlarged = nnf.interpolate(torch.eye(small, dtype=torch.float64)[:, None], size=large, mode="linear")
    blurred = nnf.conv1d(enlarged, bell[None, None], padding=BLUR_RADIUS)
    return blurred[:, 0].t().contiguous().to(device, torch.float32)


def blur_logits(composed: Tensor, height: int, width: int) -> Tensor:
    """Bilinear to full size, then a 15 x 15 Gaussian of sigma 3; the picture's edge is padded with zeros.

    Both are linear and separable, so each axis is one small matrix: a tenth of the time of the convolutions,
    and nothing at full size but the result.
    """
    down = _enlarge_and_blur(composed.shape[2], height, composed.device)
    across = _enlarge_and_blur(composed.shape[3], width, composed.device)
    return down @ composed.float() @ across.t()


def merge_13_to_7(label13: Tensor) -> Tensor:
    """Labels 0..12 as labels 0..6, same shape."""
    return _merge_table(label13.device)[label13]


@cache
@torch.inference_mode(False)
def _merge_table(device: torch.device) -> Tensor:
    return torch.tensor(MERGE_13_TO_7, device=device)


def warp_garment(
    flow: Tensor, cloth: Tensor, cloth_mask: Tensor, blurred: Tensor, handle_occlusion: bool
) -> WarpedGarment:
    """The full-size garment, sampled along the finest flow (N, h, w, 2).

    Args:
        flow: the last of :attr:`ConditionOutput.flows`.
        cloth: (N, 3, H, W) RGB in -1..1.
        cloth_mask: (N, 1, H, W).
        blurred: (N, 13, H, W), the blurred logits, not yet normalised.
        handle_occlusion: take the garment away, by their probability, where arms, hair, face, legs or shoes are.
    """
    height, width = cloth.shape[2:]
    flow_height, flow_width = flow.shape[1:3]
    full = nnf.interpolate(flow.permute(0, 3, 1, 2), size=(height, width), mode="bilinear", align_corners=False)
    grid = flow_grid(full, height, width, flow_height, flow_width)
    stacked = torch.cat((cloth, cloth_mask.to(cloth)), 1)
    warped = nnf.grid_sample(
        stacked, grid.to(stacked.dtype), mode="bilinear", padding_mode="border", align_corners=False
    )
    moved, mask = warped[:, :3], warped[:, 3:]
    if not handle_occlusion:
        return WarpedGarment(grid, moved, mask, moved, mask)
    probability = torch.softmax(blurred, 1)
    over = torch.zeros_like(mask)
    for c in range(CLASSES_13):
        if c not in KEPT_UNDER_OCCLUSION:
            over += probability[:, c : c + 1]
    visible = mask - mask * over
    return WarpedGarment(grid, moved, mask, moved * visible + (1 - visible), visible)


def generator_input(inputs: TryOnInputs, garment: WarpedGarment) -> Tensor:
    """(N, 9, H, W): agnostic, DensePose, garment."""
    return torch.cat((inputs.agnostic, inputs.densepose, garment.visible_cloth.to(inputs.agnostic)), 1)


def run(
    inputs: TryOnInputs, condition: ConditionFn, generator: GeneratorFn, handle_occlusion: bool = True
) -> TryOnResult:
    """The whole path.

    Args:
        inputs: the prepared pairs.
        condition: a :class:`ConditionGenerator` in eval mode, or a faster form of it.
        generator: a :class:`SpadeGenerator` in eval mode of the inputs' size, or a faster form of it. For the
            trained noise, ``lambda x, seg: net(x, seg, noise=torch.Generator().manual_seed(seed))``.
        handle_occlusion: as in the authors' published command; see :func:`warp_garment`.
    """
    height, width = inputs.agnostic.shape[2:]
    said = condition(
        cloth_input(inputs.cloth, inputs.cloth_mask), person_input(inputs.parse_agnostic, inputs.densepose)
    )
    composed = compose_logits(said)
    blurred = blur_logits(composed, height, width)
    label13 = blurred.argmax(1)
    label7 = merge_13_to_7(label13)
    garment = warp_garment(said.flows[-1], inputs.cloth, inputs.cloth_mask, blurred, handle_occlusion)
    output = generator(generator_input(inputs, garment), one_hot(label7, CLASSES_7))
    return TryOnResult(said, composed, blurred, label13, label7, garment, output)


def picture_u8(output: Tensor) -> Tensor:
    """(N, 3, H, W) RGB in -1..1 as (N, H, W, 3) uint8 RGB, truncated as the originals save it."""
    return ((output.float() + 1) / 2 * 255).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
