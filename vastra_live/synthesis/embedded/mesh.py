"""A garment as an elastic sheet: parts, mesh, and the picture of the sheet pulled into another shape.

The mesh lies over the product photo. Torso and sleeves are sheets of their own, sewn together along the seams
from shoulder to armpit, so that a sleeve hanging beside the torso in the photo does not stick to it. Where
handles pull, the sheet follows with the least bending (thin-plate energy on the mesh, so bending spreads through
cloth and not through the air between sleeve and side). The energy is quadratic: the shape is a fixed matrix
times the handles, computed once a garment, and a keyframe costs one product.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.girth import middle_of
from vastra_live.synthesis.embedded.inverse_map import inverse_map
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.parts import front_of, has_sleeves, part_masks
from vastra_live.synthesis.embedded.scale import enlarged_part
from vastra_live.types import F32, U8, Garment

__all__ = [
    "FOREARMS",
    "LEFT_FOREARM",
    "LEFT_SLEEVE",
    "RIGHT_FOREARM",
    "RIGHT_SLEEVE",
    "TORSO",
    "ElasticSheet",
    "Painted",
    "together",
]

TORSO, LEFT_SLEEVE, RIGHT_SLEEVE, LEFT_FOREARM, RIGHT_FOREARM = range(5)
"""Pieces to paint. A sleeve is one part of the mesh but two pieces: bent, its forearm lies over its upper arm."""
FOREARMS = {LEFT_FOREARM: LEFT_SLEEVE, RIGHT_FOREARM: RIGHT_SLEEVE}
"""The pieces that are forearms, and the parts that they belong to, whose name is that of the upper arm's piece."""
_FOREARM = {part: piece for piece, part in FOREARMS.items()}
_PART = {**{part: part for part in range(3)}, **FOREARMS}
_CELLS_ACROSS = 26
# px of the layer per sample of the inverse map; the sheet bends over whole cells, so this loses nothing
_STEP = 4
# so steep is the edge of a crease, over which samples are blurred
_CREASE = 3.0

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """One part of a garment drawn into a layer.

    Attributes:
        box: x0, y0, x1, y1 in the layer, exclusive.
        bgr: (y1 - y0, x1 - x0, 3) uint8, colour.
        alpha: (y1 - y0, x1 - x0) float32, 0..1.
        covered: (y1 - y0, x1 - x0) float32 0 or 1, where ``bgr`` continues the cloth beyond ``alpha``; None for
            nowhere.
    """

    box: tuple[int, int, int, int]
    bgr: U8
    alpha: F32
    covered: F32 | None = None

    def every_fourth(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Where it is in a layer of every fourth pixel, rows and columns, and which of its own pixels lie there."""
        x0, y0, x1, y1 = self.box
        few = slice(-(-y0 // 4), -(-y1 // 4)), slice(-(-x0 // 4), -(-x1 // 4))
        return few, (slice(-y0 % 4, None, 4), slice(-x0 % 4, None, 4))


def together(pieces: Iterable[Painted], shape: tuple[int, ...]) -> F32:
    """(h, w) 0..1: where any of the pieces is, in a layer of height and width ``shape``."""
    union = np.zeros(shape, np.float32)
    for piece in pieces:
        x0, y0, x1, y1 = piece.box
        np.maximum(union[y0:y1, x0:x1], piece.alpha, out=union[y0:y1, x0:x1])
    return union


class ElasticSheet:
    """The mesh of one garment.

    Args:
        garment: the garment.
        handles: (C, 2) points of the photo that will be pulled.
        handle_parts: (C,) part each handle is fastened to: ``TORSO``, ``LEFT_SLEEVE``, ``RIGHT_SLEEVE``.
        elbows: for each sleeve that has one, a point of the photo at its elbow, the direction to its cuff, and how far
            beyond that point each half of the sleeve may be shown.
        masks: what of the photo each part shows; by default those of a top or dress. The legs of trousers take the
            sleeves' places, and their torso is empty.
        seams: segments of the photo along which the parts are sewn together; by default those of a top or dress.
    """

    def __init__(
        self,
        garment: Garment,
        handles: F64,
        handle_parts: I32,
        elbows: Mapping[int, tuple[F64, F64, float]] | None = None,
        masks: list[F32] | None = None,
        seams: list[tuple[F64, F64]] | None = None,
    ) -> None:
        masks = part_masks(garment) if masks is None else masks
        seams = _seams(garment) if seams is None else seams
        spacing = max(np.ptp(np.argwhere(garment.alpha > 0.5), axis=0).max() / _CELLS_ACROSS, 4.0)
        self._spacing = float(spacing)
        self._vertices, self._quads, self._quad_parts = _grid(masks, seams, self._spacing)
        self._pull = self._solve(handles, handle_parts)
        picture = _bled(garment)
        self._textures = [_pyramid(_bgra(picture, _overlap(masks, k))) for k in range(len(masks))]
        self._pieces = {part: self._quads[self._quad_parts == part] for part in range(len(masks))}
        for part, (elbow, towards, reach) in (elbows or {}).items():
            quads = self._pieces[part]
            beyond = (self._vertices[quads].mean(axis=1) - elbow) @ towards
            # at least a cell past the elbow, so that there is cloth under the crease
            past = max(1.2 * self._spacing, reach + 0.5 * self._spacing)
            self._pieces[part] = quads[beyond < past]
            self._pieces[_FOREARM[part]] = quads[beyond > -past]

    @property
    def pieces(self) -> tuple[int, ...]:
        """What can be painted."""
        return tuple(self._pieces)

    def shape(self, targets: F64) -> F64:
        """(V, 2) where the vertices go when the handles are pulled to the (C, 2) ``targets``."""
        return self._pull @ targets

    def folds(self, placed: F64, piece: int) -> float:
        """Share of the piece's cells that are turned over, 0..1."""
        return float((_turned(placed[self._pieces[piece]]) <= 0).mean())

    def paint(self, placed: F64, piece: int, size: tuple[int, int]) -> Painted | None:
        """Draw a piece at its place into a layer of (width, height); None when it falls outside."""
        quads = self._pieces[piece]
        if not len(quads):
            return None
        corners = placed[quads]
        x0, y0 = np.floor(corners.min(axis=(0, 1))).astype(int)
        x1, y1 = np.ceil(corners.max(axis=(0, 1))).astype(int) + 1
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(size[0], x1), min(size[1], y1)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return None
        # samples lie in the middles of blocks of pixels, where cv2.resize looks for them; the first ones before the box
        coarse = (-(-(x1 - x0) // _STEP) + 2, -(-(y1 - y0) // _STEP) + 2)
        target = (corners - (x0, y0) + (_STEP + 1) / 2) / _STEP
        where, hit = inverse_map(target, self._vertices[quads], coarse)
        creased = bool((_turned(corners) <= 0).any())
        if creased:
            where, hit = _softened(where, hit)
        level = self._level(corners)
        scale = 0.5**level
        where = (where + 0.5) * np.float32(scale) - np.float32(0.5)
        part = slice(_STEP, _STEP + y1 - y0), slice(_STEP, _STEP + x1 - x0)
        x, y, valid = (enlarged_part(plane, _STEP, part) for plane in (*cv2.split(where), hit))
        # one lookup for four channels takes half the time of two, for three and for one
        bgra = cv2.remap(self._textures[_PART[piece]][level], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        covered = ramp(valid, _CREASE, 0.5 - 0.5 * _CREASE) if creased else (valid >= 0.999).astype(np.float32)
        alpha = cv2.multiply(cv2.extractChannel(bgra, 3), covered, scale=1 / 255, dtype=cv2.CV_32F)
        return Painted((x0, y0, x1, y1), cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), alpha, covered)

    def _level(self, corners: F64) -> int:
        """The level of the picture pyramid that has about the layer's resolution."""
        across = corners[:, 1] - corners[:, 0]
        ratio = self._spacing / max(middle_of(np.hypot(across[:, 0], across[:, 1])), 1e-3)
        return min(max(round(math.log2(max(ratio, 1e-3)) - 0.15), 0), len(self._textures[0]) - 1)

    def _solve(self, handles: F64, parts: I32) -> F64:
        """(V, C) matrix from handles to vertices: least bending, handles held softly."""
        count = len(self._vertices)
        normal = np.zeros((count, count))
        seen: set[tuple[int, int, int]] = set()

        def bend(indices: tuple[int, ...], weights: tuple[float, ...], strength: float) -> None:
            for i, wi in zip(indices, weights, strict=True):
                for j, wj in zip(indices, weights, strict=True):
                    normal[i, j] += strength * wi * wj

        after_x: dict[tuple[int, int], int] = {}
        after_y: dict[tuple[int, int], int] = {}
        for quad, part in zip(self._quads, self._quad_parts, strict=True):
            a, b, c, d = (int(v) for v in quad)
            bend((a, b, c, d), (1, -1, 1, -1), 2.0)
            for first, second, table in ((a, b, after_x), (d, c, after_x), (a, d, after_y), (b, c, after_y)):
                table[(first, int(part))] = second
        for table in (after_x, after_y):
            for (first, part), second in table.items():
                third = table.get((second, part))
                if third is not None and (first, second, third) not in seen:
                    seen.add((first, second, third))
                    bend((first, second, third), (1, -2, 1), 1.0)
        held = np.zeros((len(handles), count))
        for k, (handle, part) in enumerate(zip(handles, parts, strict=True)):
            own = np.flatnonzero(self._quad_parts == part)
            low = self._vertices[self._quads[own, 0]]
            inside = own[np.argmin(np.abs(handle - low - self._spacing / 2).max(axis=1))]
            a, b, c, d = self._quads[inside]
            u, v = np.clip((handle - self._vertices[a]) / self._spacing, -0.5, 1.5)
            held[k, [a, b, c, d]] = (1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v
        weight = 30.0
        normal += weight * held.T @ held + 1e-7 * np.eye(count)
        pull: F64 = np.linalg.solve(normal, weight * held.T)
        return pull


def _turned(corners: F64) -> F64:
    """(n,) the area of each of (n, 4, 2) cells; of one that is turned over it is negative."""
    across, down = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    return np.asarray(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0], np.float64)


def _softened(where: F32, hit: F32) -> tuple[F32, F32]:
    """The samples carried on by one beyond a crease, and how far inside of it they lie: without steps from one to one.

    Args:
        where: (h, w, 2) positions, 0 where there are none.
        hit: (h, w) 1 where there are.
    """
    inside = cv2.blur(hit, (3, 3))
    beyond = cv2.blur(where, (3, 3)) / np.maximum(inside, np.float32(1e-3))[..., None]
    return np.where(hit[..., None] > 0, where, beyond), inside


def _overlap(masks: list[F32], part: int) -> F32:
    """A part's alpha, reaching a little under its neighbour: sleeves over torso meet without a crack."""
    if part != TORSO or len(masks) == 1:
        return masks[part]
    size = 2 * max(2, masks[0].shape[1] // 120) + 1
    under = cv2.dilate(masks[0], np.ones((size, size), np.uint8))
    return np.asarray(np.minimum(under, masks[0] + masks[1] + masks[2]), np.float32)


def _bled(garment: Garment) -> U8:
    """The photo with the cloth's colours carried on over its edge: no rim of the photo's ground comes along."""
    front = front_of(garment)
    beyond = cv2.dilate((front < 0.97).astype(np.uint8), np.ones((3, 3), np.uint8))
    if beyond.all():
        return garment.bgr
    _, nearest = cv2.distanceTransformWithLabels(beyond, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    cloth = beyond == 0
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[cloth]] = garment.bgr[cloth]
    return np.asarray(colours[nearest], np.uint8)


def _bgra(bgr: U8, alpha: F32) -> U8:
    """(H, W, 4) uint8."""
    return np.asarray(cv2.merge((*cv2.split(bgr), np.round(alpha * 255).astype(np.uint8))), np.uint8)


def _pyramid(bgra: U8) -> list[U8]:
    """(h, w, 4) the picture in halving sizes; nothing of a garment goes on beyond its photo."""
    levels = [bgra]
    for _ in range(5):
        height, width = levels[-1].shape[:2]
        if min(height, width) < 32:
            break
        size = ((width + 1) // 2, (height + 1) // 2)
        levels.append(np.asarray(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA), np.uint8))
    for level in levels:
        level[[0, -1], :, 3] = level[:, [0, -1], 3] = 0
    return levels


def _grid(masks: list[F32], seams: list[tuple[F64, F64]], spacing: float) -> tuple[F64, I32, I32]:
    """Vertices (V, 2), quads (Q, 4: top left, top right, bottom right, bottom left), part of each quad."""
    height, width = masks[0].shape
    columns, rows = int(np.ceil(width / spacing)) + 4, int(np.ceil(height / spacing)) + 4
    origin = -2.0 * spacing
    vertices: list[tuple[float, float]] = []
    quads: list[tuple[int, int, int, int]] = []
    parts: list[int] = []
    sewn: dict[tuple[int, int], int] = {}
    for part, mask in enumerate(masks):
        reach = int(0.6 * spacing)
        grown = cv2.dilate((mask > 0.05).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        index: dict[tuple[int, int], int] = {}

        def vertex(i: int, j: int, index: dict[tuple[int, int], int] = index) -> int:
            if (i, j) not in index:
                point = np.array([origin + j * spacing, origin + i * spacing])
                at_seam = any(_to_segment(point, a, b) < 0.9 * spacing for a, b in seams)
                known = sewn.get((i, j)) if at_seam else None
                if known is None:
                    known = len(vertices)
                    vertices.append((point[0], point[1]))
                    if at_seam:
                        sewn[(i, j)] = known
                index[(i, j)] = known
            return index[(i, j)]

        for i in range(rows):
            for j in range(columns):
                x0, y0 = origin + j * spacing, origin + i * spacing
                xa, ya = max(0, int(x0)), max(0, int(y0))
                xb, yb = min(width, int(x0 + spacing) + 1), min(height, int(y0 + spacing) + 1)
                cell = grown[ya:yb, xa:xb] if xb > xa and yb > ya else None
                clipped_x, clipped_y = np.clip(x0 + spacing / 2, 0, width - 1), np.clip(y0 + spacing / 2, 0, height - 1)
                beyond = max(abs(x0 + spacing / 2 - clipped_x), abs(y0 + spacing / 2 - clipped_y)) <= spacing
                touched = (
                    cell.any() if cell is not None and cell.size else beyond and grown[int(clipped_y), int(clipped_x)]
                )
                if touched:
                    quads.append((vertex(i, j), vertex(i, j + 1), vertex(i + 1, j + 1), vertex(i + 1, j)))
                    parts.append(part)
    return np.array(vertices), np.array(quads, np.int32), np.array(parts, np.int32)


def _seams(garment: Garment) -> list[tuple[F64, F64]]:
    marks = garment.landmarks_px
    if not has_sleeves(garment):
        return []
    return [(np.array(marks[f"shoulder_{s}"]), np.array(marks[f"armpit_{s}"])) for s in ("left", "right")]


def _to_segment(point: F64, start: F64, end: F64) -> float:
    along = end - start
    t = np.clip((point - start) @ along / max(float(along @ along), 1e-6), 0, 1)
    return float(np.linalg.norm(point - start - t * along))
