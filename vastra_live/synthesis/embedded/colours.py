"""Colour models: how likely each class of a person's picture has a colour, as smoothed Lab histograms."""

from __future__ import annotations

import cv2
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
    models = np.empty((len(weights), CELLS), np.float32)
    kernel = np.array([0.25, 0.5, 0.25], np.float32)
    for k, weight in enumerate(weights):
        flat = weight.ravel()
        total = float(flat.sum())
        if total < 4:
            models[k] = 1.0 / CELLS
            continue
        # a pixel counts for one class or two of the five; flags are gone through ten times as fast as numbers
        at = np.flatnonzero(flat > 0)
        counts = np.bincount(cells[at], flat[at], CELLS).astype(np.float32)
        cube = counts.reshape(_BINS[0], _BINS[1] * _BINS[2])
        cube = cv2.sepFilter2D(cube, -1, np.ones(1, np.float32), kernel)
        cube = cube.reshape(_BINS[0] * _BINS[1], _BINS[2])
        cube = cv2.sepFilter2D(cube, -1, kernel, np.ones(1, np.float32))
        planes = cube.reshape(_BINS)
        planes[:, 1:-1] = 0.5 * planes[:, 1:-1] + 0.25 * (planes[:, :-2] + planes[:, 2:])
        models[k] = planes.ravel() / max(float(planes.sum()), 1e-6)
    return models
