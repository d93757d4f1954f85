"""Reading the person: what is worn top, lower garment, skin, hair and background, from pose seeds and colours.

Every class has a colour model (a smoothed Lab histogram) and a place (a prior drawn from the skeleton). Their
product, smoothed along the picture's edges, is the probability of the class; the colour models are learned
again from it and the picture is read a second time. The smoothing is the fast global smoother of Min et al.
2014, which does for soft labels what a graph cut does for hard ones, in a tenth of the time and without its
jumps from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.colours import CELLS, I64, ColourModels, colour_cells, learned
from vastra_live.synthesis.embedded.guided import Smoother, edge_smoother
from vastra_live.synthesis.embedded.hair import attach_hair, let_hair_fall
from vastra_live.synthesis.embedded.hem import Hems, bare_belly, find_hem
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import (
    BACKGROUND,
    CLASSES,
    HAIR,
    LOWER,
    SKIN,
    TOP,
    Hem,
    Places,
    Window,
    window,
)
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.synthesis.embedded.sleeve_reading import keep_sleeves
from vastra_live.types import F32, U8

__all__ = ["BACKGROUND", "CLASSES", "HAIR", "LOWER", "SKIN", "TOP", "Memory", "Reading", "read_person"]

_WALL, _ROOM = 0.98, 3
"""What is background so surely is nothing else, and so many pixels beside the rest are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The classes of every pixel of a small picture.

    Attributes:
        share: (5, h, w) float32, probability of each class, summing to 1.
        face: (h, w) float32 0..1, the face's oval: never painted over.
        hem: where the top was seen to end, None where it was not.
    """

    share: F32
    face: F32
    hem: Hem | None = None

    def worn_top(self) -> F32:
        """(h, w) 0..1: where the top is likelier than any other class, by how far."""
        others = reduce(np.maximum, (plane for k, plane in enumerate(self.share) if k != TOP))
        return ramp(self.share[TOP] - others, 0.8, 0.5)

    def peopled(self, shape: tuple[int, ...]) -> Window:
        """Rows and columns in which more than background is seen, with some room, of the picture at a larger shape."""
        left, top, width, height = cv2.boundingRect((self.share[BACKGROUND] < _WALL).astype(np.uint8))
        down, across = (large / small for large, small in zip(shape, self.face.shape, strict=True))
        corners = [(left * across, top * down), ((left + width) * across, (top + height) * down)]
        return window(shape, corners, _ROOM * max(down, across))


class Memory:
    """What is known of a wearer from earlier keyframes.

    Attributes:
        colours: of each class.
        hems: of the worn top.
    """

    def __init__(self) -> None:
        self.colours = ColourModels()
        self.hems = Hems()


def read_person(bgr: U8, person: F32, skeleton: Skeleton, memory: Memory) -> Reading:
    """Classify every pixel.

    Args:
        bgr: (h, w, 3) the picture, small (about 200 pixels): cost grows with its area.
        person: (h, w) float32, silhouette 0..1.
        skeleton: the person in pixels of ``bgr``.
        memory: what was learned on earlier keyframes; updated.
    """
    lab = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB), np.uint8)
    cells = colour_cells(lab)
    places = Places(person, skeleton, lab)
    seeds = places.seeds
    colours, hem = memory.colours, memory.hems.steadied(find_hem(lab, places))
    if hem is not None:
        places.end_seeds_at(hem)
    smooth = edge_smoother(bgr, strength=24.0, levels=6.0, radius=4)
    priors = places.priors(hem)
    share = _classify(cells, colours.blended(learned(cells, seeds)), priors, smooth, places.face)
    bare_from = bare_belly(share[SKIN], places)
    if bare_from is not None:
        priors = places.priors(bare_from)
    places.bare_forearms(share[SKIN], priors[TOP])
    if hem is not None:
        places.end_bare_arms_at(hem, share[SKIN], priors[TOP])
    # what was learned on earlier keyframes saves a round
    for _ in range(1 if colours.known else 2):
        weights = share * (share > 0.5)
        weights[HAIR] *= places.above_mouth
        # blond hair and beige cloth are not learned as skin
        weights[SKIN] *= (priors[SKIN] > 0.05) & ~places.teeth
        models = colours.blended(learned(cells, weights + 0.15 * seeds))
        share = _classify(cells, models, priors, smooth, places.face)
    likely = models.take(cells, axis=1, mode="clip").reshape(share.shape)
    let_hair_fall(share, likely, priors[SKIN], cells, places, skeleton, smooth)
    _fill_bays(share, likely * priors, skeleton.unit)
    keep_sleeves(share, likely, cells, skeleton)
    attach_hair(share, places)
    _settle_islands(share, skeleton.unit, places.sleeves)
    # every other row tells as much for the next keyframe
    few = share[:, ::2]
    known = few * (few > 0.6)
    known[SKIN] *= ~places.teeth[::2]
    colours.remember(learned(cells.reshape(share.shape[1:])[::2].ravel(), known))
    return Reading(share, places.face, hem if bare_from is None else None)


def _fill_bays(share: F32, likely: F32, unit: float) -> None:
    """In narrow bays of the top what may be its own cloth is no lower garment: the ground of a print. In place.

    Args:
        share: (5, h, w) probability of each class.
        likely: (5, h, w) how likely each class has this colour at this place.
        unit: shoulder width in pixels.
    """
    top = (share[TOP] > 0.5).astype(np.uint8)
    size = 2 * max(1, round(0.06 * unit)) + 1
    closed = cv2.morphologyEx(top, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    bays = (closed > top) & (share[LOWER] > share[TOP]) & (likely[TOP] > 0.3 * likely[LOWER])
    share[TOP][bays] += share[LOWER][bays]
    share[LOWER][bays] = 0


def _settle_islands(share: F32, unit: float, sleeves: npt.NDArray[np.bool_]) -> None:
    """Specks of a class take the classes around them: prints, buttons, trousers seen between fingers. In place.

    A strip of top on an arm is none, but a sleeve that a hip hides the rest of.
    """
    height, width = share.shape[1:]
    # across planes argmax takes ten times as long
    largest = share.max(axis=0)
    # smaller than a palm; background is left, for the gap between arm and body is as small
    limit = 0.03 * unit**2
    specks = np.zeros((height, width), bool)
    for k in range(1, len(share)):
        _, islands, stats, _ = cv2.connectedComponentsWithStats((share[k] == largest).astype(np.uint8), connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < limit
        small[0] = False
        if k == TOP:
            on_arm = np.bincount(islands.take(np.flatnonzero(sleeves)), minlength=len(small))
            # a few pixels between arm and hip, or along a bare arm's edge, are a shadow or a mixture
            small &= on_arm <= np.maximum(0.4 * stats[:, cv2.CC_STAT_AREA], 0.1 * limit)
        specks |= small.take(islands)
    if not specks.any():
        return
    side = 2 * max(1, round(0.1 * unit)) + 1
    around = (~specks).astype(np.float32)
    means = [cv2.blur(plane * around, (side, side)) for plane in share]
    per_mass = 1 / np.maximum(np.sum(means, axis=0), np.float32(1e-6))
    for plane, mean in zip(share, means, strict=True):
        cv2.copyTo(mean * per_mass, specks.astype(np.uint8), plane)


def _classify(cells: I64, models: F32, places: F32, smooth: Smoother, face: F32) -> F32:
    """(5, h, w) probability of each class: colour times place, smoothed with an edge-keeping filter."""
    shape = places.shape[1:]
    # the floor lets place decide where a colour was never seen (a sleeve of another colour)
    floor = 0.02 / CELLS * np.array([1, 1, 1, 6, 3], np.float32)
    # the cells are of this table: clipped to it they need not be looked through first
    colour = (models + floor[:, None]).take(cells, axis=1, mode="clip").reshape(-1, *shape)
    score = colour * places
    share = score / score.sum(axis=0)
    # the filter is linear and keeps constants: the smoothed shares still sum to 1, so one follows from the rest
    for k in range(1, len(share)):
        share[k] = smooth(share[k])
    share[BACKGROUND] = cv2.max(1 - share[1:].sum(axis=0), 0)
    share[HAIR] *= 1 - face
    share[TOP] *= 1 - face
    share[SKIN] = np.maximum(share[SKIN], 0.7 * face)
    return np.asarray(share / cv2.max(share.sum(axis=0), 1e-6), np.float32)
