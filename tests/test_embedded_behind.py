"""An arm that hangs behind the hips: told by what hides it, and dressed behind the top."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_garment, drawn_person
from vastra_live.synthesis.embedded.bare import bare_body
from vastra_live.synthesis.embedded.behind import with_arms_behind
from vastra_live.synthesis.embedded.compose import draw_order
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import arm_point, measure_girth
from vastra_live.synthesis.embedded.mesh import LEFT_FOREARM, LEFT_SLEEVE, RIGHT_SLEEVE, TORSO
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.reading import Reading
from vastra_live.synthesis.embedded.skeleton import Point, Skeleton, read_skeleton
from vastra_live.synthesis.embedded.snap import EdgeKind, snapped
from vastra_live.types import F32, Sleeve

BODY = drawn_person((400, 460), centre=(200, 130), unit=100, bends=(6, 0, 6, 0))[1]
S = read_skeleton(BODY)
GIRTH = measure_girth(BODY.person_alpha, S, np.zeros_like(BODY.person_alpha))


def hips(share_hidden: float, from_row: float) -> F32:
    """(5, h, w) classes of someone in a long-sleeved top, whose hips hide so much of the left forearm's width.

    Args:
        share_hidden: 0 for nothing, 1 for all of it.
        from_row: station of the arm below which there is a lower garment.
    """
    share = np.zeros((5, *BODY.person_alpha.shape), np.float32)
    share[TOP] = BODY.person_alpha
    wrist = S.left.wrist
    half = 0.12 * S.unit
    row = int(arm_point(S.left, from_row)[0][1])
    columns = slice(int(2 * S.neck[0] - wrist[0] + half), round(float(wrist[0] - half + 2 * half * share_hidden)))
    share[TOP, row:, columns], share[LOWER, row:, columns] = 0, 1
    share[BACKGROUND] = 1 - share[TOP] - share[LOWER]
    return share


@pytest.mark.parametrize(
    ("hidden", "from_row", "behind"),
    [(0.0, 0.5, False), (0.25, 0.5, False), (0.7, 0.5, True), (0.85, 0.6, True), (1.0, 0.92, False)],
)
def test_an_arm_is_behind_when_the_lower_garment_hides_most_of_it(hidden: float, from_row: float, behind: bool) -> None:
    """A hand in a pocket, or a forearm that touches the hips, is not."""
    s = with_arms_behind(S, hips(hidden, from_row), GIRTH)
    assert (s.right.behind, s.left.behind) == (False, behind)


def with_left_behind() -> Skeleton:
    return replace(S, left=replace(S.left, behind=True))


def test_of_a_hidden_arm_nothing_is_in_front_of_the_top() -> None:
    shape = BODY.person_alpha.shape
    both, one = (bare_body(shape, s, GIRTH, (0.3, 0.3)) for s in (S, with_left_behind()))
    middle = int(S.neck[0])
    assert float(both.front[:, middle:].max()) > 0.9
    assert float(one.front[:, middle:].max()) == 0
    np.testing.assert_array_equal(one.front[:, :middle], both.front[:, :middle])
    np.testing.assert_array_equal(one.arms[:, :middle], both.arms[:, :middle])


def test_of_a_hidden_arm_nothing_is_made_before_the_trunk() -> None:
    """Below a hem that ends above its hand there would be a stump."""
    folded = S.pelvis + 0.1 * S.unit * S.across
    arm = replace(S.left, elbow=S.left.elbow, wrist=folded, tip=folded, behind=True)
    arms = bare_body(BODY.person_alpha.shape, replace(S, left=arm), GIRTH, (0.3, 0.3)).arms
    wrist, elbow = (np.round(point).astype(int) for point in (arm.wrist, arm.elbow))
    assert float(arms[wrist[1], wrist[0]]) < 0.01
    assert float(arms[elbow[1], elbow[0]]) > 0.9


def back(hand: int) -> F32:
    """(5, h, w) classes of a bare left arm whose forearm goes on behind a top; its hand is of a class."""
    share = np.zeros((5, *BODY.person_alpha.shape), np.float32)
    share[TOP] = BODY.person_alpha
    rows, bent, end = (int(arm_point(S.left, station)[0][1]) for station in (0.25, 0.6, 0.9))
    columns = np.s_[round(float(S.left.elbow[0]) - 25) :]
    share[TOP, rows:bent, columns], share[SKIN, rows:bent, columns] = 0, BODY.person_alpha[rows:bent, columns]
    share[TOP, end:, columns], share[hand, end:, columns] = 0, BODY.person_alpha[end:, columns]
    share[BACKGROUND] = 1 - share.sum(axis=0)
    return share


@pytest.mark.parametrize(("hand", "behind"), [(TOP, True), (SKIN, False), (LOWER, True)])
def test_a_bare_arm_is_behind_when_cloth_is_seen_from_its_elbow_on(hand: int, behind: bool) -> None:
    s = with_arms_behind(S, back(hand), GIRTH)
    assert (s.right.behind, s.left.behind) == (False, behind)


def test_a_bare_arm_with_its_hand_in_a_pocket_is_not_behind() -> None:
    share = back(LOWER)
    rows = slice(int(arm_point(S.left, 0.6)[0][1]), int(S.left.wrist[1]))
    columns = slice(round(float(S.left.elbow[0]) - 25), None)
    share[:, rows, columns] = 0
    share[SKIN, rows, columns] = BODY.person_alpha[rows, columns]
    assert not with_arms_behind(S, share, GIRTH).left.behind


@pytest.mark.parametrize(
    ("hand_seen", "tip", "behind"),
    [(False, S.left.tip, True), (True, S.left.tip, False), (False, S.neck + 0.8 * S.torso_length * S.down, False)],
)
def test_a_sleeve_at_whose_end_no_hand_is_seen_is_behind(hand_seen: bool, tip: Point, behind: bool) -> None:
    """Nothing but the worn top is seen there; of folded arms one lies below the other."""
    share = np.zeros((5, *BODY.person_alpha.shape), np.float32)
    share[TOP] = cv2.dilate(BODY.person_alpha, np.ones((15, 15), np.uint8))
    share[BACKGROUND] = 1 - share[TOP]
    wrist = S.left.wrist if tip is S.left.tip else tip
    hidden = replace(S, left=replace(S.left, wrist=wrist, tip=tip, hand_seen=hand_seen))
    assert with_arms_behind(hidden, share, GIRTH).left.behind == behind


def test_a_hidden_sleeve_is_drawn_before_the_torso() -> None:
    assert draw_order(S).index(TORSO) == 0
    order = draw_order(with_left_behind())
    assert order.index(LEFT_FOREARM) < order.index(TORSO) < order.index(RIGHT_SLEEVE)
    assert sorted(order) == sorted(draw_order(S))
    assert order.index(LEFT_SLEEVE) < order.index(LEFT_FOREARM)


def test_a_top_is_as_wide_as_hips_that_hide_an_arm() -> None:
    """Though its bone lies before their edge."""
    share = hips(0.9, 0.3)
    worn = share[TOP]
    pattern = TopPattern(drawn_garment(Sleeve.SHORT))
    corner = next(edge for edge in pattern.edges if edge.kind is EdgeKind.HEM).points[0]
    placed = pattern.targets(S, GIRTH)
    moved = snapped(placed, pattern.edges, Reading(share, np.zeros_like(worn)), worn, with_left_behind())[corner]
    hip = np.flatnonzero(share[LOWER, int(moved[1])])[-1]
    assert placed[corner][0] < hip - 0.08 * S.unit
    assert abs(moved[0] - hip) < 0.03 * S.unit
