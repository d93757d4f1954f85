"""Cut the garment out of its photo: which pixels are cloth.

The ground is what can be reached from the picture's border. Four kinds of pixels let the flood pass:

1. the ground's very colour, within its noise;
2. close to those, the ripples that JPEG leaves along strong edges;
3. the ground's colour dimmed without an edge: a soft shadow;
4. patches of the ground's colour enclosed by cloth with a clear edge: the gap between sleeve and body.

What is left is cloth, and its outline is moved to the strongest edge nearby by a watershed. A white garment on
a white ground differs by two or three levels and a faint outline; that is enough, because the ground of a
product photo is flatter than any cloth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8
from vastra_live.wardrobe.faint import steady_outline
from vastra_live.wardrobe.ground import Ground, read_ground, settle_ground, without_frame

__all__ = ["Cutout", "cut_out", "largest_piece"]

_DARKEST_SHADOW = 0.72
"""A shadow takes away at most this share of the ground's light; darker is taken for cloth."""
_WIDEST_SHADOW = 0.3
"""A shadow reaches at most so far from the lit ground, as a share of the picture's longer side; what seems to
reach farther is pale cloth without an edge to hold the flood."""
_CONTACT_SHADOW = 0.03
"""The same for a shadow that may fall off as steeply as an edge."""
_CRISP = 0.0024
"""What is wider than this share of the picture's longer side is no edge but a shadow's falling off."""
_BALLS = (0.016, 0.008, 0.004)
"""Half the width of the narrowest way a shadow takes, as a share of the picture's longer side: the last where the
garment's outline is clear all around, the first where cloth is as pale as its shadow in places."""
_OPEN = 0.5
"""A shadow meets the lit ground without an edge along at least this share of the shore they have in common."""
_RING_PX = 9
"""How far beyond a shadow's end it is looked what it ends at."""
_UNSURE_PX = 5
"""The flood stops so far before the edge of what might be its shadow."""
_RIPPLE_PX = 8
"""JPEG ripples stay inside their 8x8 block."""
_THICKEST_WALL = 0.11
"""Thickest sleeve before a hole, as a share of the garment's longer side."""
_FAINT = 14
"""Cloth that differs less than this from the ground may have lost parts of its rim to the flood."""
_DEEPEST_BITE = 0.05
"""A bite into faint cloth reaches at most so deep, as a share of the picture's longer side."""
_SMALLEST_GAP = 1.0e-4
_SMALLEST_HOLE = 6.0e-4
_SMALLEST_LOOP = 4.0e-3
"""Smallest hole, as a share of the picture: open at its lower end, closed all around, or closed near the neck, where
a white label may look like one."""
_STRIPE = 3.0
"""What is so many times wider than high is no gap beside a body but a stripe across it."""
_POINT_PX = 4.0
"""The upper end of a gap is no wider than this."""
_ROUNDS = 8
"""How often the ground is estimated again at most, each time from farther in."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """The garment's silhouette.

    Attributes:
        mask: (H, W) uint8, 255 where the picture shows the garment.
        ground: the ground it lies on, refined.
        second: size of the second largest piece over the largest, 0..1.
    """

    mask: U8
    ground: Ground
    second: float


@dataclass(frozen=True, slots=True)
class _Difference:
    """How each pixel differs from the ground, in levels.

    Attributes:
        distance: largest channel difference, lightly smoothed.
        dimmed: share of the ground's light that is missing.
        off_colour: largest channel difference to the dimmed ground.
        steepness: change per pixel.
        crisp: change per pixel that is left once what is wide is taken off: an edge, the grain of cloth, no shadow.
        level: the ground's light, 1 for white.
        offset: signed difference, mean of the channels.
        tight: what noise alone reaches.
    """

    distance: F32
    dimmed: F32
    off_colour: F32
    steepness: F32
    crisp: F32
    level: F32
    offset: F32
    tight: float


def cut_out(bgr: U8) -> Cutout:
    """Find the garment on a plain ground; (H, W, 3) uint8."""
    bgr = without_frame(bgr)
    first = read_ground(bgr)
    tight = _tight(first)
    rough = cv2.blur(cv2.absdiff(bgr, np.rint(first.bgr).astype(np.uint8)), (3, 3)).max(axis=2)
    known = _reached(_open(_binary(rough <= tight + 1), 2))
    ground = settle_ground(bgr, first, _eroded(known, max(2, bgr.shape[1] // 150)))
    for _ in range(_ROUNDS):
        # uneven paper is known farther each time
        difference = _difference(bgr, ground, tight)
        wider = known | _reached(_open(_binary(difference.distance <= tight), 2))
        if np.count_nonzero(wider) < 1.003 * np.count_nonzero(known):
            break
        known = wider
        ground = settle_ground(bgr, ground, _eroded(known, max(2, bgr.shape[1] // 150)))
    difference = _difference(bgr, ground, tight)
    flood = _flood(difference)
    mask = _outline(bgr, ground, flood, difference)
    piece, second = largest_piece(np.asarray(cv2.medianBlur(mask, 5), np.uint8))
    return Cutout(steady_outline(piece, difference.distance), ground, second)


def largest_piece(mask: U8) -> tuple[U8, float]:
    """The largest connected piece of a mask, and the size of the second largest over it (0..1)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return mask, 0.0
    areas = stats[1:, cv2.CC_STAT_AREA]
    second = np.partition(areas, -2)[-2] if count > 2 else 0
    return _binary(labels == 1 + areas.argmax()), float(second / areas.max())


def _tight(ground: Ground) -> float:
    return 1.2 + 1.8 * ground.sigma


def _difference(bgr: U8, ground: Ground, tight: float) -> _Difference:
    residual = cv2.blur(bgr.astype(np.float32) - ground.bgr, (3, 3))
    light = np.maximum(cv2.transform(ground.bgr * ground.bgr, np.ones((1, 3), np.float32)), 1.0)
    dimmed = -cv2.transform(residual * ground.bgr, np.ones((1, 3), np.float32)) / light
    off_colour = np.abs(residual + ground.bgr * dimmed[:, :, None]).max(axis=2)
    grey = cv2.transform(residual, np.full((1, 3), 1 / 3, np.float32))
    fine = grey - cv2.GaussianBlur(grey, (0, 0), _width(bgr.shape))
    level = np.asarray(np.sqrt(light) / 441.7, np.float32)
    distance = np.abs(residual).max(axis=2)
    return _Difference(distance, dimmed, off_colour, _slope(grey), _slope(fine), level, grey, tight)


def _width(shape: tuple[int, ...]) -> float:
    return max(1.2, _CRISP * max(shape))


def _slope(grey: F32) -> F32:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(cv2.magnitude(across, down) / 8, np.float32)


def _flood(difference: _Difference) -> U8:
    """Everything that is ground, also in shadow and in holes (255)."""
    near = _binary(difference.distance < difference.tight)
    clean = _reached(_open(near, 2))
    clean = _grown(clean, near, 3)
    # a ripple is small beside the edge that made it
    peak = cv2.dilate(difference.distance, np.ones((2 * _RIPPLE_PX + 1, 2 * _RIPPLE_PX + 1), np.uint8))
    ripple = _binary(difference.distance < np.minimum(difference.tight + 0.08 * peak, 20))
    flood = _along_border(_grown(clean, ripple, _RIPPLE_PX), ripple)
    flood = _with_shadow(difference, flood)
    return flood | _holes(difference, ripple, flood)


def _along_border(flood: U8, ripple: U8) -> U8:
    """The flood, and what is no wider than ripples reach between a garment and the picture's border: nothing else."""
    strip = ripple.copy()
    strip[_RIPPLE_PX:-_RIPPLE_PX, _RIPPLE_PX:-_RIPPLE_PX] = 0
    _, labels = cv2.connectedComponents(cv2.bitwise_or(flood, strip), connectivity=4)
    return np.where(np.isin(labels, np.unique(labels[flood > 0])) & (labels > 0), 255, 0).astype(np.uint8)


def _with_shadow(difference: _Difference, flood: U8) -> U8:
    """The flood and the ground in shadow beyond it: its colour, less light, and no edge on the way there."""
    # a touch of extra light counts as a shadow too: a glow, a reflex
    dimmed = np.maximum(difference.dimmed, 0) * difference.level
    shade = (
        (difference.dimmed > -0.08)
        & (difference.dimmed < _DARKEST_SHADOW)
        & (difference.off_colour < difference.tight + 14 * dimmed)
    )
    shadow = _binary(shade & (difference.crisp < 0.2 + 0.13 * difference.tight + 6 * dimmed))
    steady = _binary(shade & (flood == 0))
    lit = flood
    for size in _BALLS:
        # a ball runs through it that is too large for the gaps of a faint outline
        radius = max(1, round(size * max(flood.shape)))
        either = cv2.bitwise_or(lit, shadow)
        dark = _reached(cv2.bitwise_or(lit, _open(either, radius)))
        soft = cv2.bitwise_and(_grown(dark, either, radius + 1), cv2.bitwise_not(lit))
        # crispness reaches beyond the edge that it comes from
        soft = _climbed(soft, steady, difference.steepness, 0.1 * difference.tight, 3 * _width(flood.shape))
        flood = flood | _believed(soft, lit, difference, _WIDEST_SHADOW)
    # where cloth touches the ground the shadow is narrow, and falls off as an edge does
    steep = _binary(shade & (difference.steepness < 1.2 + 0.5 * difference.tight + 60 * dimmed))
    dark = _reached(cv2.bitwise_or(flood, _open(cv2.bitwise_or(steep, flood), 1)))
    return flood | _believed(cv2.bitwise_and(dark, cv2.bitwise_not(flood)), flood, difference, _CONTACT_SHADOW)


def _believed(shadow: U8, flood: U8, difference: _Difference, widest: float) -> U8:
    """The pieces of a shadow that lie open to lit ground and end at something that stands out against it.

    Pale cloth that lets the flood in looks like a shadow too, but there the flood goes deep, ends at nothing,
    and comes in through gaps of an outline that keeps it out elsewhere.
    """
    count, labels = cv2.connectedComponents(shadow, connectivity=8)
    depth = cv2.distanceTransform(cv2.bitwise_not(flood), cv2.DIST_L2, 3)
    reach = np.zeros(count, np.float32)
    np.maximum.at(reach, labels[shadow > 0], depth[shadow > 0])
    spread = cv2.dilate(labels.astype(np.float32), _disc(_RING_PX)).astype(np.int32)
    ring = (spread > 0) & (labels == 0) & (flood == 0)
    size = np.bincount(spread[ring], minlength=count)
    inside = shadow.astype(np.float32) / 255
    size_px = (2 * _RING_PX + 1, 2 * _RING_PX + 1)
    beside = cv2.blur(difference.offset * inside, size_px) / (cv2.blur(inside, size_px) + 1e-3)
    stands_out = (difference.distance > _FAINT) | (np.abs(difference.offset - beside) > _FAINT)
    clear = np.bincount(spread[ring & stands_out], minlength=count)
    shore = (cv2.dilate(flood, _disc(1)) > 0) & (flood == 0)
    inlet = np.bincount(labels[shore], minlength=count)
    along = np.bincount(spread[shore], minlength=count)
    small = np.bincount(labels.ravel()) < 0.5 * np.count_nonzero(flood == 0)
    believed = small & (reach < widest * max(flood.shape)) & (clear > 0.5 * size) & (inlet > _OPEN * along)
    believed[0] = False
    return _binary(believed[labels])


def _holes(difference: _Difference, alike: U8, flood: U8) -> U8:
    """Ground seen through the garment: patches of its very colour with a clear edge all around.

    They lie behind a thin wall of cloth, such as a sleeve; a white print in the middle of a chest may have the
    ground's colour too.
    """
    patches = _open(cv2.bitwise_and(alike, cv2.bitwise_not(flood)), 1)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(patches, connectivity=4)
    found = np.zeros_like(flood)
    depth = cv2.distanceTransform(cv2.bitwise_not(flood), cv2.DIST_L2, 3)
    height, width = flood.shape
    left, top, box_w, box_h = cv2.boundingRect(cv2.bitwise_not(flood))
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        if area < _SMALLEST_GAP * flood.size:
            continue
        rows, columns = slice(max(0, y - 6), min(height, y + h + 6)), slice(max(0, x - 6), min(width, x + w + 6))
        patch = _binary(labels[rows, columns] == label)
        distance = difference.distance[rows, columns]
        ring = (cv2.dilate(patch, _disc(5)) > 0) & (cv2.dilate(patch, _disc(2)) == 0)
        walls = ring & (flood[rows, columns] == 0)
        clear = distance > 10 + 2 * difference.tight
        offset = abs(float(difference.offset[rows, columns][patch > 0].mean()))
        if _is_wedge(patch, ring & ~walls):
            believed = float(clear[walls].mean()) > 0.9 and offset < 1.3 * difference.tight
        else:
            label_like = y + h < top + 0.2 * box_h and abs(x + w / 2 - left - box_w / 2) < 0.25 * box_w
            stripe = w > _STRIPE * h
            large = area >= (_SMALLEST_LOOP if label_like else _SMALLEST_HOLE) * flood.size
            # ripples cancel out, another white does not
            same = offset < 0.6 * difference.tight
            behind = float(depth[rows, columns][patch > 0].min()) < _THICKEST_WALL * max(box_w, box_h)
            believed = large and same and behind and not stripe and float(clear[ring].mean()) > 0.8
        if believed:
            found[rows, columns] |= cv2.dilate(patch, _disc(1))
    return found


def _is_wedge(patch: U8, mouth: npt.NDArray[np.bool_]) -> bool:
    """Whether a patch narrows upwards from its mouth: the end of a gap between two limbs, and no stripe."""
    rows = np.nonzero(patch.any(axis=1))[0]
    widths = np.count_nonzero(patch[rows], axis=1)
    quarter = len(rows) // 4
    if not mouth.any() or quarter < 2 or len(rows) < 1.5 * widths.max():
        return False
    low = float(np.nonzero(mouth.any(axis=1))[0].mean()) > rows[-1] - quarter
    above, below = float(widths[:quarter].mean()), float(widths[-quarter:].mean())
    # no patch is narrower than three pixels: a gap that is little wider comes to its point so, too
    return low and (above < 0.5 * below or above < min(_POINT_PX, 0.8 * below))


def _outline(bgr: U8, ground: Ground, flood: U8, difference: _Difference) -> U8:
    """The mask, its outline on the strongest edge near the flood's shore."""
    cloth = _mended(cv2.bitwise_not(flood), difference)
    flood = cv2.bitwise_not(cloth)
    strong = _binary((difference.distance > 40) & (difference.off_colour > 20))
    markers = np.zeros(flood.shape, np.int32)
    markers[_eroded(flood, 1) > 0] = 1
    sure, thin = _eroded(cloth, _UNSURE_PX), _eroded(cloth, 2)
    # where a shadow ends it is left open farther in; a strap is all edge
    dark = cv2.dilate(cv2.bitwise_and(flood, _binary(difference.distance > _FAINT)), _disc(2 * _UNSURE_PX))
    unsure = cv2.bitwise_and(dark, cv2.dilate(sure, _disc(_UNSURE_PX + 2))) > 0
    markers[(sure > 0) | ((thin > 0) & ~unsure) | (cv2.bitwise_and(cloth, strong) > 0)] = 2
    amplified = np.clip(128 + 0.75 * (bgr.astype(np.float32) - ground.bgr), 0, 255).astype(np.uint8)
    cv2.watershed(amplified, markers)
    # watershed leaves a line of its own between the two; it goes to the side its colour is on
    line = (markers == -1) & (difference.distance > 4 * difference.tight)
    return _binary((markers == 2) | line)


def _mended(cloth: U8, difference: _Difference) -> U8:
    """The silhouette with the bites filled that the flood took out of the rim of faint cloth.

    A bite is shallow, the gap between sleeve and body as narrow but deep.
    """
    radius = max(2, round(0.012 * max(cloth.shape)))
    piece, _ = largest_piece(cloth)
    small = cv2.resize(piece, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    padded = cv2.copyMakeBorder(small, radius, radius, radius, radius, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(radius))[radius:-radius, radius:-radius]
    closed = cv2.resize(closed, cloth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    solid = piece.astype(np.float32) / 255
    around = (0, 0), radius / 2
    contrast = cv2.GaussianBlur(difference.distance * solid, *around) / (cv2.GaussianBlur(solid, *around) + 1e-3)
    filled = _binary((closed > 127) & (cloth == 0))
    beyond = _reached(cv2.bitwise_not(cv2.bitwise_or(cloth, filled)))
    # a bite may widen inside
    bites = cv2.bitwise_not(cv2.bitwise_or(cloth, beyond))
    depth = cv2.distanceTransform(cv2.bitwise_not(beyond), cv2.DIST_L2, 3)
    count, labels = cv2.connectedComponents(bites, connectivity=8)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, labels[bites > 0], depth[bites > 0])
    shallow = deepest < _DEEPEST_BITE * max(cloth.shape)
    shallow &= np.bincount(labels.ravel(), filled.ravel(), minlength=count) > 0
    shallow[0] = False
    return np.asarray(cv2.bitwise_or(cloth, _binary(shallow[labels] & (contrast < _FAINT))), np.uint8)


def _reached(allowed: U8) -> U8:
    """What of ``allowed`` hangs together with the picture's border (255)."""
    _, labels = cv2.connectedComponents(allowed, connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    lookup = np.zeros(int(labels.max()) + 1, np.uint8)
    lookup[np.unique(edge)] = 255
    lookup[0] = 0
    return np.asarray(lookup[labels], np.uint8)


def _grown(seed: U8, allowed: U8, steps: int) -> U8:
    """``seed`` spread into ``allowed``, at most so many pixels deep."""
    cross = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
    for _ in range(steps):
        seed = np.asarray(cv2.bitwise_or(seed, cv2.bitwise_and(cv2.dilate(seed, cross), allowed)), np.uint8)
    return seed


def _climbed(seed: U8, allowed: U8, steepness: F32, slack: float, reach: float) -> U8:
    """``seed`` spread uphill, to the ridge of the next edge within so many pixels."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for _ in range(round(reach)):
        behind = cv2.erode(np.where(seed > 0, steepness, np.float32(1e6)), cross)
        seed = seed | (_binary(steepness > behind - slack) & allowed)
    return seed


def _open(mask: U8, radius: int) -> U8:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(radius)), np.uint8)


def _eroded(mask: U8, radius: int) -> U8:
    """The mask without its rim; the picture's border counts as inside."""
    return np.asarray(cv2.erode(mask, _disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=255), np.uint8)


def _disc(radius: int) -> U8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _binary(condition: npt.NDArray[np.bool_]) -> U8:
    return np.asarray(condition, np.uint8) * np.uint8(255)
