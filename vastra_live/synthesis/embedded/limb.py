"""The outline of a bare arm: smooth along the arm, within the sleeve it was in, and meeting what of it is seen.

A sleeve is read raggedly: a button, a fold and a shadow move its labelled edge by a tenth of an arm. So its two edges
are looked for on lines across the arm, and the bare arm is what fits between them: as wide as an arm is there, tapering
like one, and by its cloth thinner than the sleeve. Where the arm is seen bare it is left as it is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import ELBOW, arm_points, middle_of, sample, unit_vector
from vastra_live.synthesis.embedded.places import Window, window
from vastra_live.synthesis.embedded.skeleton import Arm, Point
from vastra_live.types import F32

__all__ = ["FINE", "STATIONS", "Limb", "Stretch", "fit_limb"]

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

STATIONS = np.linspace(0.0, 1.2, 49)
"""Where the arm is measured: 0 at the shoulder joint, 1 at the wrist, 1.2 in the palm."""
FINE = np.linspace(0, STATIONS[-1], 385)
"""The same, so fine that what is known there is looked up and not interpolated."""
_USUAL = np.interp(
    STATIONS,
    (0.0, 0.12, 0.25, 0.4, ELBOW, 0.66, 0.75, 0.95, 1.0, 1.2),
    (0.12, 0.152, 0.16, 0.146, 0.126, 0.123, 0.114, 0.085, 0.082, 0.085),
)
"""Half widths of an arm in shoulder widths; the first is that of the joint, over which the deltoid rounds."""
_PALM = 0.8
"""So far on the way from the wrist to the knuckles the last station lies."""
_OUT = np.linspace(-0.45, 0.45, 61)
"""Where lines across the arm are sampled, outwards, in shoulder widths."""
_BESIDE = 0.045
"""So far beyond an edge it is looked at what lies there."""
_CLOTH = 0.08
"""How thick a sleeve is, in half widths of the arm in it."""
_NEAR = 0.12
"""An arm is looked for no farther than so from its bone."""
_LOOSE = 0.05
"""By so much a sleeve may stand off from the arm where its other side is not seen."""
_SMOOTH = 0.05
"""Over so much of its length an arm's outline is smoothed."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A straight part of an arm, in a window of the picture outside of which it does not reach.

    Attributes:
        end: the station where it ends.
        part: the window.
        along: (h, w) station of the nearest point of its middle.
        index: (h, w) int32, the same as an index of ``FINE``.
        distance: (h, w) pixels from there.
        off: (h, w) pixels outwards from it, square to the part.
        radius: (h, w) half width there, in pixels.
        outward: unit vector out of its outer side.
    """

    end: float
    part: Window
    along: F32
    index: I32
    distance: F32
    off: F32
    radius: F32
    outward: Point


@dataclass(frozen=True, slots=True, eq=False)
class Limb:
    """An arm's outline.

    Attributes:
        arm: its bones, in pixels.
        outward: 1 where the arm's left as it points is its outer side, -1 where its right is.
        centres: (49,) how far outside of the bones its middle lies at ``STATIONS``, in pixels.
        halves: (49,) its half widths, in pixels.
    """

    arm: Arm
    outward: float
    centres: F64
    halves: F64

    def stretches(self, shape: tuple[int, ...]) -> Iterator[Stretch]:
        """Upper arm, forearm and palm, as they lie in a picture; none for what is out of it."""
        a = self.arm
        palm = a.wrist + _PALM * (a.tip - a.wrist)
        centres, halves = (np.interp(FINE, STATIONS, of).astype(np.float32) for of in (self.centres, self.halves))
        for start, end, low, high in (
            (a.shoulder, a.elbow, 0.0, ELBOW),
            (a.elbow, a.wrist, ELBOW, 1.0),
            (a.wrist, palm, 1.0, STATIONS[-1]),
        ):
            within = (low <= FINE) & (high >= FINE)
            reach = float((halves + np.abs(centres))[within].max())
            part = window(shape, (start, end), max(reach, 1) + 1)
            if part[0].start >= part[0].stop or part[1].start >= part[1].stop:
                continue
            length = max(float(np.hypot(*(end - start))), 1e-3)
            ux, uy = unit_vector(end - start, a.elbow - a.shoulder)
            x = np.arange(part[1].start, part[1].stop, dtype=np.float32)[None] - np.float32(start[0])
            y = np.arange(part[0].start, part[0].stop, dtype=np.float32)[:, None] - np.float32(start[1])
            run = x * np.float32(ux) + y * np.float32(uy)
            off = (y * np.float32(ux) - x * np.float32(uy)) * np.float32(self.outward)
            held = np.clip(run, 0, np.float32(length))
            along = held * np.float32((high - low) / length) + np.float32(low)
            index = (along * np.float32((len(FINE) - 1) / STATIONS[-1]) + np.float32(0.5)).astype(np.int32)
            run -= held
            off -= centres.take(index)
            outward = self.outward * np.array([-uy, ux])
            yield Stretch(high, part, along, index, cv2.magnitude(run, off), off, halves.take(index), outward)


def fit_limb(arm: Arm, side: int, unit: float, thickness: float, worn: F32 | None, skin: F32 | None) -> Limb:
    """The outline of an arm.

    Args:
        arm: its bones, in pixels.
        side: 0 for the wearer's right, 1 for the left.
        unit: shoulder width, in pixels.
        thickness: of the wearer's arms, as a factor on the usual, where none is seen.
        worn: (h, w) float32 0..1, the worn top. None for nothing worn.
        skin: (h, w) float32 0..1, where skin is seen. None for nowhere.
    """
    outward = (1.0, -1.0)[side]
    if worn is None:
        none = np.zeros(len(STATIONS))
        return Limb(arm, outward, none, thickness * _USUAL * unit)
    points, normals = _lines(arm, outward)
    at = points[:, None] + (_OUT * unit)[:, None] * normals[:, None]
    cloth = sample(worn, at)
    bare = np.zeros_like(cloth) if skin is None else sample(skin, at)
    seen = _read(cloth, bare)
    free = np.where(seen.doubtful, np.nan, (seen.outer - seen.inner) / 2)
    # what is much thinner than an arm is one that something hides in part; the body hides its inner side
    hidden = seen.covered & (free < 0.75 * _USUAL)
    free[hidden] = np.nan
    halves = _thickness(free, seen, thickness) * _USUAL
    # at its cuff, where the arm comes out, a sleeve lies close
    slack = np.where(seen.covered, _CLOTH * _USUAL * (1 - _near(seen.bare)[1]), 0.0)
    inner, outer = np.where(hidden, np.nan, seen.inner + slack), seen.outer - slack
    halves = _smooth(np.fmin(halves, np.where(seen.covered, (outer - inner) / 2, np.nan)), np.ones(len(STATIONS)))
    centres = _middles(inner, outer, halves, seen)
    above = _bounded(centres + halves, outer, seen, np.ones(len(STATIONS)))
    below = _bounded(halves - centres, -inner, seen, np.where(seen.doubtful, 0.5, 1.0))
    return Limb(arm, outward, (above - below) / 2 * unit, np.maximum(above + below, 0.06) / 2 * unit)


def _middles(inner: F64, outer: F64, halves: F64, seen: _Seen) -> F64:
    """(49,) how far outwards of the bone the arm's middle lies, in shoulder widths.

    It lies where it is seen, and in a sleeve close to the bone, as far as its edges allow.
    """
    middle = np.where(seen.bare & ~seen.doubtful, (outer + inner) / 2, np.nan)
    # a short sleeve that flares says nothing of where the arm in it lies, which goes on as it is where it is bare
    shown = ~np.isnan(middle) & (STATIONS < 0.95)
    loose = np.where(seen.bare, 0.0, _LOOSE + 0.02 * float(shown.sum()))
    low = np.where(np.isnan(inner) | seen.doubtful, outer - halves - loose, inner + halves)
    high = np.where(np.isnan(outer), inner + halves + loose, outer - halves)
    usual = np.interp(STATIONS, np.append(0.0, STATIONS[shown]), np.append(0.0, middle[shown]))
    fitted = np.where(np.isnan(middle), np.clip(usual, low, np.fmax(low, high)), middle)
    trust = np.where(np.isnan(fitted), 0.02, np.where(np.isnan(middle), 1.0, 4.0))
    return _smooth(np.where(np.isnan(fitted), usual, fitted), trust)


def _bounded(edge: F64, reach: F64, seen: _Seen, trust: F64) -> F64:
    """(49,) one edge of the arm, within its sleeve's and in one line with what of it is bare.

    Args:
        edge: as fitted, in shoulder widths from the bone.
        reach: as seen; NaN where it is not.
        seen: where it is bare and where it is covered.
        trust: 0..1, in what is seen of it bare.
    """
    met = _met(edge, np.where(seen.bare, reach, np.nan), trust)
    within = edge + _within(np.where(seen.covered, reach - edge, np.nan))
    return np.where(seen.covered, np.minimum(met, within), met)


def _lines(arm: Arm, outward: float) -> tuple[Point, Point]:
    """(49, 2) points on the bones, and the directions out of the arm there."""
    points, along = arm_points(arm, np.minimum(STATIONS, 1.0))
    beyond = np.maximum(STATIONS - 1, 0)
    points += (beyond / 0.2 * _PALM)[:, None] * (arm.tip - arm.wrist)
    along[beyond > 0] = unit_vector(arm.tip - arm.wrist, arm.wrist - arm.elbow)
    return points, outward * np.column_stack([-along[:, 1], along[:, 0]])


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is seen of an arm at ``STATIONS``.

    Attributes:
        inner, outer: (49,) its edges, in shoulder widths outwards of the bone; NaN where they are not seen.
        bare: (49,) whether it is bare.
        covered: (49,) whether it has a sleeve on.
        doubtful: (49,) whether the side of the top may hide some of its inner side.
    """

    inner: F64
    outer: F64
    bare: Mask
    covered: Mask
    doubtful: Mask


def _read(cloth: F32, bare: F32) -> _Seen:
    """Look for the arm on the lines across it, of which (49, 61) values 0..1 are given."""
    near = np.abs(_OUT) <= _NEAR
    sleeve, limb = _edges(cloth), _edges(bare)
    # skin beside the bone is an arm too, if it is as wide as one and has no cloth on its outer side
    width = np.nan_to_num((limb.outer - limb.inner) / 2, posinf=9.0)
    arm = (width > 0.55 * _USUAL) & (width < 1.6 * _USUAL) & (_at(cloth, limb.outer + _BESIDE) < 0.5)
    # and cloth that has skin on its outer side is a strap or a chest's
    arm |= sleeve.found & (_at(bare, sleeve.outer + _BESIDE) > 0.5)
    is_bare = arm | ((bare[:, near] > 0.5).sum(axis=1) > (cloth[:, near] > 0.5).sum(axis=1))
    is_bare &= limb.found
    covered = sleeve.found & ~is_bare
    # a hand is wider than its wrist
    far = np.where(is_bare, np.where(STATIONS > 1, 3.0, 1.8), 2.2) * _USUAL
    inner, outer = np.where(is_bare, limb.inner, sleeve.inner), np.where(is_bare, limb.outer, sleeve.outer)
    found = is_bare | covered
    # a line across a cuff's slanting end crosses hand and cuff: where the one meets the other is no edge of the arm
    end = STATIONS > 0.9
    cut_outer, cut_inner = (
        end & (_at(np.where(is_bare[:, None], cloth, bare), edge) > 0.5) for edge in (outer + _BESIDE, inner - _BESIDE)
    )
    outer = np.where(found & (outer < far) & ~cut_outer, outer, np.nan)
    inner = np.where(found & (inner > -far) & ~cut_inner, inner, np.nan)
    # the side of a top that hangs from over the armpit lies in front of the arm there
    doubtful = is_bare & (_near(covered)[1] > 0.01) & (_at(cloth, limb.inner - _BESIDE) > 0.5)
    return _Seen(inner, outer, is_bare, covered, doubtful)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """On each line the piece that is nearest to its middle: where it ends inwards and outwards, and if there is one.

    What does not end on the line ends at infinity.
    """

    inner: F64
    outer: F64
    found: Mask


def _edges(across: F32) -> _Piece:
    """The pieces on lines of (n, 61) values 0..1."""
    inside = across > 0.5
    away = np.where(inside & (np.abs(_OUT) <= _NEAR), np.abs(_OUT), np.inf)
    middle = away.argmin(axis=1)
    at, last = np.arange(len(_OUT)), len(_OUT) - 1
    before = np.where(~inside & (at < middle[:, None]), at, -1).max(axis=1)
    after = np.where(~inside & (at > middle[:, None]), at, last + 1).min(axis=1)
    rows, step = np.arange(len(across)), _OUT[1] - _OUT[0]

    def crossing(within: npt.NDArray[np.intp], beyond: npt.NDArray[np.intp]) -> F64:
        a, b = across[rows, np.clip(within, 0, last)], across[rows, np.clip(beyond, 0, last)]
        share = np.where(a > b, (a - 0.5) / np.maximum(a - b, 1e-6), 0.5)
        return np.asarray(share * step, np.float64)

    inner = np.where(before < 0, -np.inf, _OUT[np.minimum(before + 1, last)] - crossing(before + 1, before))
    outer = np.where(after > last, np.inf, _OUT[after - 1] + crossing(after - 1, after))
    return _Piece(inner, outer, np.isfinite(away.min(axis=1)))


def _at(across: F32, where: F64) -> F32:
    """(n,) what lies on each line at (n,) distances from its bone."""
    index = np.rint(np.clip(where, _OUT[0], _OUT[-1]) / (_OUT[1] - _OUT[0])).astype(np.intp) + len(_OUT) // 2
    return np.asarray(across[np.arange(len(across)), index], np.float32)


def _thickness(free: F64, shown: _Seen, usual: float) -> float:
    """How thick the arm is, as a factor on the usual: as it is where it is bare, else somewhat as its sleeve is.

    A wide sleeve says little about the arm in it.
    """
    ratio = free / _USUAL
    # what it was taken from has a sleeve on
    total, weight = 3 * usual * (1 - _CLOTH * float(shown.covered.mean())), 3.0
    seen = ratio[shown.bare & (STATIONS <= 1) & ~np.isnan(free)]
    if len(seen):
        total, weight = total + 4 * len(seen) * middle_of(seen), weight + 4 * len(seen)
    sleeve = ratio[shown.covered & ~np.isnan(free)]
    if len(sleeve):
        filled = (1 - _CLOTH) * middle_of(sleeve)
        total += len(sleeve) * (min(filled, 1.0) + 0.25 * max(filled - 1, 0.0))
        weight += len(sleeve)
    return float(np.clip(total / weight, 0.65, 1.15))


_APART = np.abs(STATIONS[:, None] - STATIONS)
_KERNEL = np.exp(-0.5 * (_APART / _SMOOTH) ** 2)
_AROUND = np.clip(np.arange(len(STATIONS))[:, None] + np.arange(-2, 3), 0, len(STATIONS) - 1)
"""(49, 5) each station with the two before and the two behind it; the ends stand in for what lies beyond them."""
_STEEPEST = 0.35
"""So fast, in shoulder widths over the arm's whole length, an arm's outline comes out of a narrow place."""


def _smooth(values: F64, trust: F64) -> F64:
    """(49,) the mean around each station."""
    # a matrix product would wake threads
    kernel = _KERNEL * trust
    return np.asarray((kernel * values).sum(axis=1) / kernel.sum(axis=1), np.float64)


def _within(edge: F64) -> F64:
    """(49,) a smooth line that stays within a ragged edge, but for its narrowest notches; infinite far from it.

    Args:
        edge: NaN where it is not known.
    """
    known = np.where(np.isnan(edge), np.inf, edge)
    held = known[_AROUND]
    # the middle one of those that are known, of an even number the lower
    count = np.isfinite(held).sum(axis=1)
    calm = np.sort(held, axis=1)[np.arange(len(held)), np.maximum(count - 1, 0) // 2]
    bound = (calm + _STEEPEST * _APART).min(axis=1)
    # a mean of minima over the same window is no more than what is in its middle
    return np.asarray(bound[_AROUND].min(axis=1)[_AROUND].mean(axis=1), np.float64)


def _met(edge: F64, seen: F64, trust: F64) -> F64:
    """(49,) an edge that goes over, within a fifth of the arm, into what is seen of it where it is bare.

    Args:
        edge: as fitted.
        seen: NaN where it is not seen.
        trust: 0..1 in that.
    """
    known = ~np.isnan(seen)
    nearest, share = _near(known)
    off = trust * np.clip(np.where(known, seen - edge, 0), -0.1, 0.1)
    return np.asarray(edge + off[nearest] * share, np.float64)


def _near(stations: Mask) -> tuple[npt.NDArray[np.intp], F64]:
    """For each station the nearest one of some, and how near it is: 1 there, 0 from a fifth of the arm on."""
    known = np.flatnonzero(stations)
    if not len(known):
        return np.zeros(len(STATIONS), np.intp), np.zeros(len(STATIONS))
    nearest = known[_APART[:, known].argmin(axis=1)]
    return nearest, np.exp(-((_APART[np.arange(len(STATIONS)), nearest] / 0.09) ** 2))
