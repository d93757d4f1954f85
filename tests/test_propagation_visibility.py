"""What is seen of a layer: the mixture beside its slow plain twin, hands, shadows and pieces that are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vastra_live.tracking.appearance import learn_colours
from vastra_live.tracking.reach import Within
from vastra_live.tracking.surface import surface_of
from vastra_live.tracking.visibility import ColourEvidence, colour_evidence, pool, see
from vastra_live.tracking.window import grid
from vastra_live.types import F32, U8


def _noise(seed: int, *shape: int, top: int = 256) -> U8:
    return np.random.default_rng(seed).integers(0, top, shape).astype(np.uint8)


def _plain_pool(guide: U8, values: F32) -> F32:
    """He and Sun's fast guided filter, with explicit loops over the 3 x 3 windows at half size."""
    rows, columns = guide.shape[0] // 2, guide.shape[1] // 2

    def halved(picture: F32) -> F32:
        return picture.reshape(rows, 2, columns, 2).mean(axis=(1, 3))

    def box(picture: F32) -> F32:
        out = np.empty_like(picture)
        padded = np.pad(picture, 1, mode="reflect")
        for row, column in np.ndindex(*picture.shape):
            out[row, column] = padded[row : row + 3, column : column + 3].mean()
        return out

    small = np.floor(halved(guide.astype(np.float64)) + 0.5)  # as OpenCV rounds
    out = np.empty(values.shape)
    for channel in range(3):
        inner = halved(values[..., channel].astype(np.float64))
        variance = box(small * small) - box(small) ** 2
        slope = (box(small * inner) - box(small) * box(inner)) / (variance + 40.0)
        offset = box(inner) - slope * box(small)
        size = guide.shape[::-1]
        out[..., channel] = cv2.resize(box(slope), size) * guide + cv2.resize(box(offset), size)
    return out.astype(np.float32)


def test_pooling_equals_the_plain_guided_filter() -> None:
    guide = cv2.GaussianBlur(_noise(5, 24, 32), (0, 0), 2)
    values = np.random.default_rng(6).normal(0, 4, (24, 32, 3)).astype(np.float32)
    pooled = np.dstack(pool(guide, cv2.split(values)))
    np.testing.assert_allclose(pooled, _plain_pool(guide, values), atol=0.02)


def test_seeing_equals_the_plain_mixture() -> None:
    """Where the picture is flat the pooling changes nothing, and each pixel is the mixture of its own."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        colour, covered_colour, rest_colour = rng.integers(90, 130, (3, 3))
        share = float(rng.choice([0.0, 1.0]))
        evidence_logs = rng.uniform(-18, -8, 2)
        flat = np.ones((12, 12, 1), np.uint8)
        ycrcb = (covered_colour if share else rest_colour).astype(np.uint8) * flat
        expected = surface_of(ycrcb, np.full((12, 12), share, np.float32)).at(grid(12, 12))
        live = np.dstack([colour.astype(np.uint8) * flat, np.zeros((12, 12), np.uint8)])
        logs = (np.full((12, 12), value, np.float32) for value in evidence_logs)
        seen = see(live, expected, ColourEvidence(*logs))

        distance = (colour - ycrcb[0, 0]).astype(float) ** 2 / (36, 9, 9)
        surface = -3.5 * np.log1p(1.15 * distance.sum() / 4)
        surface += -1.5 * np.log(2 * np.pi) - 0.5 * np.log(36) - np.log(9) - 0.85
        near = np.clip(share, 0.05, 0.3)
        # without such a neighbour the other side's range is empty, and as good as impossible
        logs4 = (4, 2) * np.maximum(np.array([surface, evidence_logs[0]]) - evidence_logs[1], -15)
        match, unseen = 0.7 * np.exp(logs4[0]), 0.3 * near * np.exp(logs4[1])
        # rather a pixel too many than one too few
        layer = 20 * share * match + unseen
        everything = layer + (1 - share) * match + 0.3 * (1 - near)
        assert seen.alpha[6, 6] == pytest.approx(layer / everything, abs=0.01)
        assert seen.matched[6, 6] == pytest.approx(1 - (unseen + 0.3 * (1 - near)) / everything, abs=0.01)


def test_no_evidence_however_strong_leaves_a_pixel_untold() -> None:
    """A colour that is all but impossible by itself and just what is expected, or as unlike that as can be."""
    picture = np.zeros((24, 24, 3), np.uint8)
    picture[::4] = 255
    alpha = np.ones((24, 24), np.float32)
    alpha[:, 12:] = 0
    expected = surface_of(picture, alpha).at(grid(24, 24))
    for live in (picture, 255 - picture):
        for log in (-60.0, 60.0):
            evidence = ColourEvidence(np.full((24, 24), -20, np.float32), np.full((24, 24), log, np.float32))
            seen = see(np.dstack([live, live[..., 0]]), expected, evidence)
            assert np.isfinite(seen.alpha).all() and np.isfinite(seen.matched).all()


def test_a_shadow_on_the_chest_is_not_the_wall_behind_it_and_a_hand_is_a_hand() -> None:
    """What stands behind the wearer does not come in front of them, though a shaded shirt may have its colour."""
    shirt, wall, skin = (235, 128, 128), (170, 128, 128), (150, 150, 110)
    picture = np.full((60, 60, 3), wall, np.uint8)
    picture[10:50, 10:50], picture[:10, 20:40] = shirt, skin
    cloth = (picture[..., 0] > 200).astype(np.float32)
    wearer = cloth + (picture[..., 1] > 140)
    colours = learn_colours(picture, cloth, 1 - cloth, None, (1 - cloth) * wearer)
    live = picture.copy()
    live[20:28, 20:28], live[32:40, 32:40] = wall, skin
    live, expected = np.dstack([live, live[..., 0]]), surface_of(picture, cloth).at(grid(60, 60))
    seen = see(live, expected, colour_evidence(live, colours, cloth)).alpha
    assert seen[22:26, 22:26].min() > 0.9
    assert seen[34:38, 34:38].max() < 0.1
    assert see(live, expected, colour_evidence(live, colours)).alpha[22:26, 22:26].max() < 0.1


def test_a_hand_that_stays_where_the_keyframe_saw_it_stays_in_front() -> None:
    """Though what is behind it is known, and the garment covers skin elsewhere: a forearm in its sleeve."""
    cloth = np.full((48, 48, 3), (90, 128, 128), np.uint8)
    alpha, shown, shown_alpha = np.zeros((48, 48), np.float32), cloth.copy(), np.zeros((48, 48), np.float32)
    alpha[6:42, 6:42] = shown_alpha[6:42, 6:42] = 1
    shown[16:32, 16:32], shown_alpha[16:32, 16:32] = (160, 152, 108), 0
    skin = shown[..., 0] > 120
    logs = [np.where(skin, value, -9).astype(np.float32) for value in (-9, -12)]
    middle, cells = np.s_[22:26, 22:26], grid(48, 48)
    hand, known, unknown = (
        see(np.dstack([live, live[..., 0]]), surface_of(cloth, alpha, *front).at(cells), evidence).alpha[middle]
        for live, front, evidence in (
            (shown, (shown, shown_alpha), ColourEvidence(*logs)),
            (cloth, (shown, shown_alpha), ColourEvidence(0 * logs[0] - 9, 0 * logs[1] - 9)),
            (shown, (), ColourEvidence(*logs)),
        )
    )
    assert hand.max() < 0.1
    assert known.min() > 0.9, "and when it goes its place is known"
    assert unknown.min() > 0.5, "by its colour alone it is the forearm's"


def test_away_from_arms_cloth_of_the_worn_tops_colour_is_no_more_of_the_garment() -> None:
    """A skirt of the same cloth swings out from below the hem, to where the keyframe saw wall."""
    wall, blue = (210, 128, 128), (90, 120, 160)
    picture = np.full((48, 48, 3), wall, np.uint8)
    picture[:24, 12:36] = blue
    alpha = (picture[..., 0] < 150).astype(np.float32)
    live = picture.copy()
    live[24:40, 12:36] = blue
    # by its colour alone it is the garment's
    logs = (np.where(live[..., 0] < 150, value, -12).astype(np.float32) for value in (-9, -12))
    arms = np.zeros((48, 48), np.uint8)
    arms[:, :24] = 255
    evidence, expected = ColourEvidence(*logs), surface_of(picture, alpha).at(grid(48, 48))
    seen = see(np.dstack([live, live[..., 0]]), expected, evidence, Within(arms, arms, 6.0)).alpha
    assert seen[32, 14:20].min() > 0.8, "a sleeve may turn there"
    assert seen[32, 28:34].max() < 0.2
    assert seen[12, 14:34].min() > 0.8


def test_the_pixel_beside_the_layer_has_a_little_of_it() -> None:
    """A camera blurs dark cloth into the wall: without a share there, a dark line stands around the layer."""
    picture = np.full((24, 32, 3), (180, 128, 128), np.uint8)
    picture[:, :16] = (50, 128, 128)
    alpha = np.repeat((np.arange(32) < 16).astype(np.float32)[None], 24, axis=0)
    unknown = np.full((24, 32), -15, np.float32)
    live = np.dstack([picture, picture[..., 0]])
    seen = see(live, surface_of(picture, alpha).at(grid(32, 24)), ColourEvidence(unknown, unknown)).alpha[12]
    assert seen[15] > 0.9
    assert 0.2 < seen[16] < 0.5
    assert seen[17] < 0.05
