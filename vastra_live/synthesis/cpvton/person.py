"""The 22 channels by which CP-VTON knows a person: body shape, what stays as it is, 18 pose maps."""

from __future__ import annotations

from enum import Enum

import numpy as np
from PIL import Image, ImageDraw

from vastra_live.types import F32, U8

__all__ = ["Reserved", "build_agnostic", "pose_maps", "reserved_regions", "shape_map"]

COCO_POINTS = 18
POINT_RADIUS = 5
SHAPE_REDUCTION = 16


class Reserved(Enum):
    """CIHP/LIP labels of the regions a network sees unchanged."""

    CPVTON = (1, 2, 4, 13)
    """Hat, hair, sunglasses, face: both stages of CP-VTON."""
    PLUS_MATCHING = (1, 4, 13)
    """CP-VTON+, first stage: long hair would hide where the garment goes."""
    PLUS_TRY_ON = (1, 2, 4, 9, 12, 13, 16, 17)
    """CP-VTON+, second stage: trousers, skirt and legs stay too."""


def shape_map(body: U8) -> F32:
    """A coarse silhouette.

    Args:
        body: (H, W) uint8, above 0 where the person is; sides multiples of 16.

    Returns:
        (1, H, W) float32, -1..1: the binary body, reduced to a sixteenth and enlarged again, in 8 bits as the
        originals do.
    """
    height, width = body.shape
    mask = Image.fromarray(((body > 0) * 255).astype(np.uint8))
    small = mask.resize((width // SHAPE_REDUCTION, height // SHAPE_REDUCTION), Image.Resampling.BILINEAR)
    large = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
    return _signed(large)[None]


def reserved_regions(rgb: U8, parse: U8, reserved: Reserved) -> F32:
    """(3, H, W) float32: the picture (H, W, 3) where ``parse`` (H, W) has a reserved label, -1 elsewhere."""
    keep = np.isin(parse, reserved.value)
    return np.where(keep, _signed(rgb).transpose(2, 0, 1), np.float32(-1))


def pose_maps(points: F32, height: int, width: int) -> F32:
    """A small square at each key point.

    Args:
        points: (18, 2) float32, COCO order, x and y in pixels; a missing point is (0, 0).
        height: of the maps.
        width: of the maps.

    Returns:
        (18, height, width) float32, 1 in the square, -1 elsewhere; all -1 for a missing point.

    Raises:
        ValueError: not 18 points, as when BODY_25 points are handed in.
    """
    if points.shape != (COCO_POINTS, 2):
        raise ValueError(f"pose_maps: expected points of shape ({COCO_POINTS}, 2), got {points.shape}")
    maps = np.full((COCO_POINTS, height, width), -1, np.float32)
    for kept, (x, y) in zip(maps, points.tolist(), strict=True):
        if x > 1 and y > 1:
            canvas = Image.new("L", (width, height))
            box = (x - POINT_RADIUS, y - POINT_RADIUS, x + POINT_RADIUS, y + POINT_RADIUS)
            ImageDraw.Draw(canvas).rectangle(box, fill=255)
            kept[np.asarray(canvas) > 0] = 1
    return maps


def build_agnostic(rgb: U8, parse: U8, body: U8, points: F32, reserved: Reserved) -> F32:
    """All 22 channels, (22, H, W) float32 in -1..1.

    Args:
        rgb: (H, W, 3) uint8, the person.
        parse: (H, W) uint8, labels.
        body: (H, W) uint8, above 0 on the body: ``parse`` itself for CP-VTON, a mask for CP-VTON+.
        points: (18, 2) float32, COCO order, pixels.
        reserved: which labels stay.

    Raises:
        ValueError: sizes differ, or there are not 18 points.
    """
    size = rgb.shape[:2]
    for name, value in (("parse", parse), ("body", body)):
        if value.shape != size:
            raise ValueError(f"build_agnostic.{name}: expected shape {size}, got {value.shape}")
    parts = (shape_map(body), reserved_regions(rgb, parse, reserved), pose_maps(points, *size))
    return np.concatenate(parts)


def _signed(u8: U8) -> F32:
    return (u8.astype(np.float32) / 255 - 0.5) / 0.5
