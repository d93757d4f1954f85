"""The parts of propagation: each fast kernel beside a slow plain twin, the geometry under random input."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.propagation_scene import body, recoloured, scene
from vastra_live.tracking.anchor import Anchor, first_anchor
from vastra_live.tracking.appearance import colour_bins, learn_colours
from vastra_live.tracking.expecting import expect, expect_by_body
from vastra_live.tracking.following import recentre
from vastra_live.tracking.leap import small_colours
from vastra_live.tracking.motion import Flow, held_together, repair, similarity
from vastra_live.tracking.painted import Painted, continue_colours
from vastra_live.tracking.surface import surface_of
from vastra_live.tracking.window import Window, grid, window_around
from vastra_live.types import U8

IDENTITY = np.eye(2, 3, dtype=np.float32)


def _noise(seed: int, *shape: int, top: int = 256) -> U8:
    return np.random.default_rng(seed).integers(0, top, shape).astype(np.uint8)


# ------------------------------------------------------------------ window

windows = st.builds(
    Window,
    x=st.integers(-90, 90),
    y=st.integers(-90, 90),
    columns=st.integers(1, 12).map(lambda n: 4 * n),
    rows=st.integers(1, 12).map(lambda n: 4 * n),
    step=st.integers(1, 4),
)


@settings(max_examples=40, deadline=None)
@given(windows)
def test_cells_are_the_inverse_of_centres(window: Window) -> None:
    np.testing.assert_allclose(window.cells(window.centres()), grid(window.columns, window.rows), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(windows, st.integers(1, 60), st.integers(1, 60))
def test_a_cut_repeats_the_frames_edge(window: Window, width: int, height: int) -> None:
    picture = np.arange(width * height, dtype=np.float32).reshape(height, width)
    rows = np.clip(np.arange(window.y, window.y + window.height), 0, height - 1)
    columns = np.clip(np.arange(window.x, window.x + window.width), 0, width - 1)
    np.testing.assert_array_equal(window.cut(picture), picture[np.ix_(rows, columns)])


@settings(max_examples=40, deadline=None)
@given(windows, st.integers(1, 60), st.integers(1, 60))
def test_the_inside_is_the_common_part(window: Window, width: int, height: int) -> None:
    x0, y0, x1, y1 = window.inside(width, height)
    covered = np.zeros((height, width), bool)
    for y in range(max(0, window.y), min(height, window.y + window.height)):
        for x in range(max(0, window.x), min(width, window.x + window.width)):
            covered[y, x] = True
    found = np.zeros_like(covered)
    found[y0:y1, x0:x1] = True
    np.testing.assert_array_equal(found, covered)


shifts = st.tuples(st.integers(-14, 14), st.integers(-14, 14))


@settings(max_examples=60, deadline=None)
@given(windows, shifts, st.integers(1, 12), st.integers(1, 12))
def test_windows_on_one_lattice_share_what_both_hold(
    window: Window, shift: tuple[int, int], columns: int, rows: int
) -> None:
    other = replace(window.moved(*shift), columns=columns, rows=rows)
    here, there = window.overlap(other)
    np.testing.assert_array_equal(window.centres()[here], other.centres()[there])
    wide = window.joined(other)
    assert wide.joined(window) == wide == wide.joined(other)
    for each in (window, other):
        inside, whole = wide.overlap(each)
        assert each.centres()[whole].shape == each.centres().shape
        np.testing.assert_array_equal(wide.centres()[inside], each.centres())
    numbers = np.arange(window.rows * window.columns, dtype=np.float32).reshape(window.rows, window.columns)
    places = window.cells(wide.centres()).round().astype(int)
    rows_of, columns_of = (
        np.clip(places[..., axis], 0, size - 1) for axis, size in ((1, window.rows), (0, window.columns))
    )
    np.testing.assert_array_equal(window.widened(numbers, wide), numbers[rows_of, columns_of])
    inside, _ = wide.overlap(window)
    around = window.widened(numbers, wide, 7)
    np.testing.assert_array_equal(around[inside], numbers)
    around[inside] = 7
    assert (around == 7).all()


@settings(max_examples=40, deadline=None)
@given(windows)
def test_growing_then_shrinking_changes_no_smooth_field(window: Window) -> None:
    field = window.centres()[..., 0].copy()
    again = window.shrink(window.grow(field))
    np.testing.assert_allclose(again[:, 1:-1], field[:, 1:-1], atol=0.01 + 0.26 * (window.step - 1))


@settings(max_examples=40, deadline=None)
@given(st.floats(-50, 600), st.floats(-50, 400), st.floats(1, 1900), st.floats(1, 1080))
def test_a_window_holds_its_layer_on_a_bounded_grid(x: float, y: float, width: float, height: float) -> None:
    window = window_around(x, y, width, height)
    assert window.x <= x and window.x + window.width >= x + width
    assert window.y <= y and window.y + window.height >= y + height
    assert window.columns % 4 == 0 and window.rows % 4 == 0
    assert window.columns * window.rows < 45_000


# ------------------------------------------------------------------ colours


def test_bins_equal_the_plain_formula() -> None:
    picture = _noise(1, 9, 11, 3)
    for row, column in np.ndindex(9, 11):
        y, cr, cb = (int(level) for level in picture[row, column])
        assert colour_bins(picture)[row, column] == (y // 8) * 4096 + (cr // 4) * 64 + cb // 4


def test_learned_colours_tell_their_own_from_others_and_remember() -> None:
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[:, :10], picture[:, 10:] = (60, 120, 130), (180, 150, 110)
    covered = np.zeros((20, 20), np.float32)
    covered[:, :10] = 1
    first = learn_colours(picture, covered, 1 - covered, None)
    ours, others = colour_bins(picture)[0, 0], colour_bins(picture)[0, -1]
    assert first.covered_log[ours] > first.rest_log[ours] + 5
    assert first.rest_log[others] > first.covered_log[others] + 5
    # in the next keyframe nothing of the other colour is seen: it is still known
    second = learn_colours(picture[:, :10], covered[:, :10], 1 - covered[:, :10], first)
    assert second.rest_log[others] > second.covered_log[others] + 5


def test_the_density_of_a_few_colours_is_that_of_the_whole_cube() -> None:
    """Smoothed in the box of the colours seen, two of them at the cube's edge."""
    picture = np.array([[[70, 120, 130], [90, 140, 128], [76, 0, 255], [255, 128, 128]]], np.uint8)
    counts = np.array([5.0, 3.0, 2.0, 1.0], np.float32)
    learned = learn_colours(picture, counts, counts, None)
    cube = learned.covered_mass.reshape(32, 64, 64).astype(np.float64)
    kernel = cv2.getGaussianKernel(5, 1.0).ravel()
    for axis in range(3):
        room = [(2, 2) if each == axis else (0, 0) for each in range(3)]
        wide = np.moveaxis(np.pad(cube, room, mode="reflect"), axis, 0)
        cube = np.moveaxis(np.tensordot(np.lib.stride_tricks.sliding_window_view(wide, 5, axis=0), kernel, 1), 0, axis)
    expected = np.log(cube / (cube.sum() * 128) + 0.02 / 256**3)
    np.testing.assert_allclose(learned.covered_log, expected.ravel(), atol=1e-4)


# ------------------------------------------------------------------ surface


def test_ranges_equal_the_plain_search() -> None:
    ycrcb, alpha = _noise(2, 10, 12, 3), np.zeros((10, 12), np.float32)
    alpha[2:8, 3:9] = 1
    surface = surface_of(ycrcb, alpha)
    for row, column in np.ndindex(10, 12):
        around = np.s_[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        colours, inside = ycrcb[around].reshape(-1, 3), alpha[around].ravel() > 0.5
        for chosen, low, high in (
            (colours[inside], surface.covered_low, surface.covered_high),
            (colours[~inside], surface.rest_low, surface.rest_high),
        ):
            expected_low = chosen.min(axis=0) if len(chosen) else np.full(3, 255)
            expected_high = chosen.max(axis=0) if len(chosen) else np.zeros(3)
            np.testing.assert_array_equal(low[row, column, :3], expected_low)
            np.testing.assert_array_equal(high[row, column, :3], expected_high)


def test_a_surface_moved_by_whole_pixels_is_itself() -> None:
    ycrcb, alpha = _noise(3, 16, 20, 3), (_noise(4, 16, 20, top=2)).astype(np.float32)
    expected = surface_of(ycrcb, alpha).at(grid(20, 16) + np.array([3, 2], np.float32))
    for channel, moved in enumerate((expected.luma, expected.red, expected.blue)):
        np.testing.assert_array_equal(moved[:-2, :-3], ycrcb[2:, 3:, channel])
    np.testing.assert_array_equal(expected.alpha[:-2, :-3], (alpha * 255)[2:, 3:])


# ------------------------------------------------------------------ motion


def test_repair_keeps_what_is_trusted_and_continues_it() -> None:
    """The twin: each untrusted vector is the average of the trusted ones, weighted by a Gaussian of the distance."""
    flow = np.dstack([grid(48, 48)[..., 0] * 0.1, np.full((48, 48), -2.0, np.float32)])
    trust = np.ones((48, 48), np.float32)
    trust[16:32, 16:32] = 0
    torn = flow.copy()
    torn[trust == 0] = (40, 40)
    light = np.where(trust > 0, np.float32(5), np.float32(-90))
    repaired, smooth = repair(torn, light, trust, reach=8.0)
    np.testing.assert_allclose(repaired[:10], flow[:10], atol=0.05)
    ys, xs = np.mgrid[0:48, 0:48]
    for row, column in ((24, 24), (20, 27)):
        weight = trust * np.exp(-((ys - row) ** 2 + (xs - column) ** 2) / (2 * 8.0**2))
        plain = (flow * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
        np.testing.assert_allclose(repaired[row, column], plain, atol=0.35)
    np.testing.assert_allclose(smooth, 5, atol=0.5)


@settings(max_examples=12, deadline=None)
@given(st.integers(-5, 5), st.integers(-5, 5))
def test_flow_finds_a_shift(dx: int, dy: int) -> None:
    key = cv2.GaussianBlur(_noise(8, 96, 112), (0, 0), 2)
    key = cv2.normalize(key, None, 0, 255, cv2.NORM_MINMAX)
    live = np.roll(key, (dy, dx), axis=(0, 1))
    flow = Flow().follow(live, key, np.zeros((96, 112, 2), np.float32))
    np.testing.assert_allclose(np.median(flow[16:-16, 16:-16], axis=(0, 1)), (-dx, -dy), atol=0.3)


def test_the_flow_of_what_is_very_narrow_does_not_end_the_process() -> None:
    code = (
        "import numpy as np; from vastra_live.tracking.motion import Flow; flow = Flow()\n"
        "picture = np.random.default_rng(2).integers(0, 255, (8, 52), np.uint8)\n"
        "for _ in range(200): flow.follow(picture, picture, np.zeros((8, 52, 2), np.float32))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cloth_that_moves_as_one_does_not_slide_far_over_itself() -> None:
    """Along upright folds nothing says where cloth is, and a flow that runs away there would tear a print."""
    places = grid(96, 80)
    flow = np.dstack([2 + 0.02 * places[..., 0], -1 + 0.03 * places[..., 1]]).astype(np.float32)
    share = np.zeros((80, 96), np.float32)
    share[10:70, 10:86] = 1
    true, aside = flow.copy(), np.s_[72:, :8]
    flow[20:30, 20:30, 0] += 1.5
    flow[aside] += 30
    np.testing.assert_array_equal(held_together(flow, share, share, 4.0), flow)
    flow[40:60, 50:70, 1] += 20
    held = held_together(flow, share, share, 4.0)
    off = np.linalg.norm(held - true, axis=2)
    assert 3.5 < off[44:56, 54:66].max() < 4.5
    np.testing.assert_array_equal(held[20:30, 20:30], flow[20:30, 20:30])
    np.testing.assert_array_equal(held[aside], flow[aside])


@settings(max_examples=15, deadline=None)
@given(st.floats(-8, 8), st.floats(0.9, 1.1), st.integers(-8, 8), st.integers(-8, 8))
def test_a_similarity_is_read_off_the_surface_and_not_off_what_is_in_front(
    degrees: float, growth: float, dx: int, dy: int
) -> None:
    before = cv2.normalize(cv2.GaussianBlur(_noise(8, 160, 160), (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    true = cv2.getRotationMatrix2D((80, 80), degrees, growth) + np.array([[0, 0, dx], [0, 0, dy]])
    now = cv2.warpAffine(before, true, (160, 160), borderMode=cv2.BORDER_REFLECT)
    now[60:100, 40:70] = 128
    mask = np.zeros((160, 160), np.uint8)
    mask[24:136, 24:136] = 255
    found = similarity(before, now, mask)
    assert found is not None
    corners = np.array([[[24, 24], [136, 24], [24, 136], [136, 136]]], np.float32)
    np.testing.assert_allclose(cv2.transform(corners, found), cv2.transform(corners, true), atol=1.5)


def test_without_points_that_agree_there_is_no_similarity() -> None:
    mask = np.full((96, 96), 255, np.uint8)
    assert similarity(_noise(1, 96, 96), _noise(2, 96, 96), mask) is None
    assert similarity(_noise(1, 96, 96), _noise(1, 96, 96), mask // 255 * 0) is None


# ------------------------------------------------------------------ anchor and expectation


def _anchor() -> Anchor:
    frame, mask = scene()
    return first_anchor(Painted(frame, recoloured(frame, mask), mask, IDENTITY, "tee", body(0)), small_colours(frame))


def test_colours_are_continued_and_kept() -> None:
    bgr, alpha = np.zeros((64, 80, 3), np.uint8), np.zeros((64, 80), np.float32)
    bgr[20:40, 30:50], alpha[20:40, 30:50] = (40, 90, 200), 1
    filled = continue_colours(bgr, alpha)
    assert np.abs(filled.astype(int) - (40, 90, 200)).max() <= 2


@pytest.mark.parametrize("bottom, closed", [(200, True), (240, False)])
def test_a_layer_ends_where_its_array_does_unless_it_leaves_the_picture(bottom: int, closed: bool) -> None:
    frame, _ = scene()
    bgr, alpha = np.zeros((bottom - 80, 100, 3), np.uint8), np.ones((bottom - 80, 100), np.float32)
    to_frame = np.array([[1, 0, 110], [0, 1, 80]], np.float32)
    anchor = first_anchor(Painted(frame, bgr, alpha, to_frame, "tee", body(0)), small_colours(frame))
    texture = anchor.texture_bgra[..., 3]
    assert texture[:, 0].max() == texture[:, -1].max() == texture[0].max() == 0
    assert (texture[-1].max() == 0) == closed
    assert texture[1:-1, 1:-1].min() == 255
    assert alpha.min() == 1, "the layer itself is left alone"


def test_a_thin_shadow_keeps_its_own_colour_however_surely_it_is_seen() -> None:
    """A collar's shadow on a throat: cloth continued into it would come up on the throat."""
    frame, mask = scene()
    cloth, throat = (90, 160, 60), (70, 90, 140)
    alpha = cv2.GaussianBlur(mask, (3, 3), 0)
    columns = np.flatnonzero(mask.max(axis=0))
    strip = np.s_[60:90, int(columns.mean()) - 15 : int(columns.mean()) + 15]
    painted = np.full_like(frame, cloth)
    alpha[strip], painted[strip] = 0.2, throat
    anchor = first_anchor(Painted(frame, painted, alpha, IDENTITY, "tee"), small_colours(frame))
    x, y = cv2.transform(np.array([[[strip[1].start + 15.0, 75.0]]]), anchor.to_texture)[0, 0].astype(int)
    np.testing.assert_allclose(anchor.texture_bgra[y, x, :3], throat, atol=2)


@pytest.mark.parametrize("negative, sign", [(False, 1), (True, -1)])
def test_the_answer_to_light_is_read_off_the_layer(negative: bool, sign: int) -> None:
    frame, mask = scene()
    painted = 255 - frame if negative else frame
    anchor = first_anchor(Painted(frame, painted, mask, IDENTITY, "tee"), small_colours(frame))
    assert anchor.response == pytest.approx(sign, abs=0.15)


def test_a_flat_layer_answers_to_light_by_its_brightness() -> None:
    frame, mask = scene()
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[mask > 0.5].mean()
    flat = np.full_like(frame, 2 * round(float(grey)))
    anchor = first_anchor(Painted(frame, flat, mask, IDENTITY, "tee"), small_colours(frame))
    assert anchor.response == pytest.approx(2.0, abs=0.2)


@settings(max_examples=20, deadline=None)
@given(st.integers(-40, 40), st.integers(-30, 30))
def test_recentring_moves_the_window_and_nothing_else(columns: int, rows: int) -> None:
    start = expect(_anchor(), None)
    moved = np.array([columns, rows], np.float32)
    wandered = start.__class__(
        anchor=start.anchor,
        window=start.window,
        flow=start.flow + moved,
        light=start.light,
        seen=start.seen.__class__(start.anchor.alpha, start.anchor.alpha),
        expected_luma=start.expected_luma,
        expected_alpha=start.expected_alpha,
        residual=0.0,
        confidence=1.0,
        ground=start.ground,
    )
    after = recentre(wandered)
    np.testing.assert_allclose(after.displacement(), wandered.displacement(), atol=1e-3)
    assert np.abs(after.flow).max() <= 0.05 * max(start.window.columns, start.window.rows) + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(-100, 100))
def test_the_body_predicts_the_torsos_motion(shift: int) -> None:
    anchor = _anchor()
    expected = expect_by_body(anchor, body(shift, 1))
    assert expected is not None
    np.testing.assert_allclose(expected.displacement()[..., 0], -shift, atol=0.5)
    np.testing.assert_allclose(expected.displacement()[..., 1], 0, atol=0.5)
