"""A hand on an arm whose elbow is out of the picture: believed when it changed the picture or looks like the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vastra_live.tracking.arrivals import Arrivals
from vastra_live.types import U8, Body

HEIGHT, WIDTH = 240, 320
SKIN, GLOVE = (130, 160, 215), (60, 60, 40)
WRIST, INDEX = (50, 150), (56, 100)


def _picture(hand: tuple[int, int, int] | None = None) -> U8:
    rng = np.random.default_rng(4)
    bgr = cv2.GaussianBlur(rng.integers(60, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 4)
    cv2.ellipse(bgr, (160, 80), (34, 46), 0, 0, 360, SKIN, -1)
    cv2.rectangle(bgr, (90, 150), (230, HEIGHT), (120, 90, 40), -1)
    if hand is not None:
        cv2.line(bgr, WRIST, INDEX, hand, 24)
    return bgr


def _body(*, folded: bool, elbow: tuple[int, int] = (-20, 260)) -> Body:
    points = np.zeros((33, 3), np.float32)
    points[[0, 2, 5, 9, 10], :2] = [[160, 84], [172, 70], [148, 70], [170, 104], [150, 104]]
    points[[11, 12, 23, 24], :2] = [[225, 160], [95, 160], [205, 360], [115, 360]]
    points[[13, 15, 17, 19], :2] = [[250, 280], [255, 400], [252, 420], [258, 424]]
    points[14, :2] = elbow
    points[[16, 18, 20], :2] = [WRIST, (44, 104), INDEX] if folded else [[60, 400], [62, 420], [66, 424]]
    return Body(points, np.full(33, 0.9, np.float32), np.zeros((HEIGHT, WIDTH), np.float32), 0)


def _seen(body: Body) -> bool:
    hand = body.visibility[[16, 18, 20]] > 0
    assert hand.all() or not hand.any()
    assert (body.visibility[[11, 12, 13, 14, 15]] > 0).all()
    return bool(hand.all())


@pytest.mark.parametrize(("hand", "seen"), [(None, False), (SKIN, True), (GLOVE, True)])
def test_a_hand_that_comes_without_changing_the_picture_is_not_there(
    hand: tuple[int, int, int] | None, seen: bool
) -> None:
    arrivals = Arrivals()
    assert _seen(arrivals.judged(_picture(), _body(folded=False)))
    for _ in range(3):
        assert _seen(arrivals.judged(_picture(hand), _body(folded=True))) is seen


def test_a_hand_that_was_hidden_is_told_by_the_colour_of_the_face() -> None:
    arrivals = Arrivals()
    arrivals.judged(_picture(SKIN), _body(folded=False))
    assert _seen(arrivals.judged(_picture(SKIN), _body(folded=True)))


def test_an_elbow_in_the_picture_is_evidence_enough_and_so_is_a_first_look() -> None:
    arrivals = Arrivals()
    assert _seen(arrivals.judged(_picture(), _body(folded=True)))
    arrivals.reset()
    arrivals.judged(_picture(), _body(folded=False))
    assert _seen(arrivals.judged(_picture(), _body(folded=True, elbow=(30, 200))))
    # and its hand stays believed when it leaves the picture
    assert _seen(arrivals.judged(_picture(), _body(folded=True)))
