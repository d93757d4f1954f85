"""Label sets, and ONNX parsers of the real models' shapes, written here with a known answer."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vastra_live.errors import GpuMemoryError, MissingDependencyError, SynthesisError, WeightsError
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.conditions.densepose import read_parts
from vastra_live.synthesis.conditions.drawing import draw_labels, draw_mask
from vastra_live.synthesis.conditions.keypoints import complete_torso, read_openpose
from vastra_live.synthesis.conditions.labels import ATR_LABELS, LIP_LABELS, Cihp, LabelSet, to_cihp
from vastra_live.synthesis.conditions.parsing import OnnxParser, _argmax, _into, find_neck

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

LIP = {
    "background": 0, "hat": 1, "hair": 2, "glove": 3, "sunglasses": 4, "upper-clothes": 5, "dress": 6, "coat": 7,
    "socks": 8, "pants": 9, "jumpsuits": 6, "scarf": 11, "skirt": 12, "face": 13, "left-arm": 14, "right-arm": 15,
    "left-leg": 16, "right-leg": 17, "left-shoe": 18, "right-shoe": 19,
}  # fmt: skip
ATR = {
    "background": 0, "hat": 1, "hair": 2, "sunglasses": 4, "upper-clothes": 5, "skirt": 12, "pants": 9, "dress": 6,
    "belt": 9, "left-shoe": 18, "right-shoe": 19, "face": 13, "left-leg": 16, "right-leg": 17, "left-arm": 14,
    "right-arm": 15, "bag": 0, "scarf": 11,
}  # fmt: skip


@pytest.mark.parametrize(
    ("numbering", "names", "table"), [(LabelSet.LIP, LIP_LABELS, LIP), (LabelSet.ATR, ATR_LABELS, ATR)]
)
def test_every_label_is_mapped_by_its_name(numbering: LabelSet, names: tuple[str, ...], table: dict[str, int]) -> None:
    assert list(names) == list(table)
    ours = to_cihp(np.arange(len(names), dtype=np.uint8)[None], numbering)
    assert_array_equal(ours[0], list(table.values()))
    with pytest.raises(ValueError, match=f"got {len(names)}"):
        to_cihp(np.array([[len(names)]], np.uint8), numbering)


def test_cihp_stays() -> None:
    labels = np.arange(20, dtype=np.uint8)[None]
    assert_array_equal(to_cihp(labels, LabelSet.CIHP), labels)


def class_colours(classes: int) -> np.ndarray:
    """A colour for each class, far enough apart to be told from each other; (classes, 3) uint8, blue-green-red."""
    steps = np.array([0, 110, 220])
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)[:classes].astype(np.uint8)


def write_parser(path: Path, classes: int, side: int, outputs: tuple[int, ...] = (), inputs: int = 1) -> Path:
    """An ONNX parser of the real models' shapes: a quarter of the input's side, and the last full output is right.

    The class of a pixel is that of the nearest colour of :func:`class_colours`: linear in the picture, so one 1x1
    convolution of stride 4 computes it from the normalised input.
    """
    mean, std = np.array([0.406, 0.456, 0.485]), np.array([0.225, 0.224, 0.229])
    colours = (class_colours(classes) / 255 - mean) / std
    weight = (2 * colours * std**2)[:, :, None, None].astype(np.float32)
    bias = -((colours * std) ** 2).sum(axis=1).astype(np.float32)
    counts = outputs or (classes, classes, 2)
    nodes, tensors, infos = [], [], []
    out = (side - 1) // 4 + 1
    for number, count in enumerate(counts):
        right = count == classes and number == len(counts) - 2
        w = weight if right else np.zeros((count, 3, 1, 1), np.float32)
        b = bias if right else np.arange(count, dtype=np.float32)
        tensors += [onnx.numpy_helper.from_array(w, f"w{number}"), onnx.numpy_helper.from_array(b, f"b{number}")]
        nodes.append(
            onnx.helper.make_node("Conv", ["input.1", f"w{number}", f"b{number}"], [f"o{number}"], strides=[4, 4])
        )
        infos.append(onnx.helper.make_tensor_value_info(f"o{number}", onnx.TensorProto.FLOAT, [1, count, out, out]))
    taken = [
        onnx.helper.make_tensor_value_info(f"input.{i + 1}", onnx.TensorProto.FLOAT, [1, 3, side, side])
        for i in range(inputs)
    ]
    graph = onnx.helper.make_graph(nodes, "parser", taken, infos, tensors)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize(("numbering", "side"), [(LabelSet.LIP, 473), (LabelSet.ATR, 512)])
@pytest.mark.parametrize("size", [(192, 256), (320, 180), (768, 1024)])
def test_a_parser_of_the_real_shapes(tmp_path: Path, numbering: LabelSet, side: int, size: tuple[int, int]) -> None:
    parser = OnnxParser(write_parser(tmp_path / "parser.onnx", numbering.classes, side), numbering)
    assert parser.input_size == (side, side)
    width, height = size
    truth = np.zeros((height, width), np.uint8)
    for label in range(numbering.classes):
        top, left = divmod(label, 5)
        truth[top * height // 4 : (top + 1) * height // 4, left * width // 5 : (left + 1) * width // 5] = label
    found = parser.labels(class_colours(numbering.classes)[truth])
    assert found.shape == truth.shape and found.dtype == np.uint8
    # borders, and the picture's own edge, may be off by a pixel of the model's grid; inside, the class is right
    framed = np.pad(truth, 1, constant_values=255)
    kernel = np.ones((3 + 2 * (max(size) // 60), 3 + 2 * (max(size) // 60)), np.uint8)
    inside = (cv2.dilate(framed, kernel) == cv2.erode(framed, kernel))[1:-1, 1:-1]
    assert_array_equal(found[inside], truth[inside])
    assert inside.mean() > 0.3 and set(np.unique(found[inside])) == set(range(numbering.classes))


@pytest.mark.parametrize("smooth", [1.0, 3.0])
@pytest.mark.parametrize("size", [(90, 120), (120, 50)])
def test_scores_are_read_as_enlarged_and_turned_back(smooth: float, size: tuple[int, int]) -> None:
    """The look-up equals what it stands for, every pixel's bilinear scores, and SCHP's two steps nearly."""
    rng = np.random.default_rng(3)
    scores = cv2.GaussianBlur(rng.normal(size=(32, 32, 5)).astype(np.float32), (0, 0), smooth).transpose(2, 0, 1)
    scores, model = np.ascontiguousarray(scores), (125, 125)
    to_model = _into(*size, model)
    fast = _argmax(scores, to_model, model, size)

    def bilinear(at: np.ndarray) -> np.ndarray:
        return np.maximum(0, 1 - np.abs(np.clip(at, 0, 31)[:, None] - np.arange(32)))

    x, y = ((to_model[i, i] * np.arange(n) + to_model[i, 2]) * 31 / 124 for i, n in enumerate(size))
    plain = np.einsum("yi,xj,cij->cyx", bilinear(y), bilinear(x), scores)
    top = np.sort(plain, axis=0)
    # remap reads at 32nds of a grid step
    clear = top[-1] - top[-2] > 0.05 * plain.std()
    assert_array_equal(fast[clear], plain.argmax(axis=0)[clear])
    assert clear.mean() > 0.9

    enlarged = np.einsum("yi,xj,cij->yxc", *[bilinear(np.arange(125) * 31 / 124)] * 2, scores).astype(np.float32)
    theirs = cv2.warpAffine(enlarged, to_model, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP).argmax(axis=2)
    assert (fast == theirs).mean() > 0.96


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"hello" * 100), "not an ONNX model"),
        (lambda path: path.write_bytes(b"<html>sign in</html>"), "not an ONNX model"),
        (lambda path: path.write_bytes(b""), "not an ONNX model"),
        (lambda path: write_parser(path, 18, 512), "20 classes of lip"),
        (lambda path: write_parser(path, 20, 64, outputs=(2, 20, 2), inputs=2), "expected one input"),
        (lambda _: None, "no such file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, make: object, reason: str) -> None:
    path = tmp_path / "parsing_lip.onnx"
    make(path)  # type: ignore[operator]
    with pytest.raises(WeightsError, match=reason) as refusal:
        OnnxParser(path, LabelSet.LIP)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_pulling_and_verifying_open_a_parser_as_its_entry_says(tmp_path: Path) -> None:
    from vastra_live.synthesis.checkpoints import check
    from vastra_live.weights import Store, read_manifest

    entries = {e.name: e.model_copy(update={"sha256": None, "size": None}) for e in read_manifest()}
    store = Store(tmp_path / "weights", tuple(entries.values()))
    brought = tmp_path / "brought"
    brought.mkdir()
    write_parser(brought / "parsing_lip.onnx", 20, 473)
    write_parser(brought / "parsing_atr.onnx", 20, 512)
    store.pull("parser-lip", source=str(brought), accept_licence=True, check=check)
    store.verify("parser-lip", check)
    with pytest.raises(WeightsError, match=r"parsing_atr\.onnx: is not a parser with the 18 classes of atr"):
        store.pull("parser-atr", source=str(brought), accept_licence=True, check=check)


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    path = write_parser(tmp_path / "parser.onnx", 20, 473)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(WeightsError, match=r"parser\.onnx"):
        OnnxParser(path, LabelSet.LIP)


def test_a_failure_while_running_is_a_synthesis_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = OnnxParser(write_parser(tmp_path / "parser.onnx", 20, 473), LabelSet.LIP)
    monkeypatch.setattr(parser, "_input", "another name")
    with pytest.raises(SynthesisError, match="human parser failed"):
        parser.labels(np.zeros((64, 48, 3), np.uint8))


def test_where_it_runs_is_known(tmp_path: Path) -> None:
    path = write_parser(tmp_path / "parser.onnx", 20, 473)
    assert not OnnxParser(path, LabelSet.LIP, ["CPUExecutionProvider"]).on_gpu


def test_without_onnxruntime_the_install_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vastra-live\[synthesis\]'"):
        OnnxParser(tmp_path / "parser.onnx", LabelSet.LIP)


@pytest.mark.parametrize("name", ["00006", "00121", "00135", "00330", "00460"])
@pytest.mark.parametrize("called", [Cihp.FACE, Cihp.BACKGROUND], ids=["as ATR", "as LIP"])
def test_the_neck_is_found_where_a_parser_has_no_class_for_it(shared: Path, name: str, called: Cihp) -> None:
    folder = shared / "people" / name
    truth = read_labels(folder / "parse.png")
    person = read_parts(read_picture(folder / "densepose.jpg").bgr) > 0
    keypoints = complete_torso(read_openpose(folder / "keypoints.json"))
    seen = np.where(truth == Cihp.NECK, np.uint8(called), truth)
    neck, found = truth == Cihp.NECK, find_neck(seen, keypoints, person) == Cihp.NECK
    assert (neck & found).sum() / (neck | found).sum() > 0.85


def test_without_a_nose_the_parse_stays() -> None:
    from vastra_live.synthesis.conditions.keypoints import Keypoints

    parse = np.full((64, 48), Cihp.FACE, np.uint8)
    nobody = Keypoints(np.zeros((25, 2)), np.zeros(25, bool))
    assert_array_equal(find_neck(parse, nobody, np.ones((64, 48), bool)), parse)


def test_labels_are_drawn_in_colours_of_their_own() -> None:
    drawn = draw_labels(np.arange(20, dtype=np.uint8)[None])[0]
    assert len(np.unique(drawn, axis=0)) == 20
    # PASCAL VOC's first: black, dark red, dark green
    assert_array_equal(drawn[:3], [[0, 0, 0], [0, 0, 128], [0, 128, 0]])
    assert_array_equal(np.unique(draw_mask(np.array([[0, 1]], np.uint8))), [0, 255])


class FullSession:
    """onnxruntime on a device, out of memory in the words of its CUDA provider."""

    def __init__(self, providers: list[str], error: Exception) -> None:
        self._providers, self._error = providers, error

    def get_providers(self) -> list[str]:
        return self._providers

    def run(self, *_: object) -> None:
        raise self._error


FULL = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node. "
    f"Name:'{'layer4/' * 60}Conv' Status Message: onnxruntime/core/framework/bfc_arena.cc:376 void* "
    "onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 9"
)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("RuntimeException", FULL),
        ("Fail", "[ONNXRuntimeError] : 1 : FAIL : onnxruntime::CudaCall CUDA failure 2: out of memory ; GPU=0"),
        ("EPFail", "[ONNXRuntimeError] : 11 : EP_FAIL : CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0"),
        (
            "EPFail",
            "[ONNXRuntimeError] : 11 : EP_FAIL : CUDNN failure 4003: "
            "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0",
        ),
    ],
)
def test_a_full_gpu_memory_is_told_apart(kind: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All three are kinds that onnxruntime raises; on the CPU the same words are about another memory."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    path = write_parser(tmp_path / "lip.onnx", 20, 64)
    parser, picture = OnnxParser(path, LabelSet.LIP), np.zeros((64, 48, 3), np.uint8)
    error: Exception = getattr(state, kind)(text)
    parser._session = FullSession(["CUDAExecutionProvider", "CPUExecutionProvider"], error)
    with pytest.raises(GpuMemoryError, match="no room in the GPU's memory") as told:
        parser.labels(picture)
    assert told.value.__cause__ is error
    parser._session = FullSession(["CPUExecutionProvider"], error)
    with pytest.raises(SynthesisError, match="the human parser failed") as told:
        parser.labels(picture)
    assert not isinstance(told.value, GpuMemoryError)

    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr("onnxruntime.InferenceSession", full)
    with pytest.raises(GpuMemoryError):
        OnnxParser(path, LabelSet.LIP)


def test_onnxruntime_does_not_go_over_to_the_cpu_by_itself(tmp_path: Path) -> None:
    parser = OnnxParser(write_parser(tmp_path / "lip.onnx", 20, 64), LabelSet.LIP)
    assert not parser._session._enable_fallback
