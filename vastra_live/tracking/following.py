"""One picture explained by an anchor: where its surface is now, and where the layer is seen."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor
from vastra_live.tracking.arm_looks import refresh
from vastra_live.tracking.behind_arms import beside_trunk, without
from vastra_live.tracking.exposure import steady
from vastra_live.tracking.fronts import Front, bring_arm, weigh
from vastra_live.tracking.limbs import ARM, Arms, arm_window, lost_parts
from vastra_live.tracking.motion import Flow, held_together, in_both, repair, similarity
from vastra_live.tracking.reach import Reach, Within
from vastra_live.tracking.surface import Expected
from vastra_live.tracking.visibility import ColourEvidence, Seen, colour_evidence, see
from vastra_live.tracking.window import Window, grid, sampled
from vastra_live.types import F32, U8

__all__ = ["Followed", "follow", "recentre"]

# Log odds at which a colour alone is enough to leave a pixel out of the flow.
_FOREIGN = 1.0
# How far a trusted flow vector speaks for hidden neighbours, in work pixels.
_REACH = 10.0
# What is said of a pixel is smoothed over its neighbours: standard deviation and extent, in work pixels.
_SMOOTH, _SMALL = 1.5, (9, 9)
# How much a pixel must show an arm before the arm is what is expected there.
_SHOWN = 0.5
# How far the edge of a worn sleeve is blurred, in work pixels (box).
_EDGE = np.ones((3, 3), np.uint8)
# Levels of luma, on the mean, by which the layer's part of the picture must differ from what is expected there before
# more than a flow is looked for.
_CHANGED = 8.0
# Levels of luma, averaged over 5 x 5, at which a flow vector is trusted half.
_DOUBTFUL = 12.0
# Levels of local contrast at which a flow vector is its own half: on plain cloth it is noise, and what is painted
# there would be torn, so it comes from the cloth's folds and edges around. A trace, so that cloth speaks for cloth.
_PLAIN, _PLAIN_TRACE = 2.0, 0.02
# How far cloth on a torso slides over it at most, in breadths of a hand.
_SLIDES = 0.4
# What share of a layer counts at least as what can be found of it: who has left the picture is lost.
_FINDABLE = 0.2
# Share of the window that its content may be off the middle before the window moves.
_OFF_CENTRE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """An anchor found in a picture, or expected in the next. All arrays on the work grid of ``window``.

    Attributes:
        anchor: what is followed.
        window: where in the picture; as large as the anchor's.
        flow: (rows, columns, 2) float32, from the live work pixel to the anchor's, in work pixels.
        light: (rows, columns) float32, how many levels brighter the picture is than the keyframe was.
        seen: the posterior.
        expected_luma: (rows, columns) uint8, the anchor's, moved here.
        expected_alpha: (rows, columns) float32, the layer's alpha if nothing were in front.
        residual: levels, mean difference from the expected luma where the surface was found.
        confidence: 0..1, share of the layer that was found.
        ground: the anchor without the parts of arms that the flow has lost; what flow and ``expected_luma`` tell of.
        parts: those parts, a set of bits.
        fronts: where they are, as far as they are in the picture: one for each arm.
    """

    anchor: Anchor
    window: Window
    flow: F32
    light: F32
    seen: Seen
    expected_luma: U8
    expected_alpha: F32
    residual: float
    confidence: float
    ground: Anchor
    parts: int = 0
    fronts: tuple[Front, ...] = ()

    def usual_light(self) -> float:
        """How many levels brighter the picture is than the keyframe was, where the layer is seen: the mean."""
        mass = float(self.seen.alpha.sum())
        return float((self.light * self.seen.alpha).sum()) / mass if mass > 1 else 0.0

    def displacement(self) -> F32:
        """(rows, columns, 2) float32: from the live frame to the anchor's, in frame pixels."""
        key = self.anchor.window
        apart = np.array([key.x - self.window.x, key.y - self.window.y], np.float32)
        displacement: F32 = self.flow * np.float32(self.window.step) + apart
        return displacement


def follow(
    engine: Flow,
    last: Followed,
    frame_bgr: U8,
    fade: float = 1.0,
    arms: Arms | None = None,
    reach: Reach | None = None,
) -> Followed:
    """Find an anchor in a picture.

    Args:
        engine: the calling thread's own.
        last: where the anchor was in the picture before, or where it is expected.
        frame_bgr: (H, W, 3) uint8.
        fade: 0..1, how far the layer has faded from the anchor before to this one. Arms that have moved far do
            not fade.
        arms: where the wearer's are expected; None leaves everything to the flow.
        reach: where something may be in front; None for anywhere.
    """
    anchor, window = last.anchor, last.window
    live, bright = _picture(frame_bgr, window, last.light)
    steady(live, bright, last.light, last.expected_luma, last.expected_alpha)
    luma = cv2.extractChannel(live, 0)
    places = grid(window.columns, window.rows)
    parts, fronts = _lost_arms(engine.for_parts, last, arms, live, frame_bgr)
    ground = last.ground if parts == last.parts else without(anchor, parts)
    evidence = _evidence(last, live, parts)

    # What has a foreign colour in front of the layer would drag the flow along: the flow is shown the expected
    # surface in its place, so that it keeps its prediction there.
    odds = cv2.subtract(evidence.covered_log, evidence.rest_log)
    foreign = (cv2.GaussianBlur(odds, _SMALL, _SMOOTH) < -_FOREIGN) & (last.expected_alpha > 0.5)
    covered = cv2.GaussianBlur(foreign.astype(np.float32), _SMALL, _SMOOTH)
    for front in fronts:
        here, there = window.overlap(front.window)
        covered[here] = np.maximum(covered[here], front.share[there])
    cleaned = luma + cv2.subtract(last.expected_luma, luma, dtype=cv2.CV_32F) * covered
    cleaned = cleaned.astype(np.uint8)
    flow = engine.follow(cleaned, ground.luma, _start(last, cleaned))

    found_luma = sampled(ground.luma, places + flow)
    doubt = cv2.blur(cv2.absdiff(luma, found_luma), (5, 5))
    trust = cv2.min(cv2.max(1.5 - doubt * np.float32(1 / _DOUBTFUL), 0.0), 1.0) * (1 - covered)
    both = in_both(window, anchor.window, places + flow, frame_bgr.shape)
    trust = cv2.copyTo(trust, both)
    weight = trust * _textured(luma)
    flow, light = repair(flow, cv2.subtract(bright, found_luma, dtype=cv2.CV_32F), weight, _REACH)
    within = None if reach is None else reach.on(window)
    if within is not None:
        flow = held_together(flow, weight, _torso(last.expected_alpha, within), _SLIDES * within.hand)

    cells = places + flow
    expected = ground.surface.at(cells)
    expected_luma, ground_alpha = expected.luma, expected.alpha.copy() if fronts else expected.alpha
    fronts, expected = _in_front(fronts, anchor, window, expected)
    for front in fronts:
        here, there = window.overlap(front.window)
        trust[here] = np.maximum(trust[here], front.share[there])
    seen = see(live, expected, evidence, within)
    for front in fronts if anchor.limbs is not None and anchor.limbs.narrower else ():
        _cover_beside(front, window, seen.alpha, ground_alpha)
    alpha = expected.alpha * np.float32(1 / 255)
    found = trust * seen.alpha
    mass = float(found.sum())
    residual = float((cv2.absdiff(luma, expected.luma) * found).sum()) / max(mass, 1.0)
    # what lies beyond the picture's edge cannot be found, and was not lost
    findable = max(float(cv2.copyTo(alpha, both).sum()), _FINDABLE * float(alpha.sum()), 1.0)
    confidence = min(1.0, mass / findable)
    if fade < 1 and anchor.before is not None and not fronts:
        earlier = anchor.before.surface.at(cells)
        seen = Seen(
            cv2.addWeighted(see(live, earlier, evidence, within).alpha, 1 - fade, seen.alpha, fade, 0), seen.matched
        )
        alpha = cv2.addWeighted(earlier.alpha * np.float32(1 / 255), 1 - fade, alpha, fade, 0)
    return Followed(
        anchor, window, flow, light, seen, expected_luma, alpha, residual, confidence, ground, parts, fronts
    )


def _evidence(last: Followed, live: U8, parts: int) -> ColourEvidence:
    """How likely the colours of a picture are, in which these parts of the arms are not where the flow looks."""
    anchor, window = last.anchor, last.window
    if anchor.colours.front_log is None:
        return colour_evidence(live, anchor.colours)
    # between an arm that moves away and the side a wall comes up, and a sleeve on a bare arm covers skin
    beside = sampled(beside_trunk(anchor, parts), grid(window.columns, window.rows) + last.flow)
    return colour_evidence(live, anchor.colours, last.expected_alpha * (1 - beside))


def _torso(alpha: F32, within: Within) -> F32:
    """Where a layer is on the torso, beside arms and head: (rows, columns) float32, 0..1."""
    apart = cv2.bitwise_not(within.close) * np.float32(1 / 255)
    torso: F32 = cv2.blur(alpha * apart, (5, 5))
    return torso


def _start(last: Followed, luma: U8) -> F32:
    """The flow to start from: the last one, turned and grown with the wearer where the picture has changed much."""
    seen = cv2.compare(last.expected_alpha, 0.5, cv2.CMP_GT)
    if cv2.mean(cv2.absdiff(luma, last.expected_luma), seen)[0] < _CHANGED:
        return last.flow
    moved = similarity(last.expected_luma, luma, seen)
    if moved is None:
        return last.flow
    places = grid(*luma.shape[::-1])
    before = cv2.transform(places, cv2.invertAffineTransform(moved))
    start: F32 = before + sampled(last.flow, before) - places
    return start


def _picture(frame_bgr: U8, window: Window, light: F32) -> tuple[U8, F32]:
    """A window of a frame on its work grid: Y, Cr, Cb and anything, with a change of light taken off; and Y with it.

    Args:
        frame_bgr: (H, W, 3) uint8.
        window: of the frame.
        light: (rows, columns) float32, levels.
    """
    ycrcb = cv2.cvtColor(window.shrink(window.cut(frame_bgr)), cv2.COLOR_BGR2YCrCb)
    live = cv2.cvtColor(ycrcb, cv2.COLOR_BGR2BGRA)
    bright = live[..., 0].astype(np.float32)
    live[..., 0] = cv2.subtract(bright, light, dtype=cv2.CV_8U)
    return live, bright


def _lost_arms(
    engine: Flow, last: Followed, now: Arms | None, live: U8, frame_bgr: U8
) -> tuple[int, tuple[Front, ...]]:
    """The parts of the arms that have moved so far that the flow has lost them, and where they are."""
    key, limbs, window = last.anchor.window, last.anchor.limbs, last.window
    if now is None or limbs is None:
        return 0, ()
    cells = grid(window.columns, window.rows) + last.flow
    lost = lost_parts(limbs.arms, key, now, window, cells, last.parts, limbs.dressed)
    fronts = []
    for parts in (lost & ARM, lost & ARM << 2):
        part = arm_window(now, parts, window, limbs.dressed)
        if part is None:
            continue
        here, within = window.overlap(part)
        there = live[here]
        if there.shape[:2] != (part.rows, part.columns):
            # an arm beyond the window
            wide = window.joined(part)
            there, _ = _picture(
                frame_bgr, part, window.widened(last.light, wide, last.usual_light())[wide.overlap(part)[0]]
            )
        front = bring_arm(engine, limbs.arms, key, limbs.luma, limbs.own, now, parts, part, there)
        if front.share[within].size < front.share.size:
            # nothing else hides a worn sleeve there
            share = front.reaching(limbs.worn)
            share[within] = front.share[within]
            front = replace(front, share=share)
        fronts.append(front)
    return lost, tuple(fronts)


def _in_front(
    fronts: tuple[Front, ...], anchor: Anchor, window: Window, behind: Expected
) -> tuple[tuple[Front, ...], Expected]:
    """What is expected with the arms in front, where the picture agrees."""
    limbs = anchor.limbs
    if not fronts or limbs is None:
        return fronts, behind
    # the surface was moved for this picture only, and all but its luma is needed no more as it is without arms
    together, weighed = replace(behind, luma=behind.luma.copy()), []
    for front in fronts:
        arm = limbs.surface.at(front.cells)
        refresh(front, arm)
        here, there = window.overlap(front.window)
        known = np.dstack([together.luma[here], together.red[here], together.blue[here]])
        odds = None
        if known.shape[:2] != front.share.shape:
            evidence = colour_evidence(front.live, anchor.colours)
            odds = cv2.subtract(evidence.covered_log, evidence.rest_log)
        share = weigh(front, cv2.merge((arm.luma, arm.red, arm.blue)), known, there, odds)
        weighed.append(replace(front, share=share))
        shown = cv2.compare(share, _SHOWN, cv2.CMP_GT)[there]
        if shown.size > 0:
            mixed = cv2.blendLinear(arm.alpha[there], together.alpha[here], share[there], 1 - share[there])
            for each in fields(Expected):
                cv2.copyTo(getattr(arm, each.name)[there], shown, getattr(together, each.name)[here])
            # the drawing mixes the two alphas: a switch here would stand as a line along the arm there
            together.alpha[here] = mixed
    return tuple(weighed), together


def _cover_beside(front: Front, window: Window, seen: F32, behind: U8) -> None:
    """Of a worn sleeve that is wider than the arm made in it, the blurred edge is covered too, in place.

    What is drawn there is what the keyframe saw around the wearer, so a little more of it is not noticed.

    Args:
        front: a moved arm.
        window: of the rest.
        seen: (rows, columns) float32, where the layer is seen.
        behind: (rows, columns) uint8, the layer's alpha without arms.
    """
    here, there = window.overlap(front.window)
    if seen[here].size > 0:
        around = cv2.dilate(seen[here], _EDGE) * (1 - front.share[there])
        # a hem beside a hand stays where it is
        np.copyto(seen[here], np.maximum(seen[here], around), where=cv2.dilate(behind[here], _EDGE) < 128)


def recentre(followed: Followed) -> Followed:
    """The same, in a window moved to where the layer is, if it has wandered from the window's middle."""
    # every fourth pixel says where the middle is well enough
    flow = followed.flow[::4, ::4]
    weight = followed.seen.alpha[::4, ::4] * followed.seen.matched[::4, ::4]
    mass = float(weight.sum())
    if mass < 1:
        return followed
    mean = (flow * weight[..., None]).sum(axis=(0, 1)) / mass
    window = followed.window
    if abs(mean[0]) <= _OFF_CENTRE * window.columns and abs(mean[1]) <= _OFF_CENTRE * window.rows:
        return followed
    columns, rows = -round(float(mean[0])), -round(float(mean[1]))
    shift = np.array([columns, rows], np.float32)
    there = grid(window.columns, window.rows) + shift
    return replace(
        followed,
        fronts=(),
        window=window.moved(columns, rows),
        flow=sampled(followed.flow, there) + shift,
        light=sampled(followed.light, there),
        expected_luma=sampled(followed.expected_luma, there),
        expected_alpha=sampled(followed.expected_alpha, there),
    )


def _textured(luma: U8) -> F32:
    """How much a flow vector can be known, 0..1: from nothing on a plain surface to all of it."""
    contrast = cv2.blur(cv2.absdiff(luma, cv2.blur(luma, (7, 7))), (7, 7))
    table = np.arange(256, dtype=np.float32) ** 2
    textured: F32 = cv2.LUT(contrast, np.maximum(table / (table + _PLAIN**2), _PLAIN_TRACE))
    return textured
