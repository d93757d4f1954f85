"""Cut the garment out of its photo: which pixels are cloth, and softly so along the edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.types import F32, U8
from vastra_live.wardrobe.ground import Ground, read_ground, settle_ground

__all__ = ["Cutout", "cut_out", "soften"]

_DARKEST_SHADOW = 0.55
"""A shadow on the ground takes away at most this share of its light; darker is taken for cloth."""
_HOLE = 2.5e-4
"""Smallest hole, as a share of the picture."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """The garment's silhouette.

    Attributes:
        mask: (H, W) uint8, 255 where the picture shows the garment.
        ground: the ground it lies on, refined.
    """

    mask: U8
    ground: Ground


def _gradient(bgr: F32) -> F32:
    """Largest step per pixel over the three channels, in levels, after a light blur."""
    smooth = cv2.GaussianBlur(bgr, (0, 0), 1.2)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(np.sqrt((across * across + down * down).max(axis=2)) / 8, np.float32)


def _reached(allowed: U8) -> U8:
    """What of ``allowed`` hangs together with the border (255)."""
    _, labels = cv2.connectedComponents(allowed, connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lookup = np.zeros(int(labels.max()) + 1, np.uint8)
    lookup[np.unique(edge)] = 255
    lookup[0] = 0
    return np.asarray(lookup[labels], np.uint8)


def _disc(radius: int) -> U8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _ground_like(bgr: U8, ground: Ground) -> tuple[U8, U8]:
    """Pixels of the ground's very colour, and pixels that may be the ground in a soft shadow (0 or 255)."""
    picture = bgr.astype(np.float32)
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.8)
    residual = smooth - ground.bgr
    distance = np.abs(residual).max(axis=2)
    tight = max(2.2, 3.2 * ground.sigma)
    light = np.maximum((ground.bgr * ground.bgr).sum(axis=2), 1.0)
    dimmed = -(residual * ground.bgr).sum(axis=2) / light
    off_colour = np.abs(residual + dimmed[..., None] * ground.bgr).max(axis=2)
    gradient = _gradient(picture)
    soft_edge = max(1.6, 2.0 * ground.sigma)
    shadow = (
        (dimmed > 0)
        & (dimmed < _DARKEST_SHADOW)
        & (off_colour < tight + 12 * dimmed)
        & (gradient < soft_edge + 10 * dimmed)
    )
    return np.where(distance < tight, 255, 0).astype(np.uint8), np.where(shadow, 255, 0).astype(np.uint8)


def cut_out(bgr: U8) -> Cutout:
    """Find the garment on a plain ground.

    1. The ground is what the border flood reaches through pixels of the ground's colour, or of the colour
       dimmed without an edge (a soft shadow).
    2. The border between the sure ground and the sure garment is put on the strongest edge by a watershed of
       the picture's difference to the ground, amplified so that white on white has an edge too.
    """
    height, width = bgr.shape[:2]
    ground = read_ground(bgr)
    same, shadow = _ground_like(bgr, ground)
    ground = settle_ground(bgr, ground, cv2.erode(_reached(same), _disc(max(2, width // 150))))
    same, shadow = _ground_like(bgr, ground)
    reach = max(1, round(0.0025 * max(height, width)))
    flood = _reached(cv2.morphologyEx(cv2.bitwise_or(same, shadow), cv2.MORPH_OPEN, _disc(reach)))
    mask = _settle_edge(bgr, ground, flood, _holes(bgr, ground, flood, same))
    return Cutout(_largest(mask), ground)


def _holes(bgr: U8, ground: Ground, flood: U8, same: U8) -> U8:
    """Ground seen through the garment: flat patches of the ground's very colour that the flood cannot reach."""
    del bgr, ground
    patches = cv2.morphologyEx(cv2.bitwise_and(same, cv2.bitwise_not(flood)), cv2.MORPH_OPEN, _disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(patches, connectivity=4)
    keep = np.zeros(count, np.uint8)
    keep[1:] = np.where(stats[1:, cv2.CC_STAT_AREA] > _HOLE * flood.size, 255, 0)
    return np.asarray(keep[labels], np.uint8)


def _settle_edge(bgr: U8, ground: Ground, flood: U8, holes: U8) -> U8:
    """The garment's mask, its outline on the strongest edge near the flood's shore."""
    open_ground = cv2.bitwise_or(flood, holes)
    cloth = cv2.bitwise_not(open_ground)
    cloth = cv2.morphologyEx(cloth, cv2.MORPH_OPEN, _disc(1))
    markers = np.zeros(flood.shape, np.int32)
    markers[cv2.erode(cloth, _disc(3)) > 0] = 2
    markers[cv2.erode(open_ground, _disc(2)) > 0] = 1
    difference = bgr.astype(np.float32) - ground.bgr
    gain = 5.0
    amplified = np.clip(128 + 127 * np.tanh(difference * gain / 127), 0, 255).astype(np.uint8)
    cv2.watershed(amplified, markers)
    inside = np.where(markers == 2, 255, 0).astype(np.uint8)
    line = (markers == -1) & (np.abs(difference).max(axis=2) > 3 * max(2.0, ground.sigma))
    inside[line] = 255
    return inside


def _largest(mask: U8) -> U8:
    """The largest connected piece."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return mask
    return np.where(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax(), 255, 0).astype(np.uint8)


def soften(bgr: U8, mask: U8, ground: Ground) -> tuple[F32, U8]:
    """Alpha with the photo's own soft edge, and the colours without the ground's share.

    Within a few pixels of the outline a pixel is a mixture ``a F + (1 - a) B`` of the cloth's colour F (mean
    of the cloth just inside) and the ground's colour B; ``a`` is its least-squares share. Where cloth and
    ground look alike the share says nothing and the outline is softened evenly.

    Returns:
        alpha (H, W) float32 0..1, and bgr (H, W, 3) uint8 with the cloth's colours carried outwards.
    """
    band = 2
    solid = (mask > 0).astype(np.float32)
    core = cv2.erode(mask, _disc(band)).astype(np.float32) / 255
    outer = cv2.dilate(mask, _disc(band))
    picture = bgr.astype(np.float32)
    weight = cv2.GaussianBlur(core, (0, 0), 2.5)
    cloth = cv2.GaussianBlur(picture * core[..., None], (0, 0), 2.5) / np.maximum(weight, 1e-4)[..., None]
    even = cv2.GaussianBlur(solid, (0, 0), 0.9)
    contrast = cloth - ground.bgr
    power = (contrast * contrast).sum(axis=2)
    share = ((picture - ground.bgr) * contrast).sum(axis=2) / np.maximum(power, 1.0)
    trust = np.clip((np.sqrt(power) - 25) / 50, 0, 1) * (weight > 1e-3)
    alpha = np.clip(trust * share + (1 - trust) * even, 0, 1)
    alpha = np.where(core > 0, 1.0, np.where(outer > 0, alpha, 0.0)).astype(np.float32)
    ring = (core == 0) & (outer > 0) & (weight > 1e-3)
    out = picture.copy()
    out[ring] = cloth[ring]
    return alpha, np.clip(out, 0, 255).astype(np.uint8)
