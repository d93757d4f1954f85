"""What is seen where the worn top was: skin in the wearer's tone, the lower garment carried up, the background."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.carry import carry_up
from vastra_live.synthesis.embedded.fit import Openings
from vastra_live.synthesis.embedded.girth import ARM_STATIONS, DEPTHS, ELBOW, USUAL_HALF, Girth, limb_point, sample
from vastra_live.synthesis.embedded.mix import mixed, scaled, spread
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, Window, segment_distance, window
from vastra_live.synthesis.embedded.rim import Rim
from vastra_live.synthesis.embedded.scale import enlarged_part, halved
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32, U8

__all__ = ["Bare", "Undressed", "bare_body", "shaded_skin", "undress"]

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bare:
    """The body without its top: (h, w) float32 0..1 each.

    Attributes:
        torso: neck, shoulders, chest and belly down to the waist.
        below: what of the torso lies below the waist, where a lower garment begins.
        arms: both arms, to the palms.
        front: what of the arms is bare under the new garment, and so seen in front of its torso.
        forearms: the forearms below short sleeves, which a bent arm carries in front of its own sleeve.
        round: light across a limb, 1 in its middle, less towards its sides.
    """

    torso: F32
    below: F32
    arms: F32
    front: F32
    forearms: F32
    round: F32


_WAIST = 0.72
_CHEST = 0.35
"""Down to here, in depth on the torso, a top without sleeves may leave shoulders and sides bare."""
_SLACK = 0.08
"""By how much of its width a sleeve is wider than the arm in it."""
_EMERGES = 0.15
"""Over so much of its length a bare arm comes out in front of the torso's side."""
_CLOTH = 0.025
"""So far, in shoulder widths, shoulders lie below what is worn on them; where they are bare nothing is made anew."""
_UNSEEN_TROUSERS = (48.0, 42.0, 38.0)
_SHADE_BGR = (1.3, 1.1, 0.85)


def bare_body(
    shape: tuple[int, ...],
    s: Skeleton,
    girth: Girth,
    sleeve_ends: tuple[float, float],
    worn: F32 | None = None,
    openings: Openings | None = None,
) -> Bare:
    """The outline of the wearer's body from joints and girth.

    Args:
        shape: height and width of the picture.
        s: in the same pixels.
        girth: of the body.
        sleeve_ends: how far the new sleeves reach on the right and the left arm.
        worn: (h, w) 0..1, the worn top: an arm in a sleeve is thinner than the sleeve.
        openings: where the new top ends: elsewhere it covers the torso, however wide that is taken to be. None for
            no top at all.
    """
    unit = s.unit
    x, y = np.arange(shape[1], dtype=np.float32)[None], np.arange(shape[0], dtype=np.float32)[:, None]
    dx, dy = x - np.float32(s.neck[0]), y - np.float32(s.neck[1])
    across = s.across - (s.across @ s.down) * s.down
    aside = (dx * np.float32(across[0]) + dy * np.float32(across[1])) / np.float32(unit)
    depth = (dx * np.float32(s.down[0]) + dy * np.float32(s.down[1])) / np.float32(s.torso_length)
    soft = np.float32(1.2 / unit)
    outline = []
    for side in (0, 1):
        rise = np.array(
            [
                [0.13, 0.6],
                *zip((0.18, 0.3, 0.4, 0.5, 0.6), (girth.rise[side, 0] + 0.09, *girth.rise[side]), strict=True),
            ]
        )
        heights = (_CLOTH - rise[:, 1]) * unit / s.torso_length
        # heights ascend downwards: first the neck, then the shoulder's slope, then the sides
        order_d = np.concatenate([[-1.2], heights, DEPTHS])
        # the silhouette is that of the worn top, which may flare: trousers below it do not
        order_w = np.concatenate([[0.16], rise[:, 0], np.minimum(girth.torso[side], 1.1 * USUAL_HALF)])
        order = np.argsort(order_d)
        table = np.interp(np.linspace(-1.2, 1.4, 512), order_d[order], order_w[order]).astype(np.float32)
        index = np.clip(((depth + 1.2) * (511 / 2.6)), 0, 511).astype(np.int32)
        outline.append(table.take(index))
    half = np.where(aside < 0, outline[0], outline[1])
    inside = np.clip((half - np.abs(aside)) / soft + 0.5, 0, 1).astype(np.float32)
    sleeved = openings is not None and openings.neckline is not None
    if openings is not None:
        # what the outlines of body and cloth leave between them over a shoulder or beside the waist is no skin
        neck = depth < _CHEST if openings.neckline is None else _opening(shape, openings.neckline, s)
        inside *= np.maximum(neck, depth > openings.hem - 0.03)
    below = np.clip((depth - _WAIST) / np.float32(2.0 / s.torso_length) + 0.5, 0, 1).astype(np.float32)
    light = 1 - 0.22 * np.minimum((aside / np.maximum(half, 0.05)) ** 2, 1.0) ** 2
    # the chin keeps the light from the throat
    under = s.chin + 0.04 * unit * s.down
    throat = ((x - np.float32(under[0])) ** 2 * np.float32(0.35) + (y - np.float32(under[1])) ** 2) / np.float32(
        unit**2
    )
    light *= 1 - np.float32(0.2) * np.exp(-throat / np.float32(0.15**2))
    arms, front, forearms = (np.zeros(shape, np.float32) for _ in range(3))
    for side in (0, 1):
        start = max(sleeve_ends[side] - 0.06, 0.3)
        ratio = np.full(shape, 9.0, np.float32)
        # nor is what they leave along a sleeve
        bare_from = sleeve_ends[side] - 0.09 if sleeved else -1.0
        for end, part, along, distance, radius in _along_arm(shape, s, girth, side, worn):
            ratio[part] = np.minimum(ratio[part], distance / np.maximum(radius, 1))
            if end > bare_from:
                piece = np.clip(radius - distance + 0.5, 0, 1)
                arms[part] = np.maximum(arms[part], piece * np.clip((along - bare_from) / 0.03, 0, 1))
            if end > start:
                # it comes out from behind the torso's side, not with a step
                shown = radius * np.clip((along - start) / _EMERGES, 0, 1)
                front[part] = np.maximum(front[part], np.clip(shown - distance + 0.5, 0, 1) * (along > start))
                if sleeve_ends[side] < ELBOW:
                    below_elbow = np.clip((along - ELBOW - 0.1) / 0.04, 0, 1)
                    forearms[part] = np.maximum(forearms[part], piece * below_elbow)
        light = np.where(ratio < 1, 1 - 0.3 * ratio**2, light)
    return Bare(
        torso=inside * (1 - below),
        below=inside * below,
        arms=arms,
        front=np.asarray(front, np.float32),
        forearms=np.asarray(forearms, np.float32),
        round=np.asarray(light, np.float32),
    )


def _along_arm(
    shape: tuple[int, ...], s: Skeleton, girth: Girth, side: int, worn: F32 | None
) -> Iterator[tuple[float, Window, F32, F32, F32]]:
    """Each stretch of an arm: the station where it ends, and (h, w) station, distance from its middle, half width.

    These cover the window, the second of the five, outside of which the stretch does not reach.
    """
    arm = (s.right, s.left)[side]
    stations = np.array([0.0, 0.12, *ARM_STATIONS, 1.0])
    halves = np.interp(stations, ARM_STATIONS, girth.arms[side]) * s.unit
    shifts = np.interp(stations, ARM_STATIONS, girth.centres[side]) * s.unit
    points = [limb_point(arm, side, station, shift) for station, shift in zip(stations, shifts, strict=True)]
    if worn is not None:
        halves *= 1 - _SLACK * sample(worn, np.array(points))
    # on over the wrist, so that no gap opens between a cuff and the hand
    points.append(arm.wrist + 0.5 * (arm.tip - arm.wrist))
    stations, halves = np.append(stations, 1.2), np.append(halves, halves[-1])
    for k in range(len(stations) - 1):
        part = window(shape, points[k : k + 2], max(halves[k], halves[k + 1], 1) + 1)
        distance, t = segment_distance(shape, points[k], points[k + 1], part)
        radius = halves[k] + (halves[k + 1] - halves[k]) * t
        along = stations[k] + (stations[k + 1] - stations[k]) * t
        yield float(stations[k + 1]), part, along.astype(np.float32), distance, radius.astype(np.float32)


def _opening(shape: tuple[int, ...], neckline: Point, s: Skeleton) -> F32:
    """(h, w) 0 or 1: the neck opening and a little under the cloth around it, and everything above."""
    up = -0.6 * s.unit * s.down
    outline = np.array([neckline[0] + up, *neckline, neckline[-1] + up])
    mask = np.zeros(shape, np.float32)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1.0, shift=4)
    size = 2 * max(1, round(0.04 * s.unit)) + 1
    return np.asarray(cv2.dilate(mask, np.ones((size, size), np.uint8)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Undressed:
    """The person without the worn top, within a part of the picture: (h, w) or (h, w, 3) float32.

    Attributes:
        bgr: the picture, remade where the top was.
        gone: 0..1, where it was remade.
        skin_bgr: skin colour everywhere.
        front: 0..1, arms that stay bare and are seen in front of the garment's torso.
        forearms: 0..1, those of them that are seen in front of its sleeves too.
        wall: 0..1, where it was remade as background.
    """

    bgr: F32
    gone: F32
    skin_bgr: F32
    front: F32
    forearms: F32
    wall: F32


def undress(
    picture: U8,
    behind: F32,
    share: F32,
    face: F32,
    rim: Rim,
    gone: F32,
    s: Skeleton,
    bare: Bare,
    part: Window,
) -> Undressed:
    """Take the worn top away.

    Args:
        picture: (h, w, 3) uint8.
        behind: (h, w, 3) float32 background, at half size.
        share: (5, h, w) class probabilities.
        face: (h, w) 0..1.
        rim: how much of each pixel's colour is the worn top's.
        gone: (h, w) 0..1, where it is made anew.
        s: the skeleton, at half size.
        bare: the body's outline, at half size.
        part: even rows and columns; nothing goes outside of them.
    """
    small = halved(picture)
    skin_seen = halved(share[SKIN])
    skin = shaded_skin(small, skin_seen, halved(face), bare)
    trousers = np.clip(halved(share[LOWER]) * 3 - 2, 0, 1)
    lower, adjoins = _lower_carried_up(small, trousers, halved(rim.share), skin_seen, s)
    behind = _met(behind, small, halved(share[BACKGROUND]) * (1 - cv2.dilate(halved(gone), np.ones((3, 3), np.uint8))))
    seen = mixed(behind, lower, np.float32(adjoins) * bare.below)
    within = _smooth_limbs(np.maximum(halved(rim.gone), skin_seen), s.unit)
    bare_skin = np.maximum(bare.torso, bare.arms * within)
    if adjoins < 1:
        bare_skin = np.maximum(bare_skin, (1 - adjoins) * bare.below)
    # a waistband stands a little off the belly
    size = 2 * max(1, round(0.04 * s.unit)) + 1
    shadow = np.float32(0.5 * adjoins) * cv2.blur(bare.below, (size, size)) * (1 - bare.arms)
    seen = mixed(seen, scaled(skin, 1 - shadow), bare_skin, seen)
    made = enlarged_part(rim.beside, 2, part)
    mixed(made, enlarged_part(seen, 2, part), rim.share[part], made)
    made += cv2.merge([_grain(picture, share[SKIN])[part]] * 3)
    gone = gone[part]
    canvas = mixed(picture[part].astype(np.float32), made, gone, made)
    front, forearms = enlarged_part(bare.front * within, 2, part), enlarged_part(bare.forearms, 2, part)
    body = np.maximum(bare_skin, adjoins * bare.below)
    wall = gone * (1 - enlarged_part(body, 2, part))
    return Undressed(canvas, gone, enlarged_part(skin, 2, part), front, forearms, wall)


def _smooth_limbs(body: F32, unit: float) -> F32:
    """(h, w) 0..1: an arm is no wider than the sleeve that it was in, but not as ragged as that is read."""
    for step, share in ((cv2.MORPH_CLOSE, 0.03), (cv2.MORPH_OPEN, 0.016)):
        # an arm behind a hip shows as a strip, which stays
        size = 2 * max(1, round(share * unit)) + 1
        body = cv2.morphologyEx(body, step, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    side = 2 * max(1, round(0.012 * unit)) + 1
    return np.asarray(cv2.blur(body, (side, side)), np.float32)


def _met(behind: F32, picture: F32, background: F32) -> F32:
    """The background in the light in which it is seen beside the wearer: no step where one goes into the other."""
    free = np.clip(4 * background - 3, 0, 1)
    return behind + spread(picture - behind, free) if float(free.max()) > 0.5 else behind


@lru_cache(maxsize=1)
def _grain_tile() -> F32:
    """(512, 512) noise of unit variance: fine as a sensor's, with a share as coarse as pores and down."""
    rng = np.random.default_rng(7)
    fine, coarse = rng.standard_normal((2, 512, 512)).astype(np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), 1.6, borderType=cv2.BORDER_REFLECT)
    tile: F32 = 0.8 * fine + 0.6 * coarse / coarse.std()
    tile.flags.writeable = False
    return tile


def _grain(picture: U8, skin: F32) -> F32:
    """(h, w) grey levels to add to what was made smooth: as rough as the wearer's own skin is in this picture."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    # creases and lashes are no grain
    off = np.minimum(cv2.absdiff(grey, cv2.blur(grey, (3, 3))), 8)
    level = cv2.mean(off, (skin > 0.9).astype(np.uint8))[0]
    height, width = skin.shape
    tile = _grain_tile()
    tiled = cv2.copyMakeBorder(
        tile[: min(height, 512), : min(width, 512)], 0, max(0, height - 512), 0, max(0, width - 512), cv2.BORDER_REFLECT
    )
    return np.asarray(tiled * np.float32(1.3 * level), np.float32)


def _lower_carried_up(bgr: F32, known: F32, worn: F32, skin: F32, s: Skeleton) -> tuple[F32, float]:
    """The lower garment, continued over its upper edge, and how much of the top's edge it meets, 0..1.

    Where no more than a strip of it is in the picture it is taken for dark trousers: a strip is mostly rim.
    """
    if float(known.sum()) < 0.12 * s.unit**2:
        return np.full_like(bgr, _UNSEEN_TROUSERS), 1.0
    plain = spread(bgr, known)
    carried = carry_up(bgr, known, worn, skin, s)
    if carried is None:
        return plain, 1.0
    return mixed(plain, carried.bgr, carried.known), carried.adjoins


def shaded_skin(bgr: F32, skin: F32, face: F32, bare: Bare) -> F32:
    """(h, w, 3) skin everywhere: continued from where skin is seen, round on the limbs.

    Args:
        bgr: (h, w, 3) float32, the picture.
        skin: (h, w) how surely a pixel is skin.
        face: (h, w) the face; counts less, it is lit and made up differently.
        bare: the body's outline.
    """
    trust = np.clip(skin * 2 - 1, 0, 1)
    trust = cv2.erode(trust, np.ones((3, 3), np.uint8))
    shade = _shade(bare.round)
    lit = cv2.divide(bgr, shade)
    # a limb is as light on the whole as the skin that is seen, and lighter in its middle
    tone = _tone(bgr, trust, face) * np.float32(1.06)
    trust *= 1 - np.float32(0.7) * face
    near = spread(lit, trust)
    # far from any visible skin the nearest patch (a shaded wrist, a red cheek) must not tint a whole arm
    window = 2 * (bgr.shape[1] // 10) + 1
    reach = cv2.blur(cv2.blur(trust, (window, window)), (window, window))
    local = np.clip(reach * 12, 0.15, 1)
    return np.asarray(cv2.multiply(mixed(np.broadcast_to(tone, bgr.shape).copy(), near, local), shade), np.float32)


def _shade(light: F32) -> F32:
    """(h, w, 3) factors: skin in the shade is redder, for light comes through it."""
    return np.asarray(cv2.merge([cv2.pow(light, power) for power in _SHADE_BGR]), np.float32)


def _tone(bgr: F32, skin: F32, face: F32) -> F32:
    """(3,) the colour of the wearer's skin in the light: lips, brows, shaded creases and glints are left out."""
    weight = skin * (1 + face)
    chosen = weight > 0.2
    if int(chosen.sum()) < 8:
        chosen = face > 0.5
        weight = face
    if not chosen.any():
        return np.asarray(bgr.mean(axis=(0, 1)), np.float32)
    colours, weights = bgr[chosen], weight[chosen]
    # a matrix product would wake threads
    light = 0.114 * colours[:, 0] + 0.587 * colours[:, 1] + 0.299 * colours[:, 2]
    low, high = np.percentile(light, (25, 80))
    weights = weights * ((light >= low) & (light <= high)) + np.float32(1e-6)
    return np.asarray((colours * weights[:, None]).sum(axis=0) / weights.sum(), np.float32)
