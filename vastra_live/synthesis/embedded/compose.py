"""One picture of everything: the undressed person, the garment's pieces in their order, what stays in front."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from vastra_live.synthesis.embedded.fill import Undressed
from vastra_live.synthesis.embedded.girth import Girth, arm_point, unit_vector
from vastra_live.synthesis.embedded.light import shade_edges
from vastra_live.synthesis.embedded.mesh import (
    LEFT_FOREARM,
    LEFT_SLEEVE,
    RIGHT_FOREARM,
    RIGHT_SLEEVE,
    TORSO,
    Painted,
    together,
)
from vastra_live.synthesis.embedded.mix import mixed, scaled, spread
from vastra_live.synthesis.embedded.places import near_segments
from vastra_live.synthesis.embedded.scale import enlarged, enlarged_part, halved, halved_skeleton
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32, U8

__all__ = ["bare_arms", "compose", "hands"]


_UPPER = {LEFT_FOREARM: LEFT_SLEEVE, RIGHT_FOREARM: RIGHT_SLEEVE}


def hands(skin: F32, s: Skeleton, sleeve_ends: tuple[float, float] | None = None) -> F32:
    """(h, w) 0..1: skin of the hands, to the finger tips, which is in front of every sleeve.

    Args:
        skin: (h, w) 0..1.
        s: the skeleton.
        sleeve_ends: how far the new sleeves reach down the right and the left arm: hands begin at long ones' cuffs.
            None where there are no new sleeves.
    """
    small = halved_skeleton(s)
    shape = halved(skin).shape
    near = np.zeros(shape, np.float32)
    for arm, end in zip((small.right, small.left), sleeve_ends or (0.0, 0.0), strict=True):
        reach = arm.tip - arm.wrist
        palm = (arm.wrist + 0.25 * reach, arm.tip + 0.9 * reach)
        hand = near_segments(shape, [palm], 0.21 * small.unit, 0.04 * small.unit)
        if end > 1:
            cuff = arm_point(arm, end)[0]
            # one that is bent at the wrist lies beyond the cuff in its own direction
            beyond = np.maximum(_beyond(shape, cuff, arm.wrist - arm.elbow), _beyond(shape, cuff, reach))
            hand *= np.clip(beyond / np.float32(0.02 * small.unit) + 1, 0, 1)
        near = np.maximum(near, hand)
    return enlarged(near, skin.shape) * skin


def _beyond(shape: tuple[int, ...], point: Point, direction: Point) -> F32:
    """(h, w) how far each pixel lies beyond a point in a direction, in pixels."""
    x, y = unit_vector(direction, direction)
    across = (np.arange(shape[1], dtype=np.float32) - np.float32(point[0])) * np.float32(x)
    return across[None] + ((np.arange(shape[0], dtype=np.float32) - np.float32(point[1])) * np.float32(y))[:, None]


def bare_arms(skin: F32, s: Skeleton, girth: Girth, sleeve_ends: tuple[float, float]) -> F32:
    """(h, w) 0..1: skin of the arms that the new sleeves leave bare, which is in front of the torso."""
    small = halved_skeleton(s)
    shape = halved(skin).shape
    near = np.zeros(shape, np.float32)
    for k, (arm, end) in enumerate(zip((small.right, small.left), sleeve_ends, strict=True)):
        # a little wider than the arm: bones are not found to the pixel; no wider, or the belly's skin is an arm
        half = 1.3 * float(girth.arms[k].max()) * small.unit
        bones = [(arm.elbow, arm.wrist)]
        start = max(end, 0.3)
        if start < 0.5:
            bones.append((arm_point(arm, start)[0], arm.elbow))
        near = np.maximum(near, near_segments(shape, bones, half, 0.04 * small.unit))
    # straps and prints of the colour of skin are thinner than an arm
    size = 2 * max(1, round(0.04 * small.unit)) + 1
    limbs = cv2.morphologyEx(halved(skin), cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return enlarged(near * np.minimum(2 * limbs, 1), skin.shape) * skin


def compose(
    picture: U8,
    under: Undressed,
    pieces: Mapping[int, Painted],
    *,
    s: Skeleton,
    kept: F32,
    own_arms: F32,
    body: F32,
    light: F32,
    gain: F32,
) -> tuple[U8, F32]:
    """Colour and alpha of the layer.

    Args:
        picture: (h, w, 3) uint8.
        under: the person without the worn top.
        pieces: the garment's pieces, painted.
        s: the skeleton.
        kept: (h, w) 0..1, hair, face and hands: as they are in the picture, in front of everything.
        own_arms: (h, w) 0..1, bare arms in the picture: in front of the torso, behind sleeves.
        body: (h, w) 0..1, where a shadow of the garment may fall.
        light: (h, w) factor, the folds.
        gain: (3,) factors, the scene's light.
    """
    shape = picture.shape[:2]
    unit = s.unit
    union = together(pieces.values(), shape)
    light = light * shade_edges(union, unit)
    shadow = contact_shadow(union, unit) * (1 - union) * body
    canvas = scaled(under.bgr, 1 - shadow)
    covered = np.maximum(under.gone, np.minimum(shadow * 4, 1))
    _line_gaps(canvas, pieces, union, under.wall, unit)
    for name in draw_order(s):
        if name in pieces:
            piece = pieces[name]
            x0, y0, x1, y1 = piece.box
            part = np.s_[y0:y1, x0:x1]
            alpha = piece.alpha
            if name == TORSO:
                alpha = alpha * (1 - own_arms[part])
            else:
                alpha = alpha * (1 - under.forearms[part] * np.maximum(under.gone, own_arms)[part])
            if name in (LEFT_FOREARM, RIGHT_FOREARM):
                # a forearm shades what it lies on, but not its own upper arm, nor a wall
                on = (1 - alpha) * (1 - _placed(pieces.get(_UPPER[name]), shape)[part])
                on *= np.maximum(body, union)[part]
                scaled(canvas[part], 1 - contact_shadow(alpha, unit) * on, canvas[part])
            colour = cv2.multiply(piece.bgr, cv2.merge([light[part] * factor for factor in gain]), dtype=cv2.CV_32F)
            mixed(canvas[part], np.minimum(colour, 255, out=colour), alpha, canvas[part])
            covered[part] = np.maximum(covered[part], alpha)
        if name == TORSO:
            mixed(canvas, under.skin_bgr, under.front * under.gone, canvas)
    off = cv2.subtract(canvas, picture, canvas, dtype=cv2.CV_32F)
    scaled(off, 1 / np.maximum(covered, 1e-3), off)
    alpha = covered * (1 - kept)
    alpha[alpha < 0.02] = 0
    colour = np.asarray(cv2.add(off, picture, dtype=cv2.CV_8U), np.uint8)
    return colour, np.asarray(np.minimum(alpha, 1), np.float32)


def _line_gaps(canvas: F32, pieces: Mapping[int, Painted], union: F32, wall: F32, unit: float) -> None:
    """Cloth in the narrow gaps between torso and sleeve where the worn top was: no wall in an armpit. In place."""
    if TORSO not in pieces:
        return
    torso = pieces[TORSO]
    cloth, body = halved(halved(union)), halved(halved(_placed(torso, union.shape)))
    sleeves = together((piece for name, piece in pieces.items() if name != TORSO), union.shape)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(0.015 * unit)) + 1,) * 2)
    closed = cv2.morphologyEx(cloth, cv2.MORPH_CLOSE, ellipse)
    # a dent in the outline of the one or the other is no gap between the two
    closed *= np.minimum(cv2.dilate(body, ellipse), cv2.dilate(halved(halved(sleeves)), ellipse))
    # on under the cloth's own soft edges, where a wall would draw a bright line around what is filled
    gaps = cv2.dilate(np.clip(2.5 * (closed - cloth), 0, 1), np.ones((3, 3), np.uint8))
    if float(gaps.max()) < 0.5:
        return
    x0, y0, x1, y1 = torso.box
    colour = np.zeros((*union.shape, 3), np.uint8)
    colour[y0:y1, x0:x1] = torso.bgr
    known = np.zeros_like(union)
    known[y0:y1, x0:x1] = np.clip(torso.alpha * 2 - 1, 0, 1)
    # the inside of an armpit lies in the shade
    filled = np.float32(0.7) * spread(halved(halved(colour)), halved(halved(known)))
    left, top, width, height = (4 * edge for edge in cv2.boundingRect((gaps > 0).astype(np.uint8)))
    # a pixel of the small picture reaches into its neighbours
    rows = slice(max(top - 4, 0), min(top + height + 4, len(union)))
    columns = slice(max(left - 4, 0), min(left + width + 4, union.shape[1]))
    part = rows, columns
    weight = enlarged_part(gaps, 4, part) * wall[part]
    mixed(canvas[part], enlarged_part(filled, 4, part), weight, canvas[part])


def _placed(piece: Painted | None, shape: tuple[int, ...]) -> F32:
    alpha = np.zeros(shape, np.float32)
    if piece is not None:
        x0, y0, x1, y1 = piece.box
        alpha[y0:y1, x0:x1] = piece.alpha
    return alpha


def draw_order(s: Skeleton) -> tuple[int, ...]:
    """The pieces from back to front: the nearer forearm is drawn last."""
    forearms = (LEFT_FOREARM, RIGHT_FOREARM)
    if s.left.in_front and not s.right.in_front:
        forearms = (RIGHT_FOREARM, LEFT_FOREARM)
    return (TORSO, LEFT_SLEEVE, RIGHT_SLEEVE, *forearms)


def contact_shadow(alpha: F32, unit: float) -> F32:
    """The soft dark rim that cloth leaves on what lies close behind it; 0..0.3, also under the cloth itself."""
    size = 2 * max(1, round(0.0175 * unit)) + 1
    return enlarged(np.float32(0.3) * cv2.blur(cv2.blur(halved(alpha), (size, size)), (size, size)), alpha.shape)
