"""Arms that swing further than a flow can search: followed by their bones, in front of what they uncovered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.arm_scene import HEIGHT, WIDTH, arm_body, arm_joints, arm_scene
from tests.propagation_scene import expanded, garment
from vastra_live.compositing.blend import blend_into
from vastra_live.tracking.anchor import Anchor, first_anchor
from vastra_live.tracking.behind_arms import with_arms, without, without_haste
from vastra_live.tracking.following import _in_front
from vastra_live.tracking.fronts import Front, bring_arm, weigh
from vastra_live.tracking.leap import small_colours
from vastra_live.tracking.limbs import Arms, arm_masks, arm_window, arms_of, lost_parts, motion_of
from vastra_live.tracking.motion import Flow
from vastra_live.tracking.painted import Painted
from vastra_live.tracking.propagation import Propagator
from vastra_live.tracking.surface import surface_of
from vastra_live.tracking.window import Window, grid
from vastra_live.types import F32, U8, Frame, Layer

LEFT_UPPER, LEFT_FORE = 1, 2
TEE = garment("tee")


def _anchor(upper: float, fore: float) -> Anchor:
    frame, mask = arm_scene(upper, fore)
    painted = Painted(frame, frame[..., ::-1], mask, np.eye(2, 3, dtype=np.float32), "tee", arm_body(upper, fore))
    return with_arms(first_anchor(painted, small_colours(frame)), None)


def _arms(upper: float, fore: float) -> Arms:
    arms = arms_of(arm_body(upper, fore))
    assert arms is not None
    return arms


# ------------------------------------------------------------------ which arms


def test_what_moved_is_told_part_by_part() -> None:
    hanging = _arms(5, 5)
    assert hanging.moved(_arms(8, 5)) == 0
    assert hanging.moved(_arms(5, -100)) == LEFT_FORE
    assert hanging.moved(_arms(70, 70)) == LEFT_UPPER | LEFT_FORE
    # an elbow that swings takes its forearm along, wherever the wrist is
    assert hanging.moved(_arms(60, -50)) & LEFT_FORE


def test_what_has_moved_far_must_come_near_again() -> None:
    hanging, turned = _arms(5, 5), _arms(5, -20)
    assert hanging.moved(turned) == 0
    assert hanging.moved(turned, held=LEFT_FORE) == LEFT_FORE
    assert hanging.moved(_arms(5, 0), held=LEFT_FORE) == 0


def test_walking_sideways_or_closer_moves_no_arm() -> None:
    body = arm_body(5, 5)
    further = replace(body, landmarks_px=body.landmarks_px * np.float32(1.3) + np.float32(20))
    arms = arms_of(further)
    assert arms is not None and _arms(5, 5).moved(arms) == 0


def test_an_arm_that_is_not_seen_does_not_count() -> None:
    body = arm_body(5, 5)
    visibility = body.visibility.copy()
    visibility[13] = 0.1
    assert not arms_of(replace(body, visibility=visibility)).seen[0]  # type: ignore[union-attr]
    visibility[14] = 0.1
    assert arms_of(replace(body, visibility=visibility)) is None
    assert arms_of(None) is None and motion_of(None) is None


@pytest.mark.parametrize("held", [0, LEFT_FORE])
def test_only_what_the_flow_has_lost_is_looked_for(held: int) -> None:
    anchor, now = _anchor(5, 5), _arms(5, -100)
    window = anchor.window
    assert anchor.limbs is not None
    still = grid(window.columns, window.rows)
    assert lost_parts(anchor.limbs.arms, window, now, window, still, held) == LEFT_FORE
    part = arm_window(now, LEFT_FORE, window)
    assert part is not None
    live = _live(*arm_scene(5, -100), part)
    front = bring_arm(
        Flow(), anchor.limbs.arms, window, anchor.luma, np.ones_like(anchor.alpha), now, LEFT_FORE, part, live
    )
    found, (here, _) = still.copy(), window.overlap(part)
    found[here] = np.where(front.share[..., None] > 0, front.cells, found[here])
    assert lost_parts(anchor.limbs.arms, window, now, window, found, held) == held


def _live(frame: U8, _: F32, window: Window) -> U8:
    shrunk = cv2.cvtColor(window.shrink(window.cut(frame)), cv2.COLOR_BGR2YCrCb)
    return np.dstack([shrunk, shrunk[..., 0]])


# ------------------------------------------------------------------ where to


@settings(max_examples=30, deadline=None)
@given(st.floats(-20, 120), st.floats(-140, 140))
def test_a_bone_carries_what_lies_along_it(upper: float, fore: float) -> None:
    """Where there is nothing to see, so that the flow changes nothing, a point on a bone comes from that bone."""
    key, now = _arms(5, 5), _arms(upper, fore)
    window = Window(40, 20, 144, 136, 2)
    part = arm_window(now, LEFT_UPPER | LEFT_FORE, window)
    assert part is not None
    flat, live = (
        np.full((*size, 4), 90, np.uint8) for size in ((window.rows, window.columns), (part.rows, part.columns))
    )
    own = np.ones((window.rows, window.columns), np.float32)
    front = bring_arm(Flow(), key, window, flat[..., 0].copy(), own, now, LEFT_UPPER | LEFT_FORE, part, live)
    for bone in (0, 1):
        for share in (0.4, 0.6):
            place = now.joints[0, bone] + share * (now.joints[0, bone + 1] - now.joints[0, bone])
            column, row = np.round(part.cells(place)).astype(int)
            origin = window.places(front.cells[row, column])
            expected = key.joints[0, bone] + share * (key.joints[0, bone + 1] - key.joints[0, bone])
            # near a folded elbow two bones share a place
            if abs(fore - upper) < 60:
                assert np.linalg.norm(origin - expected) < 7
            assert front.share[row, column] == 1


@settings(max_examples=20, deadline=None)
@given(st.floats(-20, 120), st.floats(-140, 140), st.sampled_from([0, 1]), st.floats(0.5, 2))
def test_what_an_arm_covers_equals_the_plain_distance(upper: float, fore: float, part: int, margin: float) -> None:
    arms, window = _arms(upper, fore), Window(0, 0, 90, 75, 4)
    places = window.centres()
    # upper arm from the shoulder's end on; forearm and hand
    first, last = ((0, 1), (1, 3))[part]
    nearest = np.full(places.shape[:2], np.inf)
    for bone in range(first, last):
        start, end = (arms.joints[0, joint].astype(float) for joint in (bone, bone + 1))
        if bone == 0:
            start = start + 0.25 * (end - start)
        for row, column in np.ndindex(nearest.shape):
            place = places[row, column]
            share = np.clip((place - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
            off = np.linalg.norm(place - start - share * (end - start)) / (
                margin * arms.size * (0.19, 0.17, 0.17)[bone]
            )
            nearest[row, column] = min(nearest[row, column], off)
    (mask,) = arm_masks(arms, part, window, (margin,))
    np.testing.assert_allclose(mask, np.clip((1.1 - nearest) * 5, 0, 1), atol=2e-3)


def test_the_flow_mends_what_the_landmarks_are_off() -> None:
    """The keyframe's own picture, whose arms are looked for three pixels beside where they are."""
    anchor = _anchor(5, -60)
    assert anchor.limbs is not None
    window, arms = anchor.window, anchor.limbs.arms
    beside = replace(arms, joints=arms.joints + np.float32(3))
    part = arm_window(beside, LEFT_FORE, window)
    assert part is not None
    live = np.dstack([anchor.luma] * 4)[window.overlap(part)[0]]
    front = bring_arm(Flow(), arms, window, anchor.luma, np.ones_like(anchor.alpha), beside, LEFT_FORE, part, live)
    along = front.off < 0.5
    wrong = (front.cells - grid(window.columns, window.rows)[window.overlap(part)[0]])[along]
    assert np.abs(wrong).mean() < 0.3 * 3 / window.step


# ------------------------------------------------------------------ in front of what


def test_where_the_picture_shows_what_is_behind_there_is_no_arm() -> None:
    shape = (40, 60)
    arm, behind = np.full((*shape, 3), (60, 128, 128), np.uint8), np.full((*shape, 3), (180, 128, 128), np.uint8)
    live = np.where(np.arange(60)[:, None] < 30, arm, behind)
    ones, place = np.ones(shape, np.float32), Window(0, 0, 60, 40, 1)
    front = Front(place, live, grid(60, 40).copy(), ones, 0 * ones)
    share = weigh(front, arm, behind, np.s_[0:40, 0:60])
    assert share[:, :27].min() > 0.95 and share[:, 33:].max() < 0.05


def test_cloth_before_the_same_cloth_is_an_arm_along_its_bone_only() -> None:
    same = np.full((8, 8, 3), 100, np.uint8)
    off = np.tile(np.linspace(0, 1.1, 8, dtype=np.float32), (8, 1))
    front = Front(Window(0, 0, 8, 8, 1), same, grid(8, 8).copy(), np.ones((8, 8), np.float32), off)
    share = weigh(front, same, same, np.s_[0:8, 0:8])
    assert share[:, 0].min() == 1 and share[:, -1].max() <= 0.5


def test_what_is_expected_of_an_arm_is_mixed_as_it_is_drawn() -> None:
    """A bare arm before cloth, half of it seen: an alpha that switched would stand as a line along it."""
    anchor = _anchor(5, 5)
    assert anchor.limbs is not None
    window = anchor.window
    still, bare = grid(window.columns, window.rows), np.zeros_like(anchor.alpha)
    limbs = replace(anchor.limbs, surface=surface_of(anchor.shown_ycrcb, bare))
    ground = anchor.surface.at(still)
    alpha = ground.alpha.copy()
    soft = np.full(bare.shape, 0.8, np.float32)
    live = np.dstack([anchor.shown_ycrcb, anchor.luma])
    (front,), together = _in_front(
        (Front(window, live, still.copy(), soft, 0 * soft),), replace(anchor, limbs=limbs), window, ground
    )
    assert front.share.max() > 0.7
    np.testing.assert_allclose(together.alpha, (1 - front.share) * alpha, atol=1)


def test_behind_a_forearm_the_upper_arm_stays() -> None:
    """The forearm lies folded over the upper arm: without it that is still there."""
    anchor = _anchor(20, 170)
    assert anchor.limbs is not None and anchor.bare is not None
    assert without(anchor, 0) is anchor
    bare = without(anchor, LEFT_FORE)
    upper = arm_masks(anchor.limbs.arms, 0, anchor.window, (0.6,))[0] > 0.99
    np.testing.assert_array_equal(bare.luma[upper], anchor.luma[upper])
    nothing = without(anchor, LEFT_UPPER | LEFT_FORE)
    assert np.abs(nothing.luma[upper].astype(int) - anchor.luma[upper]).mean() > 5


def test_behind_a_hand_beside_the_hips_the_garment_ends_where_it_does_elsewhere() -> None:
    """The hand hangs over the hem: what it uncovers below that is no garment."""
    frame, mask = arm_scene(-12, -14)
    hem = 205
    mask[hem:] = 0
    body = arm_body(-12, -14)
    layer_of = Painted(frame, frame[..., ::-1], mask, np.eye(2, 3, dtype=np.float32), "tee", body)
    anchor = with_arms(first_anchor(layer_of, small_colours(frame)), None)
    assert anchor.limbs is not None
    hidden = anchor.limbs.masks[1] > 0.9
    bare, rows = without(anchor, LEFT_FORE).alpha, anchor.window.centres()[..., 1]
    torso = hidden & (np.abs(anchor.window.centres()[..., 0] - 190) < 15)
    assert (torso & (rows < hem - 8)).sum() > 10 and (torso & (rows > hem + 8)).sum() > 10
    assert bare[torso & (rows < hem - 8)].min() > 0.9
    assert bare[torso & (rows > hem + 8)].max() < 0.1


def test_behind_a_forearm_is_the_trunk_that_the_layer_brought() -> None:
    """No keyframe has seen the chest yet, and what is around the forearm knows nothing of its print."""
    pose = (5.0, -100.0)
    frame, mask = arm_scene(*pose)
    trunk = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    trunk[80:250, 130:230] = (10, 250, 20, 255)
    eye = np.eye(2, 3, dtype=np.float32)
    painted = Painted(frame, frame[..., ::-1], mask, eye, "tee", arm_body(*pose), trunk)
    anchor = with_arms(first_anchor(painted, small_colours(frame)), None)
    assert anchor.limbs is not None
    bare, core = without(anchor, LEFT_FORE), anchor.limbs.masks[1] > 0.99
    x = anchor.window.centres()[..., 0]
    assert bare.alpha[core & (x < 222)].min() > 0.99
    assert without(anchor, LEFT_UPPER | LEFT_FORE).alpha[core & (x > 238)].max() < 0.01
    _, elbow, wrist = arm_joints(*pose)
    column, row = np.round(anchor.to_texture @ (*(elbow + wrist) / 2, 1)).astype(int)
    np.testing.assert_allclose(bare.texture_bgra[row, column], (10, 250, 20, 255), atol=2)


def test_between_a_raised_arm_and_the_side_nothing_is_remembered() -> None:
    """A hanging arm is raised: what its sleeve covered beside the trunk is no garment behind something."""
    propagator = Propagator()
    for index, pose in enumerate([(12.0, 12.0), (40.0, 40.0)]):
        frame, mask = arm_scene(*pose)
        trunk = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        trunk[80:250, 130:230] = (10, 250, 20, 255)
        shot = Frame(frame, index, index * 33_333_333, "test")
        layer = Layer(frame[..., ::-1].copy(), mask, shot, arm_body(*pose, index), TEE, None, trunk)
        anchor = propagator.prepare(layer)
        propagator.adopt(anchor)
        propagator.carry(frame, index * 33_333_333)
    x, y = np.moveaxis(anchor.window.centres(), -1, 0)
    gap = (x > 234) & (x < 245) & (y > 145) & (y < 165)
    assert gap.sum() > 30
    assert anchor.alpha[gap].mean() < 0.1


def test_an_arm_does_not_fade_in_over_what_was_there_before() -> None:
    anchor = _anchor(5, -100)
    assert without_haste(anchor, LEFT_FORE) is anchor, "nothing before it"


# ------------------------------------------------------------------ all together


@pytest.mark.parametrize("path", ["across the chest", "before the belly"])
def test_a_sleeve_is_on_the_arm_that_swings(path: str) -> None:
    """Eight frames from hanging to its end, with bodies two frames late and not a keyframe in between."""
    ends = {"across the chest": (0.0, -110.0), "before the belly": (10.0, -75.0)}[path]
    poses = [(5 + share * (ends[0] - 5), 5 + share * (ends[1] - 5)) for share in (*np.linspace(0, 1, 9), 1, 1, 1)]
    frame, mask = arm_scene(*poses[0])
    layer = Layer(frame[..., ::-1].copy(), mask, Frame(frame, 0, 0, "test"), arm_body(*poses[0]), garment("tee"))
    propagator, alone = Propagator(), Propagator()
    for each in (propagator, alone):
        each.adopt(each.prepare(layer))
    for index, pose in enumerate(poses):
        frame, mask = arm_scene(*pose)
        propagator.observe(arm_body(*poses[max(0, index - 2)], index))
        shown, alone_shown = (_error(each, frame, index, pose) for each in (propagator, alone))
    assert shown < 25
    assert shown < 0.6 * alone_shown


def _raised(sleeve_to: float) -> tuple[F32, F32, Window]:
    """Alpha, forearm and window after an arm was raised out of the keyframe's window; so much of it is in a sleeve."""
    poses = [(5.0, 5.0), (60.0, 100.0), (100.0, 150.0), (120.0, 170.0), (120.0, 170.0), (120.0, 170.0)]
    frame, mask = arm_scene(*poses[0])
    _, elbow, wrist = arm_joints(*poses[0])
    if sleeve_to < 1:
        bare = np.round([elbow + sleeve_to * (wrist - elbow), wrist + 0.5 * (wrist - elbow)]).astype(np.int32)
        cv2.polylines(mask, [bare], False, 0.0, 26)
    layer = Layer(frame[..., ::-1].copy(), mask, Frame(frame, 0, 0, "test"), arm_body(*poses[0]), garment("tee"))
    propagator = Propagator()
    propagator.adopt(propagator.prepare(layer))
    for index, pose in enumerate(poses):
        frame, _ = arm_scene(*pose)
        propagator.observe(arm_body(*pose, index))
        carried = propagator.carry(frame, index * 33_333_333)
    alpha, sleeve = np.zeros((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    x0, y0, x1, y1 = carried.box
    alpha[y0:y1, x0:x1] = carried.alpha / np.float32(255)
    cv2.polylines(sleeve, [np.round(np.array(arm_joints(*poses[-1])[1:])).astype(np.int32)], False, 1.0, 16)
    return alpha, sleeve, propagator._traces[-1].followed.window


def test_an_arm_raised_beyond_the_window_takes_its_sleeve_along() -> None:
    alpha, sleeve, window = _raised(1)
    beyond = sleeve.copy()
    beyond[max(0, window.y) :] = 0
    assert beyond.sum() > 300
    assert (alpha * beyond).sum() > 0.8 * beyond.sum()


def test_a_bare_forearm_raised_beyond_the_window_stays_bare() -> None:
    alpha, _, window = _raised(0)
    assert alpha[: max(0, window.y)].sum() < 5


def _bare_forearm(pose: tuple[float, float], mask: F32) -> tuple[F32, F32]:
    """The mask without the forearm, and the forearm."""
    _, elbow, wrist = arm_joints(*pose)
    forearm = np.zeros_like(mask)
    ends = np.round([elbow + 0.2 * (wrist - elbow), wrist + 0.3 * (wrist - elbow)]).astype(np.int32)
    cv2.polylines(forearm, [ends], False, 1.0, 22)
    return mask * (1 - forearm), forearm


def test_a_bare_forearm_leaves_the_chest_bare_though_the_cloth_behind_it_is_known() -> None:
    """What the second keyframe remembers behind the forearm stays on the chest, and does not go with the forearm."""
    propagator, poses = Propagator(), [(5.0, 5.0), (5.0, -100.0), (5.0, -60.0), (5.0, -20.0), (5.0, 5.0), (5.0, 5.0)]
    for index, pose in enumerate(poses):
        frame, mask = arm_scene(*pose)
        mask, forearm = _bare_forearm(pose, mask)
        body = arm_body(*pose, index)
        if index < 2:
            layer = Layer(
                frame[..., ::-1].copy(), mask, Frame(frame, index, index * 33_333_333, "test"), body, garment("tee")
            )
            propagator.adopt(propagator.prepare(layer))
        propagator.observe(body)
        carried = propagator.carry(frame, index * 33_333_333)
    anchor = propagator._traces[-1].followed.anchor
    assert anchor.limbs is not None and anchor.limbs.dressed & LEFT_FORE == 0
    assert propagator._traces[-1].followed.fronts
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    x0, y0, x1, y1 = carried.box
    alpha[y0:y1, x0:x1] = carried.alpha / np.float32(255)
    core = cv2.erode(forearm, np.ones((9, 9), np.uint8))
    assert (alpha * core).sum() < 0.1 * core.sum()


def test_behind_a_hand_is_the_chest_and_not_where_the_forearm_was_before() -> None:
    """The forearm moves a little between two keyframes, and a hand comes before its old place."""
    propagator, hand = Propagator(), (180, 130)
    for index, pose in enumerate([(5.0, 5.0), (5.0, -100.0), (5.0, -85.0)]):
        frame, mask = arm_scene(*pose)
        if index == 2:
            for picture, value in ((frame, (120, 150, 200)), (mask, 0)):
                cv2.circle(picture, hand, 11, value, -1)
        layer = Layer(
            frame[..., ::-1].copy(), mask, Frame(frame, index, index * 33_333_333, "test"), arm_body(*pose, index), TEE
        )
        anchor = propagator.prepare(layer)
        propagator.adopt(anchor)
        propagator.carry(frame, index * 33_333_333)
    column, row = np.round(anchor.to_texture @ (*hand, 1)).astype(int)
    shown = anchor.texture_bgra[row - 3 : row + 4, column - 3 : column + 4]
    # the layer's chest is blue, its sleeve red
    blue, _, red, alpha = shown.reshape(-1, 4).mean(axis=0)
    assert alpha > 200
    assert blue > red + 40


def test_cloth_beside_a_bare_forearm_is_no_sleeve() -> None:
    """A short sleeve, and a bare forearm before the belly: what is around it stays where it is."""
    pose = (20.0, -60.0)
    body, (frame, mask) = arm_body(*pose), arm_scene(*pose)
    _, elbow, wrist = arm_joints(*pose)
    forearm = np.round([elbow, wrist + 0.5 * (wrist - elbow)]).astype(np.int32)
    bare = mask.copy()
    cv2.polylines(bare, [forearm], False, 0.0, 18)
    for alpha, dressed in ((mask, LEFT_UPPER | LEFT_FORE), (bare, LEFT_UPPER)):
        painted = Painted(frame, frame[..., ::-1], alpha, np.eye(2, 3, dtype=np.float32), "tee", body)
        anchor = with_arms(first_anchor(painted, small_colours(frame)), None)
        assert anchor.limbs.dressed & (LEFT_UPPER | LEFT_FORE) == dressed
        assert anchor.limbs is not None
        column, row = np.round(anchor.window.cells(elbow + 0.7 * (wrist - elbow))).astype(int)
        aside = round(14 / anchor.window.step)
        assert anchor.limbs.own[row, column] > 0.95
        # one side of the forearm lies on the torso, whether it is in a sleeve or not
        assert anchor.limbs.own[row + aside, column] < (0.5 if dressed & LEFT_FORE else 0.2)


def test_arms_beside_the_layer_are_no_part_of_it() -> None:
    frame, mask = arm_scene(30, 30)
    there = arm_body(30, 30)
    beyond = replace(there, landmarks_px=there.landmarks_px + np.float32([10 * WIDTH, 0, 0]))
    painted = Painted(frame, frame[..., ::-1], mask, np.eye(2, 3, dtype=np.float32), "tee", beyond)
    assert with_arms(first_anchor(painted, small_colours(frame)), None).limbs is None


def test_two_threads_draw_what_one_draws() -> None:
    """A frame large enough to be shared, with an arm across the place where it is cut."""
    with ThreadPoolExecutor(1) as helper:
        pictures = []
        for propagator in (Propagator(), Propagator(helper)):
            for index, pose in enumerate([(5.0, 5.0), (35.0, -10.0), (60.0, -20.0)]):
                frame, mask = (np.ascontiguousarray(cv2.resize(each, None, fx=3, fy=3)) for each in arm_scene(*pose))
                body = arm_body(*pose, index)
                body = replace(
                    body,
                    landmarks_px=body.landmarks_px * np.float32(3),
                    person_alpha=np.zeros(mask.shape, np.float32),
                )
                if index == 0:
                    layer = Layer(frame[..., ::-1].copy(), mask, Frame(frame, 0, 0, "test"), body, garment("tee"))
                    propagator.adopt(propagator.prepare(layer))
                propagator.observe(body)
                carried = propagator.carry(frame, index * 33_333_333)
            shown = frame.copy()
            blend_into(shown, carried)
            pictures.append(shown)
    assert propagator._traces[-1].followed.fronts
    assert carried.alpha.size > 100_000
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 2


def _error(propagator: Propagator, frame: U8, index: int, pose: tuple[float, float]) -> float:
    """Levels, mean: how far the forearm is from its sleeve as it was painted."""
    carried = propagator.carry(frame, index * 33_333_333)
    shown = frame.copy()
    blend_into(shown, carried)
    _, elbow, wrist = arm_joints(*pose)
    forearm = np.zeros((HEIGHT, WIDTH), np.uint8)
    ends = (np.round(elbow + share * (wrist - elbow)).astype(int) for share in (0.25, 0.9))
    cv2.line(forearm, *ends, 1, 13)
    return float(np.abs(shown.astype(float) - frame[..., ::-1])[forearm > 0].mean())


def test_before_and_after_a_hand_over_the_garment_stays_whole() -> None:
    """A keyframe takes over in mid-swing: at no frame does the worn cloth come through on arm or chest."""
    poses = [(5, 5 - 12 * index) for index in range(12)]
    frames = [Frame(arm_scene(*pose)[0], index, index * 33_333_333, "test") for index, pose in enumerate(poses)]

    def made_of(index: int) -> Layer:
        mask = arm_scene(*poses[index])[1]
        return Layer(frames[index].bgr[..., ::-1].copy(), mask, frames[index], arm_body(*poses[index]), garment("tee"))

    propagator = Propagator()
    propagator.adopt(propagator.prepare(made_of(0)))
    for index, frame in enumerate(frames):
        propagator.observe(arm_body(*poses[max(0, index - 2)], index))
        if index == 8:
            propagator.adopt(propagator.prepare(made_of(5)))
        shown = expanded(propagator.carry(frame.bgr, frame.captured_ns), (HEIGHT, WIDTH))
        inside = cv2.erode(arm_scene(*poses[index])[1], np.ones((13, 13), np.uint8)) > 0.5
        assert (shown[inside] > 0.5).mean() > 0.96, index
