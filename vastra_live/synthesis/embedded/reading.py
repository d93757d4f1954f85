"""Reading the person: what is worn top, lower garment, skin, hair and background, from pose seeds and colours.

Every class has a colour model (a smoothed Lab histogram) and a place (a prior drawn from the skeleton). Their
product, smoothed along the picture's edges, is the probability of the class; the colour models are learned
again from it and the picture is read a second time. The smoothing is the fast global smoother of Min et al.
2014, which does for soft labels what a graph cut does for hard ones, in a tenth of the time and without its
jumps from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32, U8

__all__ = ["BACKGROUND", "CLASSES", "HAIR", "LOWER", "SKIN", "TOP", "ColourModels", "Reading", "read_person"]

BACKGROUND, SKIN, HAIR, TOP, LOWER = range(5)
CLASSES = ("background", "skin", "hair", "top", "lower")

_BINS = (24, 24, 24)
_CELLS = _BINS[0] * _BINS[1] * _BINS[2]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The classes of every pixel of a small picture.

    Attributes:
        share: (5, h, w) float32, probability of each class, summing to 1.
        face: (h, w) float32 0..1, the face's oval: never painted over.
    """

    share: F32
    face: F32


class ColourModels:
    """One colour histogram a class, remembered from keyframe to keyframe.

    Args:
        memory: share of the old model kept at each update.
    """

    def __init__(self, memory: float = 0.6) -> None:
        self._memory = memory
        self._models: F32 | None = None

    @property
    def known(self) -> bool:
        """Whether anything was learned yet."""
        return self._models is not None

    def remember(self, models: F32) -> None:
        """Blend the (5, cells) models of this keyframe into those of the earlier ones."""
        self._models = models if self._models is None else self._memory * self._models + (1 - self._memory) * models

    def blended(self, models: F32) -> F32:
        """The models of this keyframe, steadied by those of the earlier ones."""
        return models if self._models is None else 0.5 * (self._models + models)


def read_person(bgr: U8, person: F32, skeleton: Skeleton, memory: ColourModels) -> Reading:
    """Classify every pixel.

    Args:
        bgr: (h, w, 3) the picture, small (about 200 pixels): cost grows with its area.
        person: (h, w) float32, silhouette 0..1.
        skeleton: the person in pixels of ``bgr``.
        memory: what was learned on earlier keyframes; updated.
    """
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
    cells = _cells(lab)
    places, face, seeds = _places(person, skeleton, lab)
    models = memory.blended(_learn(cells, seeds))
    share = _classify(cells, models, places, bgr, face)
    for _ in range(2):
        models = memory.blended(_learn(cells, share * (share > 0.5) + 0.15 * seeds))
        share = _classify(cells, models, places, bgr, face)
    memory.remember(_learn(cells, share * (share > 0.6)))
    return Reading(share, face)


def _cells(lab: U8) -> npt_int:
    """(h*w,) index of the colour cell of each pixel; chroma is cut finer, where clothes differ from skin."""
    light = (lab[..., 0].astype(np.int32) * _BINS[0]) >> 8
    # most pictures keep within +-48 of grey: cells of 4 units there, the rest in the outermost cell
    a = np.clip((lab[..., 1].astype(np.int32) - 80) >> 2, 0, _BINS[1] - 1)
    b = np.clip((lab[..., 2].astype(np.int32) - 80) >> 2, 0, _BINS[2] - 1)
    return ((light * _BINS[1] + a) * _BINS[2] + b).ravel()


npt_int = np.ndarray


def _learn(cells: npt_int, weights: F32) -> F32:
    """(5, cells) colour density of each class from (5, h, w) weights, smoothed over neighbouring colours."""
    models = np.empty((len(weights), _CELLS), np.float32)
    kernel = np.array([0.25, 0.5, 0.25], np.float32)
    for k, weight in enumerate(weights):
        flat = weight.ravel()
        total = float(flat.sum())
        if total < 4:
            models[k] = 1.0 / _CELLS
            continue
        counts = np.bincount(cells, flat, _CELLS).astype(np.float32)
        cube = counts.reshape(_BINS[0], _BINS[1] * _BINS[2])
        cube = cv2.sepFilter2D(cube, -1, np.ones(1, np.float32), kernel)
        cube = cube.reshape(_BINS[0] * _BINS[1], _BINS[2])
        cube = cv2.sepFilter2D(cube, -1, kernel, np.ones(1, np.float32))
        planes = cube.reshape(_BINS)
        planes[:, 1:-1] = 0.5 * planes[:, 1:-1] + 0.25 * (planes[:, :-2] + planes[:, 2:])
        models[k] = planes.ravel() / max(float(planes.sum()), 1e-6)
    return models


def _classify(cells: npt_int, models: F32, places: F32, guide: U8, face: F32) -> F32:
    """(5, h, w) probability of each class: colour times place, smoothed along the edges of the guide."""
    shape = places.shape[1:]
    # the floor lets place decide where a colour was never seen (a sleeve of another colour)
    colour = models[:, cells].reshape(-1, *shape) + 0.02 / _CELLS * np.array([1, 1, 1, 6, 3], np.float32)[:, None, None]
    score = colour * places
    share = score / score.sum(axis=0)
    smooth = cv2.ximgproc.createFastGlobalSmootherFilter(guide, 24.0, 6.0)
    for k in range(len(share)):
        share[k] = smooth.filter(share[k])
    share[HAIR] *= 1 - face
    share[TOP] *= 1 - face
    share[SKIN] = np.maximum(share[SKIN], 0.7 * face)
    return share / np.maximum(share.sum(axis=0), 1e-6)


def _places(person: F32, s: Skeleton, lab: U8) -> tuple[F32, F32, F32]:
    """Where each class may be: (5, h, w) priors, (h, w) face, (5, h, w) sure seeds for the colour models."""
    shape = person.shape
    unit = s.unit
    inside = np.clip(person, 0.01, 0.99)
    # distances in shoulder widths
    torso = _polygon_distance(shape, _torso_outline(s)) / unit
    arms = np.minimum(arm_distance(shape, s.left), arm_distance(shape, s.right)) / unit
    forearms = (
        np.minimum(
            segment_distance(shape, s.left.elbow, s.left.tip)[0], segment_distance(shape, s.right.elbow, s.right.tip)[0]
        )
        / unit
    )
    hands = (
        np.minimum(
            segment_distance(shape, s.left.wrist, s.left.tip + (s.left.tip - s.left.wrist))[0],
            segment_distance(shape, s.right.wrist, s.right.tip + (s.right.tip - s.right.wrist))[0],
        )
        / unit
    )
    neck, _ = segment_distance(shape, s.chin, s.neck - 0.12 * unit * s.down)
    neck = neck / unit
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    depth = ((x - s.neck[0]) * s.down[0] + (y - s.neck[1]) * s.down[1]) / s.torso_length  # 0 neck, 1 hips
    face, face_r = _face(shape, s)
    below_chin = ((x - s.chin[0]) * s.down[0] + (y - s.chin[1]) * s.down[1]) / unit

    near_torso = _falling(torso, 0.02, 0.25)
    near_arm = _falling(arms, 0.16, 0.34)
    near_hand = _falling(hands, 0.12, 0.28)
    near_neck = _falling(neck, 0.14, 0.3) * _falling(-below_chin, 0.0, 0.25)
    top_band = _falling(depth, 0.72, 1.12) * _falling(-depth, 0.15, 0.45)

    priors = np.empty((5, *shape), np.float32)
    priors[BACKGROUND] = 1 - inside
    priors[TOP] = 0.004 + np.maximum.reduce([near_torso * top_band, 0.75 * near_arm * (1 - 0.85 * near_hand)])
    priors[TOP] *= _falling(-below_chin, 0.05, 0.25) * 0.995 + 0.005
    priors[SKIN] = 0.02 + np.maximum.reduce(
        [face, 0.9 * near_neck, 0.35 * near_arm, 0.8 * near_hand, 0.12 * near_torso, 0.25 * _falling(-depth, -1.3, 0.3)]
    )
    priors[HAIR] = 0.002 + 0.6 * _falling(face_r, 1.5, 3.2) * _falling(below_chin, 0.25, 1.1)
    priors[LOWER] = 0.002 + 0.9 * _falling(-depth, -0.98, 0.32)
    priors[1:] *= inside / np.maximum(priors[1:].sum(axis=0), 1e-6)

    sure = person > 0.8
    seeds = np.zeros_like(priors)
    seeds[BACKGROUND] = (person < 0.05) & (arms > 0.2) & (torso > 0.1)
    inner = (face_r < 0.85) & sure
    seeds[SKIN] = inner
    skin_like = _like(lab, inner)
    seeds[TOP] = sure & (torso < 0) & (depth > 0.12) & (depth < 0.62) & ~skin_like & (forearms > 0.14) & (hands > 0.25)
    if seeds[TOP].sum() < 0.2 * ((torso < 0) & (depth > 0.12) & (depth < 0.62)).sum():
        seeds[TOP] = sure & (torso < 0) & (depth > 0.2) & (depth < 0.62) & (forearms > 0.14)
    above = (x - s.eyes[0]) * s.face_up[0] + (y - s.eyes[1]) * s.face_up[1] > 0.9 * s.face_span
    seeds[HAIR] = sure & (face_r > 1.0) & (face_r < 2.1) & above & ~skin_like
    legs = (
        np.minimum(
            segment_distance(shape, s.left_leg.hip, s.left_leg.knee)[0],
            segment_distance(shape, s.right_leg.hip, s.right_leg.knee)[0],
        )
        / unit
    )
    seeds[LOWER] = sure & (legs < 0.16) & (depth > 1.1) & (depth < 1.6) & (hands > 0.25) & ~skin_like
    seeds[SKIN] += 0.4 * (sure & (hands < 0.1) & skin_like)
    return priors, face, seeds


def _like(lab: U8, sample: np.ndarray) -> np.ndarray:
    """Which pixels have the chroma of the sample, whatever their light."""
    if sample.sum() < 12:
        return np.zeros(sample.shape, bool)
    chroma = lab[..., 1:].astype(np.float32)
    light = lab[..., 0].astype(np.float32)
    seen = chroma[sample]
    centre = np.median(seen, axis=0)
    spread = np.maximum(np.median(np.abs(seen - centre), axis=0) * 1.48, 3.0)
    off = (chroma - centre) / spread
    middle = float(np.median(light[sample]))
    return ((off**2).sum(axis=-1) < 7.0) & (light > 0.35 * middle) & (light < 1.6 * middle + 20)


def _face(shape: tuple[int, ...], s: Skeleton) -> tuple[F32, F32]:
    """The face's oval 0..1, and the distance from its centre in radii of the oval."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    up = s.face_up
    top = s.eyes + up * 1.0 * s.face_span
    centre = (top + s.chin) / 2
    half = float(np.linalg.norm(top - s.chin)) / 2
    along = ((x - centre[0]) * up[0] + (y - centre[1]) * up[1]) / half
    aside = ((x - centre[0]) * up[1] - (y - centre[1]) * up[0]) / (0.74 * half)
    radius = np.sqrt(along**2 + aside**2).astype(np.float32)
    return _falling(radius, 0.92, 0.12), radius


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
    return (outside - inside).astype(np.float32)


def segment_distance(shape: tuple[int, ...], start: Point, end: Point) -> tuple[F32, F32]:
    """(h, w) distance to a segment in pixels, and how far along it the nearest point lies, 0..1."""
    along = end - start
    length2 = max(float(along @ along), 1e-6)
    x = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(start[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(start[1])
    t = np.clip((x * np.float32(along[0] / length2) + y * np.float32(along[1] / length2)), 0, 1)
    return np.sqrt((x - t * np.float32(along[0])) ** 2 + (y - t * np.float32(along[1])) ** 2), t


def arm_distance(shape: tuple[int, ...], arm: Arm) -> F32:
    """(h, w) distance to the arm's bones in pixels."""
    upper, _ = segment_distance(shape, arm.shoulder, arm.elbow)
    fore, _ = segment_distance(shape, arm.elbow, arm.wrist)
    return np.minimum(upper, fore)


def _falling(value: F32, middle: float, width: float) -> F32:
    """A smooth step from 1 down to 0 around ``middle``, over about ``width``."""
    return (1 / (1 + np.exp(np.clip((value - middle) * np.float32(6 / width), -30, 30)))).astype(np.float32)
