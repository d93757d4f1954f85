"""One picture of everything: the undressed person, the garment's pieces in their order, what stays in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from vastra_live.synthesis.embedded.fill import Undressed
from vastra_live.synthesis.embedded.girth import ARM_STATIONS, ELBOW, Girth, arm_point, arm_points, unit_vector
from vastra_live.synthesis.embedded.light import shade_edges
from vastra_live.synthesis.embedded.mesh import (
    FOREARMS,
    LEFT_FOREARM,
    LEFT_SLEEVE,
    RIGHT_FOREARM,
    RIGHT_SLEEVE,
    TORSO,
    Painted,
    together,
)
from vastra_live.synthesis.embedded.mix import mixed, ramp, scaled, spread
from vastra_live.synthesis.embedded.places import Window, near_segments, segment_distance, window
from vastra_live.synthesis.embedded.scale import enlarged, enlarged_part, halved, halved_shape, halved_skeleton
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton
from vastra_live.types import F32, U8

__all__ = ["bare_arms", "beyond", "compose", "hair_and_face", "hands", "sleeved_arms"]


_FOLDED = 0.2
"""So near to the other forearm's bone, in shoulder widths, a hand that is not seen lies below it."""
_ARMPIT = 0.28
"""So far down an arm its sleeve goes over into the torso."""


def hair_and_face(hair: F32, face: F32) -> F32:
    """(h, w) 0..1: what stays as it is in the picture, of (h, w) 0..1 each.

    Hair that is likelier than not stays wholly: half of it would be a grey smudge.
    """
    return np.maximum(ramp(hair, 2.5, -0.5), face)


def hands(skin: F32, s: Skeleton, sleeve_ends: tuple[float, float] | None = None) -> F32:
    """(h, w) 0..1: skin of the hands, to the finger tips, which is in front of every sleeve.

    Args:
        skin: (h, w) 0..1.
        s: the skeleton.
        sleeve_ends: how far the new sleeves reach down the right and the left arm: hands begin at long ones' cuffs.
            None where there are no new sleeves.
    """
    small = halved_skeleton(s)
    shape = halved_shape(skin.shape)
    near = np.zeros(shape, np.float32)
    for arm, other, end in zip(
        (small.right, small.left), (small.left, small.right), sleeve_ends or (0.0, 0.0), strict=True
    ):
        if not arm.hand_seen and _off(arm.tip, other.elbow, other.wrist) < _FOLDED * small.unit:
            # below the other arm, whose skin is no hand
            continue
        reach = arm.tip - arm.wrist
        palm = (arm.wrist + 0.25 * reach, arm.tip + 0.9 * reach)
        hand = near_segments(shape, [palm], 0.21 * small.unit, 0.04 * small.unit)
        if end > 1:
            cuff = arm_point(arm, end)[0]
            # one that is bent at the wrist lies beyond the cuff in its own direction
            past = np.maximum(beyond(shape, cuff, arm.wrist - arm.elbow), beyond(shape, cuff, reach))
            hand *= np.clip(past / np.float32(0.02 * small.unit) + 1, 0, 1)
        near = np.maximum(near, hand)
    return enlarged(near, skin.shape) * skin


def _off(point: Point, start: Point, end: Point) -> float:
    """The distance of a point from a segment."""
    along = end - start
    share = min(max(float((point - start) @ along) / max(float(along @ along), 1e-6), 0.0), 1.0)
    return float(np.hypot(*(point - start - share * along)))


def beyond(shape: tuple[int, ...], point: Point, direction: Point) -> F32:
    """(h, w) how far each pixel lies beyond a point in a direction, in pixels."""
    x, y = unit_vector(direction, direction)
    across = (np.arange(shape[1], dtype=np.float32) - np.float32(point[0])) * np.float32(x)
    return across[None] + ((np.arange(shape[0], dtype=np.float32) - np.float32(point[1])) * np.float32(y))[:, None]


def bare_arms(skin: F32, s: Skeleton, girth: Girth, sleeve_ends: tuple[float, float]) -> F32:
    """(h, w) 0..1: skin of the arms that the new sleeves leave bare, which is in front of the torso."""
    if min(sleeve_ends) >= 1:
        return np.zeros_like(skin)
    small, seen = halved_skeleton(s), halved(skin)
    shape = seen.shape
    near = np.zeros(shape, np.float32)
    middles: list[Point] = []
    for k, (arm, end) in enumerate(zip((small.right, small.left), sleeve_ends, strict=True)):
        # a little wider than the arm: bones are not found to the pixel; no wider, or the belly's skin is an arm
        half = 1.3 * float(girth.arms[k].max()) * small.unit
        start = max(end, 0.3)
        if start >= 1:
            continue
        bones = [(arm_point(arm, start)[0], arm.wrist)]
        if start < 0.5:
            bones = [(bones[0][0], arm.elbow), (arm.elbow, arm.wrist)]
        near = np.maximum(near, near_segments(shape, bones, half, 0.04 * small.unit))
        middles.append(arm_points(arm, np.linspace(start, 1.0, 24))[0])
    # straps and prints of the colour of skin are thinner than an arm
    size = 2 * max(1, round(0.04 * small.unit)) + 1
    limbs = cv2.morphologyEx(seen, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    bare = near * ramp(limbs, 2, 0)
    if middles:
        _keep_at(bare, np.concatenate(middles))
    return enlarged(bare, skin.shape) * skin


def _keep_at(where: F32, points: Point) -> None:
    """Of (h, w) 0..1, leave what hangs together with one of (n, 2) points: beside an arm is a bare belly. In place."""
    few = np.ascontiguousarray(where[::2, ::2] > 0.1, np.uint8)
    count, pieces = cv2.connectedComponents(few, connectivity=4)
    x, y = np.clip(np.round(points / 2).astype(int), 0, np.array(few.shape[::-1]) - 1).T
    others = np.ones(count, np.uint8)
    others[pieces[y, x]] = others[0] = 0
    if not others.any():
        return
    # with its soft edge
    off = cv2.dilate(others[pieces], np.ones((3, 3), np.uint8))
    where[cv2.resize(off, where.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0] = 0


def sleeved_arms(skin: F32, worn: F32, s: Skeleton, girth: Girth, sleeve_ends: tuple[float, float]) -> F32 | None:
    """(h/2, w/2) 0..1: what of the arms long sleeves must cover, to the arms' own edges; None for shorter ones.

    Args:
        skin: (h, w) 0..1, sure skin.
        worn: (h, w) 0..1, the worn top.
        s: the skeleton.
        girth: of the body.
        sleeve_ends: how far the sleeves reach down the right and the left arm.
    """
    if max(sleeve_ends) < ELBOW + 0.15:
        return None
    small, bare, clothed = halved_skeleton(s), halved(skin), halved(worn)
    arms = np.zeros_like(bare)
    for k, (arm, end) in enumerate(zip((small.right, small.left), sleeve_ends, strict=True)):
        stations = (0.15, ELBOW, min(end, 1.0) - 0.03)
        points = [arm_point(arm, station)[0] for station in stations]
        halves = np.interp(stations, ARM_STATIONS, girth.arms[k]) * small.unit
        for joint in (0, 1):
            first, last = float(halves[joint]), float(halves[joint + 1])
            around = window(arms.shape, points[joint : joint + 2], 1.3 * max(first, last))
            distance, along = segment_distance(arms.shape, points[joint], points[joint + 1], around)
            near = distance / (np.float32(first) + np.float32(last - first) * along)
            # bare skin as wide as it is seen; in a worn sleeve what is surely arm
            seen = np.minimum(ramp(near, -8, 10.4), bare[around])
            inner = np.minimum(ramp(near, -8, 7.2), clothed[around])
            arms[around] = np.maximum(arms[around], np.maximum(seen, inner))
    return arms


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
    sleeved: F32 | None = None,
) -> tuple[U8, F32, U8]:
    """Colour and alpha of the layer; and (h, w, 4) uint8, both of the garment's torso with nothing in front of it.

    Args:
        picture: (h, w, 3) uint8.
        under: the person without the worn top.
        pieces: the garment's pieces, painted.
        s: the skeleton, in the picture's pixels.
        kept: (h, w) 0..1, hair, face and hands: as they are in the picture, in front of everything.
        own_arms: (h, w) 0..1, bare arms in the picture: in front of the torso, behind sleeves.
        body: (h, w) 0..1, where a shadow of the garment may fall.
        light: (h, w) factor, the folds.
        gain: (3,) factors, the scene's light.
        sleeved: (h/2, w/2) 0..1, arms that the sleeves must cover; None for none.
    """
    shape = picture.shape[:2]
    unit = s.unit
    union = together(pieces.values(), shape)
    missing = _missing(union, sleeved)
    if missing is not None:
        union = np.maximum(union, missing)
    light = light * shade_edges(union, unit)
    # a forearm that is bent in front of cloth has none of it in front of itself
    shadow: F32 = contact_shadow(union, unit) * (1 - union) * body * (1 - under.forearms)
    canvas = scaled(under.bgr, 1 - shadow)
    covered = np.maximum(under.gone, ramp(shadow, 4, 0))
    if missing is not None:
        covered = np.maximum(covered, missing)
    _line_gaps(canvas, pieces, union, under.wall, s)
    trunk = np.zeros((*shape, 4), np.uint8)
    for name in draw_order(s):
        if name in pieces:
            piece = pieces[name]
            x0, y0, x1, y1 = piece.box
            part = np.s_[y0:y1, x0:x1]
            alpha = piece.alpha
            if name == TORSO:
                alpha = alpha * (1 - own_arms[part])
            else:
                alpha = alpha * (1 - under.forearms[part] * np.maximum(under.gone[part], own_arms[part]))
            if name in FOREARMS:
                # a forearm shades what it lies on, but not its own upper arm, nor a wall
                on = (1 - alpha) * (1 - together(filter(None, [pieces.get(FOREARMS[name])]), shape)[part])
                on *= 1 if missing is None else 1 - missing[part]
                on *= np.maximum(body[part], union[part])
                scaled(canvas[part], 1 - contact_shadow(alpha, unit) * on, canvas[part])
            colour = cv2.multiply(piece.bgr, cv2.merge([light[part] * factor for factor in gain]), dtype=cv2.CV_32F)
            cv2.threshold(colour, 255, 255, cv2.THRESH_TRUNC, colour)
            mixed(canvas[part], colour, alpha, canvas[part])
            if name == TORSO:
                trunk[part] = cv2.merge((cv2.convertScaleAbs(colour), cv2.convertScaleAbs(piece.alpha, alpha=255)))
            covered[part] = np.maximum(covered[part], alpha)
        if name == TORSO:
            _arms_in_front(canvas, under, pieces, own_arms, covered, unit)
            if missing is not None:
                _cover(canvas, pieces, missing, light, gain)
    off = cv2.subtract(canvas, picture, canvas, dtype=cv2.CV_32F)
    scaled(off, 1 / cv2.max(covered, 1e-3), off)
    alpha = covered * (1 - kept)
    cv2.threshold(alpha, 0.02, 0, cv2.THRESH_TOZERO, alpha)
    colour = np.asarray(cv2.add(off, picture, dtype=cv2.CV_8U), np.uint8)
    return colour, np.asarray(cv2.min(alpha, 1), np.float32), trunk


def _arms_in_front(
    canvas: F32, under: Undressed, pieces: Mapping[int, Painted], own_arms: F32, covered: F32, unit: float
) -> None:
    """Bare arms in front of the torso, on which they leave a shadow, and the sleeves one on them. In place."""
    every = np.s_[::4, ::4]
    left, top, width, height = cv2.boundingRect((np.maximum(under.front[every], own_arms[every]) > 0).astype(np.uint8))
    if not width:
        return
    # a shadow reaches as far as it is blurred
    room = 2 * round(0.035 * unit) + 8
    part = (
        slice(max(4 * top - room, 0), min(4 * (top + height) + room, len(own_arms))),
        slice(max(4 * left - room, 0), min(4 * (left + width) + room, own_arms.shape[1])),
    )
    made = under.front[part] * under.gone[part]
    mixed(canvas[part], under.bgr[part], made, canvas[part])
    few, arms = halved(made), halved(np.maximum(made, own_arms[part]))
    sleeves = (piece for name, piece in pieces.items() if name != TORSO)
    # but for one that is bent in front of them
    shade = _soft(halved(together(sleeves, own_arms.shape)[part]), unit) * arms * (1 - halved(under.forearms[part]))
    if TORSO in pieces:
        shade += _soft(few, unit) * halved(together([pieces[TORSO]], own_arms.shape)[part]) * (1 - arms)
    shadow = enlarged(shade, made.shape)
    scaled(canvas[part], 1 - shadow, canvas[part])
    covered[part] = np.maximum(covered[part], ramp(shadow, 4, 0))


def _line_gaps(canvas: F32, pieces: Mapping[int, Painted], union: F32, wall: F32, s: Skeleton) -> None:
    """Cloth in the narrow gaps between torso and sleeve where the worn top was: no wall in an armpit. In place.

    Farther down it is the wall that is seen between the two, and a lining that ended where they part would be a blot.
    """
    if TORSO not in pieces:
        return
    torso = pieces[TORSO]
    cloth, body = halved(halved(union)), halved(halved(together([torso], union.shape)))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(0.015 * s.unit)) + 1,) * 2)
    closed = cv2.morphologyEx(cloth, cv2.MORPH_CLOSE, ellipse)
    # a dent in the outline of the one or the other is no gap between the two
    closed *= np.minimum(cv2.dilate(body, ellipse), cv2.dilate(cloth - body, ellipse))
    # on under the cloth's own soft edges, where a wall would draw a bright line around what is filled
    gaps = cv2.dilate(ramp(closed - cloth, 2.5, 0), np.ones((3, 3), np.uint8))
    small = halved_skeleton(halved_skeleton(s))
    upper = [(arm.shoulder, arm_point(arm, _ARMPIT)[0]) for arm in (small.right, small.left)]
    gaps *= near_segments(gaps.shape, upper, 0.32 * small.unit, 0.14 * small.unit)
    if float(gaps.max()) < 0.5:
        return
    left, top, width, height = cv2.boundingRect((gaps > 0).astype(np.uint8))
    # with the cloth beside them
    near = window(gaps.shape, [(left, top), (left + width, top + height)], 2 + 0.1 * small.unit)
    # the inside of an armpit lies in the shade
    filled = np.float32(0.7) * _carried_on([torso], union.shape, near)
    rows, columns = (
        slice(4 * span.start, min(4 * span.stop, length)) for span, length in zip(near, union.shape, strict=True)
    )
    part, inner = (rows, columns), (slice(0, rows.stop - rows.start), slice(0, columns.stop - columns.start))
    weight = enlarged_part(gaps, 4, part) * wall[part]
    mixed(canvas[part], enlarged_part(filled, 4, inner), weight, canvas[part])


def _missing(union: F32, sleeved: F32 | None) -> F32 | None:
    """(h, w) 0..1: what of the arms no sleeve reaches, beside a narrow one or in the crease of a bend."""
    if sleeved is None:
        return None
    bare = ramp(np.minimum(sleeved, 1 - halved(union)), 2, -1)
    if float(bare.max()) < 0.5:
        return None
    # on under the sleeve's own soft edge
    return enlarged(np.minimum(cv2.dilate(bare, np.ones((5, 5), np.uint8)), sleeved), union.shape)


def _cover(canvas: F32, pieces: Mapping[int, Painted], missing: F32, light: F32, gain: F32) -> None:
    """The sleeves' cloth carried on over what they leave bare. In place."""
    left, top, width, height = (v // 4 * 4 for v in cv2.boundingRect((missing > 0).astype(np.uint8)))
    rows, columns = (
        slice(top, min(top + height + 8, len(missing))),
        slice(left, min(left + width + 8, missing.shape[1])),
    )
    part = rows, columns
    sleeves = [piece for name, piece in pieces.items() if name != TORSO]
    cloth = enlarged_part(_carried_on(sleeves, missing.shape), 4, part)
    cloth = cv2.multiply(cloth, cv2.merge([light[part] * factor for factor in gain]))
    mixed(canvas[part], cloth, missing[part], canvas[part])


def _carried_on(pieces: Sequence[Painted], shape: tuple[int, ...], part: Window = np.s_[:, :]) -> F32:
    """(h/4, w/4, 3) the pieces' colours, carried on over everything beside them; a part of that, at its cost."""
    few = ((shape[0] + 3) // 4, (shape[1] + 3) // 4)
    colour, known = np.zeros((*few, 3), np.float32), np.zeros(few, np.float32)
    for piece in pieces:
        at, from_ = piece.every_fourth()
        solid = piece.alpha[from_] > 0.9
        colour[at][solid], known[at][solid] = piece.bgr[from_][solid], 1
    return spread(colour[part], known[part])


def draw_order(s: Skeleton) -> tuple[int, ...]:
    """The pieces from back to front: arms that the body hides, the body, the others; the nearer forearm is last."""
    arms = [(s.left, LEFT_SLEEVE, LEFT_FOREARM), (s.right, RIGHT_SLEEVE, RIGHT_FOREARM)]
    if s.left.in_front and not s.right.in_front:
        arms.reverse()
    hidden, others = ([arm for arm in arms if arm[0].behind is behind] for behind in (True, False))
    return (
        *(piece for _, sleeve, forearm in hidden for piece in (sleeve, forearm)),
        TORSO,
        *(sleeve for _, sleeve, _ in others),
        *(forearm for _, _, forearm in others),
    )


def contact_shadow(alpha: F32, unit: float) -> F32:
    """The soft dark rim that cloth leaves on what lies close behind it; 0..0.3, also under the cloth itself."""
    return enlarged(_soft(halved(alpha), unit), alpha.shape)


def _soft(alpha: F32, unit: float) -> F32:
    """The same of a halved one, at its size; the unit is that of the whole."""
    size = 2 * max(1, round(0.0175 * unit)) + 1
    return np.asarray(np.float32(0.3) * cv2.blur(cv2.blur(alpha, (size, size)), (size, size)), np.float32)
