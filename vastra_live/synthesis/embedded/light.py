"""Light: what the worn garment says about folds and shade, and what the camera does to colours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.synthesis.embedded.mesh import Painted
from vastra_live.synthesis.embedded.scale import enlarged, halved, halved_shape, shrunk
from vastra_live.types import F32, U8

__all__ = ["Light", "cloth_levels", "relief", "scene_gain", "scene_light", "shade_edges"]

_MARK = 0.4
"""So much brighter or darker than the cloth around it, in log light, is a button, a letter or a gap."""
_FEW = 14
"""Grey levels that a dark cloth has few of: by them its noise is kept from becoming folds."""
_ALIKE = 0.4
"""So much brighter in log light, in its photo, a garment is taken to be as dark as the worn one."""
_SHINE = 0.6
"""About halfway between light that falls on cloth, by whose folds bright and dark change by the same factor (0), and
light that its surface throws back, which is as much on bright cloth as on dark (1)."""
_WIDE = 13
"""A mean over more pixels than that from side to side is so smooth that it is worked out at half the size."""
_COLOURED, _LITTLE = 0.25, 0.02
"""From about this saturation on a colour is the thing's and not the light's; what it counts for even so."""
_WHITE, _WHITEST = 200, 225
"""The norm of a fully lit room, and the grey level of the brightest thing on somebody fully lit."""
_BRIGHTEST, _SOME = 0.97, 20
"""The quantile that is the brightest, without glints, and more pixels of the thumbnail than that say something."""
_VEIL = 0.004
"""Light scattered in lens and air, as a share of white: shadows of a scene are never as deep as a product photo's."""
_LOOKED_AT, _DARKEST, _FEWEST = 10_000, 0.0008, 8
"""Of so many pixels that share, and no fewer, are the darkest: pupils, nostrils, hair in the shade."""
_HAZE = 0.06
"""More than that is no haze, but a picture without anything dark."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """What light and camera do to colours, for each channel.

    Attributes:
        gain: (3,) factors that bring a product photo under the light of the scene.
        veil: (3,) light that is scattered over everything, before those factors, as a share of white in linear light.
    """

    gain: F32
    veil: F32

    def mixed(self, newer: Light, share: float) -> Light:
        """This light moved towards a newer one."""
        part = np.float32(share)
        return Light(self.gain + part * (newer.gain - self.gain), self.veil + part * (newer.veil - self.veil))

    def veiled(self, pieces: Iterable[tuple[int, Painted]]) -> dict[int, Painted]:
        """A garment's pieces with the scattered light of the scene added to a product photo's, in linear light.

        Product photos are stretched until white is white and black is black; a black shirt on a person is dark grey.
        """
        levels = np.arange(256) / 255
        linear = levels[:, None] ** 2.2 + np.asarray(self.veil, np.float64) * (1 - levels[:, None])
        table = np.clip(linear ** (1 / 2.2) * 255 + 0.5, 0, 255).astype(np.uint8)[None]
        return {name: replace(piece, bgr=np.asarray(cv2.LUT(piece.bgr, table), np.uint8)) for name, piece in pieces}


def relief(bgr: U8, worn: F32, unit: float, cloth: F32 | None = None) -> F32:
    """(h, w) float32 factor around 1: the folds of the worn garment, without its print.

    The log of the light is split in scales. Folds live between 1/3 and 1/30 of a shoulder width and are weak and
    smooth; prints have steps. An edge-keeping smoother takes the steps into its base, and where much was taken
    (a print) the relief is faded out.

    Args:
        bgr: (h, w, 3) the picture.
        worn: (h, w) the worn garment, 0..1.
        unit: shoulder width in pixels.
        cloth: (h/2, w/2) grey levels of what is put on, in this light; None for as bright as what is worn.
    """
    full = worn.shape
    light, worn, unit = halved(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)), halved(worn), unit / 2
    log = np.log(light + _FEW)
    fine = max(0.02 * unit, 0.8)
    wide = _inside_blur(log, worn, 0.22 * unit)
    # a button is no fold, and blurred it would be a ring of one: its place is taken by the cloth around it
    marks = cv2.dilate((np.abs(log - wide) > _MARK).astype(np.float32), np.ones((3, 3), np.uint8))
    smooth = _inside_blur(log, worn * (1 - marks) + np.float32(0.01) * worn, fine)
    folds = smooth - wide
    steps = _inside_blur(np.abs(log - smooth), worn, 0.12 * unit)
    spread = np.sqrt(np.maximum(_inside_blur(folds**2, worn, 0.15 * unit), 0))
    calm = 1 / (1 + (steps / 0.05) ** 2) / (1 + ((spread / 0.22) ** 2) ** 2)
    # redescending: a fold is weak, and what is strong (a badge, a letter, a strap) is none
    bounded = folds * np.exp(-((folds / 0.36) ** 2))
    if cloth is not None:
        # on dark cloth folds are seen by what shines on them, and that is little beside the light of bright cloth
        calm *= np.exp(np.float32(_SHINE) * np.minimum(wide - np.log(cloth + _FEW) + np.float32(_ALIKE), 0))
    inner = cv2.GaussianBlur(cv2.erode(worn, np.ones((3, 3), np.uint8)), (0, 0), max(0.03 * unit, 0.8))
    return enlarged(np.exp(0.85 * bounded * calm * inner), full)


def cloth_levels(pieces: Iterable[Painted], shape: tuple[int, ...], unit: float) -> F32:
    """(h/2, w/2) grey levels of a garment's cloth, without its small things; anything where there is none."""
    few = ((shape[0] + 3) // 4, (shape[1] + 3) // 4)
    levels, known = np.zeros(few, np.float32), np.zeros(few, np.float32)
    for piece in pieces:
        at, from_ = piece.every_fourth()
        solid = piece.alpha[from_] > 0.5
        if not solid.any():
            # a sliver at the picture's edge has no fourth pixel
            continue
        levels[at][solid] = cv2.cvtColor(np.ascontiguousarray(piece.bgr[from_]), cv2.COLOR_BGR2GRAY)[solid]
        known[at][solid] = 1
    return enlarged(_inside_blur(levels, known, 0.1 * unit / 4), halved_shape(shape))


def _inside_blur(values: F32, weight: F32, sigma: float) -> F32:
    """Gaussian mean over the weighted pixels only."""
    # box blurs are a Gaussian at a cost that does not grow with its width
    size = 2 * max(1, round(sigma)) + 1
    total, mass = values * weight, weight + np.float32(1e-4)
    wide = size > _WIDE
    if wide:
        total, mass, size = halved(total), halved(mass), size // 2 | 1
    for _ in range(2):
        total, mass = cv2.blur(total, (size, size)), cv2.blur(mass, (size, size))
    mean = np.asarray(total / np.maximum(mass, np.float32(1e-5)), np.float32)
    return enlarged(mean, values.shape) if wide else mean


def scene_gain(bgr: U8, person: F32) -> F32:
    """(3,) factors that bring a product photo, lit to pure white, under the light of the scene.

    The scene's white is estimated with a Minkowski norm of its colours ("shades of grey", Finlayson and Trezzi
    2004) and only part of its cast is taken over: a coloured room must not turn a garment into another one.
    A blue wall is as bright as its blue, and says little about the light's colour where anything grey is seen.
    What the wearer wears says nothing about the light's colour and is left out. But nothing is whiter than white: on
    whom something bright is seen falls so much light, however dark the wall behind is.
    """
    # by channel, for along a last axis of three numpy takes ten times as long
    small = np.stack(cv2.split(shrunk(bgr, (64, 64)))).reshape(3, -1).astype(np.float32)
    whole = shrunk(person, (64, 64)).ravel()
    on, around = np.flatnonzero(whole > 0.8), np.flatnonzero(whole < 0.2)
    levels = np.sort(small.take(on, axis=1).mean(axis=0))
    brightest = float(levels[int(_BRIGHTEST * len(levels))]) if len(levels) > _SOME else 0.0
    if len(around) > 0.15 * len(whole):
        small = small.take(around, axis=1)
    peak, mean = small.max(axis=0), small.mean(axis=0)
    grey = np.exp(-np.square((peak - small.min(axis=0)) / np.maximum(peak, 1) * np.float32(1 / _COLOURED)))
    bright = grey * mean + (1 - grey) * peak
    seen = max(float(_norm(bright[None], np.ones_like(grey))[0]) / _WHITE, brightest / _WHITEST)
    level = float(np.clip(seen**0.8, 0.42, 1.0))
    norm = _norm(small, grey + np.float32(_LITTLE))
    # the black around a cut-out has no colour
    cast = np.clip((norm + 1) / (norm.mean() + 1), 0.88, 1.12) ** 0.6
    return np.asarray(level * cast, np.float32)


def _norm(colours: F32, weights: F32) -> F32:
    """(c,) the weighted Minkowski norm, of order 6, of (c, n) colours."""
    cubes = colours * colours * colours
    # a matrix product would wake threads
    return np.asarray(((weights * cubes * cubes).sum(axis=1) / weights.sum()) ** (1 / 6), np.float32)


def scene_light(bgr: U8, person: F32) -> Light:
    """The light of a picture, (h, w, 3) uint8, with a silhouette, (h, w) 0..1.

    Before a window, or through a dirty lens, nothing is dark: how dark the darkest is tells how much light is
    scattered.
    """
    gain = scene_gain(bgr, person)
    step = max(1, round((person.size / _LOOKED_AT) ** 0.5))
    some = np.ascontiguousarray(bgr[::step, ::step])
    grey = cv2.cvtColor(some, cv2.COLOR_BGR2GRAY)
    counts = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel())
    level = int(np.searchsorted(counts, max(_FEWEST, _DARKEST * grey.size)))
    darkest = np.array(cv2.mean(some, cv2.compare(grey, level, cv2.CMP_LE))[:3])
    # in a dim scene there is less light to scatter
    veil = np.maximum(_VEIL * gain**2.2, np.minimum((darkest / 255 / gain) ** 2.2, _HAZE))
    return Light(gain, veil.astype(np.float32))


def shade_edges(alpha: F32, unit: float) -> F32:
    """(h, w) factor at most 1: a garment turns away from the camera along its outline."""
    size = 2 * max(1, round(0.025 * unit)) + 1
    soft = cv2.blur(cv2.blur(halved(alpha), (size, size)), (size, size))
    return enlarged(np.float32(0.7) + np.float32(0.3) * np.clip(soft, 0.4, 1), alpha.shape)
