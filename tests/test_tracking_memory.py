"""What a keyframe keeps of the one before, and what it paints for its own picture only."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tests.arm_scene import HEIGHT, WIDTH, arm_body, arm_joints, arm_scene
from tests.propagation_scene import garment
from vastra_live.compositing.blend import blend_into
from vastra_live.tracking.anchor import Anchor
from vastra_live.tracking.propagation import Propagator
from vastra_live.types import F32, U8, Body, Frame, Layer

SKIN = (120, 150, 200)


def _line(pose: tuple[float, float], first: float, last: float, width: int, shape: tuple[int, ...]) -> U8:
    """A stretch of the forearm and what continues it, shares from elbow to wrist: not 0 there."""
    _, elbow, wrist = arm_joints(*pose)
    drawn = np.zeros(shape[:2], np.uint8)
    cv2.polylines(
        drawn, [np.round([elbow + s * (wrist - elbow) for s in (first, last)]).astype(np.int32)], False, 1, width
    )
    return drawn


def _keyframe(
    propagator: Propagator, index: int, pose: tuple[float, float], bare: U8, made: U8, *, plain: bool = False
) -> Anchor:
    """A keyframe whose layer leaves out what is bare, and is skin where that is made; the cloth may be plain."""
    frame, mask = arm_scene(*pose)
    painted = np.full_like(frame, (60, 60, 30)) if plain else np.ascontiguousarray(frame[..., ::-1])
    painted[made > 0] = SKIN
    mask: F32 = mask * (bare == 0)
    layer = Layer(
        painted, mask, Frame(frame, index, index * 33_333_333, "test"), arm_body(*pose, index), garment("tee")
    )
    anchor = propagator.prepare(layer)
    propagator.adopt(anchor)
    propagator.carry(frame, index * 33_333_333)
    return anchor


def _is_skin(anchor: Anchor, where: U8) -> float:
    """The share of a place in the frame where the anchor's texture is skin."""
    rows, columns = anchor.texture_bgra.shape[:2]
    there = cv2.warpAffine(where, anchor.to_texture, (columns, rows), flags=cv2.INTER_NEAREST) > 0
    return float((np.abs(anchor.texture_bgra[there][:, :3].astype(int) - SKIN).max(axis=1) < 40).mean())


def test_a_rim_painted_along_a_bare_forearm_does_not_stay_on_the_chest() -> None:
    propagator, pose = Propagator(), (5.0, -100.0)
    shape = arm_scene(*pose)[0].shape
    nothing = np.zeros(shape[:2], np.uint8)
    _keyframe(propagator, 0, (5.0, 5.0), nothing, nothing)
    bare, wide = (_line(pose, 0.3, 1.4, width, shape) for width in (18, 26))
    rim = wide * (1 - bare)
    anchor = _keyframe(propagator, 1, pose, bare, rim)
    assert _is_skin(anchor, cv2.bitwise_and(rim, _line(pose, 0.5, 1.2, 26, shape))) < 0.1


def test_skin_painted_between_a_sleeve_and_its_hand_does_not_stay_on_the_chest() -> None:
    propagator, pose = Propagator(), (5.0, -100.0)
    shape = arm_scene(*pose)[0].shape
    nothing = np.zeros(shape[:2], np.uint8)
    _keyframe(propagator, 0, (5.0, 5.0), nothing, nothing, plain=True)
    hand, wrist = (_line(pose, first, 1.4, 14, shape) for first in (1.0, 0.92))
    made = wrist * (1 - hand)
    anchor = _keyframe(propagator, 1, pose, hand, made, plain=True)
    assert _is_skin(anchor, made) < 0.1


def _swung(*fore: float) -> tuple[U8, U8]:
    """What is shown of a forearm, made narrower than the sleeve worn, that swings out: arm, and sleeve beside it.

    Args:
        fore: its angles, the keyframe's first.
    """
    poses = [(25.0, angle) for angle in (*fore, fore[-1], fore[-1])]
    frame, mask = arm_scene(*poses[0])
    painted = np.where(mask[..., None] > 0, (40, 200, 40), frame).astype(np.uint8)
    painted[_forearm(poses[0], 10) > 0] = SKIN
    layer = Layer(painted, mask, Frame(frame, 0, 0, "test"), _left_only(poses[0]), garment("tee"))
    propagator = Propagator()
    propagator.adopt(propagator.prepare(layer))
    for index, pose in enumerate(poses):
        shown, _ = arm_scene(*pose)
        propagator.observe(_left_only(pose, index))
        carried = propagator.carry(shown, index * 33_333_333)
    blend_into(shown, carried)
    arm, sleeve = (_forearm(poses[-1], width) for width in (6, 20))
    return shown[arm > 0], shown[(sleeve > 0) & (_forearm(poses[-1], 16) == 0)]


def _left_only(pose: tuple[float, float], index: int = 0) -> Body:
    """A body whose right arm is not seen."""
    body = arm_body(*pose, index)
    visibility = body.visibility.copy()
    visibility[14] = 0.3
    return replace(body, visibility=visibility)


def _forearm(pose: tuple[float, float], width: int) -> U8:
    """The middle of a forearm."""
    _, elbow, wrist = arm_joints(*pose)
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    ends = (np.round(elbow + share * (wrist - elbow)).astype(int) for share in (0.4, 0.8))
    cv2.line(drawn, *ends, 1, width)
    return drawn


def test_beside_a_made_forearm_is_the_wall_and_neither_cloth_nor_the_worn_sleeve() -> None:
    arm, beside = _swung(-60.0, -40.0, -15.0, 0.0)
    assert np.abs(arm.astype(int) - SKIN).max(axis=1).mean() < 20
    # only the wall is as red
    assert (beside[:, 2] > 110).mean() > 0.5


def test_beyond_the_window_cloth_hides_the_worn_sleeve() -> None:
    _, beside = _swung(-80.0, -30.0, 20.0, 60.0)
    assert (np.abs(beside.astype(int) - (150, 70, 40)).max(axis=1) < 40).mean() < 0.1
