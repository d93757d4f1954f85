"""Where an anchor is expected: by way of the one before it, by the body, or where it was painted."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.tracking.anchor import Anchor, Before
from vastra_live.tracking.following import Followed
from vastra_live.tracking.visibility import Seen
from vastra_live.tracking.window import Window, grid, sampled
from vastra_live.types import F32, Body

__all__ = ["expect", "expect_by_body", "is_astray"]

# shoulders and hips in BlazePose's numbering
_TORSO = (11, 12, 23, 24)
# Cells to one, along each axis, where only a start is wanted.
_COARSE = 4
# How visible these must be, and how far off the flow may leave them, in shares of what they span.
_SEEN, _ASTRAY = 0.5, 0.1


def expect(anchor: Anchor, last: Followed | None) -> Followed:
    """Where a new anchor is expected, by way of the one before it; without one, where it was painted."""
    window = anchor.window
    if last is None or anchor.before is None:
        return _expected(anchor, window, np.zeros((window.rows, window.columns, 2), np.float32))
    # the keyframe is late: by now its surface is where the anchor before is seen
    weight = cv2.resize(last.expected_alpha, None, fx=1 / _COARSE, fy=1 / _COARSE, interpolation=cv2.INTER_AREA)
    moved = _by_way_of(anchor, anchor.before, last, last.window) * weight[..., None]
    column, row = (moved.sum(axis=(0, 1)) / (max(float(weight.sum()), 1.0) * window.step)).tolist()
    columns, rows = -round(column), -round(row)
    window = window.moved(columns, rows)
    coarse = _by_way_of(anchor, anchor.before, last, window) / np.float32(window.step)
    flow = cv2.resize(coarse, (window.columns, window.rows), interpolation=cv2.INTER_LINEAR)
    return _expected(anchor, window, flow + np.array([columns, rows], np.float32))


def _by_way_of(anchor: Anchor, before: Before, last: Followed, window: Window) -> F32:
    """From the live frame to the anchor's, in frame pixels, for every fourth cell of every fourth row: a start."""
    middle = np.float32((_COARSE - 1) / 2 * window.step)
    centres = window.centres()[::_COARSE, ::_COARSE] + middle
    in_old = centres + sampled(last.displacement(), last.window.cells(centres))
    # the bridge leads from the anchor's frame to the old one's; its inverse by iteration
    place = in_old
    for _ in range(3):
        place = in_old - sampled(before.bridge, anchor.window.cells(place))
    moved: F32 = place - centres
    return moved


def expect_by_body(anchor: Anchor, body: Body) -> Followed | None:
    """Where the anchor is expected if its torso moved as the body did; None when too little of it is visible."""
    if anchor.body is None:
        return None
    both = [joint for joint in _TORSO if min(body.visibility[joint], anchor.body.visibility[joint]) > _SEEN]
    if len(both) < 2:
        return None
    now, then = (each.landmarks_px[both, :2] for each in (body, anchor.body))
    to_anchor, _ = cv2.estimateAffinePartial2D(now, then, method=cv2.LMEDS)
    if to_anchor is None:
        return None
    offset = (now.mean(axis=0) - then.mean(axis=0)) / anchor.window.step
    window = anchor.window.moved(round(float(offset[0])), round(float(offset[1])))
    target = cv2.transform(window.centres(), to_anchor.astype(np.float32))
    return _expected(anchor, window, anchor.window.cells(target) - grid(window.columns, window.rows))


def is_astray(followed: Followed, body: Body) -> bool:
    """Whether the anchor was taken to be where the torso was not.

    Args:
        followed: the anchor in a frame.
        body: the wearer in that frame. Without shoulders or hips in both frames nothing is known.
    """
    key = followed.anchor.body
    both = [] if key is None else [j for j in _TORSO if min(body.visibility[j], key.visibility[j]) > _SEEN]
    if key is None or len(both) < 2:
        return False
    now, then = (each.landmarks_px[both, :2] for each in (body, key))
    cells = followed.window.cells(now)
    found = followed.anchor.window.places(cells + sampled(followed.flow, cells[None])[0])
    size = max(float(np.linalg.norm(np.ptp(then, axis=0))), 1.0)
    return float(np.linalg.norm(found - then, axis=1).mean()) > _ASTRAY * size


def _expected(anchor: Anchor, window: Window, flow: F32) -> Followed:
    at = grid(window.columns, window.rows) + flow
    empty = np.zeros((window.rows, window.columns), np.float32)
    luma, alpha = sampled(anchor.luma, at), sampled(anchor.alpha, at)
    return Followed(
        anchor, window, flow, empty, Seen(empty, empty), luma, alpha, residual=0.0, confidence=1.0, ground=anchor
    )
