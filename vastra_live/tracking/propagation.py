"""Carries the painted garment from its keyframe to the live frame.

Two threads share a :class:`Propagator`. The display thread calls ``adopt``, ``carry``, ``advance`` and
``rebase``; the keyframe thread calls ``prepare``; the body thread calls ``observe``. What they share are
references to immutable objects (:class:`~vastra_live.tracking.following.Followed`, ``Body``), each read once
and replaced whole, so no lock is held while anything is computed.
"""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor, Painted, Placed, first_anchor, next_anchor
from vastra_live.tracking.drawing import Canvas, Drawn
from vastra_live.tracking.following import Followed, expect, expect_by_body, follow, recentre
from vastra_live.tracking.motion import Flow
from vastra_live.types import F32, U8, Body, Carried, Layer

__all__ = ["Anchor", "Propagator"]

_FADE_S = 0.12
# Below this confidence the flow has nothing to go on.
_LOST = 0.3
# What a frame counts when nobody says when it was captured.
_FRAME_S = 1 / 30


class Propagator:
    """Keeps the layer of the newest keyframe on the garment, frame by frame.

    Live session: ``prepare`` a layer on the keyframe thread, ``adopt`` it on the display thread, then ``carry``
    every frame. Plain arrays: ``rebase`` and ``advance``.
    """

    def __init__(self) -> None:
        self._display_flow = Flow()
        self._keyframe_flow = Flow()
        self._canvas = Canvas()
        self._followed: Followed | None = None
        self._body: Body | None = None
        self._restarted_at = -1
        self._fade = 1.0
        self._carried_ns: int | None = None

    def observe(self, body: Body | None) -> None:
        """The newest body, or None when nobody is seen. Optional. Any thread."""
        self._body = body

    def prepare(self, layer: Layer) -> Anchor:
        """The heavy half of taking over a keyframe; about six times the work of carrying a frame.

        May run on the keyframe thread beside ``carry``, one call at a time. It reads the newest carried state once
        and changes nothing. Adopt the anchor before preparing the next one, or the next one takes over from an
        older layer than the one shown.

        Args:
            layer: in its frame's size or at its own resolution; not copied further than its garment's extent.
        """
        to_frame = np.eye(2, 3, dtype=np.float32) if layer.to_frame is None else layer.to_frame
        return self._prepare(Painted(layer.frame.bgr, layer.bgr, layer.alpha, to_frame, layer.garment.name, layer.body))

    def adopt(self, anchor: Anchor, crossfade: bool = True) -> None:
        """A prepared keyframe takes over. Cheap; display thread.

        Args:
            anchor: from :meth:`prepare`.
            crossfade: fade from the layer shown before, over 120 ms; otherwise at once.
        """
        self._followed = expect(anchor, self._followed)
        self._fade = 0.0 if crossfade and anchor.before is not None else 1.0

    def carry(self, frame_bgr: U8, captured_ns: int | None = None) -> Carried:
        """The layer for this frame.

        Args:
            frame_bgr: (H, W, 3) uint8.
            captured_ns: when it was captured, for the cross-fade; without it a frame counts 1/30 s.

        Raises:
            RuntimeError: no keyframe was adopted yet.
        """
        followed, drawn = self._carry(frame_bgr, captured_ns)
        premultiplied = self._canvas.premultiply(drawn)
        return Carried(drawn.box, premultiplied, drawn.alpha, followed.confidence, followed.residual)

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None:
        """Take over a keyframe at once, from arrays of the frame's size."""
        painted = Painted(frame_bgr, layer_bgr, layer_alpha, np.eye(2, 3, dtype=np.float32), "")
        self.adopt(self._prepare(painted), crossfade=False)

    def advance(self, frame_bgr: U8) -> tuple[U8, F32]:
        """The layer for this frame at the frame's size: straight colour uint8, alpha float32 0..1.

        Raises:
            RuntimeError: no keyframe was given yet.
        """
        _, drawn = self._carry(frame_bgr, None)
        x0, y0, x1, y1 = drawn.box
        bgr, alpha = np.zeros(frame_bgr.shape, np.uint8), np.zeros(frame_bgr.shape[:2], np.float32)
        bgr[y0:y1, x0:x1] = drawn.bgr
        np.multiply(drawn.alpha, np.float32(1 / 255), out=alpha[y0:y1, x0:x1])
        return bgr, alpha

    def _carry(self, frame_bgr: U8, captured_ns: int | None) -> tuple[Followed, Drawn]:
        last = self._followed
        if last is None:
            raise RuntimeError("Propagator.carry: no keyframe was adopted yet")
        self._step_fade(captured_ns)
        found = follow(self._display_flow, self._restart(last), frame_bgr, self._fade)
        self._followed = recentre(found)
        anchor = found.anchor
        texture = anchor.texture_bgra
        if self._fade < 1 and anchor.before is not None:
            texture = cv2.addWeighted(anchor.before.texture_bgra, 1 - self._fade, texture, self._fade, 0)
        height, width = frame_bgr.shape[:2]
        return found, self._canvas.draw(found, texture, width, height)

    def _restart(self, last: Followed) -> Followed:
        """Where to look next: where it was, or, when that was lost, where the body or the keyframe says."""
        if last.confidence >= _LOST:
            return last
        body = self._body
        if body is not None and body.frame_index != self._restarted_at:
            self._restarted_at = body.frame_index
            by_body = expect_by_body(last.anchor, body)
            if by_body is not None:
                return by_body
        return expect(last.anchor, None) if last.confidence < _LOST / 3 else last

    def _step_fade(self, captured_ns: int | None) -> None:
        elapsed = _FRAME_S
        if captured_ns is not None and self._carried_ns is not None:
            elapsed = max(0.0, (captured_ns - self._carried_ns) * 1e-9)
        self._carried_ns = captured_ns
        self._fade = min(1.0, self._fade + elapsed / _FADE_S)

    def _prepare(self, painted: Painted) -> Anchor:
        last = self._followed
        if last is None or _somebody_else(painted.body, last.anchor.body):
            return first_anchor(painted)
        found = follow(self._keyframe_flow, last, painted.frame_bgr)
        return next_anchor(painted, Placed(last.anchor, found.window, found.displacement()))


def _somebody_else(body: Body | None, before: Body | None) -> bool:
    return body is not None and before is not None and body.wearer != before.wearer
