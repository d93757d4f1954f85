"""The garment's outline beside the worn one's: it takes its place, not its raggedness, its flare or its neck."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_garment, drawn_person
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import ARM_STATIONS, measure_girth
from vastra_live.synthesis.embedded.mesh import LEFT_SLEEVE, TORSO, Painted
from vastra_live.synthesis.embedded.outline import along_outline
from vastra_live.synthesis.embedded.reading import BACKGROUND, SKIN, TOP, Reading
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton
from vastra_live.synthesis.embedded.snap import (
    EdgeKind,
    _cut_alike,
    _last_inside,
    _normals,
    _spread,
    _together,
    snapped,
)
from vastra_live.synthesis.embedded.trim import trimmed
from vastra_live.types import F32, Sleeve

UNIT = 200.0
S = replace(read_skeleton(drawn_person()[1]), unit=UNIT)


def read_as(worn: F32, skin: F32 | None = None) -> Reading:
    """A reading of a worn top on skin; the rest is background."""
    share = np.zeros((5, *worn.shape), np.float32)
    share[TOP] = worn
    share[SKIN] = 0 if skin is None else skin * (1 - worn)
    share[BACKGROUND] = 1 - share.sum(axis=0)
    return Reading(share, np.zeros_like(worn))


def edge_of(alpha: F32) -> np.ndarray:
    """The row of each column where the alpha rises through one half, to the fraction of a pixel."""
    return np.asarray(alpha.shape[0] - alpha.sum(axis=0))


@pytest.mark.parametrize("apart", [-4, 0, 4])
def test_a_straight_edge_beside_a_ragged_one_moves_there_and_stays_straight(apart: int) -> None:
    garment = np.zeros((120, 400), np.float32)
    garment[50:] = 1
    columns = np.arange(400)
    worn = np.zeros_like(garment)
    for x, y in zip(columns, 50 - apart + 2 * ((columns // 6) % 2), strict=True):
        worn[y:, x] = 1
    piece = Painted((0, 0, 400, 120), np.zeros((120, 400, 3), np.uint8), garment, np.ones_like(garment))
    edge = edge_of(trimmed({TORSO: piece}, worn, read_as(worn), S)[TORSO].alpha)[40:-40]
    assert edge.mean() == pytest.approx(51 - apart, abs=1.0)
    assert np.ptp(edge) < 1.0


def test_an_edge_far_from_the_worn_one_keeps_its_place() -> None:
    garment, worn = np.zeros((160, 400), np.float32), np.zeros((160, 400), np.float32)
    garment[40:], worn[90:] = 1, 1
    piece = Painted((0, 0, 400, 160), np.zeros((160, 400, 3), np.uint8), garment)
    assert trimmed({TORSO: piece}, worn, read_as(worn), S)[TORSO].alpha == pytest.approx(garment)


@pytest.mark.parametrize("bare", [True, False])
def test_no_short_sleeve_comes_out_past_a_bare_forearm_that_is_folded_back(bare: bool) -> None:
    _, body = drawn_person(bends=(70, 235, 5, 5))
    s = read_skeleton(body)
    forearm = np.zeros_like(body.person_alpha)
    ends = [tuple(int(v) for v in point) for point in (s.left.elbow, s.left.wrist)]
    cv2.line(forearm, ends[0], ends[1], 1, int(0.24 * s.unit))
    worn, all_over = np.zeros_like(forearm), np.zeros_like(forearm)
    all_over[8:-8, 8:-8] = 1
    piece = Painted((0, 0, 320, 360), np.zeros((360, 320, 3), np.uint8), all_over)
    reading = read_as(worn if bare else forearm, forearm)
    alpha = trimmed({LEFT_SLEEVE: piece}, worn, reading, s)[LEFT_SLEEVE].alpha
    along = (s.left.wrist - s.left.elbow) / np.linalg.norm(s.left.wrist - s.left.elbow)
    middle, outwards = (s.left.elbow + s.left.wrist) / 2, np.array([-along[1], along[0]])
    (out_x, out_y), (in_x, in_y) = (np.round(middle + k * 0.2 * s.unit * outwards).astype(int) for k in (1, -1))
    assert alpha[out_y, out_x] == (0 if bare else 1)
    assert alpha[in_y, in_x] == 1


def on_person(worn: F32, body_alpha: F32, s: Skeleton, sleeve: Sleeve) -> tuple[TopPattern, np.ndarray, np.ndarray]:
    """A drawn garment's points before and after they looked for the worn top's edges."""
    pattern = TopPattern(drawn_garment(sleeve))
    placed = pattern.targets(s, measure_girth(body_alpha, s, worn))
    return pattern, placed, snapped(placed, pattern.edges, read_as(worn, body_alpha), worn, s)


@pytest.mark.parametrize("sleeve", [Sleeve.SHORT, Sleeve.LONG])
def test_no_sleeve_flares_with_a_worn_short_one(sleeve: Sleeve) -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    worn = np.zeros_like(body.person_alpha)
    u = s.unit
    shoulder, arm = s.left.shoulder - s.neck, 0.5 * (s.left.shoulder + s.left.elbow) - s.neck
    half = np.array([shoulder + np.array([0.15 * u, -0.1 * u]), arm + np.array([0.42 * u, 0]), (0.35 * u, 1.4 * u)])
    outline = s.neck + np.concatenate([half, half[::-1] * (-1, 1)])
    cv2.fillPoly(worn, [np.round(outline).astype(np.int32)], 1.0)
    person = np.maximum(body.person_alpha, worn)
    pattern, _, moved = on_person(worn, person, s, sleeve)
    for edge in pattern.edges:
        if edge.kind is EdgeKind.OUTLINE:
            sleeves = moved[[k for k in edge.points if k in edge.sleeve]]
            beyond = np.abs(sleeves[:, 0] - s.neck[0]).max() - abs(s.left.elbow[0] - s.neck[0])
            assert beyond < 0.28 * s.unit


def test_a_flared_sleeve_moves_no_arm() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    worn = np.zeros_like(body.person_alpha)
    worn[: int(s.left.shoulder[1] + 0.5 * (s.left.elbow[1] - s.left.shoulder[1]))] = 1
    person = body.person_alpha.copy()
    x = int(s.left.shoulder[0])
    person[int(s.left.shoulder[1]) : int(worn.sum(axis=0)[0]), x : x + int(0.38 * s.unit)] = 1
    centres = measure_girth(person, s, worn).centres[1]
    assert centres[ARM_STATIONS < 0.4].max() <= np.median(centres[ARM_STATIONS > 0.5]) + 0.03


def test_a_round_neck_becomes_no_v() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    pattern, placed, _ = on_person(body.person_alpha, body.person_alpha, s, Sleeve.SHORT)
    neck = list(pattern.edges[0].points)
    worn = body.person_alpha.copy()
    lowest = placed[neck[len(neck) // 2]] + 0.12 * s.unit * s.down
    corners = [placed[neck[0]] - 0.3 * s.unit * s.down, lowest, placed[neck[-1]] - 0.3 * s.unit * s.down]
    cv2.fillPoly(worn, [np.round(np.array(corners)).astype(np.int32)], 0.0)
    _, _, moved = on_person(worn, body.person_alpha, s, Sleeve.SHORT)
    shift = moved[neck[1:-1]] - placed[neck[1:-1]]
    assert np.ptp(shift @ s.down) < 0.05 * s.unit


def plainly_last_inside(profile: np.ndarray, along: np.ndarray) -> float:
    """What :func:`_last_inside` finds, step by step."""
    inside = profile >= 0.5
    falls = [
        i for i in range(len(profile) - 1) if inside[max(0, i - 2) : i + 1].all() and not inside[i + 1 : i + 4].any()
    ]
    if not falls:
        return float("nan")
    i = min(falls, key=lambda i: abs(along[i]))
    return float(along[i] + (profile[i] - 0.5) / (profile[i] - profile[i + 1]) * (along[i + 1] - along[i]))


def test_profiles_fall_where_they_fall_one_by_one() -> None:
    rng = np.random.default_rng(5)
    along = np.linspace(-20, 20, 41)
    profiles = cv2.blur(rng.uniform(0, 1, (60, 41)).astype(np.float32), (7, 1))
    profiles[0], profiles[1] = 1, 0
    found, _ = _last_inside(profiles, along)
    plain = [plainly_last_inside(profile, along) for profile in profiles]
    assert np.isfinite(plain).sum() > 20
    assert found == pytest.approx(plain, abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("count", [2, 3, 13])
def test_offsets_spread_as_the_dense_equations_say(count: int) -> None:
    rng = np.random.default_rng(count)
    offsets, trust = rng.normal(size=count), rng.uniform(0, 1, count)
    step = np.diff(np.eye(count), axis=0)
    dense = np.diag(trust) + 0.12 * step.T @ step + 0.02 * np.eye(count)
    assert _spread(offsets, trust) == pytest.approx(np.linalg.solve(dense, trust * offsets))


@pytest.mark.parametrize(("beside", "moves"), [(SKIN, False), (BACKGROUND, True)])
def test_a_hand_before_the_chest_is_no_gap_beside_a_sleeve(beside: int, moves: bool) -> None:
    """The same hole in the worn top beside a sleeve's inner edge, once a hand and once the wall."""
    _, body = drawn_person()
    s = read_skeleton(body)
    pattern = TopPattern(drawn_garment(Sleeve.LONG))
    worn = np.ones_like(body.person_alpha)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, worn))
    edge = next(edge for edge in pattern.edges if edge.kind is EdgeKind.INNER)
    point = placed[edge.points[len(edge.points) // 2]]
    worn[:, int(point[0] - 0.3 * s.unit) : int(point[0] + 0.3 * s.unit)] = 0
    worn[:, int(point[0] - 0.05 * s.unit) : int(point[0] + 0.05 * s.unit)] = 1
    reading = read_as(worn)
    reading.share[BACKGROUND] = 0
    reading.share[beside] = 1 - worn
    moved = snapped(placed, pattern.edges, reading, worn, s)
    off = np.linalg.norm((moved - placed)[list(edge.points[1:-1])], axis=1).max() / s.unit
    assert off > 0.05 if moves else off < 0.03, off


def test_edges_side_by_side_move_their_common_point_no_farther_than_they_move() -> None:
    """Where an armpit's two edges run against each other, their lines cross far away."""
    normals = np.array([[1.0, 0.05], [-1.0, 0.05]]) / np.hypot(1.0, 0.05)
    move = _together([(normals[0], 6.0), (normals[1], 5.0)])
    assert np.linalg.norm(move) <= 6.0 * np.sqrt(2) + 1e-6
    np.testing.assert_allclose(_together([(np.array([1.0, 0]), 6.0), (np.array([0, 1.0]), 5.0)]), (6, 5), atol=0.2)


@pytest.mark.parametrize("deeper", [0.0, 0.15, 0.22])
def test_a_corner_of_the_hem_goes_where_the_hem_goes(deeper: float) -> None:
    """What is read as the top below one corner of the worn hem, a shade or a pocket, pulls no tip down there."""
    _, body = drawn_person(bends=(60, 60, 60, 60))
    s = read_skeleton(body)
    pattern = TopPattern(drawn_garment())
    nothing = np.zeros_like(body.person_alpha)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, nothing))
    hem = next(edge for edge in pattern.edges if edge.kind is EdgeKind.HEM)
    corner = placed[hem.points[0]]
    worn = np.ones_like(nothing)
    row = int(placed[list(hem.points), 1].mean() + 0.05 * s.unit)
    worn[row:] = 0
    worn[row : row + int(deeper * s.unit), int(corner[0] - 0.08 * s.unit) :] = 1
    moved = snapped(placed, pattern.edges, read_as(worn), worn, s)
    assert abs(float(moved[hem.points[0], 1] - moved[hem.points[2], 1])) < 0.06 * s.unit


@pytest.mark.parametrize("lower", [0.05, 0.08])
@pytest.mark.parametrize("higher", [0.05, 0.1])
def test_a_neckline_stands_up_on_no_shoulder(lower: float, higher: float) -> None:
    """Where the worn shoulders lie lower than was thought and the worn neckline higher, no collar makes horns."""
    _, body = drawn_person()
    s = read_skeleton(body)
    pattern = TopPattern(drawn_garment())
    neck = list(pattern.edges[0].points)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, body.person_alpha))
    shoulder = float(placed[neck[0], 1]) + lower * s.unit
    front = float(placed[neck[3], 1]) - higher * s.unit
    worn, skin = np.zeros_like(body.person_alpha), np.zeros_like(body.person_alpha)
    worn[round(shoulder) :] = 1
    x, half = s.neck[0], abs(float(placed[neck[0], 0] - s.neck[0])) - 0.06 * s.unit
    throat = np.array([(x - half, 0), (x - half, front - 4), (x, front), (x + half, front - 4), (x + half, 0)])
    cv2.fillPoly(worn, [np.round(throat).astype(np.int32)], 0.0)
    cv2.fillPoly(skin, [np.round(throat).astype(np.int32)], 1.0)
    moved = snapped(placed, pattern.edges, read_as(worn, skin), worn, s)[neck]
    assert np.abs(moved[[0, -1], 1] - shoulder).max() < 0.05 * s.unit
    line = np.linspace(moved[0], moved[-1], len(neck))[:, 1]
    assert (moved[1:-1, 1] > line[1:-1]).all()


@pytest.mark.parametrize(("wider", "follows"), [(0.04, True), (0.11, False)])
def test_a_neckline_follows_one_that_lies_as_it_does_and_no_wider_one(wider: float, follows: bool) -> None:
    """A crew neck over a scoop is a crew neck."""
    _, body = drawn_person()
    s = read_skeleton(body)
    pattern = TopPattern(drawn_garment())
    neck = list(pattern.neckline)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, body.person_alpha))
    worn_line = placed[neck] - wider * s.unit * _normals(placed[neck])
    throat = np.array([worn_line[0] - (0, 60), *worn_line, worn_line[-1] - (0, 60)])
    worn, skin = np.ones_like(body.person_alpha), np.zeros_like(body.person_alpha)
    for plane, value in ((worn, 0.0), (skin, 1.0)):
        cv2.fillPoly(plane, [np.round(throat * 16).astype(np.int32)], value, cv2.LINE_AA, shift=4)
    moved = snapped(placed, pattern.edges, read_as(worn, skin), worn, s)[neck]
    went = float(((moved - placed[neck]) @ s.down)[2:-2].mean()) / s.unit
    assert went > 0.5 * wider if follows else abs(went) < 0.01


def test_what_is_found_at_one_end_of_a_neckline_widens_not_the_other() -> None:
    """A worn neckline that slipped to a side is near on that side alone."""
    angles = np.linspace(0.1, np.pi - 0.1, 7)
    normals = np.column_stack([np.cos(angles), -np.sin(angles)])
    offsets, trust = np.array([-2.0, 5, 4, -6, -15, -22, 0]), np.array([0.8, 0.8, 0.8, 0.8, 0.1, 0, 0])
    cut, _ = _cut_alike(offsets, trust, normals, 160.0)
    assert np.abs(cut[-2:]).max() < 0.15 * 160
    # one that is seen all along is followed
    wider = np.full(7, -6.0)
    assert _cut_alike(wider, np.ones(7), normals, 160.0)[0] == pytest.approx(wider, abs=0.5)


def test_a_neckline_below_a_standing_collar_is_no_part_of_the_outline() -> None:
    """The front of the neck lies in the cloth, below the collar: its line does not run over the collar's top."""
    corners = np.array(
        [(0, 60), (80, 60), (100, 40), (100, 28), (140, 28), (140, 40), (160, 60), (240, 60), (240, 300), (0, 300)]
    )
    outline = np.concatenate(
        [np.linspace(a, b, 40, endpoint=False) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    )
    start, below = np.array([100.0, 40.0]), np.array([120.0, 300.0])
    shares = np.array([0.5, 1.0])
    inner = along_outline(outline, start, np.array([120.0, 40.0]), below, shares)
    np.testing.assert_allclose(inner, [(110, 40), (120, 40)])
