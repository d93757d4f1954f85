"""One picture of a person and one garment in, one picture out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vastra_live.errors import (
    ConfigError,
    MissingDependencyError,
    NothingToFitError,
    PictureError,
    SynthesisError,
    WeightsError,
)
from vastra_live.pictures import read_picture, write_picture
from vastra_live.synthesis import Progress, open_synthesizer
from vastra_live.synthesis.conditions.dataset import find_published, read_cloth, read_person
from vastra_live.synthesis.fallback import gpu_failure, gpu_memory_is_full
from vastra_live.synthesis.hrviton.synthesizer import require_networks
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.tracking.faces import BlazeFaceFinder
from vastra_live.tracking.gate import Gate
from vastra_live.types import U8, Body, Frame, Garment, Layer
from vastra_live.weights import Store

__all__ = [
    "Progress",
    "Watch",
    "is_published",
    "lay_over",
    "route",
    "try_on",
    "try_on_files",
    "try_on_published",
]

Watch = Callable[[str, U8], None]
"""Called with name and picture of an intermediate; the picture may be kept."""

_SMALLEST = 64
# A photo has the time that a camera has not: the layer is painted at the photo's own size up to here.
_LAYER_PIXELS = 2_500_000
# where a progress bar stands once models are loaded and the person is found
_LOADED, _FOUND = 0.1, 0.15


def _untold(line: str) -> None:
    """Nobody wants to know."""


def _unseen(stage: str, done: float) -> None:
    """Nobody watches the progress."""


def try_on(
    person_bgr: U8,
    garment: Garment,
    synthesizer: str = "embedded",
    watch: Watch | None = None,
    *,
    progress: Progress = _unseen,
    tell: Callable[[str], None] = _untold,
) -> U8:
    """Dress the person of one picture.

    Args:
        person_bgr: (H, W, 3) uint8.
        garment: what to put on.
        synthesizer: ``auto``, ``embedded``, ``hr-viton`` or ``cp-vton``.
        watch: sees every intermediate.
        progress: told of every stage.
        tell: told in one line what the synthesizer runs on.

    Returns:
        (H, W, 3) uint8, the same size as the input.

    Raises:
        PictureError: the array is no picture, or too small to show a person.
        NothingToFitError: nobody in the picture, two people, or nobody who can be dressed.
        MissingDependencyError: what the synthesizer needs is not installed.
    """
    if person_bgr.dtype != np.uint8 or person_bgr.ndim != 3 or person_bgr.shape[2] != 3:
        raise PictureError(f"person: expected (H, W, 3) uint8, got {person_bgr.shape} {person_bgr.dtype}")
    if min(person_bgr.shape[:2]) < _SMALLEST:
        height, width = person_bgr.shape[:2]
        raise PictureError(f"person: {width}x{height} is too small to show a person; {_SMALLEST} pixels are the least")
    frame = Frame(person_bgr, 0, time.monotonic_ns(), "photo")

    def within(stage: str, done: float) -> None:
        progress(stage, _FOUND + (1 - _FOUND) * done)

    progress("models", 0.0)
    painter = open_synthesizer(synthesizer, tell=tell, watch=watch, progress=within, layer_pixels=_LAYER_PIXELS)
    try:
        progress("person", _LOADED)
        tracker = Gate(BlazePoseTracker(static=True), BlazeFaceFinder(), static=True)
        try:
            body = tracker.track(frame)
        finally:
            tracker.close()
        if body is None:
            raise NothingToFitError(
                "nobody was found in the picture: use one that shows one person, from the hips up and not far away"
            )
        if watch is not None:
            watch("body", _drawn(body, person_bgr))
            watch("garment", _cut_out(garment))
        progress("garment", _FOUND)
        layer = painter.synthesize(frame, body, garment)
    finally:
        painter.close()
    return lay_over(layer)


def try_on_files(
    person: Path | str,
    garment: Garment,
    output: Path | str,
    *,
    synthesizer: str = "auto",
    debug_dir: Path | str | None = None,
    progress: Progress = _unseen,
    tell: Callable[[str], None] = _untold,
) -> None:
    """Dress the person of a picture file and write the result.

    Args:
        person: picture of one person.
        garment: what to put on.
        output: the picture to write; its suffix names the format.
        synthesizer: as in :func:`try_on`.
        debug_dir: every intermediate is written here as ``NN-name.png``; made if it is missing.
        progress: told of every stage.
        tell: told in one line what the synthesizer runs on.

    Raises:
        PictureError: a file cannot be read or written.
        ConfigError: the debug folder cannot be made.
        NothingToFitError: nobody in the picture, or nobody who can be dressed.
    """
    picture = read_picture(person)
    watch = None if debug_dir is None else _writer(Path(debug_dir))
    try:
        dressed = try_on(np.ascontiguousarray(picture.bgr), garment, synthesizer, watch, progress=progress, tell=tell)
    except NothingToFitError as error:
        raise NothingToFitError(f"{person}: {error}") from error
    write_picture(output, dressed)
    if watch is not None:
        watch("result", dressed)


def is_published(person: Path, garment: Path) -> bool:
    """Whether both pictures lie in a folder in VITON-HD's published layout, beside the files of their stages."""
    return find_published(person) is not None and find_published(garment, "cloth") is not None


def route(person: Path, garment: Path, synthesizer: str, tell: Callable[[str], None] = _untold) -> str:
    """Which way a pair of files goes: ``published`` for :func:`try_on_published`, else the synthesizer to open.

    A pair that lies in a published folder is HR-VITON's where it is asked for by name, and ``auto``'s where torch and
    both networks' files are there, on a CPU too: one picture has the time. Where they are not, it says why once.
    """
    if synthesizer not in ("auto", "hr-viton") or not is_published(person, garment):
        return synthesizer
    if synthesizer == "auto":
        try:
            require_networks(Store())
        except (MissingDependencyError, WeightsError) as error:
            tell(f"the embedded synthesizer works here: {error}")
            return "embedded"
    return "published"


def try_on_published(
    person: Path,
    garment: Path,
    output: Path | str,
    *,
    debug_dir: Path | str | None = None,
    progress: Progress = _unseen,
    tell: Callable[[str], None] = _untold,
) -> None:
    """Dress a person of a published folder by HR-VITON, from the folder's own files instead of running the stages.

    The picture written is the networks' own, of their size, as the authors' command writes it. DensePose and the
    parser are not needed.

    Args:
        person: such as ``DATA/image/00006_00.jpg``.
        garment: such as ``DATA/cloth/001.jpg``; it may be of another published folder.
        output, debug_dir, progress: as in :func:`try_on_files`.
        tell: told in one line what the networks run on.

    Raises:
        InputError: a picture does not lie in such a folder, or a file of it is missing or wrong.
        MissingDependencyError: torch is not installed.
        WeightsError: a file of the networks is missing or wrong.
        SynthesisError: the GPU's memory is too small, or the GPU fails.
    """
    from vastra_live.synthesis.hrviton.synthesizer import dress, open_engine

    found = find_published(person), find_published(garment, "cloth")
    if found[0] is None or found[1] is None:
        raise PictureError(
            f"{person}, {garment}: expected pictures in image/ and cloth/ of a folder laid out as VITON-HD"
        )
    watch = None if debug_dir is None else _writer(Path(debug_dir))
    progress("models", 0.0)
    try:
        engine = open_engine()
        tell(f"{engine.name} is at work")
        progress("conditions", _LOADED)
        size = engine.width, engine.height
        conditions, cloth = read_person(*found[0], size), read_cloth(*found[1], size)

        def within(stage: str, done: float) -> None:
            progress(stage, _FOUND + (1 - _FOUND) * done)

        dressed = dress(engine, conditions, cloth, watch, within)
    except RuntimeError as error:
        full = gpu_memory_is_full(error)
        trouble = "the GPU's memory is full; free some, or" if full else gpu_failure(error)
        if not trouble:
            raise
        raise SynthesisError(
            f"hr-viton: {trouble}{'' if full else ';'} use the CPU: set CUDA_VISIBLE_DEVICES to -1"
        ) from error
    write_picture(output, dressed)
    if watch is not None:
        watch("result", dressed)


def lay_over(layer: Layer) -> U8:
    """The layer over the frame it was made for: (H, W, 3) uint8."""
    under = layer.frame.bgr
    height, width = under.shape[:2]
    bgr, alpha = layer.bgr, layer.alpha
    if layer.to_frame is not None:
        size = (width, height)
        bgr = cv2.warpAffine(bgr, layer.to_frame, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(alpha, layer.to_frame, size, flags=cv2.INTER_LINEAR)
    mixed = under + alpha[..., None] * (bgr.astype(np.float32) - under)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _writer(folder: Path) -> Watch:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--debug-dir {folder}: {error.strerror or error}; name a folder that can be written"
        ) from error
    count = 0

    def write(name: str, picture: U8) -> None:
        nonlocal count
        bgr = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        write_picture(folder / f"{count:02d}-{name}.png", np.ascontiguousarray(bgr, np.uint8))
        count += 1

    return write


def _drawn(body: Body, bgr: U8) -> U8:
    """The body's silhouette and landmarks on a darkened picture."""
    drawn = np.asarray(bgr * (0.35 + 0.65 * body.person_alpha[..., None]), np.uint8)
    radius = max(2, bgr.shape[0] // 200)
    for x, y, _ in body.landmarks_px:
        cv2.circle(drawn, (round(float(x)), round(float(y))), radius, (0, 0, 255), -1)
    return drawn


def _cut_out(garment: Garment) -> U8:
    """The garment on grey, with its landmarks."""
    alpha = garment.alpha[..., None]
    drawn = np.asarray(garment.bgr * alpha + 96 * (1 - alpha), np.uint8)
    radius = max(2, drawn.shape[0] // 150)
    for x, y in garment.landmarks_px.values():
        cv2.circle(drawn, (round(x), round(y)), radius, (0, 0, 255), -1)
    return drawn
