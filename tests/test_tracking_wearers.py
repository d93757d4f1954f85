"""Who may be somebody else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.tracking.wearers import Wearers, WearerSettings
from vastra_live.types import F32

SECOND = 1_000_000_000


def standing(x: float) -> F32:
    points = np.zeros((33, 3), np.float32)
    points[:, 0] = x
    return points


@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=30))
def test_who_walks_about_stays_the_same(steps: list[float]) -> None:
    """Up to 3 body sizes a second at 15 looks a second."""
    wearers = Wearers()
    places = np.cumsum(steps) * 100
    assert {wearers.number(standing(x), 100, i * SECOND // 15) for i, x in enumerate(places)} == {0}


def test_a_look_that_misses_does_not_make_another_person() -> None:
    wearers = Wearers()
    wearers.number(standing(0), 100, 0)
    wearers.missed(SECOND // 5)
    assert wearers.number(standing(10), 100, 2 * SECOND // 5) == 0


def test_who_was_away_may_be_another_and_so_may_the_next() -> None:
    wearers = Wearers()
    wearers.number(standing(0), 100, 0)
    for n in (1, 2):
        wearers.missed(2 * n * SECOND)
        assert wearers.number(standing(0), 100, (2 * n + 1) * SECOND) == n
    assert wearers.number(standing(0), 100, 5 * SECOND + 1) == 2


def test_a_pause_in_which_nobody_looked_says_nothing() -> None:
    wearers = Wearers()
    wearers.number(standing(0), 100, 0)
    assert wearers.number(standing(0), 100, 8 * SECOND) == 0


def test_who_is_suddenly_elsewhere_or_twice_as_large_is_another() -> None:
    wearers = Wearers()
    wearers.number(standing(0), 100, 0)
    assert wearers.number(standing(60), 100, SECOND // 15) == 1
    assert wearers.number(standing(60), 200, 2 * SECOND // 15) == 2


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="WearerSettings"):
        WearerSettings(growth=0.5)
