"""Every reference vector of HR-VITON, CP-VTON and CP-VTON+ against this package's networks.

The vectors lie in ``../shared/reference``, whose README is the specification and gives the tolerances
(section 8). Weights are the deterministic fill of ``fill.py`` there. ``bench/synthesis.py --parity`` prints
the whole table; the tests run the quick cases and one full-size picture.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as nnf

from vastra_live.synthesis.cpvton import networks as cp
from vastra_live.synthesis.cpvton import path as cp_path
from vastra_live.synthesis.cpvton.person import Reserved, build_agnostic
from vastra_live.synthesis.hrviton import path as hr
from vastra_live.synthesis.hrviton.fast import FastGenerator
from vastra_live.synthesis.hrviton.fast_condition import FastCondition
from vastra_live.synthesis.hrviton.labels import CLASSES_7, CLASSES_13, merge_20_to_13
from vastra_live.synthesis.hrviton.networks import ConditionGenerator, ConditionOutput, SpadeGenerator

__all__ = ["CASES", "SAMPLES", "Check", "Sample", "filled", "load_fill", "real_inputs", "state_shapes"]

HALF = 1e-3
"""Rounding of values up to 2 stored as float16, and of their mean."""
COCO_OF_BODY_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)


@dataclass(frozen=True, slots=True)
class Check:
    """One vector against what was computed: largest and mean absolute difference, and their limits."""

    name: str
    worst: float
    limit: float
    mean: float
    mean_limit: float = float("inf")

    @property
    def ok(self) -> bool:
        """Within both limits."""
        return self.worst <= self.limit and self.mean <= self.mean_limit


@dataclass(frozen=True, slots=True)
class Sample:
    """A set of vectors: its folder, its salt, and the real person and cloth behind it (below ``../shared``)."""

    folder: str
    salt: str
    person: str
    cloth: str


SAMPLES = {
    "public": Sample("", "public", "00006", "people/00006/cloth-001"),
    "heldout": Sample("second-sample", "heldout", "00121", "garments/00057_00"),
}


def load_fill(shared: Path) -> Any:
    """The module ``fill.py`` of the reference folder."""
    spec = importlib.util.spec_from_file_location("reference_fill", shared / "reference" / "fill.py")
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled(shared: Path, net: nn.Module, salt: str) -> Any:
    """The network with deterministic weights, loaded strictly, in eval mode."""
    return load_fill(shared).load_into(net, salt)


def state_shapes(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """A key list: key -> (shape, dtype)."""
    lines = (line.split() for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {key: (tuple(int(n) for n in shape.strip("()").split(",") if n), dtype) for key, shape, dtype in lines}


def compare(name: str, got: Tensor, want: Any, limit: float, mean_limit: float = float("inf")) -> Check:
    difference = np.abs(got.float().numpy() - np.asarray(want, np.float32))
    return Check(name, float(difference.max()), limit, float(difference.mean()), mean_limit)


def from_u8(array: Any) -> Tensor:
    """0..255 as -1..1."""
    return torch.from_numpy((np.asarray(array).astype(np.float32) / 255 - 0.5) / 0.5)


def _rgb(path: Path) -> Tensor:
    return from_u8(Image.open(path).convert("RGB")).permute(2, 0, 1)[None]


def real_inputs(shared: Path, sample: Sample) -> hr.TryOnInputs:
    """The prepared full-size inputs of a real sample."""
    people, prep = shared / "people" / sample.person, shared / "reference" / sample.folder / "prep"
    parse = np.asarray(Image.open(people / "parse-agnostic.png"))
    mask = np.asarray(Image.open(shared / f"{sample.cloth}.mask.jpg")) >= 128
    return hr.TryOnInputs(
        agnostic=_rgb(prep / f"{sample.person}_00-agnostic.png"),
        densepose=_rgb(people / "densepose.jpg"),
        parse_agnostic=torch.from_numpy(merge_20_to_13(parse)).long()[None],
        cloth=_rgb(shared / f"{sample.cloth}.jpg"),
        cloth_mask=torch.from_numpy(mask.astype(np.float32))[None, None],
    )


def _condition_checks(said: ConditionOutput, want: Any, suffix: str, flow: float, rest: float) -> Iterator[Check]:
    half = HALF if suffix else 0.0
    mean = 1e-4 if suffix else float("inf")
    for i, got in enumerate(said.flows):
        yield compare(f"flow{i}", got, want[f"flow{i}"], flow if i == 4 else 1e-3, mean)
    yield compare("logits", said.logits, want["segmentation" + suffix], rest + 4 * half, mean + half)
    yield compare("warped cloth", said.warped_cloth, want["warped_cloth" + suffix], rest, mean + half)
    yield compare("warped mask", said.warped_mask, want["warped_mask" + suffix], rest, mean + half)


def condition_small(shared: Path) -> Iterator[Check]:
    want = np.load(shared / "reference" / "hrviton-tocg-small.npz")
    net: ConditionGenerator = filled(shared, ConditionGenerator(16), "public")
    said = net(torch.from_numpy(want["input1"]), torch.from_numpy(want["input2"]))
    yield from _condition_checks(said, want, "", 3e-3, 3e-3)


def condition_full(shared: Path, sample: Sample) -> Iterator[Check]:
    want = np.load(shared / "reference" / sample.folder / "hrviton-tocg-full.npz")
    net: ConditionGenerator = filled(shared, ConditionGenerator(), sample.salt)
    parse = torch.from_numpy(want["parse_agnostic_label"]).long()
    person = torch.cat((hr.one_hot(parse, CLASSES_13), torch.from_numpy(want["densepose"])), 1)
    cloth = torch.from_numpy(want["input1"])
    yield from _condition_checks(net(cloth, person), want, "_f16", 3e-3, 5e-3)
    for check in _condition_checks(FastCondition(net)(cloth, person), want, "_f16", 3e-3, 5e-3):
        yield Check("folded " + check.name, check.worst, check.limit, check.mean, check.mean_limit)


def generator_small(shared: Path, width: int, suffix: str) -> Iterator[Check]:
    fill = load_fill(shared)
    want = np.load(shared / "reference" / f"hrviton-gen-small{suffix}.npz")
    x = torch.from_numpy(fill.random_input(f"gen-x{suffix}", (1, 9, 256, width), "public", "sign"))
    seg = torch.from_numpy(fill.random_onehot(f"gen-seg{suffix}", (1, 7, 256, width), "public", 16))
    net: SpadeGenerator = fill.load_into(SpadeGenerator(8, 256, width), "public")
    kept: dict[str, Tensor] = {}
    for name in ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1"):
        net.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: kept.update({name: out}))
    yield compare("output", net(x, seg), want["output"], 2e-4)
    for name, features in kept.items():
        if f"block_{name}" in want:
            yield compare(name, features[:, :8], want[f"block_{name}"], 2e-4)
    if width % 128 == 0:
        yield compare("fast output", FastGenerator(net)(x, seg), want["output"], 2e-4)


def path_stages(shared: Path, sample: Sample) -> Iterator[Check]:
    """Everything of the whole path but the picture."""
    want = np.load(shared / "reference" / sample.folder / "hrviton-path.npz")
    inputs = real_inputs(shared, sample)
    net: ConditionGenerator = filled(shared, ConditionGenerator(), sample.salt)
    for occlusion in (False, True):
        got = hr.run(inputs, net, lambda x, _seg: x[:, :3], occlusion)
        garment = got.garment
        if not occlusion:
            yield compare("agnostic", inputs.agnostic[..., ::8, ::8], want["agnostic_s8"], 1e-6)
            yield compare("densepose", inputs.densepose[..., ::8, ::8], want["densepose_s8"], 1e-6)
            yield compare("composed logits", got.composed[..., ::4, ::4], want["segmentation_composed_s4"], 5e-3, 1e-4)
            enlarged = nnf.interpolate(got.composed, size=inputs.agnostic.shape[2:], mode="bilinear")
            yield compare("enlarged logits", enlarged[..., ::8, ::8], want["gauss_in_s8"], 5e-3, 1e-4)
            yield compare("blurred logits", got.blurred[..., ::8, ::8], want["gauss_out_s8"], 5e-3, 1e-4)
            for name, label in (("label13", got.label13), ("label7", got.label7)):
                share = float((label.numpy() != want[name]).mean())
                yield Check(f"{name}, share of pixels that differ", share, 5e-4, share)
            yield compare("warped grid", garment.grid[:, ::8, ::8], want["warped_grid_s8"], 1e-4)
            yield compare("warped mask", garment.mask[..., ::8, ::8], want["warped_mask_before_s8"], 5e-3, 1e-4)
        else:
            yield compare("visible mask", garment.visible_mask[..., ::8, ::8], want["warped_mask_after_s8"], 5e-3, 1e-4)
        name = f"warped_cloth_occlusion_{'on' if occlusion else 'off'}_s8"
        yield compare(name, garment.visible_cloth[..., ::8, ::8], want[name], 5e-3, 1e-4)


def path_picture(shared: Path, sample: Sample, occlusions: tuple[bool, ...], fast: bool) -> Iterator[Check]:
    """The picture at 1024 x 768 on the stored labels, so that a flipped label is not a generator's error.

    The garment is the one our own condition generator warped (the vectors hold every eighth pixel of theirs),
    whose limit is 5e-3; so is therefore the picture's.
    """
    folder = shared / "reference" / sample.folder
    want = np.load(folder / "hrviton-path.npz")
    inputs = real_inputs(shared, sample)
    condition: ConditionGenerator = filled(shared, ConditionGenerator(), sample.salt)
    net: SpadeGenerator = filled(shared, SpadeGenerator(), sample.salt)
    paint: hr.GeneratorFn = FastGenerator(net) if fast else net
    stored = hr.one_hot(torch.from_numpy(want["label7"]).long(), CLASSES_7)
    for occlusion in occlusions:
        output = hr.run(inputs, condition, lambda x, _seg: paint(x, stored), occlusion).output
        word = "on" if occlusion else "off"
        vector = want[f"output_occlusion_{word}_s4_f16"]
        yield compare(f"output, occlusion {word}", output[..., ::4, ::4], vector, 5e-3 + 5e-4, 1e-4 + 5e-4)
        png = np.asarray(Image.open(folder / f"hrviton-output-occlusion-{word}.png"))[None]
        yield compare(f"PNG levels, occlusion {word}", hr.picture_u8(output), png, 1, 0.01)


def cpvton(shared: Path, sample: Sample, plus: bool) -> Iterator[Check]:
    folder = shared / "reference" / sample.folder
    name = "cpvtonplus" if plus else "cpvton"
    gmm, tom = np.load(folder / f"{name}-gmm.npz"), np.load(folder / f"{name}-tom.npz")
    matching: cp.GeometricMatching = filled(shared, cp.GeometricMatching(plus), sample.salt)
    try_on: cp.TryOn = filled(shared, cp.TryOn(plus), sample.salt)
    cloth, mask = from_u8(gmm["cloth_u8"]), torch.from_numpy(gmm["cloth_mask"].astype(np.float32))
    matched = matching(from_u8(gmm["agnostic_u8"]), mask if plus else cloth)
    yield compare("theta", matched.theta, gmm["theta"], 1e-5)
    yield compare("grid", matched.grid[:, ::4, ::4], gmm["grid_stride4"], 5e-5)
    moved, moved_mask = cp_path.warp(matched.grid, cloth, mask)
    yield compare("warped cloth", moved[..., ::2, ::2], gmm["warped_cloth_stride2"], 2e-3)
    yield compare("warped mask", moved_mask[..., ::2, ::2], gmm["warped_mask_stride2"], 2e-3)
    other, _ = cp_path.warp(matched.grid, cloth, mask, align_corners=False)
    yield compare("warped cloth, AC=False", other[..., ::8, ::8], gmm["warped_cloth_align_false_stride8"], 2e-3)
    stored = from_u8(tom["warped_cloth_u8"])
    reloaded, reloaded_mask = cp_path.store_and_reload(moved, moved_mask)
    yield compare("warped cloth in 8 bits", reloaded, stored, 2 / 255 + 1e-6)
    seen = [from_u8(tom["agnostic_u8"]), stored]
    if plus:
        yield compare("binary mask", reloaded_mask, tom["warped_mask_binary"], 0)
        seen.append(torch.from_numpy(tom["warped_mask_binary"].astype(np.float32)))
    raw = try_on(torch.cat(seen, 1))
    yield compare("raw", raw[..., ::4, ::4], tom["raw_stride4"], 2e-4)
    yield compare("try-on", cp_path.compose(raw, stored)[0][..., ::2, ::2], tom["tryon_stride2"], 2e-4 + 5e-4)
    rgb, parse, points = _small_person(shared / "people" / sample.person)
    kinds = (Reserved.PLUS_MATCHING, Reserved.PLUS_TRY_ON) if plus else (Reserved.CPVTON, Reserved.CPVTON)
    for stage, vectors, kept in (("GMM", gmm, kinds[0]), ("TOM", tom, kinds[1])):
        built = torch.from_numpy(build_agnostic(rgb, parse, parse, points, kept))[None]
        yield compare(f"agnostic of {stage}", built, from_u8(vectors["agnostic_u8"]), 1e-6)


def _small_person(folder: Path) -> tuple[Any, Any, Any]:
    """Picture, parse and COCO-18 points of a person at 192 x 256."""
    size = (cp.WIDTH, cp.HEIGHT)
    rgb = np.asarray(Image.open(folder / "image.jpg").resize(size, Image.Resampling.BILINEAR))
    parse = np.asarray(Image.open(folder / "parse.png").resize(size, Image.Resampling.NEAREST))
    person = json.loads((folder / "keypoints.json").read_text())["people"][0]
    flat = person.get("pose_keypoints_2d") or person["pose_keypoints"]
    points = np.asarray(flat, np.float32).reshape(-1, 3)[:, :2]
    return rgb, parse, (points[list(COCO_OF_BODY_25)] if len(points) == 25 else points) / 4


Case = Callable[[Path], Iterator[Check]]


def _cases() -> dict[str, Case]:
    cases: dict[str, Case] = {
        "condition small": condition_small,
        "generator small": partial(generator_small, width=192, suffix=""),
        "generator small 128": partial(generator_small, width=128, suffix="-128"),
    }
    for name, sample in SAMPLES.items():
        cases[f"condition full, {name}"] = partial(condition_full, sample=sample)
        cases[f"path stages, {name}"] = partial(path_stages, sample=sample)
        for word, fast in (("fast", True), ("plain", False)):
            picture = partial(path_picture, sample=sample, occlusions=(True, False), fast=fast)
            cases[f"picture {word}, {name}"] = picture
        for word, plus in (("CP-VTON", False), ("CP-VTON+", True)):
            cases[f"{word}, {name}"] = partial(cpvton, sample=sample, plus=plus)
    return cases


CASES: dict[str, Case] = _cases()
"""Every case by name; each yields its checks, under ``torch.inference_mode()`` of the caller."""
