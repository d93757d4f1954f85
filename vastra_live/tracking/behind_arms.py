"""What a keyframe would show without its arms, and its layer with the arms elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor, continue_colours
from vastra_live.tracking.limbs import PARTS, Arms, arm_mask, arms_of
from vastra_live.tracking.painted import after, ending_like
from vastra_live.tracking.surface import surface_of
from vastra_live.tracking.window import grid
from vastra_live.types import F32, U8

__all__ = ["with_arms", "without", "without_haste"]

Picture = TypeVar("Picture", F32, U8)

# An arm and its shadow, in shares of the arm's usual width.
_MARGIN = 1.15
# An arm and what its landmarks may be off, likewise.
_WIDE = 1.6
# shoulders and hips in BlazePose's numbering, around the torso
_TORSO = [11, 12, 24, 23]


def with_arms(anchor: Anchor, earlier: Anchor | None) -> Anchor:
    """The anchor, ready for arms that move far: with what lies behind them.

    Known from the anchor before; where there is none, the layer within shoulders and hips and the surroundings
    outside are continued.

    Args:
        anchor: new, and when there is an earlier one, made from it.
        earlier: the anchor before.
    """
    arms = arms_of(anchor.body)
    if arms is None:
        return anchor
    masks = _masks(anchor, arms, _MARGIN)
    mask = np.maximum.reduce(masks)
    known = None
    if earlier is not None and earlier.bare is not None and earlier.garment_name == anchor.garment_name:
        known = _remembered(anchor, earlier.bare)
    bare = _replaced(anchor, mask, known or _guessed(anchor, mask))
    return replace(anchor, arms=arms, arm_masks=masks, bare=replace(bare, before=None))


# arms that come near where the keyframe has them come and go
@lru_cache(maxsize=4)
def without(anchor: Anchor, parts: int) -> Anchor:
    """The anchor with what lies behind these parts of its arms in their place."""
    bare = anchor.bare
    if not parts or bare is None:
        return anchor
    # behind a forearm may be an upper arm, which stays
    mask = np.minimum(_union(anchor.arm_masks, parts), 1 - _union(anchor.arm_masks, ~parts))
    return _replaced(anchor, mask, (bare.ycrcb, bare.alpha, bare.texture_bgra))


def without_haste(anchor: Anchor, parts: int) -> Anchor:
    """The anchor, whose parts of arms do not fade in: where they were before, and as what, is another place.

    Args:
        anchor: made from one without these parts.
        parts: what had moved far since that one.
    """
    arms, before = anchor.arms, anchor.before
    if not parts or arms is None or before is None:
        return anchor
    mask = _union(_masks(anchor, arms, _WIDE), parts)
    alpha = before.surface.expected[..., 3] * np.float32(1 / 255)
    alpha += (anchor.alpha - alpha) * mask
    texture = _mixed(before.texture_bgra, anchor.texture_bgra, _on_own(anchor, mask))
    return replace(anchor, before=replace(before, surface=surface_of(anchor.ycrcb, alpha), texture_bgra=texture))


def _masks(anchor: Anchor, arms: Arms, margin: float) -> tuple[F32, ...]:
    """What each part of the arms covers, on the work grid; nothing of an arm that is not seen."""
    places = anchor.window.centres()
    return tuple(arm_mask(arms, part, places, margin) * np.float32(arms.seen[part // 2]) for part in range(PARTS))


def _union(masks: Sequence[F32], parts: int) -> F32:
    chosen = [mask for part, mask in enumerate(masks) if parts >> part & 1]
    return np.maximum.reduce(chosen) if chosen else np.zeros_like(masks[0])


def _replaced(anchor: Anchor, mask: F32, behind: tuple[U8, F32, U8]) -> Anchor:
    """The anchor with other colours, alpha and texture where the mask is."""
    ycrcb, alpha, texture = behind
    seen = _mixed(anchor.ycrcb, ycrcb, mask)
    covered = anchor.alpha + (alpha - anchor.alpha) * mask
    return replace(
        anchor,
        luma=np.ascontiguousarray(seen[..., 0]),
        alpha=covered,
        ycrcb=seen,
        surface=surface_of(seen, covered),
        texture_bgra=_mixed(anchor.texture_bgra, texture, _on_own(anchor, mask)),
    )


def _remembered(anchor: Anchor, earlier: Anchor) -> tuple[U8, F32, U8] | None:
    """Colours, alpha and texture of an earlier anchor, moved to this one; None when it was not made from one."""
    if anchor.before is None:
        return None
    bridge = anchor.before.bridge
    cells = earlier.window.cells(anchor.window.centres() + bridge)
    rows, columns = anchor.texture_bgra.shape[:2]
    there = cv2.transform(grid(columns, rows), after(earlier.to_texture, cv2.invertAffineTransform(anchor.to_texture)))
    there += _on_own(anchor, cv2.transform(bridge, earlier.to_texture[:, :2]))
    alpha = _moved(earlier.alpha, cells)
    # the texture's own alpha ends elsewhere where the earlier layer was cut off
    return _moved(earlier.ycrcb, cells), alpha, _bgra(anchor, _moved(earlier.texture_bgra, there)[..., :3], alpha)


def _guessed(anchor: Anchor, mask: F32) -> tuple[U8, F32, U8]:
    """Colours, alpha and texture behind the mask, nothing being known of them."""
    assert anchor.body is not None
    torso = np.zeros(mask.shape, np.uint8)
    corners = anchor.window.cells(anchor.body.landmarks_px[_TORSO, :2])
    cv2.fillConvexPoly(torso, np.round(corners).astype(np.int32), 1)
    alpha = torso.astype(np.float32)
    inside, outside = (continue_colours(anchor.ycrcb, part * (1 - mask)) for part in (anchor.alpha, 1 - anchor.alpha))
    own_alpha = anchor.texture_bgra[..., 3] * np.float32(1 / 255) * (1 - _on_own(anchor, mask))
    colours = continue_colours(np.ascontiguousarray(anchor.texture_bgra[..., :3]), own_alpha)
    return np.where(torso[..., None] > 0, inside, outside), alpha, _bgra(anchor, colours, alpha)


def _bgra(anchor: Anchor, bgr: U8, alpha: F32) -> U8:
    """A texture like the anchor's of these colours, with an alpha of the work grid."""
    own_alpha = ending_like(anchor.texture_bgra[..., 3], _on_own(anchor, alpha))
    return np.dstack([bgr, np.round(own_alpha * 255).astype(np.uint8)])


def _on_own(anchor: Anchor, field: F32) -> F32:
    """A field of the work grid in the pixels of the anchor's texture."""
    to_cells = after(anchor.window.to_cells(), cv2.invertAffineTransform(anchor.to_texture))
    rows, columns = anchor.texture_bgra.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    own: F32 = cv2.warpAffine(field, to_cells, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return own


def _moved(field: Picture, at: F32) -> Picture:
    moved: Picture = cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved


def _mixed(base: U8, over: U8, share: F32) -> U8:
    """A copy of the base with the other mixed in, where its share is not 0."""
    mixed = base.copy()
    x, y, width, height = cv2.boundingRect(cv2.compare(share, 0, cv2.CMP_GT))
    if width > 0:
        part = np.s_[y : y + height, x : x + width]
        here, there, shares = (np.ascontiguousarray(each[part]) for each in (base, over, share))
        mixed[part] = cv2.blendLinear(there, here, shares, 1 - shares)
    return mixed
