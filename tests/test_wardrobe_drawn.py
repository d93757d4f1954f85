"""The built-in garments are what their script draws."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vastra_live.pictures import read_picture, write_picture
from vastra_live.wardrobe.intake import read_garment
from vastra_live.wardrobe.store import BUILT_IN, Wardrobe

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for name in ("draw_garments", "garment_cuts", "cloth_drawing"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("scripts")
def test_the_script_draws_the_committed_picture_again() -> None:
    import draw_garments

    assert set(draw_garments.GARMENTS) == {path.name for path in BUILT_IN.iterdir() if path.is_dir()}
    drawn = draw_garments.GARMENTS["rib-tank"]().astype(np.float32)
    kept = read_picture(BUILT_IN / "rib-tank" / "photo.jpg").bgr.astype(np.float32)
    difference = np.abs(drawn - kept)
    # JPEG at quality 95 loses a level or two, more only along the edges
    assert difference.mean() < 1.5
    assert np.quantile(difference, 0.999) < 16


def test_the_built_in_garments_stay_small() -> None:
    assert sum(path.stat().st_size for path in BUILT_IN.rglob("*") if path.is_file()) < 1_500_000


@pytest.mark.usefixtures("scripts")
def test_a_collar_meets_both_shoulders_alike(tmp_path: Path) -> None:
    """On one side of the shirt the seam of the shoulder is as sharp a corner as the collar's foot."""
    import draw_garments

    photo = tmp_path / "shirt.png"
    write_picture(photo, draw_garments.GARMENTS["oxford-shirt"]())
    points = read_garment(photo).landmarks_px
    middle = (points["shoulder_left"][0] + points["shoulder_right"][0]) / 2
    left, right = (abs(points[f"neck_{side}"][0] - middle) for side in ("left", "right"))
    assert left == pytest.approx(right, rel=0.15)


@pytest.mark.parametrize("name", sorted(path.name for path in BUILT_IN.iterdir() if path.is_dir()))
def test_the_built_in_garments_are_cut_out_as_intake_cuts_today(name: str) -> None:
    """No ground of the photo is left between sleeve and body, say."""
    kept = Wardrobe(Path("no-own-garments")).load(name)
    today = read_garment(BUILT_IN / name / "photo.jpg")
    # they were read from the drawing itself, which JPEG has blurred since
    assert float(np.abs(kept.alpha - today.alpha).max()) < 0.9
