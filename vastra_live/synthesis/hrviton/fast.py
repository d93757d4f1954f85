"""The image generator for a CPU: the same picture with a fifth of the arithmetic.

Of the plain form's 1,632 GFLOP at 1024 x 768, 1,343 convolve gamma and beta. Here they come out of a table
with one row per label neighbourhood (:mod:`vastra_live.synthesis.hrviton.patterns`); the instance
normalisation is folded into the table, so a norm is one multiply-add per value. Statistics of features that
were doubled in size are taken before the doubling. Everything is (pixels, channels) rows, which is
``channels_last`` to the convolutions. ``tests/test_hrviton_fast.py`` holds it equal to the plain form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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
from vastra_live.synthesis.hrviton.path import one_hot
from vastra_live.synthesis.hrviton.patterns import OUTSIDE, LabelPatterns, find_patterns

__all__ = ["FastGenerator"]

PIECE_VALUES = 1 << 23
"""Values of a modulated piece (32 MB in float32). Small enough to spare memory; smaller ones would sit in the
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

    def __call__(self, x: Tensor, seg: Tensor, on_block: Callable[[int], None] = lambda _: None) -> Tensor:
        """The picture, as :meth:`SpadeGenerator.forward` without noise.

        Args:
            x: (N, 9, H, W), sides multiples of 128.
            seg: (N, 7, H, W), exactly one-hot.
            on_block: told before each of the eight blocks which one it is, from 0, for each picture.

        Returns:
            (N, 3, H, W), RGB in -1..1.

        Raises:
            TypeError, ValueError: the inputs have another dtype or shape, or the labels are not one-hot.
        """
        check_tensor("FastGenerator", "x", x, (None, INPUT_CHANNELS, None, None))
        n, _, height, width = x.shape
        check_multiple("FastGenerator", height, width, 128)
        check_tensor("FastGenerator", "seg", seg, (n, CLASSES_7, height, width))
        # one-hot times 0..6: torch's argmax over channels takes 100 times longer
        labels = torch.einsum("nchw,c->nhw", seg, torch.arange(CLASSES_7, device=seg.device, dtype=seg.dtype))
        if not torch.equal(one_hot(labels, CLASSES_7).to(seg), seg):
            # the look-up would take it for some label, without a word
            raise ValueError("FastGenerator.seg: expected one-hot labels: a single 1 at every pixel, else 0")
        return torch.cat([self._one(x[i : i + 1].to(self._like), labels[i : i + 1], on_block) for i in range(n)])

    def _one(self, x: Tensor, labels: Tensor, on_block: Callable[[int], None]) -> Tensor:
        height, width = x.shape[2:]
        features: Tensor | None = None
        for i, (conv, block) in enumerate(zip(self._side_convs, self._blocks, strict=True)):
            on_block(i)
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
    """A block's input at h x w: features of half the size (none at the coarsest level), doubled, then side input.

    In a 2 x 2 cell the doubled features are one value, and its four pixels mostly have one label neighbourhood:
    that of the top left pixel. So features are modulated at half size and copied four times; pixels whose
    neighbourhood is another than their cell's (``odd``, along the seams) are done again one by one.
    """

    half: Tensor | None
    side: Tensor
    index: Tensor
    height: int
    width: int
    cell_index: Tensor = field(init=False)
    odd: Tensor = field(init=False)

    def __post_init__(self) -> None:
        if self.half is None:
            return
        cells = self.index.view(self.height // 2, 2, self.width // 2, 2)
        first = cells[:, :1, :, :1]
        self.cell_index = first.flatten()
        self.odd = (cells != first).flatten().nonzero().squeeze(1)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and 1/std of each channel; doubling changes neither."""
        parts = [_moments(self.side)] if self.half is None else [_moments(self.half), _moments(self.side)]
        return torch.cat([mean for mean, _ in parts]), torch.cat([rstd for _, rstd in parts])

    def modulated(self, scale: Tensor, shift: Tensor) -> Tensor:
        """(h * w, C) activations: LeakyReLU(input * scale + shift), by neighbourhood."""
        if self.half is None:
            return _modulate(self.side, scale, shift, self.index, torch.empty_like(self.side))
        c = self.half.shape[1]
        out = self.side.new_empty(self.height * self.width, scale.shape[1])
        near, far = ((scale[:, at].contiguous(), shift[:, at].contiguous()) for at in (slice(c), slice(c, None)))
        cells = _modulate(self.half, *near, self.cell_index, torch.empty_like(self.half))
        self._copy_to_cells(cells, out[:, :c])
        del cells
        _modulate(self.side, *far, self.index, out[:, c:])
        raw, index = self._odd_rows(), self.index[self.odd]
        out[self.odd] = _modulate(raw, scale, shift, index, raw)
        return out

    def projected(self, scale: Tensor, shift: Tensor, weight: Tensor) -> Tensor:
        """(h * w, C'): (input * scale) @ weight + shift, by neighbourhood; weight (C, C'), shift (P, C')."""
        assert self.half is not None, "the coarsest block has no learned shortcut"
        c = self.half.shape[1]
        out = self.side.new_empty(self.height * self.width, weight.shape[1])
        near, far = scale[:, :c].contiguous(), scale[:, c:].contiguous()
        cells = self.half.new_empty(self.half.shape[0], weight.shape[1])
        for piece in _pieces(len(cells), c):
            index = self.cell_index[piece]
            scaled = self.half[piece] * near.index_select(0, index)
            torch.addmm(shift.index_select(0, index), scaled, weight[:c], out=cells[piece])
        self._copy_to_cells(cells, out)
        for piece in _pieces(len(out), scale.shape[1]):
            out[piece].addmm_(self.side[piece] * far.index_select(0, self.index[piece]), weight[c:])
        index = self.index[self.odd]
        out[self.odd] = torch.addmm(shift[index], self._odd_rows() * scale[index], weight)
        return out

    def _copy_to_cells(self, cells: Tensor, out: Tensor) -> None:
        h, w, c = self.height // 2, self.width // 2, cells.shape[1]
        four = out.view(h, 2, w, 2, c)
        four.copy_(cells.view(h, 1, w, 1, c).expand(h, 2, w, 2, c))

    def _odd_rows(self) -> Tensor:
        """The raw input of the odd pixels."""
        assert self.half is not None
        y, x = self.odd // self.width, self.odd % self.width
        return torch.cat((self.half[y // 2 * (self.width // 2) + x // 2], self.side[self.odd]), 1)


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and 1/std of each column, (C,) each.

    In pieces, joined as by Chan et al. (1979): as exact as ``torch.var_mean``, which takes eight times longer
    on this layout.
    """
    pieces = torch.split(rows, max(1, PIECE_VALUES // rows.shape[1]))
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
        source = _Doubled(half, side, patterns.index, height, width)
        mean, rstd = source.moments()
        if self.norm_s is None:
            passed = side
        else:
            scale, shift = self.norm_s.table(patterns, mean, rstd)
            # the shortcut has no activation, so its shift goes through the 1 x 1 convolution as a table
            passed = source.projected(scale, shift @ self.shortcut, self.shortcut)
        x = source.modulated(*self.norm_0.table(patterns, mean, rstd))
        d = _rows(self.conv_0(_picture(x, height, width)))
        del x
        scale, shift = self.norm_1.table(patterns, *_moments(d))
        _modulate(d, scale, shift, patterns.index, d)
        return _rows(self.conv_1(_picture(d, height, width))).add_(passed)


def _modulate(raw: Tensor, scale: Tensor, shift: Tensor, index: Tensor, out: Tensor) -> Tensor:
    """``out`` = LeakyReLU(raw * scale[index] + shift[index]), piece by piece; ``out`` may be ``raw``."""
    for piece in _pieces(len(raw), raw.shape[1]):
        at = index[piece]
        torch.addcmul(shift.index_select(0, at), raw[piece], scale.index_select(0, at), out=out[piece])
    return nnf.leaky_relu_(out, LEAK)


def _pieces(rows: int, channels: int) -> list[slice]:
    """Slices of about ``PIECE_VALUES`` values each."""
    step = max(1, PIECE_VALUES // channels)
    return [slice(first, first + step) for first in range(0, rows, step)]
