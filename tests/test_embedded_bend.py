"""Sleeves on bent arms: two straight halves that meet at the elbow."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded_people import drawn_garment, drawn_person
from vastra_live.synthesis.embedded.bend import Bend, mitred, paint_bent, straightened
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import measure_girth
from vastra_live.synthesis.embedded.mesh import FOREARMS, LEFT_FOREARM, LEFT_SLEEVE, ElasticSheet, Painted, together
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton
from vastra_live.types import Sleeve

LONG = drawn_garment(Sleeve.LONG)
PATTERN = TopPattern(LONG)
SHEET = ElasticSheet(LONG, PATTERN.handles, PATTERN.parts, PATTERN.elbows)
RULED = ElasticSheet(
    replace(
        LONG, bgr=np.repeat(np.linspace(0, 240, 360).astype(np.uint8)[:, None], 300, axis=1)[..., None].repeat(3, 2)
    ),
    PATTERN.handles,
    PATTERN.parts,
    PATTERN.elbows,
)
WORN = np.zeros((360, 320), np.float32)
SIZE = (320, 360)
upper_arms, bends = st.floats(5, 70), st.floats(-160, 160)


def placed_on(right: float, left: float, bend: float) -> tuple[np.ndarray, Skeleton]:
    """The garment's points on someone whose upper arms stand off by two angles and whose forearms turn by a third."""
    _, body = drawn_person(bends=(right, right + bend, left, left + bend))
    skeleton = read_skeleton(body)
    return PATTERN.targets(skeleton, measure_girth(body.person_alpha, skeleton, WORN)), skeleton


@settings(max_examples=40, deadline=None)
@given(right=upper_arms, left=upper_arms, bend=bends)
def test_no_bend_tears_a_sleeve(right: float, left: float, bend: float) -> None:
    """Within each half neighbouring pixels show neighbouring rows of the photo, which RULED has as colour."""
    placed, skeleton = placed_on(right, left, bend)
    painted = paint_bent(RULED, placed, PATTERN.sleeves(skeleton), SIZE)
    for name, piece in painted.items():
        if name in FOREARMS or name in FOREARMS.values():
            assert torn(piece) < 0.001


def torn(piece: Painted) -> float:
    """Share of a piece's neighbouring pixels that lie far apart in the photo."""
    rows, shown = piece.bgr[..., 0].astype(int), piece.alpha > 0.5
    leaps = pairs = 0
    for axis in (0, 1):
        both = np.logical_and(*(np.delete(shown, at, axis) for at in (0, -1)))
        leaps += int((np.abs(np.diff(rows, axis=axis)) > 12)[both].sum())
        pairs += int(both.sum())
    return leaps / max(pairs, 1)


@settings(max_examples=25, deadline=None)
@given(angle=upper_arms)
def test_a_straight_arm_leaves_every_point_where_it_was_put(angle: float) -> None:
    placed, skeleton = placed_on(angle, angle, 0.0)
    for outer, inner, arm in PATTERN.sleeves(skeleton).values():
        was = placed[[*outer.points, *inner.points]]
        for shape in straightened(placed, outer, inner, arm)[:2]:
            # but for the elbow's own, which were drawn out to a corner
            far = np.linalg.norm(was - arm.elbow, axis=1) > 0.25 * skeleton.unit
            np.testing.assert_allclose(shape[far], was[far], atol=0.02 * skeleton.unit)


@settings(max_examples=25, deadline=None)
@given(angle=upper_arms, bend=bends)
def test_cloth_covers_the_elbow_without_a_hole(angle: float, bend: float) -> None:
    placed, skeleton = placed_on(angle, angle, bend)
    painted = paint_bent(SHEET, placed, PATTERN.sleeves(skeleton), SIZE)
    arm = skeleton.left
    halves = together([painted[name] for name in (LEFT_SLEEVE, LEFT_FOREARM)], (360, 320))
    around = np.zeros((360, 320), np.uint8)
    cv2.circle(around, [round(float(v)) for v in arm.elbow], round(0.06 * skeleton.unit), 1, -1)
    assert (halves[around > 0] > 0.9).all()
    cloth = painted[LEFT_FOREARM]
    solid = cloth.alpha > 0.95
    assert (np.abs(cloth.bgr[solid].astype(int) - (60, 170, 40)).max(axis=-1) < 4).all()


def test_a_sleeve_ends_close_behind_the_elbow() -> None:
    """An arm that is folded back: neither half stands out beyond the elbow by more than the sleeve is wide."""
    placed, skeleton = placed_on(20.0, 20.0, 150.0)
    painted = paint_bent(SHEET, placed, PATTERN.sleeves(skeleton), SIZE)
    outer, inner, arm = PATTERN.sleeves(skeleton)[LEFT_SLEEVE]
    bend = straightened(placed, outer, inner, arm)[2]
    halves = together([painted[name] for name in (LEFT_SLEEVE, LEFT_FOREARM)], (360, 320))
    ys, xs = np.nonzero(halves > 0.5)
    beyond = (np.column_stack([xs, ys]) - bend.elbow) @ bend.upper
    assert 0.5 * bend.half < beyond.max() < 1.1 * bend.half


@pytest.mark.parametrize("turn", [0.0, 40.0, 90.0, 140.0])
def test_the_two_halves_meet_without_a_gap(turn: float) -> None:
    """Mitred, two plain strips still cover all that lies within half a width of both middle lines."""
    upper, fore = np.array([0.0, 1.0]), np.array([np.sin(np.radians(turn)), np.cos(np.radians(turn))])
    bend = Bend(np.array([60.0, 60.0]), upper, fore, 0.0, 14.0)
    y, x = np.mgrid[:120, :120].astype(np.float32)
    strips = []
    for direction, forearm in ((upper, False), (fore, True)):
        across = np.abs((x - 60) * direction[1] - (y - 60) * direction[0])
        strip = Painted((0, 0, 120, 120), np.zeros((120, 120, 3), np.uint8), (across < 14).astype(np.float32))
        strips.append(mitred(strip, bend, forearm=forearm))
    union = together(strips, (120, 120))
    bones = np.zeros((120, 120), np.uint8)
    for end in (bend.elbow - 50 * upper, bend.elbow + 50 * fore):
        points = [tuple(int(v) for v in np.round(p)) for p in (bend.elbow, end)]
        cv2.line(bones, points[0], points[1], 1, 18)
    inside = (bones > 0) & ((x - 60) ** 2 + (y - 60) ** 2 < 45**2)
    assert (union[inside & ~((y - 60 > 9) & (turn > 90))] > 0.95).all()
    if turn >= 90:
        assert (union[(y - 60 > 14) & (np.abs(x - 60) < 4)] < 0.05).all()
