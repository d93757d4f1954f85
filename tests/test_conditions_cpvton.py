"""CP-VTON as a synthesizer: a real person, true labels, networks with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.test_conditions_parsing import write_parser
from tests.test_conditions_synthesizer import Known, seen_by_blazepose
from vastra_live.errors import NothingToFitError, WeightsError
from vastra_live.pictures import read_labels
from vastra_live.synthesis.base import Synthesizer
from vastra_live.synthesis.conditions.crop import Crop, frame_person
from vastra_live.synthesis.conditions.keypoints import complete_torso, from_blazepose
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.synthesis.cpvton.synthesizer import SIZE, CpVtonSynthesizer, layer_alpha, open_cp_vton
from vastra_live.types import Body, Category, Frame, Garment, Sleeve
from vastra_live.weights import Store

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def person(shared: Path) -> tuple[Frame, Body, np.ndarray]:
    """A data set's person, and the parse in the crop."""
    frame, body = seen_by_blazepose(shared)
    crop = frame_person(complete_torso(from_blazepose(body)), frame.size, SIZE)
    truth = read_labels(shared / "people/00121/parse.png")
    return frame, body, cv2.warpAffine(truth, crop.to_crop, SIZE, flags=cv2.INTER_NEAREST)


@pytest.fixture
def tee() -> Garment:
    alpha = np.zeros((200, 160), np.float32)
    alpha[40:160, 30:130] = 1
    return Garment("tee", Category.UPPER, Sleeve.SHORT, np.full((200, 160, 3), 90, np.uint8), alpha, {})


@pytest.fixture(scope="module", params=[False, True], ids=["cp-vton", "cp-vton-plus"])
def networks(request: pytest.FixtureRequest) -> tuple[torch.nn.Module, torch.nn.Module, bool]:
    from vastra_live.synthesis.cpvton.networks import GeometricMatching, TryOn

    torch.manual_seed(0)
    return GeometricMatching(plus=request.param).eval(), TryOn(plus=request.param).eval(), request.param


def test_a_layer_of_the_networks_size(
    person: tuple[Frame, Body, np.ndarray], networks: tuple[torch.nn.Module, torch.nn.Module, bool], tee: Garment
) -> None:
    frame, body, parse = person
    matching, try_on, plus = networks
    seen: dict[str, np.ndarray] = {}
    stages = (matching, try_on, Known(parse), plus, torch.device("cpu"))
    synthesizer = CpVtonSynthesizer(*stages, watch=seen.__setitem__)
    assert isinstance(synthesizer, Synthesizer)
    layer = synthesizer.synthesize(frame, body, tee)
    assert layer.bgr.shape == (256, 192, 3) and layer.to_frame is not None
    top = cv2.erode((parse == Cihp.UPPER_CLOTHES).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    face = cv2.erode((parse == Cihp.FACE).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert layer.alpha[top].min() > 0.99 and layer.alpha[face].max() < 0.01
    assert np.array_equal(synthesizer.synthesize(frame, body, tee).bgr, layer.bgr), "a keyframe repeats"
    other = replace(tee, bgr=255 - tee.bgr, alpha=tee.alpha[::-1].copy())
    assert not np.array_equal(synthesizer.synthesize(frame, body, other).bgr, layer.bgr), "another garment is another"
    assert list(seen) == ["frame", "crop", "keypoints", "parse", "placed", "dressed", "layer-alpha"]
    synthesizer.close()
    with pytest.raises(RuntimeError, match="closed"):
        synthesizer.synthesize(frame, body, tee)


def test_the_garment_may_reach_beyond_the_worn_top_but_not_over_the_head() -> None:
    parse = np.zeros((256, 192), np.uint8)
    parse[20:60, 70:120] = Cihp.FACE
    placed = np.zeros((256, 192), bool)
    placed[30:200, 40:150] = True
    alpha = layer_alpha(parse, placed, Crop(0, 0, 1.0, SIZE, (192, 128)))
    assert alpha[90:120, 60:130].min() > 0.99
    assert alpha[24:56, 74:116].max() < 0.01
    assert alpha[132:].max() < 0.01, "beyond the frame"


def test_what_is_no_top_is_not_dressed(
    person: tuple[Frame, Body, np.ndarray], networks: tuple[torch.nn.Module, torch.nn.Module, bool], tee: Garment
) -> None:
    frame, body, parse = person
    matching, try_on, plus = networks
    trousers = Garment("jeans", Category.LOWER, Sleeve.NONE, tee.bgr, tee.alpha, {})
    with pytest.raises(NothingToFitError, match="jeans is of category lower"):
        CpVtonSynthesizer(matching, try_on, Known(parse), plus, torch.device("cpu")).synthesize(frame, body, trousers)


# one of them: large networks are slow to save and fill
@pytest.mark.parametrize("networks", [True], indirect=True, ids=["cp-vton-plus"])
def test_opened_from_its_files(
    tmp_path: Path, networks: tuple[torch.nn.Module, torch.nn.Module, bool], person: tuple[Frame, Body, np.ndarray],
    tee: Garment,
) -> None:  # fmt: skip
    matching, try_on, _ = networks
    kind, store = "cp-vton-plus", Store(tmp_path)
    with pytest.raises(WeightsError, match=r"parsing_lip\.onnx, .*gmm\.pth, .*tom\.pth in .*pull cp-vton-plus$"):
        open_cp_vton(store)
    torch.save(matching.state_dict(), tmp_path / f"{kind}-gmm.pth")
    torch.save(try_on.state_dict(), tmp_path / f"{kind}-tom.pth")
    with pytest.raises(WeightsError, match=r"cp-vton-plus needs parsing_lip\.onnx in"):
        open_cp_vton(store)
    write_parser(tmp_path / "parsing_atr.onnx", 18, 512)
    synthesizer = open_cp_vton(store, device="cpu")
    layer = synthesizer.synthesize(person[0], person[1], tee)
    assert layer.bgr.shape == (256, 192, 3)
