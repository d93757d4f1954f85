from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.compositing.presence import Presence, PresenceSettings
from vastra_live.types import Shown

FRAME_NS = 33_000_000


def run(presence: Presence, confidences: list[float | None]) -> list[tuple[float, Shown]]:
    views = [presence.update(i * FRAME_NS, c) for i, c in enumerate(confidences)]
    return [(v.opacity, v.shown) for v in views]


def test_the_first_garment_appears_at_once_when_asked() -> None:
    view = Presence().update(0, 1.0, at_once=True)
    assert (view.opacity, view.shown) == (1.0, Shown.GARMENT)


def test_losing_the_person_fades_to_plain_and_finding_them_fades_back() -> None:
    views = run(Presence(), [0.9] * 20 + [0.0] * 20 + [0.9] * 20)
    assert views[19] == (1.0, Shown.GARMENT)
    assert views[39] == (0.0, Shown.PLAIN)
    assert views[59] == (1.0, Shown.GARMENT)
    assert any(0 < opacity < 1 for opacity, _ in views[20:30])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_opacity_never_jumps(confidences: list[float]) -> None:
    settings = PresenceSettings()
    step = FRAME_NS / 1e6 / min(settings.fade_in_ms, settings.fade_out_ms / settings.hurry)
    views = run(Presence(settings), list(confidences))
    for (before, _), (after, _) in itertools.pairwise(views):
        assert abs(after - before) <= step + 1e-6


@given(st.floats(0.31, 0.44))
def test_between_the_thresholds_nothing_changes(confidence: float) -> None:
    worn = run(Presence(), [1.0] * 20 + [confidence] * 20)
    assert worn[-1] == (1.0, Shown.GARMENT)
    plain = run(Presence(), [0.0] * 5 + [confidence] * 20)
    assert plain[-1] == (0.0, Shown.PLAIN)


def test_hold_repeats_the_last_good_picture_and_never_shows_the_plain_one_after_it() -> None:
    views = run(Presence(PresenceSettings(hold=True)), [None, 1.0, 0.0, None, 1.0])
    assert [shown for _, shown in views] == [Shown.PLAIN, Shown.GARMENT, Shown.HELD, Shown.HELD, Shown.GARMENT]


def test_what_is_found_nowhere_goes_within_three_frames_and_what_sits_well_goes_gently() -> None:
    torn, leaving = Presence(), Presence()
    run(torn, [1.0] * 10)
    run(leaving, [1.0] * 10)
    after = [(10 + i) * FRAME_NS for i in range(8)]
    assert [torn.update(at, 0.0).opacity for at in after[:3]][-1] == 0
    gently = [leaving.update(at, 0.9, gone=True).opacity for at in after]
    assert gently[2] > 0.5
    assert gently[-1] == 0


def test_in_doubt_what_is_worn_stays_and_what_has_gone_stays_away() -> None:
    presence = Presence()
    run(presence, [1.0] * 10)
    assert presence.update(10 * FRAME_NS, 0.9, doubtful=True).opacity == 1
    for i in range(11, 30):
        presence.update(i * FRAME_NS, 0.1)
    assert presence.update(30 * FRAME_NS, 0.9, doubtful=True).shown is Shown.PLAIN
    assert presence.update(31 * FRAME_NS, 0.9).shown is Shown.GARMENT


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="leave_below"):
        PresenceSettings(leave_below=0.5, return_above=0.4)
