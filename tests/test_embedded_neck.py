"""The neck above a collar: seen against the wall, and no skin beside it where the worn collar stood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.bare import bare_body
from vastra_live.synthesis.embedded.fill import undress
from vastra_live.synthesis.embedded.fit import Openings
from vastra_live.synthesis.embedded.girth import measure_girth
from vastra_live.synthesis.embedded.neck import beside_neck, seen_sides
from vastra_live.synthesis.embedded.places import BACKGROUND, LOWER, SKIN, TOP
from vastra_live.synthesis.embedded.rim import solve_rim
from vastra_live.synthesis.embedded.scale import halved, halved_skeleton
from vastra_live.synthesis.embedded.skeleton import read_skeleton
from vastra_live.types import F32

UNIT = 160.0
BODY = drawn_person((420, 460), centre=(210, 190), unit=UNIT)[1]
S = read_skeleton(BODY)
HALF, COLLAR = 24.0, 178
"""The neck is so wide to both sides, and seen down to that row."""


def seen(hair: int = 0) -> F32:
    """(5, h, w) classes: a neck that comes out of a collar, before a wall; from hair so wide at its left."""
    share = np.zeros((5, *BODY.person_alpha.shape), np.float32)
    x = round(float(S.neck[0]))
    share[SKIN, :COLLAR, x - round(HALF) : x + round(HALF) + 1] = 1
    share[TOP, COLLAR:, 60:360] = 1
    share[BACKGROUND] = 1 - share.sum(axis=0)
    share[BACKGROUND, :, x + round(HALF) + 1 : x + round(HALF) + 1 + hair] = 0
    return share


@pytest.mark.parametrize("hair", [0, 12])
def test_the_sides_of_a_neck_are_seen_where_the_wall_is_beside_them(hair: int) -> None:
    share = seen(hair)
    right, left = seen_sides(share[SKIN], share[BACKGROUND], S)
    assert np.abs(S.neck[0] - right[:, 0] - HALF).max() < 1.5
    assert right[:, 1].max() == pytest.approx(COLLAR, abs=3)
    assert (np.diff(right[:, 1]) > 0).all()
    if hair:
        assert not len(left)
    else:
        assert np.abs(left[:, 0] - S.neck[0] - HALF).max() < 1.5


def test_a_rim_that_is_read_as_something_else_is_the_necks() -> None:
    """In the shade, or beside a wall of the top's colour; the neck ends where the wall begins."""
    share, rim = seen(), 7
    x = round(float(S.neck[0] + HALF)) + 1
    share[:, :COLLAR, x : x + rim] = 0
    share[TOP, :COLLAR, x : x + rim] = 1
    _, left = seen_sides(share[SKIN], share[BACKGROUND], S)
    assert len(left) > 5
    assert np.abs(left[:, 0] - S.neck[0] - HALF - rim).max() < 2.5


@pytest.mark.parametrize("wide", [30.0, 45.0, 60.0])
@pytest.mark.parametrize("above", [-8.0, 4.0, 20.0])
def test_no_skin_is_made_where_a_collar_stood_beside_the_neck(wide: float, above: float) -> None:
    """The new neckline's ends lie to both sides of it, higher or lower than the worn collar's."""
    share, shape = seen(), BODY.person_alpha.shape
    ends = [S.neck + np.array([sign * wide, COLLAR - above - S.neck[1]]) for sign in (-1, 1)]
    neckline = np.array([ends[0], ends[0] + (12, 25), ends[1] + (-12, 25), ends[1]])
    sides = seen_sides(share[SKIN], share[BACKGROUND], S)
    wall = beside_neck(shape, neckline, S, sides)
    assert float(wall[share[SKIN] > 0.5].mean()) < 0.05
    row, x = COLLAR - 3, S.neck[0]
    assert wall[row, round(x + HALF + 4)] > 0.9
    assert wall[row, round(x - HALF - 4)] > 0.9
    assert float(wall[: COLLAR + round(0.3 * (wide - HALF)), round(x - wide) : round(x + wide)].max()) > 0.9
    # under the new cloth and in its opening skin is made as ever
    assert float(wall[COLLAR + 15 :].max()) < 0.01 or above < 0


def test_where_a_collar_stood_up_beside_the_neck_there_is_wall() -> None:
    """However the outlines of neck and shoulder are rounded where they meet."""
    share, x = seen(), round(float(S.neck[0]))
    for columns in (slice(x - 42, x - 23), slice(x + 24, x + 43)):
        share[:, COLLAR - 12 : COLLAR, columns] = 0
        share[TOP, COLLAR - 12 : COLLAR, columns] = 1
    picture = np.full((*share.shape[1:], 3), 230, np.uint8)
    picture[share[SKIN] > 0.5], picture[share[TOP] > 0.5] = (90, 120, 190), 20
    small, skin, wall = halved_skeleton(S), halved(share[SKIN]), halved(share[BACKGROUND])
    girth = measure_girth(halved(1 - share[BACKGROUND]), small, halved(share[TOP]))
    neckline = small.neck + np.array([(-20.0, -8), (-12, 4), (12, 4), (20, -8)])
    sides = seen_sides(skin, wall, small)
    bare = bare_body(skin.shape, small, girth, (1.05, 1.05), None, Openings(neckline, 0.9), skin, sides=sides)
    nothing = np.zeros_like(share[TOP])
    rim = solve_rim(picture, share[TOP], nothing, S.unit)
    part = np.s_[0 : nothing.shape[0], 0 : nothing.shape[1]]
    behind = np.full((*skin.shape, 3), 230, np.float32)
    shown = {BACKGROUND: wall, SKIN: skin, LOWER: halved(nothing)}
    made = undress(picture, behind, shown, nothing, rim, rim.gone, small, girth, bare, 0.9, part).bgr
    for beside in (slice(x - 42, x - 34), slice(x + 35, x + 43)):
        assert made[COLLAR - 11 : COLLAR - 6, beside].min() > 200
    assert made[COLLAR + 3, x, 2] < 200


def test_of_a_bowed_head_no_neck_is_looked_for() -> None:
    share = seen()
    bowed = replace(S, mouth=S.neck + 0.1 * S.unit * S.down, eyes=S.neck + np.array([3.0, -0.1 * S.unit]))
    assert [len(side) for side in seen_sides(share[SKIN], share[BACKGROUND], bowed)] == [0, 0]


@pytest.mark.parametrize("aside", [-0.06, 0.06, 0.4])
def test_a_neck_leans_to_the_head_but_not_to_the_chin_of_a_turned_one(aside: float) -> None:
    moved = aside * S.unit * S.across
    leaning = replace(S, mouth=S.mouth + moved, eyes=S.eyes + moved)
    girth = measure_girth(BODY.person_alpha, S, np.zeros_like(BODY.person_alpha))
    row = round(float(S.neck[1] - 0.4 * S.unit))
    middles = []
    for s in (S, leaning):
        columns = np.flatnonzero(bare_body(BODY.person_alpha.shape, s, girth, (0.3, 0.3)).torso[row] > 0.5)
        middles.append(columns.mean())
    assert (middles[1] - middles[0]) / S.unit == pytest.approx(np.clip(aside, -0.08, 0.08), abs=0.015)
