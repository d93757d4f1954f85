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

    Within two pixels of the outline a pixel is a mixture ``a F + (1 - a) B`` of the cloth's colour F (mean of the cloth
    just inside) and the colour B just outside, ground or its shadow; ``a`` is its least-squares share. Where the two
    look alike the share says nothing and the outline is softened evenly.

    Args:
        bgr: (H, W, 3) uint8.
        mask: (H, W) uint8, 255 inside.
        ground: what lies around.

    Returns:
        (H, W) float32, 0..1.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BAND_PX + 1, 2 * _BAND_PX + 1))
    core, reach = cv2.erode(mask, disc), cv2.dilate(mask, disc)
    rim = (core == 0) & (reach > 0)
    alpha: F32 = (core > 0).astype(np.float32)
    cloth = _carried(bgr, core, bgr.astype(np.float32))[rim]
    around = _carried(bgr, cv2.bitwise_not(reach), ground.bgr)[rim]
    contrast = cloth - around
    power = (contrast * contrast).sum(axis=1)
    share = ((bgr[rim].astype(np.float32) - around) * contrast).sum(axis=1) / np.maximum(power, 1.0)
    trust = np.clip((np.sqrt(power) - 25) / 50, 0, 1)
    even = even_alpha(mask)[rim]
    # the share may move the edge by a pixel, not invent cloth or holes
    mixed = np.clip(trust * share + (1 - trust) * even, even - 0.5, even + 0.5)
    alpha[rim] = np.clip(mixed, 0, 1)
    return alpha


def _carried(bgr: U8, known: U8, otherwise: F32) -> F32:
    """(H, W, 3) the mean colour of what is known (255) nearby; that of ``otherwise`` where nothing is."""
    core = known.astype(np.float32) / 255
    weight = cv2.GaussianBlur(core, (0, 0), _SPREAD_PX)
    total = cv2.GaussianBlur(bgr * core[:, :, None], (0, 0), _SPREAD_PX)
    mean = total / np.maximum(weight, 1e-3)[:, :, None]
    return np.asarray(np.where(weight[:, :, None] > 0.02, mean, otherwise), np.float32)


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
