"""Colour models: how likely each class of a person's picture has a colour, as smoothed Lab histograms."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8

__all__ = ["CELLS", "I64", "ColourModels", "colour_cells", "learned"]

I64 = npt.NDArray[np.int64]

_BINS = (24, 24, 24)
CELLS = _BINS[0] * _BINS[1] * _BINS[2]
"""Cells of a model."""


class ColourModels:
    """One colour histogram a class, remembered from keyframe to keyframe.

    Args:
        memory: share of the old model kept at each update.
    """

    def __init__(self, memory: float = 0.6) -> None:
        self._memory = memory
        self._models: F32 | None = None

    @property
    def known(self) -> bool:
        """Whether anything was learned yet."""
        return self._models is not None

    def remember(self, models: F32) -> None:
        """Blend the (5, cells) models of this keyframe into those of the earlier ones."""
        self._models = models if self._models is None else self._memory * self._models + (1 - self._memory) * models

    def blended(self, models: F32) -> F32:
        """The models of this keyframe, steadied by those of the earlier ones."""
        return models if self._models is None else 0.5 * (self._models + models)


def colour_cells(lab: U8) -> I64:
    """(h*w,) index of the colour cell of each pixel; chroma is cut finer, where clothes differ from skin."""
    light = (lab[..., 0].astype(np.int32) * _BINS[0]) >> 8
    # most pictures keep within +-48 of grey: cells of 4 units there, the rest in the outermost cell
    a = np.clip((lab[..., 1].astype(np.int32) - 80) >> 2, 0, _BINS[1] - 1)
    b = np.clip((lab[..., 2].astype(np.int32) - 80) >> 2, 0, _BINS[2] - 1)
    return ((light * _BINS[1] + a) * _BINS[2] + b).ravel()


def learned(cells: I64, weights: F32) -> F32:
    """(n, cells) colour density of each class from (n, h, w) weights, smoothed over neighbouring colours."""
    counts = np.ones((len(weights), CELLS), np.float32)
    for own, weight in zip(counts, weights, strict=True):
        flat = weight.ravel()
        if float(flat.sum()) >= 4:
            # a pixel counts for one class or two of the five; flags are gone through ten times as fast as numbers
            at = np.flatnonzero(flat > 0)
            own[:] = np.bincount(cells[at], flat[at], CELLS)
    for axis in range(len(_BINS)):
        counts = _smoothed(counts, axis)
    counts /= counts.sum(axis=1, keepdims=True)
    return counts


def _smoothed(counts: F32, axis: int) -> F32:
    """(n, cells) counts averaged along one axis of the colour cube: half of each cell, a quarter of its neighbours'.

    All models are gone through as one row of numbers, in which neighbours are so many steps apart.
    """
    step = math.prod(_BINS[axis + 1 :])
    row = counts.ravel()
    smooth = np.float32(0.5) * row
    smooth[step:-step] += np.float32(0.25) * (row[: -2 * step] + row[2 * step :])
    # what lies past an end of the axis is another row's; it is mirrored there, but for the second axis, whose ends hold
    # all that is redder or greener and stay as they are
    ends, of = smooth.reshape(-1, _BINS[axis], step), counts.reshape(-1, _BINS[axis], step)
    for end, inside in ((0, 1), (-1, -2)):
        ends[:, end] = of[:, end] if axis == 1 else np.float32(0.5) * (of[:, end] + of[:, inside])
    return smooth.reshape(counts.shape)
