"""A garment rests with its wearer, and is as long in one keyframe as in the next."""

from __future__ import annotations

import numpy as np
import pytest

from tests.embedded_people import drawn_garment
from vastra_live.synthesis.embedded.rest import Rest
from vastra_live.types import Frame, Garment

UNIT, DOWN, NECK, HEM = 100.0, np.array([0.0, 1.0]), (0,), (1, 2)


def frame(ms: int) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), 0, ms * 1_000_000, "test")


def worn(rest: Rest, longer: float, garment: Garment) -> float:
    """How much longer than it is cut a garment is worn whose hem was found so much lower, in pixels."""
    placed = np.array([[0.0, 0.0], [-20.0, 150.0], [20.0, 150.0]])
    targets = placed + np.array([[3.0, 4.0], [1.0, longer], [-1.0, longer]])
    steady = rest.of_one_cut(targets, placed, (NECK, HEM), garment, DOWN, UNIT)
    assert steady[0] == pytest.approx(targets[0])  # the same every time
    assert steady[1:, 0] == pytest.approx(targets[1:, 0])
    return float((steady - placed)[1:, 1].mean())


def test_a_hem_seen_elsewhere_in_one_keyframe_takes_the_garment_along_by_little() -> None:
    rest, garment = Rest(), drawn_garment()
    assert worn(rest, 0.0, garment) == pytest.approx(0.0)
    assert 0 < worn(rest, 24.0, garment) < 5
    assert 0 < worn(rest, 0.0, garment) < 5
    for _ in range(30):
        last = worn(rest, 24.0, garment)
    assert last == pytest.approx(24.0, abs=1)


def test_another_garment_has_its_own_length_at_once() -> None:
    rest = Rest()
    worn(rest, 0.0, drawn_garment())
    assert worn(rest, 24.0, drawn_garment()) == pytest.approx(24.0)


def test_who_hardly_moves_wears_a_garment_that_moves_less() -> None:
    rest, garment = Rest(), drawn_garment()
    targets = np.array([[0.0, 0.0], [50.0, 50.0]])
    rest.steadied(targets, frame(0), garment, UNIT)
    trembling = rest.steadied(targets + 1, frame(100), garment, UNIT)
    assert np.abs(trembling - targets).max() < 0.5
    walked = rest.steadied(targets + 20, frame(200), garment, UNIT)
    assert walked == pytest.approx(targets + 20)
