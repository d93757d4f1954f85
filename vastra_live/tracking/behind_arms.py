"""What a keyframe would show without its arms, and its layer with the arms elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.tracking.anchor import Anchor, Limbs
from vastra_live.tracking.limbs import PARTS, Arms, arm_masks, arms_of, layer_on
from vastra_live.tracking.painted import after, continue_colours, ending_like, with_alpha
from vastra_live.tracking.reach import torso_of
from vastra_live.tracking.surface import surface_of
from vastra_live.tracking.window import Picture, grid, sampled
from vastra_live.types import F32, U8

__all__ = ["beside_trunk", "with_arms", "without", "without_haste"]

I32 = npt.NDArray[np.int32]

# An arm and its shadow, in shares of the arm's usual width.
_MARGIN = 1.15
# An arm and what its landmarks may be off, likewise.
_WIDE = 1.6
# What share of the worn sleeves must lie beside the arms made before these are narrower.
_NARROWER = 0.1
# How far a torso reaches beyond its landmarks, in its own sizes.
_FLANK = 0.15
# So many work pixels of it tell where a torso is covered.
_ENOUGH = 3
# So many work pixels beside a layer its own colours go on.
_BESIDE = 1
# An alpha in levels below which a layer is not there.
_NOTHING = 8
# shoulders and hips in BlazePose's numbering, around the torso
_TORSO = [11, 12, 24, 23]


def with_arms(anchor: Anchor, earlier: Anchor | None) -> Anchor:
    """The anchor, ready for arms that move far: with what lies behind them.

    Known from the anchor before; where there is none, the layer on the trunk, or within shoulders and hips, and the
    surroundings outside are continued. Of a layer whose trunk is known nothing else is seen there.

    Args:
        anchor: new, and when there is an earlier one, made from it.
        earlier: the anchor before.
    """
    arms = arms_of(anchor.body)
    if arms is None:
        return anchor
    masks, wide = _masks(anchor, arms, _MARGIN, _WIDE)
    if anchor.trunk_alpha is not None:
        # what is not on the trunk beside an arm is its cuff
        cuffs = anchor.shown_alpha * (1 - anchor.trunk_alpha)
        masks = tuple(np.maximum(near, far * cuffs) for near, far in zip(masks, wide, strict=True))
    mask = np.maximum.reduce(masks)
    place = _placed(anchor, mask)
    if not place.levels.size:
        # arms beside the layer
        return anchor
    known = None
    if earlier is not None and earlier.bare is not None and earlier.garment_name == anchor.garment_name:
        known = _remembered(anchor, earlier.bare, place)
    behind = known or _guessed(anchor, mask, place)
    bare = _replaced(anchor, mask, place, behind if anchor.trunk_bgra is None else _with_trunk(anchor, behind, place))
    shown = with_alpha(
        cv2.copyTo(
            anchor.shown_bgr,
            _levels(anchor.shown_own_alpha),
            cv2.cvtColor(anchor.texture_bgra, cv2.COLOR_BGRA2BGR),
        ),
        anchor.shown_own_alpha,
    )
    at = cv2.transform(anchor.window.centres(), anchor.to_texture)
    layer, behind = (cv2.cvtColor(sampled(each, at), cv2.COLOR_BGRA2BGR) for each in (shown, bare.texture_bgra))
    # where there is no layer behind, there is what the camera saw
    wall = cv2.cvtColor(bare.ycrcb, cv2.COLOR_YCrCb2BGR)
    behind = cv2.copyTo(wall, cv2.compare(bare.alpha, 0.5, cv2.CMP_LT), behind)
    dressed, own, worn = layer_on(arms, anchor.window, anchor.shown_alpha, layer, behind)
    beside, sleeves = (float((share * mask).sum()) for share in (worn - own, worn))
    surrounded, narrower = anchor, beside > _NARROWER * sleeves
    if narrower:
        own_wall = _on_own(anchor, wall)
        bare, surrounded = (_surrounded(each, own_wall) for each in (bare, anchor))
    limbs = Limbs(
        arms,
        masks,
        own if narrower else worn,
        worn,
        narrower,
        dressed,
        luma=cv2.extractChannel(anchor.shown_ycrcb, 0),
        surface=surface_of(anchor.shown_ycrcb, anchor.shown_alpha),
        texture_bgra=shown,
        surrounded_bgra=surrounded.texture_bgra,
    )
    return replace(anchor, limbs=limbs, bare=replace(bare, before=None))


# arms that come near where the keyframe has them come and go
@lru_cache(maxsize=4)
def without(anchor: Anchor, parts: int) -> Anchor:
    """The anchor with what lies behind these parts of its arms in their place."""
    bare, limbs = anchor.bare, anchor.limbs
    if not parts or bare is None or limbs is None:
        return anchor
    # behind a forearm may be an upper arm, which stays
    mask = np.minimum(_union(limbs.masks, parts), 1 - _union(limbs.masks, ~parts))
    place = _placed(anchor, mask)
    surrounded = replace(anchor, texture_bgra=limbs.surrounded_bgra)
    return _replaced(surrounded, mask, place, _Behind(bare.ycrcb, bare.alpha, bare.texture_bgra[place.part]))


# likewise
@lru_cache(maxsize=4)
def beside_trunk(anchor: Anchor, parts: int) -> F32:
    """Where the layer is on arms beside the trunk, without these parts of them: (rows, columns) float32, 0..1.

    Asked in every frame, of one anchor and mostly the same parts, and so kept; not to be written to.
    """
    masks = [mask for part, mask in enumerate(anchor.limbs.masks if anchor.limbs else ()) if not parts >> part & 1]
    if not masks:
        return np.zeros_like(anchor.alpha)
    beside: F32 = np.maximum.reduce(masks) * anchor.shown_alpha
    return beside if anchor.trunk_alpha is None else beside * (1 - anchor.trunk_alpha)


def without_haste(anchor: Anchor, parts: int) -> Anchor:
    """The anchor, whose parts of arms do not fade in: where they were before, and as what, is another place.

    Args:
        anchor: made from one without these parts.
        parts: what had moved far since that one.
    """
    limbs, before = anchor.limbs, anchor.before
    if not parts or limbs is None or before is None:
        return anchor
    mask = _union(_masks(anchor, limbs.arms, _WIDE)[0], parts)
    alpha = before.surface.expected[..., 3] * np.float32(1 / 255)
    alpha += (anchor.alpha - alpha) * mask
    place = _placed(anchor, mask)
    texture = _mixed(before.texture_bgra, anchor.texture_bgra[place.part], place)
    return replace(anchor, before=replace(before, surface=surface_of(anchor.ycrcb, alpha), texture_bgra=texture))


def _surrounded(anchor: Anchor, wall: U8) -> Anchor:
    """The anchor with colours beyond its layer that are those of what surrounds the wearer.

    A worn sleeve that swings out there, and is wider than the arm made in it, is covered with that.

    Args:
        anchor: of a keyframe.
        wall: (h, w, 3) uint8, what surrounds the wearer there, in the pixels of its texture; anything elsewhere.
    """
    alpha = cv2.extractChannel(anchor.texture_bgra, 3)
    around = np.ones((2 * _BESIDE * anchor.window.step + 1,) * 2, np.uint8)
    beyond = cv2.compare(cv2.dilate(alpha, around), _NOTHING, cv2.CMP_LT)
    return replace(anchor, texture_bgra=cv2.copyTo(with_alpha(wall, alpha), beyond, anchor.texture_bgra.copy()))


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A mask where it is not 0: rows and columns, and there (h, w) uint8."""

    part: tuple[slice, slice]
    levels: U8


@dataclass(frozen=True, slots=True, eq=False)
class _Behind:
    """What lies behind arms.

    Attributes:
        ycrcb: (rows, columns, 3) uint8, on the work grid.
        alpha: (rows, columns) float32, likewise.
        texture_bgra: (h, w, 4) uint8, where the arms are in the texture.
    """

    ycrcb: U8
    alpha: F32
    texture_bgra: U8


def _masks(anchor: Anchor, arms: Arms, *margins: float) -> list[tuple[F32, ...]]:
    """What each part of the arms covers, on the work grid, for each margin; nothing of an arm that is not seen."""
    nothing = np.zeros_like(anchor.alpha)
    parts = (
        arm_masks(arms, part, anchor.window, margins) if arms.seen[part // 2] else (nothing,) * len(margins)
        for part in range(PARTS)
    )
    return list(zip(*parts, strict=True))


def _union(masks: Sequence[F32], parts: int) -> F32:
    chosen = [mask for part, mask in enumerate(masks) if parts >> part & 1]
    return np.maximum.reduce(chosen) if chosen else np.zeros_like(masks[0])


def _replaced(anchor: Anchor, mask: F32, place: _Place, behind: _Behind) -> Anchor:
    """The anchor with other colours, alpha and texture where the mask is, which is at that place in the texture."""
    seen = _mixed(anchor.ycrcb, behind.ycrcb, _Place(np.s_[:, :], _levels(mask)))
    covered = anchor.alpha + (behind.alpha - anchor.alpha) * mask
    return replace(
        anchor,
        luma=np.ascontiguousarray(seen[..., 0]),
        alpha=covered,
        ycrcb=seen,
        surface=surface_of(seen, covered),
        texture_bgra=_mixed(anchor.texture_bgra, behind.texture_bgra, place),
    )


def _remembered(anchor: Anchor, earlier: Anchor, place: _Place) -> _Behind | None:
    """What an earlier anchor shows there, moved to this one; None when this was not made from one."""
    if anchor.before is None:
        return None
    bridge = anchor.before.bridge
    cells = earlier.window.cells(anchor.window.centres() + bridge)
    alpha = sampled(earlier.alpha, cells)
    rows, columns = anchor.texture_bgra.shape[:2]
    to_frame = cv2.invertAffineTransform(anchor.to_texture)
    there = cv2.transform(grid(columns, rows)[place.part], after(earlier.to_texture, to_frame))
    there += _on_own(anchor, cv2.transform(bridge, earlier.to_texture[:, :2]), place.part)
    texture = sampled(earlier.texture_bgra, there)
    # its own alpha ends elsewhere where the earlier layer was cut off
    return _Behind(sampled(earlier.ycrcb, cells), alpha, _like(anchor, texture, alpha, place))


def _with_trunk(anchor: Anchor, behind: _Behind, place: _Place) -> _Behind:
    """What is behind, in the colours of the layer's own trunk.

    Where it ends is known better from before: behind a raised arm a trunk is drawn up with the shoulder.
    """
    assert anchor.trunk_bgra is not None
    own = np.ascontiguousarray(anchor.trunk_bgra[place.part])
    texture = _mixed(behind.texture_bgra, own, _Place(np.s_[:, :], cv2.extractChannel(own, 3)))
    return replace(behind, texture_bgra=with_alpha(texture, cv2.extractChannel(behind.texture_bgra, 3)))


def _guessed(anchor: Anchor, mask: F32, place: _Place) -> _Behind:
    """What may be behind the mask, nothing being known of it."""
    alpha = _torso(anchor, mask) if anchor.trunk_alpha is None else anchor.trunk_alpha
    inside, outside = (continue_colours(anchor.ycrcb, part * (1 - mask)) for part in (anchor.alpha, 1 - anchor.alpha))
    own_alpha = anchor.texture_bgra[..., 3] * np.float32(1 / 255)
    own_alpha[place.part] *= 1 - place.levels * np.float32(1 / 255)
    colours = continue_colours(cv2.cvtColor(anchor.texture_bgra, cv2.COLOR_BGRA2BGR), own_alpha)[place.part]
    return _Behind(np.where(alpha[..., None] > 0.5, inside, outside), alpha, _like(anchor, colours, alpha, place))


def _torso(anchor: Anchor, mask: F32) -> F32:
    """What a layer covers of the torso, by the landmarks, behind the mask: (rows, columns) float32, 0..1."""
    assert anchor.body is not None
    torso = np.zeros(mask.shape, np.uint8)
    corners: I32 = np.round(anchor.window.cells(anchor.body.landmarks_px[_TORSO, :2])).astype(np.int32)
    cv2.fillConvexPoly(torso, corners, 1)
    _, size = torso_of(anchor.body)
    cv2.polylines(torso, [corners], True, 1, max(1, round(2 * _FLANK * size / anchor.window.step)))
    alpha: F32 = _as_deep(anchor, corners, torso * (1 - mask)) * torso
    return alpha


def _as_deep(anchor: Anchor, corners: I32, seen: F32) -> F32:
    """How much of the torso the layer covers at each place's depth, where it is seen: (rows, columns) float32, 0..1.

    A top ends at its hem and its neckline behind an arm too, and does not hang over shorts or stand on a shoulder.

    Args:
        anchor: of a keyframe.
        corners: (4, 2) the torso's, in cells: shoulders, then hips.
        seen: (rows, columns) float32, 0..1, what of the torso is seen.
    """
    top, bottom = corners[:2].mean(axis=0), corners[2:].mean(axis=0)
    down = ((bottom - top) / max(float(np.linalg.norm(bottom - top)), 1.0)).astype(np.float32)
    rows, columns = seen.shape
    depths = np.round(np.arange(rows, dtype=np.float32)[:, None] * down[1] + np.arange(columns) * down[0]).astype(int)
    depths -= depths.min()
    of_all = np.bincount(depths.ravel(), seen.ravel())
    covered = np.bincount(depths.ravel(), (seen * anchor.alpha).ravel())
    known = np.flatnonzero(of_all >= _ENOUGH)
    if not len(known):
        return np.ones_like(anchor.alpha)
    share = np.interp(np.arange(len(of_all)), known, covered[known] / of_all[known])
    result: F32 = np.clip(2.5 * share - 0.75, 0, 1).astype(np.float32)[depths]
    return result


def _like(anchor: Anchor, colours: U8, alpha: F32, place: _Place) -> U8:
    """A part of a texture like the anchor's, of other colours and an alpha of the work grid; see :func:`with_alpha`."""
    own_alpha = ending_like(anchor.texture_bgra[..., 3], _on_own(anchor, _levels(alpha)))
    return with_alpha(colours, own_alpha[place.part])


def _placed(anchor: Anchor, mask: F32) -> _Place:
    """Where a mask of the work grid is in the anchor's texture."""
    own = _on_own(anchor, _levels(mask))
    x, y, width, height = cv2.boundingRect(own)
    part = np.s_[y : y + height, x : x + width]
    return _Place(part, own[part])


def _levels(share: F32) -> U8:
    levels: U8 = cv2.convertScaleAbs(share, alpha=255)
    return levels


def _on_own(anchor: Anchor, field: Picture, part: tuple[slice, slice] | None = None) -> Picture:
    """A field of the work grid in the pixels of the anchor's texture, or of a part of it."""
    rows, columns = anchor.texture_bgra.shape[:2]
    down, across = (slice(0, rows), slice(0, columns)) if part is None else part
    corner = np.array([[1, 0, across.start], [0, 1, down.start]], np.float32)
    to_cells = after(after(anchor.window.to_cells(), cv2.invertAffineTransform(anchor.to_texture)), corner)
    size = (across.stop - across.start, down.stop - down.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if min(size) == 0:
        return np.zeros((size[1], size[0], *field.shape[2:]), field.dtype)
    own: Picture = cv2.warpAffine(field, to_cells, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return own


def _mixed(base: U8, over: U8, place: _Place) -> U8:
    """A copy of the base with the other, which is as large as the place, mixed in there."""
    mixed = base.copy()
    here = mixed[place.part]
    if here.size > 0:
        shares = cv2.merge((place.levels,) * base.shape[2])
        behind = cv2.multiply(here, cv2.bitwise_not(shares), scale=1 / 255)
        cv2.add(cv2.multiply(over, shares, scale=1 / 255), behind, here)
    return mixed
