"""A lamp that is switched, or a camera that exposes anew, changes nothing of where the garment is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.propagation_scene import HEIGHT, WIDTH, recoloured
from vastra_live.tracking.exposure import steady
from vastra_live.tracking.propagation import Propagator
from vastra_live.types import F32, U8

MASK = np.zeros((HEIGHT, WIDTH), np.float32)
MASK[80:230, 110:210] = 1


def _plain(exposure: float, hand: int = 0) -> U8:
    """A plain pale shirt before a wall; a hand of some size may be in front of it."""
    frame = np.full((HEIGHT, WIDTH, 3), (120, 140, 120), np.float32)
    frame[MASK > 0] = (190, 185, 180)
    if hand:
        cv2.circle(frame, (160, 150), hand, (90, 110, 160), -1)
    return np.clip(cv2.GaussianBlur(frame, (0, 0), 1.5) * exposure, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("exposure", [0.6, 0.8, 1.25])
def test_the_garment_stays_when_the_exposure_changes(exposure: float) -> None:
    propagator = Propagator()
    frame = _plain(1.0)
    propagator.rebase(frame, recoloured(frame, MASK), MASK)
    propagator.carry(frame)
    carried = propagator.carry(_plain(exposure))
    assert carried.confidence > 0.9
    alpha: F32 = np.zeros((HEIGHT, WIDTH), np.float32)
    x0, y0, x1, y1 = carried.box
    alpha[y0:y1, x0:x1] = carried.alpha / np.float32(255)
    assert np.abs(alpha - MASK)[85:225, 115:205].max() < 0.1


@pytest.mark.parametrize("size", [25, 80])
def test_a_hand_is_no_change_of_exposure(size: int) -> None:
    frame, hand = (cv2.cvtColor(_plain(1.0, shown), cv2.COLOR_BGR2YCrCb) for shown in (0, size))
    live = cv2.merge((*cv2.split(hand), hand[..., 0]))
    nothing = np.zeros((HEIGHT, WIDTH), np.float32)
    steady(live, hand[..., 0].astype(np.float32), nothing, np.ascontiguousarray(frame[..., 0]), MASK)
    assert np.array_equal(live[..., :3], hand)
