"""The built-in garments are what their script draws."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vastra_live.pictures import read_picture
from vastra_live.wardrobe.store import BUILT_IN

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
