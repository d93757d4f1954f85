"""A sleeve on an arm: its outline from the shoulder down to the cuff."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_garment, drawn_person
from vastra_live.synthesis.embedded.fit import TopPattern
from vastra_live.synthesis.embedded.girth import ARM_STATIONS, arm_point, measure_girth
from vastra_live.synthesis.embedded.mesh import LEFT_SLEEVE, ElasticSheet
from vastra_live.synthesis.embedded.skeleton import read_skeleton
from vastra_live.synthesis.embedded.snap import EdgeKind
from vastra_live.types import Garment, Sleeve


def spread_out(reach: float) -> Garment:
    """A top whose short sleeves lie out to the sides in its photo, ``reach`` pixels long."""
    drawn = drawn_garment()
    marks = dict(drawn.landmarks_px)
    bgr = cv2.copyMakeBorder(drawn.bgr, 0, 0, 100, 100, cv2.BORDER_REPLICATE)
    mask = cv2.copyMakeBorder(drawn_garment(Sleeve.NONE).alpha, 0, 0, 100, 100, cv2.BORDER_CONSTANT)
    marks = {name: (x + 100, y) for name, (x, y) in drawn.landmarks_px.items()}
    for side, sign in (("left", 1), ("right", -1)):
        (x, y), armpit = marks[f"shoulder_{side}"], marks[f"armpit_{side}"]
        marks[f"cuff_outer_{side}"] = (x + sign * 0.8 * reach, y + 0.6 * reach)
        marks[f"cuff_inner_{side}"] = (x + sign * 0.4 * reach, armpit[1] + 0.3 * reach)
        corners = [marks[f"{name}_{side}"] for name in ("shoulder", "cuff_outer", "cuff_inner", "armpit")]
        cv2.fillPoly(mask, [np.array(corners).astype(np.int32)], 1.0)
    return Garment("spread", drawn.category, Sleeve.SHORT, bgr, mask, marks)


def outer_edge(pattern: TopPattern) -> list[int]:
    """The numbers of the left sleeve's outer points, from the shoulder to the cuff."""
    edge = [edge for edge in pattern.edges if edge.kind is EdgeKind.OUTLINE][1]
    return [k for k in edge.points if k in edge.sleeve]


@pytest.mark.parametrize("reach", [60.0, 65.0, 100.0])
@pytest.mark.parametrize("bend", [2.0, 8.0])
def test_a_sleeve_spread_out_in_its_photo_stands_off_no_arm_where_it_turns_down(reach: float, bend: float) -> None:
    garment = spread_out(reach)
    pattern = TopPattern(garment)
    sheet = ElasticSheet(garment, pattern.handles, pattern.parts)
    _, body = drawn_person((640, 640), centre=(320, 200), unit=200, bends=(bend,) * 4)
    s = read_skeleton(body)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha)))
    piece = sheet.paint(sheet.shape(placed), LEFT_SLEEVE, (640, 640))
    assert piece is not None
    edge = placed[outer_edge(pattern)]
    rows = np.arange(int(edge[0, 1]), int(edge[-1, 1]) - 8)
    shown = piece.alpha[rows - piece.box[1]] > 0.5
    last = piece.box[0] + shown.shape[1] - shown[:, ::-1].argmax(axis=1)
    beyond = (last - np.interp(rows, edge[:, 1], edge[:, 0])) / s.unit
    assert beyond.max() < 0.0145


@pytest.mark.parametrize("lean", [0.0, 0.03, 0.06])
def test_a_short_sleeve_falls_straight_down_from_the_shoulder(lean: float) -> None:
    """However an arm tapers, or the bones found in it lie: a sleeve that turned in above its cuff would be a puff."""
    pattern = TopPattern(spread_out(90.0))
    _, body = drawn_person(bends=(0, 0, 0, 0))
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha))
    girth = replace(girth, centres=np.tile(-lean * (ARM_STATIONS > 0.3), (2, 1)))
    off = pattern.targets(s, girth)[outer_edge(pattern)][:, 0]
    assert np.diff(off[1:]).min() > -0.005 * s.unit


@pytest.mark.parametrize("bent", [0.0, 0.05, 0.08])
def test_below_a_wide_sleeve_the_arm_is_where_it_comes_out(bent: float) -> None:
    """A bone that is found beside its arm at the elbow, and well at the wrist, says nothing about the shoulder."""
    _, body = drawn_person()
    s = read_skeleton(body)
    points = body.landmarks_px.copy()
    points[13, 0] += bent * s.unit
    worn, person = np.zeros_like(body.person_alpha), body.person_alpha.copy()
    end = int(arm_point(s.left, 0.33)[0][1])
    worn[:end] = 1
    x = int(s.left.shoulder[0])
    person[int(s.left.shoulder[1]) : end, x : x + int(0.38 * s.unit)] = 1
    centres = measure_girth(person, read_skeleton(replace(body, landmarks_px=points)), worn).centres[1]
    assert centres[0] < centres[1] + 0.03


@pytest.mark.parametrize("moved", [-0.1, 0.0, 0.1])
@pytest.mark.parametrize("bend", [0.0, 60.0, 150.0])
def test_skin_begins_where_the_cuff_was_put(moved: float, bend: float) -> None:
    """A cuff that was moved to the worn one's edge leaves more of the arm bare, or less; however it is bent."""
    pattern = TopPattern(drawn_garment())
    _, body = drawn_person(bends=(10, 10 + bend, 10, 10 + bend))
    s = read_skeleton(body)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha)))
    before = pattern.openings(placed, s).sleeves
    cuff = next(edge for edge in pattern.edges if edge.kind is EdgeKind.CUFF and edge.points[0] > 35).points
    placed[list(cuff)] += moved / 0.54 * (s.left.elbow - s.left.shoulder)
    after = pattern.openings(placed, s).sleeves
    assert after[0] == before[0]
    assert after[1] == pytest.approx(before[1] + moved, abs=0.01)


def test_long_sleeves_end_at_the_hands_wherever_their_cuffs_were_put() -> None:
    pattern = TopPattern(drawn_garment(Sleeve.LONG))
    s = read_skeleton(drawn_person()[1])
    assert min(pattern.openings(np.zeros_like(pattern.handles), s).sleeves) > 1


@pytest.mark.parametrize("reach", [45.0, 60.0])
def test_the_lower_seam_of_a_short_sleeve_ends_below_the_armpit(reach: float) -> None:
    """Were the cuff square to the arm, one that was laid straight out would fold between armpit and cuff."""
    pattern = TopPattern(spread_out(reach))
    _, body = drawn_person(bends=(2, 2, 2, 2))
    s = read_skeleton(body)
    placed = pattern.targets(s, measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha)))
    seam = [edge for edge in pattern.edges if edge.kind is EdgeKind.INNER][1]
    down = placed[list(seam.points)] @ s.down
    armpit = [k for k, point in enumerate(seam.points) if point in seam.loose]
    assert len(armpit) == 1
    cuff = [edge for edge in pattern.edges if edge.kind is EdgeKind.CUFF][1]
    inner = next(point for point in cuff.points if point in seam.points)
    assert placed[inner] @ s.down > down[armpit[0]] + 0.02 * s.unit
