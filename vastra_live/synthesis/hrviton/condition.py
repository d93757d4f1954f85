"""The condition generator: where every pixel of the garment goes, and the label map of the dressed person.

Two encoders (garment, person) meet in a decoder that refines a flow field and a segmentation together,
from coarse to fine (HR-VITON, section 3.1). Attribute names are those of the released checkpoints.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.checks import check_multiple, check_tensor

__all__ = [
    "LEVELS",
    "ConditionGenerator",
    "ConditionOutput",
    "ResidualBlock",
    "base_grid",
    "check_inputs",
    "flow_grid",
    "sample",
    "up2",
]

CLOTH_CHANNELS = 4
PERSON_CHANNELS = 16
CLASSES = 13
LEVELS = 5


class ConditionOutput(NamedTuple):
    """What the condition generator says about N pairs at height h and width w.

    Attributes:
        flows: five (N, h_i, w_i, 2) tensors, x first, coarse (h/32) to fine (h/2), in pixels of their level.
        logits: (N, 13, h, w), at least 0.
        warped_cloth: (N, 3, h, w), RGB in -1..1.
        warped_mask: (N, 1, h, w), 0..1.
    """

    flows: tuple[Tensor, ...]
    logits: Tensor
    warped_cloth: Tensor
    warped_mask: Tensor


def up2(x: Tensor) -> Tensor:
    """Twice the size, bilinear, pixel centres kept (``align_corners=False``)."""
    return nnf.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def base_grid(height: int, width: int, like: Tensor) -> Tensor:
    """(1, height, width, 2) grid of -1..1 from corner to corner, x first, in the dtype of ``like``.

    The originals sample it with ``align_corners=False``, so a zero flow shrinks the picture by
    (width - 1) / width about its centre. The weights were trained that way.
    """
    xs = torch.linspace(-1.0, 1.0, width, device=like.device, dtype=like.dtype)
    ys = torch.linspace(-1.0, 1.0, height, device=like.device, dtype=like.dtype)
    return torch.stack((xs.expand(height, width), ys[:, None].expand(height, width)), dim=-1)[None]


def flow_grid(flow: Tensor, height: int, width: int, flow_height: int, flow_width: int) -> Tensor:
    """The sampling grid of a flow resized to (N, 2, height, width) but still in pixels of flow_height x flow_width."""
    # no small tensor is made here from Python numbers: a CUDA graph could not capture its upload
    x = flow[:, 0] / ((flow_width - 1.0) / 2.0)
    y = flow[:, 1] / ((flow_height - 1.0) / 2.0)
    return base_grid(height, width, flow) + torch.stack((x, y), -1)


def sample(x: Tensor, grid: Tensor) -> Tensor:
    """x (N, C, h', w') at the places of grid (N, h, w, 2); beyond the edge, the edge."""
    return nnf.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


class ResidualBlock(nn.Module):
    """ReLU(y + block(y)) with y = scale(x); halves, keeps or doubles the size."""

    def __init__(self, inputs: int, outputs: int, scale: Literal["down", "same", "up"]) -> None:
        super().__init__()
        self.scale: nn.Module
        if scale == "down":
            self.scale = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        elif scale == "same":
            self.scale = nn.Conv2d(inputs, outputs, 1)
        else:
            upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.scale = nn.Sequential(upsample, nn.Conv2d(inputs, outputs, 1))
        self.block = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h', w')."""
        y: Tensor = self.scale(x)
        return nnf.relu(y + self.block(y))


def _encoder(inputs: int, widths: tuple[int, ...]) -> nn.ModuleList:
    ins = (inputs, *widths[:-1])
    return nn.ModuleList(ResidualBlock(a, b, "down") for a, b in zip(ins, widths, strict=True))


class ConditionGenerator(nn.Module):
    """HR-VITON's condition generator in its default form (warp feature T1, ReLU output).

    Args:
        ngf: width F; 96 in the released checkpoint.
    """

    def __init__(self, ngf: int = 96) -> None:
        super().__init__()
        f = ngf
        widths = (f, 2 * f, 4 * f, 4 * f, 4 * f)
        self.ngf = ngf
        self.ClothEncoder = _encoder(CLOTH_CHANNELS, widths)
        self.PoseEncoder = _encoder(PERSON_CHANNELS, widths)
        self.conv = ResidualBlock(4 * f, 8 * f, "same")
        self.SegDecoder = nn.ModuleList(
            [
                ResidualBlock(8 * f, 4 * f, "up"),
                ResidualBlock(12 * f, 4 * f, "up"),
                ResidualBlock(12 * f, 2 * f, "up"),
                ResidualBlock(8 * f, f, "up"),
                ResidualBlock(6 * f, f, "up"),
            ]
        )
        self.out_layer = ResidualBlock(f + PERSON_CHANNELS + CLOTH_CHANNELS, CLASSES, "same")
        self.conv1 = nn.ModuleList(nn.Conv2d(n, 4 * f, 1) for n in widths[:4])
        # In every checkpoint; the default form reads only the coarsest person feature, so it never runs.
        self.conv2 = nn.ModuleList(nn.Conv2d(n, 4 * f, 1) for n in widths[:4])
        self.flow_conv = nn.ModuleList(nn.Conv2d(8 * f, 2, 3, padding=1) for _ in range(LEVELS))
        self.bottleneck = nn.ModuleList(
            nn.Sequential(nn.Conv2d(n, 4 * f, 3, padding=1), nn.ReLU()) for n in (4 * f, 4 * f, 2 * f, f)
        )

    def forward(self, cloth: Tensor, person: Tensor) -> ConditionOutput:
        """Flows, label logits and the warped garment.

        Args:
            cloth: (N, 4, h, w): garment RGB in -1..1, then its mask 0/1.
            person: (N, 16, h, w): one-hot parse without the garment (13), then the DensePose picture RGB.

        Raises:
            TypeError: an input is not of the weights' dtype.
            ValueError: wrong channels, different sizes, or sides that are not multiples of 32 (width >= 64).
        """
        check_inputs(cloth, person, next(self.parameters()).dtype)
        cloths = _features(self.ClothEncoder, cloth)
        persons = _features(self.PoseEncoder, person)
        garment, x = cloths[-1], persons[-1]
        flow: Tensor = self.flow_conv[0](torch.cat((garment, x), 1))
        flows = [flow]
        x = self.SegDecoder[0](self.conv(x))
        for i in range(1, LEVELS):
            j = LEVELS - 1 - i
            garment = up2(garment) + self.conv1[j](cloths[j])
            height, width = garment.shape[2:]
            flow = up2(flow)
            # the flow counts pixels of the level before, half this size
            warped = sample(garment, flow_grid(flow, height, width, height // 2, width // 2))
            flow = flow + self.flow_conv[i](torch.cat((warped, self.bottleneck[i - 1](x)), 1))
            flows.append(flow)
            x = self.SegDecoder[i](torch.cat((x, persons[j], warped), 1))
        height, width = cloth.shape[2:]
        warped = sample(cloth, flow_grid(up2(flow), height, width, height // 2, width // 2))
        logits = self.out_layer(torch.cat((x, person, warped), 1))
        nhw2 = tuple(f.permute(0, 2, 3, 1) for f in flows)
        return ConditionOutput(nhw2, logits, warped[:, :3], warped[:, 3:])


def _features(encoder: nn.ModuleList, x: Tensor) -> list[Tensor]:
    features = []
    for block in encoder:
        x = block(x)
        features.append(x)
    return features


def check_inputs(cloth: Tensor, person: Tensor, dtype: torch.dtype | None = None) -> None:
    """Raise a TypeError or ValueError unless the two inputs of the condition generator fit, in ``dtype`` if given."""
    owner = "ConditionGenerator"
    check_tensor(owner, "cloth", cloth, (None, CLOTH_CHANNELS, None, None), dtype=dtype)
    height, width = cloth.shape[2:]
    check_tensor(owner, "person", person, (cloth.shape[0], PERSON_CHANNELS, height, width), dtype=dtype)
    check_multiple(owner, height, width, 32)
    if min(height, width) < 64:
        raise ValueError(f"{owner}: expected sides of at least 64, got {height} x {width}")
