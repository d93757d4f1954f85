"""When a keyframe is asked for: what ages one, and never too often."""

from __future__ import annotations

import numpy as np
import pytest

from vastra_live.tracking.keyframes import KeyframePolicy, KeyframeSettings, Reason
from vastra_live.types import Body, Carried, Frame

SETTINGS = KeyframeSettings(min_interval_s=0.1, max_age_s=1.0)


def _frame(seconds: float) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), 0, int(seconds * 1e9), "test")


def _body(
    wrist: tuple[float, float] = (60, 200),
    shift: float = 0,
    scale: float = 1,
    visible: float = 1,
    finger: tuple[float, float] = (55, 225),
    height: int = 400,
) -> Body:
    landmarks = np.zeros((33, 3), np.float32)
    landmarks[[11, 12, 23, 24], :2] = [[200, 100], [100, 100], [185, 250], [115, 250]]
    landmarks[[13, 14, 15, 16], :2] = [[230, 160], [70, 160], [240, 200], wrist]
    landmarks[[19, 20], :2] = [[245, 225], finger]
    visibility = np.ones(33, np.float32)
    visibility[16] = visible
    return Body(landmarks * np.float32(scale) + np.float32(shift), visibility, np.zeros((height, 400), np.float32), 0)


def _carried(confidence: float = 1.0, residual: float = 2.0) -> Carried:
    return Carried((0, 0, 1, 1), np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), confidence, residual)


def _taken(body: Body | None = None) -> KeyframePolicy:
    policy = KeyframePolicy(SETTINGS)
    policy.taken(_frame(10), body or _body(), "tee")
    assert policy.due(_frame(10.01), body or _body(), _carried(), "tee") is None
    return policy


def test_the_first_one_is_due_at_once() -> None:
    policy = KeyframePolicy(SETTINGS)
    assert policy.due(_frame(10), None, None, "tee") is Reason.FIRST
    assert policy.due(_frame(10.01), None, None, "tee") is Reason.FIRST


@pytest.mark.parametrize(
    "body, carried, garment, reason",
    [
        (_body(), _carried(), "tee", None),
        (_body(), _carried(), "shirt", Reason.GARMENT),
        (_body(), _carried(confidence=0.8), "tee", Reason.LOST),
        (_body(), _carried(residual=8), "tee", Reason.RESIDUAL),
        (_body(wrist=(100, 140)), _carried(), "tee", Reason.POSE),
        (_body(finger=(85, 195)), _carried(), "tee", Reason.POSE),  # a hand that turns at its wrist
        (_body(scale=1.5), _carried(), "tee", Reason.POSE),
        (_body(shift=40), _carried(), "tee", None),  # walking sideways changes no pose
        (_body(wrist=(100, 140), visible=0.1), _carried(), "tee", None),  # an unseen wrist says nothing
        (None, None, "tee", None),
    ],
)
def test_what_ages_a_keyframe(body: Body | None, carried: Carried, garment: str, reason: Reason | None) -> None:
    assert _taken().due(_frame(10.5), body, carried, garment) is reason


def test_more_of_the_wearer_in_the_picture_asks_for_a_keyframe_and_less_does_not() -> None:
    """Who rises shows cloth below that no keyframe has seen."""
    cut_off, whole = _body(height=230), _body(height=236)
    assert _taken(cut_off).due(_frame(10.5), whole, _carried(), "tee") is Reason.POSE
    assert _taken(whole).due(_frame(10.5), cut_off, _carried(), "tee") is None
    assert _taken(_body(height=330)).due(_frame(10.5), _body(height=390), _carried(), "tee") is None


def test_hands_that_stay_before_the_chest_ask_for_one_keyframe_and_not_for_ever() -> None:
    policy = _taken()
    covered = _carried(confidence=0.6, residual=5)
    assert policy.due(_frame(10.5), _body(), covered, "tee") is Reason.LOST
    policy.taken(_frame(10.5), _body(), "tee")
    assert [policy.due(_frame(10.7 + i / 10), _body(), covered, "tee") for i in range(3)] == [None, None, None]


def test_age_alone_is_enough() -> None:
    assert _taken().due(_frame(11.0), _body(), _carried(), "tee") is Reason.AGE


def test_never_too_often_but_for_another_garment() -> None:
    policy = _taken()
    assert policy.due(_frame(10.05), _body(), _carried(confidence=0), "tee") is None
    assert policy.due(_frame(10.05), _body(), _carried(), "shirt") is Reason.GARMENT


@pytest.mark.parametrize(
    "wrong", [{"min_interval_s": 2.0, "max_age_s": 1.0}, {"min_confidence": 1.5}, {"max_rise": 0.0}]
)
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        KeyframeSettings(**wrong)
