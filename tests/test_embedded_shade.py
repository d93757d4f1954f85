"""Light on made skin: arms are round, shaded by the trunk, and lit from where the face is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.girth import ELBOW
from vastra_live.synthesis.embedded.limb import fit_limb
from vastra_live.synthesis.embedded.shade import limb_light, side_light
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton

SHAPE = (360, 320)


def across(bends: tuple[float, float, float, float], lit_from: float, part: int = 1) -> np.ndarray:
    """(5,) light on the left arm from its inner to its outer edge, in the middle of the upper arm or forearm."""
    _, body = drawn_person(bends=bends)
    s = read_skeleton(body)
    stretch = list(fit_limb(s.left, 1, s.unit, 1.0, None, None).stretches(SHAPE))[part]
    light = limb_light(stretch, s.across, lit_from)
    middle = (ELBOW / 2, (1 + ELBOW) / 2)[part]
    band = (np.abs(stretch.along - middle) < 0.05) & (stretch.distance < stretch.radius)
    side = stretch.off / stretch.radius
    return np.array([light[band & (np.abs(side - at) < 0.1)].mean() for at in (-0.9, -0.45, 0.0, 0.45, 0.9)])


@pytest.mark.parametrize("part", [0, 1])
def test_a_hanging_arm_is_round_and_darker_towards_the_trunk(part: int) -> None:
    light = across((5, 5, 5, 5), 0.0, part)
    assert light[0] < light[1] < light[2] and light[4] < light[2]
    assert light[0] < 0.75 * light[2] and light[0] < 0.85 * light[4]


def test_an_arm_is_lighter_on_the_side_that_the_light_comes_from() -> None:
    from_left, front, from_right = (across((5, 5, 5, 5), side) for side in (-0.3, 0.0, 0.3))
    assert from_left[4] / from_left[2] < front[4] / front[2] < from_right[4] / from_right[2]
    assert from_left.mean() < front.mean() < from_right.mean()


def test_an_arm_that_lies_across_is_darker_below() -> None:
    light = across((5, -85, 5, 5), 0.0)
    # its outer side is the lower one
    assert light[4] < 0.8 * light[0]


def lit_person(slope: float) -> tuple[np.ndarray, np.ndarray, Skeleton]:
    frame, body = drawn_person()
    s = read_skeleton(body)
    off = (np.arange(SHAPE[1]) - s.mouth[0]) / s.face_span
    bgr = np.clip(frame.bgr * np.exp(slope * off)[None, :, None], 0, 255).astype(np.uint8)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    face = (np.hypot(x - s.mouth[0], y - (s.mouth[1] + s.eyes[1]) / 2) < 0.8 * s.face_span).astype(np.float32)
    return bgr, face, s


@pytest.mark.parametrize("slope", [-0.15, 0.0, 0.15])
def test_the_face_tells_the_side_of_the_light(slope: float) -> None:
    bgr, face, s = lit_person(slope)
    assert side_light(bgr, face, face, s) == pytest.approx(slope, abs=0.04)


def test_without_a_face_the_light_comes_from_the_front() -> None:
    bgr, face, s = lit_person(0.15)
    assert side_light(bgr, face, np.zeros_like(face), s) == 0
