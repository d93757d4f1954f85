"""DensePose: the drawing, reading it back, and the adapter without its library."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import cv2
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


# detectron2's own warnings
@pytest.mark.filterwarnings("ignore")
def test_the_real_network_with_random_weights_on_a_real_frame(shared: Path, tmp_path: Path) -> None:
    """Runs where detectron2 and its DensePose project are installed; docs/decisions/0007 names the versions tried."""
    pytest.importorskip("densepose")
    import torch

    from vastra_live.errors import NothingToFitError, WeightsError
    from vastra_live.synthesis.conditions.densepose import build_model

    weights = tmp_path / "model_final_162be9.pkl"
    frame = cv2.resize(read_picture(shared / "people/00121/image.jpg").bgr, (384, 512))
    for seed in range(10):
        torch.manual_seed(seed)
        state = {key: value.numpy() for key, value in build_model("cpu", 0.0).state_dict().items()}
        weights.write_bytes(pickle.dumps({"model": state, "__author__": "nobody"}, protocol=4))
        try:
            parts = DensePose(weights, device="cpu", min_score=0.0).parts(frame)
        except NothingToFitError:
            # no box of a random network need survive
            continue
        if parts.any():
            break
    else:
        pytest.fail("no random network found anybody")
    assert parts.shape == frame.shape[:2] and parts.dtype == np.uint8
    assert draw_parts(parts).shape == frame.shape

    # nobody can be found above a score of 1: only the given box takes the warm-up through a person's layers
    strict = DensePose(weights, device="cpu", min_score=1.01)
    heads: list[int] = []
    strict._model.roi_heads.densepose_predictor.register_forward_hook(lambda *_: heads.append(1))
    with pytest.raises(NothingToFitError):
        strict.parts(np.full_like(frame, 128))
    assert heads == []
    strict.warm_up(np.full_like(frame, 128))
    assert heads == [1]

    del state["roi_heads.box_head.fc1.bias"]
    weights.write_bytes(pickle.dumps({"model": state, "__author__": "nobody"}, protocol=4))
    with pytest.raises(WeightsError, match=r"1 of \d+ keys missing \(roi_heads\.box_head\.fc1\.bias\)"):
        DensePose(weights, device="cpu")
