"""What the layer's ground and everything else look like: colour densities learned at the keyframes."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
# So many bins around a colour are smoothed: as far as a blur reaches, and is reflected from where a box ends.
_ROOM = 4
# What an earlier keyframe's samples weigh beside a new one's.
_KEEP = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class ColourModel:
    """Densities of YCrCb colours, by bin (see :func:`colour_bins`), per cubic level.

    Attributes:
        covered_log: (131072,) float32, natural log of the density of what the layer covers.
        rest_log: (131072,) float32, the same for what it does not cover.
        covered_mass, rest_mass: (131072,) float32, the histograms they came from, for the next keyframe.
        front_log, front_mass: the same for what of the rest is the wearer's own, and may come in front of the layer,
            as a wall cannot; None when that is not known.
    """

    covered_log: F32
    rest_log: F32
    covered_mass: F32
    rest_mass: F32
    front_log: F32 | None = None
    front_mass: F32 | None = None


def colour_bins(ycrcb: U8) -> npt.NDArray[np.intp]:
    """Index of each pixel's colour bin: (H, W, 3 or more) uint8 Y, Cr, Cb to (H, W)."""
    luma, red, blue = cv2.split(ycrcb)[:3]
    # both chromas fit 16 bit, and narrow passes are quick
    chroma = (red >> _CHROMA_SHIFT).astype(np.uint16)
    chroma *= _SHAPE[2]
    chroma += blue >> _CHROMA_SHIFT
    bins: npt.NDArray[np.intp] = (luma >> _LUMA_SHIFT).astype(np.intp)
    bins *= _SHAPE[1] * _SHAPE[2]
    bins += chroma
    return bins


def learn_colours(
    ycrcb: U8, covered: F32, rest: F32, earlier: ColourModel | None, front: F32 | None = None
) -> ColourModel:
    """Colour densities of one keyframe, joined to what earlier ones showed.

    Args:
        ycrcb: (H, W, 3) uint8, pixels of the camera picture, in any arrangement.
        covered: H * W float32, 0..1, weight of each pixel as a sample of what the layer covers.
        rest: H * W float32, 0..1, weight as a sample of the rest.
        earlier: the model before this keyframe, or None.
        front: H * W float32, 0..1, weight as a sample of what may come in front; None when that is not known.
    """
    bins = colour_bins(ycrcb).ravel()
    size = int(np.prod(_SHAPE))
    covered_mass = np.bincount(bins, covered.ravel(), size).astype(np.float32)
    rest_mass = np.bincount(bins, rest.ravel(), size).astype(np.float32)
    if earlier is not None:
        covered_mass += _KEEP * earlier.covered_mass
        rest_mass += _KEEP * earlier.rest_mass
    known = ColourModel(_log_density(covered_mass), _log_density(rest_mass), covered_mass, rest_mass)
    if front is None:
        return known
    front_mass = np.bincount(bins, front.ravel(), size).astype(np.float32)
    if earlier is not None and earlier.front_mass is not None:
        front_mass += _KEEP * earlier.front_mass
    return replace(known, front_log=_log_density(front_mass), front_mass=front_mass)


def _log_density(mass: F32) -> F32:
    """Smoothed by about a bin along each axis, so that neighbouring shades count.

    A scene has a tenth of all colours: no more than their box is gone through.
    """
    logs = np.full(_SHAPE, np.log(_FLOOR), np.float32)
    used = np.flatnonzero(mass > 0)
    if len(used):
        bins = np.unravel_index(used, _SHAPE)
        box = tuple(slice(max(int(axis.min()) - _ROOM, 0), int(axis.max()) + _ROOM + 1) for axis in bins)
        cube = mass.reshape(_SHAPE)[box]
        luma, red, blue = cube.shape
        cube = cv2.GaussianBlur(cube.reshape(luma, red * blue), (1, 5), 0.1, sigmaY=1.0)
        cube = cv2.GaussianBlur(cube.reshape(luma * red, blue), (5, 1), 1.0, sigmaY=0.1).reshape(luma, red, blue)
        turned = np.ascontiguousarray(cube.transpose(0, 2, 1)).reshape(luma * blue, red)
        cube = cv2.GaussianBlur(turned, (5, 1), 1.0, sigmaY=0.1).reshape(luma, blue, red).transpose(0, 2, 1)
        logs[box] = np.log(cube / (max(float(cube.sum()), 1.0) * _BIN_VOLUME) + _FLOOR)
    return logs.ravel()
