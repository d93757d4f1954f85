"""A sleeve that bends: each half of it laid out along its own bone, and the two mitred where they meet.

A sheet that is bent sharply turns over on the inside of the bend and is torn on its outside; cloth on an arm creases
instead. So a bent sleeve is two straight ones: in one shape of the sheet all of it runs on along the upper arm, in the
other all of it comes along the forearm. Of each that half is shown which its bone carries, with a round end at the
elbow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from vastra_live.synthesis.embedded.girth import ELBOW, unit_vector
from vastra_live.synthesis.embedded.mesh import FOREARMS, ElasticSheet, Painted
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import window
from vastra_live.synthesis.embedded.skeleton import Arm, Point
from vastra_live.types import F32

__all__ = ["Bend", "Run", "mitred", "paint_bent", "straightened"]


_ROUND = 0.8
"""How far a sleeve goes on beyond the middle of the elbow, in halves of its width."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """The pinned points of one edge of a sleeve, from the shoulder to the cuff.

    Attributes:
        points: their numbers.
        stations: (n,) where along the arm each lies, 0 at the shoulder, 1 at the wrist.
    """

    points: tuple[int, ...]
    stations: Point


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """Where a sleeve bends, in pixels.

    Attributes:
        elbow: (2,) the joint.
        upper: (2,) the direction that comes to it.
        fore: (2,) the direction that goes on from it.
        shift: how far to the right of both, looking along them, the sleeve's middle lies.
        half: half the width of the sleeve there.
    """

    elbow: Point
    upper: Point
    fore: Point
    shift: float
    half: float


def paint_bent(
    sheet: ElasticSheet, pinned: Point, sleeves: Mapping[int, tuple[Run, Run, Arm]], size: tuple[int, int]
) -> dict[int, Painted]:
    """All pieces of a garment that are in the picture, its sleeves bent as the arms are.

    Args:
        sheet: the garment.
        pinned: (C, 2) where its points were put, in pixels of the layer.
        sleeves: for each sleeve that reaches past the elbow its outer and its inner edge, and the arm in it.
        size: (width, height) of the layer.
    """
    upper, fore = pinned.copy(), pinned.copy()
    bends = {}
    for part, (outer, inner, arm) in sleeves.items():
        numbers = [*outer.points, *inner.points]
        upper[numbers], fore[numbers], bends[part] = straightened(pinned, outer, inner, arm)
    shapes = {True: sheet.shape(fore), False: sheet.shape(upper)} if sleeves else {False: sheet.shape(pinned)}
    painted = {}
    for name in sheet.pieces:
        forearm = name in FOREARMS
        piece = sheet.paint(shapes[forearm], name, size)
        if piece is not None:
            bend = bends.get(FOREARMS.get(name, name))
            painted[name] = piece if bend is None else mitred(piece, bend, forearm=forearm)
    return painted


def straightened(placed: Point, outer: Run, inner: Run, arm: Arm) -> tuple[Point, Point, Bend]:
    """A sleeve's points with the arm straight: all along its upper arm, and all along its forearm.

    Args:
        placed: (C, 2) every pinned point where it lies on the bent arm.
        outer, inner: the sleeve's edges.
        arm: in the same pixels.

    Returns:
        (n, 2) twice, the outer edge's points and then the inner edge's, and the bend.
    """
    upper = unit_vector(arm.elbow - arm.shoulder, arm.wrist - arm.elbow)
    fore = unit_vector(arm.wrist - arm.elbow, upper)
    shapes: tuple[list[Point], list[Point]] = [], []
    ends = []
    for run in (outer, inner):
        along, off = _on_the_bones(placed[list(run.points)] - arm.elbow, run.stations, upper, fore)
        for shape, bone in zip(shapes, (upper, fore), strict=True):
            shape.append(arm.elbow + along[:, None] * bone + off[:, None] * _normal(bone))
        ends.append(float(np.interp(ELBOW, run.stations, off)))
    bend = Bend(arm.elbow, upper, fore, 0.5 * (ends[0] + ends[1]), 0.5 * abs(ends[0] - ends[1]))
    return np.concatenate(shapes[0]), np.concatenate(shapes[1]), bend


def _on_the_bones(away: Point, stations: Point, upper: Point, fore: Point) -> tuple[Point, Point]:
    """(n,) how far beyond the elbow each point lies along its own bone, and (n,) how far beside it.

    Args:
        away: (n, 2) from the elbow.
        stations: (n,) along the arm.
        upper, fore: directions of the bones.
    """
    bones = np.where((stations > ELBOW)[:, None], fore, upper)
    along = (away * bones).sum(axis=1)
    off = away[:, 1] * bones[:, 0] - away[:, 0] * bones[:, 1]
    # at the elbow itself it lies on the corner of the two, which is farther out than either
    corner = np.abs(stations - ELBOW) < 0.03
    along[corner] = 0
    off[corner] = np.interp(stations[corner], stations[~corner], off[~corner])
    return along, off


def _normal(bone: Point) -> Point:
    return np.array([-bone[1], bone[0]])


def mitred(piece: Painted, bend: Bend, *, forearm: bool) -> Painted:
    """A half of a bent sleeve, ended at the elbow.

    Args:
        piece: painted from the straight shape along its own bone, on beyond the elbow.
        bend: where it ends.
        forearm: whether it is the forearm's half, which lies over the other.
    """
    x0, y0, x1, y1 = piece.box
    x = np.arange(x0, x1, dtype=np.float32) - np.float32(bend.elbow[0])
    y = np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(bend.elbow[1])
    bone = bend.fore if forearm else bend.upper
    own = _along(bone if forearm else -bone, x, y)
    shown = ramp(own, 1, 0.5)
    near = window(own.shape, [bend.elbow - (x0, y0)], bend.half + abs(bend.shift) + 1)
    x, y, own = x[near[1]], y[near[0]], own[near]
    if own.size:
        off = _along(_normal(bone), x, y) - np.float32(bend.shift)
        # half an ellipse: a circle once lengths along the bone are divided by its shape
        own = own * np.float32(1 / _ROUND)
        end = np.clip(np.float32(bend.half + 0.5) - np.sqrt(own * own + off * off), 0, 1)
        if forearm:
            end *= np.clip(_along(bend.upper + bend.fore, x, y) + np.float32(0.5), 0, 1)
        np.maximum(shown[near], end, out=shown[near])
    return replace(piece, alpha=piece.alpha * shown)


def _along(direction: Point, x: F32, y: F32) -> F32:
    """(h, w) how far each pixel lies in a direction."""
    return x * np.float32(direction[0]) + y * np.float32(direction[1])
