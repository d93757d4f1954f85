"""Carries the painted garment from its keyframe to the live frame.

Two threads share a :class:`Propagator`. The display thread calls ``adopt``, ``carry``, ``advance`` and
``rebase``; the keyframe thread calls ``prepare``; the body thread calls ``observe``. What they share are
references to immutable objects (:class:`Anchor`, ``_Followed``, ``Body``), each read once and replaced whole,
so no lock is held while anything is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor, continue_colours, texture_spread
from vastra_live.tracking.appearance import learn_colours
from vastra_live.tracking.motion import Flow, repair
from vastra_live.tracking.visibility import Seen, see
from vastra_live.tracking.window import Window, grid, window_around
from vastra_live.types import F32, U8, Body, Carried, Layer

__all__ = ["Anchor", "Propagator"]

_FADE_S = 0.12
_FRAME_S = 1 / 30


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """The display thread's newest result: window, flow to the anchor in work pixels, log odds of the layer."""

    anchor: Anchor
    window: Window
    flow: F32
    odds_log: F32


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """A picture explained by an anchor, on the work grid of ``window``."""

    window: Window
    flow: F32
    seen: Seen
    alpha: F32
    residual: float


class Propagator:
    """Keeps the layer of the newest keyframe on the garment, frame by frame.

    Live session: ``prepare`` a layer on the keyframe thread, ``adopt`` it on the display thread, then ``carry``
    every frame. Plain arrays: ``rebase`` and ``advance``.
    """

    def __init__(self) -> None:
        self._display_flow = Flow()
        self._keyframe_flow = Flow()
        self._anchor: Anchor | None = None
        self._followed: _Followed | None = None
        self._body: Body | None = None
        self._fade = 1.0
        self._carried_ns: int | None = None

    def observe(self, body: Body | None) -> None:
        """The newest body, or None when nobody is seen. Optional. Any thread."""
        self._body = body

    def prepare(self, layer: Layer) -> Anchor:
        """The heavy half of taking over a keyframe. One thread at a time, beside ``carry``."""
        height, width = layer.frame.bgr.shape[:2]
        if layer.to_frame is None:
            to_frame, alpha = np.eye(2, 3, dtype=np.float32), layer.alpha
        else:
            to_frame = layer.to_frame
            alpha = cv2.warpAffine(layer.alpha, to_frame, (width, height), flags=cv2.INTER_LINEAR)
        return self._prepare(layer.frame.bgr, layer.bgr, layer.alpha, alpha, to_frame, layer.garment.name)

    def adopt(self, anchor: Anchor, crossfade: bool = True) -> None:
        """A prepared keyframe takes over. Cheap; display thread.

        Args:
            anchor: from :meth:`prepare`.
            crossfade: fade from the layer shown before, over 120 ms; otherwise at once.
        """
        followed = self._followed
        window = anchor.window
        flow = np.zeros((window.rows, window.columns, 2), np.float32)
        odds = np.zeros((window.rows, window.columns), np.float32)
        if followed is not None:
            flow = _start_flow(followed, anchor)
            cells = followed.window.cells(window.centres())
            odds = cv2.remap(followed.odds_log, cells, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        self._followed = _Followed(anchor, window, flow, odds)
        self._anchor = anchor
        self._fade = 0.0 if crossfade and anchor.before_alpha is not None else 1.0

    def carry(self, frame_bgr: U8, captured_ns: int | None = None) -> Carried:
        """The layer for this frame.

        Args:
            frame_bgr: (H, W, 3) uint8.
            captured_ns: when it was captured, for the cross-fade; without it a frame counts 1/30 s.

        Raises:
            RuntimeError: no keyframe was adopted yet.
        """
        followed = self._followed
        if followed is None:
            raise RuntimeError("Propagator.carry: no keyframe was adopted yet")
        anchor = followed.anchor
        self._step_fade(captured_ns)
        alpha, texture = anchor.alpha, anchor.texture_bgra
        if self._fade < 1 and anchor.before_alpha is not None and anchor.before_texture_bgra is not None:
            alpha = cv2.addWeighted(anchor.before_alpha, 1 - self._fade, alpha, self._fade, 0)
            texture = cv2.addWeighted(anchor.before_texture_bgra, 1 - self._fade, texture, self._fade, 0)
        match = _match(self._display_flow, anchor, alpha, followed.window, followed.flow, frame_bgr)
        odds = cv2.GaussianBlur(match.seen.odds_log, (0, 0), 1)
        self._followed = _Followed(anchor, match.window, match.flow, odds)
        return _draw(frame_bgr, anchor, texture, match, odds)

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None:
        """Take over a keyframe at once, from arrays of the frame's size."""
        identity = np.eye(2, 3, dtype=np.float32)
        self.adopt(self._prepare(frame_bgr, layer_bgr, layer_alpha, layer_alpha, identity, ""), crossfade=False)

    def advance(self, frame_bgr: U8) -> tuple[U8, F32]:
        """The layer for this frame at the frame's size: straight colour uint8, alpha float32 0..1."""
        carried = self.carry(frame_bgr)
        x0, y0, x1, y1 = carried.box
        bgr, alpha = np.zeros_like(frame_bgr), np.zeros(frame_bgr.shape[:2], np.float32)
        solid = carried.alpha.astype(np.float32) / 255
        alpha[y0:y1, x0:x1] = solid
        bgr[y0:y1, x0:x1] = np.clip(carried.premultiplied_bgr / np.maximum(solid, 1 / 255)[..., None] + 0.5, 0, 255)
        return bgr, alpha

    def _step_fade(self, captured_ns: int | None) -> None:
        elapsed = _FRAME_S
        if captured_ns is not None and self._carried_ns is not None:
            elapsed = max(0.0, (captured_ns - self._carried_ns) * 1e-9)
        self._carried_ns = captured_ns
        self._fade = min(1.0, self._fade + elapsed / _FADE_S)

    def _prepare(self, frame_bgr: U8, bgr: U8, own_alpha: F32, alpha: F32, to_frame: F32, name: str) -> Anchor:
        followed = self._followed
        old = None if followed is None else followed.anchor
        window = window_around(alpha)
        ycrcb = cv2.cvtColor(window.shrink(window.cut(frame_bgr)), cv2.COLOR_BGR2YCrCb)
        solid = window.shrink(window.cut(alpha))
        colours = learn_colours(
            ycrcb,
            (solid > 0.95).astype(np.float32),
            (solid < 0.05).astype(np.float32),
            None if old is None else old.colours,
        )
        to_texture = cv2.invertAffineTransform(to_frame).astype(np.float32)
        texture = np.dstack([continue_colours(bgr, own_alpha), np.round(own_alpha * 255).astype(np.uint8)])
        bridge = before_alpha = before_texture = None
        if followed is not None and old is not None:
            match = _match(self._keyframe_flow, old, old.alpha, followed.window, followed.flow, frame_bgr)
            bridge, before_alpha, before_texture, hidden = _bring(match, old, window, to_frame, own_alpha)
            hidden = np.clip((hidden * (1 - solid) - 0.3) / 0.4, 0, 1)
            cells = old.window.cells(window.centres() + bridge)
            earlier = cv2.remap(old.expected, cells, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            ycrcb = _mix(ycrcb, earlier[..., :3], hidden)
            solid = np.maximum(solid, hidden)
            if old.garment_name == name:
                rows, columns = own_alpha.shape
                own_hidden = _to_own(window, hidden, to_frame, columns, rows)
                texture = np.dstack(
                    [
                        _mix(texture[..., :3], before_texture[..., :3], own_hidden),
                        np.maximum(texture[..., 3], np.round(own_hidden * 255).astype(np.uint8)),
                    ]
                )
        return Anchor(
            window=window,
            expected=np.dstack([ycrcb, texture_spread(np.ascontiguousarray(ycrcb[..., 0]))]),
            alpha=solid,
            texture_bgra=texture,
            to_texture=to_texture,
            colours=colours,
            garment_name=name,
            bridge=bridge,
            before_alpha=before_alpha,
            before_texture_bgra=before_texture,
        )


def _match(flow: Flow, anchor: Anchor, alpha: F32, window: Window, start: F32, frame_bgr: U8) -> _Match:
    live = cv2.cvtColor(window.shrink(window.cut(frame_bgr)), cv2.COLOR_BGR2YCrCb)
    places = grid(window.columns, window.rows)
    key_y = np.ascontiguousarray(anchor.expected[..., 0])
    moved = flow.follow(np.ascontiguousarray(live[..., 0]), key_y, start)
    known = np.full(alpha.shape, 0.9, np.float32)
    for _ in range(2):
        at = places + moved
        expected = cv2.remap(anchor.expected, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        covered = cv2.remap(alpha, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        spread = expected[..., 3].astype(np.float32)
        seen = see(live, expected[..., :3], spread, covered, known, anchor.colours)
        moved = repair(moved, cv2.GaussianBlur(seen.matched, (0, 0), 1), 10)
    off = cv2.absdiff(live[..., 0], expected[..., 0]).astype(np.float32)
    weight = seen.matched * covered
    return _Match(window, moved, seen, covered, float((off * weight).sum() / max(float(weight.sum()), 1.0)))


def _draw(frame_bgr: U8, anchor: Anchor, texture: U8, match: _Match, odds_log: F32) -> Carried:
    window = match.window
    height, width = frame_bgr.shape[:2]
    x0, y0, x1, y1 = window.inside(width, height)
    probable = 1 / (1 + np.exp(-odds_log))
    positions = anchor.window.centres() + match.flow * np.float32(window.step)
    at = window.grow(cv2.transform(positions, anchor.to_texture))
    part = np.s_[y0 - window.y : y1 - window.y, x0 - window.x : x1 - window.x]
    drawn = cv2.remap(texture, np.ascontiguousarray(at[part]), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = np.round((probable - match.alpha) * 255).astype(np.int16)
    alpha = cv2.add(cv2.extractChannel(drawn, 3), window.grow(change)[part], dtype=cv2.CV_8U)
    premultiplied = cv2.multiply(drawn[..., :3], cv2.merge((alpha, alpha, alpha)), None, 1 / 255)
    mass = max(float(match.alpha.sum()), 1.0)
    found = float((match.seen.matched * match.alpha).sum()) / mass
    return Carried((x0, y0, x1, y1), premultiplied, alpha, min(1.0, found), match.residual)


def _start_flow(followed: _Followed, anchor: Anchor) -> F32:
    """First guess of the flow from the live frame to a new anchor, by way of the anchor before it."""
    window = anchor.window
    if anchor.bridge is None:
        return np.zeros((window.rows, window.columns, 2), np.float32)
    centres = window.centres()
    old_step = np.float32(followed.window.step)
    old_offset = np.array(
        [followed.anchor.window.x - followed.window.x, followed.anchor.window.y - followed.window.y], np.float32
    )
    cells = followed.window.cells(centres)
    live_to_old = cv2.remap(followed.flow, cells, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    live_to_old = live_to_old * old_step + old_offset
    move = live_to_old - anchor.bridge
    there = window.cells(centres + move)
    bridge = cv2.remap(anchor.bridge, there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    start: F32 = (live_to_old - bridge) / np.float32(window.step)
    return start


def _bring(match: _Match, old: Anchor, window: Window, to_frame: F32, own_alpha: F32) -> tuple[F32, F32, U8, F32]:
    """The old anchor in the place of a new one: bridge, alpha, texture, and what of it is hidden now."""
    offset = np.array([old.window.x - match.window.x, old.window.y - match.window.y], np.float32)
    displaced = match.flow * np.float32(match.window.step) + offset
    covered = np.clip(match.alpha - 1 / (1 + np.exp(-match.seen.odds_log)), 0, 1) * (1 - match.seen.matched)
    cells = match.window.cells(window.centres())
    bridge = cv2.remap(displaced, cells, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    hidden = cv2.remap(covered, cells, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    alpha_at = old.window.cells(window.centres() + bridge)
    alpha = cv2.remap(old.alpha, alpha_at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rows, columns = own_alpha.shape
    frame_at = cv2.transform(grid(columns, rows), to_frame)
    moved = cv2.remap(bridge, window.cells(frame_at), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    texture_at = cv2.transform(frame_at + moved, old.to_texture)
    texture = cv2.remap(old.texture_bgra, texture_at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return bridge, alpha, texture, hidden


def _to_own(window: Window, field: F32, to_frame: F32, columns: int, rows: int) -> F32:
    """A field on the work grid, in the layer's own pixels; 0 outside the window."""
    at = window.cells(cv2.transform(grid(columns, rows), to_frame))
    own: F32 = cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return own


def _mix(base: U8, over: U8, share: F32) -> U8:
    mixed = base + (over.astype(np.float32) - base) * share[..., None]
    result: U8 = np.round(mixed).astype(np.uint8)
    return result
