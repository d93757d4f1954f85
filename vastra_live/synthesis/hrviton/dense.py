"""The image generator for a GPU: folded, half precision, channels_last, every shape fixed.

The label lookup of :mod:`vastra_live.synthesis.hrviton.fast` needs to know how many label neighbourhoods
there are before it can allocate, which a CUDA graph cannot wait for. This form convolves gamma and beta
everywhere, in one convolution each, and can be captured (:mod:`vastra_live.synthesis.hrviton.accelerate`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.checks import check_multiple, check_tensor
from vastra_live.synthesis.hrviton.folding import FoldedConv, fold_conv, fold_spectral
from vastra_live.synthesis.hrviton.generator import EPSILON, INPUT_CHANNELS, LEAK, SpadeBlock, SpadeGenerator, SpadeNorm
from vastra_live.synthesis.hrviton.labels import CLASSES_7

__all__ = ["DenseGenerator"]

LABEL_CHANNELS = 8
"""Labels plus one empty channel: matrix units take channels in eights."""


class DenseGenerator:
    """A :class:`SpadeGenerator` folded for inference without noise; use it under ``torch.inference_mode()``.

    Args:
        network: the plain network, with its weights.
        device: where to run; default: where the network is.
        dtype: of weights and features; instance norms take their statistics in float32 whatever it is.
    """

    def __init__(
        self, network: SpadeGenerator, device: torch.device | None = None, dtype: torch.dtype = torch.float16
    ) -> None:
        like = torch.empty(0, device=device or network.conv_img.weight.device, dtype=dtype)
        with torch.no_grad():
            self._side_convs = [fold_conv(conv, like) for conv in network.side_convs]
            self._blocks = [_Block(block, like) for block in network.blocks]
            self._last = fold_conv(network.conv_img, like)
        self._like = like

    def __call__(self, x: Tensor, seg: Tensor, on_block: Callable[[int], None] = lambda _: None) -> Tensor:
        """The picture, as :meth:`SpadeGenerator.forward` without noise; sides must be multiples of 128.

        Args:
            x: (N, 9, H, W).
            seg: (N, 7, H, W), one-hot.
            on_block: told before each of the eight blocks which one it is, from 0.

        Returns:
            (N, 3, H, W) in this form's dtype, RGB in -1..1.

        Raises:
            TypeError, ValueError: the inputs have another dtype or shape.
        """
        check_tensor("DenseGenerator", "x", x, (None, INPUT_CHANNELS, None, None))
        n, _, height, width = x.shape
        check_multiple("DenseGenerator", height, width, 128)
        check_tensor("DenseGenerator", "seg", seg, (n, CLASSES_7, height, width))
        x = x.to(self._like).contiguous(memory_format=torch.channels_last)
        seg = nnf.pad(seg.to(self._like), (0, 0, 0, 0, 0, LABEL_CHANNELS - CLASSES_7))
        seg = seg.contiguous(memory_format=torch.channels_last)
        h: Tensor | None = None
        for i, (conv, block) in enumerate(zip(self._side_convs, self._blocks, strict=True)):
            on_block(i)
            size = (height // 128 << i, width // 128 << i)
            side = conv(nnf.interpolate(x, size=size, mode="nearest"))
            if h is not None:
                side = torch.cat((nnf.interpolate(h, scale_factor=2, mode="nearest"), side), 1)
            h = block(side, nnf.interpolate(seg, size=size, mode="nearest"))
        assert h is not None
        return torch.tanh(self._last(nnf.leaky_relu(h, LEAK)))


class _Norm:
    """A :class:`SpadeNorm` of two convolutions."""

    def __init__(self, norm: SpadeNorm, like: Tensor) -> None:
        named = dict(norm.named_parameters())
        shared = nnf.pad(named["conv_shared.0.weight"], (0, 0, 0, 0, 0, LABEL_CHANNELS - CLASSES_7))
        self._shared = FoldedConv(shared, named["conv_shared.0.bias"], like)
        weight = torch.cat((named["conv_gamma.weight"], named["conv_beta.weight"]))
        # scale = 1 + gamma: the one goes into the bias
        bias = torch.cat((named["conv_gamma.bias"] + 1, named["conv_beta.bias"]))
        self._modulation = FoldedConv(weight, bias, like)

    def __call__(self, z: Tensor, seg: Tensor) -> Tensor:
        """z (N, C, h, w), already normalised, modulated by seg (N, 8, h, w)."""
        scale, shift = self._modulation(nnf.relu_(self._shared(seg))).chunk(2, 1)
        return torch.addcmul(shift, z, scale)


class _Block:
    """A :class:`SpadeBlock` that normalises its input once for both norms that read it."""

    def __init__(self, block: SpadeBlock, like: Tensor) -> None:
        self._conv_0, self._conv_1 = fold_spectral(block.conv_0, like), fold_spectral(block.conv_1, like)
        self._norm_0, self._norm_1 = _Norm(block.norm_0, like), _Norm(block.norm_1, like)
        self._shortcut: tuple[_Norm, FoldedConv] | None = None
        if block.learned_shortcut:
            self._shortcut = _Norm(block.norm_s, like), fold_spectral(block.conv_s, like)

    def __call__(self, x: Tensor, seg: Tensor) -> Tensor:
        z = _normalise(x)
        d = self._conv_0(nnf.leaky_relu_(self._norm_0(z, seg), LEAK))
        passed = x
        if self._shortcut is not None:
            norm, conv = self._shortcut
            passed = conv(norm(z, seg))
        d = self._conv_1(nnf.leaky_relu_(self._norm_1(_normalise(d), seg), LEAK))
        return d.add_(passed)


def _normalise(x: Tensor) -> Tensor:
    """Instance normalisation that stays channels_last: torch's own makes its input contiguous first."""
    each = [nnf.batch_norm(one, None, None, training=True, eps=EPSILON) for one in torch.split(x, 1)]
    return each[0] if len(each) == 1 else torch.cat(each)
