"""Where each class of a person's picture may be: priors and seeds drawn from the skeleton."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32, U8

__all__ = [
    "BACKGROUND",
    "CLASSES",
    "HAIR",
    "LOWER",
    "SKIN",
    "TOP",
    "Hem",
    "Places",
    "Window",
    "arm_distance",
    "near_segments",
    "segment_distance",
    "window",
]

BACKGROUND, SKIN, HAIR, TOP, LOWER = range(5)
CLASSES = ("background", "skin", "hair", "top", "lower")

Mask = npt.NDArray[np.bool_]
Window = tuple[slice, slice]
"""Rows and columns of a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Hem:
    """Where the worn top ends.

    Attributes:
        depth: on the torso in the middle of the body: 0 at the shoulder joints, 1 at the hip joints.
        width: how surely: over so much of the depth top and what is below it go over into each other.
        bend: (w,) float32, how much lower it runs in each column of the picture, in depth; None where unknown.
        shown: (w,) bool, columns in which it is seen, and so no sleeve is in front of it; None where unknown.
        colours: the top's at its hem, and from there to the one below it, (3,) float32 each in Lab with light times
            0.6; None where unknown.
    """

    depth: float
    width: float
    bend: F32 | None = None
    shown: Mask | None = None
    colours: tuple[F32, F32] | None = None

    def from_here(self, depth: F32) -> F32:
        """(h, w) depth below the hem, of an (h, w) depth on the torso."""
        below = depth - np.float32(self.depth)
        return below if self.bend is None else below - self.bend


_SHOWN_BELOW = 0.15
"""Depth below a hem that is seen in which no sleeve is in front either; further down one may come in from the side."""
_LAST_ROWS = 0.1
"""Depth above the picture's edge in which a top whose hem is not seen may end."""
_SHOULDER = 0.28
"""Shoulder widths from the joint to where a sleeve ends over it."""
_BONE, _BARE, _BESIDE_BARE = 0.06, 0.6, 0.4
"""A forearm with so much skin so near its bones is bare, and so far around it, in shoulder widths, hangs no sleeve."""
_ON_BARE = 0.13
"""So near to the bone of a bare forearm, in shoulder widths, all is the arm."""
_EAR = 1.15
"""So much farther from the middle of the face than its ear's opening an ear ends."""
_HANGS = 0.8
"""Beside a face from which hair hangs so much is the wearer's."""
_SELDOM = 0.15
"""How likely something is the top there, against beside a sleeve."""
_USUAL_TOP = Hem(0.72, 1.12)
_USUAL_LOWER = Hem(0.98, 0.32)


class Places:
    """The skeleton drawn into a small picture.

    Args:
        person: (h, w) float32, silhouette 0..1.
        skeleton: in the same pixels.
        lab: (h, w, 3) uint8, the picture in Lab.

    Attributes:
        face: (h, w) float32 0..1, the face's oval.
        depth: (h, w) float32, along the spine: 0 at the shoulder joints, 1 at the hip joints.
        aside, below_chin: (h, w) float32, shoulder widths to the left of the spine, and below the chin.
        seeds: (5, h, w) float32, pixels whose class the skeleton tells well enough to learn colours from.
        inside, sure: (h, w) bool, inside of the silhouette, and well inside.
        trunk: (h, w) bool, the torso without arms and hands.
        belly: (h, w) bool, what of it lies so far from the forearms that bare skin there is not theirs.
        column: (h, w) bool, a strip along the spine and on downwards, without arms and hands.
        sleeves: (h, w) bool, along the arms' bones and around the shoulder joints.
        above_mouth: (h, w) bool.
        teeth: (h, w) bool, at the mouth what has not the colour of skin: a white collar has theirs.
        beside_face, beside_cheeks: (h, w) bool, around the face, above its chin; and there below the eyes.
    """

    def __init__(self, person: F32, skeleton: Skeleton, lab: U8) -> None:
        s, shape, unit = skeleton, person.shape, skeleton.unit
        self._person = person
        self._unit, self._outline, self._length = unit, _torso_outline(s), s.torso_length * s.down
        self._torso = _polygon_distance(shape, self._outline) / unit
        self._arms = np.minimum(arm_distance(shape, s.left), arm_distance(shape, s.right)) / unit
        self._hands = _nearest(shape, [(a.wrist, 2 * a.tip - a.wrist) for a in (s.left, s.right)]) / unit
        self._forearms = [segment_distance(shape, a.elbow, a.tip)[0] / unit for a in (s.left, s.right)]
        forearms = np.minimum(*self._forearms)
        neck = s.chin, s.neck - 0.12 * unit * s.down
        self._neck, self._throat = segment_distance(shape, *neck)[0] / unit, window(shape, neck, 0.15 * unit)
        x, y = np.arange(shape[1], dtype=np.float32)[None], np.arange(shape[0], dtype=np.float32)[:, None]

        def along(origin: Point, direction: Point, measure: float) -> F32:
            return np.asarray(((x - origin[0]) * direction[0] + (y - origin[1]) * direction[1]) / measure, np.float32)

        self.depth = along(s.neck, s.down, s.torso_length)
        self.below_chin = along(s.chin, s.down, unit)
        self.face, self._face_radius = _face(shape, s)
        self.inside: Mask = person > 0.5
        self.sure: Mask = person > 0.8
        joints = [(arm.shoulder, arm.shoulder) for arm in (s.left, s.right)]
        self.sleeves: Mask = (self._arms < 0.12) | _beside(shape, joints, _SHOULDER * unit)
        self.trunk: Mask = (person > 0.8) & (self._torso < 0) & (forearms > 0.16) & (self._hands > 0.25)
        self.belly: Mask = self.trunk & (forearms > 0.3)
        # hair is learned here: further down it may lie beside a hood or collar of about its colour
        self.above_mouth: Mask = along(s.mouth, s.face_up, s.face_span) > 0
        self.beside_face: Mask = (self._face_radius < 1.8) & (self.below_chin < 0)
        self.beside_cheeks: Mask = self.beside_face & (along(s.eyes, s.face_up, s.face_span) < 0)
        self.aside = along(s.neck, s.across, unit)
        self.column: Mask = (np.abs(self.aside) < 0.35) & (person > 0.8) & (self._hands > 0.25) & (forearms > 0.16)
        # sleeves are wider than arms, and joints are not found to the pixel
        self._core = self.column & (np.abs(self.aside) < 0.25) & (forearms > 0.26)
        wide = 0.3 * s.face_span * np.array([s.face_up[1], -s.face_up[0]])
        self.teeth: Mask = _beside(shape, [(s.mouth - wide, s.mouth + wide)], 0.3 * s.face_span)
        above_eyes = along(s.eyes, s.face_up, s.face_span) > 0.9
        legs = _beside(shape, [(leg.hip, leg.knee) for leg in (s.left_leg, s.right_leg)], 0.16 * unit)
        off_face = along((s.eyes + s.mouth) / 2, np.array([-s.face_up[1], s.face_up[0]]), 1.0)
        past_ears = off_face < -_EAR * s.ears[0], off_face > _EAR * s.ears[1]
        self.seeds = self._seeds(lab, forearms, above_eyes, past_ears, legs)

    def _seeds(self, lab: U8, forearms: F32, above_eyes: Mask, past_ears: tuple[Mask, Mask], legs: Mask) -> F32:
        sure, depth, radius = self._person > 0.8, self.depth, self._face_radius
        seeds = np.zeros((len(CLASSES), *sure.shape), np.float32)
        seeds[BACKGROUND] = (self._person < 0.05) & (self._arms > 0.2) & (self._torso > 0.1)
        inner_face = (radius < 0.85) & sure
        skin_like = _like(lab, inner_face)
        self.teeth &= ~skin_like
        seeds[SKIN] = (inner_face & ~self.teeth) + np.float32(0.4) * (sure & (self._hands < 0.1) & skin_like)
        seeds[HAIR] = sure & (radius > 1.0) & (radius < 2.1) & above_eyes & ~skin_like
        # above the eyes may be a hat; fair hair has the colour of skin, but skin ends with the face and its ears
        for past_ear in past_ears:
            beside = self.above_mouth & ~above_eyes & past_ear & (radius > 1.05) & (radius < 1.5)
            # where no hair hangs the wall is seen past an ear
            if float(sure[beside].mean() if beside.any() else 0) > _HANGS:
                seeds[HAIR][sure & beside & (~skin_like | (radius > 1.3))] = 1
        chest = (depth > 0.12) & (depth < 0.62)
        top = self.trunk & chest & ~skin_like
        if top.sum() < 0.2 * ((self._torso < 0) & chest).sum():
            # a top of the colour of skin, or one that leaves most of the chest bare
            top = sure & (self._torso < 0) & (depth > 0.2) & (depth < 0.62) & (forearms > 0.14)
        seeds[TOP] = top
        seeds[LOWER] = sure & legs & (depth > 1.1) & (depth < 1.6) & (self._hands > 0.25) & ~skin_like
        return seeds

    def end_seeds_at(self, hem: Hem) -> None:
        """Let no colour be learned on the wrong side of a hem."""
        from_hem = hem.from_here(self.depth)
        self.seeds[TOP] *= from_hem < -0.05
        below = from_hem > 0.05
        self.seeds[LOWER] *= below
        # a waist high above the hips: what hangs straight below the hem belongs to it
        self.seeds[LOWER] += np.float32(0.5) * (self._core & below & (self.depth < 1.1))

    def bare_forearms(self, skin: F32, prior: F32) -> None:
        """Where a forearm is bare all along there is no top on it: what is dark there lies in the shade. In place.

        Args:
            skin: (h, w) probability, as it was read first.
            prior: (h, w) of the top.
        """
        for forearm in self._forearms:
            bone = forearm < _BONE
            if bone.any() and float(skin[bone].mean()) > _BARE:
                prior[forearm < _ON_BARE] *= np.float32(_SELDOM)

    def end_bare_arms_at(self, hem: Hem, skin: F32, prior: F32) -> None:
        """Below its hem a top does not go on beside a forearm that is bare: what is dark there is shade. In place.

        Args:
            hem: where the top ends.
            skin: (h, w) probability, as it was read first.
            prior: (h, w) of the top.
        """
        below = hem.from_here(self.depth) > hem.width
        for forearm in self._forearms:
            bone = forearm < _BONE
            if bone.any() and float(skin[bone].mean()) > _BARE:
                prior[below & (forearm < _BESIDE_BARE)] *= np.float32(_SELDOM)

    def priors(self, hem: Hem | None = None) -> F32:
        """(5, h, w) float32, how likely each class is at each place, summing to 1.

        Args:
            hem: where the worn top ends, if that is known.
        """
        inside = np.clip(self._person, 0.01, 0.99)
        top_hem, lower_hem = (_USUAL_TOP, _USUAL_LOWER) if hem is None else (hem, hem)
        depth, below_chin = self.depth, self.below_chin
        torso = self._torso
        if hem is not None and hem.depth > 1:
            # a top that hangs over the hips, and out over them
            longer = self._outline.copy()
            wider = 0.14 * (longer[-2] - longer[-1])
            # in the last rows of a picture colours tell: what is worn below may begin there
            reach = max(min(hem.depth, float(depth.max()) - _LAST_ROWS), 1.0) - 1
            longer[-2:] += reach * self._length + np.array([wider, -wider])
            torso = _polygon_distance(depth.shape, longer) / self._unit
        near_torso = _falling(torso, 0.02, 0.25)
        near_arm = _falling(self._arms, 0.16, 0.34)
        if top_hem.shown is not None:
            below = top_hem.from_here(depth)
            free = top_hem.shown & (below < _SHOWN_BELOW)
            near_arm = np.where(free, near_arm * _falling(below, 0.0, top_hem.width), near_arm)
        near_hand = _falling(self._hands, 0.12, 0.28)
        near_neck = _falling(self._neck, 0.14, 0.3) * _falling(-below_chin, 0.0, 0.25)
        band = _falling(top_hem.from_here(depth), 0.0, top_hem.width) * _falling(-depth, 0.15, 0.45)
        prior = np.empty((len(CLASSES), *depth.shape), np.float32)
        # deep in the silhouette a colour of the wall's is more likely the top's second colour
        prior[BACKGROUND] = np.where(cv2.erode(self._person, np.ones((3, 3), np.uint8)) > 0.97, 0.002, 1 - inside)
        prior[TOP] = 0.004 + np.maximum(near_torso * band, 0.75 * near_arm * (1 - 0.75 * near_hand))
        # above the chin a collar or hood is rare, but it is there
        rare = np.where(self.above_mouth, np.float32(0.001), np.float32(0.03))
        prior[TOP] *= _falling(-below_chin, 0.12, 0.25) * 0.97 + rare
        prior[SKIN] = 0.02 + np.maximum.reduce(
            [
                self.face,
                0.9 * near_neck,
                0.35 * near_arm,
                0.8 * near_hand,
                0.12 * near_torso,
                0.25 * _falling(-depth, -1.3, 0.3),
            ]
        )
        prior[HAIR] = 0.002 + 0.6 * _falling(self._face_radius, 1.5, 3.2) * _falling(below_chin, 0.6, 0.8)
        # hair falls beside a throat, whose shade has the colour of fair hair
        throat = self._throat
        middle = _falling(self._neck[throat], 0.08, 0.06) * (below_chin[throat] > 0)
        prior[HAIR][throat] *= 1 - np.float32(0.75) * middle
        # none is worn on the shoulders, though a collar may have its colour
        prior[LOWER] = 0.002 * (depth > 0.1) + 0.9 * _falling(-lower_hem.from_here(depth), 0.0, lower_hem.width)
        prior[1:] *= inside / np.maximum(prior[1:].sum(axis=0), 1e-6)
        return prior


def _nearest(shape: tuple[int, ...], segments: list[tuple[Point, Point]]) -> F32:
    """(h, w) distance in pixels to the nearest of some segments."""
    distances = [segment_distance(shape, start, end)[0] for start, end in segments]
    return np.asarray(np.minimum.reduce(distances), np.float32)


def _beside(shape: tuple[int, ...], segments: list[tuple[Point, Point]], limit: float) -> Mask:
    """(h, w) which pixels are nearer than so many to one of some segments."""
    near = np.zeros(shape, np.bool_)
    for start, end in segments:
        part = window(shape, (start, end), limit)
        near[part] |= segment_distance(shape, start, end, part)[0] < limit
    return near


def _like(lab: U8, sample: Mask) -> Mask:
    """Which pixels have the chroma of the sample, whatever their light."""
    if sample.sum() < 12:
        return np.zeros(sample.shape, bool)
    light, *chroma = (plane.astype(np.float32) for plane in cv2.split(lab))
    off2 = np.zeros(sample.shape, np.float32)
    for plane in chroma:
        seen = plane[sample]
        centre = np.median(seen)
        spread = max(float(np.median(np.abs(seen - centre))) * 1.48, 3.0)
        off2 += ((plane - centre) * np.float32(1 / spread)) ** 2
    middle = float(np.median(light[sample]))
    alike = (off2 < 7.0) & (light > 0.35 * middle) & (light < 1.6 * middle + 20)
    return np.asarray(alike, np.bool_)


def _face(shape: tuple[int, ...], s: Skeleton) -> tuple[F32, F32]:
    """The face's oval 0..1, and the distance from its centre in radii of the oval."""
    x, y = np.arange(shape[1], dtype=np.float32)[None], np.arange(shape[0], dtype=np.float32)[:, None]
    up = s.face_up
    top = s.eyes + up * 1.0 * s.face_span
    centre = (top + s.chin) / 2
    half = float(np.linalg.norm(top - s.chin)) / 2
    along = ((x - centre[0]) * up[0] + (y - centre[1]) * up[1]) / half
    aside = ((x - centre[0]) * up[1] - (y - centre[1]) * up[0]) / (0.74 * half)
    radius = np.sqrt(along**2 + aside**2).astype(np.float32)
    # a collar may reach up to the jaw: there colours tell
    below_mouth = ((s.mouth[0] - x) * up[0] + (s.mouth[1] - y) * up[1]) / s.face_span
    jaw = radius + np.clip(0.3 * below_mouth, 0, 0.1)
    return _falling(jaw.astype(np.float32), 0.92, 0.12), radius


def _torso_outline(s: Skeleton) -> Point:
    """Neck, shoulders and hips as a polygon, a little inside of the silhouette."""
    up = -s.down * 0.1 * s.unit
    return np.array(
        [
            s.right.shoulder + up * 0.4,
            s.neck - s.across * 0.25 * s.unit + up * 1.5,
            s.neck + s.across * 0.25 * s.unit + up * 1.5,
            s.left.shoulder + up * 0.4,
            s.pelvis + s.across * 0.36 * s.unit,
            s.pelvis - s.across * 0.36 * s.unit,
        ]
    )


def _polygon_distance(shape: tuple[int, ...], outline: Point) -> F32:
    """(h, w) distance to a polygon in pixels, negative inside."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    return np.asarray(outside - inside, np.float32)


def window(shape: tuple[int, ...], points: Sequence[Point | tuple[float, float]] | Point, reach: float) -> Window:
    """The rows and columns of a picture that lie within ``reach`` pixels of the box of some points."""
    x, y = ([float(point[axis]) for point in points] for axis in (0, 1))

    def span(values: list[float], length: int) -> slice:
        low, high = math.floor(min(values) - reach), math.ceil(max(values) + reach) + 1
        return slice(min(max(low, 0), length), min(max(high, 0), length))

    return span(y, shape[0]), span(x, shape[1])


def segment_distance(shape: tuple[int, ...], start: Point, end: Point, part: Window | None = None) -> tuple[F32, F32]:
    """(h, w) distance to a segment in pixels, and how far along it the nearest point lies, 0..1.

    Args:
        shape: height and width of the picture.
        start, end: of the segment.
        part: of the picture, what is asked for; by default all of it.
    """
    rows, columns = part or (slice(0, shape[0]), slice(0, shape[1]))
    along = end - start
    length2 = max(float(along @ along), 1e-6)
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - np.float32(start[0])
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(start[1])
    t: F32 = x * np.float32(along[0] / length2) + y * np.float32(along[1] / length2)
    if not t.size:
        return t, t
    cv2.threshold(t, 0, 0, cv2.THRESH_TOZERO, t)
    cv2.threshold(t, 1, 1, cv2.THRESH_TRUNC, t)
    across, down = t * -np.float32(along[0]), t * -np.float32(along[1])
    across += x
    down += y
    return np.asarray(cv2.magnitude(across, down), np.float32), t


def near_segments(shape: tuple[int, ...], segments: Sequence[tuple[Point, Point]], limit: float, soft: float) -> F32:
    """(h, w) float32: 0 farther than ``limit`` pixels from every segment, 1 from ``soft`` pixels inside of that on."""
    near = np.zeros(shape, np.float32)
    for start, end in segments:
        part = window(shape, (start, end), limit)
        distance, _ = segment_distance(shape, start, end, part)
        near[part] = np.maximum(near[part], ramp(distance, -1 / soft, limit / soft))
    return near


def arm_distance(shape: tuple[int, ...], arm: Arm) -> F32:
    """(h, w) distance to the arm's bones in pixels."""
    upper, _ = segment_distance(shape, arm.shoulder, arm.elbow)
    fore, _ = segment_distance(shape, arm.elbow, arm.wrist)
    return np.minimum(upper, fore)


def _falling(value: F32, middle: float, width: float) -> F32:
    """A smooth step from 1 down to 0 around ``middle``, over about ``width``."""
    step: F32 = (value - np.float32(middle)) * np.float32(6 / width)
    cv2.threshold(step, 30, 30, cv2.THRESH_TRUNC, step)
    np.exp(step, out=step)
    step += 1
    return np.divide(1, step, out=step)
