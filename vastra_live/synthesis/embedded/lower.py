"""Below the waist: the worn lower garment goes, bare legs or the background come in its place, the new one is laid on.

The result is again a picture of a dressed person, with its classes, so that a top can be put on it as on any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.synthesis.embedded.bare import Bare
from vastra_live.synthesis.embedded.compose import contact_shadow
from vastra_live.synthesis.embedded.fill import shaded_skin
from vastra_live.synthesis.embedded.girth import DEPTHS, USUAL_HALF, Girth
from vastra_live.synthesis.embedded.legs import CROTCH, SeenLeg, bare_legs
from vastra_live.synthesis.embedded.light import relief, shade_edges
from vastra_live.synthesis.embedded.lower_reading import depth_map
from vastra_live.synthesis.embedded.mesh import LEFT_FOREARM, LEFT_SLEEVE, RIGHT_FOREARM, RIGHT_SLEEVE, TORSO, Painted
from vastra_live.synthesis.embedded.mix import mixed, scaled
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.reading import Reading
from vastra_live.synthesis.embedded.scale import enlarged, halved
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["BareBelow", "Below", "bare_below", "laid_under", "relower", "tucked"]

_SHADE = 0.06
"""So far the worn garment's shade on the legs reaches, in shoulder widths."""
_TELLS = 0.1
"""So much of bare legs, in squared shoulder widths, tells what the rest of them looks like."""
_UNDER = 0.04
"""So far, in depth on the torso, a lower garment goes on under a top."""
_ORDER = (TORSO, RIGHT_SLEEVE, LEFT_SLEEVE, RIGHT_FOREARM, LEFT_FOREARM)


@dataclass(frozen=True, slots=True, eq=False)
class Below:
    """A picture with another lower garment, or with bare legs.

    Attributes:
        bgr: (h, w, 3) uint8, the whole picture.
        changed: (h, w) float32 0..1, where it differs from the camera's.
        cloth: (h, w) float32 0..1, what the new garment shows of itself.
        reading: the classes of the new picture.
        laid: the new garment as it also goes on behind sleeves and hands: (h/2, w/2, 3) and, how much of it is there,
            (h/2, w/2) float32. None where none is, or the worn top stays in front of it.
    """

    bgr: U8
    changed: F32
    cloth: F32
    reading: Reading
    laid: tuple[F32, F32] | None

    def whole(self, bgr: U8, reading: Reading, row: int) -> Below:
        """The same as part of the whole picture, of which it is what lies below a row."""
        if row == 0:
            return self
        above = np.zeros((row, bgr.shape[1]), np.float32)
        return Below(
            np.concatenate([bgr[:row], self.bgr]),
            np.concatenate([above, self.changed]),
            np.concatenate([above, self.cloth]),
            Reading(np.concatenate([reading.share[:, :row], self.reading.share], axis=1), reading.face),
            self.laid_below(-row // 2),
        )

    def laid_below(self, row: int) -> tuple[F32, F32] | None:
        """What was laid without its first rows, which are half as many as the picture's; with more of them below 0."""
        if self.laid is None:
            return None
        colour, alpha = (
            cv2.copyMakeBorder(of, max(-row, 0), 0, 0, 0, cv2.BORDER_CONSTANT)[max(row, 0) :] for of in self.laid
        )
        return np.asarray(colour, np.float32), np.asarray(alpha, np.float32)

    def over(self, camera: U8) -> tuple[U8, F32]:
        """Colour and alpha of a layer that turns the camera's picture into this one."""
        return _as_layer(camera, self.bgr.astype(np.float32), self.changed)

    def under(self, camera: U8, bgr: U8, alpha: F32, row: int) -> tuple[U8, F32]:
        """Colour and alpha, over the camera's picture, of a layer that was painted over this one.

        Args:
            camera: the whole picture.
            bgr, alpha: the layer over this picture, without the first rows.
            row: so many.
        """
        final = self.bgr[row:].astype(np.float32)
        mixed(final, bgr.astype(np.float32), alpha, final)
        either = np.asarray(1 - (1 - alpha) * (1 - self.changed[row:]), np.float32)
        return _as_layer(camera[row:], final, either)


def _as_layer(camera: U8, wanted: F32, alpha: F32) -> tuple[U8, F32]:
    off = cv2.subtract(wanted, camera, dtype=cv2.CV_32F)
    scaled(off, 1 / np.maximum(alpha, np.float32(1e-3)), off)
    colour = np.asarray(cv2.add(off, camera, dtype=cv2.CV_8U), np.uint8)
    return colour, np.asarray(np.where(alpha < 0.02, 0, alpha), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class BareBelow:
    """The body from the waist to the ankles without anything on it, at half size.

    Attributes:
        where: (h, w) float32 0..1.
        light: (h, w) float32, 1 in the middle of a limb, less at its sides.
    """

    where: F32
    light: F32

    def below(self, row: int) -> BareBelow:
        """The same without its first rows."""
        return BareBelow(self.where[row:], self.light[row:])

    def under(self, bare: Bare) -> Bare:
        """The whole body: this one below the bare torso of another garment's reading."""
        torso = np.maximum(bare.torso, self.where)
        light = np.where(self.where > 0.5, self.light, bare.round)
        return replace(bare, torso=torso, below=np.zeros_like(torso), round=light)


def bare_below(
    shape: tuple[int, ...],
    s: Skeleton,
    girth: Girth,
    build: float,
    covered_to: float,
    seen: tuple[SeenLeg, SeenLeg] | None = None,
) -> BareBelow:
    """Hips and legs drawn from joints and girth; the hips narrower than they are, so that no skin shows beside cloth.

    Args:
        shape: height and width.
        s: the skeleton, in pixels of that size.
        girth: of the torso.
        build: how thick the legs are.
        covered_to: the station at which new trousers or a dress end; above it bare legs are a little thinner, so that
            they show through torn cloth but not beside it.
        seen: what is bare of the right and the left leg.
    """
    legs, light = bare_legs(shape, s, build, covered_to, seen)
    depth = depth_map(shape, s)
    x = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(s.neck[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(s.neck[1])
    across = s.across - (s.across @ s.down) * s.down
    aside = np.asarray((x * across[0] + y * across[1]) / s.unit, np.float32)
    table = np.linspace(0.4, 1.4, 128)
    index = np.clip((depth - 0.4) * 127, 0, 127).astype(np.int32)
    sides = [np.interp(table, DEPTHS, np.minimum(half, 1.1 * USUAL_HALF)).astype(np.float32) for half in girth.torso]
    half = np.where(aside < 0, sides[0][index], sides[1][index]) * np.float32(0.75)
    # the trunk ends where the legs part
    end = np.clip((1 + CROTCH * s.unit / s.torso_length - depth) / 0.04, 0, 1) * (depth > 0.5)
    trunk = np.clip((half - np.abs(aside)) * np.float32(s.unit) + 0.5, 0, 1) * end
    rounded = 1 - 0.22 * np.minimum((aside / half) ** 2, 1) ** 2
    where = np.maximum(trunk, legs).astype(np.float32)
    return BareBelow(where, np.where(legs > 0.5, light, rounded).astype(np.float32))


def laid_under(pieces: Mapping[int, Painted], shape: tuple[int, ...]) -> tuple[F32, F32]:
    """Colour (h, w, 3) and alpha (h, w) of a lower garment's pieces, one over the other, float32."""
    colour, alpha = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    for name in _ORDER:
        if name in pieces:
            x0, y0, x1, y1 = pieces[name].box
            part, a = np.s_[y0:y1, x0:x1], pieces[name].alpha
            # a rim over nothing keeps its own colour
            weight = np.maximum(a, (alpha[part] == 0).astype(np.float32))
            mixed(colour[part], pieces[name].bgr.astype(np.float32), weight, colour[part])
            alpha[part] += a * (1 - alpha[part])
    return colour, alpha


def tucked(pieces: Mapping[int, Painted], hem: float, s: Skeleton) -> dict[int, Painted]:
    """The pieces of a lower garment without what lies above the hem of the top that is worn over it.

    Args:
        pieces: of the lower garment.
        hem: the highest point of the top's, in depth on the torso.
        s: the skeleton, in the pieces' pixels.
    """
    result = {}
    for name, piece in pieces.items():
        x0, y0, x1, y1 = piece.box
        x, y = np.arange(x0, x1)[None], np.arange(y0, y1)[:, None]
        down = (x - s.neck[0]) * s.down[0] + (y - s.neck[1]) * s.down[1]
        shown = np.clip(down - (hem - _UNDER) * s.torso_length, 0, 1).astype(np.float32)
        result[name] = replace(piece, alpha=piece.alpha * shown)
    return result


def relower(
    picture: U8,
    behind: F32,
    reading: Reading,
    *,
    worn: F32,
    worn_top: F32 | None,
    front: F32,
    bare: BareBelow,
    pieces: Mapping[int, Painted],
    gain: F32,
    unit: float,
) -> Below:
    """Take the worn lower garment away and lay the new one on.

    Args:
        picture: (h, w, 3) uint8.
        behind: background, (h, w, 3) float32 at half size.
        reading: the classes of the picture.
        worn: (h, w) 0..1, the worn lower garment.
        worn_top: (h, w) 0..1, the worn top if it stays: it throws a shadow on what comes out below it.
        front: (h, w) 0..1, what is in front and stays.
        bare: hips and legs, at half size.
        pieces: the new garment, painted; none leaves the legs bare.
        gain: (3,) factors, the scene's light.
        unit: shoulder width in pixels.
    """
    shape = worn.shape
    reach = max(2, round(0.022 * unit))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    rim = cv2.blur(cv2.dilate(worn, ellipse), (reach | 1, reach | 1))
    gone = np.maximum(worn, rim * (1 - np.clip(reading.share[TOP] * 2 - 0.6, 0, 1)))
    nothing = np.zeros_like(bare.where)
    outline = Bare(bare.where, nothing, nothing, nothing, nothing, bare.light)
    # skin beside what goes lies in its shade
    size = 2 * max(1, round(_SHADE * unit / 2)) + 1
    lit = halved(reading.share[SKIN]) * (1 - cv2.dilate(halved(gone), np.ones((size, size), np.uint8)))
    on_legs = lit * (bare.where > 0.5)
    if float(on_legs.sum()) > _TELLS * (unit / 2) ** 2:
        # legs are paler than faces, and so is what is made of them
        lit = on_legs
    skin = shaded_skin(halved(picture), lit, halved(reading.face), outline)
    canvas = picture.astype(np.float32)
    mixed(canvas, enlarged(mixed(behind, skin, bare.where), shape), gone, canvas)
    colour, cloth = laid_under(pieces, shape)
    changed, limbs = gone, enlarged(bare.where, shape)
    if pieces:
        # what goes leaves a wall beside what comes, on which no shadow falls
        body = np.maximum(limbs, (1 - reading.share[BACKGROUND]) * (1 - gone))
        shadow = contact_shadow(cloth, unit) * (1 - cloth) * body
        scaled(canvas, 1 - shadow, canvas)
        # the folds of a skirt are none of trousers' own
        shared = float((worn * cloth).sum()) / max(float(cloth.sum()), 1.0)
        light = relief(picture, worn, unit) ** np.float32(np.clip((shared - 0.5) / 0.35, 0, 1))
        light *= shade_edges(cloth, unit)
        if worn_top is not None:
            light *= 1 - contact_shadow(worn_top, unit)
        cv2.multiply(colour, cv2.merge([light * factor for factor in gain]), colour)
        np.minimum(colour, 255, out=colour)
        mixed(canvas, colour, cloth, canvas)
        changed = np.maximum.reduce([gone, cloth, np.minimum(shadow * 4, 1)])
    stays = 1 - front
    mixed(canvas, picture.astype(np.float32), front, canvas)
    laid = (halved(colour), halved(cloth)) if pieces and worn_top is None else None
    cloth, gone = cloth * stays, gone * stays
    share = reading.share * (1 - np.maximum(gone, cloth))
    # legs that were made are no skin that was seen: nothing is to be learned from them, and they are no arms
    share[LOWER] += cloth + np.maximum(gone - cloth, 0) * limbs
    share[BACKGROUND] += np.maximum(gone - cloth, 0) * (1 - limbs)
    return Below(
        cv2.convertScaleAbs(canvas),
        np.asarray(changed * stays, np.float32),
        np.asarray(cloth, np.float32),
        Reading(np.asarray(share, np.float32), reading.face),
        laid,
    )
