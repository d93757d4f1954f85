"""What the garment's surface and everything else look like: colour densities learned at the keyframes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8

__all__ = ["ColourModel", "colour_bins", "learn_colours"]

# Bins of 8 levels of luma and 4 of each chroma: shading spreads luma, and chroma tells skin from cloth.
_LUMA_SHIFT, _CHROMA_SHIFT = 3, 2
_SHAPE = (256 >> _LUMA_SHIFT, 256 >> _CHROMA_SHIFT, 256 >> _CHROMA_SHIFT)
_BIN_VOLUME = float((1 << _LUMA_SHIFT) * (1 << _CHROMA_SHIFT) ** 2)
# What any colour at all gets: a share of the uniform density, so that an unseen colour is no infinite proof.
_FLOOR = 0.02 / 256**3


@dataclass(frozen=True, slots=True, eq=False)
class ColourModel:
    """Log densities of YCrCb colours, by bin (see :func:`colour_bins`).

    Attributes:
        covered_log: (131072,) float32, natural log of the density, per cubic level, of what the layer covers.
        rest_log: (131072,) float32, the same for what it does not cover.
        covered_mass, rest_mass: (131072,) float32, the histograms they came from, kept for the next keyframe.
    """

    covered_log: F32
    rest_log: F32
    covered_mass: F32
    rest_mass: F32


def colour_bins(ycrcb: U8) -> npt.NDArray[np.int32]:
    """Index of each pixel's colour bin: (H, W, 3) uint8 YCrCb to (H, W) int32."""
    y, cr, cb = (ycrcb[..., channel].astype(np.int32) for channel in range(3))
    return ((y >> _LUMA_SHIFT) * _SHAPE[1] + (cr >> _CHROMA_SHIFT)) * _SHAPE[2] + (cb >> _CHROMA_SHIFT)


def learn_colours(ycrcb: U8, covered: F32, rest: F32, earlier: ColourModel | None, keep: float = 0.5) -> ColourModel:
    """Colour densities of one keyframe, joined to what earlier ones showed.

    Args:
        ycrcb: (H, W, 3) uint8, the camera picture.
        covered: (H, W) float32, 0..1, weight of each pixel as a sample of what the layer covers.
        rest: (H, W) float32, 0..1, weight as a sample of the rest.
        earlier: the model before this keyframe, or None.
        keep: weight of the earlier model's samples.
    """
    bins = colour_bins(ycrcb).ravel()
    size = int(np.prod(_SHAPE))
    masses = []
    for weights, before in (
        (covered, None if earlier is None else earlier.covered_mass),
        (rest, None if earlier is None else earlier.rest_mass),
    ):
        mass = np.bincount(bins, weights.ravel(), size).astype(np.float32)
        if before is not None:
            mass += keep * before
        masses.append(mass)
    return ColourModel(_log_density(masses[0]), _log_density(masses[1]), masses[0], masses[1])


def _log_density(mass: F32) -> F32:
    cube = mass.reshape(_SHAPE)
    # separable blur: luma by rows, then both chroma axes slice by slice as the columns of one picture
    cube = cv2.GaussianBlur(cube.reshape(_SHAPE[0], -1), (1, 5), 0.1, sigmaY=1.0).reshape(_SHAPE)
    cube = cv2.GaussianBlur(cube.reshape(-1, _SHAPE[2]), (5, 1), 1.0, sigmaY=0.1).reshape(_SHAPE)
    turned = np.ascontiguousarray(cube.transpose(0, 2, 1))
    turned = cv2.GaussianBlur(turned.reshape(-1, _SHAPE[1]), (5, 1), 1.0, sigmaY=0.1)
    cube = turned.reshape(_SHAPE[0], _SHAPE[2], _SHAPE[1]).transpose(0, 2, 1)
    density = cube.ravel() / (max(float(cube.sum()), 1.0) * _BIN_VOLUME)
    log: F32 = np.log(density + _FLOOR).astype(np.float32)
    return log
