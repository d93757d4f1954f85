"""The soft edge of a cut-out garment."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8
from vastra_live.wardrobe.ground import Ground

__all__ = ["carry_colours", "even_alpha", "soft_alpha"]

_BAND_PX = 2
_SPREAD_PX = 2.5


def even_alpha(mask: U8) -> F32:
    """A mask (0 or 255) with an edge one pixel and a half soft, whatever the picture shows."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.8), np.float32)


def soft_alpha(bgr: U8, mask: U8, ground: Ground) -> F32:
    """Alpha with the photo's own soft edge.

    Within two pixels of the outline a pixel is a mixture ``a F + (1 - a) B`` of the cloth's colour F (mean of
    the cloth just inside) and the ground's colour B; ``a`` is its least-squares share. Where cloth and ground
    look alike the share says nothing and the outline is softened evenly.

    Args:
        bgr: (H, W, 3) uint8.
        mask: (H, W) uint8, 255 inside.
        ground: what lies around.

    Returns:
        (H, W) float32, 0..1.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BAND_PX + 1, 2 * _BAND_PX + 1))
    core = cv2.erode(mask, disc)
    rim = (core == 0) & (cv2.dilate(mask, disc) > 0)
    alpha: F32 = (core > 0).astype(np.float32)
    cloth = carry_colours(bgr, core.astype(np.float32) / 255).astype(np.float32)[rim]
    contrast = cloth - ground.bgr[rim]
    power = (contrast * contrast).sum(axis=1)
    share = ((bgr[rim].astype(np.float32) - ground.bgr[rim]) * contrast).sum(axis=1) / np.maximum(power, 1.0)
    trust = np.clip((np.sqrt(power) - 25) / 50, 0, 1)
    even = even_alpha(mask)[rim]
    # the share may move the edge by a pixel, not invent cloth or holes
    mixed = np.clip(trust * share + (1 - trust) * even, even - 0.5, even + 0.5)
    alpha[rim] = np.clip(mixed, 0, 1)
    return alpha


def carry_colours(bgr: U8, alpha: F32) -> U8:
    """The photo with the cloth's own colours along and beyond its edge, so that no ground shines through.

    Args:
        bgr: (H, W, 3) uint8.
        alpha: (H, W) float32, 0..1.

    Returns:
        (H, W, 3) uint8; changed only where alpha is below 1, within a few pixels of the garment.
    """
    solid = np.where(alpha > 0.995, 255, 0).astype(np.uint8)
    core = cv2.erode(solid, np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    reach = cv2.dilate((alpha > 0.004).astype(np.uint8), np.ones((5, 5), np.uint8))
    rim = (reach > 0) & (core == 0)
    out = bgr.copy()
    for spread in (2 * _SPREAD_PX, _SPREAD_PX):
        # the wide mean first, for what is farther away; the near one over it
        weight = cv2.GaussianBlur(core, (0, 0), spread)
        cloth = cv2.GaussianBlur(bgr * core[:, :, None], (0, 0), spread)
        known = rim & (weight > 0.02)
        out[known] = np.clip(cloth[known] / weight[known][:, None], 0, 255).astype(np.uint8)
    return out
