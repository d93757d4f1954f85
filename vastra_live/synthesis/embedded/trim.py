"""The last pixels of the garment's outline: where it runs along the worn one's, it is moved onto that edge.

The worn edge is read off a small picture and is ragged by a pixel of it; a hem or a shoulder is not. So what is taken
over is how far apart the two outlines run, averaged along them, and the garment's own smooth edge is moved by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from vastra_live.synthesis.embedded.girth import arm_points, sample, unit_vector
from vastra_live.synthesis.embedded.mesh import (
    LEFT_FOREARM,
    LEFT_SLEEVE,
    RIGHT_FOREARM,
    RIGHT_SLEEVE,
    Painted,
    together,
)
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.places import window
from vastra_live.synthesis.embedded.reading import BACKGROUND, HAIR, SKIN, Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["trimmed"]

_REACH = 0.035
"""Shoulder widths that an edge moves at most."""
_ALONG = 0.08
"""Shoulder widths along the edge over which the distance between the two outlines is averaged."""
_PARTING = 0.05
"""Shoulder widths, the half side of the window over which the moves themselves are averaged."""
_FOLDED = 0.7
"""The cosine between both parts of an arm from which on its forearm lies before its own upper arm."""
_FOREARM, _BARE = np.linspace(0.6, 0.95, 8), 0.5
"""Stations of it, and how much skin is seen there on one that is bare."""
_EDGE = 0.02
"""So soft, in shoulder widths, is a forearm's edge."""


def trimmed(pieces: Mapping[int, Painted], worn: F32, reading: Reading, s: Skeleton) -> dict[int, Painted]:
    """The pieces, grown or cut back by a few pixels to the worn top's edge where the two run side by side.

    And without what would come out past a forearm.

    Args:
        pieces: the garment's pieces.
        worn: (h, w) 0..1, the worn top with its edges on the picture's.
        reading: the classes; an edge that hair makes is none of the top's.
        s: the skeleton.
    """
    pieces = _short_of_forearms(pieces, reading.share, s)
    if not pieces:
        return pieces
    unit = s.unit
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
        return pieces
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


def _short_of_forearms(pieces: Mapping[int, Painted], share: F32, s: Skeleton) -> dict[int, Painted]:
    """The pieces without what of short sleeves would come out past a bare forearm that is folded back before them.

    The upper arm points at the camera there, and how far aside its sleeve reaches is a guess; but where the wall is
    seen past the forearm no sleeve reaches.

    Args:
        pieces: the garment's.
        share: (5, h, w) class probabilities.
        s: the skeleton.
    """
    kept = dict(pieces)
    for arm, name, forearm in ((s.left, LEFT_SLEEVE, LEFT_FOREARM), (s.right, RIGHT_SLEEVE, RIGHT_FOREARM)):
        along = unit_vector(arm.wrist - arm.elbow, s.down)
        if name not in pieces or forearm in pieces or unit_vector(arm.shoulder - arm.elbow, -s.down) @ along < _FOLDED:
            continue
        if float(sample(share[SKIN], arm_points(arm, _FOREARM)[0]).mean()) < _BARE:
            continue
        piece = pieces[name]
        x0, y0, x1, y1 = piece.box
        outwards = np.array([along[1], -along[0]])
        outwards *= -np.sign(outwards @ ((s.neck + s.pelvis) / 2 - arm.elbow))
        across = (np.arange(x0, x1, dtype=np.float32) - np.float32(arm.elbow[0])) * np.float32(outwards[0])
        down = (np.arange(y0, y1, dtype=np.float32) - np.float32(arm.elbow[1])) * np.float32(outwards[1])
        # to within the forearm's own soft edge, which lies before it
        size = 2 * max(1, round(_EDGE * s.unit)) + 1
        free = cv2.dilate(share[BACKGROUND, y0:y1, x0:x1], np.ones((size, size), np.uint8))
        kept[name] = replace(piece, alpha=piece.alpha * (1 - free * np.clip(across + down[:, None], 0, 1)))
    return kept


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
