"""The rim of the worn top: how much of its colour is in each pixel along its outline.

A labelled mask ends between pixels; the picture does not: along the outline the top's colour is mixed with its
neighbour's, by the lens, by the camera's sharpening and by JPEG. Taking away too little leaves dashes of the old
garment, taking away too much eats trousers and hands. So the mixture is solved for, as in matting with known
foreground and background (Smith and Blinn 1996; the local colours as in Chuang et al. 2001, without its iteration).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.bare import Bare
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.synthesis.embedded.scene import filled
from vastra_live.types import F32, U8

__all__ = ["Rim", "beside_on_body", "notches", "seams", "sharpened", "solve_rim"]

_NOISE = 7.0
"""Grey levels by which colours of one cloth differ anyway: grain, JPEG, light."""
_PRIOR = 5.0
"""How much the mask counts against the colours."""


@dataclass(frozen=True, slots=True, eq=False)
class Rim:
    """The worn top as it lies in the picture.

    Attributes:
        share: (h, w) float32 0..1, how much of a pixel's colour is the top's.
        gone: (h, w) float32 0..1, what must be made anew: 1 wherever the top shows.
        beside: (h/2, w/2, 3) float32, what lies beside the top, continued into its rim.
        picture: (h/2, w/2, 3) float32, the picture itself.
    """

    share: F32
    gone: F32
    beside: F32
    picture: F32


def solve_rim(bgr: U8, worn: F32, spared: F32, unit: float) -> Rim:
    """Find how far the top reaches into the pixels along its outline.

    Args:
        bgr: (h, w, 3) the picture.
        worn: (h, w) 0..1, the worn top as labelled.
        spared: (h, w) 0..1, what is surely no top: where colours do not tell, the rim does not reach in here.
        unit: shoulder width in pixels.
    """
    reach = max(1, round(0.011 * unit))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    small, mask = halved(bgr), halved(worn)
    wide, core = cv2.dilate(mask, ellipse), cv2.erode(mask, ellipse)
    planes = cv2.split(small)
    planes = [*planes, sum(plane * plane for plane in planes)]
    top, top_spread, top_mass = _local(planes, (core > 0.8) + np.float32(0.02) * (mask > 0.8), reach)
    beside, beside_spread, beside_mass = _local(planes, (wide < 0.1).astype(np.float32), reach)
    away = top - beside
    noise = 3 * _NOISE**2 + top_spread + beside_spread
    sure = np.minimum(top_mass, beside_mass) > 1e-3
    cv2.copyTo(small, (~sure).astype(np.uint8), beside)
    weight = np.where(sure, 1 / noise, np.float32(0))
    grown = enlarged(cv2.blur(wide, (reach | 1, reach | 1)), worn.shape)
    share = np.maximum(worn, grown * (1 - spared))
    pixels = np.flatnonzero((grown > 0.02) & (enlarged(core, worn.shape) < 0.98))
    at = (pixels // worn.shape[1] >> 1) * mask.shape[1] + (pixels % worn.shape[1] >> 1)
    weight = weight.ravel()[at]
    towards = _taken(away, at)
    off = [seen - usual for seen, usual in zip(_taken(bgr, pixels), _taken(beside, at), strict=True)]
    along = _dot(off, towards)
    extent = _dot(towards, towards)
    # a colour off the line between the two is a third thing: a lock of hair, a hand
    third = _dot(off, off) - along * along / np.maximum(extent, 1)
    weight = weight / (1 + (weight * np.maximum(third, 0)) ** 2)
    along, extent = along * weight, extent * weight
    prior = np.float32(_PRIOR) * (1 + 12 * spared.ravel()[pixels])
    flat = share.ravel()
    flat[pixels] = np.clip((along + prior * flat[pixels]) / (extent + prior), 0, 1)
    # a small share is a mixture only beside a large one; elsewhere it is a shade of the neighbour's own
    blur = max(1, round(0.007 * unit))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * blur + 1, 2 * blur + 1))
    share *= cv2.dilate((share > 0.5).astype(np.uint8), disc)
    # a tenth of a black sleeve still draws a line on white trousers
    return Rim(share, ramp(share, 8, -0.4), beside, small)


def sharpened(gone: F32, wall: F32, body: F32, unit: float) -> F32:
    """(h, w) 0..1: what was taken away, and on the wall a soft rim around it, where sharpening drew a line beside it.

    Args:
        gone: (h, w) 0..1, what was taken away.
        wall: (h, w) 0..1, the background and the worn top.
        body: (h, w) 0..1, lower garment and skin: the corner of a hand beside a cuff is none of it.
        unit: shoulder width in pixels.
    """
    size = 2 * max(1, round(0.013 * unit)) + 1
    grown = cv2.dilate(halved(gone), np.ones((size, size), np.uint8))
    return enlarged(cv2.blur(grown, (3, 3)), gone.shape) * ramp(wall - body, 2, -0.5)


def notches(gone: F32, arms: F32, front: F32, lower: F32, unit: float) -> F32:
    """(h, w) 0..1: where an arm is made anew although some of its sleeve was not read as such.

    Args:
        gone: (h, w) 0..1, what was taken away.
        arms: (h, w) 0..1, where arms are made.
        front: (h, w) 0..1, those of them that nothing is in front of.
        lower: (h, w) 0..1, the lower garment, behind which an arm may lie: a spot of it is none.
        unit: shoulder width in pixels.
    """
    size = 2 * max(1, round(0.04 * unit)) + 1
    closed = cv2.morphologyEx(gone, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    # a strip along its edge that is taken for the lower garment is the sleeve's own shade
    strips = cv2.dilate(gone, np.ones((size, size), np.uint8)) * ramp(lower, 4, -1) * front
    # what hides a stretch of the arm is no spot, wherever else it reaches
    solid = max(1, round(0.07 * unit))
    hides = cv2.morphologyEx(lower * arms * (1 - gone), cv2.MORPH_OPEN, np.ones((solid, solid), np.uint8))
    return np.asarray(np.maximum(closed, strips) * ramp(hides, -4, 2) * arms, np.float32)


def seams(gone: F32, arms: F32, opening: F32, skin: F32, unit: float) -> F32:
    """(h, w) 0..1: the rim of seen skin, soft, that a cuff or a collar shaded and the camera sharpened.

    Along a bare arm beside a top there is none.

    Args:
        gone: (h, w) 0..1, what was taken away.
        arms: (h, w) 0..1, where arms are made.
        opening: (h, w) 0..1, the neck and what a neckline bares of the chest.
        skin: (h, w) 0..1, what is seen of the skin.
        unit: shoulder width in pixels.
    """
    size, wide = (2 * max(1, round(share * unit)) + 1 for share in (0.03, 0.12))
    shown = cv2.blur(np.maximum(gone, skin) * arms, (wide, wide))
    covered = cv2.blur(gone * arms, (wide, wide)) / np.maximum(shown, np.float32(1e-3))
    where = np.maximum(ramp(covered, 6, -1.2) * arms, opening)
    return np.asarray(ramp(cv2.blur(gone, (size, size)), 2.4, -0.2) * where, np.float32)


def beside_on_body(gone: F32, kept: F32, skin: F32, lower: F32, bare: Bare, unit: float) -> F32:
    """(h, w) 0..1: what of the body is made anew beside what was taken away; everything is (h, w) 0..1."""
    also = np.zeros_like(gone)
    opening = np.zeros_like(gone) if bare.opening is None else bare.opening
    rows, columns = filled(np.maximum(bare.arms, opening))
    # so far around them is looked at what lies beside
    room = round(0.3 * unit)
    part = tuple(slice(max(span.start - room, 0), span.stop + room) for span in (rows, columns))
    if rows.stop:
        gone, kept, skin, arms = gone[part], kept[part], skin[part], bare.arms[part]
        missed = notches(gone, arms, bare.front[part], lower[part], unit) * (1 - np.maximum(kept, ramp(skin, 4, -1)))
        soft = seams(np.maximum(gone, missed), arms, opening[part], skin, unit)
        also[part] = np.maximum(missed, soft * skin * (1 - kept))
    return also


def _local(planes: Sequence[F32], weight: F32, reach: int) -> tuple[F32, F32, F32]:
    """Mean colour near each pixel, the variance summed over channels, and how much was seen near it.

    Args:
        planes: (h, w) blue, green, red, and the sum of their squares.
        weight: (h, w) what counts.
        reach: size of the neighbourhood.
    """
    size = (4 * reach + 3, 4 * reach + 3)
    mass = cv2.blur(weight, size)
    per_mass = 1 / cv2.max(mass, 1e-4)
    *mean, square = (cv2.blur(plane * weight, size) * per_mass for plane in planes)
    variance = cv2.max(square - sum(plane * plane for plane in mean), 0)
    return cv2.merge(mean), variance, mass


def _taken(picture: npt.NDArray[np.generic], at: npt.NDArray[np.intp]) -> list[F32]:
    """The three channels at flat indices."""
    return [channel.ravel()[at].astype(np.float32) for channel in cv2.split(picture)]


def _dot(a: Sequence[F32], b: Sequence[F32]) -> F32:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], np.float32)
