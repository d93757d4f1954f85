"""A folder in the published layout goes straight through `photo`: its files instead of the stages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.test_conditions_dataset import load_fill
from vastra_live.cli import main
from vastra_live.errors import PictureError, SynthesisError
from vastra_live.photo import is_published, route, try_on_published
from vastra_live.pictures import read_picture
from vastra_live.synthesis.conditions.cloth import ClothConditions
from vastra_live.synthesis.conditions.dataset import read_cloth, read_person
from vastra_live.synthesis.conditions.densepose import PartsFinder
from vastra_live.synthesis.conditions.labels import LabelSet
from vastra_live.weights import Store

torch = pytest.importorskip("torch")

from vastra_live.synthesis.hrviton import path  # noqa: E402 - needs torch
from vastra_live.synthesis.hrviton.accelerate import TryOnEngine  # noqa: E402
from vastra_live.synthesis.hrviton.inputs import to_inputs  # noqa: E402
from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator  # noqa: E402
from vastra_live.synthesis.hrviton.synthesizer import HrVitonSynthesizer, open_hr_viton  # noqa: E402

SIZE = (384, 512)
OPEN = "vastra_live.synthesis.hrviton.synthesizer.open_engine"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Thousands of tiny steps: two threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def networks(shared: Path) -> tuple[ConditionGenerator, SpadeGenerator]:
    """Both networks at reduced width and size, filled deterministically."""
    fill = load_fill(shared)
    condition, generator = ConditionGenerator(ngf=16).eval(), SpadeGenerator(4, SIZE[1], SIZE[0]).eval()
    for network in (condition, generator):
        fill.load_into(network, "public")
    return condition, generator


@pytest.fixture
def engine(networks: tuple[ConditionGenerator, SpadeGenerator], monkeypatch: pytest.MonkeyPatch) -> TryOnEngine:
    engine = TryOnEngine(*networks, torch.device("cpu"))
    monkeypatch.setattr(OPEN, lambda: engine)
    return engine


@pytest.fixture
def pair(published: Path) -> tuple[Path, Path]:
    return published / "image/00006_00.jpg", published / "cloth/001.jpg"


@pytest.fixture(scope="module")
def wanted(published: Path, networks: tuple[ConditionGenerator, SpadeGenerator]) -> np.ndarray:
    """The plain path's picture of the folder's files: (H, W, 3) int, BGR."""
    inputs = to_inputs(read_person(published, "00006_00", SIZE), read_cloth(published, "001", SIZE))
    with torch.inference_mode():
        output = path.run(inputs, *networks).output
    return path.picture_u8(output)[0].numpy()[:, :, ::-1].astype(int)


@pytest.mark.usefixtures("engine")
def test_the_command_writes_the_networks_picture_and_every_stage(
    pair: tuple[Path, Path],
    wanted: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["photo", *map(str, pair), "-o", "out.png", "--synthesizer", "hr-viton", "--debug-dir", "stages"]
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "hr-viton cpu float32 384x512 is at work" in capsys.readouterr().err
    off = np.abs(read_picture(tmp_path / "out.png").bgr - wanted)
    assert off.shape == (512, 384, 3)
    # a label on the edge between two may fall to the other side
    assert (off > 1).mean() < 1e-3
    assert [file.stem.split("-", 1)[1] for file in sorted((tmp_path / "stages").iterdir())] == [
        "crop", "keypoints", "parse", "densepose", "agnostic", "parse-agnostic", "cloth", "cloth-mask", "labels",
        "warped-mask", "dressed", "result",
    ]  # fmt: skip


@pytest.mark.usefixtures("engine")
def test_progress_names_the_stages_and_only_grows(pair: tuple[Path, Path], tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    try_on_published(*pair, tmp_path / "out.png", progress=lambda stage, done: told.append((stage, done)))
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == ["models", "conditions", "condition generator", "generator"]
    shares = [done for _, done in told]
    assert shares == sorted(shares) and shares[0] == 0 and 0.5 < shares[-1] < 1
    assert sum(stage == "generator" for stage, _ in told) == 8


def test_other_pictures_are_not_published(pair: tuple[Path, Path], tmp_path: Path) -> None:
    person, cloth = pair
    assert is_published(person, cloth)
    assert not is_published(cloth, cloth)
    assert not is_published(person, Path("coast-tee"))
    with pytest.raises(PictureError, match="laid out as VITON-HD"):
        try_on_published(person, tmp_path / "shirt.jpg", tmp_path / "out.png")


def test_a_missing_file_of_the_folder_is_named(engine: TryOnEngine, pair: tuple[Path, Path], tmp_path: Path) -> None:
    del engine
    for folder in ("image", "image-parse-v3", "openpose_json"):
        (tmp_path / folder).mkdir()
    Image.open(pair[0]).save(tmp_path / "image/a.png")
    (tmp_path / "openpose_json/a_keypoints.json").write_text(
        json.dumps(json.loads((pair[0].parent.parent / "openpose_json/00006_00_keypoints.json").read_text()))
    )
    with pytest.raises(PictureError, match=r"image-parse-v3/a\.jpg"):
        try_on_published(tmp_path / "image/a.png", pair[1], tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), "the GPU's memory is full; free some, or use the CPU"),
        (
            RuntimeError("CUDA error: no kernel image is available\nCompile with TORCH_USE_CUDA_DSA"),
            r"the GPU failed \(CUDA error: no kernel image is available\); use the CPU",
        ),
    ],
)
def test_a_gpu_that_cannot_is_one_line(
    error: Exception, said: str, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot() -> TryOnEngine:
        raise error

    monkeypatch.setattr(OPEN, cannot)
    with pytest.raises(SynthesisError, match=f"^hr-viton: {said}: set CUDA_VISIBLE_DEVICES to -1$"):
        try_on_published(*pair, tmp_path / "out.png")


class Asked:
    """A parser and a DensePose that count."""

    numbering = LabelSet.CIHP
    on_gpu = False

    def __init__(self) -> None:
        self.asked = 0

    def labels(self, bgr: np.ndarray) -> np.ndarray:
        self.asked += 1
        return np.zeros(bgr.shape[:2], np.uint8)

    parts = labels

    def warm_up(self, bgr: np.ndarray) -> None:
        self.labels(bgr)


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_on_cuda_it_is_warm_before_the_first_frame_and_the_parser_s_cpu_is_told(
    device: str, engine: TryOnEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "vastra_live.synthesis.hrviton.synthesizer"
    parser, densepose = Asked(), Asked()
    monkeypatch.setattr(f"{module}.require", lambda _: None)
    monkeypatch.setattr(OPEN, lambda *_: engine)
    monkeypatch.setattr("vastra_live.synthesis.checkpoints.open_parser", lambda _: parser)
    monkeypatch.setattr("vastra_live.synthesis.conditions.densepose.DensePose", lambda *_, **__: densepose)
    monkeypatch.setattr(Store, "path", lambda *_: tmp_path)
    warm: list[int] = []
    monkeypatch.setattr(engine, "device", torch.device(device))
    monkeypatch.setattr(engine, "warm_up", lambda: warm.append(1))
    told: list[str] = []
    synthesizer = open_hr_viton(Store(tmp_path), tell=told.append)
    assert synthesizer.name == f"hr-viton {device} float32 384x512"
    if device == "cuda":
        assert warm == [1] and (parser.asked, densepose.asked) == (1, 1)
        assert len(told) == 1 and "parser runs on the CPU" in told[0]
    else:
        assert not warm and not told, "a keyframe takes seconds there, warm or cold"


def test_warming_up_asks_every_stage_and_leaves_no_trace(
    engine: TryOnEngine,
    published: Path,
    wanted: np.ndarray,
) -> None:
    from vastra_live.synthesis.hrviton.synthesizer import dress

    parser, densepose = Asked(), Asked()
    finder: PartsFinder = densepose
    synthesizer = HrVitonSynthesizer(engine, finder, parser)
    assert synthesizer.name == "hr-viton cpu float32 384x512"
    synthesizer.warm_up()
    assert (parser.asked, densepose.asked) == (1, 1)
    made = dress(engine, read_person(published, "00006_00", SIZE), read_cloth(published, "001", SIZE))
    assert (np.abs(made - wanted) > 1).mean() < 1e-3


def test_the_garment_s_features_are_computed_once(
    engine: TryOnEngine,
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, calls = engine._condition.cloth_features, []
    monkeypatch.setattr(engine._condition, "cloth_features", lambda cloth: calls.append(1) or kept(cloth))
    cloth: ClothConditions = read_cloth(published, "001", SIZE)
    person = read_person(published, "00006_00", SIZE)
    engine.wear(cloth)
    first, second = (engine(person).bgr for _ in range(2))
    assert len(calls) == 1
    assert np.array_equal(first, second) and not np.shares_memory(first, second)


def test_a_folder_of_links_is_a_published_folder(pair: tuple[Path, Path], tmp_path: Path) -> None:
    root = pair[0].parent.parent
    for file in root.glob("*/*"):
        link = tmp_path / file.relative_to(root)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(file)
    assert is_published(tmp_path / "image/00006_00.jpg", tmp_path / "cloth/001.jpg")


def test_auto_takes_the_folder_s_files_where_the_networks_are_there(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VASTRA_WEIGHTS", str(tmp_path))
    told: list[str] = []
    assert route(*pair, "auto", told.append) == "embedded"
    assert len(told) == 1 and "hr-viton needs mtviton.pth, gen.pth" in told[0]
    assert route(*pair, "hr-viton", told.append) == "published", "by name, what is missing is an error"
    for name in ("mtviton.pth", "gen.pth"):
        (tmp_path / name).write_bytes(b"a file")
    assert route(*pair, "auto", told.append) == "published"
    assert route(*pair, "embedded", told.append) == "embedded"
    assert route(pair[0], tmp_path / "shirt.jpg", "auto", told.append) == "auto"
    assert len(told) == 1
