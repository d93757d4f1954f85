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
from vastra_live.wardrobe.difference import Difference, read_difference, tight_limit
from vastra_live.wardrobe.faint import steady_outline
from vastra_live.wardrobe.ground import Ground, read_ground, settle_ground, without_frame
from vastra_live.wardrobe.regions import binary, disc, eroded, grown, opened, reached
from vastra_live.wardrobe.shadow import with_tinted_shadow

__all__ = ["Cutout", "cut_out", "largest_piece"]

_UNSURE_PX = 5
"""The flood stops so far before the edge of what might be its shadow."""
_RIPPLE_PX = 8
"""JPEG ripples stay inside their block of 8x8 pixels, those of colour inside one of 16x16."""
_FAINT_RIPPLE = 0.04
"""The latter, beyond the former's reach, are smaller than this share of the edge that made them."""
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


def cut_out(bgr: U8, enlarged: float = 1.0) -> Cutout:
    """Find the garment on a plain ground; (H, W, 3) uint8, and how many times its photo was enlarged."""
    bgr = without_frame(bgr)
    first = read_ground(bgr)
    tight = tight_limit(first)
    rough = cv2.blur(cv2.absdiff(bgr, np.rint(first.bgr).astype(np.uint8)), (3, 3)).max(axis=2)
    known = reached(opened(binary(rough <= tight + 1), 2))
    ground = settle_ground(bgr, first, eroded(known, max(2, bgr.shape[1] // 150)))
    for _ in range(_ROUNDS):
        # uneven paper is known farther each time
        difference = read_difference(bgr, ground, tight)
        wider = known | reached(opened(binary(difference.distance <= tight), 2))
        if np.count_nonzero(wider) < 1.003 * np.count_nonzero(known):
            break
        known = wider
        ground = settle_ground(bgr, ground, eroded(known, max(2, bgr.shape[1] // 150)))
    difference = read_difference(bgr, ground, tight)
    flood = _flood(difference, round(_RIPPLE_PX * max(1.0, enlarged)))
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
    return binary(labels == 1 + areas.argmax()), float(second / areas.max())


def _flood(difference: Difference, reach: int) -> U8:
    """Everything that is ground, also in shadow and in holes (255); ripples reach so many pixels."""
    near = binary(difference.distance < difference.tight)
    clean = reached(opened(near, 2))
    clean = grown(clean, near, 3)
    # a ripple is small beside the edge that made it
    peak = cv2.dilate(difference.distance, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    ripple = binary(difference.distance < np.minimum(difference.tight + 0.08 * peak, 20))
    near_ripples = lit = _along_border(grown(clean, ripple, reach), ripple, reach)
    if reach > _RIPPLE_PX:
        # those of colour reach twice as far, where they are fainter; on a photo that was not enlarged nobody sees them
        lit = near_ripples | _faint_ripples(difference, clean, ripple, peak, reach)
    flood = with_tinted_shadow(difference, lit)
    # a gap that the faint ones entered would have lost its mouth
    return flood | _holes(difference, ripple, flood & ~(lit & ~near_ripples))


def _faint_ripples(difference: Difference, clean: U8, ripple: U8, peak: F32, reach: int) -> U8:
    """Ground (255) that is reached through them.

    Args:
        difference: from the ground.
        clean: ground (255) without ripples.
        ripple: what may be one (255).
        peak: (h, w) the largest difference within their reach.
        reach: how far ripples of light go, in pixels.
    """
    peak = cv2.dilate(peak, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    faint = binary(difference.distance < np.minimum(difference.tight + _FAINT_RIPPLE * peak, 20))
    return grown(grown(clean, faint, reach), ripple, reach)


def _along_border(flood: U8, ripple: U8, reach: int) -> U8:
    """The flood, and what is no wider than ripples reach between a garment and the picture's border: nothing else."""
    strip = ripple.copy()
    strip[reach:-reach, reach:-reach] = 0
    _, labels = cv2.connectedComponents(cv2.bitwise_or(flood, strip), connectivity=4)
    return np.where(np.isin(labels, np.unique(labels[flood > 0])) & (labels > 0), 255, 0).astype(np.uint8)


def _holes(difference: Difference, alike: U8, flood: U8) -> U8:
    """Ground seen through the garment: patches of its very colour with a clear edge all around.

    They lie behind a thin wall of cloth, such as a sleeve; a white print in the middle of a chest may have the
    ground's colour too.
    """
    patches = opened(cv2.bitwise_and(alike, cv2.bitwise_not(flood)), 1)
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
        patch = binary(labels[rows, columns] == label)
        distance = difference.distance[rows, columns]
        ring = (cv2.dilate(patch, disc(5)) > 0) & (cv2.dilate(patch, disc(2)) == 0)
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
            found[rows, columns] |= cv2.dilate(patch, disc(1))
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


def _outline(bgr: U8, ground: Ground, flood: U8, difference: Difference) -> U8:
    """The mask, its outline on the strongest edge near the flood's shore."""
    cloth = _mended(cv2.bitwise_not(flood), difference)
    flood = cv2.bitwise_not(cloth)
    strong = binary((difference.distance > 40) & (difference.off_colour > 20))
    markers = np.zeros(flood.shape, np.int32)
    markers[eroded(flood, 1) > 0] = 1
    sure, thin = eroded(cloth, _UNSURE_PX), eroded(cloth, 2)
    # where a shadow ends it is left open farther in; a strap is all edge
    dark = cv2.dilate(cv2.bitwise_and(flood, binary(difference.distance > _FAINT)), disc(2 * _UNSURE_PX))
    unsure = cv2.bitwise_and(dark, cv2.dilate(sure, disc(_UNSURE_PX + 2))) > 0
    markers[(sure > 0) | ((thin > 0) & ~unsure) | (cv2.bitwise_and(cloth, strong) > 0)] = 2
    amplified = np.clip(128 + 0.75 * (bgr.astype(np.float32) - ground.bgr), 0, 255).astype(np.uint8)
    cv2.watershed(amplified, markers)
    # watershed leaves a line of its own between the two; it goes to the side its colour is on
    line = (markers == -1) & (difference.distance > 4 * difference.tight)
    return binary((markers == 2) | line)


def _mended(cloth: U8, difference: Difference) -> U8:
    """The silhouette with the bites filled that the flood took out of the rim of faint cloth.

    A bite is shallow, the gap between sleeve and body as narrow but deep.
    """
    radius = max(2, round(0.012 * max(cloth.shape)))
    piece, _ = largest_piece(cloth)
    small = cv2.resize(piece, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    padded = cv2.copyMakeBorder(small, radius, radius, radius, radius, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc(radius))[radius:-radius, radius:-radius]
    closed = cv2.resize(closed, cloth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    solid = piece.astype(np.float32) / 255
    around = (0, 0), radius / 2
    contrast = cv2.GaussianBlur(difference.distance * solid, *around) / (cv2.GaussianBlur(solid, *around) + 1e-3)
    filled = binary((closed > 127) & (cloth == 0))
    beyond = reached(cv2.bitwise_not(cv2.bitwise_or(cloth, filled)))
    # a bite may widen inside
    bites = cv2.bitwise_not(cv2.bitwise_or(cloth, beyond))
    depth = cv2.distanceTransform(cv2.bitwise_not(beyond), cv2.DIST_L2, 3)
    count, labels = cv2.connectedComponents(bites, connectivity=8)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, labels[bites > 0], depth[bites > 0])
    shallow = deepest < _DEEPEST_BITE * max(cloth.shape)
    shallow &= np.bincount(labels.ravel(), filled.ravel(), minlength=count) > 0
    shallow[0] = False
    return np.asarray(cv2.bitwise_or(cloth, binary(shallow[labels] & (contrast < _FAINT))), np.uint8)
