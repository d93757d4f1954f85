"""The person without the garment: the picture with torso and arms greyed out, and the parse with them erased.

Both are what HR-VITON's training data holds (Lee et al. 2022, section 3; made first by VITON-HD, Choi et al. 2021).
The networks learned these very shapes, so the drawing is Pillow's, without smoothing, in this order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from vastra_live.synthesis.conditions.keypoints import F64, Keypoints, Point
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.types import U8

__all__ = ["GREY", "agnostic_mask", "draw_agnostic", "erase_garment", "hide", "limb_radius"]

GREY: Final = 128
"""Grey level of what is hidden."""

_HEAD: Final = (Cihp.SUNGLASSES, Cihp.FACE)
_LOWER: Final = (Cihp.TROUSERS, Cihp.SKIRT, Cihp.LEFT_LEG, Cihp.RIGHT_LEG, Cihp.LEFT_SHOE, Cihp.RIGHT_SHOE)
_ERASED: Final = (Cihp.UPPER_CLOTHES, Cihp.DRESS, Cihp.COAT, Cihp.NECK)
_LEFT: Final = (Point.LEFT_SHOULDER, Point.LEFT_ELBOW, Point.LEFT_WRIST)
_RIGHT: Final = (Point.RIGHT_SHOULDER, Point.RIGHT_ELBOW, Point.RIGHT_WRIST)


def limb_radius(keypoints: Keypoints) -> int:
    """r, the unit of every width here: a sixteenth of the shoulders' distance, in whole pixels, and one more."""
    right, left = keypoints.points_px[[Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER]]
    return int(np.linalg.norm(left - right) / 16) + 1


def draw_agnostic(bgr: U8, parse: U8, keypoints: Keypoints) -> U8:
    """The picture with everything in grey that the garment may cover.

    Args:
        bgr: (H, W, 3) uint8.
        parse: (H, W) uint8, CIHP labels.
        keypoints: in pixels of ``bgr``, with a complete torso
            (:func:`~vastra_live.synthesis.conditions.keypoints.complete_torso`).

    Returns:
        (H, W, 3) uint8.
    """
    return hide(bgr, agnostic_mask(parse, keypoints))


def hide(bgr: U8, mask: npt.NDArray[np.bool_]) -> U8:
    """A copy of the picture (H, W, 3) that is grey where ``mask`` (H, W) is true."""
    drawn = bgr.copy()
    drawn[mask] = GREY
    return drawn


def agnostic_mask(parse: U8, keypoints: Keypoints) -> npt.NDArray[np.bool_]:
    """(H, W) bool, true where :func:`draw_agnostic` is grey.

    Raises:
        ValueError: the torso is not complete.
    """
    _check_torso(keypoints)
    grey, draw = _canvas(parse)
    r = limb_radius(keypoints)
    points = _with_wide_hips(keypoints.points_px)
    _draw_torso(draw, points, r)
    for limb in (_RIGHT, _LEFT):
        for one, other in pairwise(limb):
            if keypoints.has(one, other):
                _line(draw, points, (one, other), 10 * r)
                _ellipse(draw, points[other], 5 * r, 5 * r)
    mask: npt.NDArray[np.bool_] = np.array(grey, bool)
    for label, limb in ((Cihp.LEFT_ARM, _LEFT), (Cihp.RIGHT_ARM, _RIGHT)):
        # hands stay: what the parser calls arm outside of the drawn sleeve
        mask &= (parse != label) | _sleeve(parse, points, keypoints, limb, r)
    mask &= ~np.isin(parse, _HEAD + _LOWER)
    return mask


def erase_garment(parse: U8, keypoints: Keypoints) -> U8:
    """The parse without upper clothes, neck and the arms down to the wrists; hands stay.

    The script HR-VITON publishes for this uses a fixed radius of 10 pixels; the files its weights were trained on
    were made with :func:`limb_radius`, equal to them on more than 99.99 % of the pixels.

    Args:
        parse: (H, W) uint8, CIHP labels.
        keypoints: in pixels of ``parse``, with a complete torso.

    Returns:
        (H, W) uint8.

    Raises:
        ValueError: the torso is not complete.
    """
    _check_torso(keypoints)
    r = limb_radius(keypoints)
    erased = parse.copy()
    for label, chain in (
        (Cihp.LEFT_ARM, (Point.RIGHT_SHOULDER, *_LEFT)),
        (Cihp.RIGHT_ARM, (Point.LEFT_SHOULDER, *_RIGHT)),
    ):
        drawn, draw = _canvas(parse)
        previous = chain[0]
        for at in chain[1:]:
            if not keypoints.has(previous, at):
                continue
            _line(draw, keypoints.points_px, (previous, at), 10 * r)
            radius = 4 * r if at == chain[-1] else 5 * r
            _ellipse(draw, keypoints.points_px[at], radius, radius)
            previous = at
        erased[(parse == label) & np.array(drawn, bool)] = Cihp.BACKGROUND
    erased[np.isin(parse, _ERASED)] = Cihp.BACKGROUND
    return erased


def _with_wide_hips(points: F64) -> F64:
    """The points with the hips moved apart to the shoulders' distance; hips on one point part along the shoulders."""
    points = points.copy()
    across = points[Point.LEFT_SHOULDER] - points[Point.RIGHT_SHOULDER]
    shoulders = np.linalg.norm(across)
    apart = points[Point.LEFT_HIP] - points[Point.RIGHT_HIP]
    hips = np.linalg.norm(apart)
    middle = (points[Point.RIGHT_HIP] + points[Point.LEFT_HIP]) / 2
    half = apart / hips * shoulders / 2 if hips >= 1.0 else across / 2
    points[Point.RIGHT_HIP], points[Point.LEFT_HIP] = middle - half, middle + half
    return points


def _draw_torso(draw: ImageDraw.ImageDraw, points: F64, r: int) -> None:
    shoulders, hips = (Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER), (Point.RIGHT_HIP, Point.LEFT_HIP)
    for hip in hips:
        _ellipse(draw, points[hip], 3 * r, 6 * r)
    for shoulder, hip in zip(shoulders, hips, strict=True):
        _line(draw, points, (shoulder, hip), 6 * r)
    _line(draw, points, hips, 12 * r)
    outline = (Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER, Point.LEFT_HIP, Point.RIGHT_HIP)
    draw.polygon([tuple(points[i]) for i in outline], 1, 1)
    x, y = points[Point.NECK]
    draw.rectangle((x - 5 * r, y - 9 * r, x + 5 * r, y), 1, 1)
    _line(draw, points, shoulders, 12 * r)
    for shoulder in shoulders:
        _ellipse(draw, points[shoulder], 5 * r, 6 * r)


def _sleeve(parse: U8, points: F64, keypoints: Keypoints, limb: Sequence[Point], r: int) -> npt.NDArray[np.bool_]:
    """(H, W) bool, where one arm is covered down to a little before the wrist."""
    drawn, draw = _canvas(parse)
    _ellipse(draw, points[limb[0]], 5 * r, 6 * r)
    last = limb[0]
    for one, other in pairwise(limb):
        if not keypoints.has(one, other):
            continue
        _line(draw, points, (one, other), 10 * r)
        last = other
        if other != limb[-1]:
            _ellipse(draw, points[other], 5 * r, 5 * r)
    _ellipse(draw, points[last], 4 * r, 4 * r)
    return np.array(drawn, bool)


def _canvas(parse: U8) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty one-bit picture of the parse's size, and the pen for it."""
    height, width = parse.shape
    picture = Image.new("1", (width, height))
    return picture, ImageDraw.Draw(picture)


def _line(draw: ImageDraw.ImageDraw, points: F64, ends: Sequence[int], width: int) -> None:
    draw.line([tuple(points[i]) for i in ends], 1, width=width)


def _ellipse(draw: ImageDraw.ImageDraw, centre: F64, half_width: float, half_height: float) -> None:
    x, y = centre
    draw.ellipse((x - half_width, y - half_height, x + half_width, y + half_height), 1, 1)


def _check_torso(keypoints: Keypoints) -> None:
    torso = (Point.NECK, Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER, Point.RIGHT_HIP, Point.LEFT_HIP)
    if not keypoints.has(*torso):
        absent = [point.name for point in torso if not keypoints.present[point]]
        raise ValueError(f"keypoints: expected a complete torso, got none of {', '.join(absent)}")
