"""The inside of a drawn neck opening: everything above the front's edge, whatever curve that is."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vastra_live.types import F32, U8
from vastra_live.wardrobe.neckline import find_neckline

F64 = npt.NDArray[np.float64]
RIGHT, LEFT, TOP = 120.0, 280.0, 60.0
FRONT, INSIDE = (70, 60, 170), (35, 28, 95)


def drawn(edge: F64, label: bool) -> tuple[U8, F32, U8]:
    """A garment's top with this front edge, its alpha, and where its inside shows."""
    bgr = np.full((400, 400, 3), 245, np.uint8)
    body = np.array([(60, 90), (RIGHT, TOP), (200, 72), (LEFT, TOP), (340, 90), (340, 399), (60, 399)], np.int32)
    alpha = np.zeros((400, 400), np.uint8)
    cv2.fillPoly(alpha, [body], 255)
    opening = np.zeros_like(alpha)
    cv2.fillPoly(opening, [np.rint(np.concatenate([edge, [[edge[-1, 0], 0], [edge[0, 0], 0]]])).astype(np.int32)], 255)
    inside = cv2.bitwise_and(opening, alpha)
    bgr[alpha > 0] = FRONT
    bgr[inside > 0] = INSIDE
    if label:
        bgr[80:92, 185:215] = 230
    noise = np.random.default_rng(0).normal(0, 2, bgr.shape)
    return np.clip(bgr + noise, 0, 255).astype(np.uint8), alpha.astype(np.float32) / 255, inside


def scoop() -> F64:
    t = np.linspace(np.pi, 0, 60)
    return np.stack([200 + 92 * np.cos(t), TOP + 4 + 80 * np.sin(t) ** 0.8], axis=-1)


def off_centre_v() -> F64:
    return np.array([(RIGHT + 2, TOP), (150, 112), (190, 165), (250, 108), (LEFT - 2, TOP)])


@pytest.mark.parametrize("edge", [scoop(), off_centre_v()], ids=["scoop", "v"])
@pytest.mark.parametrize("label", [False, True], ids=["plain", "label"])
def test_the_inside_ends_at_the_fronts_own_edge(edge: F64, label: bool) -> None:
    bgr, alpha, truth = drawn(edge, label)
    neckline = find_neckline(bgr, alpha, (LEFT, TOP), (RIGHT, TOP), 250.0)
    assert neckline.inside is not None
    found = neckline.inside > 0.5
    assert (found & (truth > 0)).sum() / (found | (truth > 0)).sum() > 0.95
    assert neckline.front == pytest.approx((float(edge[edge[:, 1].argmax(), 0]), float(edge[:, 1].max())), abs=6)


def test_an_opening_wider_than_the_outlines_corners_moves_them() -> None:
    bgr, alpha, _ = drawn(scoop(), label=False)
    neckline = find_neckline(bgr, alpha, (LEFT, TOP), (RIGHT, TOP), 250.0)
    (left, _), (right, _) = neckline.corners
    assert right < RIGHT - 3
    assert left > LEFT + 3


def test_a_rib_of_another_colour_belongs_to_the_front() -> None:
    bgr, alpha, opening = drawn(scoop(), label=False)
    white, blue = (225, 222, 220), (180, 90, 30)
    bgr[alpha > 0] = white
    rib = cv2.dilate(opening, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25))) - opening
    bgr[(rib > 0) & (alpha > 0)] = blue
    neckline = find_neckline(bgr, alpha, (LEFT + 8, TOP), (RIGHT - 8, TOP), 250.0)
    assert neckline.inside is not None
    assert neckline.front[1] == pytest.approx(float(scoop()[:, 1].max()), abs=5)
    assert (neckline.inside > 0.5)[(rib > 0) & (alpha > 0)].mean() < 0.1
