"""Below the waist: the worn lower garment goes, bare legs or the background come in its place, the new one is laid on.

The result is again a picture of a dressed person, with its classes, so that a top can be put on it as on any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.synthesis.embedded.compose import bare_arms, contact_shadow, hands
from vastra_live.synthesis.embedded.fill import Bare, shaded_skin
from vastra_live.synthesis.embedded.girth import DEPTHS, USUAL_HALF, Girth
from vastra_live.synthesis.embedded.legs import CROTCH, bare_legs
from vastra_live.synthesis.embedded.light import relief, shade_edges
from vastra_live.synthesis.embedded.mesh import LEFT_FOREARM, LEFT_SLEEVE, RIGHT_FOREARM, RIGHT_SLEEVE, TORSO, Painted
from vastra_live.synthesis.embedded.places import BACKGROUND, HAIR, LOWER, SKIN, TOP, arm_distance, segment_distance
from vastra_live.synthesis.embedded.reading import Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved, halved_skeleton
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = [
    "BareBelow",
    "Below",
    "Waistline",
    "bare_below",
    "find_waistline",
    "in_front_of_legs",
    "knows_skin",
    "laid_under",
    "relower",
    "settled",
    "worn_lower",
]

_ORDER = (TORSO, RIGHT_SLEEVE, LEFT_SLEEVE, RIGHT_FOREARM, LEFT_FOREARM)


@dataclass(frozen=True, slots=True, eq=False)
class Below:
    """A picture with another lower garment, or with bare legs.

    Attributes:
        bgr: (h, w, 3) uint8, the whole picture.
        changed: (h, w) float32 0..1, where it differs from the camera's.
        cloth: (h, w) float32 0..1, what the new garment shows of itself.
        reading: the classes of the new picture.
    """

    bgr: U8
    changed: F32
    cloth: F32
    reading: Reading

    def whole(self, bgr: U8, reading: Reading, row: int) -> Below:
        """The same as part of the whole picture, of which it is what lies below a row."""
        if row == 0:
            return self
        above = np.zeros((row, bgr.shape[1]), np.float32)
        return Below(
            np.concatenate([bgr[:row], self.bgr]),
            np.concatenate([above, self.changed]),
            np.concatenate([above, self.cloth]),
            Reading(np.concatenate([reading.share[:, :row], self.reading.share], axis=1), reading.face),
        )

    def over(self, camera: U8) -> tuple[U8, F32]:
        """Colour and alpha of a layer that turns the camera's picture into this one."""
        return _as_layer(camera, self.bgr.astype(np.float32), self.changed)

    def under(self, camera: U8, bgr: U8, alpha: F32, row: int) -> tuple[U8, F32]:
        """Colour and alpha, over the camera's picture, of a layer that was painted over this one.

        Args:
            camera: the whole picture.
            bgr, alpha: the layer over this picture, without the first rows.
            row: so many.
        """
        final: F32 = self.bgr[row:].astype(np.float32)
        final += alpha[..., None] * (bgr.astype(np.float32) - final)
        either = np.asarray(1 - (1 - alpha) * (1 - self.changed[row:]), np.float32)
        return _as_layer(camera[row:], final, either)


def _as_layer(camera: U8, wanted: F32, alpha: F32) -> tuple[U8, F32]:
    colour = camera.astype(np.float32) + (wanted - camera) / np.maximum(alpha, 1e-3)[..., None]
    return np.asarray(np.clip(colour + 0.5, 0, 255), np.uint8), np.asarray(np.where(alpha < 0.02, 0, alpha), np.float32)


@dataclass(frozen=True, slots=True)
class Waistline:
    """Where the worn top ends and the worn lower garment begins, in front: depths, 0 shoulder joints, 1 hip joints.

    Attributes:
        hem: of the top; infinite when nothing is seen to end it.
        waist: upper edge of the lower garment; infinite when none is seen.
    """

    hem: float
    waist: float


def find_waistline(share: F32, s: Skeleton) -> Waistline:
    """Follow the classes down the spine."""
    depths = np.arange(0.4, 1.7, 0.02)
    aside = np.linspace(-0.22, 0.22, 12) * s.unit
    line = s.neck + np.outer(depths, (s.pelvis - s.neck))
    points = line[:, None] + np.outer(aside, s.hips_across)[None]
    inside = ((points >= 0) & (points < share.shape[:0:-1])).all(axis=-1).all(axis=-1)
    depths, points = depths[inside], points[inside]
    if not len(depths):
        return Waistline(np.inf, np.inf)
    at = np.round(points).astype(int)
    x, y = np.minimum(at[..., 0], share.shape[2] - 1), np.minimum(at[..., 1], share.shape[1] - 1)
    top, lower = share[TOP][y, x], share[LOWER][y, x]
    # hands in front say nothing
    seen = np.maximum((top + lower).mean(axis=1), 0.25)
    ends = np.flatnonzero(top.mean(axis=1) / seen < 0.5)
    starts = np.flatnonzero(lower.mean(axis=1) / seen > 0.5)
    return Waistline(
        float(depths[ends[0]]) if len(ends) else np.inf, float(depths[starts[0]]) if len(starts) else np.inf
    )


def _depth(shape: tuple[int, ...], s: Skeleton) -> F32:
    """(h, w) along the spine: 0 at the shoulder joints, 1 at the hip joints."""
    x = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(s.neck[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(s.neck[1])
    return np.asarray((x * s.down[0] + y * s.down[1]) / s.torso_length, np.float32)


def settled(bgr: U8, reading: Reading, s: Skeleton, waistline: Waistline) -> Reading:
    """The reading of what is below the hips, put right.

    Beside the hips a sleeve is likely, and jeans are taken for one; below them a lower garment is, and bare legs are
    taken for one.
    """
    share = reading.share.copy()
    share = _bare_legs_seen(bgr, share, s)
    if np.isfinite(waistline.hem):
        share = _no_top_below(share, s, waistline.hem)
    return Reading(share, reading.face)


def _bare_legs_seen(bgr: U8, share: F32, s: Skeleton) -> F32:
    """The classes with legs of the skin's own colour as skin."""
    small, lower = halved_skeleton(s), halved(share[LOWER])
    lab = cv2.cvtColor(np.asarray(halved(bgr), np.uint8), cv2.COLOR_BGR2LAB).astype(np.float32)
    known = (halved(share[SKIN]) > 0.7) & (_depth(lower.shape, small) < 1)
    if known.sum() < 40:
        return share
    # legs may be tanned, shaded and in stockings: their light and chroma differ from a face's, their hue hardly does
    usual = np.median(lab[known], axis=0) - (0, 128, 128)
    chroma = max(float(np.hypot(usual[1], usual[2])), 4.0)
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    along = (a * usual[1] + b * usual[2]) / chroma**2
    across = np.abs(a * usual[2] - b * usual[1]) / chroma**2
    light = lab[..., 0] / max(float(usual[0]), 1.0)
    alike = np.clip((0.42 - across) / 0.14, 0, 1) * np.clip(np.minimum((along - 0.5) / 0.15, (1.9 - along) / 0.2), 0, 1)
    alike *= np.clip(np.minimum((light - 0.35) / 0.1, (1.35 - light) / 0.1), 0, 1)
    alike = alike.astype(np.float32)
    legs = np.zeros(lower.shape, np.float32)
    for leg in (small.right_leg, small.left_leg):
        distance, _ = segment_distance(lower.shape, (leg.hip + leg.knee) / 2, leg.knee)
        shin, _ = segment_distance(lower.shape, leg.knee, leg.ankle)
        inside = np.minimum(distance, shin) < 0.1 * small.unit
        # a few pixels of cloth may have the colour of skin, most of a leg has not
        if inside.sum() >= 12 and float(alike[inside].mean()) > 0.5:
            legs = np.maximum(legs, np.clip((0.3 - np.minimum(distance, shin) / small.unit) / 0.05, 0, 1))
    if not legs.any():
        return share
    moved = share[LOWER] * enlarged(cv2.blur(legs * alike, (3, 3)), share[LOWER].shape)
    share[LOWER] -= moved
    share[SKIN] += moved
    return share


def _no_top_below(share: F32, s: Skeleton, hem: float) -> F32:
    """The classes without top below its hem, but for sleeves."""
    small, shape = halved_skeleton(s), halved(share[TOP]).shape
    below = np.clip((_depth(shape, small) - hem - 0.1) / 0.03, 0, 1)
    for arm in (small.left, small.right):
        middle = np.clip(np.round(arm.elbow + arm.wrist).astype(int), 0, np.array(share.shape[:0:-1]) - 1)
        if share[TOP][middle[1], middle[0]] > 0.5:
            near, _ = segment_distance(shape, arm.elbow, arm.wrist)
            below = np.minimum(below, np.clip(near / small.unit / 0.05 - 3.6, 0, 1))
    moved = share[TOP] * enlarged(below.astype(np.float32), share[TOP].shape)
    share[TOP] -= moved
    share[LOWER] += moved
    return share


def worn_lower(bgr: U8, share: F32, s: Skeleton) -> F32:
    """(h, w) float32 0..1, the worn lower garment down to the ankles: shoes and feet, read as the same class, stay.

    Around the ankles, where it is not known to the pixel which is which, a shoe has another colour than the shin.
    """
    small, lower = halved_skeleton(s), np.clip(halved(share[LOWER]) * 1.6 - 0.3, 0, 1)
    shape = lower.shape
    lab = cv2.cvtColor(np.asarray(halved(bgr), np.uint8), cv2.COLOR_BGR2LAB).astype(np.float32)
    worn = lower.copy()
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    legs = []
    for leg in (small.right_leg, small.left_leg):
        shin = leg.ankle - leg.knee
        length = max(float(np.linalg.norm(shin)), 1e-6)
        distance, _ = segment_distance(shape, leg.knee, leg.ankle + 0.3 * shin)
        past = ((x - leg.ankle[0]) * shin[0] + (y - leg.ankle[1]) * shin[1]) / length
        legs.append((distance, np.asarray(past / small.unit, np.float32)))
    nearer = legs[0][0] < legs[1][0]
    for (distance, past), mine in zip(legs, (nearer, ~nearer), strict=True):
        foot = mine & (past > -0.22)
        # trousers end on the shoe, a little below the ankle
        stays = np.clip((0.1 - past) / 0.04 + 0.5, 0, 1)
        cloth = (lower > 0.8) & mine & (past > -0.7) & (past < -0.3) & (distance < 0.3 * small.unit)
        if cloth.sum() >= 12:
            colours = lab[cloth]
            usual = np.median(colours, axis=0)
            spread = np.median(np.abs(colours - usual).sum(axis=-1))
            off = np.abs(lab - usual).sum(axis=-1) / (3 * spread + 25)
            stays = stays * np.clip(2 * (1.5 - off), 0, 1)
        worn[foot] *= stays[foot]
    # back at full size the class's own edges count
    return np.asarray(
        np.clip(share[LOWER] * 1.6 - 0.3, 0, 1) * enlarged(worn / np.maximum(lower, 0.02), share[LOWER].shape),
        np.float32,
    )


def in_front_of_legs(reading: Reading, worn_top: F32, s: Skeleton, girth: Girth, *, top_stays: bool) -> F32:
    """(h, w) float32 0..1: what is in front of a lower garment: hair, arms, sleeves, and the worn top if it stays."""
    share = reading.share
    skin = np.clip(share[SKIN] * 1.6 - 0.3, 0, 1)
    front = np.maximum(np.clip(share[HAIR] * 1.6 - 0.3, 0, 1), reading.face)
    front = np.maximum(front, np.maximum(hands(skin, s), bare_arms(skin, s, girth, (0.3, 0.3))))
    if top_stays:
        # where the hem is not surely found, it is a line all the same and no mist
        return np.asarray(np.maximum(front, np.clip(3 * worn_top - 1, 0, 1)), np.float32)
    small = halved_skeleton(s)
    near = np.minimum(*(arm_distance(halved(skin).shape, arm) for arm in (small.left, small.right))) / small.unit
    sleeves = worn_top * enlarged(np.clip((0.2 - near) / 0.04, 0, 1).astype(np.float32), skin.shape)
    return np.asarray(np.maximum(front, sleeves), np.float32)


def knows_skin(share: F32, unit: float) -> bool:
    """Whether enough skin is seen to make legs of: a patch of a hand's size."""
    return float(np.clip(share[SKIN] * 2 - 1, 0, 1).sum()) > 0.03 * unit**2


@dataclass(frozen=True, slots=True, eq=False)
class BareBelow:
    """The body from the waist to the ankles without anything on it, at half size.

    Attributes:
        where: (h, w) float32 0..1.
        light: (h, w) float32, 1 in the middle of a limb, less at its sides.
    """

    where: F32
    light: F32

    def below(self, row: int) -> BareBelow:
        """The same without its first rows."""
        return BareBelow(self.where[row:], self.light[row:])

    def under(self, bare: Bare) -> Bare:
        """The whole body: this one below the bare torso of another garment's reading."""
        torso = np.maximum(bare.torso, self.where)
        light = np.where(self.where > 0.5, self.light, bare.round)
        return replace(bare, torso=torso, below=np.zeros_like(torso), round=light)


def bare_below(shape: tuple[int, ...], s: Skeleton, girth: Girth, build: float, covered_to: float) -> BareBelow:
    """Hips and legs drawn from joints and girth.

    Args:
        shape: height and width.
        s: the skeleton, in pixels of that size.
        girth: of the torso.
        build: how thick the legs are.
        covered_to: the station at which the new trousers end; above it bare legs are a little thinner, so that they
            show through torn cloth but not beside it.
    """
    legs, light = bare_legs(shape, s, build, covered_to)
    depth = _depth(shape, s)
    x = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(s.neck[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(s.neck[1])
    across = s.across - (s.across @ s.down) * s.down
    aside = np.asarray((x * across[0] + y * across[1]) / s.unit, np.float32)
    table = np.linspace(0.4, 1.4, 128)
    index = np.clip((depth - 0.4) * 127, 0, 127).astype(np.int32)
    sides = [np.interp(table, DEPTHS, np.minimum(half, 1.1 * USUAL_HALF)).astype(np.float32) for half in girth.torso]
    half = np.where(aside < 0, sides[0][index], sides[1][index])
    # the trunk ends where the legs part
    end = np.clip((1 + CROTCH * s.unit / s.torso_length - depth) / 0.04, 0, 1) * (depth > 0.5)
    trunk = np.clip((half - np.abs(aside)) * np.float32(s.unit) + 0.5, 0, 1) * end
    rounded = 1 - 0.22 * np.minimum((aside / half) ** 2, 1) ** 2
    where = np.maximum(trunk, legs).astype(np.float32)
    return BareBelow(where, np.where(legs > 0.5, light, rounded).astype(np.float32))


def laid_under(pieces: Mapping[int, Painted], shape: tuple[int, ...]) -> tuple[F32, F32]:
    """Colour (h, w, 3) and alpha (h, w) of a lower garment's pieces, one over the other, float32."""
    colour, alpha = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    for name in _ORDER:
        if name in pieces:
            x0, y0, x1, y1 = pieces[name].box
            part, a = np.s_[y0:y1, x0:x1], pieces[name].alpha
            # a rim over nothing keeps its own colour
            weight = np.maximum(a, (alpha[part] == 0).astype(np.float32))
            colour[part] += weight[..., None] * (pieces[name].bgr - colour[part])
            alpha[part] += a * (1 - alpha[part])
    return colour, alpha


def relower(
    picture: U8,
    behind: F32,
    reading: Reading,
    *,
    worn: F32,
    worn_top: F32 | None,
    front: F32,
    bare: BareBelow,
    pieces: Mapping[int, Painted],
    gain: F32,
    unit: float,
) -> Below:
    """Take the worn lower garment away and lay the new one on.

    Args:
        picture: (h, w, 3) uint8.
        behind: background, (h, w, 3) float32 at half size.
        reading: the classes of the picture.
        worn: (h, w) 0..1, the worn lower garment.
        worn_top: (h, w) 0..1, the worn top if it stays: it throws a shadow on what comes out below it.
        front: (h, w) 0..1, what is in front and stays.
        bare: hips and legs, at half size.
        pieces: the new garment, painted; none leaves the legs bare.
        gain: (3,) factors, the scene's light.
        unit: shoulder width in pixels.
    """
    shape = worn.shape
    reach = max(2, round(0.022 * unit))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    rim = cv2.blur(cv2.dilate(worn, ellipse), (reach | 1, reach | 1))
    gone = np.maximum(worn, rim * (1 - np.clip(reading.share[TOP] * 2 - 0.6, 0, 1)))
    nothing = np.zeros_like(bare.where)
    outline = Bare(bare.where, nothing, nothing, nothing, nothing, bare.light)
    skin = shaded_skin(halved(picture), halved(reading.share[SKIN]), halved(reading.face), outline)
    seen = behind + bare.where[..., None] * (skin - behind)
    canvas = picture.astype(np.float32)
    canvas += gone[..., None] * (enlarged(seen, shape) - canvas)
    colour, cloth = laid_under(pieces, shape)
    changed, limbs = gone, enlarged(bare.where, shape)
    if pieces:
        body = np.maximum(limbs, 1 - reading.share[BACKGROUND])
        shadow = contact_shadow(cloth, unit) * (1 - cloth) * body
        canvas *= (1 - shadow)[..., None]
        light = relief(picture, worn, unit) * shade_edges(cloth, unit)
        if worn_top is not None:
            light *= 1 - contact_shadow(worn_top, unit)
        canvas += cloth[..., None] * (np.minimum(colour * (gain * light[..., None]), 255) - canvas)
        changed = np.maximum.reduce([gone, cloth, np.minimum(shadow * 4, 1)])
    stays = 1 - front
    canvas = np.asarray(picture + stays[..., None] * (canvas - picture), np.float32)
    cloth, gone = cloth * stays, gone * stays
    share = reading.share * (1 - np.maximum(gone, cloth))
    # legs that were made are no skin that was seen: nothing is to be learned from them, and they are no arms
    share[LOWER] += cloth + np.maximum(gone - cloth, 0) * limbs
    share[BACKGROUND] += np.maximum(gone - cloth, 0) * (1 - limbs)
    return Below(
        np.asarray(np.clip(canvas + 0.5, 0, 255), np.uint8),
        np.asarray(changed * stays, np.float32),
        np.asarray(cloth, np.float32),
        Reading(np.asarray(share, np.float32), reading.face),
    )
