"""Convolutions with everything folded in that is fixed at inference."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.generator import SpectralConv2d

__all__ = ["FoldedConv", "fold_batch_norm", "fold_conv", "fold_spectral"]


class FoldedConv:
    """A square convolution with "same" padding, its own copy of the weights, channels_last.

    Attributes:
        weight: (outputs, inputs, k, k).
        bias: (outputs,) or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, like: Tensor, stride: int = 1) -> None:
        moved = weight.detach().to(like, copy=True)
        self.weight = moved.contiguous(memory_format=torch.channels_last)
        self.bias = None if bias is None else bias.detach().to(like, copy=True)
        self.stride = stride

    def __call__(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h / stride, w / stride)."""
        return nnf.conv2d(x, self.weight, self.bias, self.stride, self.weight.shape[-1] // 2)


def fold_conv(conv: nn.Conv2d, like: Tensor) -> FoldedConv:
    """The convolution on the device and in the dtype of ``like``."""
    return FoldedConv(conv.weight, conv.bias, like, conv.stride[0])


def fold_spectral(conv: SpectralConv2d, like: Tensor) -> FoldedConv:
    """The convolution with its weights divided by their stored singular value."""
    return FoldedConv(conv.weight(), conv.bias, like)


def fold_batch_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d, like: Tensor) -> FoldedConv:
    """The convolution (without bias) and the batch norm behind it, in eval mode, as one convolution."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    gain = norm.weight * torch.rsqrt(variance + norm.eps)
    return FoldedConv(conv.weight * gain[:, None, None, None], norm.bias - mean * gain, like, conv.stride[0])
