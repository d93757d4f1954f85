from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vastra_live.errors import RecordingError
from vastra_live.output.contact_sheet import COLUMNS, GAP, TILES, ContactSheet
from vastra_live.types import Rendered, Shown


def pictures(count: int) -> list[Rendered]:
    def one(i: int) -> Rendered:
        bgr = np.full((60, 80, 3), i * 255 // max(1, count - 1), np.uint8)
        return Rendered(bgr, bgr, i, i, Shown.GARMENT)

    return [one(i) for i in range(count)]


@pytest.mark.parametrize("count", [1, 3, 12, 25, 300])
def test_a_sheet_shows_the_run_in_order_from_its_start(tmp_path: Path, count: int) -> None:
    path = tmp_path / "sheet.png"
    sheet = ContactSheet(path)
    for rendered in pictures(count):
        sheet.send(rendered)
    sheet.close()
    sheet.close()
    got = np.asarray(Image.open(path))
    tile_height, tile_width = 360, 480
    tiles = min(TILES, count)
    rows = -(-tiles // COLUMNS)
    assert got.shape == (rows * (tile_height + GAP) - GAP, min(COLUMNS, tiles) * (tile_width + GAP) - GAP, 3)
    levels = [
        int(got[(i // COLUMNS) * (tile_height + GAP) + 10, (i % COLUMNS) * (tile_width + GAP) + 10, 0])
        for i in range(tiles)
    ]
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[-1] >= 200 or count == 1


def test_no_picture_no_sheet(tmp_path: Path) -> None:
    ContactSheet(tmp_path / "sheet.png").close()
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    sheet = ContactSheet(tmp_path / "nowhere" / "sheet.png")
    sheet.send(pictures(1)[0])
    with pytest.raises(RecordingError, match="nowhere"):
        sheet.close()
