"""A keyframe, made ready to be followed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.appearance import ColourModel
from vastra_live.tracking.window import Window
from vastra_live.types import F32, U8

__all__ = ["Anchor", "continue_colours", "texture_spread"]


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """A keyframe's layer and what the camera is expected to see where it lies. Immutable; shared by threads.

    Attributes:
        window: the part of the keyframe's picture that is followed.
        expected: (rows, columns, 4) uint8, on the work grid: Y, Cr, Cb that the camera saw there, or, where
            something was in front of the garment, what it saw there earlier; and how textured it is, in levels.
        alpha: (rows, columns) float32, the layer's alpha, with what was hidden behind a hand put back.
        texture_bgra: (h, w, 4) uint8, the layer at its own resolution, likewise; straight colour, continued
            beyond its outline so that resampling draws nothing else in.
        to_texture: (2, 3) float32, affine from pixels of the frame to pixels of ``texture_bgra``.
        colours: what is covered and what is not, by colour.
        garment_name: whose layer it is.
        bridge: (rows, columns, 2) float32, where each work pixel's frame position was in the anchor before
            this one, as a displacement in frame pixels; None for a first anchor.
        before_alpha, before_texture_bgra: the layer before this one, moved here, for the cross-fade; or None.
    """

    window: Window
    expected: U8
    alpha: F32
    texture_bgra: U8
    to_texture: F32
    colours: ColourModel
    garment_name: str
    bridge: F32 | None = None
    before_alpha: F32 | None = None
    before_texture_bgra: U8 | None = None


def texture_spread(luma: U8) -> U8:
    """Half the range of luma among a pixel's 3 x 3 neighbours: what a motion error of a pixel costs there."""
    near = np.ones((3, 3), np.uint8)
    spread: U8 = cv2.subtract(cv2.dilate(luma, near), cv2.erode(luma, near)) >> 1
    return spread


def continue_colours(bgr: U8, alpha: F32) -> U8:
    """The colours where alpha is solid, continued smoothly to everywhere else.

    Push-pull: averages weighted by alpha are pushed down a pyramid and pulled up into the gaps
    (Gortler et al., "The Lumigraph", 1996, section 3.4).

    Args:
        bgr: (H, W, 3) uint8.
        alpha: (H, W) float32.
    """
    weight = (alpha > 0.5).astype(np.float32)
    levels = [(bgr.astype(np.float32) * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        weighted, mass = levels[-1]
        levels.append((cv2.pyrDown(weighted), cv2.pyrDown(mass)))
    colour = levels[-1][0] / np.maximum(levels[-1][1], 1e-6)[..., None]
    for weighted, mass in levels[-2::-1]:
        wide = cv2.resize(colour, (mass.shape[1], mass.shape[0]), interpolation=cv2.INTER_LINEAR)
        share = np.clip(mass, 0, 1)[..., None]
        colour = wide * (1 - share) + weighted / np.maximum(mass, 1e-3)[..., None] * share
    filled: U8 = np.clip(colour, 0, 255).astype(np.uint8)
    return filled
