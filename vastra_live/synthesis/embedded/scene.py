"""One keyframe inside the box that matters, at the resolution it is painted in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.synthesis.embedded.mesh import Painted
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import Window, window
from vastra_live.synthesis.embedded.scale import shrunk
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32, U8, Body, Frame

__all__ = ["Scene", "cut_at_edge", "cut_out", "filled", "first_row", "raised", "touched"]

_BROAD, _MORE, _LEGS = 0.15, 0.06, 0.3
"""The lowest row in which so much of the hips' width is the wearer's is an edge when so much of the picture, and of the
legs, is below it, in shoulder widths."""
_RIM = 4
_PUFF = 0.6
"""So far from the arms' joints, in shoulder widths, sleeves reach at most."""
_SWING = 3.0
"""So far from the middle of the hips, in shoulder widths, a skirt reaches at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One keyframe inside the person's box, at the layer's resolution.

    Attributes:
        bgr: (h, w, 3) uint8.
        person: (h, w) float32 0..1, the silhouette.
        skeleton: in pixels of ``bgr``.
        box: x0, y0, x1, y1 in the frame.
        scale: pixels of ``bgr`` per pixel of the frame, at most 1.
    """

    bgr: U8
    person: F32
    skeleton: Skeleton
    box: tuple[float, float, float, float]
    scale: float

    def below(self, row: int) -> Scene:
        """The same without its first rows."""
        x0, y0, x1, y1 = self.box
        moved = self.skeleton.seen_in(np.array([0.0, row]), 1.0)
        return Scene(self.bgr[row:], self.person[row:], moved, (x0, y0 + row / self.scale, x1, y1), self.scale)


def cut_out(frame: Frame, body: Body, s: Skeleton, reach: float, pixels: int, *, legs: bool) -> Scene:
    """The part of a frame that a garment and what is worn under it may change.

    Args:
        frame: the camera frame.
        body: whose silhouette is cut out too.
        s: the skeleton, in pixels of the frame.
        reach: how far below the shoulder joints a top or dress hangs, in pixels of the frame.
        pixels: a larger box is shrunk to about so many.
        legs: whether the legs belong to it.
    """
    width, height = frame.size
    points = [
        *(s.left.elbow, s.left.tip, s.right.elbow, s.right.tip, s.left.shoulder, s.right.shoulder),
        *(s.pelvis + s.down * 0.75 * s.unit, s.neck + s.down * reach, s.eyes + s.face_up * 2.4 * s.face_span),
        *(s.pelvis + s.across * 0.6 * s.unit, s.pelvis - s.across * 0.6 * s.unit),
    ]
    if legs:
        points += [joint for leg in (s.left_leg, s.right_leg) for joint in (leg.hip, leg.knee, leg.ankle)]
    corners = [np.min(points, axis=0) - 0.32 * s.unit, np.max(points, axis=0) + 0.32 * s.unit]
    # sleeves puff out, and a skirt swings wider than the legs stand
    room = _PUFF * s.unit
    low, high = np.min(points[:6], axis=0) - room, np.max(points[:6], axis=0) + room
    corners += _silhouette(body.person_alpha, s.neck[1], s.pelvis[1], low, high)
    if legs:
        low, high = s.pelvis - _SWING * s.unit, s.pelvis + _SWING * s.unit
        corners += _silhouette(body.person_alpha, s.pelvis[1], height, low, high)
    x0, y0 = np.floor(np.min(corners, axis=0)).astype(int)
    x1, y1 = np.ceil(np.max(corners, axis=0)).astype(int)
    # even sizes, which are halved fast and exactly
    x0, y0 = max(0, x0) // 2 * 2, max(0, y0) // 2 * 2
    x1, y1 = min(width, x1 + 1) // 2 * 2, min(height, y1 + 1) // 2 * 2
    scale = min(1.0, math.sqrt(pixels / ((x1 - x0) * (y1 - y0))))
    if scale < 1:
        # one scale for both sides: of the columns, which are margin, up to two are left out
        scale = max(8, round((y1 - y0) * scale / 2)) * 2 / (y1 - y0)
        x1 = x0 + min(x1 - x0, round(max(8, int((x1 - x0) * scale / 2)) * 2 / scale))
    size = (round((x1 - x0) * scale), round((y1 - y0) * scale))
    bgr, person = frame.bgr[y0:y1, x0:x1], body.person_alpha[y0:y1, x0:x1]
    if scale < 1:
        bgr, person = shrunk(bgr, size), shrunk(person, size)
    moved = s.seen_in(np.array([x0, y0], float), scale)
    return Scene(np.ascontiguousarray(bgr), np.ascontiguousarray(person), moved, (x0, y0, x1, y1), scale)


def _silhouette(person: F32, first: float, last: float, low: Point, high: Point) -> list[Point]:
    """Two corners of what a silhouette shows between two rows; what lies outside of a box is no part of the wearer."""
    top, end = (int(np.clip(row, 0, len(person))) for row in (first, last))
    if top >= end:
        return []
    x, y, width, height = cv2.boundingRect((person[top:end] > 0.05).astype(np.uint8))
    # with a little room for its rim
    corners = np.array([(x - _RIM, y + top), (x + width + _RIM, y + top + height)], float)
    return list(np.clip(corners, low, high)) if width else []


def first_row(worn: F32, pieces: Iterable[Painted]) -> int:
    """The first row, an even one, where the worn garment or a piece of the new one begins, with room for its rim."""
    rows = np.flatnonzero(worn.max(axis=1) > 0.01)
    starts = [int(rows[0])] if len(rows) else []
    starts += [piece.box[1] for piece in pieces]
    room = max(8, worn.shape[0] // 40)
    return max(0, min(starts, default=0) - room) // 2 * 2


def cut_at_edge(alpha: F32, person: F32, s: Skeleton) -> None:
    """Leave out what lies below the edge of a table or wall that the wearer stands behind. In place.

    The edge is where the silhouette ends, though legs should go on and there is more of the picture below.

    Args:
        alpha: (h, w) 0..1, of the layer.
        person: (h, w) 0..1, the silhouette.
        s: the skeleton, in the same pixels.
    """
    height, width = person.shape
    left, right = (int(np.clip(s.pelvis[0] + side * 0.5 * s.unit, 0, width)) for side in (-1, 1))
    strip = person[:, left:right:4] > 0.5
    rows = np.flatnonzero(strip.sum(axis=1) > _BROAD * np.size(strip, 1))
    if not len(rows):
        return
    edge = int(rows[-1]) + 1
    ankles = max(s.left_leg.ankle[1], s.right_leg.ankle[1])
    if height - edge < _MORE * s.unit or ankles - edge < _LEGS * s.unit:
        return
    below = alpha[edge:]
    # an arm that lies on the table is before it
    below *= ramp(cv2.blur(person[edge:], (3, 3)), 2, 0)


def raised(piece: Painted, rows: int, columns: int = 0) -> Painted:
    """A piece in a scene without its first rows and columns."""
    x0, y0, x1, y1 = piece.box
    return replace(piece, box=(x0 - columns, y0 - rows, x1 - columns, y1 - rows))


def touched(gone: F32, pieces: Iterable[Painted], unit: float) -> Window:
    """What a layer may change: where something goes and where pieces come, with room for their shadows.

    Args:
        gone: (h, w), above 0 where what is worn goes; of even size.
        pieces: of the new garment.
        unit: shoulder width in pixels.

    Returns:
        Rows and columns, beginning where a pixel of the picture does that is halved twice.
    """
    left, top, width, height = cv2.boundingRect((gone > 0).astype(np.uint8))
    boxes = [piece.box for piece in pieces]
    if width:
        boxes.append((left, top, left + width, top + height))
    corners = [(x, y) for x0, y0, x1, y1 in boxes for x, y in ((x0, y0), (x1, y1))]
    rows, columns = window(gone.shape, corners or [(0.0, 0.0)], 0.1 * unit)
    return (
        slice(rows.start // 4 * 4, min(-(-rows.stop // 4) * 4, gone.shape[0])),
        slice(columns.start // 4 * 4, min(-(-columns.stop // 4) * 4, gone.shape[1])),
    )


def filled(alpha: F32) -> tuple[slice, slice]:
    """The rows and columns that hold anything."""
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    return slice(top, top + height), slice(left, left + width)
