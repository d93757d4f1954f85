"""HR-VITON as a synthesizer: crop, conditions, the two networks, and the layer cut from their picture."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import numpy as np

from vastra_live.errors import MissingDependencyError
from vastra_live.synthesis.base import Progress
from vastra_live.synthesis.checkpoints import require_files
from vastra_live.synthesis.conditions.cloth import ClothConditions, prepare_cloth, refuse_all_but_tops
from vastra_live.synthesis.conditions.densepose import INSTALL as DENSEPOSE_INSTALL
from vastra_live.synthesis.conditions.densepose import PartsFinder, draw_parts
from vastra_live.synthesis.conditions.drawing import draw_crop, draw_labels, draw_mask
from vastra_live.synthesis.conditions.person import PersonConditions, prepare_person
from vastra_live.synthesis.conditions.seen import Parser, see
from vastra_live.synthesis.hrviton.cover import Cover
from vastra_live.types import U8, Body, Frame, Garment, Layer

if TYPE_CHECKING:
    from vastra_live.synthesis.hrviton.accelerate import Keyframe, TryOnEngine
    from vastra_live.weights import Store

__all__ = [
    "SIZES",
    "HrVitonSynthesizer",
    "Watch",
    "dress",
    "open_engine",
    "open_hr_viton",
    "require",
    "require_networks",
]

SIZES: Final = ((768, 1024), (384, 512))
"""Widths and heights to work at, best first: the training data's, and the next smaller one in its ratio, 3:4, with
sides that are multiples of 128."""

Watch = Callable[[str, U8], None]
"""Sees every intermediate: its name, and it as a picture."""

# where a progress bar stands when a stage begins, by a CPU's time, roughly
_BEGINS: Final = {"densepose": 0.0, "parsing": 0.2, "conditions": 0.3}
_NETWORKS_BEGIN: Final = 0.35

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class _Stages:
    engine: TryOnEngine
    densepose: PartsFinder
    parser: Parser


class HrVitonSynthesizer:
    """Photo-real keyframes; a :class:`~vastra_live.synthesis.base.Synthesizer`. See :func:`open_hr_viton`.

    With ``beside``, both networks and DensePose have a thread of their own, and the calling one does meanwhile what
    needs no GPU of torch's: the parser runs beside DensePose, and half of the layer's alpha is made while the networks
    paint. It is always the same thread, since cuDNN's choices belong to the thread that made them: what
    :meth:`warm_up` warmed stays warm, whoever calls.

    Args:
        engine: both networks.
        densepose: finds the body parts.
        parser: finds the clothes.
        watch: sees every intermediate.
        progress: told of every stage.
        beside: work on a thread of its own, for networks on a GPU. Where everything is on the CPU's cores, it gains
            nothing.

    Attributes:
        name: with device, precision and size of the networks, such as ``hr-viton cuda float16 768x1024``.
    """

    def __init__(
        self,
        engine: TryOnEngine,
        densepose: PartsFinder,
        parser: Parser,
        watch: Watch | None = None,
        progress: Progress = lambda _stage, _done: None,
        *,
        beside: bool = False,
    ) -> None:
        self._stages: _Stages | None = _Stages(engine, densepose, parser)
        self._watch = watch
        self._progress = progress
        self.name = engine.name
        self._worn: Garment | None = None
        self._beside = ThreadPoolExecutor(1, "vastra-networks") if beside else None

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The layer for this frame, in the crop's resolution.

        Raises:
            NothingToFitError: no shoulders, too small, nobody DensePose could find, or the garment is no top.
            SynthesisError: a stage failed.
            RuntimeError: the synthesizer was closed, before or meanwhile.
        """
        stages = self._open_stages()
        refuse_all_but_tops(garment, "hr-viton")
        engine = stages.engine
        size = engine.width, engine.height
        seen = see(frame, body, size, stages.parser, stages.densepose, self._begin, self._beside)
        assert seen.parts is not None
        self._begin("conditions")
        person = prepare_person(seen.bgr, seen.keypoints, seen.parse, draw_parts(seen.parts))
        self._show("frame", lambda: draw_crop(frame.bgr, seen.crop))
        if self._watch is not None:
            for name, drawn in person.drawn().items():
                self._watch(name, drawn)
        if garment is not self._worn:
            cloth = prepare_cloth(garment, size)
            self._start(engine.wear, cloth)()
            self._worn = garment
            self._show("cloth", lambda: cloth.bgr)
            self._show("cloth-mask", lambda: draw_mask(cloth.mask))
        painting = self._start(engine, person, _within(self._goes_on))
        cover = Cover(person, seen.crop)
        made = painting()
        self.name = engine.name  # its precision, where these weights overflow the one it began with
        alpha = cover.alpha(made.label7)
        if self._watch is not None:
            _watch_networks(made, self._watch)
            self._watch("layer-alpha", draw_mask((alpha > 0.5).astype(np.uint8)))
        return Layer(bgr=made.bgr, alpha=alpha, frame=frame, body=body, garment=garment, to_frame=seen.crop.to_frame)

    def warm_up(self) -> None:
        """Make the slow first call of every stage now, on an empty picture, instead of at the first keyframe.

        Raises:
            RuntimeError: the synthesizer was closed.
            GpuMemoryError, torch.cuda.OutOfMemoryError: the size does not fit on the device.
        """
        stages = self._open_stages()
        engine = stages.engine
        empty = np.full((engine.height, engine.width, 3), 128, np.uint8)
        stages.parser.labels(empty)
        self._start(stages.densepose.warm_up, empty)()
        self._start(engine.wear, ClothConditions(empty, np.ones(empty.shape[:2], np.uint8)))()
        self._worn = None
        self._start(engine.warm_up)()

    def close(self) -> None:
        """Give the networks back. Harmless when repeated.

        A keyframe that another thread is making ends at its next stage: on a CPU it would take seconds more.
        """
        self._stages = self._worn = None
        if self._beside is not None:
            self._beside.shutdown()

    def _start(self, call: Callable[_Given, _Made], *args: _Given.args, **kwargs: _Given.kwargs) -> Callable[[], _Made]:
        """A call on the networks' thread, under way; or, without that thread, due when its result is asked for."""
        if self._beside is None:
            return partial(call, *args, **kwargs)
        return self._beside.submit(call, *args, **kwargs).result

    def _open_stages(self) -> _Stages:
        stages = self._stages
        if stages is None:
            raise RuntimeError("HrVitonSynthesizer: the synthesizer is closed")
        return stages

    def _begin(self, stage: str) -> None:
        self._goes_on(stage, _BEGINS[stage])

    def _goes_on(self, stage: str, done: float) -> None:
        """Between two steps of the work: whether it is still wanted."""
        self._open_stages()
        self._progress(stage, done)

    def _show(self, name: str, draw: Callable[[], U8]) -> None:
        if self._watch is not None:
            self._watch(name, draw())


def dress(
    engine: TryOnEngine,
    person: PersonConditions,
    cloth: ClothConditions,
    watch: Watch | None = None,
    progress: Progress = lambda _stage, _done: None,
) -> U8:
    """The dressed picture of prepared conditions, as of a published folder: (H, W, 3) uint8.

    Args:
        engine: both networks.
        person: what they are told of the person.
        cloth: what they are told of the garment.
        watch: sees every intermediate.
        progress: told of both networks.

    Raises:
        ValueError: they are not of the engine's size.
    """
    engine.wear(cloth)
    made = engine(person, progress)
    if watch is not None:
        for name, drawn in (*person.drawn().items(), ("cloth", cloth.bgr), ("cloth-mask", draw_mask(cloth.mask))):
            watch(name, drawn)
        _watch_networks(made, watch)
    return made.bgr


def open_engine(store: Store | None = None, device: str | None = None, size: tuple[int, int] = SIZES[0]) -> TryOnEngine:
    """Both networks, filled from their files.

    Args:
        store: the weights folder; None for the default one.
        device: as torch names it; None takes CUDA where there is one, else the CPU.
        size: width and height of the picture; multiples of 128, at least 256, in the ratio 3:4.

    Raises:
        MissingDependencyError: torch is not installed.
        WeightsError: a file is missing or wrong.
        ValueError: the size is not one the networks take.
    """
    from vastra_live.weights import Store

    store = store or Store()
    # both files must be there before the first is opened
    require_networks(store)
    import torch

    from vastra_live.synthesis.checkpoints import open_network
    from vastra_live.synthesis.hrviton.accelerate import TryOnEngine
    from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator

    condition = open_network(store, "hr-viton-condition")
    generator = open_network(store, "hr-viton-generator", height=size[1], width=size[0])
    assert isinstance(condition, ConditionGenerator) and isinstance(generator, SpadeGenerator)
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return TryOnEngine(condition, generator, chosen)


def open_hr_viton(
    store: Store | None = None,
    device: str | None = None,
    size: tuple[int, int] = SIZES[0],
    watch: Watch | None = None,
    progress: Progress = lambda _stage, _done: None,
    tell: Callable[[str], None] = lambda _: None,
) -> HrVitonSynthesizer:
    """The synthesizer with its networks, parser and DensePose, all of them filled from their files.

    On CUDA it is warmed up: the first keyframe costs what the others do.

    Args:
        store, device, size: as for :func:`open_engine`.
        watch: sees every intermediate.
        progress: told of every stage of a keyframe.
        tell: told in one line when the parser runs on the CPU although the networks do not.

    Raises:
        MissingDependencyError: torch, onnxruntime or detectron2 is not installed.
        WeightsError: a file is missing or wrong.
        ValueError: the size is not one the networks take.
        torch.cuda.OutOfMemoryError: the size does not fit on the device.
    """
    from vastra_live.synthesis.checkpoints import open_parser
    from vastra_live.synthesis.conditions.densepose import DensePose
    from vastra_live.weights import Store

    store = store or Store()
    require(store)
    parser = open_parser(store)
    densepose = DensePose(store.path("densepose"), device=device)
    engine = open_engine(store, device, size)
    on_gpu = engine.device.type == "cuda"
    synthesizer = HrVitonSynthesizer(engine, densepose, parser, watch, progress, beside=on_gpu)
    if on_gpu:
        if not parser.on_gpu:
            tell("the human parser runs on the CPU: onnxruntime has no CUDA here; pip install 'vastra-live[gpu]'")
        synthesizer.warm_up()
    return synthesizer


def require(store: Store) -> None:
    """Return when packages and files for :func:`open_hr_viton` are there; nothing is imported or opened for it.

    Raises:
        MissingDependencyError: a package is not installed; the message holds the install line.
        WeightsError: a file is not there; the message holds the pull line.
    """
    _require_packages(("torch", "onnxruntime"), "pip install 'vastra-live[synthesis]'")
    _require_packages(("detectron2", "densepose"), DENSEPOSE_INSTALL)
    require_files(store, "hr-viton")


def require_networks(store: Store) -> None:
    """As :func:`require`, for :func:`open_engine`: without what finds out about the person."""
    _require_packages(("torch",), "pip install 'vastra-live[synthesis]'")
    require_files(store, "hr-viton", {"hr-viton-condition", "hr-viton-generator"})


def _require_packages(names: tuple[str, ...], line: str) -> None:
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    if absent:
        raise MissingDependencyError(f"hr-viton needs {' and '.join(absent)}; install it: {line}")


def _watch_networks(made: Keyframe, watch: Watch) -> None:
    watch("labels", draw_labels(made.label7))
    watch("warped-mask", draw_mask((made.garment_mask[0, 0] > 0.5).cpu().numpy().astype(np.uint8)))
    watch("dressed", made.bgr)


def _within(progress: Progress) -> Progress:
    """The networks' own progress as part of the whole."""
    return lambda stage, done: progress(stage, _NETWORKS_BEGIN + (1 - _NETWORKS_BEGIN) * done)
