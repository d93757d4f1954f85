"""The image generator: SPADE blocks (Park et al., CVPR 2019) that paint the dressed person from coarse to fine.

This is the plain form: every modulation is convolved, every weight keeps the checkpoint's name. It is what
the fast form (:mod:`vastra_live.synthesis.hrviton.fast`) is held equal to.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.checks import check_tensor
from vastra_live.synthesis.hrviton.labels import CLASSES_7

__all__ = ["HIDDEN", "INPUT_CHANNELS", "SIDE_CHANNELS", "SpadeBlock", "SpadeGenerator", "SpadeNorm", "SpectralConv2d"]

INPUT_CHANNELS = 9
SIDE_CHANNELS = 16
"""Channels of the resized input that join the features before every block."""
HIDDEN = 128
"""Channels between the label map and gamma and beta."""
LEAK = 0.2
EPSILON = 1e-5


class SpectralConv2d(nn.Module):
    """A convolution divided by its largest singular value (Miyato et al., ICLR 2018), as stored.

    The stored vectors u and v give sigma = u . (W v); nothing is iterated at inference. Written out, because
    torch's own ``spectral_norm`` refuses a plain dict (it wants a version in ``_metadata``).
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_orig = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.register_buffer("weight_u", torch.zeros(outputs))
        self.register_buffer("weight_v", torch.zeros(inputs * kernel * kernel))
        nn.init.xavier_normal_(self.weight_orig, gain=0.02)

    def weight(self) -> Tensor:
        """(outputs, inputs, k, k), normalised."""
        sigma = torch.dot(self.weight_u, self.weight_orig.flatten(1) @ self.weight_v)
        return self.weight_orig / sigma

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w)."""
        return nnf.conv2d(x, self.weight(), self.bias, padding=self.weight_orig.shape[-1] // 2)


class SpadeNorm(nn.Module):
    """Instance normalisation whose scale and shift are convolved from the label map."""

    def __init__(self, channels: int, classes: int = CLASSES_7) -> None:
        super().__init__()
        self.noise_scale = nn.Parameter(torch.zeros(channels))
        self.conv_shared = nn.Sequential(nn.Conv2d(classes, HIDDEN, 3, padding=1), nn.ReLU())
        self.conv_gamma = nn.Conv2d(HIDDEN, channels, 3, padding=1)
        self.conv_beta = nn.Conv2d(HIDDEN, channels, 3, padding=1)

    def forward(self, x: Tensor, seg: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """x (N, C, h, w) normalised and modulated by the one-hot labels ``seg`` (N, classes, h, w)."""
        if noise is not None:
            n, _, h, w = x.shape
            drawn = torch.randn(n, w, h, 1, generator=noise, device=noise.device, dtype=torch.float32)
            x = x + (drawn.to(x) * self.noise_scale).transpose(1, 3)
        z = nnf.instance_norm(x, eps=EPSILON)
        hidden = self.conv_shared(seg)
        gamma: Tensor = self.conv_gamma(hidden)
        beta: Tensor = self.conv_beta(hidden)
        return z * (1 + gamma) + beta


class SpadeBlock(nn.Module):
    """A residual block with two modulated convolutions and, where the width changes, a modulated shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.learned_shortcut = inputs != outputs
        self.conv_0 = SpectralConv2d(inputs, middle, 3)
        self.conv_1 = SpectralConv2d(middle, outputs, 3)
        self.norm_0 = SpadeNorm(inputs)
        self.norm_1 = SpadeNorm(middle)
        if self.learned_shortcut:
            self.conv_s = SpectralConv2d(inputs, outputs, 1, bias=False)
            self.norm_s = SpadeNorm(inputs)

    def forward(self, x: Tensor, seg: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w); ``seg`` one-hot, any size, resized nearest."""
        seg = nnf.interpolate(seg, size=x.shape[2:], mode="nearest")
        # the shortcut first: the noise is drawn in this order
        shortcut = self.conv_s(self.norm_s(x, seg, noise)) if self.learned_shortcut else x
        d = self.conv_0(nnf.leaky_relu(self.norm_0(x, seg, noise), LEAK))
        d = self.conv_1(nnf.leaky_relu(self.norm_1(d, seg, noise), LEAK))
        return torch.as_tensor(shortcut + d)


class SpadeGenerator(nn.Module):
    """HR-VITON's image generator with seven doublings.

    Args:
        ngf: width n; 64 in the released checkpoint.
        height: of the inputs, at least 128.
        width: of the inputs, at least 128, and one of the two at least 256: a single pixel has no variance.

    The picture grows from (height // 128, width // 128), so sides that are not multiples of 128 come out smaller
    than they went in (192 -> 128), as in the original; :mod:`vastra_live.synthesis.hrviton.path` accepts multiples
    only.

    Raises:
        ValueError: the sides are too small.
    """

    def __init__(self, ngf: int = 64, height: int = 1024, width: int = 768) -> None:
        super().__init__()
        if min(height, width) < 128 or max(height, width) < 256:
            raise ValueError(f"SpadeGenerator: expected sides of at least 128 and 256, got {height} x {width}")
        n = ngf
        self.ngf, self.height, self.width = ngf, height, width
        self.conv_0 = nn.Conv2d(INPUT_CHANNELS, 16 * n, 3, padding=1)
        for i in range(1, 8):
            self.add_module(f"conv_{i}", nn.Conv2d(INPUT_CHANNELS, SIDE_CHANNELS, 3, padding=1))
        self.head_0 = SpadeBlock(16 * n, 16 * n)
        self.G_middle_0 = SpadeBlock(16 * n + SIDE_CHANNELS, 16 * n)
        self.G_middle_1 = SpadeBlock(16 * n + SIDE_CHANNELS, 16 * n)
        self.up_0 = SpadeBlock(16 * n + SIDE_CHANNELS, 8 * n)
        self.up_1 = SpadeBlock(8 * n + SIDE_CHANNELS, 4 * n)
        self.up_2 = SpadeBlock(4 * n + SIDE_CHANNELS, 2 * n)
        self.up_3 = SpadeBlock(2 * n + SIDE_CHANNELS, n)
        self.up_4 = SpadeBlock(n + SIDE_CHANNELS, n // 2)
        self.conv_img = nn.Conv2d(n // 2, 3, 3, padding=1)

    @property
    def blocks(self) -> tuple[SpadeBlock, ...]:
        """The eight blocks, coarse to fine."""
        middle = (self.head_0, self.G_middle_0, self.G_middle_1)
        return (*middle, self.up_0, self.up_1, self.up_2, self.up_3, self.up_4)

    @property
    def side_convs(self) -> tuple[nn.Conv2d, ...]:
        """The convolution of the resized input before each block."""
        found = (self.get_submodule(f"conv_{i}") for i in range(8))
        return tuple(conv for conv in found if isinstance(conv, nn.Conv2d))

    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each block's features."""
        return tuple((self.height // 128 << i, self.width // 128 << i) for i in range(8))

    def check(self, x: Tensor, seg: Tensor) -> None:
        """Raise a TypeError or ValueError unless the inputs fit."""
        owner, dtype = "SpadeGenerator", self.conv_img.weight.dtype
        check_tensor(owner, "x", x, (None, INPUT_CHANNELS, self.height, self.width), dtype=dtype)
        check_tensor(owner, "seg", seg, (x.shape[0], CLASSES_7, self.height, self.width), dtype=dtype)

    def forward(self, x: Tensor, seg: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """The picture.

        Args:
            x: (N, 9, height, width), -1..1: agnostic person, DensePose picture, warped garment (RGB each).
            seg: (N, 7, height, width), one-hot labels.
            noise: draws the normalisation noise the network was trained with; None: none is added, and the
                same inputs give the same picture.

        Returns:
            (N, 3, height // 128 * 128, width // 128 * 128), RGB in -1..1.

        Raises:
            TypeError, ValueError: the inputs have another dtype or shape.
        """
        self.check(x, seg)
        h: Tensor | None = None
        for size, conv, block in zip(self.sizes(), self.side_convs, self.blocks, strict=True):
            side: Tensor = conv(nnf.interpolate(x, size=size, mode="nearest"))
            if h is not None:
                h = torch.cat((nnf.interpolate(h, scale_factor=2, mode="nearest"), side), 1)
            h = block(side if h is None else h, seg, noise)
        assert h is not None
        return torch.tanh(self.conv_img(nnf.leaky_relu(h, LEAK)))
