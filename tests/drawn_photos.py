"""Silhouettes and product photos drawn for the tests of the intake."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8, Category, Sleeve
from vastra_live.wardrobe.category import classify, measure
from vastra_live.wardrobe.cutout import cut_out
from vastra_live.wardrobe.landmarks import find_landmarks
from vastra_live.wardrobe.matte import soft_alpha
from vastra_live.wardrobe.silhouette import read_silhouette

Points = dict[str, tuple[float, float]]

# right halves (the wearer's left), x from the middle, y down; mirrored to closed outlines by `shape_mask`
SHAPES = {
    "tee": [(60, 40), (130, 70), (215, 210), (160, 240), (132, 190), (128, 480)],
    "long": [(60, 40), (130, 70), (215, 520), (180, 525), (132, 190), (128, 480)],
    "loose": [(60, 40), (150, 75), (225, 415), (190, 425), (158, 240), (155, 430)],
    "hanging": [(50, 40), (110, 62), (165, 130), (195, 290), (190, 360), (150, 440), (130, 450), (125, 480)],
    "hooded": [(10, 20), (72, 150), (55, 172), (112, 205), (180, 480), (150, 485), (108, 300), (95, 520)],
    "tank": [(50, 40), (85, 42), (88, 130), (130, 190), (122, 320), (130, 480)],
    "camisole": [(70, 40), (78, 40), (84, 110), (118, 150), (105, 260), (118, 420)],
    "off-shoulder": [(120, 80), (150, 72), (215, 200), (170, 225), (128, 180), (110, 300), (125, 460)],
    "crop": [(60, 40), (125, 70), (200, 190), (150, 215), (128, 175), (124, 260)],
    "trousers": [(95, 40), (105, 120), (120, 560), (50, 560), (0, 190)],
    "shorts": [(110, 40), (125, 120), (150, 330), (30, 330), (0, 190)],
    "skirt": [(80, 40), (130, 160), (190, 420)],
    "dress": [(40, 40), (75, 44), (70, 100), (92, 140), (72, 240), (160, 560)],
}
DIPS = {"tee": 70, "long": 70, "loose": 70, "hanging": 60, "tank": 110, "dress": 80, "camisole": 120, "crop": 75}
DIPS["off-shoulder"] = 95
EXPECTED = {
    "tee": (Category.UPPER, Sleeve.SHORT),
    "long": (Category.UPPER, Sleeve.LONG),
    "loose": (Category.UPPER, Sleeve.LONG),
    "hanging": (Category.UPPER, Sleeve.LONG),
    "hooded": (Category.UPPER, Sleeve.LONG),
    "tank": (Category.UPPER, Sleeve.NONE),
    "camisole": (Category.UPPER, Sleeve.STRAP),
    "off-shoulder": (Category.UPPER, Sleeve.SHORT),
    "crop": (Category.UPPER, Sleeve.SHORT),
    "trousers": (Category.LOWER, Sleeve.NONE),
    "shorts": (Category.LOWER, Sleeve.NONE),
    "skirt": (Category.LOWER, Sleeve.NONE),
    "dress": (Category.DRESS, Sleeve.NONE),
}


def shape_mask(kind: str, scale: float = 1.0, size: tuple[int, int] = (600, 480)) -> U8:
    """A drawn silhouette (H, W) uint8, 0 or 255."""
    right = np.array(SHAPES[kind], np.float64)
    left = right[::-1] * (-1, 1)
    ring = np.concatenate([right, left])
    if kind in DIPS:
        neck = right[0]
        dip = [
            (x, neck[1] + (DIPS[kind] - neck[1]) * (1 - (x / neck[0]) ** 2)) for x in np.linspace(-neck[0], neck[0], 15)
        ]
        ring = np.concatenate([ring, dip])
    rows, columns = round(size[0] * scale), round(size[1] * scale)
    pixels = np.rint((ring * scale + (columns / 2, 0)) * 16).astype(np.int32)
    mask = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(mask, [pixels], 255, cv2.LINE_8, 4)
    return mask


def photo(mask: U8, colour: tuple[int, int, int], ground: tuple[int, int, int], noise: float = 1.0) -> U8:
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.7)[:, :, None]
    mixed = soft * np.array(colour, np.float32) + (1 - soft) * np.array(ground, np.float32)
    grain = np.random.default_rng(1).normal(0, noise, mixed.shape)
    return np.rint(np.clip(mixed + grain, 0, 255)).astype(np.uint8)


def landmarks(mask: U8) -> tuple[Category, Points, Sleeve]:
    silhouette = read_silhouette(mask)
    kind = classify(measure(silhouette))
    points, sleeve = find_landmarks(silhouette, kind)
    return kind, points, sleeve


def cut_alpha(picture: U8) -> F32:
    cutout = cut_out(picture)
    return soft_alpha(picture, cutout.mask, cutout.ground)


def iou(mask: F32 | U8, truth: U8) -> float:
    a, b = mask > mask.max() / 2, truth > 127
    return float((a & b).sum() / (a | b).sum())


def shaded(
    mask: U8, colour: tuple[int, int, int], ground: tuple[int, int, int], blur: float, share: float, tint: float = 0
) -> U8:
    """A garment of grained cloth that throws a soft shadow to its lower right; with a tint it is a reddish one."""
    picture = photo(mask, colour, ground, 0.4 if tint else 1.0).astype(np.float32)
    picture[mask > 0] += np.random.default_rng(2).normal(0, 4, (*mask.shape, 1))[mask > 0]
    spot = cv2.GaussianBlur(np.roll(mask, (8, 6), (0, 1)).astype(np.float32) / 255, (0, 0), blur)
    missing = share * spot * (1 - mask.astype(np.float32) / 255)
    light = 1 - missing[:, :, None] * np.array([1 + tint, 1, 1 - tint], np.float32)
    return np.asarray(np.clip(picture * light, 0, 255), np.uint8)
