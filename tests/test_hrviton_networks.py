"""The plain networks: names and shapes of the checkpoints, numbers of the originals, refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="HR-VITON needs the synthesis extra")

from bench.parity import CASES, state_shapes  # noqa: E402
from vastra_live.synthesis.hrviton.networks import (  # noqa: E402
    ConditionGenerator,
    SpadeGenerator,
    rename_generator_keys,
)


@pytest.mark.parametrize(
    ("keys", "build"),
    [("keys-hrviton-tocg.txt", ConditionGenerator), ("keys-hrviton-gen.txt", SpadeGenerator)],
)
def test_a_checkpoint_of_the_published_keys_loads_strictly(
    shared: Path, keys: str, build: Callable[[], torch.nn.Module]
) -> None:
    shapes = state_shapes(shared / "reference" / keys)
    with torch.device("meta"):
        state = {k: torch.empty(shape, dtype=getattr(torch, dtype)) for k, (shape, dtype) in shapes.items()}
        net = build()
        net.load_state_dict(state, strict=True)
        own = {k: (tuple(v.shape), str(v.dtype).removeprefix("torch.")) for k, v in net.state_dict().items()}
        with pytest.raises(RuntimeError, match="conv"):
            net.load_state_dict({k: v for k, v in state.items() if "conv" not in k}, strict=True)
    assert own == shapes


def test_renaming_the_generator_checkpoint() -> None:
    one = torch.zeros(1)
    old = {"up_0.norm_0.Spade.conv_gamma.bias": one, "up_0.ace_0.x": one, "conv_img.bias": one}
    assert set(rename_generator_keys(old)) == {"up_0.norm_0.conv_gamma.bias", "up_0.alias_0.x", "conv_img.bias"}
    assert rename_generator_keys(rename_generator_keys(old)).keys() == rename_generator_keys(old).keys()
    with pytest.raises(ValueError, match="2 keys become 1"):
        rename_generator_keys({"a.Spade.b": one, "a.b": one})


@pytest.mark.parametrize(
    "case", ["condition small", "condition full, public", "generator small", "generator small 128"]
)
def test_numbers_of_the_originals(shared: Path, case: str) -> None:
    with torch.inference_mode():
        assert [check for check in CASES[case](shared) if not check.ok] == []


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Thousands of tiny steps: two threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_generator() -> SpadeGenerator:
    torch.manual_seed(0)
    net = SpadeGenerator(4, 256, 128).eval()
    for name, value in net.named_buffers():
        if name.endswith(("weight_u", "weight_v")):
            torch.nn.init.normal_(value)
    return net


@pytest.mark.usefixtures("one_thread")
@torch.inference_mode()
def test_noise_is_off_by_default_and_repeats_with_its_seed() -> None:
    net = small_generator()
    for name, value in net.named_parameters():
        if name.endswith("noise_scale"):
            value.fill_(0.5)
    x, seg = torch.randn(1, 9, 256, 128), torch.zeros(1, 7, 256, 128)
    seg[:, 2] = 1

    def noisy(seed: int) -> torch.Tensor:
        return net(x, seg, noise=torch.Generator().manual_seed(seed))

    assert torch.equal(net(x, seg), net(x, seg))
    assert torch.equal(noisy(1), noisy(1))
    assert not torch.allclose(noisy(1), noisy(2), atol=1e-4)
    assert not torch.allclose(noisy(1), net(x, seg), atol=1e-4)


def test_inputs_of_the_wrong_shape_or_kind_are_refused_with_both_shapes() -> None:
    net, condition = small_generator(), ConditionGenerator(64)
    x, seg = torch.zeros(1, 9, 256, 128), torch.zeros(1, 7, 256, 128)
    with pytest.raises(ValueError, match=r"SpadeGenerator.seg: expected shape \(1, 7, 256, 128\), got \(1, 13, 256"):
        net(x, torch.zeros(1, 13, 256, 128))
    with pytest.raises(ValueError, match=r"SpadeGenerator.x: expected shape \('any', 9, 256, 128\)"):
        net(x[..., :64], seg)
    with pytest.raises(TypeError, match=r"expected a floating point tensor, got torch.int64"):
        net(x, seg.long())
    with pytest.raises(TypeError, match=r"x: expected torch.float32 as the network's weights, got torch.float64"):
        net(x.double(), seg)
    with pytest.raises(ValueError, match="at least 128 and 256, got 128 x 128"):
        SpadeGenerator(8, 128, 128)
    with pytest.raises(ValueError, match="multiples of 32, got 64 x 72"):
        condition(torch.zeros(1, 4, 64, 72), torch.zeros(1, 16, 64, 72))
    with pytest.raises(ValueError, match="at least 64, got 64 x 32"):
        condition(torch.zeros(1, 4, 64, 32), torch.zeros(1, 16, 64, 32))
    with pytest.raises(TypeError, match=r"person: expected torch.float32 as the network's weights, got torch.float16"):
        condition(torch.zeros(1, 4, 64, 64), torch.zeros(1, 16, 64, 64).half())


@torch.inference_mode()
def test_the_plain_networks_run_in_double_precision_too() -> None:
    """By which what single precision loses is known."""
    torch.manual_seed(0)
    net, condition = small_generator(), ConditionGenerator(8).eval()
    x, seg = torch.rand(1, 9, 256, 128), torch.zeros(1, 7, 256, 128)
    seg[:, 2] = 1
    cloth, person = torch.rand(1, 4, 64, 64), torch.rand(1, 16, 64, 64)
    single = net(x, seg), condition(cloth, person)
    double = net.double()(x.double(), seg.double()), condition.double()(cloth.double(), person.double())
    assert double[0].dtype == double[1].flows[-1].dtype == double[1].warped_cloth.dtype == torch.float64
    torch.testing.assert_close(single[0].double(), double[0], atol=1e-4, rtol=0)
    torch.testing.assert_close(single[1].logits.double(), double[1].logits, atol=1e-3, rtol=0)


def test_the_packages_open_without_torch() -> None:
    names = ("vastra_live.synthesis", "vastra_live.synthesis.hrviton", "vastra_live.synthesis.cpvton")
    script = "".join(f"import {n}\n" for n in names) + "import sys\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
