"""The last pixels of the garment's outline: where it runs along the worn one's, it is moved onto that edge.

The worn edge is read off a small picture and is ragged by a pixel of it; a hem or a shoulder is not. So what is taken
over is how far apart the two outlines run, averaged along them, and the garment's own smooth edge is moved by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from vastra_live.synthesis.embedded.mesh import Painted, together
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import window
from vastra_live.synthesis.embedded.reading import BACKGROUND, HAIR, SKIN, Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.types import F32, U8

__all__ = ["trimmed"]

_REACH = 0.035
"""Shoulder widths that an edge moves at most."""
_ALONG = 0.08
"""Shoulder widths along the edge over which the distance between the two outlines is averaged."""
_PARTING = 0.05
"""Shoulder widths, the half side of the window over which the moves themselves are averaged."""


def trimmed(pieces: Mapping[int, Painted], worn: F32, reading: Reading, unit: float) -> dict[int, Painted]:
    """The pieces, grown or cut back by a few pixels to the worn top's edge where the two run side by side.

    Args:
        pieces: the garment's pieces.
        worn: (h, w) 0..1, the worn top with its edges on the picture's.
        reading: the classes; an edge that hair makes is none of the top's.
        unit: shoulder width in pixels.
    """
    if not pieces:
        return dict(pieces)
    corners = [corner for x0, y0, x1, y1 in (piece.box for piece in pieces.values()) for corner in ((x0, y0), (x1, y1))]
    # nothing farther away than this has a say in how an edge moves; even sides, which halved are half as long
    rows, columns = (
        slice(span.start // 2 * 2, min(-(-span.stop // 2) * 2, length))
        for span, length in zip(window(worn.shape, corners, 0.25 * unit), worn.shape, strict=True)
    )
    top, left, part = rows.start, columns.start, (rows, columns)
    union = together(pieces.values(), worn.shape)[part]
    reading = Reading(reading.share[(slice(None), *part)], reading.face[part])
    radius = max(2, round(_REACH * unit))
    moves = _moves(union, _without_stripes(worn[part], reading, radius), reading.share[HAIR], unit)
    if moves is None:
        return dict(pieces)
    result = {}
    for name, piece in pieces.items():
        x0, y0, x1, y1 = piece.box[0] - left, piece.box[1] - top, piece.box[2] - left, piece.box[3] - top
        across = np.arange(x1 - x0, dtype=np.float32)[None] - moves[0][y0:y1, x0:x1]
        down = np.arange(y1 - y0, dtype=np.float32)[:, None] - moves[1][y0:y1, x0:x1]
        alpha = cv2.remap(piece.alpha, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if piece.covered is not None:
            alpha = np.minimum(alpha, np.maximum(piece.covered, piece.alpha))
        result[name] = replace(piece, alpha=np.asarray(alpha, np.float32))
    return result


def _without_stripes(worn: F32, reading: Reading, radius: int) -> F32:
    """The worn top with narrow stripes, which are read as something else, filled; not the gap beside an arm. Halved."""
    size = radius | 1
    small = halved(worn)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    other = halved(ramp(reading.share[BACKGROUND] + reading.share[SKIN] + reading.share[HAIR], 2, 0))
    return np.maximum(small, np.minimum(closed, 1 - other))


def _moves(union: F32, worn: F32, hair: F32, unit: float) -> tuple[F32, F32] | None:
    """How far the garment's edge moves, right and down, as (h, w) each; None where no edges run side by side.

    Args:
        union: (h, w) 0..1, the garment.
        worn: (h/2, w/2) 0..1, the worn top.
        hair: (h, w) 0..1.
        unit: shoulder width in pixels of the union.
    """
    garment = halved(union)
    new, old = _depth(garment > 0.5), _depth(worn > 0.5)
    reach = _REACH * unit / 2
    apart = old - new
    ax, ay = _slope(new)
    bx, by = _slope(old)
    free = 1 - cv2.dilate(halved(hair), np.ones((5, 5), np.uint8))
    edge = (np.abs(new) < 1.6).astype(np.float32)
    alike = ramp(ax * bx + ay * by, 3, -1.8) * (np.abs(apart) <= reach) * np.maximum(free, 0)
    weight = (edge * alike).astype(np.float32)
    if float(weight.max(initial=0)) < 0.5:
        return None
    size = 2 * max(1, round(0.25 * _ALONG * unit)) + 1
    mass = _mean(weight, size)
    distance = _mean(weight * apart, size) / np.maximum(mass, 1e-4)
    # a stray pixel beside another edge is none that runs along it
    edges = _mean(edge, size)
    follow = ramp(mass / np.maximum(edges, 1e-4), 2, -0.5)
    # where the two part, the garment's edge leaves the worn one's in a long curve: a step in its move is a dent
    size = 2 * max(1, round(_PARTING * unit)) + 1
    edge_follows = edge * follow
    total, followed, way = (cv2.blur(v, (size, size)) for v in (edge, edge_follows, edge_follows * distance))
    around = 1 / np.maximum(total, np.float32(1e-4))
    wholly = ramp(followed * around, 2.5, -1.5)
    moved = wholly * follow * distance + (1 - wholly) * way * around
    moved *= 2 * ramp(np.abs(new), -1 / reach, 2)
    moved[edges < 1e-3] = 0
    return enlarged(-moved * ax, union.shape), enlarged(-moved * ay, union.shape)


def _depth(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> F32:
    """(h, w) distance to the edge in pixels, positive inside."""
    mask: U8 = inside.astype(np.uint8)
    return np.asarray(
        cv2.distanceTransform(mask, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3), np.float32
    )


def _slope(depth: F32) -> tuple[F32, F32]:
    """Unit vectors towards the inside, smoothed over a few pixels."""
    soft = cv2.blur(depth, (5, 5))
    x, y = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    length = np.sqrt(x * x + y * y) + np.float32(1e-6)
    return np.asarray(x / length, np.float32), np.asarray(y / length, np.float32)


def _mean(values: F32, size: int) -> F32:
    return np.asarray(cv2.blur(cv2.blur(values, (size, size)), (size, size)), np.float32)
