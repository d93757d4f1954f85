"""A keyframe, made ready to be followed, and what it takes over from the one before."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.appearance import ColourModel, learn_colours
from vastra_live.tracking.limbs import ARMS, FOREARMS, Arms, around_arms
from vastra_live.tracking.painted import Painted, after, continue_colours, ending_like, with_alpha
from vastra_live.tracking.surface import Surface, surface_of
from vastra_live.tracking.window import Window, grid, most, sampled
from vastra_live.types import F32, U8, Body

__all__ = ["Anchor", "Limbs", "Placed", "first_anchor", "next_anchor"]

# Shading is what is smoother than this, in work pixels (standard deviation).
_SHADING = 3.0
# Columns the whole frame is shrunk to when its colours are learned, and what a pixel of it counts there.
_FAR_COLUMNS = 160
_FAR_WEIGHT = 0.25
# How surely the wearer is seen where a colour is one of theirs.
_WEARER = 0.9
# Half the width of what may lie in front of a garment, in shares of the root of its area.
_FOREARM = 0.2
# How far what is painted along an arm, to blend it in, may reach beside it, in shares of the same; and how many levels
# it differs from the cloth that was there before.
_RIM, _UNLIKE = 0.03, 40
# How far from its bone something of a forearm or a hand may be, in its usual half widths.
_WIDE = 1.6
# How far around a new layer the one before may still fade out, in shares of the root of its area.
_OUTLINE = 0.03
# From this alpha on a painted layer's colour is known: a collar's shadow on a throat is no more than that, and cloth
# that is continued into it would come up on the throat.
_KNOWN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """A keyframe ready to be followed. Immutable; shared by threads.

    Attributes:
        window: the part of the keyframe's picture that is followed.
        small: (h, w, 3) uint8, that picture (see :func:`~vastra_live.tracking.leap.small_colours`).
        luma: (rows, columns) uint8, what the camera is expected to see, on the work grid. Where something was in
            front of the garment this is what was seen there before.
        alpha: (rows, columns) float32, the layer's alpha, with what was hidden put back.
        shown_ycrcb, shown_alpha, shown_bgr, shown_own_alpha: colours and alpha on the work grid, the layer's colours
            and alpha in its own pixels, as the keyframe shows them, with nothing put back; (h, w, 3) uint8 and (h, w)
            float32 the last two.
        ycrcb: (rows, columns, 3) uint8, the colours belonging to ``luma``.
        surface: ranges of those colours on both sides of the layer's outline.
        texture_bgra: (h, w, 4) uint8, the layer at its own resolution, likewise; straight colour, continued
            beyond its outline so that resampling draws nothing else in.
        to_texture: (2, 3) float32, affine from pixels of the frame to pixels of ``texture_bgra``.
        colours: what is covered and what is not, by colour.
        response: how many levels the layer brightens when the camera's picture brightens by one.
        garment_name: whose layer it is.
        sleeved: whether its sleeves go on below the elbow.
        trunk_bgra: (h, w, 4) uint8, what of the layer is on the trunk, in the pixels of the texture, with nothing in
            front of it; None when that is not known.
        trunk_alpha: (rows, columns) float32, its alpha on the work grid; likewise.
        body: who wears it there, if known.
        before: the anchor before this one, moved here; None for a first anchor.
        limbs: the wearer's arms there, if they may be followed by themselves.
        bare: the anchor without its arms, if they may.
    """

    window: Window
    small: U8
    luma: U8
    alpha: F32
    shown_ycrcb: U8
    shown_alpha: F32
    shown_bgr: U8
    shown_own_alpha: F32
    ycrcb: U8
    surface: Surface
    texture_bgra: U8
    to_texture: F32
    colours: ColourModel
    response: float
    garment_name: str
    sleeved: bool
    trunk_bgra: U8 | None = None
    trunk_alpha: F32 | None = None
    body: Body | None = None
    before: Before | None = None
    limbs: Limbs | None = None
    bare: Anchor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What an anchor knows of the one before it.

    Attributes:
        bridge: (rows, columns, 2) float32, from each work pixel's place in the frame to where that part of the
            surface was in the anchor before, in frame pixels.
        surface: the surface with the layer before this one, moved here, for the cross-fade. What the new layer
            covers is covered from the start, for what would fade in there is the worn garment.
        texture_bgra: that layer, in the pixels of the new texture; likewise.
    """

    bridge: F32
    surface: Surface
    texture_bgra: U8


@dataclass(frozen=True, slots=True, eq=False)
class Limbs:
    """The arms of a keyframe, as they can be moved by themselves: with what is seen of them, and nothing put back.

    Attributes:
        arms: where they are.
        masks: (rows, columns) float32 each, what each of their parts covers.
        own, worn: (rows, columns) float32, what of that moves with them, and with the sleeves worn, which may be wider;
            see :func:`~vastra_live.tracking.limbs.layer_on`.
        narrower: whether the arms are narrower than the sleeves worn: those of another garment, or bare and made.
        dressed: the parts that the layer is on, a set of bits.
        luma, surface, texture_bgra: as an anchor's.
        surrounded_bgra: (h, w, 4) uint8, the anchor's texture, but beyond its layer the colours of what surrounds the
            wearer.
    """

    arms: Arms
    masks: tuple[F32, ...]
    own: F32
    worn: F32
    narrower: bool
    dressed: int
    luma: U8
    surface: Surface
    texture_bgra: U8
    surrounded_bgra: U8


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An earlier anchor found again in a new keyframe's picture.

    Attributes:
        anchor: the earlier anchor.
        behind: the same without the arms that have moved since: what may lie behind something now.
        window: the live window it was searched in.
        displacement: (rows, columns, 2) float32 on that window's grid, from the new frame to the anchor's, in
            frame pixels.
    """

    anchor: Anchor
    behind: Anchor
    window: Window
    displacement: F32


def first_anchor(painted: Painted, small: U8) -> Anchor:
    """An anchor that takes over nothing."""
    painted = painted.cropped()
    window = painted.window()
    trunk = painted.trunk_on(window)
    ycrcb, alpha = _camera(painted, window), painted.on(window, painted.own_alpha)
    return Anchor(
        window=window,
        small=small,
        luma=np.ascontiguousarray(ycrcb[..., 0]),
        alpha=alpha,
        ycrcb=ycrcb,
        surface=surface_of(ycrcb, alpha),
        texture_bgra=with_alpha(continue_colours(painted.bgr, painted.own_alpha, _KNOWN), painted.own_alpha),
        to_texture=cv2.invertAffineTransform(painted.to_frame).astype(np.float32),
        colours=_learn(painted, window, ycrcb, alpha, None),
        response=_response(window, ycrcb, alpha, painted),
        garment_name=painted.garment_name,
        sleeved=painted.sleeved,
        trunk_bgra=painted.trunk_bgra,
        trunk_alpha=trunk,
        body=painted.body,
        shown_ycrcb=ycrcb,
        shown_alpha=alpha,
        shown_bgr=painted.bgr,
        shown_own_alpha=painted.own_alpha,
    )


def next_anchor(painted: Painted, small: U8, placed: Placed) -> Anchor:
    """An anchor that takes over from an earlier one what is hidden now, and what it looked like."""
    painted = painted.cropped()
    window, old = painted.window(), placed.anchor
    ycrcb, alpha = _camera(painted, window), painted.on(window, painted.own_alpha)
    bridge = sampled(placed.displacement, placed.window.cells(window.centres()))
    cells = old.window.cells(window.centres() + bridge)
    before_alpha = sampled(old.alpha, cells)
    behind = _behind(alpha, before_alpha if placed.behind is old else sampled(placed.behind.alpha, cells))
    trunk = painted.trunk_on(window)
    near = around_arms(painted.body, ARMS, window, (1.0,)) if behind.any() else None
    if trunk is not None and near is not None:
        # between a raised arm and the side there is nothing of the layer
        behind = np.minimum(behind, np.maximum(trunk, near[0]))
    whole_alpha = _over(alpha, behind)
    before_alpha = np.minimum(before_alpha, _around(whole_alpha))
    # an edge of the hand is part hand, part cloth: what was seen before is all cloth
    hidden = cv2.dilate(behind * (1 - alpha), np.ones((3, 3), np.uint8))
    seen_or_remembered = _mix(ycrcb, sampled(placed.behind.ycrcb, cells), hidden)

    # the same in the layer's own pixels
    moved, own_behind, own_before, own_beside = _on_own(
        painted,
        window,
        cv2.transform(bridge, old.to_texture[:, :2]),
        behind,
        before_alpha,
        _around_forearms(painted, window),
    )
    rows, columns = painted.own_alpha.shape
    there = cv2.transform(grid(columns, rows), after(old.to_texture, painted.to_frame))
    there = cv2.add(there, moved, moved)
    before_texture = sampled(old.texture_bgra, there)
    own_whole_alpha = _over(painted.own_alpha, own_behind)
    # the old texture's own alpha ends elsewhere where the old layer was cut off
    own_before = ending_like(painted.own_alpha, np.maximum(own_before, own_whole_alpha))
    known = before_texture if placed.behind is old else sampled(placed.behind.texture_bgra, there)
    if painted.trunk_bgra is not None:
        # better than what another keyframe showed of it
        known = cv2.copyTo(painted.trunk_bgra, cv2.compare(painted.trunk_bgra[..., 3].copy(), 127, cv2.CMP_GT), known)
    if old.garment_name == painted.garment_name or painted.trunk_bgra is not None:
        remembered = _remembered(painted, known, own_behind, own_whole_alpha, own_beside)
        texture = continue_colours(remembered, own_whole_alpha, _KNOWN)
    else:
        # another garment: what its layer would be behind the hand is guessed from around the hand
        texture = continue_colours(painted.bgr, painted.own_alpha, _KNOWN)
    return Anchor(
        window=window,
        small=small,
        luma=np.ascontiguousarray(seen_or_remembered[..., 0]),
        alpha=whole_alpha,
        ycrcb=seen_or_remembered,
        surface=surface_of(seen_or_remembered, whole_alpha, ycrcb, alpha),
        texture_bgra=with_alpha(texture, own_whole_alpha),
        to_texture=cv2.invertAffineTransform(painted.to_frame).astype(np.float32),
        colours=_learn(painted, window, ycrcb, alpha, old.colours),
        response=_response(window, ycrcb, alpha, painted),
        garment_name=painted.garment_name,
        sleeved=painted.sleeved,
        trunk_bgra=painted.trunk_bgra,
        trunk_alpha=trunk,
        body=painted.body,
        shown_ycrcb=ycrcb,
        shown_alpha=alpha,
        shown_bgr=painted.bgr,
        shown_own_alpha=painted.own_alpha,
        before=Before(
            bridge,
            surface_of(seen_or_remembered, np.maximum(before_alpha, whole_alpha)),
            with_alpha(before_texture, own_before),
        ),
    )


def _camera(painted: Painted, window: Window) -> U8:
    ycrcb: U8 = cv2.cvtColor(window.shrink(window.cut(painted.frame_bgr)), cv2.COLOR_BGR2YCrCb)
    return ycrcb


def _learn(painted: Painted, window: Window, ycrcb: U8, alpha: F32, earlier: ColourModel | None) -> ColourModel:
    """Colours in the window, and, counting less, those of the frame around it: they may move in."""
    height, width = painted.frame_bgr.shape[:2]
    size = (_FAR_COLUMNS, max(1, round(_FAR_COLUMNS * height / width)))
    far = cv2.cvtColor(cv2.resize(painted.frame_bgr, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2YCrCb)
    weight = np.full(far.shape[:2], _FAR_WEIGHT, np.float32)
    x0, y0, x1, y1 = (round(side * _FAR_COLUMNS / width) for side in window.inside(width, height))
    weight[y0:y1, x0:x1] = 0
    samples = np.concatenate([ycrcb.reshape(1, -1, 3), far.reshape(1, -1, 3)], axis=1)
    rest = np.concatenate([(alpha < 0.05).astype(np.float32).ravel(), weight.ravel()])
    covered = np.concatenate([(alpha > 0.95).astype(np.float32).ravel(), np.zeros_like(weight).ravel()])
    front = None
    if painted.body is not None and painted.body.person_alpha.any():
        person = painted.body.person_alpha
        near, away = window.shrink(window.cut(person)), cv2.resize(person, size, interpolation=cv2.INTER_LINEAR)
        front = rest * (np.concatenate([near.ravel(), away.ravel()]) > _WEARER)
    return learn_colours(samples, covered, rest, earlier, front)


def _response(window: Window, ycrcb: U8, alpha: F32, painted: Painted) -> float:
    """How the layer answers to light, read off the keyframe.

    Where the layer's shading follows the camera's, its slope says how strongly. Where it does not, as in a layer
    painted flat, light multiplies: a layer twice as bright as the picture brightens twice as much.
    """
    luma = painted.on(window, cv2.cvtColor(painted.bgr, cv2.COLOR_BGR2GRAY))
    pictures = (luma, np.ascontiguousarray(ycrcb[..., 0]))
    layer, camera = (cv2.GaussianBlur(picture.astype(np.float32), (0, 0), _SHADING) for picture in pictures)
    inside = cv2.erode(alpha, np.ones((5, 5), np.uint8)) > 0.9
    if np.count_nonzero(inside) < 50:
        return 0.0
    x, y = camera[inside], layer[inside]
    gain = float(np.clip(y.mean() / max(float(x.mean()), 1.0), 0.25, 4.0))
    off_x, off_y = x - x.mean(), y - y.mean()
    by_x, by_y, by_both = (float((a * b).mean()) for a, b in ((off_x, off_x), (off_y, off_y), (off_x, off_y)))
    slope = by_both / max(by_x, 1.0)
    explained = by_both**2 / max(by_x * by_y, 1.0)
    return explained * float(np.clip(slope, -2.0, 2.0)) + (1 - explained) * gain


def _behind(alpha: F32, before_alpha: F32) -> F32:
    """How much of the layer lies behind something in front of it, where it was before and is not now.

    Something in front lies between parts of the garment; a sleeve that has gone elsewhere does not. Closing
    the new layer by about half a forearm tells the two apart; what is thinner than a finger is an outline that
    moved.
    """
    rows, columns = alpha.shape
    half = (max(1, columns // 2), max(1, rows // 2))
    small = cv2.resize(np.round(alpha * 255).astype(np.uint8), half, interpolation=cv2.INTER_AREA)
    reach = 2 * int(_FOREARM / 2 * float((alpha > 0.5).sum()) ** 0.5) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    padded = cv2.copyMakeBorder(small, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    closing = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[reach:-reach, reach:-reach]
    closed = cv2.resize(closing, (columns, rows), interpolation=cv2.INTER_LINEAR) * np.float32(1 / 255)
    there = np.minimum(before_alpha, closed)
    around = np.ones((5, 5), np.uint8)
    thick = cv2.dilate(cv2.morphologyEx(there * (1 - alpha), cv2.MORPH_OPEN, around), around)
    behind: F32 = there * np.clip((thick - 0.3) / 0.4, 0, 1, dtype=np.float32)
    return behind


def _around(alpha: F32) -> F32:
    """A layer and a little around it: a sleeve of the one before that is elsewhere would fade out as a ghost there."""
    size = 2 * max(1, round(_OUTLINE * float((alpha > 0.5).sum()) ** 0.5)) + 1
    around: F32 = cv2.dilate(alpha, np.ones((size, size), np.uint8))
    return around


def _on_own(painted: Painted, window: Window, flow: F32, *alphas: F32) -> tuple[F32, ...]:
    """Smooth fields of the work grid, one of two channels and any number of one, in the layer's own pixels."""
    rows, columns = painted.own_alpha.shape
    fields = cv2.merge((*(cv2.extractChannel(flow, axis) for axis in (0, 1)), *alphas))
    # at half size, which is still finer than the work grid
    size = ((columns + 1) // 2, (rows + 1) // 2)
    to_cells = after(after(window.to_cells(), painted.to_frame), np.array([[2, 0, 0.5], [0, 2, 0.5]], np.float32))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    small = cv2.warpAffine(fields, to_cells, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    # one by one, for what is taken apart at full size is gone through three times
    planes = cv2.split(small)
    return tuple(
        cv2.resize(part, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_LINEAR)[:rows, :columns]
        for part in (cv2.merge(planes[:2]), *planes[2:])
    )


def _around_forearms(painted: Painted, window: Window) -> F32:
    """Where something may be painted around a forearm or a hand, to blend it in: (rows, columns) float32, 0..1."""
    around = around_arms(painted.body, FOREARMS, window, (_WIDE,))
    return np.zeros((window.rows, window.columns), np.float32) if around is None else around[0]


def _remembered(painted: Painted, before_texture: U8, behind: F32, whole_alpha: F32, beside: F32) -> U8:
    """The layer's colours, and the earlier layer's where something is in front."""
    reach = max(1, round(_RIM * float((painted.own_alpha > 0.5).sum()) ** 0.5))
    x, y, width, height = cv2.boundingRect(cv2.compare(behind, 0, cv2.CMP_GT))
    remembered = painted.bgr.copy()
    if width > 0:
        part = np.s_[max(0, y - 2 * reach) : y + height + 2 * reach, max(0, x - 2 * reach) : x + width + 2 * reach]
        share = 1 - painted.own_alpha[part] / np.maximum(whole_alpha[part], 1e-3)
        share = np.clip(share, 0, 1) * (behind[part] > 0)
        rim = _rim(painted.bgr[part], painted.own_alpha[part], before_texture[part], share, reach) * beside[part]
        remembered[part] = _mix(
            painted.bgr[part], cv2.cvtColor(before_texture[part], cv2.COLOR_BGRA2BGR), np.maximum(share, rim)
        )
    return remembered


def _rim(bgr: U8, alpha: F32, before: U8, hidden: F32, reach: int) -> F32:
    """Where a layer was painted to blend in what is in front of it: (h, w) float32, 0..1.

    It would stay behind as a scratch of skin when the arm goes. It is thin, close beside what is hidden, and there
    was cloth before.

    Args:
        bgr: (h, w, 3) uint8, the layer.
        alpha: (h, w) float32, its own.
        before: (h, w, 4) uint8, the earlier layer there.
        hidden: (h, w) float32, how much is hidden.
        reach: how far and how thin, in pixels.
    """
    side = 2 * reach + 1
    unlike = most(cv2.absdiff(bgr, cv2.cvtColor(before, cv2.COLOR_BGRA2BGR))) > _UNLIKE
    unlike = (unlike & (alpha > 0.5)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    thin = cv2.subtract(unlike, cv2.morphologyEx(unlike, cv2.MORPH_OPEN, disc))
    near = cv2.dilate((hidden > 0.5).astype(np.uint8), np.ones((side, side), np.uint8))
    rim = cv2.dilate(thin & near, np.ones((3, 3), np.uint8)) * np.float32(1 / 255)
    result: F32 = cv2.blur(rim, (3, 3)) * before[..., 3]
    return result


def _over(alpha: F32, behind: F32) -> F32:
    whole: F32 = alpha + (1 - alpha) * behind
    return whole


def _mix(base: U8, over: U8, share: F32) -> U8:
    off = cv2.multiply(cv2.subtract(over, base, dtype=cv2.CV_32F), cv2.merge((share,) * 3))
    mixed: U8 = cv2.convertScaleAbs(cv2.add(base, off, dtype=cv2.CV_32F))
    return mixed
