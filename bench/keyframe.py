"""A whole keyframe: crop, DensePose, parser, the drawn conditions and both networks, in sequence and overlapped.

Used by ``bench/synthesis.py``. What is installed and pulled is used; what is not is said in the row's name: DensePose
runs with random weights where its file is not there and is left out where detectron2 is not installed, the parser is
left out where its file is not there. Whatever they answer, the next stage gets the data set's own parse and parts, so
that the work behind them is that of a real person.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vastra_live.errors import NothingToFitError
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.checkpoints import open_parser
from vastra_live.synthesis.conditions.crop import Crop, frame_person
from vastra_live.synthesis.conditions.densepose import DensePose, build_model, largest_person, read_parts
from vastra_live.synthesis.conditions.densepose import run_every_layer as run_every_densepose_layer
from vastra_live.synthesis.conditions.keypoints import complete_torso, from_blazepose
from vastra_live.synthesis.conditions.labels import LabelSet
from vastra_live.synthesis.hrviton.accelerate import TryOnEngine
from vastra_live.synthesis.hrviton.synthesizer import HrVitonSynthesizer
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import U8, Body, Category, Frame, Garment, Sleeve
from vastra_live.weights import Store

__all__ = ["keyframes"]


@dataclass
class Known:
    """A stage that runs, if it is there, and then gives the answer that is known."""

    answer: U8
    run: Callable[[U8], Any]
    warm: Callable[[U8], Any]
    numbering: LabelSet = LabelSet.CIHP

    def labels(self, bgr: U8) -> U8:
        with suppress(NothingToFitError):
            self.run(bgr)
        return self.answer

    parts = labels

    def warm_up(self, bgr: U8) -> None:
        self.warm(bgr)


def keyframes(shared: Path, engine: TryOnEngine) -> Iterator[tuple[str, Callable[[], U8]]]:
    """Calls that make one keyframe each, and what they are called: in sequence, then overlapped."""
    frame, body, crop = _somebody(shared, (engine.width, engine.height))
    folder, size = shared / "people/00121", (engine.width, engine.height)
    parse, parts = (
        cv2.warpAffine(labels, crop.to_crop, size, flags=cv2.INTER_NEAREST)
        for labels in (read_labels(folder / "parse.png"), read_parts(read_picture(folder / "densepose.jpg").bgr))
    )
    densepose, said_of_densepose = _densepose(parts, engine.device.type)
    parser, said_of_parser = _parser(parse)
    rgb = read_picture(shared / "garments/00057_00.jpg").bgr
    mask = read_labels(shared / "garments/00057_00.mask.jpg").astype(np.float32) / 255
    garment = Garment("bench", Category.UPPER, Sleeve.SHORT, np.ascontiguousarray(rgb), mask, {})
    for beside, how in ((False, "in sequence"), (True, "overlapped")):
        synthesizer = HrVitonSynthesizer(engine, densepose, parser, beside=beside)
        synthesizer.warm_up()

        def keyframe(synthesizer: HrVitonSynthesizer = synthesizer) -> U8:
            return synthesizer.synthesize(frame, body, garment).bgr

        yield f"keyframe {how}: {said_of_densepose}, {said_of_parser}", keyframe
        synthesizer.close()


def _somebody(shared: Path, size: tuple[int, int]) -> tuple[Frame, Body, Crop]:
    frame = Frame(np.ascontiguousarray(read_picture(shared / "people/00121/image.jpg").bgr), 0, 0, "bench")
    tracker = BlazePoseTracker(static=True)
    try:
        body = tracker.track(frame)
    finally:
        tracker.close()
    assert body is not None
    return frame, body, frame_person(complete_torso(from_blazepose(body)), frame.size, size)


def _densepose(parts: U8, device: str) -> tuple[Known, str]:
    if any(importlib.util.find_spec(name) is None for name in ("detectron2", "densepose")):
        return Known(parts, _nothing, _nothing), "no DensePose"
    if Store().status("densepose")[0].present:
        opened = DensePose(Store().path("densepose"), device=device)
        return Known(parts, opened.parts, opened.warm_up), "DensePose"
    model = build_model(device, 0.0)

    def warm(bgr: U8) -> None:
        run_every_densepose_layer(model, bgr)

    return Known(parts, lambda bgr: largest_person(model, bgr), warm), "DensePose of random weights"


def _parser(parse: U8) -> tuple[Known, str]:
    if not any(Store().status(name)[0].present for name in ("parser-lip", "parser-atr")):
        return Known(parse, _nothing, _nothing), "no parser"
    opened = open_parser(Store())
    return Known(parse, opened.labels, opened.labels), f"parser on the {'GPU' if opened.on_gpu else 'CPU'}"


def _nothing(bgr: U8) -> None:
    """A stage that is not there."""
