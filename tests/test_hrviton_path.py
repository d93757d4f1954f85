"""The whole path between the networks, stage by stage and to the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="HR-VITON needs the synthesis extra")

from bench.parity import CASES, SAMPLES, path_picture  # noqa: E402
from vastra_live.synthesis.hrviton import path  # noqa: E402
from vastra_live.synthesis.hrviton.condition import ConditionOutput  # noqa: E402
from vastra_live.synthesis.hrviton.labels import MERGE_13_TO_7, merge_20_to_13  # noqa: E402


@torch.inference_mode()
@pytest.mark.parametrize("sample", SAMPLES)
def test_stages_equal_the_stored_ones(shared: Path, sample: str) -> None:
    assert [check for check in CASES[f"path stages, {sample}"](shared) if not check.ok] == []


@torch.inference_mode()
def test_the_full_size_picture_equals_the_stored_one(shared: Path) -> None:
    """One of eight full-size pictures; ``bench/synthesis.py --parity`` makes them all, plain and fast."""
    checks = list(path_picture(shared, SAMPLES["public"], occlusions=(True,), fast=True))
    assert [check for check in checks if not check.ok] == []


def inputs(height: int = 256, width: int = 256, **changes: torch.Tensor) -> path.TryOnInputs:
    picture, mask = torch.zeros(1, 3, height, width), torch.zeros(1, 1, height, width)
    parts = {
        "agnostic": picture,
        "densepose": picture,
        "parse_agnostic": torch.zeros(1, height, width, dtype=torch.int64),
        "cloth": picture,
        "cloth_mask": mask,
    }
    return path.TryOnInputs(**{**parts, **changes})


def test_inputs_that_do_not_fit_are_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match="multiples of 128, got 256 x 192"):
        inputs(256, 192)
    with pytest.raises(ValueError, match="sides of at least 256, got 256 x 128"):
        inputs(256, 128)
    with pytest.raises(ValueError, match=r"TryOnInputs.cloth: expected shape \(1, 3, 256, 256\), got \(1, 3, 128, 128"):
        inputs(cloth=torch.zeros(1, 3, 128, 128))
    with pytest.raises(TypeError, match=r"parse_agnostic: expected an integer tensor, got torch.float32"):
        inputs(parse_agnostic=torch.zeros(1, 256, 256))


def test_what_is_kept_from_one_caller_is_good_for_one_with_gradients() -> None:
    small = torch.rand(1, 13, 64, 48)
    with torch.inference_mode():
        want = path.blur_logits(small, 256, 192)
        path.merge_13_to_7(torch.zeros(1, dtype=torch.int64))
    path.blur_logits(small.requires_grad_(), 256, 192).sum().backward()
    assert small.grad is not None and torch.equal(path.blur_logits(small.detach(), 256, 192), want)
    assert not path.merge_13_to_7(torch.zeros(1, dtype=torch.int64)).is_inference()


@torch.inference_mode()
def test_blur_equals_interpolation_and_a_15_by_15_convolution() -> None:
    composed = torch.randn(2, 13, 32, 24)
    at = torch.arange(-7, 8, dtype=torch.float64)
    bell = torch.exp(-(at[:, None] ** 2 + at[None] ** 2) / 18)
    kernel = (bell / bell.sum()).float().expand(13, 1, 15, 15)
    large = torch.nn.functional.interpolate(composed, size=(128, 96), mode="bilinear")
    want = torch.nn.functional.conv2d(large, kernel, padding=7, groups=13)
    torch.testing.assert_close(path.blur_logits(composed, 128, 96), want, atol=2e-6, rtol=0)


@torch.inference_mode()
def test_occlusion_takes_the_garment_away_where_an_arm_lies_over_it() -> None:
    flow = torch.zeros(1, 32, 32, 2)
    cloth, mask = torch.zeros(1, 3, 256, 256), torch.ones(1, 1, 256, 256)
    logits = torch.zeros(1, 13, 256, 256)
    logits[:, 3, :, :128] = 30
    logits[:, 5, :, 128:] = 30
    off = path.warp_garment(flow, cloth, mask, logits, handle_occlusion=False)
    on = path.warp_garment(flow, cloth, mask, logits, handle_occlusion=True)
    torch.testing.assert_close(off.visible_mask, mask)
    torch.testing.assert_close(on.visible_mask[..., :128], mask[..., :128])
    torch.testing.assert_close(on.visible_mask[..., 128:], torch.zeros(1, 1, 256, 128), atol=1e-6, rtol=0)
    torch.testing.assert_close(on.visible_cloth[..., 128:], torch.ones(1, 3, 256, 128))


@torch.inference_mode()
def test_the_garment_s_label_is_kept_to_the_warped_mask() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 0.5
    said = ConditionOutput((), torch.ones(1, 13, 8, 8), torch.zeros(1, 3, 8, 8), mask)
    composed = path.compose_logits(said)
    torch.testing.assert_close(composed[:, 3:4], mask)
    assert (composed[:, [*range(3), *range(4, 13)]] == 1).all()


@torch.inference_mode()
@pytest.mark.parametrize(("height", "width"), [(256, 384), (512, 256)])
def test_any_multiple_of_128_goes_through(height: int, width: int) -> None:
    def condition(cloth: torch.Tensor, person: torch.Tensor) -> ConditionOutput:
        assert cloth.shape == (1, 4, height // 4, width // 4)
        assert person.shape == (1, 16, height // 4, width // 4)
        flow = torch.zeros(1, height // 8, width // 8, 2)
        return ConditionOutput((flow,), torch.rand(1, 13, height // 4, width // 4), cloth[:, :3], cloth[:, 3:])

    result = path.run(inputs(height, width), condition, lambda x, seg: x[:, :3] * seg.sum(1, keepdim=True))
    assert result.garment.grid.shape == (1, height, width, 2)
    assert path.picture_u8(result.output).shape == (1, height, width, 3)


def test_label_merges() -> None:
    parse = np.arange(20, dtype=np.uint8)[None]
    assert merge_20_to_13(parse).tolist() == [[0, 1, 1, 12, 2, 3, 3, 3, 11, 4, 0, 12, 4, 2, 5, 6, 7, 8, 9, 10]]
    assert path.merge_13_to_7(torch.arange(13)).tolist() == list(MERGE_13_TO_7)
    with pytest.raises(ValueError, match=r"labels 0..19, got 20"):
        merge_20_to_13(np.full((1, 1), 20, np.uint8))
