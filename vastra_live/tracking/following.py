"""One picture explained by an anchor: where its surface is now, and where the layer is seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor
from vastra_live.tracking.motion import Flow, repair
from vastra_live.tracking.surface import Surface
from vastra_live.tracking.visibility import Seen, colour_evidence, see
from vastra_live.tracking.window import Window, grid
from vastra_live.types import F32, U8

__all__ = ["Followed", "follow"]

# Log odds at which a colour alone is enough to leave a pixel out of the flow.
_FOREIGN = 1.0
# How far a trusted flow vector speaks for hidden neighbours, in work pixels.
_REACH = 10.0
# Levels of luma, averaged over 5 x 5, at which a flow vector is trusted half.
_DOUBTFUL = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """An anchor found in a picture. All arrays on the work grid of ``window``.

    Attributes:
        anchor: what was followed.
        window: where in the picture.
        flow: (rows, columns, 2) float32, from the live work pixel to the anchor's, in work pixels.
        light: (rows, columns) float32, how many levels brighter the picture is than the keyframe was.
        seen: the posterior.
        expected_alpha: (rows, columns) float32, the layer's alpha if nothing were in front.
        residual: levels, mean difference from the expected luma where the surface was found.
        confidence: 0..1, share of the layer that was found.
    """

    anchor: Anchor
    window: Window
    flow: F32
    light: F32
    seen: Seen
    expected_alpha: F32
    residual: float
    confidence: float


def follow(
    engine: Flow, anchor: Anchor, surface: Surface, window: Window, start: F32, light: F32, frame_bgr: U8
) -> Followed:
    """Find an anchor in a picture.

    Args:
        engine: the calling thread's own.
        anchor: what to follow.
        surface: the anchor's, or the one it fades from.
        window: where to look; as large as the anchor's.
        start: (rows, columns, 2) float32, flow to start from.
        light: (rows, columns) float32, brightness to start from.
        frame_bgr: (H, W, 3) uint8.
    """
    live = cv2.cvtColor(cv2.cvtColor(window.shrink(window.cut(frame_bgr)), cv2.COLOR_BGR2YCrCb), cv2.COLOR_BGR2BGRA)
    places = grid(window.columns, window.rows)
    before = places + start
    expected_luma = cv2.remap(anchor.luma, before, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    expected_alpha = cv2.remap(anchor.alpha, before, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    bright = live[..., 0].astype(np.float32)
    luma = cv2.subtract(bright, light, dtype=cv2.CV_8U)
    live[..., 0] = luma
    evidence = colour_evidence(live, anchor.colours)

    # What has a foreign colour in front of the layer would drag the flow along: the flow is shown the expected
    # surface in its place, so that it keeps its prediction there.
    foreign = cv2.GaussianBlur(evidence.covered_log - evidence.rest_log, (0, 0), 1.5) < -_FOREIGN
    covered = cv2.GaussianBlur((foreign & (expected_alpha > 0.5)).astype(np.float32), (0, 0), 1.5)
    cleaned = (luma + (expected_luma.astype(np.float32) - luma) * covered).astype(np.uint8)
    flow = engine.follow(cleaned, anchor.luma, start)

    moved_luma = cv2.remap(anchor.luma, places + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference = cv2.subtract(bright, moved_luma, dtype=cv2.CV_32F)
    off = cv2.blur(cv2.absdiff(luma, moved_luma), (5, 5)).astype(np.float32)
    trust = np.clip(1.5 - off * np.float32(1 / _DOUBTFUL), 0, 1) * (1 - covered)
    flow, light = repair(flow, difference, trust, _REACH)
    expected = surface.at(places + flow)
    seen = see(live, expected, evidence)

    alpha = expected.alpha * np.float32(1 / 255)
    found = seen.matched * alpha
    mass = float(found.sum())
    off = np.abs(luma - expected.luma.astype(np.float32))
    return Followed(
        anchor=anchor,
        window=window,
        flow=flow,
        light=light,
        seen=seen,
        expected_alpha=alpha,
        residual=float((off * found).sum()) / max(mass, 1.0),
        confidence=min(1.0, mass / max(float(alpha.sum()), 1.0)),
    )
