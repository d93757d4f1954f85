"""The embedded synthesizer: read the person, fit the garment, take the worn one away, light the new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import NothingToFitError
from vastra_live.synthesis.embedded.bare import bare_body
from vastra_live.synthesis.embedded.behind import with_arms_behind
from vastra_live.synthesis.embedded.bend import paint_bent
from vastra_live.synthesis.embedded.compose import bare_arms, compose, hair_and_face, hands, sleeved_arms
from vastra_live.synthesis.embedded.cuts import Cuts
from vastra_live.synthesis.embedded.fill import LowerTone, undress
from vastra_live.synthesis.embedded.fit import Openings
from vastra_live.synthesis.embedded.girth import Girth, measure_girth
from vastra_live.synthesis.embedded.guided import edge_smoother
from vastra_live.synthesis.embedded.hem import follow_hem
from vastra_live.synthesis.embedded.hem_line import even_hem
from vastra_live.synthesis.embedded.hem_shade import settle_at_shade
from vastra_live.synthesis.embedded.legs import leg_stretch, measure_build, seen_legs
from vastra_live.synthesis.embedded.light import Light, cloth_levels, relief, scene_light
from vastra_live.synthesis.embedded.lower import BareBelow, Below, bare_below, relower, tucked
from vastra_live.synthesis.embedded.lower_reading import (
    find_waistline,
    in_front_of_legs,
    knows_skin,
    leave_thighs,
    settled,
    worn_lower,
)
from vastra_live.synthesis.embedded.lower_snap import snapped_lower
from vastra_live.synthesis.embedded.mesh import Painted, together
from vastra_live.synthesis.embedded.mix import ramp
from vastra_live.synthesis.embedded.neck import seen_sides
from vastra_live.synthesis.embedded.plate import BackgroundPlate
from vastra_live.synthesis.embedded.reading import (
    BACKGROUND,
    HAIR,
    LOWER,
    SKIN,
    TOP,
    Memory,
    Reading,
    read_person,
)
from vastra_live.synthesis.embedded.rest import Rest
from vastra_live.synthesis.embedded.rim import beside_on_body, sharpened, solve_rim
from vastra_live.synthesis.embedded.scale import enlarged, halved, halved_shape, halved_skeleton
from vastra_live.synthesis.embedded.scene import Scene, cut_at_edge, cut_out, filled, first_row, raised, touched
from vastra_live.synthesis.embedded.shade import side_light
from vastra_live.synthesis.embedded.skeleton import Point, Proportions, Skeleton, read_skeleton
from vastra_live.synthesis.embedded.snap import snapped
from vastra_live.synthesis.embedded.trim import trimmed
from vastra_live.types import F32, U8, Body, Category, Frame, Garment, Layer

__all__ = ["EmbeddedSynthesizer"]

_READING_SIDE = 192
_LAYER_PIXELS = 640 * 480

Watch = Callable[[str, U8], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Wearer:
    """What is read of the wearer in one frame.

    Attributes:
        frame: the camera frame.
        scene: the part of it that is worked on.
        reading: the scene's classes.
        worn: (h, w) float32 0..1, the worn top in the scene.
        girth: of the wearer.
    """

    frame: Frame
    scene: Scene
    reading: Reading
    worn: F32
    girth: Girth

    def below(self, row: int) -> _Wearer:
        """The same from a row of the scene on."""
        reading = Reading(self.reading.share[:, row:], self.reading.face[row:])
        return replace(self, scene=self.scene.below(row), reading=reading, worn=self.worn[row:])


class EmbeddedSynthesizer:
    """Puts garments on a person with what a CPU can do in a keyframe's time; a ``Synthesizer``.

    A top is worn over what is worn below it, a lower garment under the worn top; of an outfit the top is worn over the
    lower garment. Below a dress the worn lower garment goes, and legs are made in the wearer's own skin tone.

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
        self._cuts = Cuts()
        self._knows: tuple[tuple[int, int], int] | None = None
        self._forget()

    def _forget(self) -> None:
        self._memory = Memory()
        self._proportions = Proportions()
        self._plate = BackgroundPlate()
        self._girth: Girth | None = None
        self._lit: Light | None = None
        self._build: float | None = None
        self._lit_from: float | None = None
        self._rest = Rest()
        self._tone = LowerTone()

    def close(self) -> None:
        """Give memory back. Harmless when repeated."""
        self._cuts.clear()
        self._knows = None
        self._forget()

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The garment on the person of this frame.

        Raises:
            NothingToFitError: no shoulders, from behind, from the side, too small; for a lower garment alone also:
                nothing of hips and legs in the picture.
        """
        if (frame.size, body.wearer) != self._knows:
            self._forget()
            self._knows = frame.size, body.wearer
        skeleton = self._proportions.steadied(read_skeleton(body))
        if garment.category is Category.LOWER:
            scene = cut_out(frame, body, skeleton, 0.0, self._layer_pixels, legs=True)
            wearer = self._measured(frame, scene, lower=True)
            self._plate.update(frame.bgr, body.person_alpha)
            self._light(frame, body)
            relowered, _ = self._relowered(wearer, garment, hem=None)
            return self._layer(frame, body, garment, scene, *relowered.over(scene.bgr))
        cut = self._cuts.of_top(garment)
        lower = garment.worn_with
        legs_too = lower is not None or garment.category is Category.DRESS
        scene = cut_out(frame, body, skeleton, cut.pattern.reach(skeleton), self._layer_pixels, legs=legs_too)
        wearer = self._measured(frame, scene, lower=legs_too)
        scene = replace(scene, skeleton=with_arms_behind(scene.skeleton, wearer.reading.share, wearer.girth))
        wearer = replace(wearer, scene=scene)
        self._plate.update(frame.bgr, body.person_alpha)
        pinned = self._pinned(wearer, garment, skeleton)
        size = (scene.bgr.shape[1], scene.bgr.shape[0])
        painted = paint_bent(cut.sheet, pinned, cut.pattern.sleeves(scene.skeleton), size)
        painted = trimmed(painted, wearer.worn, wearer.reading, scene.skeleton)
        self._light(frame, body)
        assert self._lit is not None
        painted = self._lit.veiled(painted.items())
        camera = scene.bgr
        below: Below | None = None
        bare: BareBelow | None = None
        if legs_too and (lower is not None or knows_skin(wearer.reading.share, scene.skeleton.unit)):
            # a dress covers hips and thighs
            thighs = (cut.pattern.reach(skeleton) - skeleton.torso_length) / max(leg_stretch(skeleton.left_leg), 1.0)
            covered_to = 0.0 if lower is not None else min(thighs, 1.0) - 0.05
            hem = cut.pattern.openings(pinned, scene.skeleton).hem
            below, bare = self._relowered(wearer, lower, covered_to, hem=hem)
            scene, reading = replace(scene, bgr=below.bgr), below.reading
            wearer = replace(wearer, scene=scene, reading=reading, worn=reading.worn_top())
        # the head was needed to read the person; what stays as it is need not be painted
        row = first_row(wearer.worn, painted.values())
        wearer = wearer.below(row)
        painted = {name: raised(piece, row) for name, piece in painted.items()}
        bare = None if lower is not None or bare is None else bare.below(row // 2)
        openings = cut.pattern.openings((pinned - (0.5, row + 0.5)) / 2, halved_skeleton(wearer.scene.skeleton))
        laid = None if below is None else below.laid_below(row // 2)
        bgr, alpha, trunk = self._compose(wearer, painted, openings, bare, laid)
        if below is not None:
            bgr, alpha = below.under(camera, bgr, alpha, row)
        if self._watch is not None:
            self._show("fitted", together(painted.values(), alpha.shape)[filled(alpha)] * 255)
        return self._layer(frame, body, garment, wearer.scene, bgr, alpha, trunk)

    def _pinned(self, wearer: _Wearer, garment: Garment, skeleton: Skeleton) -> Point:
        """(C, 2) where a top's points belong, in the scene's pixels; the skeleton is in the frame's."""
        pattern, scene = self._cuts.of_top(garment).pattern, wearer.scene
        origin = np.array(scene.box[:2], float)
        targets = (pattern.targets(skeleton, wearer.girth) - origin) * scene.scale
        s = scene.skeleton
        cut, targets = targets, snapped(targets, pattern.edges, wearer.reading, wearer.worn, s)
        targets = self._rest.of_one_cut(targets, cut, (pattern.neckline, pattern.hem), garment, s.down, s.unit)
        targets = targets / scene.scale + origin
        targets = self._rest.steadied(targets, wearer.frame, garment, skeleton.unit)
        return np.asarray((targets - origin) * scene.scale, np.float64)

    def _layer(
        self, frame: Frame, body: Body, garment: Garment, scene: Scene, bgr: U8, alpha: F32, trunk: U8 | None = None
    ) -> Layer:
        """What was painted, without the background beside it, which is not worth carrying from frame to frame."""
        cut_at_edge(alpha, scene.person, scene.skeleton)
        part = filled(alpha)
        if not alpha[part].size:
            raise NothingToFitError("the garment falls outside of the picture: move into the middle")
        k = 1 / scene.scale
        corner = np.array(scene.box[:2]) + k * np.array([part[1].start, part[0].start]) + (k - 1) / 2
        to_frame = np.array([[k, 0, corner[0]], [0, k, corner[1]]], np.float32)
        bgr, alpha = np.ascontiguousarray(bgr[part]), np.ascontiguousarray(alpha[part])
        own = None if trunk is None else np.ascontiguousarray(trunk[part])
        return Layer(bgr, alpha, frame, body, garment, to_frame, own)

    def worn_top(self, frame: Frame, body: Body) -> F32:
        """Where this person wears a top: (H, W) float32 0..1, at the frame's size.

        Raises:
            NothingToFitError: as :meth:`synthesize`.
        """
        scene = cut_out(frame, body, read_skeleton(body), 0.0, self._layer_pixels, legs=False)
        _, worn = self._read(scene)
        x0, y0, x1, y1 = scene.box
        whole = np.zeros(frame.bgr.shape[:2], np.float32)
        whole[y0:y1, x0:x1] = cv2.resize(worn, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return whole

    def _read(self, scene: Scene, *, lower: bool = False) -> tuple[Reading, F32]:
        """The classes at reading size, and the worn top at layer size with its edges on the picture's."""
        height, width = scene.bgr.shape[:2]
        k = min(1.0, _READING_SIDE / max(height, width))
        size = (max(8, round(width * k)), max(8, round(height * k)))
        small = cv2.resize(scene.bgr, size, interpolation=cv2.INTER_AREA)
        person = cv2.resize(scene.person, size, interpolation=cv2.INTER_AREA)
        reading = read_person(small, person, scene.skeleton.seen_in(np.zeros(2), k), self._memory)
        lit_from = side_light(small, reading.face, reading.share[SKIN], scene.skeleton.seen_in(np.zeros(2), k))
        self._lit_from = lit_from if self._lit_from is None else self._lit_from + 0.25 * (lit_from - self._lit_from)
        share = np.empty((len(reading.share), height, width), np.float32)
        for small_plane, plane in zip(reading.share, share, strict=True):
            cv2.resize(small_plane, (width, height), plane, interpolation=cv2.INTER_LINEAR)
        face = cv2.resize(reading.face, (width, height), interpolation=cv2.INTER_LINEAR)
        radius = max(4, round(0.03 * scene.skeleton.unit))
        part = reading.peopled((height, width))
        smooth = edge_smoother(scene.bgr[part], strength=60.0, levels=6.0, radius=radius, shrink=2)
        for name in (SKIN, HAIR, TOP, LOWER) if lower else (SKIN, HAIR, TOP):
            share[name][part] = smooth(share[name][part])
        if reading.hem is not None:
            follow_hem(scene.bgr, share, reading.hem, scene.skeleton, k)
        settle_at_shade(scene.bgr, share, scene.skeleton)
        if self._watch is not None:
            self._show("reading", share[[TOP, SKIN, HAIR]].transpose(1, 2, 0) * 255)
        whole = Reading(share, face)
        return whole, whole.worn_top()

    def _light(self, frame: Frame, body: Body) -> None:
        light = scene_light(frame.bgr, body.person_alpha)
        self._lit = light if self._lit is None else self._lit.mixed(light, 0.15)

    def _relowered(
        self,
        wearer: _Wearer,
        lower: Garment | None,
        covered_to: float = 0.0,
        *,
        hem: float | None,
    ) -> tuple[Below, BareBelow]:
        """The scene without the worn lower garment, in another one or with bare legs; and those legs.

        Args:
            wearer: as they are seen.
            lower: what to put on, or None for bare legs.
            covered_to: without it, the station of the legs down to which a dress covers them.
            hem: where the new top ends, in depth on the torso; None where the worn one stays.

        Raises:
            NothingToFitError: nothing of hips and legs is in the picture, and nothing else is put on.
        """
        frame, scene, reading, girth = wearer.frame, wearer.scene, wearer.reading, wearer.girth
        skeleton = scene.skeleton
        build = measure_build(halved(scene.person), halved(reading.share[SKIN]), halved_skeleton(skeleton))
        self._build = build if self._build is None else self._build + 0.25 * (build - self._build)
        waistline = find_waistline(reading.share, skeleton)
        reading = settled(scene.bgr, reading, skeleton, waistline)
        if hem is None:
            even_hem(reading.share, skeleton)
        else:
            # what is worn now says nothing about where the new top shows the waist
            waistline = replace(waistline, waist=min(waistline.waist, hem))
        worn_top = reading.worn_top()
        worn = worn_lower(scene.bgr, reading.share, skeleton)
        painted: dict[int, Painted] = {}
        if lower is not None:
            cut = self._cuts.of_lower(lower)
            covered_to = cut.pattern.covers_to
            origin = np.array(scene.box[:2], float)
            targets = cut.pattern.targets(skeleton, girth, self._build, waistline)
            targets = snapped_lower(targets, cut.pattern, reading, worn, skeleton) / scene.scale + origin
            targets = self._rest.steadied(targets, frame, lower, skeleton.unit / scene.scale)
            placed = cut.sheet.shape((targets - origin) * scene.scale)
            size = (scene.bgr.shape[1], scene.bgr.shape[0])
            assert self._lit is not None
            pieces = ((name, cut.sheet.paint(placed, name, size)) for name in cut.sheet.pieces)
            painted = self._lit.veiled((name, piece) for name, piece in pieces if piece is not None)
        row = first_row(worn, painted.values())
        part = scene.below(row)
        read = Reading(reading.share[:, row:], reading.face[row:])
        painted = {name: raised(piece, row) for name, piece in painted.items()}
        if hem is not None:
            painted = tucked(painted, hem, part.skeleton)
        small = halved_skeleton(skeleton)
        bare = bare_below(
            halved_shape(worn.shape),
            small,
            girth,
            self._build,
            covered_to,
            seen_legs(halved(reading.share[SKIN]), small),
        )
        assert self._lit is not None
        below = relower(
            part.bgr,
            self._plate.seen_through(part.box, frame.size, halved_shape(worn[row:].shape)[::-1]),
            read,
            worn=worn[row:],
            worn_top=worn_top[row:] if hem is None else None,
            front=in_front_of_legs(read, worn_top[row:], part.skeleton, girth, top_stays=hem is None),
            bare=bare.below(row // 2),
            pieces=painted,
            gain=self._lit.gain,
            unit=skeleton.unit,
        )
        if hem is None and float(below.cloth.sum()) < 0.03 * skeleton.unit**2:
            raise NothingToFitError("hips and legs are not in the picture: step back")
        self._show("below", below.bgr)
        return below.whole(scene.bgr, reading, row), bare

    def _measured(self, frame: Frame, scene: Scene, *, lower: bool) -> _Wearer:
        reading, worn = self._read(scene, lower=lower)
        new = measure_girth(halved(scene.person), halved_skeleton(scene.skeleton), halved(worn))
        self._girth = new if self._girth is None else self._girth.mixed(new, 0.25)
        return _Wearer(frame, scene, reading, worn, self._girth)

    def _compose(
        self,
        wearer: _Wearer,
        painted: dict[int, Painted],
        openings: Openings,
        bare_legs: BareBelow | None,
        laid: tuple[F32, F32] | None,
    ) -> tuple[U8, F32, U8]:
        scene, worn, girth = wearer.scene, wearer.worn, wearer.girth
        s = scene.skeleton
        unit = s.unit
        share, face = wearer.reading.share, wearer.reading.face
        kept = hair_and_face(share[HAIR], face)
        # a sleeve that hangs beside trousers takes no strip of them along
        rim = solve_rim(scene.bgr, worn, np.maximum(kept, ramp(share[LOWER], 2, -0.6)), unit)
        gone = rim.gone * (1 - kept)
        # the camera's sharpening draws a line along the worn outline, beside it
        line = sharpened(gone, share[BACKGROUND] + worn, share[LOWER] + share[SKIN], unit)
        rim, gone = replace(rim, share=np.maximum(rim.share, line)), np.maximum(gone, line)
        small = halved_skeleton(s)
        half = halved_shape(worn.shape)
        worn_small, seen = halved(worn), {name: halved(share[name]) for name in (BACKGROUND, SKIN, LOWER)}
        skin = seen[SKIN]
        sides, lit_from = seen_sides(skin, seen[BACKGROUND], small), self._lit_from or 0.0
        bare = bare_body(half, small, girth, openings.sleeves, worn_small, openings, skin, lit_from, sides)
        also = beside_on_body(halved(gone), halved(kept), skin, seen[LOWER], bare, small.unit)
        gone = np.maximum(gone, enlarged(also, gone.shape))
        if bare_legs is not None:
            bare = bare_legs.under(bare)
        assert self._lit is not None
        behind = self._plate.seen_through(scene.box, wearer.frame.size, half[::-1])
        part = touched(gone, painted.values(), unit)
        hem = openings.hem
        under = undress(scene.bgr, behind, seen, face, rim, gone, small, girth, bare, hem, part, laid, self._tone)
        self._show("undressed", under.bgr)
        pieces = {name: raised(piece, part[0].start, part[1].start) for name, piece in painted.items()}
        cloth = cloth_levels(pieces.values(), under.gone.shape, unit) * self._lit.gain.mean()
        folds = relief(scene.bgr[part], worn[part], unit, cloth)
        self._show("relief", folds * 128)
        sure_skin = ramp(share[SKIN], 1.6, -0.3)
        # what is seen of the body stays, or is made anew; along the worn top's edge is neither: there a wall begins
        body = share[SKIN][part] + share[HAIR][part] + np.float32(0.3) * share[LOWER][part]
        on_body = ramp(body, 3, -1.5) * (1 - under.gone) + under.gone - under.wall
        here = s.seen_in(np.array([part[1].start, part[0].start]), 1)
        arms = sleeved_arms(sure_skin[part], worn[part], here, girth, openings.sleeves)
        in_front = leave_thighs(hands(sure_skin, s, openings.sleeves), sure_skin, s)
        bgr, alpha, trunk = scene.bgr.copy(), np.zeros(worn.shape, np.float32), np.zeros((*worn.shape, 4), np.uint8)
        bgr[part], alpha[part], trunk[part] = compose(
            scene.bgr[part],
            under,
            pieces,
            s=here,
            kept=np.maximum(kept, in_front * (1 - gone))[part],
            own_arms=bare_arms(sure_skin, s, girth, openings.sleeves)[part],
            sleeved=arms,
            body=on_body,
            light=folds,
            gain=self._lit.gain,
        )
        self._show("layer", bgr)
        self._show("alpha", alpha * 255)
        return bgr, alpha, trunk

    def _show(self, name: str, picture: npt.NDArray[np.generic]) -> None:
        if self._watch is not None:
            self._watch(name, np.clip(picture, 0, 255).astype(np.uint8))
