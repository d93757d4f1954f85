"""The inside of a drawn neck opening: everything above the front's edge, whatever curve that is."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vastra_live.types import F32, U8
from vastra_live.wardrobe import neckline as necklines
from vastra_live.wardrobe.intake import read_garment
from vastra_live.wardrobe.label import find_label
from vastra_live.wardrobe.neck_curves import Curves
from vastra_live.wardrobe.neckline import find_neckline
from vastra_live.wardrobe.store import BUILT_IN

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


def one_coloured(label: bool) -> tuple[U8, F32, U8]:
    """Front and inside of one colour: only shadows show the layers, that of the back's collar the more clearly."""
    edge = scoop()
    bgr, alpha, inside = drawn(edge, label=False)
    shade = np.zeros((400, 400), np.float32)
    cv2.polylines(shade, [np.rint(edge).astype(np.int32)], False, 26.0, 3, cv2.LINE_AA)
    back = np.array([(RIGHT + 4, TOP + 14), (160, TOP + 24), (240, TOP + 24), (LEFT - 4, TOP + 14)], np.int32)
    cv2.polylines(shade, [back], False, 40.0, 3, cv2.LINE_AA)
    bgr[alpha > 0] = FRONT
    bgr = np.clip(bgr - shade[:, :, None] * (alpha[:, :, None] > 0), 0, 255).astype(np.uint8)
    if label:
        bgr[84:102, 180:222] = 225
        bgr[102:108, 180:222] = 30
    noise = np.random.default_rng(0).normal(0, 2, bgr.shape)
    return np.clip(bgr + noise, 0, 255).astype(np.uint8), alpha, inside


def test_the_front_runs_below_the_makers_label() -> None:
    bgr, alpha, truth = one_coloured(label=True)
    neckline = find_neckline(bgr, alpha, (LEFT, TOP), (RIGHT, TOP), 250.0)
    assert neckline.inside is not None
    found = neckline.inside > 0.5
    assert found[86:107, 182:220].all()
    assert (found & (truth > 0)).sum() / (found | (truth > 0)).sum() > 0.93


def test_a_label_is_found_with_the_size_below_it() -> None:
    bgr, alpha, _ = one_coloured(label=True)
    label = find_label(bgr, alpha, (LEFT, TOP), (RIGHT, TOP))
    assert label is not None
    assert (label.left, label.top, label.right, label.bottom) == pytest.approx((180, 84, 222, 108), abs=6)
    bare = label.taken_off(bgr)[84:108, 180:222].astype(np.float32)
    assert np.median(np.abs(bare - FRONT)) < 6
    assert bare.max() < 200


def test_no_label_is_seen_in_plain_or_printed_cloth() -> None:
    bgr, alpha, _ = one_coloured(label=False)
    assert find_label(bgr, alpha, (LEFT, TOP), (RIGHT, TOP)) is None
    patches = np.random.default_rng(3).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    printed = cv2.resize(patches, (400, 400), interpolation=cv2.INTER_NEAREST)
    assert find_label(printed, alpha, (LEFT, TOP), (RIGHT, TOP)) is None


def test_a_closed_collar_has_no_inside_whatever_is_printed_on_it() -> None:
    bgr, alpha, _ = one_coloured(label=False)
    cv2.rectangle(alpha, (150, 20), (250, 80), 1.0, -1)
    bgr[alpha > 0] = FRONT
    bgr[30:44, 185:215] = 225
    neckline = find_neckline(bgr, alpha, (250.0, TOP), (150.0, TOP), 250.0)
    assert neckline.inside is None
    assert neckline.front[1] == pytest.approx(TOP, abs=4)


def test_a_dark_rib_beyond_the_curves_ends_goes_with_the_inside() -> None:
    bgr, alpha, opening = drawn(scoop(), label=False)
    bgr[alpha > 0] = (200, 180, 190)
    bgr[opening > 0] = (45, 30, 40)
    corner = np.zeros_like(opening)
    for x, side in ((RIGHT, -1), (LEFT, 1)):
        rib = [(x - side * 5, TOP), (x + side * 24, TOP + 6), (x + side * 9, TOP + 36), (x - side * 12, TOP + 44)]
        cv2.fillPoly(corner, [np.array(rib, np.int32)], 255)
    bgr[(corner > 0) & (alpha > 0)] = (45, 30, 40)
    sleeves = bgr.copy()
    neckline = find_neckline(bgr, alpha, (LEFT, TOP), (RIGHT, TOP), 250.0)
    assert neckline.inside is not None
    assert neckline.inside[(corner > 0) & (alpha > 0.9)].mean() > 0.98
    # a dark sleeve begins at the neck, too, and goes on
    y, x = np.indices(alpha.shape)
    sleeves[(alpha > 0) & (np.abs(x - 200) > LEFT - 200 + 0.4 * (y - TOP))] = (45, 30, 40)
    neckline = find_neckline(sleeves, alpha, (LEFT, TOP), (RIGHT, TOP), 250.0)
    assert neckline.inside is not None
    assert neckline.inside[:, 305:].max() < 0.1


@pytest.mark.parametrize(("upper", "chosen"), [(0.95, 0.3), (0.7, 0.9)])
def test_of_two_edges_that_are_alike_the_upper_one_is_the_neckline(upper: float, chosen: float) -> None:
    """A print steps as clearly as the edge does, farther down: what it would take away is missed more."""
    depths = np.linspace(0.1, 1.2, 111, dtype=np.float32)
    each = len(necklines._SHAPES) * len(necklines._SPREADS)
    depth = np.repeat(depths, each)
    same = np.ones_like(depth)
    curves = Curves((0.0, 0.0), (100.0, 0.0), depth, 2 * same, same, same)
    evidence = 5 * np.maximum(upper * np.exp(-(((depth - 0.3) / 0.05) ** 2)), np.exp(-(((depth - 0.9) / 0.05) ** 2)))
    found = necklines._Evidence(evidence, 0 * evidence, np.ones((len(depth), 3), np.float32), same, same > 1)
    best = necklines._best(curves, found)
    assert best is not None
    assert depth[best] == pytest.approx(chosen, abs=0.02)


def test_below_a_label_the_ribs_own_edge_outdoes_the_dark_line_of_its_seam() -> None:
    garment = read_garment(BUILT_IN / "harbour-stripe" / "photo.jpg")
    assert garment.inside_alpha is not None
    # the rib is light, what lies above it in the shade
    light = garment.bgr[garment.inside_alpha > 0.9].mean(axis=1) > 210
    assert light.mean() < 0.1
