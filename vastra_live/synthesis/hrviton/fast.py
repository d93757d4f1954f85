"""The image generator for a CPU: the same picture with a fifth of the arithmetic.

Of the plain form's 1,632 GFLOP at 1024 x 768, 1,343 convolve gamma and beta. Here they come out of a table
with one row per label neighbourhood (:mod:`vastra_live.synthesis.hrviton.patterns`); the instance
normalisation is folded into the table, so a norm is one multiply-add per value. Statistics of features that
were doubled in size are taken before the doubling. Everything is (pixels, channels) rows, which is
``channels_last`` to the convolutions. ``tests/test_hrviton_fast.py`` holds it equal to the plain form.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as nnf

from vastra_live.synthesis.hrviton.checks import check_multiple, check_tensor
from vastra_live.synthesis.hrviton.folding import fold_conv, fold_spectral
from vastra_live.synthesis.hrviton.generator import (
    EPSILON,
    HIDDEN,
    INPUT_CHANNELS,
    LEAK,
    SpadeBlock,
    SpadeGenerator,
    SpadeNorm,
)
from vastra_live.synthesis.hrviton.labels import CLASSES_7
from vastra_live.synthesis.hrviton.patterns import OUTSIDE, LabelPatterns, find_patterns

__all__ = ["FastGenerator"]

BAND_VALUES = 1 << 23
"""Values of a modulated band (32 MB in float32). Small enough to spare memory; smaller ones would sit in the
caches and be a little faster alone, but then a keyframe is thousands of parallel steps, each of which waits for
a core that the live loop has taken: measured beside a busy process, 10 times slower at 1 << 18."""


class FastGenerator:
    """A :class:`SpadeGenerator` folded for inference without noise; use it under ``torch.inference_mode()``.

    Takes any size at each call. Its weights are copies (0.4 GB in float32); the plain network can be dropped.

    Args:
        network: the plain network, with its weights.
        device: where to run; default: where the network is.
        dtype: of weights and features; float32 keeps the plain form's picture to its rounding.
    """

    def __init__(
        self, network: SpadeGenerator, device: torch.device | None = None, dtype: torch.dtype = torch.float32
    ) -> None:
        like = torch.empty(0, device=device or network.conv_img.weight.device, dtype=dtype)
        with torch.no_grad():
            self._side_convs = [fold_conv(conv, like) for conv in network.side_convs]
            self._blocks = [_Block(block, like) for block in network.blocks]
            self._last = fold_conv(network.conv_img, like)
        self._like = like

    def __call__(self, x: Tensor, seg: Tensor) -> Tensor:
        """The picture, as :meth:`SpadeGenerator.forward` without noise.

        Args:
            x: (N, 9, H, W), sides multiples of 128.
            seg: (N, 7, H, W), exactly one-hot.

        Returns:
            (N, 3, H, W), RGB in -1..1.

        Raises:
            TypeError, ValueError: the inputs have another dtype or shape.
        """
        check_tensor("FastGenerator", "x", x, (None, INPUT_CHANNELS, None, None))
        n, _, height, width = x.shape
        check_multiple("FastGenerator", height, width, 128)
        check_tensor("FastGenerator", "seg", seg, (n, CLASSES_7, height, width))
        # one-hot times 0..6: torch's argmax over channels takes 100 times longer
        labels = torch.einsum("nchw,c->nhw", seg, torch.arange(CLASSES_7, device=seg.device, dtype=seg.dtype))
        return torch.cat([self._one(x[i : i + 1].to(self._like), labels[i : i + 1]) for i in range(n)])

    def _one(self, x: Tensor, labels: Tensor) -> Tensor:
        height, width = x.shape[2:]
        features: Tensor | None = None
        for i, (conv, block) in enumerate(zip(self._side_convs, self._blocks, strict=True)):
            h, w = height // 128 << i, width // 128 << i
            side = _rows(conv(nnf.interpolate(x, size=(h, w), mode="nearest")))
            small = nnf.interpolate(labels[:, None].to(torch.uint8), size=(h, w), mode="nearest")
            patterns = find_patterns(small[0, 0].long())
            features = block(features, side, patterns, h, w)
        assert features is not None
        return torch.tanh(self._last(_picture(nnf.leaky_relu_(features, LEAK), height, width)))


def _rows(x: Tensor) -> Tensor:
    """(1, C, h, w) -> (h * w, C); free for channels_last."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _picture(rows: Tensor, height: int, width: int) -> Tensor:
    """(h * w, C) -> (1, C, h, w) channels_last, without a copy."""
    return rows.view(1, height, width, -1).permute(0, 3, 1, 2)


class _Modulation:
    """Gamma and beta of one norm, for any label neighbourhood."""

    def __init__(self, norm: SpadeNorm, like: Tensor) -> None:
        named = dict(norm.named_parameters())
        weight = torch.cat((named["conv_gamma.weight"], named["conv_beta.weight"]))
        # scale = 1 + gamma: the one goes into the bias
        bias = torch.cat((named["conv_gamma.bias"] + 1, named["conv_beta.bias"]))
        self.channels = norm.conv_gamma.out_channels
        # (place and label, hidden), the row of the label beyond the edge being zero
        shared = named["conv_shared.0.weight"].permute(2, 3, 1, 0).reshape(9, CLASSES_7, HIDDEN)
        by_label = nnf.pad(shared, (0, 0, 0, 1)).reshape(9 * (CLASSES_7 + 1), HIDDEN)
        self.shared_weight = by_label.detach().to(like, copy=True)
        self.shared_bias = named["conv_shared.0.bias"].detach().to(like, copy=True)
        # (hidden, place and output)
        self.weight = weight.permute(1, 2, 3, 0).reshape(HIDDEN, -1).detach().to(like, copy=True)
        self.bias = bias.detach().to(like, copy=True)

    def table(self, patterns: LabelPatterns, mean: Tensor, rstd: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift, (P, C) each, that normalise, scale and shift raw features in one multiply-add."""
        windows = patterns.windows
        places = torch.arange(9, device=windows.device)
        hidden = nnf.embedding_bag(windows + places * (CLASSES_7 + 1), self.shared_weight, mode="sum")
        hidden = torch.relu_(hidden + self.shared_bias)
        # beyond the picture's edge the second convolution meets zeros, not the first one's output
        hidden[windows[:, 4] == OUTSIDE] = 0
        # each window's share at each of the nine places, then nine shares summed per neighbourhood
        shares = (hidden @ self.weight).view(windows.shape[0] * 9, -1)
        summed = nnf.embedding_bag(patterns.parts * 9 + places, shares, mode="sum") + self.bias
        scale = summed[:, : self.channels] * rstd
        return scale, summed[:, self.channels :] - mean * scale


@dataclass(slots=True)
class _Doubled:
    """Features at half the size (rows, or None at the coarsest level) beside the level's own side input."""

    half: Tensor | None
    side: Tensor
    height: int
    width: int

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and 1/std of each channel; doubling changes neither."""
        parts = [_moments(self.side)] if self.half is None else [_moments(self.half), _moments(self.side)]
        return torch.cat([mean for mean, _ in parts]), torch.cat([rstd for _, rstd in parts])

    def rows(self, top: int, bottom: int) -> Tensor:
        """((bottom - top) * width, C): picture rows top (even) to bottom, doubled and joined."""
        side = self.side[top * self.width : bottom * self.width]
        if self.half is None:
            return side
        w, c = self.width // 2, self.half.shape[1]
        joined = side.new_empty((bottom - top) // 2, 2, w, 2, c + side.shape[1])
        joined[..., :c] = self.half.view(-1, 1, w, 1, c)[top // 2 : bottom // 2]
        joined[..., c:] = side.view(joined.shape[:4] + side.shape[1:])
        return joined.view(side.shape[0], -1)


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and 1/std of each column, (C,) each.

    In pieces, joined as by Chan et al. (1979): as exact as ``torch.var_mean``, which takes eight times longer
    on this layout.
    """
    pieces = torch.split(rows, max(1, BAND_VALUES // rows.shape[1]))
    means, squares = [], []
    for piece in pieces:
        values = piece.float()
        means.append(values.mean(0))
        squares.append((values - means[-1]).square_().sum(0))
    counts = torch.tensor([float(len(piece)) for piece in pieces], device=rows.device)[:, None]
    mean = (torch.stack(means) * counts).sum(0) / len(rows)
    between = ((torch.stack(means) - mean).square_() * counts).sum(0)
    variance = (torch.stack(squares).sum(0) + between) / len(rows)
    return mean.to(rows.dtype), torch.rsqrt(variance + EPSILON).to(rows.dtype)


class _Block:
    """A :class:`SpadeBlock` on rows."""

    def __init__(self, block: SpadeBlock, like: Tensor) -> None:
        self.conv_0 = fold_spectral(block.conv_0, like)
        self.conv_1 = fold_spectral(block.conv_1, like)
        self.norm_0 = _Modulation(block.norm_0, like)
        self.norm_1 = _Modulation(block.norm_1, like)
        self.norm_s: _Modulation | None = None
        if block.learned_shortcut:
            self.norm_s = _Modulation(block.norm_s, like)
            self.shortcut = block.conv_s.weight().flatten(1).t().detach().to(like).contiguous()

    def __call__(self, half: Tensor | None, side: Tensor, patterns: LabelPatterns, height: int, width: int) -> Tensor:
        """(h * w, C) features from (h * w / 4, C') features and the level's (h * w, 16) side input."""
        source = _Doubled(half, side, height, width)
        mean, rstd = source.moments()
        scale, shift = self.norm_0.table(patterns, mean, rstd)
        x = side.new_empty(height * width, scale.shape[1])
        if self.norm_s is None:
            passed = side
        else:
            scale_s, shift_s = self.norm_s.table(patterns, mean, rstd)
            # the shortcut has no activation, so its shift goes through the 1 x 1 convolution as a table
            shift_s = shift_s @ self.shortcut
            passed = side.new_empty(height * width, self.shortcut.shape[1])
        for top, bottom in _bands(height, width, scale.shape[1]):
            piece = slice(top * width, bottom * width)
            raw, index = source.rows(top, bottom), patterns.index[piece]
            if self.norm_s is not None:
                scaled = raw * scale_s.index_select(0, index)
                torch.addmm(shift_s.index_select(0, index), scaled, self.shortcut, out=passed[piece])
            _modulate(raw, scale, shift, index, x[piece])
        d = _rows(self.conv_0(_picture(x, height, width)))
        del x
        scale, shift = self.norm_1.table(patterns, *_moments(d))
        for top, bottom in _bands(height, width, scale.shape[1]):
            piece = slice(top * width, bottom * width)
            _modulate(d[piece], scale, shift, patterns.index[piece], d[piece])
        return _rows(self.conv_1(_picture(d, height, width))).add_(passed)


def _modulate(raw: Tensor, scale: Tensor, shift: Tensor, index: Tensor, out: Tensor) -> None:
    torch.addcmul(shift.index_select(0, index), raw, scale.index_select(0, index), out=out)
    nnf.leaky_relu_(out, LEAK)


def _bands(height: int, width: int, channels: int) -> list[tuple[int, int]]:
    """Even-sized bands of picture rows of about ``BAND_VALUES`` values each."""
    rows = max(2, BAND_VALUES // (width * channels) // 2 * 2)
    return [(top, min(top + rows, height)) for top in range(0, height, rows)]
