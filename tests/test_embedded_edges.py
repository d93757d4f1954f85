"""Edges of a worn garment: one clean line, wide enough for the body, and no dirt beside it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded_people import drawn_garment, drawn_person
from vastra_live.synthesis.embedded.compose import _line_gaps, _missing, bare_arms, hair_and_face, sleeved_arms
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import ARM_STATIONS, arm_point, measure_girth
from vastra_live.synthesis.embedded.mesh import LEFT_SLEEVE, TORSO, Painted, together
from vastra_live.synthesis.embedded.outline import smooth_outline
from vastra_live.synthesis.embedded.reading import BACKGROUND, LOWER, SKIN, TOP, Reading
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton
from vastra_live.synthesis.embedded.snap import Edge, EdgeKind, _in_order, snapped
from vastra_live.synthesis.embedded.trim import trimmed
from vastra_live.types import F32, Sleeve


def cloth(side: int = 300) -> F32:
    """A square of cloth in the middle of a picture a third wider."""
    alpha = np.zeros((side * 4 // 3, side * 4 // 3), np.float32)
    alpha[side // 6 : side // 6 + side, side // 6 : side // 6 + side] = 1
    return alpha


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), side=st.sampled_from([180, 300, 420]))
def test_a_ragged_hem_becomes_one_line_where_it_was(seed: int, side: int) -> None:
    alpha = cloth(side)
    hem = side // 6 + side
    for x in range(side // 6, hem, 3):
        alpha[hem - int(np.random.default_rng(seed + x).integers(0, side // 75 + 1)) :, x : x + 3] = 0
    rows = smooth_outline(alpha).sum(axis=0)[side // 3 : side]
    ragged = alpha.sum(axis=0)[side // 3 : side]
    assert rows.mean() == pytest.approx(ragged.mean(), abs=0.5)
    assert np.abs(np.diff(rows)).max() < 0.7
    assert np.abs(np.diff(rows)).sum() < 0.7 * np.abs(np.diff(ragged)).sum()


@settings(max_examples=20, deadline=None)
@given(width=st.integers(5, 40), turn=st.floats(0, 90))
def test_a_clean_outline_keeps_its_place_its_corners_and_a_thin_strap(width: int, turn: float) -> None:
    alpha = cloth()
    alpha[:50, 120 : 120 + width] = 1
    matrix = cv2.getRotationMatrix2D((200, 200), turn, 0.7)
    alpha = np.clip(cv2.warpAffine(alpha, matrix, (400, 400)), 0, 1)
    off = np.abs(smooth_outline(alpha) - alpha)
    assert float((off > 0.5).mean()) < 1e-3
    assert smooth_outline(alpha).sum() == pytest.approx(alpha.sum(), rel=0.005)


def test_sheer_cloth_and_a_tiny_garment_stay_as_they_are() -> None:
    sheer = cloth() * np.float32(0.7)
    assert smooth_outline(sheer)[100:300, 100:300] == pytest.approx(0.7)
    tiny = cloth(24)
    assert smooth_outline(tiny) is tiny


def piece(alpha: F32) -> Painted:
    """A piece of white cloth over a whole picture."""
    height, width = alpha.shape
    return Painted((0, 0, width, height), np.full((height, width, 3), 240, np.uint8), alpha, np.ones_like(alpha))


@pytest.mark.parametrize("dent", [8, 16])
def test_a_dent_in_a_sleeve_shows_the_wall_and_a_slit_in_the_armpit_cloth(dent: int) -> None:
    torso, sleeve = np.zeros((2, 400, 320), np.float32)
    torso[20:, 40:160], sleeve[20:380, 166:240] = 1, 1
    sleeve[100 : 100 + dent, 236:] = 0
    wall = np.full((400, 320, 3), 200, np.float32)
    pieces = {TORSO: piece(torso), LEFT_SLEEVE: piece(sleeve)}
    filled = wall.copy()
    s = read_skeleton(drawn_person((320, 400), centre=(35, 60), unit=300, bends=(0, 0, 0, 0))[1])
    _line_gaps(filled, pieces, together(pieces.values(), (400, 320)), np.ones((400, 320), np.float32), s)
    assert np.abs(filled - wall)[80:140, 236:].max() < 1
    assert (filled[80:140, 162:164] < 190).all()
    # beside the forearm it is the wall that is seen, and nothing ends with a step in between
    assert np.abs(filled - wall)[300:, 162:164].max() < 1
    assert np.abs(np.diff(filled[140:300, 163, 0])).max() < 4


def read_as(worn: F32, **others: F32) -> Reading:
    """A reading of a worn top, and beside it of what else is named; the rest is background."""
    share = np.zeros((5, *worn.shape), np.float32)
    share[TOP] = worn
    for name, plane in others.items():
        share[{"skin": SKIN, "lower": LOWER}[name]] = plane * (1 - worn)
    share[BACKGROUND] = 1 - share.sum(axis=0)
    return Reading(share, np.zeros_like(worn))


def shortened(person: F32, s: Skeleton, depth: float) -> F32:
    """What of the torso lies above a depth and off the arms: a vest's worth of worn top."""
    worn = person.copy()
    worn[round(s.neck[1] + depth * s.torso_length) :] = 0
    worn[:, : round(s.right.shoulder[0] - 0.1 * s.unit)] = 0
    worn[:, round(s.left.shoulder[0] + 0.1 * s.unit) :] = 0
    return worn


@settings(max_examples=15, deadline=None)
@given(wider=st.floats(0.02, 0.08), mirrored=st.booleans(), unit=st.sampled_from([60.0, 80.0, 100.0]))
def test_a_hem_over_the_hips_is_as_wide_as_they_are(wider: float, mirrored: bool, unit: float) -> None:
    # arms held out leave the hips' outline alone
    _, body = drawn_person((480, 420), centre=(240, 120), unit=unit, bends=(60, 60, 60, 60))
    s = read_skeleton(body)
    worn = shortened(body.person_alpha, s, 0.6)
    pattern = TopPattern(drawn_garment())
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, worn))
    sides = [edge.points for edge in pattern.edges if edge.kind is EdgeKind.SIDE]
    k = sides[0][0] if mirrored else sides[1][-1]
    sign = -1.0 if mirrored else 1.0
    hips = np.zeros_like(worn)
    edge = placed[k][0] + sign * wider * s.unit
    top = round(s.neck[1] + 0.6 * s.torso_length)
    xs = sorted((round(float(edge)), round(float(s.pelvis[0]))))
    hips[top:, xs[0] : xs[1] + 1] = 1
    moved = snapped(placed, pattern.edges, read_as(worn, lower=hips), worn, s)
    assert sign * (moved[k][0] - edge) > -0.25 * wider * s.unit


@settings(max_examples=15, deadline=None)
@given(fuller=st.floats(0.02, 0.06), lean=st.floats(8, 40))
def test_a_long_sleeve_covers_a_bare_arm_to_its_inner_edge(fuller: float, lean: float) -> None:
    _, body = drawn_person((480, 420), centre=(240, 120), bends=(lean, lean, lean, lean))
    s = read_skeleton(body)
    nothing = np.zeros_like(body.person_alpha)
    pattern = TopPattern(drawn_garment(Sleeve.LONG))
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, nothing))
    arms = np.zeros_like(nothing)
    inner = next(edge for edge in pattern.edges if edge.kind is EdgeKind.INNER and placed[edge.points[2]][0] > 240)
    tips = [k for k in inner.points if k not in inner.loose]
    inside, outside = np.array([fuller * s.unit, 0]), np.array([0.4 * s.unit, 0])
    outline = np.concatenate([placed[tips] - inside, (placed[tips] + outside)[::-1]])
    cv2.fillPoly(arms, [np.round(outline).astype(np.int32)], 1.0)
    moved = snapped(placed, pattern.edges, read_as(nothing, skin=arms), nothing, s)
    left_over = moved[tips[1:-1], 0] - (placed[tips[1:-1], 0] - fuller * s.unit)
    assert left_over.max() < 0.4 * fuller * s.unit


@pytest.mark.parametrize("flare", [0.2, 0.3, 0.38])
def test_a_wide_short_sleeve_makes_no_fat_arm(flare: float) -> None:
    _, body = drawn_person((480, 420), centre=(240, 120), bends=(20, 20, 20, 20))
    s = read_skeleton(body)
    worn = np.zeros_like(body.person_alpha)
    ends = [tuple(int(v) for v in p) for p in (s.left.shoulder, 0.25 * s.left.shoulder + 0.75 * s.left.elbow)]
    cv2.line(worn, ends[0], ends[1], 1.0, int(2 * flare * s.unit))
    person = np.maximum(body.person_alpha, worn)
    plain = measure_girth(body.person_alpha, s, np.zeros_like(worn)).sleeves[1]
    seen = measure_girth(person, s, worn).sleeves[1]
    hidden = ARM_STATIONS < 0.4
    assert (seen[hidden] <= 1.2 * plain[hidden]).all()


def test_where_the_outlines_part_the_garment_leaves_the_worn_one_in_a_curve() -> None:
    unit = 200.0
    garment, worn = np.zeros((120, 400), np.float32), np.zeros((120, 400), np.float32)
    garment[50:] = 1
    for x in range(400):
        # alike at first, then a V that is deeper than any edge moves
        worn[54 + max(0, 30 - abs(x - 200)) :, x] = 1
    alpha = trimmed({TORSO: piece(garment)}, worn, read_as(worn), replace(read_skeleton(drawn_person()[1]), unit=unit))[
        TORSO
    ].alpha
    edge = 120 - alpha.sum(axis=0)
    assert edge[20:100].mean() == pytest.approx(54, abs=1)
    assert np.abs(np.diff(edge[10:-10])).max() < 0.25


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), strength=st.floats(0.05, 0.6))
def test_points_that_are_pulled_past_each_other_stay_in_order(seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    placed = np.column_stack([np.arange(12) * 10.0, rng.uniform(0, 3, 12)])
    moves = rng.normal(0, 40 * strength, (12, 2))
    edge = Edge(EdgeKind.HEM, tuple(range(12)))
    held = _in_order(placed, moves, (edge,))
    before, left = np.diff(placed, axis=0), np.diff(placed + held, axis=0)
    assert ((left * before).sum(axis=1) > 0).all()
    calm = _in_order(placed, moves * (2 / max(np.abs(moves).max(), 2)), (edge,))
    assert calm == pytest.approx(moves * (2 / max(np.abs(moves).max(), 2)))


@pytest.mark.parametrize("tilt", [-0.05, 0.0, 0.05])
def test_a_hem_follows_a_worn_one_that_waves_as_a_straight_line(tilt: float) -> None:
    _, body = drawn_person((480, 420), centre=(240, 120), unit=100)
    s, garment = read_skeleton(body), drawn_garment()
    pattern = TopPattern(garment)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha)))
    hem = list(pattern.hem)
    x, y = np.arange(480), np.arange(420)[:, None]
    line = placed[hem][:, 1].mean() + 8 + tilt * (x - 240) + 5 * np.sin(x / 9)
    worn = body.person_alpha * np.clip(line - y, 0, 1)
    below = body.person_alpha - worn
    moved = snapped(placed, pattern.edges, read_as(worn, lower=below), worn, s)[hem]
    fit = np.polyfit(moved[:, 0], moved[:, 1] - placed[hem][:, 1], 1)
    assert fit[1] + fit[0] * 240 == pytest.approx(8, abs=3)
    assert fit[0] == pytest.approx(tilt, abs=0.03)
    waves = moved[:, 1] - placed[hem][:, 1] - np.polyval(fit, moved[:, 0])
    assert np.abs(waves[1:-1]).max() < 1


@pytest.mark.parametrize("bend", [70.0, 110.0, 150.0])
@pytest.mark.parametrize("unit", [60.0, 110.0])
def test_no_bare_arm_is_left_beside_a_long_sleeve(bend: float, unit: float) -> None:
    _, body = drawn_person((480, 420), centre=(240, 120), unit=unit, bends=(40, 40, 30, -bend))
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha))
    arm = np.zeros_like(body.person_alpha)
    points = [tuple(int(v) for v in p) for p in (s.right.shoulder, s.right.elbow, s.right.wrist)]
    for start, end in itertools.pairwise(points):
        cv2.line(arm, start, end, 1.0, int(0.26 * unit))
    must = sleeved_arms(arm, np.zeros_like(arm), s, girth, (1.05, 1.05))
    assert must is not None
    # a sleeve too narrow by half, and missing altogether at the elbow
    union = cv2.erode(arm, np.ones((int(0.13 * unit),) * 2, np.uint8))
    cv2.circle(union, points[1], int(0.2 * unit), 0.0, -1)
    covered = np.maximum(union, _missing(union, must))
    stations = [arm_point(s.right, at)[0] for at in np.linspace(0.2, 0.9, 15)]
    for point in stations:
        for off in (-0.1, 0.0, 0.1):
            x, y = (point + np.array([off * unit, 0])).astype(int)
            assert covered[y, x] >= 0.85 * arm[y, x]
    # but no wall
    far = cv2.dilate(arm, np.ones((7, 7), np.uint8)) == 0
    assert covered[far].max() < 0.05


def test_shorter_sleeves_leave_arms_bare() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    alpha = body.person_alpha
    girth = measure_girth(alpha, s, alpha)
    assert sleeved_arms(alpha, alpha, s, girth, (0.4, 0.4)) is None
    # and an arm that a long one covers is not in front of it
    assert bare_arms(alpha, s, girth, (1.05, 1.05)).max() == 0
    assert bare_arms(alpha, s, girth, (0.4, 0.4)).max() > 0.5


def test_hair_that_is_likelier_than_not_stays_wholly_and_no_other_does() -> None:
    hair, face = np.array([[0.1, 0.4, 0.6, 0.1]], np.float32), np.array([[0, 0, 0, 1]], np.float32)
    stays = hair_and_face(hair, face)[0]
    assert stays[0] == 0 < stays[1] < stays[2] == stays[3] == 1
