"""The ground in soft shadow: its colour, less light, and no edge on the way there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8
from vastra_live.wardrobe.difference import Difference, edge_width
from vastra_live.wardrobe.regions import binary, climbed, disc, grown, opened, reached

__all__ = ["with_tinted_shadow"]

_DARKEST_SHADOW = 0.72
"""A shadow takes away at most this share of the ground's light; darker is taken for cloth."""
_WIDEST_SHADOW = 0.3
"""A shadow reaches at most so far from the lit ground, as a share of the picture's longer side; what seems to
reach farther is pale cloth without an edge to hold the flood."""
_CONTACT_SHADOW = 0.03
"""The same for a shadow that may fall off as steeply as an edge."""
_BALLS = (0.016, 0.008, 0.004)
"""Half the width of the narrowest way a shadow takes, as a share of the picture's longer side: the last where the
garment's outline is clear all around, the first where cloth is as pale as its shadow in places."""
_OPEN = 0.5
"""A shadow meets the lit ground without an edge along at least this share of the shore they have in common."""
_NEAR = 0.03
"""What lies so near to lit ground, as a share of the picture's longer side, and is so soft is shadow for certain."""
_DIM, _BLACK = 0.05, 0.4
"""A shadow shows its hue where it takes this much of the light; much more may be cloth."""
_SEEN = 5.0e-4
"""That much of the picture tells what hue shadows have."""
_SLACK = 5.0
"""Where their hue is known, see :class:`Difference`."""
_LOCAL, _PRIOR = 0.02, 1e-3
"""The hue of a shadow changes within this share of the picture's longer side; where little of it is seen nearby, it is
what it is elsewhere."""
_DEEP = 0.25
"""Deep shadow takes more of the light than this."""
_DRIFT = 10.0
"""It changes by so many levels at most, for all the light that is missing."""
_RING_PX = 9
"""How far beyond a shadow's end it is looked what it ends at."""
_FAINT = 14
"""Cloth that differs less than this from the ground may have lost parts of its rim to the flood."""


def with_tinted_shadow(difference: Difference, lit: U8) -> U8:
    """The lit ground (H, W) uint8 and all its shadow, once the hue of shadows is known.

    That is the colour of what else lights the scene, the garment itself too. It changes little from place to place, so
    that deep shadow is told from cloth of another hue, and pale cloth from shadow. It is read where the shadow meets
    the lit ground, and once more from there inwards; where no one hue fits there, it is not used.
    """
    flood = _with_shadow(difference, lit)
    near = cv2.distanceTransform(cv2.bitwise_not(lit), cv2.DIST_L2, 3) < _NEAR * max(lit.shape)
    dim = (difference.dimmed > _DIM) & (lit == 0)
    sure = (flood > 0) & near & dim & (difference.dimmed < _BLACK)
    if np.count_nonzero(sure) < _SEEN * lit.size:
        return flood
    off, dimmed = difference.off[sure], difference.dimmed[sure][:, None]
    tint = np.median(off / dimmed, axis=0)
    if np.percentile(np.abs(off - tint * dimmed).max(axis=1), 90) > difference.tight:
        return flood
    first, flood = flood, _with_shadow(difference.tinted(np.asarray(tint, np.float32), _SLACK), lit)
    if np.count_nonzero(cv2.bitwise_and(flood, cv2.bitwise_not(first))) > np.count_nonzero((first > 0) & (lit == 0)):
        return first  # the hue was the cloth's own
    # deeper in, the garment's own colour counts for more; what is pale there may be cloth
    local = difference.tinted(_local_tint(difference, (flood > 0) & dim, np.asarray(tint, np.float32)), _SLACK)
    deep = np.where(difference.dimmed > _DEEP, local.off_colour, np.float32(255))
    return _with_shadow(replace(local, off_colour=deep), flood)


def _local_tint(difference: Difference, sure: npt.NDArray[np.bool_], tint: F32) -> F32:
    """(H, W, 3) the hue of the shadow nearby; ``tint`` (3,) where there is none."""
    spread = _LOCAL * max(sure.shape)
    weight = np.where(sure, difference.dimmed, 0).astype(np.float32)
    power = cv2.GaussianBlur(weight * difference.dimmed, (0, 0), spread)
    seen = cv2.GaussianBlur(weight[:, :, None] * difference.off, (0, 0), spread)
    local = (seen + _PRIOR * tint) / (power + _PRIOR)[:, :, None]
    return np.asarray(np.clip(local, tint - _DRIFT, tint + _DRIFT), np.float32)


def _with_shadow(difference: Difference, flood: U8) -> U8:
    """The flood and the ground in shadow beyond it: its colour, less light, and no edge on the way there."""
    # a touch of extra light counts as a shadow too: a glow, a reflex
    dimmed = np.maximum(difference.dimmed, 0) * difference.level
    shade = (
        (difference.dimmed > -0.08)
        & (difference.dimmed < _DARKEST_SHADOW)
        & (difference.off_colour < difference.tight + difference.slack * dimmed)
    )
    shadow = binary(shade & (difference.crisp < 0.2 + 0.13 * difference.tight + 6 * dimmed))
    steady = binary(shade & (flood == 0))
    lit = flood
    for size in _BALLS:
        # a ball runs through it that is too large for the gaps of a faint outline
        radius = max(1, round(size * max(flood.shape)))
        either = cv2.bitwise_or(lit, shadow)
        dark = reached(cv2.bitwise_or(lit, opened(either, radius)))
        soft = cv2.bitwise_and(grown(dark, either, radius + 1), cv2.bitwise_not(lit))
        # crispness reaches beyond the edge that it comes from
        soft = climbed(soft, steady, difference.steepness, 0.1 * difference.tight, 3 * edge_width(flood.shape))
        flood = flood | _believed(soft, lit, difference, _WIDEST_SHADOW)
    # where cloth touches the ground the shadow is narrow, and falls off as an edge does
    steep = binary(shade & (difference.steepness < 1.2 + 0.5 * difference.tight + 60 * dimmed))
    dark = reached(cv2.bitwise_or(flood, opened(cv2.bitwise_or(steep, flood), 1)))
    return flood | _believed(cv2.bitwise_and(dark, cv2.bitwise_not(flood)), flood, difference, _CONTACT_SHADOW)


def _believed(shadow: U8, flood: U8, difference: Difference, widest: float) -> U8:
    """The pieces of a shadow that lie open to lit ground and end at something that stands out against it.

    Pale cloth that lets the flood in looks like a shadow too, but there the flood goes deep, ends at nothing,
    and comes in through gaps of an outline that keeps it out elsewhere.
    """
    count, labels = cv2.connectedComponents(shadow, connectivity=8)
    depth = cv2.distanceTransform(cv2.bitwise_not(flood), cv2.DIST_L2, 3)
    reach = np.zeros(count, np.float32)
    np.maximum.at(reach, labels[shadow > 0], depth[shadow > 0])
    spread = cv2.dilate(labels.astype(np.float32), disc(_RING_PX)).astype(np.int32)
    ring = (spread > 0) & (labels == 0) & (flood == 0)
    size = np.bincount(spread[ring], minlength=count)
    inside = shadow.astype(np.float32) / 255
    size_px = (2 * _RING_PX + 1, 2 * _RING_PX + 1)
    beside = cv2.blur(difference.offset * inside, size_px) / (cv2.blur(inside, size_px) + 1e-3)
    stands_out = (difference.distance > _FAINT) | (np.abs(difference.offset - beside) > _FAINT)
    clear = np.bincount(spread[ring & stands_out], minlength=count)
    shore = (cv2.dilate(flood, disc(1)) > 0) & (flood == 0)
    inlet = np.bincount(labels[shore], minlength=count)
    along = np.bincount(spread[shore], minlength=count)
    small = np.bincount(labels.ravel()) < 0.5 * np.count_nonzero(flood == 0)
    believed = small & (reach < widest * max(flood.shape)) & (clear > 0.5 * size) & (inlet > _OPEN * along)
    believed[0] = False
    return binary(believed[labels])
