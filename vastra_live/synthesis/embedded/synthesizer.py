"""The embedded synthesizer: read the person, fit the garment, take the worn one away, light the new one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import NothingToFitError, SynthesisError
from vastra_live.synthesis.embedded.compose import bare_arms, compose, hands
from vastra_live.synthesis.embedded.fill import BackgroundPlate, bare_body, undress
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import Girth, measure_girth
from vastra_live.synthesis.embedded.guided import edge_smoother
from vastra_live.synthesis.embedded.light import relief, scene_gain
from vastra_live.synthesis.embedded.mesh import ElasticSheet, Painted
from vastra_live.synthesis.embedded.reading import (
    BACKGROUND,
    HAIR,
    LOWER,
    SKIN,
    TOP,
    ColourModels,
    Reading,
    read_person,
)
from vastra_live.synthesis.embedded.rim import solve_rim
from vastra_live.synthesis.embedded.scale import halved, halved_skeleton
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton, read_skeleton
from vastra_live.synthesis.embedded.snap import snapped
from vastra_live.synthesis.embedded.trim import trimmed
from vastra_live.types import F32, U8, Body, Category, Frame, Garment, Layer

__all__ = ["EmbeddedSynthesizer"]

_READING_SIDE = 192
_LAYER_PIXELS = 640 * 480
_STILL_KNOWN_NS = 1_500_000_000

Watch = Callable[[str, U8], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A garment made ready: once, not at every keyframe."""

    pattern: TopPattern
    sheet: ElasticSheet


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """One keyframe inside the person's box, at the layer's resolution."""

    bgr: U8
    person: F32
    skeleton: Skeleton
    box: tuple[float, float, float, float]
    scale: float

    def below(self, row: int) -> _Scene:
        """The same without its first rows."""
        x0, y0, x1, y1 = self.box
        moved = self.skeleton.seen_in(np.array([0.0, row]), 1.0)
        return _Scene(self.bgr[row:], self.person[row:], moved, (x0, y0 + row / self.scale, x1, y1), self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Resting:
    """Where the garment's points were put last."""

    targets: Point
    captured_ns: int
    garment: Garment


class EmbeddedSynthesizer:
    """Puts a top or a dress on a person with what a CPU can do in a keyframe's time; a ``Synthesizer``.

    Remembers the wearer's colours and girth and the background from keyframe to keyframe, so that a still person
    gets a still garment; a new picture size or wearer begins anew. One instance serves one run and one thread.

    Args:
        layer_pixels: the layer has at most about this many pixels; a larger person is painted smaller and drawn
            up by ``to_frame``.
        watch: called with name and picture of every intermediate, for debugging.
    """

    name = "embedded"

    def __init__(self, layer_pixels: int = _LAYER_PIXELS, watch: Watch | None = None) -> None:
        self._layer_pixels = layer_pixels
        self._watch = watch
        self._cuts: dict[int, tuple[Garment, _Cut]] = {}
        self._knows: tuple[tuple[int, int], int] | None = None
        self._forget()

    def _forget(self) -> None:
        self._colours = ColourModels()
        self._plate = BackgroundPlate()
        self._girth: Girth | None = None
        self._gain: F32 | None = None
        self._resting: _Resting | None = None

    def close(self) -> None:
        """Give memory back. Harmless when repeated."""
        self._cuts.clear()
        self._knows = None
        self._forget()

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The garment on the person of this frame.

        Raises:
            NothingToFitError: no shoulders, from behind, from the side, too small.
            SynthesisError: the garment is of category lower.
        """
        if garment.category is Category.LOWER:
            raise SynthesisError(
                f"{garment.name}: the embedded synthesizer dresses tops and dresses, not a garment of category lower"
            )
        if (frame.size, body.wearer) != self._knows:
            self._forget()
            self._knows = frame.size, body.wearer
        skeleton = read_skeleton(body)
        cut = self._prepared(garment)
        scene = self._cut_out(frame, body, skeleton, cut.pattern.reach(skeleton))
        reading, worn = self._read(scene)
        girth = self._measure(scene, worn)
        self._plate.update(frame.bgr, body.person_alpha)
        origin = np.array(scene.box[:2], float)
        targets = (cut.pattern.targets(skeleton, girth) - origin) * scene.scale
        targets = snapped(targets, cut.pattern.edges, reading, worn, scene.skeleton) / scene.scale + origin
        targets = self._steadied(targets, frame, garment, skeleton.unit)
        placed = cut.sheet.shape((targets - origin) * scene.scale)
        size = (scene.bgr.shape[1], scene.bgr.shape[0])
        painted = {
            name: piece for name in cut.sheet.pieces if (piece := cut.sheet.paint(placed, name, size)) is not None
        }
        painted = trimmed(painted, worn, reading.share[HAIR], scene.skeleton.unit)
        # the head was needed to read the person; what stays as it is need not be painted
        row = _first_row(worn, painted.values())
        scene, worn, reading = scene.below(row), worn[row:], Reading(reading.share[:, row:], reading.face[row:])
        painted = {name: _raised(piece, row) for name, piece in painted.items()}
        bgr, alpha = self._compose(frame, body, scene, reading, worn, girth, cut.pattern, painted)
        # nor is the background beside the garment worth carrying from frame to frame
        left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
        if not width or not height:
            raise NothingToFitError("the garment falls outside of the picture: move into the middle")
        part = np.s_[top : top + height, left : left + width]
        if self._watch is not None:
            fitted = np.zeros(alpha.shape, np.float32)
            for piece in painted.values():
                x0, y0, x1, y1 = piece.box
                fitted[y0:y1, x0:x1] = np.maximum(fitted[y0:y1, x0:x1], piece.alpha)
            self._show("fitted", fitted[part] * 255)
        k = 1 / scene.scale
        corner = np.array(scene.box[:2]) + k * np.array([left, top]) + (k - 1) / 2
        to_frame = np.array([[k, 0, corner[0]], [0, k, corner[1]]], np.float32)
        return Layer(np.ascontiguousarray(bgr[part]), np.ascontiguousarray(alpha[part]), frame, body, garment, to_frame)

    def worn_top(self, frame: Frame, body: Body) -> F32:
        """Where this person wears a top: (H, W) float32 0..1, at the frame's size.

        Raises:
            NothingToFitError: as :meth:`synthesize`.
        """
        scene = self._cut_out(frame, body, read_skeleton(body), 0.0)
        _, worn = self._read(scene)
        x0, y0, x1, y1 = scene.box
        whole = np.zeros(frame.bgr.shape[:2], np.float32)
        whole[y0:y1, x0:x1] = cv2.resize(worn, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return whole

    def _prepared(self, garment: Garment) -> _Cut:
        known = self._cuts.get(id(garment))
        if known is not None and known[0] is garment:
            return known[1]
        pattern = TopPattern(garment)
        cut = _Cut(pattern, ElasticSheet(garment, pattern.handles, pattern.parts, pattern.elbows))
        if len(self._cuts) >= 4:
            self._cuts.pop(next(iter(self._cuts)))
        self._cuts[id(garment)] = (garment, cut)
        return cut

    def _cut_out(self, frame: Frame, body: Body, s: Skeleton, reach: float) -> _Scene:
        width, height = frame.size
        points = np.array(
            [
                *(s.left.elbow, s.left.tip, s.right.elbow, s.right.tip, s.left.shoulder, s.right.shoulder),
                *(s.pelvis + s.down * 0.75 * s.unit, s.neck + s.down * reach, s.eyes + s.face_up * 2.4 * s.face_span),
                *(s.pelvis + s.across * 0.6 * s.unit, s.pelvis - s.across * 0.6 * s.unit),
            ]
        )
        margin = 0.32 * s.unit
        x0, y0 = np.floor(points.min(axis=0) - margin).astype(int)
        x1, y1 = np.ceil(points.max(axis=0) + margin).astype(int)
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
        scale = min(1.0, math.sqrt(self._layer_pixels / ((x1 - x0) * (y1 - y0))))
        size = (max(16, round((x1 - x0) * scale)), max(16, round((y1 - y0) * scale)))
        bgr, person = frame.bgr[y0:y1, x0:x1], body.person_alpha[y0:y1, x0:x1]
        if scale < 1:
            bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
            person = cv2.resize(person, size, interpolation=cv2.INTER_AREA)
        moved = s.seen_in(np.array([x0, y0], float), scale)
        return _Scene(np.ascontiguousarray(bgr), np.ascontiguousarray(person), moved, (x0, y0, x1, y1), scale)

    def _read(self, scene: _Scene) -> tuple[Reading, F32]:
        """The classes at reading size, and the worn top at layer size with its edges on the picture's."""
        height, width = scene.bgr.shape[:2]
        k = min(1.0, _READING_SIDE / max(height, width))
        size = (max(8, round(width * k)), max(8, round(height * k)))
        small = cv2.resize(scene.bgr, size, interpolation=cv2.INTER_AREA)
        person = cv2.resize(scene.person, size, interpolation=cv2.INTER_AREA)
        reading = read_person(small, person, scene.skeleton.seen_in(np.zeros(2), k), self._colours)
        share = np.stack(
            [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in reading.share]
        )
        face = cv2.resize(reading.face, (width, height), interpolation=cv2.INTER_LINEAR)
        radius = max(4, round(0.03 * scene.skeleton.unit))
        smooth = edge_smoother(scene.bgr, strength=60.0, levels=6.0, radius=radius, shrink=2)
        for plane in (SKIN, HAIR, TOP):
            share[plane] = smooth(share[plane])
        self._show("reading", np.clip(share[[TOP, SKIN, HAIR]].transpose(1, 2, 0) * 255, 0, 255).astype(np.uint8))
        return Reading(share, face), np.clip(share[TOP] * 1.6 - 0.3, 0, 1)

    def _measure(self, scene: _Scene, worn: F32) -> Girth:
        new = measure_girth(halved(scene.person), halved_skeleton(scene.skeleton), halved(worn))
        self._girth = new if self._girth is None else self._girth.mixed(new, 0.25)
        return self._girth

    def _steadied(self, targets: Point, frame: Frame, garment: Garment, unit: float) -> Point:
        """Targets in pixels of the frame that rest while the wearer rests, and follow at once when they move."""
        before, self._resting = self._resting, _Resting(targets, frame.captured_ns, garment)
        if before is None or before.garment is not garment:
            return targets
        if not 0 < frame.captured_ns - before.captured_ns < _STILL_KNOWN_NS:
            return targets
        moved = np.linalg.norm(targets - before.targets, axis=1, keepdims=True) / unit
        # landmarks tremble by about 1 % of the shoulders' width
        follow = np.clip(moved / 0.05, 0.12, 1.0)
        steady = before.targets + follow * (targets - before.targets)
        self._resting = _Resting(steady, frame.captured_ns, garment)
        return np.asarray(steady, np.float64)

    def _compose(
        self,
        frame: Frame,
        body: Body,
        scene: _Scene,
        reading: Reading,
        worn: F32,
        girth: Girth,
        pattern: TopPattern,
        painted: dict[int, Painted],
    ) -> tuple[U8, F32]:
        s = scene.skeleton
        unit = s.unit
        share, face = reading.share, reading.face
        kept = np.maximum(np.clip(share[HAIR] * 1.6 - 0.3, 0, 1), face)
        # a sleeve that hangs beside trousers takes no strip of them along
        rim = solve_rim(scene.bgr, worn, np.maximum(kept, np.clip(share[LOWER] * 2 - 0.6, 0, 1)), unit)
        gone = rim.gone * (1 - kept)
        small = halved_skeleton(s)
        half = ((worn.shape[1] + 1) // 2, (worn.shape[0] + 1) // 2)
        bare = bare_body(half[::-1], small, girth, pattern.sleeve_ends)
        behind = self._plate.seen_through(scene.box, frame.size, half)
        under = undress(scene.bgr, behind, share, face, rim, gone, small, bare)
        self._show("undressed", under.bgr)
        gain = scene_gain(frame.bgr, body.person_alpha)
        self._gain = gain if self._gain is None else self._gain + np.float32(0.15) * (gain - self._gain)
        folds = relief(scene.bgr, worn, unit)
        self._show("relief", np.clip(folds * 128, 0, 255).astype(np.uint8))
        sure_skin = np.clip(share[SKIN] * 1.6 - 0.3, 0, 1)
        bgr, alpha = compose(
            scene.bgr,
            under,
            painted,
            s=s,
            kept=np.maximum(kept, hands(sure_skin, s) * (1 - gone)),
            own_arms=bare_arms(sure_skin, s, girth, pattern.sleeve_ends),
            body=1 - share[BACKGROUND] - np.float32(0.7) * share[LOWER],
            light=folds,
            gain=self._gain,
        )
        self._show("layer", bgr)
        self._show("alpha", alpha * 255)
        return bgr, alpha

    def _show(self, name: str, picture: npt.NDArray[np.generic]) -> None:
        if self._watch is not None:
            self._watch(name, np.clip(picture, 0, 255).astype(np.uint8))


def _first_row(worn: F32, pieces: Iterable[Painted]) -> int:
    """The first row, an even one, where the worn top or a piece of the garment begins, with room for its rim."""
    rows = np.flatnonzero(worn.max(axis=1) > 0.01)
    starts = [int(rows[0])] if len(rows) else []
    starts += [piece.box[1] for piece in pieces]
    room = max(8, worn.shape[0] // 40)
    return max(0, min(starts, default=0) - room) // 2 * 2


def _raised(piece: Painted, rows: int) -> Painted:
    x0, y0, x1, y1 = piece.box
    return replace(piece, box=(x0, y0 - rows, x1, y1 - rows))
