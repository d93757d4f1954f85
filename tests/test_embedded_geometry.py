"""The garment as an elastic sheet, and where its points belong on a body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded_people import drawn_garment, drawn_landmarks, drawn_person
from vastra_live.errors import NothingToFitError
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import arm_point, arm_points, measure_girth
from vastra_live.synthesis.embedded.inverse_map import inverse_map
from vastra_live.synthesis.embedded.mesh import TORSO, ElasticSheet
from vastra_live.synthesis.embedded.parts import part_masks
from vastra_live.synthesis.embedded.skeleton import Proportions, read_skeleton
from vastra_live.types import Body, Sleeve

LONG = drawn_garment(Sleeve.LONG)
PATTERN = TopPattern(LONG)
SHEET = ElasticSheet(LONG, PATTERN.handles, PATTERN.parts, PATTERN.elbows)
BARE = np.zeros((360, 320), np.float32)
angles = st.floats(-15, 80)


def body_of(points: np.ndarray, seen: np.ndarray | None = None) -> Body:
    return Body(points, np.ones(33, np.float32) if seen is None else seen, np.ones((360, 320), np.float32), 0)


@settings(deadline=None)
@given(
    matrix=st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4),
    shift=st.lists(st.floats(-200, 200), min_size=2, max_size=2),
)
def test_a_sheet_follows_any_affine_pull_exactly(matrix: list[float], shift: list[float]) -> None:
    a = np.array(matrix).reshape(2, 2)
    placed = SHEET.shape(PATTERN.handles @ a + shift)
    np.testing.assert_allclose(placed, SHEET.shape(PATTERN.handles) @ a + shift, atol=1e-2)


def test_an_unpulled_sheet_shows_the_photo() -> None:
    piece = SHEET.paint(SHEET.shape(PATTERN.handles), TORSO, (300, 360))
    assert piece is not None
    x0, y0, x1, y1 = piece.box
    torso = part_masks(LONG)[TORSO][y0:y1, x0:x1]
    assert np.abs(piece.alpha - torso).mean() < 0.05
    assert (np.abs(piece.bgr[piece.alpha > 0.95].astype(int) - (60, 170, 40)).max(axis=-1) < 3).all()


def test_the_edge_of_a_crease_has_no_steps() -> None:
    """Of cloth that is folded back along a slanted line the near half is shown, up to the line."""
    placed = SHEET.shape(PATTERN.handles)
    across = np.array([1.0, 0.4]) / np.hypot(1.0, 0.4)
    beyond = np.maximum((placed - (160, 180)) @ across, 0)
    piece = SHEET.paint(placed - 2 * beyond[:, None] * across, TORSO, (300, 360))
    assert piece is not None
    x0, y0, _, _ = piece.box
    rows = piece.alpha[120 - y0 : 230 - y0, : 250 - x0]
    edge = rows.shape[1] - np.argmax(rows[:, ::-1] > 0.5, axis=1)
    line = 160 - x0 - 0.4 * (np.arange(120, 230) - 180)
    assert np.abs(edge - line).max() < 14
    assert np.abs(np.diff(edge)).max() <= 2
    shown = piece.bgr[120 - y0 : 230 - y0, : 250 - x0][rows > 0.5]
    assert (np.abs(shown.astype(int) - (60, 170, 40)).max(axis=-1) < 3).all()


def test_a_strip_of_the_torso_beside_a_hanging_sleeve_is_none_of_it() -> None:
    """The torso bulges beyond the line from armpit to hem, nearly to the sleeve."""
    alpha = LONG.alpha.copy()
    bulge = np.s_[242:264, 216:231]
    assert alpha[bulge].max() == 0
    alpha[bulge] = 1
    torso, left, _ = part_masks(replace(LONG, alpha=alpha))
    assert left[bulge].max() < 0.05
    assert torso[246:260, 216:228].min() > 0.9
    assert left[246:260, 245:260].min() > 0.9


def test_a_strip_of_a_hanging_sleeve_beside_the_torso_is_the_sleeves() -> None:
    """The sleeve lies against the torso down to where a slit begins, and up to it is nearer to the torso's corners."""
    alpha = LONG.alpha.copy()
    alpha[130:230, 190:226] = 1
    alpha[175:230, 203:207] = 0
    torso, left, _ = part_masks(replace(LONG, alpha=alpha))
    strip = np.s_[182:222, 210:216]
    assert torso[strip].max() < 0.1
    assert left[strip].min() > 0.9
    assert torso[135:225, 150:200].min() > 0.9
    # up to the armpit the torso's side goes straight
    sides = 300 - np.argmax(torso[135:222, ::-1] > 0.5, axis=1)
    assert np.abs(np.diff(sides)).max() <= 2


@settings(max_examples=40, deadline=None)
@given(arms=st.tuples(angles, angles, angles, angles), unit=st.floats(50, 90))
def test_no_pose_folds_the_torso(arms: tuple[float, float, float, float], unit: float) -> None:
    _frame, body = drawn_person(unit=unit, bends=arms)
    skeleton = read_skeleton(body)
    placed = SHEET.shape(PATTERN.targets(skeleton, measure_girth(body.person_alpha, skeleton, BARE)))
    assert np.isfinite(placed).all()
    assert SHEET.folds(placed, TORSO) < 0.02


def test_who_lifts_their_arms_is_no_smaller() -> None:
    """The joints of raised shoulders lie nearer together; a wearer who comes nearer grows all the same."""
    points = drawn_landmarks()
    raised = points.copy()
    middle = (points[11] + points[12]) / 2
    for side in (11, 12):
        raised[side, :2] += 0.12 * (middle - points[side])[:2]
    proportions = Proportions()
    before = proportions.steadied(read_skeleton(body_of(points)))
    after = proportions.steadied(read_skeleton(body_of(raised)))
    assert read_skeleton(body_of(raised)).unit < 0.89 * before.unit
    assert after.unit > 0.93 * before.unit
    near = read_skeleton(body_of(points * np.float32(1.2)))
    assert Proportions().steadied(near).unit == pytest.approx(near.unit)


def test_cuffs_reach_the_wrists_and_follow_them() -> None:
    for bend in (5.0, 60.0):
        _, body = drawn_person(bends=(bend, bend, 5, 5))
        skeleton = read_skeleton(body)
        targets = PATTERN.targets(skeleton, measure_girth(body.person_alpha, skeleton, BARE))
        cuff = LONG.landmarks_px["cuff_outer_left"]
        handle = int(np.argmin(np.linalg.norm(PATTERN.handles - cuff, axis=1)))
        assert np.linalg.norm(targets[handle] - skeleton.left.wrist) < 0.35 * skeleton.unit


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_inverse_map_agrees_with_a_plain_loop(seed: int) -> None:
    """Of a quad in the middle, one that reaches out of the picture, and one that is turned over, which covers none."""
    rng = np.random.default_rng(seed)
    square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    source = square + rng.uniform(-1, 1, (3, 4, 2))
    target = np.array([square, square, square[::-1]]) + rng.uniform(-1.5, 1.5, (3, 4, 2))
    target += np.array([[[10, 10]], [[-3, 4]], [[30, 30]]])
    where, covered = inverse_map(target, source, (34, 36))
    assert not covered[32:34, 31].any()
    for y in range(36):
        for x in range(34):
            for one in (0, 1):
                expected = _plain_inverse(target[one], source[one], x, y)
                if expected is None:
                    continue
                assert covered[y, x] == 1
                np.testing.assert_allclose(where[y, x], expected, atol=1e-3)


def _plain_inverse(target: np.ndarray, source: np.ndarray, x: int, y: int) -> np.ndarray | None:
    """Where a pixel well inside of one of the quad's two triangles comes from."""
    for corners in ([0, 1, 2], [0, 2, 3]):
        t, s = target[corners], source[corners]
        weights = np.linalg.solve(np.vstack([t.T, np.ones(3)]), np.array([x, y, 1.0]))
        if (weights > 1e-3).all():
            return np.asarray(weights @ s)
    return None


def test_a_person_from_behind_is_refused() -> None:
    points = drawn_landmarks()
    points[[11, 12]] = points[[12, 11]]
    with pytest.raises(NothingToFitError, match="behind"):
        read_skeleton(body_of(points))


def test_a_person_from_the_side_is_refused() -> None:
    points = drawn_landmarks()
    points[11, 0], points[12, 0] = 165, 155
    with pytest.raises(NothingToFitError, match="side"):
        read_skeleton(body_of(points))


def test_without_shoulders_nothing_fits() -> None:
    seen = np.ones(33, np.float32)
    seen[11] = 0.05
    with pytest.raises(NothingToFitError, match="shoulders"):
        read_skeleton(body_of(drawn_landmarks(), seen))


def test_a_tiny_person_is_refused_with_the_remedy() -> None:
    with pytest.raises(NothingToFitError, match="come closer"):
        read_skeleton(body_of(drawn_landmarks(unit=9)))


def test_hips_out_of_the_picture_are_extrapolated() -> None:
    points, seen = drawn_landmarks(), np.ones(33, np.float32)
    whole = read_skeleton(body_of(points))
    points[23:] = 0
    seen[23:] = 0
    cut = read_skeleton(body_of(points, seen))
    assert np.linalg.norm(cut.pelvis - whole.pelvis) < 0.2 * whole.unit
    np.testing.assert_allclose(cut.across, whole.across)


@settings(deadline=None)
@given(bends=st.tuples(angles, angles), stations=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_many_points_of_an_arm_are_those_of_each(bends: tuple[float, float], stations: list[float]) -> None:
    arm = read_skeleton(body_of(drawn_landmarks(bends=(*bends, 5, 5)))).left
    points, along = arm_points(arm, np.array(stations))
    for k, station in enumerate(stations):
        point, direction = arm_point(arm, station)
        np.testing.assert_allclose(points[k], point, atol=1e-6)
        np.testing.assert_allclose(along[k], direction, atol=1e-6)


@pytest.mark.parametrize("elbow_seen", [0.3, 0.9])
def test_a_hand_on_an_elbow_that_nobody_saw_is_none(elbow_seen: float) -> None:
    """A picture ends at the chest; BlazePose makes up a hand before it, or the arm really comes up from below."""
    _, body = drawn_person((320, 170), bends=(5, 172, 5, 5))
    seen = body.visibility.copy()
    seen[13] = elbow_seen
    assert not body.landmarks_px[13, 1] < 170 and body.landmarks_px[15, 1] < 170
    arm = read_skeleton(replace(body, visibility=seen)).left
    assert bool(arm.wrist[1] > arm.elbow[1]) is (elbow_seen < 0.5)
    assert bool(arm.tip[1] > arm.elbow[1]) is (elbow_seen < 0.5)


def test_an_arm_folded_onto_its_own_shoulder_below_the_picture_hangs() -> None:
    """The elbow is said to be seen, though it lies below the picture's edge; a hand at the chin is believed in."""
    _, body = drawn_person((320, 170), bends=(5, 172, 5, 5))
    points, seen, unit = body.landmarks_px.copy(), body.visibility.copy(), 80
    seen[13] = 0.75
    for at, hangs in ((points[11, :2] + (0.1 * unit, 0), True), (points[0, :2] + (0, 0.4 * unit), False)):
        points[[15, 17, 19], :2] = at
        arm = read_skeleton(replace(body, landmarks_px=points, visibility=seen)).left
        assert bool(arm.wrist[1] > arm.elbow[1]) is hangs
