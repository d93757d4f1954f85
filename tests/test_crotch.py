"""The gap between the legs of trousers, where they shade it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vastra_live.wardrobe.intake import read_garment

WAIST, CROTCH, CUFF = 60, 200, 620


def trousers(path: Path, cloth: tuple[int, int, int], shade: float = 0.45) -> Path:
    """A photo of trousers on white; the gap between their legs is ground, shaded the more the narrower it is."""
    rng = np.random.default_rng(2)
    bgr = np.full((700, 500, 3), 255.0)
    rows = np.arange(700.0)[:, None, None]
    corners = [(150, WAIST), (350, WAIST), (375, CUFF), (285, CUFF), (250, CROTCH), (215, CUFF), (125, CUFF)]
    mask = np.zeros((700, 500), np.uint8)
    gap = np.zeros_like(mask)
    cv2.fillPoly(mask, [np.array(corners)], 1)
    cv2.fillPoly(gap, [np.array([(250, CROTCH), (285, CUFF), (215, CUFF)])], 1)
    dark = 1 - shade * np.clip(1 - (rows - CROTCH) / 150, 0, 1)
    bgr = np.where(gap[..., None] > 0, 255 * dark, bgr)
    bgr = np.where(mask[..., None] > 0, np.array(cloth) + rng.normal(0, 2, (700, 500, 1)), bgr)
    cv2.imwrite(str(path), cv2.GaussianBlur(bgr, (3, 3), 0).clip(0, 255).astype(np.uint8))
    return path


@pytest.mark.parametrize("cloth", [(205, 222, 232), (150, 90, 60), (60, 60, 150)])
def test_a_shaded_gap_is_open_up_to_where_the_legs_part(tmp_path: Path, cloth: tuple[int, int, int]) -> None:
    garment = read_garment(trousers(tmp_path / "a.png", cloth), "lower")
    assert abs(garment.landmarks_px["crotch"][1] - CROTCH) < 24
    for y in (CROTCH + 30, CROTCH + 80, CROTCH + 200):
        assert garment.alpha[y, 250] < 0.1
    assert garment.alpha[CROTCH - 20 : CROTCH - 2, 240:260].min() > 0.9


def test_a_grey_panel_between_the_legs_is_cloth(tmp_path: Path) -> None:
    path = trousers(tmp_path / "a.png", (60, 60, 150), 0.0)
    bgr = cv2.imread(str(path))
    bgr[CROTCH - 100 : CROTCH, 210:290] = 120
    cv2.imwrite(str(path), bgr)
    garment = read_garment(path, "lower")
    assert garment.alpha[CROTCH - 90 : CROTCH - 10, 215:285].min() > 0.9
