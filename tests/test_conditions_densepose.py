"""DensePose: the drawing, reading it back, and the adapter without its library."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vastra_live.errors import MissingDependencyError
from vastra_live.pictures import read_picture
from vastra_live.synthesis.conditions.densepose import PARTS, DensePose, _paste, draw_parts, read_parts


def test_parts_are_drawn_in_the_training_datas_colours(shared: Path) -> None:
    table = json.loads((shared / "reference/densepose-colours.json").read_text())
    ids = np.array([[entry["id"] for entry in table]], np.uint8)
    assert ids.size == PARTS + 1
    assert_array_equal(draw_parts(ids)[0, :, ::-1], [entry["rgb"] for entry in table])


def test_a_known_iuv_array_is_drawn_by_its_part_alone() -> None:
    iuv = np.random.default_rng(0).integers(0, 25, (3, 40, 30), np.uint8)
    other_uv = np.stack([iuv[0], iuv[2], iuv[1]])
    assert_array_equal(draw_parts(iuv[0]), draw_parts(other_uv[0]))
    assert (draw_parts(iuv[0])[iuv[0] == 0] == 0).all()


def test_a_drawing_reads_back() -> None:
    parts = np.random.default_rng(1).integers(0, PARTS + 1, (50, 60)).astype(np.uint8)
    assert_array_equal(read_parts(draw_parts(parts)), parts)


def test_the_training_datas_own_drawings_read_as_parts(shared: Path) -> None:
    drawing = read_picture(shared / "people/00121/densepose.jpg").bgr
    again = draw_parts(read_parts(drawing))
    # all but the borders between parts, where JPEG has blended them
    assert (np.abs(again.astype(int) - drawing).max(axis=2) <= 16).mean() > 0.98


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="got 25"):
        draw_parts(np.array([[25]], np.uint8))


@pytest.mark.parametrize("corner", [(0, 0), (-3, -2), (6, 7), (100, 0)])
def test_a_box_that_leaves_the_picture_is_cut(corner: tuple[int, int]) -> None:
    labels = np.arange(1, 25, dtype=np.uint8).reshape(4, 6)
    pasted = _paste(labels, *corner, (10, 10))
    for (y, x), part in np.ndenumerate(labels):
        row, column = y + corner[1], x + corner[0]
        if 0 <= row < 10 and 0 <= column < 10:
            assert pasted[row, column] == part
            pasted[row, column] = 0
    assert not pasted.any()


def test_without_detectron2_the_install_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "detectron2", None)
    monkeypatch.setitem(sys.modules, "densepose", None)
    with pytest.raises(MissingDependencyError, match="pip install"):
        DensePose(tmp_path / "model_final_162be9.pkl")
