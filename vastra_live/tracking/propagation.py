"""Carries the painted garment from its keyframe to the live frame.

Two threads share a :class:`Propagator`. The display thread calls ``adopt``, ``carry``, ``advance`` and
``rebase``; the keyframe thread calls ``prepare``; the body thread calls ``observe``. What they share are
references to immutable objects (what was found in each frame, what is known of the wearer), each read once and
replaced whole, so no lock is held while anything is computed.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor, Placed, first_anchor, next_anchor
from vastra_live.tracking.arm_looks import look_of
from vastra_live.tracking.arm_search import sought
from vastra_live.tracking.behind_arms import with_arms, without, without_haste
from vastra_live.tracking.drawing import Canvas, Drawn
from vastra_live.tracking.expecting import expect, expect_by_body, is_astray
from vastra_live.tracking.following import Followed, follow, recentre
from vastra_live.tracking.leap import leap, small_colours
from vastra_live.tracking.limbs import FOREARMS, ArmMotion, Arms, arms_of, motion_of
from vastra_live.tracking.motion import Flow
from vastra_live.tracking.painted import Painted
from vastra_live.tracking.reach import Reach, reach_of
from vastra_live.types import F32, U8, Body, Carried, Layer, Sleeve

__all__ = ["Anchor", "Propagator"]

_FADE_NS = 120_000_000
# Below this confidence the flow has nothing to go on.
_LOST = 0.3
# How many frames are remembered, with where the anchor was, and how far apart: about a second's.
_TRACES, _APART_NS = 16, 60_000_000
# For how many of its periods a body's motion is believed to go on.
_AHEAD = 1.0
# How far an arm has moved from one keyframe to the next, in torso sizes, before it is not remembered where it was:
# more than landmarks tremble.
_STIRRED = 0.08
# Sleeves that go on below the elbow.
_BELOW_ELBOW = (Sleeve.HALF, Sleeve.LONG)
# What a frame counts when nobody says when it was captured.
_FRAME_NS = 33_333_333


@dataclass(frozen=True, slots=True, eq=False)
class _Wearer:
    """The newest body, when its frame was captured, and what follows from it and the one before.

    ``period_ns`` lies between the two; it is as good as any where one of their times is unknown.
    """

    body: Body | None = None
    captured_ns: int | None = None
    period_ns: int = _FRAME_NS
    motion: ArmMotion | None = None
    reach: Reach | None = None

    def arms_in(self, small: U8, side: int, captured_ns: int) -> Arms | None:
        """Where the arms are in a frame: they go on as they went, for a while, or are found nearby.

        Args:
            small: (h, w, 3) uint8, the frame, see :func:`~vastra_live.tracking.leap.small_colours`.
            side: the frame's longer one, in pixels.
            captured_ns: when it was captured.
        """
        if self.motion is None:
            return None
        since = self.period_ns if self.captured_ns is None else captured_ns - self.captured_ns
        periods = min(max(since / self.period_ns, 0.0), _AHEAD)
        return sought(self.motion, periods, small, side)


@dataclass(frozen=True, slots=True, eq=False)
class _Trace:
    """Where the anchor was in a frame, or is expected; the frame, small (see :func:`small_colours`), and its time."""

    followed: Followed
    small: U8
    captured_ns: int


class Propagator:
    """Keeps the layer of the newest keyframe on the garment, frame by frame.

    Live session: ``prepare`` a layer on the keyframe thread, ``adopt`` it on the display thread, then ``carry``
    every frame. Plain arrays: ``rebase`` and ``advance``.

    Args:
        helper: another thread, which shares in drawing what is large; its owner ends it.
    """

    def __init__(self, helper: Executor | None = None) -> None:
        self._display_flow = Flow()
        self._keyframe_flow = Flow()
        self._canvas = Canvas(helper)
        # where the anchor was, the newest last
        self._traces: tuple[_Trace, ...] = ()
        self._wearer = _Wearer()
        self._compared_at = -1
        self._fade = 1.0

    def observe(self, body: Body | None, captured_ns: int | None = None, frame_bgr: U8 | None = None) -> None:
        """The newest body, or None when nobody is seen. Optional. Any thread.

        Args:
            body: None when nobody is seen.
            captured_ns: when its frame was captured; without it the body is taken for one of the newest frame.
            frame_bgr: (H, W, 3) uint8, that frame; without it arms that move are not looked for, nor where no sleeve
                goes on below the elbow: what is made on a bare arm looks as it does.
        """
        last = self._wearer
        if body is not last.body:
            period_ns = _FRAME_NS
            if captured_ns is not None and last.captured_ns is not None:
                period_ns = max(1, captured_ns - last.captured_ns)
            motion, reach = motion_of(body, last.body), reach_of(body, last.body)
            if reach is not None and self._traces:
                # drawn here, where the display thread will find it
                reach.on(self._traces[-1].followed.window)
            sleeved = bool(self._traces) and self._traces[-1].followed.anchor.sleeved
            if motion is not None and frame_bgr is not None and sleeved:
                motion = replace(motion, arms=replace(motion.arms, look=look_of(motion.arms, frame_bgr)))
            self._wearer = _Wearer(body, captured_ns, period_ns, motion, reach)

    def prepare(self, layer: Layer) -> Anchor:
        """The heavy half of taking over a keyframe; several times the work of carrying a frame.

        May run on the keyframe thread beside ``carry``, one call at a time. It reads once where the anchor was and
        changes nothing. Adopt the anchor before preparing the next one, or the next one takes over from an older
        layer than the one shown.

        Args:
            layer: in its frame's size or at its own resolution; not copied further than its garment's extent.
        """
        to_frame = np.eye(2, 3, dtype=np.float32) if layer.to_frame is None else layer.to_frame
        name, trunk, sleeved = layer.garment.name, layer.trunk_bgra, layer.garment.sleeve in _BELOW_ELBOW
        painted = Painted(layer.frame.bgr, layer.bgr, layer.alpha, to_frame, name, layer.body, trunk, sleeved)
        # the keyframe's frame was shown some time ago: where the anchor was then is nearer than where it is now
        return self._prepare(painted, self._at(layer.frame.captured_ns))

    def adopt(self, anchor: Anchor, crossfade: bool = True) -> None:
        """A prepared keyframe takes over. Cheap; display thread.

        Args:
            anchor: from :meth:`prepare`.
            crossfade: fade from the layer shown before, over 120 ms; otherwise at once.
        """
        if self._traces:
            last = self._traces[-1]
            before = (trace for trace in self._traces if trace.followed.anchor is last.followed.anchor)
            self._traces = (*before, replace(last, followed=expect(anchor, last.followed)))
        else:
            self._traces = (_Trace(expect(anchor, None), anchor.small, 0),)
        self._fade = 0.0 if crossfade and anchor.before is not None else 1.0
        self._compared_at = -1

    def carry(self, frame_bgr: U8, captured_ns: int | None = None) -> Carried:
        """The layer for this frame.

        Args:
            frame_bgr: (H, W, 3) uint8.
            captured_ns: when it was captured, for the cross-fade; without it a frame counts 1/30 s.

        Raises:
            RuntimeError: no keyframe was adopted yet.
        """
        followed, drawn = self._carry(frame_bgr, captured_ns, premultiplied=True)
        return Carried(drawn.box, drawn.bgr, drawn.alpha, followed.confidence, followed.residual)

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None:
        """Take over a keyframe at once, from arrays of the frame's size."""
        painted = Painted(frame_bgr, layer_bgr, layer_alpha, np.eye(2, 3, dtype=np.float32), "")
        last = self._traces[-1] if self._traces else None
        self.adopt(self._prepare(painted, last), crossfade=False)
        anchor = self._traces[-1].followed.anchor
        self._traces = (_Trace(expect(anchor, None), anchor.small, 0 if last is None else last.captured_ns),)

    def advance(self, frame_bgr: U8) -> tuple[U8, F32]:
        """The layer for this frame at the frame's size: straight colour uint8, alpha float32 0..1.

        Raises:
            RuntimeError: no keyframe was given yet.
        """
        _, drawn = self._carry(frame_bgr, None, premultiplied=False)
        x0, y0, x1, y1 = drawn.box
        bgr, alpha = np.zeros(frame_bgr.shape, np.uint8), np.zeros(frame_bgr.shape[:2], np.float32)
        bgr[y0:y1, x0:x1] = drawn.bgr
        np.multiply(drawn.alpha, np.float32(1 / 255), out=alpha[y0:y1, x0:x1])
        return bgr, alpha

    def _carry(self, frame_bgr: U8, captured_ns: int | None, *, premultiplied: bool) -> tuple[Followed, Drawn]:
        if not self._traces:
            raise RuntimeError("Propagator.carry: no keyframe was adopted yet")
        last, wearer, small, side = self._traces[-1], self._wearer, small_colours(frame_bgr), max(frame_bgr.shape[:2])
        now_ns = last.captured_ns + _FRAME_NS if captured_ns is None else captured_ns
        self._fade = min(1.0, self._fade + max(0, now_ns - last.captured_ns) / _FADE_NS)
        start = self._start(last, wearer, small, side)
        arms = wearer.arms_in(small, side, now_ns)
        found = follow(self._display_flow, start, frame_bgr, self._fade, arms, wearer.reach)
        # the newest, and some of those before it
        apart = len(self._traces) < 2 or last.captured_ns - self._traces[-2].captured_ns >= _APART_NS
        self._traces = (*self._traces[-_TRACES:][: None if apart else -1], _Trace(recentre(found), small, now_ns))
        anchor, texture = found.anchor, found.ground.texture_bgra
        if self._fade < 1 and anchor.before is not None and not found.fronts:
            texture = cv2.addWeighted(anchor.before.texture_bgra, 1 - self._fade, texture, self._fade, 0)
        height, width = frame_bgr.shape[:2]
        return found, self._canvas.draw(found, texture, width, height, premultiplied=premultiplied)

    def _start(self, last: _Trace, wearer: _Wearer, small: U8, side: int) -> Followed:
        """Where to look in a frame: where it was, or, when that was lost, where the body or the keyframe says."""
        followed, body = last.followed, wearer.body
        if body is not None and body.frame_index != self._compared_at:
            self._compared_at = body.frame_index
            then = (None if wearer.captured_ns is None else self._at(wearer.captured_ns)) or last
            if followed.confidence < _LOST or is_astray(then.followed, body):
                by_body = expect_by_body(followed.anchor, body)
                if by_body is not None:
                    return _leapt(replace(then, followed=by_body), small, side)
        if followed.confidence < _LOST / 3:
            last = _Trace(expect(followed.anchor, None), followed.anchor.small, last.captured_ns)
        return _leapt(last, small, side)

    def _at(self, captured_ns: int) -> _Trace | None:
        """The anchor in the frame captured nearest to a time; as expected there, if another was carried then."""
        traces = self._traces
        if not traces:
            return None
        near, anchor = min(traces, key=lambda trace: abs(trace.captured_ns - captured_ns)), traces[-1].followed.anchor
        return near if near.followed.anchor is anchor else replace(near, followed=expect(anchor, near.followed))

    def _prepare(self, painted: Painted, last: _Trace | None) -> Anchor:
        small, body = small_colours(painted.frame_bgr), painted.body
        if last is None or _somebody_else(body, last.followed.anchor.body):
            return with_arms(first_anchor(painted, small), None)
        start = _leapt(last, small, max(painted.frame_bgr.shape[:2]))
        if body is not None and is_astray(start, body):
            start = expect_by_body(start.anchor, body) or start
        arms = arms_of(body)
        found = follow(self._keyframe_flow, start, painted.frame_bgr, arms=arms, reach=reach_of(body))
        # behind a hand is not where its own forearm was before
        limbs, parts = found.anchor.limbs, found.parts
        if limbs is not None and arms is not None:
            parts |= limbs.arms.moved(arms, far=_STIRRED) & FOREARMS
        behind = found.ground if parts == found.parts else without(found.anchor, parts)
        anchor = next_anchor(painted, small, Placed(found.ground, behind, found.window, found.displacement()))
        anchor = without_haste(with_arms(anchor, start.anchor), found.parts)
        motion = self._wearer.motion
        if motion is not None and anchor.limbs is not None:
            # made here, where the display thread will find it
            without(anchor, anchor.limbs.arms.moved(motion.arms))
        return anchor


def _leapt(last: _Trace, small: U8, side: int) -> Followed:
    """What is expected, moved to where the wearer has leapt to in a picture."""
    followed = last.followed
    window = leap(followed.window, followed.expected_alpha, last.small, small, side)
    return followed if window == followed.window else replace(followed, window=window)


def _somebody_else(body: Body | None, before: Body | None) -> bool:
    return body is not None and before is not None and body.wearer != before.wearer
