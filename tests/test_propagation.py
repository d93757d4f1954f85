"""The contract of the Propagator: sizes, types, order of calls, and that it follows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vastra_live.tracking.propagation import Propagator
from vastra_live.types import F32, U8


def _scene(shift: int = 0) -> tuple[U8, F32]:
    """A textured torso before a textured wall, moved sideways by ``shift`` pixels, and its mask."""
    rng = np.random.default_rng(5)
    wall = cv2.GaussianBlur(rng.integers(120, 220, (240, 320, 3)).astype(np.uint8), (0, 0), 3)
    cloth = cv2.GaussianBlur(rng.integers(0, 255, (240, 320, 3)).astype(np.float32), (0, 0), 4)
    cloth = ((cloth - cloth.mean()) * 6 + (60, 40, 130)).clip(0, 255).astype(np.uint8)
    mask = np.zeros((240, 320), np.float32)
    cv2.rectangle(mask, (110 + shift, 80), (210 + shift, 239), 1.0, -1)
    moved = np.roll(cloth, shift, axis=1)
    return np.where(mask[..., None] > 0, moved, wall), mask


def test_before_the_first_keyframe_there_is_nothing_to_carry() -> None:
    with pytest.raises(RuntimeError, match="no keyframe"):
        Propagator().advance(np.zeros((48, 64, 3), np.uint8))


def test_the_layer_follows_the_garment() -> None:
    propagator = Propagator()
    frame, mask = _scene()
    layer = np.where(mask[..., None] > 0, 255 - frame, 0).astype(np.uint8)
    propagator.rebase(frame, layer, mask)
    for shift in (2, 4, 6, 8):
        moved, true = _scene(shift)
        bgr, alpha = propagator.advance(moved)
    assert bgr.shape == frame.shape and bgr.dtype == np.uint8
    assert alpha.shape == frame.shape[:2] and alpha.dtype == np.float32
    overlap = (alpha > 0.5) & (true > 0.5)
    assert overlap.sum() / ((alpha > 0.5) | (true > 0.5)).sum() > 0.95
    assert np.abs(bgr[overlap].astype(int) - (255 - moved)[overlap]).mean() < 12
