"""HR-VITON as a synthesizer: crop, conditions, the two networks, and the layer cut from their picture."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from vastra_live.errors import MissingDependencyError, NothingToFitError, WeightsError
from vastra_live.synthesis.base import Progress
from vastra_live.synthesis.conditions.agnostic import agnostic_mask
from vastra_live.synthesis.conditions.cloth import ClothConditions, prepare_cloth, refuse_all_but_tops
from vastra_live.synthesis.conditions.crop import Crop
from vastra_live.synthesis.conditions.densepose import INSTALL as DENSEPOSE_INSTALL
from vastra_live.synthesis.conditions.densepose import PartsFinder, draw_parts
from vastra_live.synthesis.conditions.drawing import draw_crop, draw_labels, draw_mask
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.synthesis.conditions.person import PersonConditions, prepare_person
from vastra_live.synthesis.conditions.seen import Parser, see
from vastra_live.types import F32, U8, Body, Frame, Garment, Layer

if TYPE_CHECKING:
    from vastra_live.synthesis.hrviton.accelerate import Keyframe, TryOnEngine
    from vastra_live.weights import Store

__all__ = [
    "SIZES",
    "HrVitonSynthesizer",
    "Watch",
    "dress",
    "layer_alpha",
    "open_engine",
    "open_hr_viton",
    "require",
]

SIZES: Final = ((768, 1024), (384, 512))
"""Widths and heights to work at, best first: the training data's, and the next smaller one in its ratio, 3:4, with
sides that are multiples of 128."""

Watch = Callable[[str, U8], None]
"""Sees every intermediate: its name, and it as a picture."""

_WORN: Final = (Cihp.UPPER_CLOTHES, Cihp.DRESS, Cihp.COAT, Cihp.NECK, Cihp.LEFT_ARM, Cihp.RIGHT_ARM)
"""What the networks take away and make anew."""
_UPPER_7, _HAIR_7, _ARMS_7 = 2, 3, (4, 5)
_EDGE_SIGMA: Final = 1.5  # of the alpha's edge, in pixels at 768 wide
# where a progress bar stands when a stage begins, by a CPU's time, roughly
_BEGINS: Final = {"densepose": 0.0, "parsing": 0.2, "conditions": 0.3}
_NETWORKS_BEGIN: Final = 0.35


@dataclass(frozen=True, slots=True)
class _Stages:
    engine: TryOnEngine
    densepose: PartsFinder
    parser: Parser


class HrVitonSynthesizer:
    """Photo-real keyframes; a :class:`~vastra_live.synthesis.base.Synthesizer`. See :func:`open_hr_viton`.

    Args:
        engine: both networks.
        densepose: finds the body parts.
        parser: finds the clothes.
        watch: sees every intermediate.
        progress: told of every stage.

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
    ) -> None:
        self._stages: _Stages | None = _Stages(engine, densepose, parser)
        self._watch = watch
        self._progress = progress
        self.name = engine.name
        self._worn: Garment | None = None

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The layer for this frame, in the crop's resolution.

        Raises:
            NothingToFitError: no shoulders, too small, nobody DensePose could find, or the garment is no top.
            SynthesisError: a stage failed.
            RuntimeError: the synthesizer was closed.
        """
        from vastra_live.synthesis.hrviton.accelerate import Person
        from vastra_live.synthesis.hrviton.inputs import to_cloth_tensors, to_person_tensors

        if self._stages is None:
            raise RuntimeError("HrVitonSynthesizer.synthesize: the synthesizer is closed")
        refuse_all_but_tops(garment, "hr-viton")
        engine = self._stages.engine
        size = engine.width, engine.height
        seen = see(frame, body, size, self._stages.parser, self._stages.densepose, self._begin)
        assert seen.parts is not None
        self._begin("conditions")
        person = prepare_person(seen.bgr, seen.keypoints, seen.parse, draw_parts(seen.parts))
        self._show("frame", lambda: draw_crop(frame.bgr, seen.crop))
        if self._watch is not None:
            for name, drawn in person.drawn().items():
                self._watch(name, drawn)
        if garment is not self._worn:
            cloth = prepare_cloth(garment, size)
            engine.wear(*to_cloth_tensors(cloth))
            self._worn = garment
            self._show("cloth", lambda: cloth.bgr)
            self._show("cloth-mask", lambda: draw_mask(cloth.mask))
        made = engine(Person(*to_person_tensors(person)), _within(self._progress))
        picture = _picture(made)
        label7 = _labels(made)
        if self._watch is not None:
            _watch_networks(made, self._watch)
        alpha = layer_alpha(person, label7, seen.crop)
        self._show("layer-alpha", lambda: draw_mask((alpha > 0.5).astype(np.uint8)))
        return Layer(bgr=picture, alpha=alpha, frame=frame, body=body, garment=garment, to_frame=seen.crop.to_frame)

    def warm_up(self) -> None:
        """Make the slow first call of every stage now, on an empty picture, instead of at the first keyframe.

        Raises:
            RuntimeError: the synthesizer was closed.
            torch.cuda.OutOfMemoryError: the size does not fit on the device.
        """
        from vastra_live.synthesis.hrviton.inputs import to_cloth_tensors

        if self._stages is None:
            raise RuntimeError("HrVitonSynthesizer.warm_up: the synthesizer is closed")
        engine = self._stages.engine
        empty = np.full((engine.height, engine.width, 3), 128, np.uint8)
        self._stages.parser.labels(empty)
        with contextlib.suppress(NothingToFitError):  # an empty picture shows nobody; asking is what warms up
            self._stages.densepose.parts(empty)
        engine.wear(*to_cloth_tensors(ClothConditions(empty, np.ones(empty.shape[:2], np.uint8))))
        engine.warm_up()

    def close(self) -> None:
        """Give the networks back. Harmless when repeated."""
        self._stages = self._worn = None

    def _begin(self, stage: str) -> None:
        self._progress(stage, _BEGINS[stage])

    def _show(self, name: str, draw: Callable[[], U8]) -> None:
        if self._watch is not None:
            self._watch(name, draw())


def layer_alpha(person: PersonConditions, label7: U8, crop: Crop) -> F32:
    """What of the networks' picture goes over the frame: (H, W) float32, 0..1, soft at its edge.

    The garment, wherever it came to lie; and within the greyed area what was garment, arm or neck before, or is arm
    now. Background and hair that were visible before stay the camera's own: the networks only made them up again.

    Args:
        person: what the networks were told.
        label7: (H, W) uint8, 0..6, what they decided to paint.
        crop: where the picture lies in the frame; nothing beyond the frame is shown.
    """
    hidden = agnostic_mask(person.parse, person.keypoints)
    remade = np.isin(person.parse, _WORN) | np.isin(label7, _ARMS_7)
    kept_hair = (person.parse == Cihp.HAIR) & (label7 == _HAIR_7)
    mask = ((label7 == _UPPER_7) | (hidden & remade)) & ~kept_hair & crop.inside()
    sigma = _EDGE_SIGMA * crop.size[0] / 768
    soft: F32 = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    return soft


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
    from vastra_live.synthesis.hrviton.accelerate import Person
    from vastra_live.synthesis.hrviton.inputs import to_cloth_tensors, to_person_tensors

    engine.wear(*to_cloth_tensors(cloth))
    made = engine(Person(*to_person_tensors(person)), progress)
    if watch is not None:
        for name, drawn in (*person.drawn().items(), ("cloth", cloth.bgr), ("cloth-mask", draw_mask(cloth.mask))):
            watch(name, drawn)
        _watch_networks(made, watch)
    return _picture(made)


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
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "hr-viton needs torch; install it: pip install 'vastra-live[synthesis]'"
        ) from error

    from vastra_live.synthesis.checkpoints import open_network
    from vastra_live.synthesis.hrviton.accelerate import TryOnEngine
    from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator
    from vastra_live.weights import Store

    store = store or Store()
    # both files must be there before the first is opened
    store.path("hr-viton-generator")
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
    synthesizer = HrVitonSynthesizer(engine, densepose, parser, watch, progress)
    if engine.device.type == "cuda":
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
    for packages, line in (
        (("torch", "onnxruntime"), "pip install 'vastra-live[synthesis]'"),
        (("detectron2", "densepose"), DENSEPOSE_INSTALL),
    ):
        absent = [name for name in packages if importlib.util.find_spec(name) is None]
        if absent:
            raise MissingDependencyError(f"hr-viton needs {' and '.join(absent)}; install it: {line}")
    missing = [s for s in store.status("hr-viton") if not s.present]
    if any(s.present for s in store.status("parser-atr")):
        missing = [s for s in missing if s.entry.name != "parser-lip"]
    if missing:
        files = ", ".join(s.entry.file for s in missing)
        raise WeightsError(
            f"hr-viton needs {files} in {store.folder}; fetch what is missing: vastra-live weights pull hr-viton"
        )


def _picture(made: Keyframe) -> U8:
    """The engine's picture in blue-green-red, in memory of its own."""
    bgr: U8 = np.ascontiguousarray(made.picture[0].cpu().numpy()[:, :, ::-1])
    return bgr


def _labels(made: Keyframe) -> U8:
    """(H, W) uint8, 0..6."""
    labels: U8 = made.label7[0].cpu().numpy().astype(np.uint8)
    return labels


def _watch_networks(made: Keyframe, watch: Watch) -> None:
    watch("labels", draw_labels(_labels(made)))
    watch("warped-mask", draw_mask((made.garment_mask[0, 0] > 0.5).cpu().numpy().astype(np.uint8)))
    watch("dressed", _picture(made))


def _within(progress: Progress) -> Progress:
    """The networks' own progress as part of the whole."""
    return lambda stage, done: progress(stage, _NETWORKS_BEGIN + (1 - _NETWORKS_BEGIN) * done)
