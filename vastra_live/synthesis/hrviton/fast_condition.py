"""The condition generator with its norms folded, and the garment's half of it computed once per garment.

The garment's features never meet the person before they are sampled along the flow: encoder, 1 x 1
convolutions and upsampling are fixed for a garment (:class:`ClothFeatures`). Batch norms are folded into
their convolutions; the 1 x 1 convolutions behind a bilinear upsampling run before it, on a quarter of the
pixels (both are linear, and bilinear weights sum to one). Held equal to the plain form by
``tests/test_hrviton_fast.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.condition import (
    LEVELS,
    ConditionGenerator,
    ConditionOutput,
    ResidualBlock,
    check_inputs,
    flow_grid,
    sample,
    up2,
)
from vastra_live.synthesis.hrviton.folding import fold_batch_norm, fold_conv

__all__ = ["ClothFeatures", "FastCondition"]


@dataclass(frozen=True, slots=True, eq=False)
class ClothFeatures:
    """What the condition generator needs of N garments, whoever wears them.

    Attributes:
        cloth: (N, 4, h, w), the input: RGB and mask.
        levels: five (N, 4F, h_i, w_i) tensors, coarse (h/32) to fine (h/2).
    """

    cloth: Tensor
    levels: tuple[Tensor, ...]


class FastCondition:
    """A :class:`ConditionGenerator` folded for inference; use it under ``torch.inference_mode()``.

    Float32 only: flows feed on flows, and one rounded to 10 bits ends up to half a pixel off, which moves edges
    and flips labels (the picture falls to 30 dB; the generator alone loses nothing visible in float16).
    Its weights are copies (0.2 GB in float32); the plain network can be dropped.

    Args:
        network: the plain network, with its weights.
        device: where to run; default: where the network is.
    """

    def __init__(self, network: ConditionGenerator, device: torch.device | None = None) -> None:
        like = torch.empty(0, device=device or next(network.parameters()).device)
        with torch.no_grad():
            self._cloth_encoder = [_Residual(block, like) for block in network.ClothEncoder]
            self._pose_encoder = [_Residual(block, like) for block in network.PoseEncoder]
            self._middle = _Residual(network.conv, like)
            self._decoder = [_Residual(block, like) for block in network.SegDecoder]
            self._out = _Residual(network.out_layer, like)
            self._lateral = [fold_conv(_as_conv(conv), like) for conv in network.conv1]
            self._flow = [fold_conv(_as_conv(conv), like) for conv in network.flow_conv]
            self._bottleneck = [fold_conv(_as_conv(pair.get_submodule("0")), like) for pair in network.bottleneck]
        self._like = like

    def __call__(self, cloth: Tensor, person: Tensor) -> ConditionOutput:
        """As :meth:`ConditionGenerator.forward`."""
        check_inputs(cloth, person)
        return self.dress(self.cloth_features(cloth), person)

    def cloth_features(self, cloth: Tensor) -> ClothFeatures:
        """The garment's half, from (N, 4, h, w): keep it as long as the garment is worn."""
        cloth = cloth.to(self._like).contiguous(memory_format=torch.channels_last)
        features = _encode(self._cloth_encoder, cloth)
        levels = [features[-1]]
        for j in reversed(range(LEVELS - 1)):
            levels.append(up2(levels[-1]) + self._lateral[j](features[j]))
        return ClothFeatures(cloth, tuple(levels))

    def dress(self, features: ClothFeatures, person: Tensor) -> ConditionOutput:
        """The person's half, from (N, 16, h, w)."""
        check_inputs(features.cloth, person)
        person = person.to(self._like).contiguous(memory_format=torch.channels_last)
        persons = _encode(self._pose_encoder, person)
        x = persons[-1]
        flow = self._flow[0](torch.cat((features.levels[0], x), 1))
        flows = [flow]
        x = self._decoder[0](self._middle(x))
        for i in range(1, LEVELS):
            garment = features.levels[i]
            height, width = garment.shape[2:]
            flow = up2(flow)
            warped = sample(garment, flow_grid(flow, height, width, height // 2, width // 2))
            seen = torch.cat((warped, torch.relu_(self._bottleneck[i - 1](x))), 1)
            flow = flow + self._flow[i](seen)
            flows.append(flow)
            x = self._decoder[i](torch.cat((x, persons[LEVELS - 1 - i], warped), 1))
        height, width = person.shape[2:]
        warped = sample(features.cloth, flow_grid(up2(flow), height, width, height // 2, width // 2))
        logits = self._out(torch.cat((x, person, warped), 1))
        nhw2 = tuple(f.permute(0, 2, 3, 1) for f in flows)
        return ConditionOutput(nhw2, logits, warped[:, :3], warped[:, 3:])


class _Residual:
    """A :class:`ResidualBlock` of three convolutions."""

    def __init__(self, block: nn.Module, like: Tensor) -> None:
        if not isinstance(block, ResidualBlock):
            raise TypeError(f"FastCondition: expected a ResidualBlock, got {type(block).__name__}")
        self._doubles = isinstance(block.scale, nn.Sequential)
        scale = block.scale[1] if isinstance(block.scale, nn.Sequential) else block.scale
        self._scale = fold_conv(_as_conv(scale), like)
        first, norm_1, _, second, norm_2 = block.block
        self._first = fold_batch_norm(_as_conv(first), _as_norm(norm_1), like)
        self._second = fold_batch_norm(_as_conv(second), _as_norm(norm_2), like)

    def __call__(self, x: Tensor) -> Tensor:
        y = self._scale(x)
        if self._doubles:
            y = up2(y)
        return nnf.relu_(self._second(nnf.relu_(self._first(y))).add_(y))


def _encode(encoder: list[_Residual], x: Tensor) -> list[Tensor]:
    features = []
    for block in encoder:
        x = block(x)
        features.append(x)
    return features


def _as_conv(module: nn.Module) -> nn.Conv2d:
    if not isinstance(module, nn.Conv2d):
        raise TypeError(f"FastCondition: expected a Conv2d, got {type(module).__name__}")
    return module


def _as_norm(module: nn.Module) -> nn.BatchNorm2d:
    if not isinstance(module, nn.BatchNorm2d):
        raise TypeError(f"FastCondition: expected a BatchNorm2d, got {type(module).__name__}")
    return module
