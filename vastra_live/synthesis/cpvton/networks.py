"""CP-VTON's two networks: geometric matching (GMM) and try-on (TOM), at 256 x 192.

Attribute names are those of the published checkpoints of CP-VTON and CP-VTON+ (MIT), so both load strictly.
CP-VTON+ matches the garment's mask instead of its colours, and shows TOM the warped mask as well.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

__all__ = [
    "AGNOSTIC_CHANNELS",
    "HEIGHT",
    "WIDTH",
    "GeometricMatching",
    "GeometricOutput",
    "ThinPlateSpline",
    "TryOn",
    "check_channels",
]

HEIGHT, WIDTH = 256, 192
AGNOSTIC_CHANNELS = 22
CONTROL_POINTS = 5
"""Control points a side."""


class GeometricOutput(NamedTuple):
    """How the garment is bent.

    Attributes:
        grid: (N, 256, 192, 2), where each pixel looks in the garment photo, -1..1, x first, corner-aligned.
        theta: (N, 50), offsets of the 25 control points, x first, then y.
    """

    grid: Tensor
    theta: Tensor


def check_channels(owner: str, name: str, value: Tensor, channels: int, dtype: torch.dtype = torch.float32) -> None:
    """Raise a ValueError unless ``value`` is (N, channels, 256, 192), and a TypeError unless it is of ``dtype``."""
    if value.dim() != 4 or tuple(value.shape[1:]) != (channels, HEIGHT, WIDTH) or len(value) == 0:
        raise ValueError(f"{owner}.{name}: expected shape (N, {channels}, {HEIGHT}, {WIDTH}), got {tuple(value.shape)}")
    if value.dtype != dtype:
        raise TypeError(f"{owner}.{name}: expected {dtype}, got {value.dtype}")


class _Extraction(nn.Module):
    """(N, C, 256, 192) -> (N, 512, 16, 12) features; the batch norms come after the activations."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        widths = (64, 128, 256, 512)
        for a, b in pairwise((inputs, *widths)):
            layers += [nn.Conv2d(a, b, 4, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(b)]
        layers += [nn.Conv2d(512, 512, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(512)]
        layers += [nn.Conv2d(512, 512, 3, padding=1), nn.ReLU()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Features of unit length at each place."""
        features: Tensor = self.model(x)
        return features / torch.sqrt((features**2).sum(1, keepdim=True) + 1e-6)


class _Regression(nn.Module):
    """(N, 192, 16, 12) correlations -> (N, 50) offsets in -1..1."""

    def __init__(self) -> None:
        super().__init__()
        places = (HEIGHT // 16) * (WIDTH // 16)
        layers: list[nn.Module] = []
        for a, b, kernel, stride in ((places, 512, 4, 2), (512, 256, 4, 2), (256, 128, 3, 1), (128, 64, 3, 1)):
            layers += [nn.Conv2d(a, b, kernel, stride=stride, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
        self.conv = nn.Sequential(*layers)
        self.linear = nn.Linear(64 * 4 * 3, 2 * CONTROL_POINTS**2)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return torch.tanh(self.linear(self.conv(x).flatten(1)))


class ThinPlateSpline(nn.Module):
    """Bends a corner-aligned grid by moving 5 x 5 control points (Bookstein 1989), U(r) = r^2 ln r^2.

    The system depends on the control points alone: it is solved once, in float64, and a grid is then one
    matrix product. Nothing of it is in the checkpoints.
    """

    basis: Tensor
    points: Tensor

    def __init__(self, height: int = HEIGHT, width: int = WIDTH) -> None:
        super().__init__()
        axis = torch.linspace(-1.0, 1.0, CONTROL_POINTS, dtype=torch.float64)
        # x is the slow index
        points = torch.stack((axis.repeat_interleave(CONTROL_POINTS), axis.repeat(CONTROL_POINTS)), 1)
        n = points.shape[0]
        affine = torch.cat((torch.ones(n, 1, dtype=torch.float64), points), 1)
        system = torch.zeros(n + 3, n + 3, dtype=torch.float64)
        system[:n, :n], system[:n, n:], system[n:, :n] = _kernel(points, points), affine, affine.t()
        xs = torch.linspace(-1.0, 1.0, width, dtype=torch.float64).expand(height, width)
        ys = torch.linspace(-1.0, 1.0, height, dtype=torch.float64)[:, None].expand(height, width)
        places = torch.stack((xs, ys), -1).reshape(-1, 2)
        ones = torch.ones(places.shape[0], 1, dtype=torch.float64)
        rows = torch.cat((_kernel(places, points), ones, places), 1)
        basis = rows @ torch.linalg.inv(system)[:, :n]
        self.height, self.width = height, width
        self.register_buffer("basis", basis.float(), persistent=False)
        self.register_buffer("points", points.float(), persistent=False)

    def forward(self, theta: Tensor) -> Tensor:
        """(N, 50) offsets -> (N, height, width, 2) grid, x first."""
        moved = self.points + theta.reshape(-1, 2, CONTROL_POINTS**2).transpose(1, 2)
        return (self.basis @ moved).reshape(-1, self.height, self.width, 2)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    return squared * torch.log(torch.where(squared == 0, 1.0, squared))


class GeometricMatching(nn.Module):
    """GMM: finds how to bend a garment so that it fits a person.

    Args:
        plus: the form of CP-VTON+, which looks at the garment's mask.
    """

    def __init__(self, plus: bool = False) -> None:
        super().__init__()
        self.cloth_channels = 1 if plus else 3
        self.extractionA = _Extraction(AGNOSTIC_CHANNELS)
        self.extractionB = _Extraction(self.cloth_channels)
        self.regression = _Regression()
        self.spline = ThinPlateSpline()

    def forward(self, agnostic: Tensor, cloth: Tensor) -> GeometricOutput:
        """The grid that bends the garment.

        Args:
            agnostic: (N, 22, 256, 192), -1..1: shape, reserved regions RGB, 18 pose maps.
            cloth: (N, 3, 256, 192) RGB in -1..1; CP-VTON+: (N, 1, 256, 192) mask, 0 or 1.

        Raises:
            TypeError, ValueError: an input has another dtype than the weights, or another shape.
        """
        dtype = self.regression.linear.weight.dtype
        check_channels("GeometricMatching", "agnostic", agnostic, AGNOSTIC_CHANNELS, dtype)
        check_channels("GeometricMatching", "cloth", cloth, self.cloth_channels, dtype)
        person: Tensor = self.extractionA(agnostic)
        garment: Tensor = self.extractionB(cloth)
        n, _, h, w = person.shape
        # the person's places are counted down the columns
        columns = person.transpose(2, 3).flatten(2)
        correlation = (columns.transpose(1, 2) @ garment.flatten(2)).reshape(n, h * w, h, w)
        theta: Tensor = self.regression(correlation)
        return GeometricOutput(self.spline(theta), theta)


class _UNetLevel(nn.Module):
    """One level of the U-Net around the levels below it; indices of ``model`` are those of the checkpoints."""

    def __init__(self, inputs: int, width: int, outputs: int, below: _UNetLevel | None, outermost: bool) -> None:
        super().__init__()
        self.outermost = outermost
        down: list[nn.Module] = [nn.Conv2d(inputs, width, 4, stride=2, padding=1)]
        if not outermost:
            down.insert(0, nn.LeakyReLU(0.2))
        if below is not None:
            down += [below] if outermost else [nn.InstanceNorm2d(width), below]
        up = [
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(width if below is None else 2 * width, outputs, 3, padding=1),
            nn.InstanceNorm2d(outputs),
        ]
        self.model = nn.Sequential(*down, *up)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w), behind the inputs except at the outermost level."""
        y: Tensor = self.model(x)
        return y if self.outermost else torch.cat((x, y), 1)


class TryOn(nn.Module):
    """TOM: paints the person in the bent garment.

    Args:
        plus: the form of CP-VTON+, which also sees the warped mask.
    """

    def __init__(self, plus: bool = False) -> None:
        super().__init__()
        self.input_channels = AGNOSTIC_CHANNELS + (4 if plus else 3)
        level = _UNetLevel(512, 512, 512, None, outermost=False)
        for inputs, width in ((512, 512), (256, 512), (128, 256), (64, 128)):
            level = _UNetLevel(inputs, width, inputs, level, outermost=False)
        self.model = _UNetLevel(self.input_channels, 64, 4, level, outermost=True)

    def forward(self, x: Tensor) -> Tensor:
        """The raw picture.

        Args:
            x: (N, 25, 256, 192): agnostic (22), warped garment RGB; CP-VTON+: 26, the warped mask last.

        Returns:
            (N, 4, 256, 192): colours before tanh (3), composition mask before the sigmoid (1).

        Raises:
            TypeError, ValueError: the input has another dtype than the weights, or another shape.
        """
        check_channels("TryOn", "x", x, self.input_channels, next(self.parameters()).dtype)
        raw: Tensor = self.model(x)
        return raw
