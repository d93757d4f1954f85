"""What is seen where the worn top was: skin in the wearer's tone, the lower garment carried up, the background."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vastra_live.synthesis.embedded.bare import Bare
from vastra_live.synthesis.embedded.carry import WAIST, Carried, carry_up
from vastra_live.synthesis.embedded.girth import Girth
from vastra_live.synthesis.embedded.hips import beside_hips
from vastra_live.synthesis.embedded.meet import meet
from vastra_live.synthesis.embedded.mix import mixed, ramp, scaled, spread
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, Window
from vastra_live.synthesis.embedded.rim import Rim
from vastra_live.synthesis.embedded.scale import enlarged, enlarged_part, halved
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["LowerTone", "Undressed", "shaded_skin", "undress"]


_SEAM = 0.02
"""So wide, in shoulder widths, is what a sleeve is mixed with along its edge."""
_STRIP = 0.12
"""Of a lower garment less than this, in squared shoulder widths, is mostly rim."""
_ASKED, _AGREED = 5, 3
"""Of so many keyframes so many must tell a lower garment's colour before it is remembered."""
_UNSEEN_TROUSERS = (48.0, 42.0, 38.0)
_GREY = np.array([[0.114, 0.587, 0.299]], np.float32)
_BEARDED = 0.7
"""A beard and the shade below it are darker than so much of the skin that is seen in the light."""
_BEARD, _SHADED = 0.25, 2.0
"""The same of what skin goes on from, in the wearer's tone: from twice to three times that share on it is believed."""
_SHADE_BGR = (1.3, 1.1, 0.85)
_SHADE_STEPS = 1024
# looked up, for three powers take four times as long
_SHADES = ((np.arange(1.5 * _SHADE_STEPS) / _SHADE_STEPS)[:, None] ** np.array(_SHADE_BGR)).astype(np.float32)


class LowerTone:
    """The lower garment's colour, for keyframes that show no more than a strip of it; dark until it is known."""

    def __init__(self) -> None:
        self._told: deque[F32 | None] = deque(maxlen=_ASKED)
        self._bgr: F32 | None = None

    def seen(self, bgr: F32, known: F32) -> None:
        """Learn it from an (h, w, 3) picture where the garment, (h, w) 0..1, is known.

        One keyframe is not believed: it may take a hand's width of the worn top for the garment below.
        """
        self._told.append(np.array(cv2.mean(bgr, cv2.compare(known, 0.5, cv2.CMP_GT))[:3], np.float32))
        told = [each for each in self._told if each is not None]
        if len(told) >= _AGREED:
            self._bgr = np.asarray(np.median(told, axis=0), np.float32)

    def everywhere(self, shape: tuple[int, ...]) -> F32:
        """(h, w, 3) of that colour, in a keyframe that does not tell it."""
        self._told.append(None)
        return np.full(shape, _UNSEEN_TROUSERS if self._bgr is None else self._bgr, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Undressed:
    """The person without the worn top, within a part of the picture: (h, w) or (h, w, 3) float32.

    Attributes:
        bgr: the picture, remade where the top was.
        gone: 0..1, where it was remade.
        front: 0..1, arms that stay bare and are seen in front of the garment's torso.
        forearms: 0..1, those of them that are seen in front of its sleeves too.
        wall: 0..1, where it was remade as background.
    """

    bgr: F32
    gone: F32
    front: F32
    forearms: F32
    wall: F32


def undress(
    picture: U8,
    behind: F32,
    seen: Mapping[int, F32],
    face: F32,
    rim: Rim,
    gone: F32,
    s: Skeleton,
    girth: Girth,
    bare: Bare,
    hem: float,
    part: Window,
    laid: tuple[F32, F32] | None = None,
    tone: LowerTone | None = None,
) -> Undressed:
    """Take the worn top away.

    Args:
        picture: (h, w, 3) uint8.
        behind: (h, w, 3) float32 background, at half size.
        seen: (h/2, w/2) 0..1 each, how surely background, skin and lower garment are seen.
        face: (h, w) 0..1.
        rim: how much of each pixel's colour is the worn top's.
        gone: (h, w) 0..1, where it is made anew.
        s: the skeleton, at half size.
        girth: of the wearer.
        bare: the body's outline, at half size.
        hem: how far down the new top covers it, in depth on the torso.
        part: even rows and columns; nothing goes outside of them.
        laid: a new lower garment at half size, (h/2, w/2, 3), and (h/2, w/2) 0..1 where it is, also behind sleeves.
            None for the worn one.
        tone: remembers the worn lower garment's colour; without it nothing is known from before.
    """
    small, skin_seen, lower_seen, wall = rim.picture, seen[SKIN], seen[LOWER], seen[BACKGROUND]
    trousers = ramp(lower_seen, 3, -2)
    taken = cv2.dilate(halved(gone), np.ones((3, 3), np.uint8))
    skin = shaded_skin(small, skin_seen * (1 - taken), halved(face), bare)
    top = halved(rim.share)
    carried = _lower_carried_up(small, trousers, top, skin_seen, wall, s, girth, bare, hem, tone)
    free = beside_hips(wall, s)
    cover = np.maximum(carried.cover * (1 - free), np.minimum(carried.cover, trousers))
    wall = wall * (1 - taken)
    adjoins = carried.adjoins
    behind = _met(behind, small, wall)
    beside, lower = _beside_arms(small, trousers * (1 - taken), wall, bare.arms * taken, s)
    beside *= 1 - free
    made = mixed(mixed(behind, lower, beside), carried.bgr, np.float32(adjoins) * cover)
    hips = np.maximum(np.float32(adjoins) * cover, beside)
    if laid is not None:
        made, hips = mixed(made, *laid, made), np.maximum(hips, laid[1])
    bare_skin = np.maximum(bare.torso, bare.arms)
    if adjoins < 1:
        bare_skin = np.maximum(bare_skin, (1 - adjoins) * bare.below)
    # an arm that reaches out of its sleeve ends round there, not cut off
    bare_skin = _rounded(bare_skin * (1 - wall), s.unit)
    if bare.beside_neck is not None:
        # where the neck goes over into the shoulder its outline is known
        bare_skin *= 1 - bare.beside_neck * (1 - bare.arms)
    # a waistband stands a little off the belly
    size = 2 * max(1, round(0.04 * s.unit)) + 1
    shadow = np.float32(0.5 * adjoins) * cv2.blur(cover, (size, size)) * (1 - bare.arms)
    made = mixed(made, scaled(skin, 1 - shadow), bare_skin, made)
    # what is beside a sleeve's end is its arm and the wall beside that
    again = np.float32(adjoins) * carried.anew
    if laid is not None:
        # and nothing stays between the sleeve that goes and the garment that was laid around it
        size = 2 * max(1, round(_SEAM * s.unit)) + 1
        sleeve = cv2.dilate(halved(gone), np.ones((size, size), np.uint8))
        again = np.maximum(again, laid[1] * sleeve * (1 - np.minimum(2 * skin_seen, 1)))
    anew = enlarged_part(again, 2, part)
    cloth = hips * (1 - bare_skin)
    weight = np.maximum.reduce([top, bare.arms, again])
    if laid is None and _tells(trousers, s):
        meet(made, small, trousers * (1 - np.maximum(taken, again)), taken, cloth, s.unit)
        weight = np.maximum(weight, cloth)
    mixed(rim.beside, made, weight, made)
    made = enlarged_part(made, 2, part)
    made += cv2.merge([_grain(picture, (skin_seen, lower_seen, wall), bare_skin, cloth, part)] * 3)
    gone = np.maximum(gone[part], anew)
    canvas = mixed(picture[part].astype(np.float32), made, gone, made)
    front, forearms = enlarged_part(bare.front, 2, part), enlarged_part(bare.forearms, 2, part)
    body = np.maximum(bare_skin, hips)
    wall = gone * (1 - enlarged_part(body, 2, part))
    return Undressed(canvas, gone, front, forearms, wall)


def _beside_arms(bgr: F32, trousers: F32, wall: F32, arms: F32, s: Skeleton) -> tuple[F32, F32]:
    """Where a sleeve hung in front of the lower garment, which is nearer there than the wall, and in which colours.

    Args:
        bgr: (h, w, 3) the picture.
        trousers: (h, w) 0..1, the lower garment as it is seen.
        wall: (h, w) 0..1, the background as it is seen.
        arms: (h, w) 0..1, where arms had sleeves on.
        s: the skeleton.

    Returns:
        (h, w) 0..1 and (h, w, 3), carried on from what is seen beside it.
    """
    size = 2 * max(1, round(0.1 * s.unit)) + 1
    near = cv2.blur(cv2.erode(halved(arms), np.ones((3, 3), np.uint8)), (size, size))
    # from the waist down
    down = 2 * np.arange(len(near), dtype=np.float32) - np.float32(s.neck[1] + WAIST * s.torso_length * s.down[1])
    near = ramp(near, 8, 0) * ramp(down, 8 / s.unit, 0)[:, None]
    if float(near.max()) < 0.05:
        return np.zeros_like(arms), bgr
    hips, seen = halved(trousers), halved(np.minimum(trousers + wall, 1))
    nearest = spread(cv2.merge((hips / np.maximum(seen, np.float32(1e-3)),) * 3), seen)[..., 0]
    where = enlarged(ramp(nearest, 10, -4.5) * near, arms.shape)
    return where, enlarged(spread(halved(bgr), ramp(hips, 2, -1)), arms.shape)


def _rounded(body: F32, unit: float) -> F32:
    """(h, w) 0..1: one outline for a body's parts, which go over into each other."""
    size = 2 * max(1, round(0.03 * unit)) + 1
    return ramp(cv2.blur(cv2.blur(body, (size, size)), (size, size)), size, 0.5 * (1 - size))


def _met(behind: F32, picture: F32, background: F32) -> F32:
    """The background in the light in which it is seen beside the wearer: no step where one goes into the other."""
    free = ramp(background, 4, -3)
    return behind + spread(picture - behind, free, smooth=True) if float(free.max()) > 0.5 else behind


@lru_cache(maxsize=1)
def _grain_tile() -> F32:
    """(512, 512) noise of unit variance: fine as a sensor's, with a share as coarse as pores and down."""
    rng = np.random.default_rng(7)
    fine, coarse = rng.standard_normal((2, 512, 512)).astype(np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), 1.6, borderType=cv2.BORDER_REFLECT)
    tile: F32 = 0.8 * fine + 0.6 * coarse / coarse.std()
    tile.flags.writeable = False
    return tile


def _grain(picture: U8, seen: tuple[F32, F32, F32], skin: F32, cloth: F32, part: Window) -> F32:
    """Grey levels to add to a part that was made smooth: as rough as skin, cloth and wall are in this picture.

    Args:
        picture: (2h, 2w, 3) uint8.
        seen: (h, w) 0..1 each, where skin, the lower garment and the wall are seen.
        skin: (h, w) 0..1, where it is made as skin.
        cloth: (h, w) 0..1, where it is made as the lower garment.
        part: rows and columns of the picture.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    off = np.ascontiguousarray(cv2.absdiff(grey, cv2.blur(grey, (3, 3)))[::2, ::2])
    rough, woven, smooth = (_middle(off, (kind > 0.9).astype(np.uint8)) for kind in seen)
    # what a wall has beside its grain is edges
    smooth = min(smooth, rough)
    # of cloth the coarser half of it was reflected
    level = skin * np.float32(1.55 * (rough - smooth)) + cloth * np.float32(0.95 * woven - 1.55 * smooth)
    level = enlarged_part(level + np.float32(1.55 * smooth), 2, part)
    height, width = level.shape
    tile = _grain_tile()
    tiled = cv2.copyMakeBorder(
        tile[: min(height, 512), : min(width, 512)], 0, max(0, height - 512), 0, max(0, width - 512), cv2.BORDER_REFLECT
    )
    return np.asarray(cv2.multiply(tiled, level, level), np.float32)


def _middle(off: U8, mask: U8) -> float:
    """The middle one of some grey levels, to a fraction: creases and edges, which are few, are no grain."""
    counts = np.cumsum(cv2.calcHist([off], [0], mask, [16], [0, 16]).ravel())
    if counts[-1] < 30:
        return 0.0
    return float(np.interp(counts[-1] / 2, np.append(0, counts), np.append(0, np.arange(16) + 0.5)))


def _lower_carried_up(
    bgr: F32,
    known: F32,
    worn: F32,
    skin: F32,
    background: F32,
    s: Skeleton,
    girth: Girth,
    bare: Bare,
    hem: float,
    tone: LowerTone | None,
) -> Carried:
    """The lower garment, continued over its upper edge.

    Where no more than a strip of it is in the picture it has the colour it had before: a strip is mostly rim.
    """
    nothing = np.zeros_like(known)
    if float(bare.below.max()) == 0:
        return Carried(bgr, nothing, nothing, 1.0)
    tone = tone or LowerTone()
    if not _tells(known, s):
        return Carried(tone.everywhere(bgr.shape), bare.below, nothing, 1.0)
    tone.seen(bgr, known)
    carried = carry_up(bgr, known, worn, skin, background, s, girth, hem)
    return Carried(spread(bgr, known, smooth=True), bare.below, nothing, 1.0) if carried is None else carried


def _tells(known: F32, s: Skeleton) -> bool:
    """Whether so much of the lower garment, (h, w) 0..1, is seen that it tells its colours."""
    return float(known.sum()) >= _STRIP * s.unit**2


def shaded_skin(bgr: F32, skin: F32, face: F32, bare: Bare) -> F32:
    """(h, w, 3) skin everywhere: continued from where skin is seen, round on the limbs.

    Args:
        bgr: (h, w, 3) float32, the picture.
        skin: (h, w) how surely a pixel is skin.
        face: (h, w) the face; counts less, it is lit and made up differently.
        bare: the body's outline.
    """
    trust = ramp(skin, 2, -1)
    trust = cv2.erode(trust, np.ones((3, 3), np.uint8))
    shade = _shade(bare.round)
    lit = cv2.divide(bgr, shade)
    # a limb is as light on the whole as the skin that is seen, and lighter in its middle
    tone = _tone(bgr, trust, face) * np.float32(1.06)
    # a beard and the shade under it are not what a chest looks like; an arm may well lie in the shade
    usual = float((_GREY[0] * tone).sum())
    pale = ramp(cv2.transform(lit, _GREY), 1 / (_BEARD * usual), -_SHADED)
    trust *= (1 - np.float32(0.7) * face) * np.maximum(pale, bare.arms)
    near = spread(lit, trust, smooth=True)
    # far from any visible skin the nearest patch (a shaded wrist, a red cheek) must not tint a whole arm
    window = 2 * (bgr.shape[1] // 10) + 1
    reach = cv2.blur(cv2.blur(trust, (window, window)), (window, window))
    local = cv2.max(ramp(reach, 12, 0), 0.15)
    return np.asarray(cv2.multiply(mixed(np.broadcast_to(tone, bgr.shape).copy(), near, local), shade), np.float32)


def _shade(light: F32) -> F32:
    """(h, w, 3) factors: skin in the shade is redder, for light comes through it."""
    index = (light * np.float32(_SHADE_STEPS) + np.float32(0.5)).astype(np.int32)
    return np.asarray(_SHADES.take(index, axis=0, mode="clip"), np.float32)


def _tone(bgr: F32, skin: F32, face: F32) -> F32:
    """(3,) the colour of the wearer's skin in the light: lips, brows, shaded creases and glints are left out."""
    weight = skin * (1 + face)
    chosen = weight > 0.2
    if int(chosen.sum()) < 8:
        chosen = face > 0.5
        weight = face
    if not chosen.any():
        return np.asarray(bgr.mean(axis=(0, 1)), np.float32)
    at = np.flatnonzero(chosen)
    colours, weights = bgr.reshape(-1, 3).take(at, axis=0), weight.take(at)
    # a matrix product would wake threads
    light = 0.114 * colours[:, 0] + 0.587 * colours[:, 1] + 0.299 * colours[:, 2]
    low, pale, high = np.percentile(light, (25, 70, 80))
    # under a beard there is little skin to see
    low = max(low, _BEARDED * pale)
    weights = weights * ((light >= low) & (light <= high)) + np.float32(1e-6)
    return np.asarray((colours * weights[:, None]).sum(axis=0) / weights.sum(), np.float32)
