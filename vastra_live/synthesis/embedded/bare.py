"""The wearer's body without its top: trunk and arms, from joints, girth, and what is seen of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.carry import WAIST
from vastra_live.synthesis.embedded.fit import Openings
from vastra_live.synthesis.embedded.girth import (
    ASIDE,
    DEPTHS,
    ELBOW,
    USUAL_HALF,
    Girth,
    arm_points,
    sample,
    unit_vector,
)
from vastra_live.synthesis.embedded.limb import Limb, fit_limb
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.neck import Sides, beside_neck, neck_opening
from vastra_live.synthesis.embedded.shade import limb_light
from vastra_live.synthesis.embedded.skeleton import Arm, Skeleton
from vastra_live.types import F32

__all__ = ["Bare", "bare_body"]


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
        beside_neck: the wall close beside the neck, where it is seen; None where nothing is known.
        opening: what of the torso a new top's neckline leaves bare; None where there is no top.
    """

    torso: F32
    below: F32
    arms: F32
    front: F32
    forearms: F32
    round: F32
    beside_neck: F32 | None = None
    opening: F32 | None = None


_CHEST = 0.35
"""Down to here, in depth on the torso, a top without sleeves may leave shoulders and sides bare."""
_SIDES = np.append(0.0, DEPTHS)
_MOST = np.interp(_SIDES, (0.0, 0.15, 0.3, 0.5), (0.62, 0.44, 0.4, 1.0))
"""Above the armpits the sides of the body are its arms; its trunk, in shoulder widths, is no wider than that."""
_CLOTH = 0.005
"""So far, in shoulder widths, shoulders lie below what is worn on them; where they are bare nothing is made anew."""
_LEAN = 0.08
"""So far aside of the middle between the shoulders, in their width, a neck ends at the chin."""
_SLEEVE_STATIONS = np.linspace(0.05, 0.95, 19)
"""Where on an arm its worn sleeve may end."""
_SHOWN = 6
"""More stations of nineteen than that are bare on an arm with a short sleeve."""
_EMERGES = 0.15
"""Over so much of its length a bare arm comes out in front of the torso's side."""
_FOLDED = 0.25
"""The cosine between both parts of an arm from which on its forearm is folded back."""
_SEEN_WIDER = 1.35
"""A forearm before its own sleeve is bare by so much beyond its usual half width, where skin is seen."""


def bare_body(
    shape: tuple[int, ...],
    s: Skeleton,
    girth: Girth,
    sleeve_ends: tuple[float, float],
    worn: F32 | None = None,
    openings: Openings | None = None,
    skin: F32 | None = None,
    lit_from: float = 0.0,
    sides: Sides | None = None,
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
        skin: (h, w) 0..1, what is seen of the wearer's skin, which the bare arms go on from. None for nothing.
        lit_from: the side that the light comes from, as ``side_light`` has it.
        sides: of the neck as it is seen. None for nothing.
    """
    limbs = [fit_limb(arm, k, s.unit, girth.thickness(k), worn, skin) for k, arm in enumerate((s.right, s.left))]
    trunk, depth, light = _trunk(shape, s, girth, limbs)
    inside, opening = trunk, None
    sleeved = openings is not None and openings.neckline is not None
    if openings is not None:
        # what the outlines of body and cloth leave between them over a shoulder or beside the waist is no skin
        neck = depth < _CHEST if openings.neckline is None else neck_opening(shape, openings.neckline, s)
        inside, opening = trunk * np.maximum(neck, depth > openings.hem - 0.03), trunk * neck
    wall = None
    if sides is not None and openings is not None and openings.neckline is not None:
        wall = beside_neck(shape, openings.neckline, s, sides)
    below = ramp(depth - np.float32(WAIST), 0.5 * s.torso_length, 0.5)
    arms, front, forearms = (np.zeros(shape, np.float32) for _ in range(3))
    for limb, sleeve_end, outwards in zip(limbs, sleeve_ends, (-s.across, s.across), strict=True):
        # below a sleeve's end it is in front of the torso as the sleeve is
        start = np.inf if limb.arm.behind else max(sleeve_end - (0.12 if sleeved else 0.06), 0.3)
        emerges = 0.12 if sleeved else _EMERGES
        # nor is what they leave along a sleeve
        bare_from = sleeve_end - 0.09 if sleeved else -1.0
        a = limb.arm
        folded = float(unit_vector(a.shoulder - a.elbow, -s.down) @ unit_vector(a.wrist - a.elbow, s.down))
        worn_to = _worn_to(limb.arm, worn) if worn is not None and folded > _FOLDED else np.inf
        shaded, own, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.full(shape, 1e-6, np.float32)
        for stretch in limb.stretches(shape):
            part, along, distance, radius = stretch.part, stretch.along, stretch.distance, stretch.radius
            # around a bend both parts have the light of both, and over its joint the arm has the shoulder's
            weight = np.square(np.maximum(np.float32(1.15) - distance / np.maximum(radius, 1), 0))
            total[part] += weight
            if stretch.end <= ELBOW:
                weight *= np.minimum(along / np.float32(_EMERGES), 1)
            shaded[part] += weight * limb_light(stretch, outwards, lit_from)
            own[part] += weight
            piece = ramp(radius - distance, 1, 0.5)
            if limb.arm.behind:
                piece *= 1 - trunk[part]
            free: F32 | None = None
            if worn is not None and stretch.end > worn_to:
                # nothing hangs before an arm that is lifted: beside it the worn top is the trunk's
                free = 1 - worn[part] * ramp(along - np.float32(worn_to), 1 / 0.04, 0)
                piece *= free
            if stretch.end > bare_from:
                arms[part] = np.maximum(arms[part], piece * ramp(along - np.float32(bare_from), 1 / 0.03, 0))
            if stretch.end > start:
                # it comes out from behind the torso's side, not with a step
                shown = radius * ramp(along - np.float32(start), 1 / emerges, 0)
                before = ramp(shown - distance, 1, 0.5) * (along > start)
                if free is not None:
                    before *= free
                front[part] = np.maximum(front[part], before)
                if sleeve_end < ELBOW:
                    # one that is folded back lies over its own upper arm from the elbow on
                    off_elbow = float(np.interp(folded, (0.0, 0.5), (0.1, 0.0)))
                    below_elbow = ramp(along - np.float32(ELBOW + off_elbow), 1 / 0.04, 0)
                    if skin is not None and folded > _FOLDED:
                        # to its own edge, which is seen
                        wide = ramp(np.float32(_SEEN_WIDER) * radius - distance, 1, 0.5)
                        piece = np.maximum(piece, wide * skin[part])
                    forearms[part] = np.maximum(forearms[part], piece * below_elbow)
        light += (shaded - own * light) / total
    return Bare(
        torso=inside * (1 - below),
        below=inside * below,
        arms=arms,
        front=np.asarray(front, np.float32),
        forearms=np.asarray(forearms, np.float32),
        round=np.asarray(light, np.float32),
        beside_neck=wall,
        opening=opening,
    )


def _worn_to(arm: Arm, worn: F32) -> float:
    """The station at which the worn sleeve ends; infinite where the arm is not seen bare."""
    bare = np.flatnonzero(sample(worn, arm_points(arm, _SLEEVE_STATIONS)[0]) < 0.5)
    return float(_SLEEVE_STATIONS[bare[0]]) if len(bare) > _SHOWN else np.inf


def _trunk(shape: tuple[int, ...], s: Skeleton, girth: Girth, limbs: list[Limb]) -> tuple[F32, F32, F32]:
    """Neck and torso: (h, w) 0..1 where they are, depth on the torso, and light across them."""
    unit, length = np.float32(s.unit), np.float32(s.torso_length)
    x, y = np.arange(shape[1], dtype=np.float32)[None], np.arange(shape[0], dtype=np.float32)[:, None]
    dx, dy = x - np.float32(s.neck[0]), y - np.float32(s.neck[1])
    slope = float(s.across @ s.down)
    square = (s.across - slope * s.down) / s.unit
    aside = dx * np.float32(square[0]) + dy * np.float32(square[1])
    depth = (dx * np.float32(s.down[0]) + dy * np.float32(s.down[1])) / length
    # the shoulders' line need not be square to the spine, and how far they rise was measured from it
    drop = depth - aside * ramp(depth, -2, 1) * np.float32(slope * s.unit / s.torso_length)
    reach, left = np.abs(aside), (aside >= 0).astype(np.int32)
    sides, necks, tops = [], [], []
    for side, limb in enumerate(limbs):
        # away from the neck shoulders only fall, and at their joints they are the arms' own round
        rise = np.minimum.accumulate([*girth.rise[side, :2], min(girth.rise[side, 2], 0.14), _CLOTH]) - _CLOTH
        joint = abs(float((limb.arm.shoulder - s.neck) @ square))
        end = max(joint + 0.8 * float(limb.centres[0] + limb.halves[0]) / s.unit, 0.52)
        tops.append(_curve(0.0, 1.0, (*ASIDE[:-1], end), rise * s.unit / s.torso_length))
        heights = -np.array([0.6 - _CLOTH, rise[0] + 0.09, rise[0]]) * s.unit / s.torso_length
        necks.append(_curve(-1.2, 1.4, np.append(-1.2, heights), (0.16, 0.13, 0.18, 0.3)))
        # the silhouette is that of the worn top, which may flare: trousers below it do not
        widths = np.append(end, np.minimum(girth.torso[side], 1.1 * USUAL_HALF))
        sides.append(_curve(-1.2, 1.4, _SIDES, np.minimum(widths, _MOST)))
    half = _read(sides, -1.2, 1.4, drop, left)
    top = (drop + _read(tops, 0.0, 1.0, reach, left)) * length
    trunk = np.minimum((half - reach) * unit, top)
    # a neck leans to where the head is, though not as far as the chin of one that is turned or bowed
    chin = s.chin - s.neck
    up = max(float(-chin @ s.down), 0.3 * s.unit)
    lean = min(max(float(chin @ square), -_LEAN), _LEAN)
    leaning = aside - ramp(depth, -s.torso_length / up, 0) * np.float32(lean)
    neck = _read(necks, -1.2, 1.4, drop, (leaning >= 0).astype(np.int32)) - np.abs(leaning)
    inside = ramp(np.maximum(trunk, neck * unit), 1, 0.5)
    light = 1 - 0.22 * cv2.min((reach / cv2.max(half, 0.05)) ** 2, 1.0) ** 2
    # the chin keeps the light from the throat
    under = s.chin + 0.04 * s.unit * s.down
    throat = ((x - np.float32(under[0])) ** 2 * np.float32(0.35) + (y - np.float32(under[1])) ** 2) / unit**2
    light *= 1 - np.float32(0.2) * np.exp(-throat / np.float32(0.15**2))
    return np.asarray(inside, np.float32), np.asarray(depth, np.float32), np.asarray(light, np.float32)


_STEPS = 512
_SHARES = np.linspace(0.0, 1.0, _STEPS)


def _curve(low: float, high: float, at: npt.ArrayLike, of: npt.ArrayLike) -> F32:
    """(512,) a curve through points ``of`` at ``at``, from low to high."""
    along = low + (high - low) * _SHARES
    return np.interp(along, np.asarray(at, float), np.asarray(of, float)).astype(np.float32)


def _read(curves: list[F32], low: float, high: float, values: F32, which: npt.NDArray[np.int32]) -> F32:
    """(h, w) what one of two curves has at each of (h, w) values."""
    index = ((values - np.float32(low)) * np.float32((_STEPS - 1) / (high - low))).astype(np.int32)
    np.clip(index, 0, _STEPS - 1, out=index)
    return np.concatenate(curves).take(index + _STEPS * which)
