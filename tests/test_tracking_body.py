"""The person in real frames, and nobody in empty ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from vastra_live.tracking.base import BodyTracker
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import U8, Body, Frame

LEFT_SHOULDER, RIGHT_SHOULDER = 11, 12


def _frames(shared: Path, clip: str, count: int) -> list[U8]:
    capture = cv2.VideoCapture(str(shared / "clips" / clip))
    frames = [capture.read()[1] for _ in range(count)]
    capture.release()
    return frames


def _frame(bgr: U8, index: int = 0) -> Frame:
    return Frame(bgr, index, 1_000_000_000 + index * 33_333_333, "test")


@pytest.fixture(scope="module")
def tracker() -> Iterator[BlazePoseTracker]:
    opened = BlazePoseTracker(static=True)
    yield opened
    opened.close()


def test_finds_the_person_at_the_frames_own_size(shared: Path, tracker: BlazePoseTracker) -> None:
    small = _frames(shared, "please.mkv", 1)[0]
    large = cv2.resize(small, None, fx=3, fy=3)
    near, far = tracker.track(_frame(small)), tracker.track(_frame(large, 7))
    assert isinstance(near, Body) and isinstance(far, Body)
    assert isinstance(tracker, BodyTracker)
    assert near.person_alpha.shape == small.shape[:2]
    assert far.person_alpha.shape == large.shape[:2]
    assert far.frame_index == 7
    # unmirrored: the wearer's left shoulder is on the right of the picture
    assert near.landmarks_px[LEFT_SHOULDER, 0] > near.landmarks_px[RIGHT_SHOULDER, 0]
    # the same person three times as large, z included
    np.testing.assert_allclose(far.landmarks_px[:13] / 3, near.landmarks_px[:13], atol=12)
    chest = near.landmarks_px[[LEFT_SHOULDER, RIGHT_SHOULDER], :2].mean(axis=0).astype(int)
    assert near.person_alpha[chest[1] + 20, chest[0]] > 0.9
    assert near.person_alpha[5, 5] < 0.1


def test_nobody_is_none(tracker: BlazePoseTracker) -> None:
    assert tracker.track(_frame(np.full((240, 320, 3), 90, np.uint8))) is None


def test_noise_that_hides_everybody_from_blazepose_does_not(shared: Path, tracker: BlazePoseTracker) -> None:
    picture = _frames(shared, "please.mkv", 1)[0]
    noisy = np.clip(picture + np.random.default_rng(3).normal(0, 35, picture.shape), 0, 255).astype(np.uint8)
    body, quiet = tracker.track(_frame(noisy)), tracker.track(_frame(picture))
    assert body is not None and quiet is not None
    np.testing.assert_allclose(body.landmarks_px[:13, :2], quiet.landmarks_px[:13, :2], atol=25)
    live = BlazePoseTracker()
    found = [live.track(_frame(noisy, i)) is not None for i in range(4)]
    live.close()
    assert all(found)


def test_somebody_who_comes_back_after_a_while_has_another_number(shared: Path) -> None:
    picture = _frames(shared, "book.mkv", 1)[0]
    wall = np.full_like(picture, 120)
    live = BlazePoseTracker()
    seen = [live.track(_frame(picture if not 6 <= i < 50 else wall, i)) for i in range(0, 60, 2)]
    live.close()
    numbers = [None if body is None else body.wearer for body in seen]
    assert numbers[:3] == [0, 0, 0]
    assert numbers[-3:] == [1, 1, 1]


def test_a_still_picture_gives_still_landmarks(shared: Path) -> None:
    """With smoothing, camera noise moves the landmarks less than without."""
    picture = _frames(shared, "book.mkv", 1)[0]
    rng = np.random.default_rng(3)
    noisy = [np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8) for _ in range(8)]

    def wander(smooth: bool) -> float:
        opened = BlazePoseTracker(smooth=smooth)
        bodies = [opened.track(_frame(bgr, i)) for i, bgr in enumerate(noisy)]
        opened.close()
        points = np.stack([b.landmarks_px[:17, :2] for b in bodies if b is not None])
        assert len(points) == len(noisy)
        return float(np.abs(np.diff(points[2:], axis=0)).mean())

    assert wander(smooth=True) < 0.7 * wander(smooth=False)


def test_closed_is_closed() -> None:
    opened = BlazePoseTracker(static=True)
    opened.close()
    opened.close()
    with pytest.raises(RuntimeError, match="closed"):
        opened.track(_frame(np.zeros((8, 8, 3), np.uint8)))


def test_start_up_chatter_is_held_back_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    from vastra_live.chatter import without_chatter

    with without_chatter():
        os.write(2, b"I0000 00:00:17.5 x.cc:1] ready\nINFO: Created TensorFlow Lite XNNPACK delegate\nreal trouble\n")
    assert capfd.readouterr().err == "real trouble\n"
