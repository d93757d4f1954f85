"""HR-VITON as one call a keyframe on a fixed device: folded networks, the garment's half kept, CUDA graph.

On CUDA the whole path between the input buffers and the picture is captured once as a graph and replayed, so
a keyframe costs one launch instead of about a thousand. Elsewhere the same code runs call by call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from vastra_live.synthesis.base import Progress
from vastra_live.synthesis.hrviton import path
from vastra_live.synthesis.hrviton.checks import check_tensor
from vastra_live.synthesis.hrviton.dense import DenseGenerator
from vastra_live.synthesis.hrviton.fast import FastGenerator
from vastra_live.synthesis.hrviton.fast_condition import FastCondition
from vastra_live.synthesis.hrviton.labels import CLASSES_7
from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator

__all__ = ["Keyframe", "Person", "TryOnEngine"]

WARM_UP_CALLS = 3
"""Calls before a capture: cuDNN picks its algorithms and the allocator its blocks in these."""

_CONDITION_SHARE = 0.2
"""Of a CPU's time for both networks, roughly; the rest doubles from block to block of the image generator."""
_BLOCKS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What the engine needs of one person at H x W; as in :class:`path.TryOnInputs`, N = 1.

    Attributes:
        agnostic: (1, 3, H, W) float32, RGB in -1..1.
        densepose: (1, 3, H, W) float32, RGB in -1..1.
        parse_agnostic: (1, H, W) int64, 0..12.
    """

    agnostic: Tensor
    densepose: Tensor
    parse_agnostic: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """What one call gives back, on the engine's device. The next call overwrites it: copy what you keep.

    Attributes:
        picture: (1, H, W, 3) uint8, RGB.
        label7: (1, H, W) int64, 0..6.
        garment_mask: (1, 1, H, W) float32, 0..1, the warped garment's visible part.
    """

    picture: Tensor
    label7: Tensor
    garment_mask: Tensor


class TryOnEngine:
    """Both networks on one device at one size. Called by one thread.

    Args:
        condition: the plain condition generator with its weights; copied, can be dropped.
        generator: the plain image generator with its weights; its height and width are the engine's.
        device: where to run.
        dtype: of the image generator's features; default float16 on CUDA, else float32. The condition generator
            stays in float32, TF32 off: it is a nineteenth of the work and cannot bear less.
        handle_occlusion: see :func:`path.warp_garment`.

    Raises:
        ValueError: the generator's size is not a multiple of 128.
    """

    def __init__(
        self,
        condition: ConditionGenerator,
        generator: SpadeGenerator,
        device: torch.device,
        dtype: torch.dtype | None = None,
        handle_occlusion: bool = True,
    ) -> None:
        self.device = device
        self.dtype = dtype or (torch.float16 if device.type == "cuda" else torch.float32)
        self.height, self.width = generator.height, generator.width
        self._handle_occlusion = handle_occlusion
        self._condition = FastCondition(condition, device)
        form = DenseGenerator if device.type == "cuda" else FastGenerator
        self._generator: FastGenerator | DenseGenerator = form(generator, device, self.dtype)
        self._cloth: Tensor | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        h, w = self.height, self.width
        with torch.inference_mode():
            self._inputs = path.TryOnInputs(
                agnostic=torch.zeros(1, 3, h, w, device=device),
                densepose=torch.zeros(1, 3, h, w, device=device),
                parse_agnostic=torch.zeros(1, h, w, dtype=torch.int64, device=device),
                cloth=torch.zeros(1, 3, h, w, device=device),
                cloth_mask=torch.zeros(1, 1, h, w, device=device),
            )

    @property
    def name(self) -> str:
        """What runs, on what: such as ``hr-viton cuda float16 768x1024``."""
        precision = str(self.dtype).removeprefix("torch.")
        return f"hr-viton {self.device.type} {precision} {self.width}x{self.height}"

    @torch.inference_mode()
    def wear(self, cloth: Tensor, cloth_mask: Tensor) -> None:
        """Take another garment: (1, 3, H, W) RGB in -1..1 and (1, 1, H, W) 0/1, float32."""
        check_tensor("TryOnEngine", "cloth", cloth, tuple(self._inputs.cloth.shape))
        check_tensor("TryOnEngine", "cloth_mask", cloth_mask, tuple(self._inputs.cloth_mask.shape))
        self._inputs.cloth.copy_(cloth)
        self._inputs.cloth_mask.copy_(cloth_mask)
        with self._convolutions():
            features = self._condition.cloth_features(path.cloth_input(self._inputs.cloth, self._inputs.cloth_mask))
        if self._cloth is None:
            self._features = features
            self._cloth = features.cloth
            return
        # a captured graph reads these very buffers
        self._cloth.copy_(features.cloth)
        for kept, new in zip(self._features.levels, features.levels, strict=True):
            kept.copy_(new)

    def warm_up(self) -> None:
        """Make the slow first call now, on empty inputs; needs a garment.

        Raises:
            RuntimeError: no garment was worn yet.
            torch.cuda.OutOfMemoryError: the size does not fit on the device.
        """
        inputs = self._inputs
        self(Person(inputs.agnostic, inputs.densepose, inputs.parse_agnostic))

    @torch.inference_mode()
    def __call__(self, person: Person, progress: Progress = lambda _stage, _done: None) -> Keyframe:
        """Dress one person.

        Tensors in pinned memory are uploaded behind the caller's back: leave them alone until the result was read.

        Args:
            person: who.
            progress: told of the two networks; on CUDA, where they are one launch, nobody is.

        Raises:
            RuntimeError: no garment was worn yet.
            TypeError, ValueError: an input has another dtype or shape.
            torch.cuda.OutOfMemoryError: the size does not fit on the device.
        """
        if self._cloth is None:
            raise RuntimeError("TryOnEngine: call wear() with a garment before the first person")
        for name in ("agnostic", "densepose", "parse_agnostic"):
            kept, new = getattr(self._inputs, name), getattr(person, name)
            check_tensor("TryOnEngine", name, new, tuple(kept.shape), floating=kept.is_floating_point())
            kept.copy_(new, non_blocking=True)
        if self.device.type != "cuda":
            return self._keyframe(progress)
        if self._graph is None:
            self._capture()
        assert self._graph is not None
        self._graph.replay()
        return self._captured

    def _keyframe(self, progress: Progress = lambda _stage, _done: None) -> Keyframe:
        def on_block(index: int) -> None:
            painted = ((1 << index) - 1) / ((1 << _BLOCKS) - 1)
            progress("generator", _CONDITION_SHARE + (1 - _CONDITION_SHARE) * painted)

        progress("condition generator", 0.0)
        inputs = self._inputs
        person = path.person_input(inputs.parse_agnostic, inputs.densepose)
        said = self._condition.dress(self._features, person)
        blurred = path.blur_logits(path.compose_logits(said), self.height, self.width)
        label7 = path.merge_13_to_7(blurred.argmax(1))
        garment = path.warp_garment(said.flows[-1], inputs.cloth, inputs.cloth_mask, blurred, self._handle_occlusion)
        output = self._generator(path.generator_input(inputs, garment), path.one_hot(label7, CLASSES_7), on_block)
        return Keyframe(path.picture_u8(output), label7, garment.visible_mask)

    def _convolutions(self) -> AbstractContextManager[None]:
        """Fixed sizes: let cuDNN search. No TF32: it is as coarse as float16, and float32 was asked for."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False)

    def _capture(self) -> None:
        with torch.cuda.device(self.device), self._convolutions():
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP_CALLS):
                    self._keyframe()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._captured = self._keyframe()
            self._graph = graph
