"""HR-VITON as one call a keyframe on a fixed device: folded networks, the garment's half kept, CUDA graph.

On CUDA the whole path between the input buffers and the picture is captured once as a graph and replayed, so
a keyframe costs one launch instead of about a thousand. Elsewhere the same code runs call by call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from vastra_live.errors import SynthesisError
from vastra_live.synthesis.base import Progress
from vastra_live.synthesis.conditions.cloth import ClothConditions
from vastra_live.synthesis.conditions.person import PersonConditions
from vastra_live.synthesis.hrviton import path
from vastra_live.synthesis.hrviton.dense import DenseGenerator
from vastra_live.synthesis.hrviton.fast import FastGenerator
from vastra_live.synthesis.hrviton.fast_condition import FastCondition
from vastra_live.synthesis.hrviton.inputs import signed_rgb
from vastra_live.synthesis.hrviton.labels import CLASSES_7, merge_20_to_13
from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator
from vastra_live.synthesis.hrviton.transfer import Fetched, Sent, fence_of
from vastra_live.types import U8

__all__ = ["Keyframe", "TryOnEngine"]

WARM_UP_CALLS = 3
"""Calls before a capture: cuDNN picks its algorithms and the allocator its blocks in these."""

_CONDITION_SHARE = 0.2
"""Of a CPU's time for both networks, roughly; the rest doubles from block to block of the image generator."""
_BLOCKS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """What one call gives back.

    Attributes:
        bgr: (H, W, 3) uint8, the dressed person.
        label7: (H, W) uint8, 0..6.
        garment_mask: (1, 1, H, W) float32, 0..1, the warped garment's visible part, on the engine's device; the next
            call overwrites it.
    """

    bgr: U8
    label7: U8
    garment_mask: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Painted:
    """A keyframe on the device, and (1,) uint8, whether every value of it is finite."""

    bgr: Tensor
    label7: Tensor
    garment_mask: Tensor
    finite: Tensor


class TryOnEngine:
    """Both networks on one device at one size. Called by one thread.

    Always the same thread: cuDNN's choices of algorithms are kept for each thread, so what one warmed up is cold for
    another.

    Args:
        condition: the plain condition generator with its weights; copied, can be dropped.
        generator: the plain image generator with its weights; its height and width are the engine's.
        device: where to run.
        dtype: of the image generator's features; default float16 on CUDA, else float32. Where weights turn out to
            overflow float16, it becomes bfloat16 for good, which has float32's range. The condition generator stays
            in float32, TF32 off: it is a nineteenth of the work and cannot bear less.
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
        self._wider = partial(form, generator, device, torch.bfloat16) if self.dtype is torch.float16 else None
        self._cloth: Tensor | None = None
        self._captured: tuple[torch.cuda.CUDAGraph, _Painted] | None = None
        plane = self.height, self.width
        picture = (*plane, 3)
        person = {"agnostic_bgr": picture, "densepose_bgr": picture, "parse_agnostic": plane}
        self._person = Sent(person, device, fence_of(device))
        self._garment = Sent({"bgr": picture, "mask": plane}, device, fence_of(device))
        self._result = Fetched({"bgr": picture, "label7": plane, "finite": (1,)}, device, fence_of(device))

    @property
    def name(self) -> str:
        """What runs, on what: such as ``hr-viton cuda float16 768x1024``."""
        precision = str(self.dtype).removeprefix("torch.")
        return f"hr-viton {self.device.type} {precision} {self.width}x{self.height}"

    @torch.inference_mode()
    def wear(self, cloth: ClothConditions) -> None:
        """Take another garment.

        Raises:
            ValueError: it is not of the engine's size.
        """
        self._garment.send({"bgr": cloth.bgr, "mask": cloth.mask})
        with self._convolutions():
            features = self._condition.cloth_features(path.cloth_input(*self._worn()))
        if self._cloth is None:
            self._features = features
            self._cloth = features.cloth
            return
        # a captured graph reads these very buffers
        self._cloth.copy_(features.cloth)
        for kept, new in zip(self._features.levels, features.levels, strict=True):
            kept.copy_(new)

    def warm_up(self) -> None:
        """Make the slow first call now, on an empty picture; needs a garment.

        Raises:
            RuntimeError: no garment was worn yet.
            torch.cuda.OutOfMemoryError: the size does not fit on the device.
        """
        self._call(lambda _stage, _done: None)

    def __call__(self, person: PersonConditions, progress: Progress = lambda _stage, _done: None) -> Keyframe:
        """Dress one person; returns when the picture is on the host.

        Args:
            person: who; of the engine's size.
            progress: told of the two networks; on CUDA, where they are one launch, nobody is.

        Raises:
            RuntimeError: no garment was worn yet.
            ValueError: the person is not of the engine's size.
            SynthesisError: the picture holds values that are not finite.
            torch.cuda.OutOfMemoryError: the size does not fit on the device.
        """
        self._person.send(
            {
                "agnostic_bgr": person.agnostic_bgr,
                "densepose_bgr": person.densepose_bgr,
                "parse_agnostic": merge_20_to_13(person.parse_agnostic),
            }
        )
        return self._call(progress)

    @torch.inference_mode()
    def _call(self, progress: Progress) -> Keyframe:
        if self._cloth is None:
            raise RuntimeError("TryOnEngine: call wear() with a garment before the first person")
        if self.device.type != "cuda":
            painted = self._paint(progress)
        else:
            if self._captured is None:
                self._captured = self._capture()
            self._captured[0].replay()
            painted = self._captured[1]
        got = self._result.fetch({"bgr": painted.bgr, "label7": painted.label7, "finite": painted.finite})
        if got["finite"][0]:
            return Keyframe(got["bgr"], got["label7"], painted.garment_mask)
        if self._wider is None:
            raise SynthesisError(f"{self.name}: the picture holds values that are not finite")
        # a graph keeps its memory, and so does what points into it: both go before the next is captured
        self._captured = None
        del painted
        self._generator, self._wider, self.dtype = self._wider(), None, torch.bfloat16
        return self._call(progress)

    def _worn(self) -> tuple[Tensor, Tensor]:
        """Cloth (1, 3, H, W) float32 RGB in -1..1 and mask (1, 1, H, W) float32, 0 or 1, as they were sent."""
        there = self._garment.there
        return signed_rgb(there["bgr"]), there["mask"].float()[None, None]

    def _paint(self, progress: Progress = lambda _stage, _done: None) -> _Painted:
        def on_block(index: int) -> None:
            painted = ((1 << index) - 1) / ((1 << _BLOCKS) - 1)
            progress("generator", _CONDITION_SHARE + (1 - _CONDITION_SHARE) * painted)

        progress("condition generator", 0.0)
        there = self._person.there
        inputs = path.TryOnInputs(
            signed_rgb(there["agnostic_bgr"]),
            signed_rgb(there["densepose_bgr"]),
            there["parse_agnostic"].long()[None],
            *self._worn(),
        )
        person = path.person_input(inputs.parse_agnostic, inputs.densepose)
        said = self._condition.dress(self._features, person)
        blurred = path.blur_logits(path.compose_logits(said), self.height, self.width)
        label7 = path.merge_13_to_7(blurred.argmax(1))
        garment = path.warp_garment(said.flows[-1], inputs.cloth, inputs.cloth_mask, blurred, self._handle_occlusion)
        output = self._generator(path.generator_input(inputs, garment), path.one_hot(label7, CLASSES_7), on_block)
        bgr = path.picture_u8(output)[0].flip(-1)
        finite = torch.isfinite(output).all().to(torch.uint8)[None]
        return _Painted(bgr, label7[0].to(torch.uint8), garment.visible_mask, finite)

    def _convolutions(self) -> AbstractContextManager[None]:
        """Fixed sizes: let cuDNN search. No TF32: it is as coarse as float16, and float32 was asked for."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False)

    def _capture(self) -> tuple[torch.cuda.CUDAGraph, _Painted]:
        """The path as a graph, and where its replay leaves the keyframe."""
        with torch.cuda.device(self.device), self._convolutions():
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP_CALLS):
                    self._paint()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            # another thread may allocate meanwhile, as onnxruntime's does: that is no error of this capture
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                painted = self._paint()
        return graph, painted
