"""Each fast form beside its plain twin."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="HR-VITON needs the synthesis extra")

from vastra_live.errors import SynthesisError  # noqa: E402
from vastra_live.synthesis.conditions.cloth import ClothConditions  # noqa: E402
from vastra_live.synthesis.conditions.keypoints import Keypoints  # noqa: E402
from vastra_live.synthesis.conditions.person import PersonConditions  # noqa: E402
from vastra_live.synthesis.hrviton import fast, path  # noqa: E402
from vastra_live.synthesis.hrviton.accelerate import TryOnEngine  # noqa: E402
from vastra_live.synthesis.hrviton.dense import DenseGenerator  # noqa: E402
from vastra_live.synthesis.hrviton.fast import FastGenerator  # noqa: E402
from vastra_live.synthesis.hrviton.fast_condition import FastCondition  # noqa: E402
from vastra_live.synthesis.hrviton.inputs import signed_rgb, to_inputs  # noqa: E402
from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator  # noqa: E402
from vastra_live.synthesis.hrviton.patterns import OUTSIDE, find_patterns  # noqa: E402
from vastra_live.synthesis.hrviton.transfer import Fetched, Sent  # noqa: E402

SIZE = (256, 128)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Thousands of tiny steps: two threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def generator() -> SpadeGenerator:
    """Random weights of the size a trained network's are, so that every part shows in the output."""
    torch.manual_seed(1)
    net = SpadeGenerator(4, *SIZE).eval()
    for name, value in net.state_dict().items():
        if value.dim() > 1:
            torch.nn.init.normal_(value, std=1.4 / value[0].numel() ** 0.5)
        elif name.endswith(("weight_u", "weight_v")):
            torch.nn.init.normal_(value, std=value.numel() ** -0.5)
    for module in net.modules():
        if hasattr(module, "weight_orig"):
            matrix = module.weight_orig.detach().flatten(1)
            left, _, right = torch.linalg.svd(matrix, full_matrices=False)
            module.weight_u.copy_(left[:, 0])
            module.weight_v.copy_(right[0])
    return net


def labels_of(kind: str, height: int, width: int) -> torch.Tensor:
    """(1, H, W): one label, broad areas, or a different label at every pixel."""
    rng = np.random.default_rng(3)
    if kind == "flat":
        cells = np.full((1, 1), 4)
    else:
        side = 32 if kind == "areas" else 1
        cells = rng.integers(0, 7, (height // side, width // side))
    grown = cells.repeat(height // cells.shape[0], 0).repeat(width // cells.shape[1], 1)
    return torch.from_numpy(grown).long()[None]


def resized(net: SpadeGenerator, height: int, width: int) -> SpadeGenerator:
    other = SpadeGenerator(net.ngf, height, width).eval()
    other.load_state_dict(net.state_dict())
    return other


@torch.inference_mode()
@pytest.mark.parametrize(
    ("kind", "height", "width"), [("flat", *SIZE), ("noise", *SIZE), ("areas", *SIZE), ("areas", 384, 256)]
)
def test_fast_and_dense_paint_the_plain_picture(generator: SpadeGenerator, kind: str, height: int, width: int) -> None:
    x = torch.rand(1, 9, height, width) * 2 - 1
    seg = path.one_hot(labels_of(kind, height, width), 7)
    want = resized(generator, height, width)(x, seg)
    for form in (FastGenerator(generator), DenseGenerator(generator, dtype=torch.float32)):
        # the coarsest features are two pixels, whose normalisation magnifies rounding
        torch.testing.assert_close(form(x, seg), want, atol=1e-3, rtol=0)
        assert (form(x, seg) - want).abs().mean() < 2e-5


@torch.inference_mode()
def test_a_picture_in_many_pieces_is_the_same(generator: SpadeGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    x, seg = torch.rand(1, 9, *SIZE), path.one_hot(labels_of("areas", *SIZE), 7)
    whole = FastGenerator(generator)(x, seg)
    monkeypatch.setattr(fast, "PIECE_VALUES", 5000)
    torch.testing.assert_close(FastGenerator(generator)(x, seg), whole, atol=2e-5, rtol=0)


@torch.inference_mode()
def test_several_pictures_at_once_are_each_their_own(generator: SpadeGenerator) -> None:
    x = torch.rand(2, 9, *SIZE)
    seg = path.one_hot(torch.cat([labels_of("areas", *SIZE), labels_of("flat", *SIZE)]), 7)
    want = generator(x, seg)
    for form in (FastGenerator(generator), DenseGenerator(generator, dtype=torch.float32)):
        torch.testing.assert_close(form(x, seg), want, atol=2e-4, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_above_40_db(generator: SpadeGenerator, dtype: torch.dtype) -> None:
    x, seg = torch.rand(1, 9, *SIZE) * 2 - 1, path.one_hot(labels_of("areas", *SIZE), 7)
    error = (DenseGenerator(generator, dtype=dtype)(x, seg).float() - generator(x, seg)).square().mean()
    assert 10 * torch.log10(4 / error) > 40


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 7), st.integers(0, 2**16))
def test_patterns_hold_the_neighbourhood_of_every_pixel(height: int, width: int, labels: int, seed: int) -> None:
    grid = np.random.default_rng(seed).integers(0, labels, (height, width))
    found = find_patterns(torch.from_numpy(grid))
    padded = np.pad(grid, 2, constant_values=OUTSIDE)
    windows = found.windows[found.parts][found.index].numpy().reshape(height, width, 3, 3, 3, 3)
    for y in range(3):
        for x in range(3):
            want = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))[y : y + height, x : x + width]
            np.testing.assert_array_equal(windows[:, :, y, x], want)
    assert len(torch.unique(found.windows, dim=0)) == len(found.windows)
    assert len(torch.unique(found.parts, dim=0)) == len(found.parts)


def test_a_parse_of_a_person_holds_few_patterns(shared: Path) -> None:
    stored = np.load(shared / "reference" / "hrviton-path.npz")["label7"][0]
    found = find_patterns(torch.from_numpy(stored).long())
    assert len(found.parts) < stored.size / 100


@torch.inference_mode()
def test_fast_refuses_what_the_plain_form_refuses(generator: SpadeGenerator) -> None:
    for form in (FastGenerator(generator), DenseGenerator(generator, dtype=torch.float32)):
        with pytest.raises(ValueError, match="multiples of 128, got 256 x 192"):
            form(torch.zeros(1, 9, 256, 192), torch.zeros(1, 7, 256, 192))
        with pytest.raises(ValueError, match=r"seg: expected shape \(1, 7, 256, 128\), got \(1, 13, 256, 128\)"):
            form(torch.zeros(1, 9, *SIZE), torch.zeros(1, 13, *SIZE))


@torch.inference_mode()
@pytest.mark.parametrize("value", [0.0, 0.5, 2.0])
def test_a_look_up_takes_one_label_a_pixel_and_nothing_else(generator: SpadeGenerator, value: float) -> None:
    seg = path.one_hot(labels_of("areas", *SIZE), 7)
    seg[0, :, 5, 7] *= value
    with pytest.raises(ValueError, match="expected one-hot labels"):
        FastGenerator(generator)(torch.zeros(1, 9, *SIZE), seg)


@pytest.fixture(scope="module")
def condition() -> ConditionGenerator:
    torch.manual_seed(2)
    net = ConditionGenerator(16).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.normal_(module.weight, mean=1.0, std=0.1)
            torch.nn.init.normal_(module.bias, std=0.1)
    return net


@torch.inference_mode()
def test_folded_condition_generator_says_the_same_and_reuses_a_garment(condition: ConditionGenerator) -> None:
    folded = FastCondition(condition)
    cloth = torch.rand(2, 4, 96, 64)
    garment = folded.cloth_features(cloth)
    for _ in range(2):
        person = torch.rand(2, 16, 96, 64)
        want, got = condition(cloth, person), folded.dress(garment, person)
        for a, b in zip((*want.flows, *want[1:]), (*got.flows, *got[1:]), strict=True):
            torch.testing.assert_close(b, a, atol=1e-3, rtol=0)


def a_pair(height: int, width: int, seed: int = 0) -> tuple[PersonConditions, ClothConditions]:
    """Somebody and something, of noise."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (4, height, width, 3), np.uint8)
    parse = labels_of("areas", height, width)[0].numpy().astype(np.uint8)
    nobody = Keypoints(np.zeros((25, 2)), np.zeros(25, bool))
    person = PersonConditions(pictures[0], nobody, parse, pictures[1], pictures[2], parse, parse > 3)
    mask = np.zeros((height, width), np.uint8)
    mask[height // 6 : -height // 6, width // 6 : -width // 6] = 1
    return person, ClothConditions(pictures[3], mask)


@torch.inference_mode()
def test_the_engine_gives_the_path_s_picture_and_takes_another_garment(
    condition: ConditionGenerator, generator: SpadeGenerator
) -> None:
    height, width = 384, 256
    sized = resized(generator, height, width)
    engine = TryOnEngine(condition, sized, torch.device("cpu"))
    person, first = a_pair(height, width)
    with pytest.raises(RuntimeError, match="wear"):
        engine(person)
    with pytest.raises(RuntimeError, match="wear"):
        engine.warm_up()
    for cloth in (first, ClothConditions(np.ascontiguousarray(first.bgr[:, ::-1]), first.mask)):
        engine.wear(cloth)
        engine.warm_up()
        got = engine(person)
        want = path.run(to_inputs(person, cloth), condition, sized)
        torch.testing.assert_close(got.garment_mask, want.garment.visible_mask, atol=5e-3, rtol=0)
        assert (got.label7 != want.label7[0].numpy()).mean() < 5e-4
        picture = path.picture_u8(want.output)[0].numpy()[:, :, ::-1]
        assert np.abs(got.bgr.astype(int) - picture).mean() < 0.2
    with pytest.raises(ValueError, match=r"agnostic_bgr: expected \(384, 256, 3\) uint8, got \(256, 256, 3\) uint8"):
        engine(a_pair(256, 256)[0])


@torch.inference_mode()
def test_weights_that_overflow_float16_take_the_engine_to_bfloat16(
    condition: ConditionGenerator, generator: SpadeGenerator
) -> None:
    loud = resized(generator, 256, 256)
    loud.up_3.conv_0.bias[0] = 1e5  # float16 ends at 65504
    engine = TryOnEngine(condition, loud, torch.device("cpu"), torch.float16)
    person, cloth = a_pair(256, 256)
    engine.wear(cloth)
    assert engine.name == "hr-viton cpu float16 256x256"
    wide = TryOnEngine(condition, loud, torch.device("cpu"), torch.bfloat16)
    wide.wear(cloth)
    for _ in range(2):
        np.testing.assert_array_equal(engine(person).bgr, wide(person).bgr)
        assert engine.name == "hr-viton cpu bfloat16 256x256"
    loud.up_3.conv_0.bias[0] = float("nan")
    engine = TryOnEngine(condition, loud, torch.device("cpu"), torch.float32)
    engine.wear(cloth)
    with pytest.raises(SynthesisError, match="not finite"):
        engine(person)


class Replay:
    """A CUDA graph's behaviour: what is done once more leaves its results in the same place."""

    def __init__(self, engine: TryOnEngine) -> None:
        self._again = engine._paint
        self.painted = self._again()

    def replay(self) -> None:
        fresh = self._again()
        for name in ("bgr", "label7", "garment_mask", "finite"):
            getattr(self.painted, name).copy_(getattr(fresh, name))


@torch.inference_mode()
def test_a_graph_is_captured_once_and_anew_for_another_precision_when_the_first_is_gone(
    condition: ConditionGenerator, generator: SpadeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = resized(generator, 256, 256)
    loud.up_3.conv_0.bias[0] = 1e5
    cpu = torch.device("cpu")
    engine, plain = TryOnEngine(condition, loud, cpu, torch.float16), TryOnEngine(condition, loud, cpu, torch.bfloat16)
    captured: list[weakref.ref[Replay]] = []

    def capture() -> tuple[Replay, object]:
        assert [graph() for graph in captured] == [None] * len(captured), "two graphs at once need twice the memory"
        graph = Replay(engine)
        captured.append(weakref.ref(graph))
        return graph, graph.painted

    monkeypatch.setattr(engine, "_capture", capture)
    cloth = a_pair(256, 256)[1]
    for one in (engine, plain):
        one.wear(cloth)
    # from here on as on a GPU, for which this machine stands in
    engine.device = SimpleNamespace(type="cuda")  # type: ignore[assignment]
    for seed in (1, 2, 3):
        person = a_pair(256, 256, seed)[0]
        np.testing.assert_array_equal(engine(person).bgr, plain(person).bgr)
    assert len(captured) == 2 and engine.name == "hr-viton cuda bfloat16 256x256"


class Card:
    """A fence that writes down what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def record(self) -> None:
        self.asked.append("record")

    def synchronize(self) -> None:
        self.asked.append("wait")


def test_what_the_card_may_still_read_is_not_written_over() -> None:
    card = Card()
    sent = Sent({"a": (2, 3)}, torch.device("cpu"), card)
    pictures = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    for picture in pictures:
        sent.send({"a": picture})
        np.testing.assert_array_equal(sent.there["a"].numpy(), picture)
    assert card.asked == ["wait", "record", "wait", "record"]
    with pytest.raises(ValueError, match=r"a: expected \(2, 3\) uint8, got \(2, 2\) uint8"):
        sent.send({"a": pictures[0, :, :2]})


def test_what_was_fetched_is_whole_and_one_s_own() -> None:
    card = Card()
    fetched = Fetched({"a": (2, 3)}, torch.device("cpu"), card)
    tensor = torch.ones(2, 3, dtype=torch.uint8)
    first = fetched.fetch({"a": tensor})["a"]
    second = fetched.fetch({"a": tensor * 2})["a"]
    assert (first == 1).all() and (second == 2).all()
    assert card.asked == ["record", "wait", "record", "wait"]


def test_on_the_device_bytes_become_the_path_s_numbers() -> None:
    bgr = np.arange(4 * 64 * 3, dtype=np.uint16).astype(np.uint8).reshape(4, 64, 3)
    want = ((torch.from_numpy(bgr[:, :, ::-1].copy()).float() / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]
    assert torch.equal(signed_rgb(torch.from_numpy(bgr)), want)
