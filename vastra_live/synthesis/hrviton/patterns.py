"""Which 5 x 5 label neighbourhoods a label map holds, each once.

Gamma and beta of a modulated norm are two 3 x 3 convolutions of a one-hot label map: they depend on the 25
labels around a pixel and on nothing else. A map of a person holds few different neighbourhoods: seven where
one label fills all 25 places, and, along the seams, the same edges and corners again and again (5,000 to
7,000 in a 1024 x 768 parse, 0.7 % of its pixels). So gamma and beta are computed once per neighbourhood and
looked up per pixel: exact, and free of convolutions over the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vastra_live.synthesis.hrviton.labels import CLASSES_7

__all__ = ["OUTSIDE", "LabelPatterns", "find_patterns"]

OUTSIDE = CLASSES_7
"""The label beyond the picture's edge: the zeros a convolution pads with."""
_BITS = 3
_PACKED = 13
_RADIUS = 2


@dataclass(frozen=True, slots=True, eq=False)
class LabelPatterns:
    """The neighbourhoods of one label map of h x w pixels.

    Attributes:
        index: (h * w,) int64, the neighbourhood of each pixel, row by row.
        windows: (K, 9) int64, the different 3 x 3 label windows inside the neighbourhoods, row-major.
        parts: (P, 9) int64, for each neighbourhood the window centred on each of its inner 3 x 3 pixels.
    """

    index: Tensor
    windows: Tensor
    parts: Tensor


def find_patterns(labels: Tensor) -> LabelPatterns:
    """The neighbourhoods of a label map (h, w) int64 with labels 0..6."""
    height, width = labels.shape
    padded = torch.nn.functional.pad(labels.to(torch.uint8), (_RADIUS,) * 4, value=OUTSIDE)
    seam = _seams(padded, height, width)
    at = seam.flatten().nonzero().squeeze(1)
    stride = padded.shape[1]
    reach = torch.arange(2 * _RADIUS + 1, device=labels.device)
    places = (reach[:, None] * stride + reach).flatten()
    around = padded.flatten()[(at // width * stride + at % width)[:, None] + places]
    flat = torch.arange(CLASSES_7, device=labels.device, dtype=torch.uint8)[:, None].expand(-1, 25)
    kinds, kind_of = _unique_rows(torch.cat((flat, around)))
    # constant neighbourhoods got their numbers from the seven rows in front
    index = kind_of[:CLASSES_7][labels.flatten()]
    index[at] = kind_of[CLASSES_7:]
    windows, part_of = _unique_rows(_inner_windows(kinds).reshape(-1, 9))
    return LabelPatterns(index, windows.long(), part_of.reshape(-1, 9))


def _seams(padded: Tensor, height: int, width: int) -> Tensor:
    """(h, w) bool: the 5 x 5 neighbourhood holds more than one label; the padding counts as one."""
    steps_x = padded[:, 1:] != padded[:, :-1]
    steps_y = padded[1:] != padded[:-1]
    seam = torch.zeros(height, width, dtype=torch.bool, device=padded.device)
    across = torch.zeros(padded.shape[0], width, dtype=torch.bool, device=padded.device)
    for d in range(2 * _RADIUS):
        across |= steps_x[:, d : d + width]
    for d in range(2 * _RADIUS + 1):
        seam |= across[d : d + height]
    down = torch.zeros(height, padded.shape[1], dtype=torch.bool, device=padded.device)
    for d in range(2 * _RADIUS):
        down |= steps_y[d : d + height]
    for d in range(2 * _RADIUS + 1):
        seam |= down[:, d : d + width]
    return seam


def _inner_windows(neighbourhoods: Tensor) -> Tensor:
    """(P, 25) labels -> (P, 9, 9): the 3 x 3 window centred on each inner pixel."""
    square = neighbourhoods.reshape(-1, 5, 5)
    windows = [square[:, y : y + 3, x : x + 3].reshape(-1, 9) for y in range(3) for x in range(3)]
    return torch.stack(windows, 1)


def _unique_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Different rows of (M, 9) or (M, 25) labels 0..7, and for each row its number among them.

    ``torch.unique(dim=0)`` sorts rows column by column and is 20 times slower. Here up to 13 labels are packed
    into a number of 39 bits; of 25 labels the first 13 are numbered before the others join them.
    """
    first, rest = rows[:, :_PACKED], rows[:, _PACKED:]
    key = _pack(first)
    if rest.shape[1]:
        key = torch.unique(key, return_inverse=True)[1] * (1 << _BITS * rest.shape[1]) + _pack(rest)
    different, number = torch.unique(key, return_inverse=True)
    found_at = torch.empty(different.shape[0], dtype=torch.int64, device=rows.device)
    found_at[number] = torch.arange(rows.shape[0], device=rows.device)
    return rows[found_at], number


def _pack(labels: Tensor) -> Tensor:
    """(M, n) labels as one int64 each, n at most 13."""
    shifts = torch.arange(labels.shape[1], device=labels.device) * _BITS
    return (labels.long() << shifts).sum(1)
