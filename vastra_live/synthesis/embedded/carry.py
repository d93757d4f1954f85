"""The lower garment, continued upwards over the edge that the worn top hid.

What comes out where a shorter top hangs is the lower garment's own cloth, reflected at its edge. Only what is cloth
everywhere is reflected: its texture goes on as it is, its colour and its creases go over into straight ones, up to the
waist, and what is but once there (a fly, a pocket, a seam's stitches) is not shown a second time. The shade that the
worn hem threw on it is not carried up, and its outline goes on in that of the hips.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import DEPTHS, USUAL_HALF, Girth
from vastra_live.synthesis.embedded.hem import running_median
from vastra_live.synthesis.embedded.mix import mixed, ramp, scaled
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32

__all__ = ["WAIST", "Carried", "carry_up"]

WAIST = 0.72
"""Depth on the torso of the waist, where a lower garment begins."""
_RIM = 0.03
"""Below its seen edge the garment is mixed with the top: so much of it, in shoulder widths, is not reflected."""
_SHADE = 0.12
"""So far below a worn hem, in shoulder widths, its shade reaches."""
_DEEPEST = 1.7
"""A shade is brightened by no more than this."""
_STRIP = 0.4
"""So much of the garment, in shoulder widths, is looked at."""
_OWN_SHAPE = 0.15
"""So far from the edge, in shoulder widths, the reflected cloth has its own colours; from twice that on straight ones.
"""
_SHRED = 0.1
"""What is narrower than this, in shoulder widths, above the edge, is none of the garment."""
_THING = 0.07
"""What is narrower than this, in shoulder widths, and of another colour is one thing and no cloth."""
_ROUGHEST = 4.0
"""In units of what is usual."""
_LEAST = 0.12
"""A strip lower than this, in shoulder widths, is mostly shadow and tells nothing."""
_COLUMN = 0.4
"""How far from the spine the edge is looked for, in shoulder widths."""
_OVERLAP = 0.05
"""So far, in depth on the torso, it goes on behind the new top."""
_BARED = 0.05
"""So much deeper than the new hem, in depth on the torso, something of the garment comes out."""
_HIPS = 0.5
"""So far below the edge, in shoulder widths, the outline of the hips is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """The continued garment.

    Attributes:
        bgr: (h, w, 3) float32.
        cover: (h, w) float32 0..1, where it is, from the waist down to the hips.
        anew: (h, w) float32 0..1, where what is seen goes: the worn hem's rim, shreds of the worn top.
        adjoins: 0..1, how much of the worn top's lower edge the garment meets, and not bare skin.
    """

    bgr: F32
    cover: F32
    anew: F32
    adjoins: float


def carry_up(
    bgr: F32, lower: F32, worn: F32, skin: F32, background: F32, s: Skeleton, girth: Girth, hem: float
) -> Carried | None:
    """Reflect the lower garment at its upper edge.

    None where too little of it is seen, or the new top hides all of it that the worn one did.

    Args:
        bgr: (h, w, 3) float32, the picture.
        lower: (h, w) 0..1, the lower garment.
        worn: (h, w) 0..1, the worn top.
        skin: (h, w) 0..1, bare skin.
        background: (h, w) 0..1, beside which the outline of the hips is seen.
        s: in the same pixels; its spine is taken as upright.
        girth: of the wearer, for hips that arms hide.
        hem: how far down the new top covers it all, in depth on the torso.
    """
    height, width = lower.shape
    unit = s.unit
    spine = (s.neck[0] + (np.arange(height) - s.neck[1]) * s.down[0] / max(s.down[1], 0.5)).astype(np.float32)
    found = _upper_edge(lower, worn, skin, spine, s)
    if found is None:
        return None
    edge, end, meets = found
    columns = np.arange(width, dtype=np.float32)[None]
    lowest = ((columns - s.neck[0]) * s.down[0] + (edge - s.neck[1]) * s.down[1]).max() / s.torso_length
    if lowest < hem + _BARED:
        return None
    deep = int(np.clip(end - np.median(edge), 2.0, _STRIP * unit))
    down = edge[None] + np.arange(deep, dtype=np.float32)[:, None]
    planes = cv2.merge((*cv2.split(scaled(bgr, lower)), lower))
    planes = cv2.remap(
        planes, np.broadcast_to(columns, down.shape).copy(), down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    cloth, rough = _cloth(planes, unit)
    # where it goes
    begins = max(WAIST, hem - _OVERLAP)
    first = int(np.clip(s.neck[1] + begins * s.torso_length * s.down[1] - 0.15 * unit, 0, height - 1))
    last = int(np.clip(np.ceil(edge.max() + _HIPS * unit), first + 1, height))
    rows = np.arange(first, last, dtype=np.float32)[:, None]
    part = slice(first, last)
    aside = columns - spine[part, None]
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(_SHRED * unit / 2)) + 1,) * 2)
    whole = lower.copy()
    whole[part] = cv2.morphologyEx(lower[part], cv2.MORPH_OPEN, ellipse)
    halves, ends = _outline(whole, background, spine, edge, s, girth)
    sides = (aside >= 0).astype(np.int32)
    half = halves[sides, np.arange(first, last)[:, None]]
    across = aside * ends[sides] / np.maximum(half, 1) + spine[np.clip(edge, 0, height - 1).astype(int)][None]
    over = edge[None] - rows
    # back and forth in what is seen
    most = np.float32(deep - 1)
    folded = np.where(over > 0, most - np.abs(np.mod(over, 2 * most) - most), np.minimum(-over, most))
    made = cv2.remap(cloth, across.astype(np.float32), folded.astype(np.float32), cv2.INTER_LINEAR)
    depth = (aside * np.float32(s.down[0]) + (rows - np.float32(s.neck[1])) * np.float32(s.down[1])) / np.float32(
        s.torso_length
    )
    inside = ramp(half - np.abs(aside), 1, 0.5) * np.clip((depth - begins) * np.float32(s.torso_length), 0, 1)
    own, top = lower[part], worn[part]
    cover, anew = np.zeros((2, height, width), np.float32)
    cover[part] = np.maximum(inside, whole[part])
    beside = np.minimum(2 * cv2.dilate(top, np.ones((3, 3), np.uint8)), 1)
    # in the rim the two are mixed: what is as the cloth is stays, also there
    off = cv2.blur(np.maximum.reduce(cv2.split(cv2.absdiff(bgr[part], made))), (3, 3))
    rim = beside * np.maximum(ramp(off, 1 / rough, -3), ramp(over, 4 / (_RIM * unit), -3))
    # nothing stays between the top that goes and the garment, but for a wall that is seen there
    rim *= np.minimum(
        cv2.morphologyEx(np.minimum(own + top, 1), cv2.MORPH_CLOSE, ellipse), ramp(background[part], -4, 3)
    )
    shreds = cv2.dilate(own - whole[part], np.ones((3, 3), np.uint8)) * cv2.dilate(top, ellipse)
    # what the new top hides as the old one did is left alone
    bared = np.clip((depth + over / np.float32(s.torso_length) - hem - _BARED) / 0.1, 0, 1)
    anew[part] = np.maximum(rim, shreds) * bared
    result = bgr.copy()
    result[part] = made
    # half a hem over skin is an open jacket or a pocketed hand; most of it is a bare belly
    return Carried(result, cover, anew, float(np.clip((meets - 0.35) / 0.3, 0, 1)))


def _upper_edge(lower: F32, worn: F32, skin: F32, spine: F32, s: Skeleton) -> tuple[F32, float, float] | None:
    """Where the garment is first seen in each column.

    Returns:
        (w,) float32 row, below the rim; the last row on the whole; how much of the worn top's edge it meets, 0..1. None
        where too little is seen.
    """
    height, width = lower.shape
    hips = int(np.clip(s.pelvis[1], 0, height - 1))
    x0 = int(np.clip(spine[hips] - _COLUMN * s.unit, 0, width - 1))
    x1 = int(np.clip(spine[hips] + _COLUMN * s.unit, x0 + 1, width))
    first = max(0, int(s.neck[1] + 0.4 * s.torso_length))
    shown = (lower[first:, x0:x1] > 0.6) & (worn[first:, x0:x1] < 0.3)
    columns = np.flatnonzero(shown.sum(axis=0) > _LEAST * s.unit)
    if len(columns) < 0.3 * (x1 - x0):
        return None
    top = first + np.argmax(shown[:, columns], axis=0)
    end = height - np.argmax(shown[::-1, columns], axis=0)
    # a soft hem leaves a gap between two sure labels; one with skin in it is a belly
    over = (worn[:, x0 + columns] > 0.25) & (np.arange(height)[:, None] < top)
    end_of_top = height - np.argmax(over[::-1], axis=0)
    between = (np.arange(height)[:, None] >= end_of_top) & (np.arange(height)[:, None] < top)
    bare = (skin[:, x0 + columns] * between).sum(axis=0) > 0.03 * s.unit
    # a hand or a pocket in front of the edge is no step of it
    reach = max(1, round(0.15 * s.unit))
    edge = np.interp(np.arange(width), x0 + columns, running_median(top, reach)).astype(np.float32)
    edge = cv2.blur(edge[None], (2 * reach + 1, 1))[0] + np.float32(_RIM * s.unit)
    return edge, float(np.median(end)), float((over.any(axis=0) & ~bare).mean())


def _cloth(planes: F32, unit: float) -> tuple[F32, float]:
    """The garment's cloth below its edge, without its single things and without the worn hem's shade.

    Args:
        planes: (n, w, 4) its colours times how surely it is the garment, and that; a row for each below the edge.
        unit: shoulder width in pixels.

    Returns:
        (n, w, 3) colours, and by how many grey levels they differ from those around them.
    """
    *colours, known = cv2.split(planes)
    seen = scaled(cv2.merge(colours), 1 / np.maximum(known, np.float32(1e-3)))
    seen = scaled(seen, np.repeat(_brightening(seen, known, unit)[:, None], known.shape[1], 1))
    size = 2 * max(1, round(0.04 * unit)) + 1
    off = seen - cv2.medianBlur(cv2.convertScaleAbs(seen), 2 * max(1, round(_THING * unit)) + 1)
    off = np.maximum.reduce(cv2.split(np.abs(off)))
    rough = off[known > 0.9]
    usual = max(float(np.median(rough)), 1.0) if len(rough) else 1.0
    # a thread is no rougher than others; a stitch, a button, a seam is
    common = np.exp(-((off / np.float32(_ROUGHEST * usual)) ** 2)) * known
    near = _mean(seen, common, size)
    straight = _straight(near, common, unit)
    fades = ramp(np.arange(len(known), dtype=np.float32), -1 / (_OWN_SHAPE * unit), 2)[:, None]
    base = mixed(np.broadcast_to(straight, near.shape).copy(), near, fades * np.minimum(2 * known, 1))
    return np.asarray(base + scaled(seen - near, common), np.float32), usual


def _straight(near: F32, weight: F32, unit: float) -> F32:
    """(1, w, 3) the colour of each column on the whole; of one that is hidden, that between its neighbours."""
    weight = weight * weight + np.float32(1e-6)
    mass = weight.sum(axis=0)
    colours = (near * weight[..., None]).sum(axis=0) / mass[:, None]
    at = np.flatnonzero(mass > 0.15 * len(near))
    if len(at):
        colours = np.column_stack([np.interp(np.arange(len(mass)), at, colours[at, k]) for k in range(3)])
    size = 2 * max(1, round(0.02 * unit)) + 1
    smooth = cv2.blur(colours.astype(np.float32)[None], (size, 1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32)


def _brightening(seen: F32, known: F32, unit: float) -> F32:
    """(n,) factors that take the worn hem's shade off the rows below it."""
    rows = round((_SHADE - _RIM) * unit)
    factors = np.ones(len(seen), np.float32)
    sure = known[: 2 * rows].min(axis=0, initial=1) > 0.8
    if rows < 2 or len(seen) < 1.5 * rows or np.count_nonzero(sure) < 8:
        return factors
    # the darkest cloth has few grey levels
    light = seen[: 2 * rows, sure].mean(axis=2) + 8
    level = np.median(light / light[rows:].mean(axis=0), axis=1)[:rows]
    # a shade only fades away from the hem: what is dark further down is a seam
    factors[:rows] = np.minimum.accumulate(np.clip(1 / level, 1, _DEEPEST))
    smooth = cv2.blur(factors[:, None], (1, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth[:, 0], np.float32)


def _outline(
    lower: F32, background: F32, spine: F32, edge: F32, s: Skeleton, girth: Girth
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """How far the garment reaches to the right and the left of the spine, (2, h), and at its edge, (2,), in pixels.

    Below the edge its outline is seen where it lies before the background; from there up it narrows as a body does.
    """
    height, width = lower.shape
    rows = np.arange(height)
    depth = (rows - s.neck[1]) * s.down[1] / s.torso_length
    usual = np.interp(depth, DEPTHS, USUAL_HALF) * s.unit
    middle = spine[int(np.clip(s.pelvis[1], 0, height - 1))]
    at = int(np.clip(np.interp(middle, np.arange(width), edge), 0, height - 1))
    below = np.arange(at, min(at + round(_HIPS * s.unit), height))
    room = max(2, round(0.04 * s.unit))
    sides = [_seen_outline(lower, background, spine, below, sign, room) for sign in (-1, 1)]
    halves = np.empty((2, height), np.float32)
    for side, own in enumerate(sides):
        reach, ends = own if np.count_nonzero(own[1]) >= room else sides[1 - side]
        if np.count_nonzero(ends) < room:
            likely = np.minimum(np.interp(depth, DEPTHS, girth.torso[side]) * s.unit, 1.1 * usual)
        else:
            ratio = reach[ends] / usual[below[ends]]
            # further up than it is seen it goes on as there on the whole
            first = float(np.median(ratio[: 3 * room]))
            likely = np.interp(rows, below[ends], running_median(ratio, room), left=first) * usual
        # where something is in front of its side it is at least as wide as it is seen
        wider = np.maximum(running_median(own[0], room) / likely[below], 1)
        # a hem runs askew: what is seen on one side begins lower down
        wider[: 2 * room] = wider[: 2 * room].max()
        wider = cv2.blur(wider[:, None], (1, room), borderType=cv2.BORDER_REPLICATE)[:, 0]
        halves[side] = likely * np.interp(rows, below, wider)
    return halves, halves[:, at]


def _seen_outline(
    lower: F32, background: F32, spine: F32, rows: npt.NDArray[np.int64], sign: int, room: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """How far the garment is seen to one side of the spine in each row, in pixels, and whether it ends there.

    Args:
        lower, background: (h, w) 0..1.
        spine: (h,) column.
        rows: where to look.
        sign: -1 to the left in the picture, 1 to the right.
        room: so many pixels of background show that it ends.
    """
    # outwards from the spine, with what is out of the picture neither garment nor background
    line = spine[rows].astype(int)[:, None] + sign * np.arange(lower.shape[1] + room)
    inside = (line >= 0) & (line < lower.shape[1])
    line = np.clip(line, 0, lower.shape[1] - 1)
    cloth = (lower[rows[:, None], line] > 0.5) & inside
    # a crease or the gap between the legs is no end of it
    found = cloth.any(axis=1)
    reach = np.where(found, cloth.shape[1] - cloth[:, ::-1].argmax(axis=1), 0)
    beside = np.minimum(reach[:, None] + np.arange(room), line.shape[1] - 1)
    each = np.arange(len(rows))[:, None]
    free = background[rows[:, None], line[each, beside]].mean(axis=1)
    return reach.astype(np.float64), found & inside[each, beside].all(axis=1) & (free > 0.6)


def _mean(bgr: F32, weight: F32, size: int) -> F32:
    """(h, w, 3) mean of what is weighted, around each pixel."""
    total, mass = cv2.blur(scaled(bgr, weight), (size, size)), cv2.blur(weight, (size, size))
    return scaled(total, 1 / np.maximum(mass, np.float32(1e-4)))
