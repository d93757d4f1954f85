"""CP-VTON and CP-VTON+: names and shapes of the checkpoints, numbers of the originals, the person's channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="CP-VTON needs the synthesis extra")

from bench.parity import CASES, SAMPLES, state_shapes  # noqa: E402
from vastra_live.synthesis.cpvton import path  # noqa: E402
from vastra_live.synthesis.cpvton.networks import GeometricMatching, ThinPlateSpline, TryOn  # noqa: E402
from vastra_live.synthesis.cpvton.person import Reserved, build_agnostic, pose_maps, shape_map  # noqa: E402


@pytest.mark.parametrize("plus", [False, True])
@pytest.mark.parametrize(("build", "stage"), [(GeometricMatching, "gmm"), (TryOn, "tom")])
def test_a_checkpoint_of_the_published_keys_loads_strictly(
    shared: Path, build: type[GeometricMatching | TryOn], stage: str, plus: bool
) -> None:
    name = f"keys-cpvton{'plus' if plus else ''}-{stage}.txt"
    shapes = state_shapes(shared / "reference" / name)
    state = {k: torch.zeros(shape, dtype=getattr(torch, dtype)) for k, (shape, dtype) in shapes.items()}
    net = build(plus)
    net.load_state_dict(state, strict=True)
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == {k: s for k, (s, _) in shapes.items()}


@torch.inference_mode()
@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("network", ["CP-VTON", "CP-VTON+"])
def test_numbers_of_the_originals(shared: Path, network: str, sample: str) -> None:
    assert [check for check in CASES[f"{network}, {sample}"](shared) if not check.ok] == []


@torch.inference_mode()
def test_the_spline_passes_through_its_moved_points() -> None:
    spline = ThinPlateSpline(height=5, width=5)
    corners = torch.linspace(-1, 1, 5)
    identity = spline(torch.zeros(1, 50))[0]
    torch.testing.assert_close(identity[..., 0], corners.expand(5, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(identity[..., 1], corners[:, None].expand(5, 5), atol=1e-5, rtol=0)
    theta = torch.rand(1, 50) * 0.2 - 0.1
    offsets = spline(theta)[0] - identity
    # x is the slow index of the control points: [x, y] -> [y, x]
    torch.testing.assert_close(offsets[..., 0], theta[0, :25].reshape(5, 5).t(), atol=1e-5, rtol=0)
    torch.testing.assert_close(offsets[..., 1], theta[0, 25:].reshape(5, 5).t(), atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("plus", [False, True])
def test_the_path_runs_from_channels_to_picture(plus: bool) -> None:
    torch.manual_seed(0)
    person, cloth = torch.rand(1, 22, 256, 192), torch.rand(1, 3, 256, 192)
    inputs = path.TryOnInputs(person, person, cloth, torch.ones(1, 1, 256, 192))
    result = path.run(inputs, GeometricMatching(plus).eval(), TryOn(plus).eval(), plus)
    assert result.output.shape == (1, 3, 256, 192)
    assert result.output.abs().max() <= 1
    seen, _ = path.store_and_reload(result.warped_cloth, result.warped_mask)
    covered = result.composition > 0.99
    torch.testing.assert_close(result.output * covered, seen * covered, atol=0.03, rtol=0)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cloth: expected shape \(N, 1, 256, 192\), got \(1, 3, 256, 192\)"):
        GeometricMatching(plus=True)(torch.zeros(1, 22, 256, 192), torch.zeros(1, 3, 256, 192))
    with pytest.raises(ValueError, match=r"TryOn.x: expected shape \(N, 25, 256, 192\)"):
        TryOn()(torch.zeros(1, 26, 256, 192))
    with pytest.raises(TypeError, match=r"TryOn.x: expected torch.float32, got torch.float64"):
        TryOn()(torch.zeros(1, 25, 256, 192).double())
    with pytest.raises(ValueError, match=r"agnostic: expected .*, got \(0, 22, 256, 192\)"):
        GeometricMatching()(torch.zeros(0, 22, 256, 192), torch.zeros(0, 3, 256, 192))
    with pytest.raises(ValueError, match=r"points of shape \(18, 2\), got \(25, 2\)"):
        pose_maps(np.zeros((25, 2), np.float32), 256, 192)
    small = np.zeros((16, 16), np.uint8)
    with pytest.raises(ValueError, match=r"parse: expected shape \(32, 16\), got \(16, 16\)"):
        build_agnostic(np.zeros((32, 16, 3), np.uint8), small, small, np.zeros((18, 2), np.float32), Reserved.CPVTON)


def test_a_missing_point_leaves_its_map_empty() -> None:
    points = np.zeros((18, 2), np.float32)
    points[3] = (20, 10)
    maps = pose_maps(points, 64, 48)
    assert (maps[3] == 1).sum() == 11 * 11
    assert maps[3, 10, 20] == 1
    assert (np.delete(maps, 3, 0) == -1).all()


def test_the_shape_is_coarse() -> None:
    body = np.zeros((256, 192), np.uint8)
    body[64:192, 48:144] = 5
    shape = shape_map(body)
    assert shape.shape == (1, 256, 192)
    assert shape[0, 128, 96] == 1
    assert shape[0, 0, 0] == -1
    assert -1 < shape[0, 128, 48] < 1
