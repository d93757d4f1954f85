"""One picture of a person and one garment in, one picture out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vastra_live.errors import ConfigError, NothingToFitError, PictureError
from vastra_live.pictures import read_picture, write_picture
from vastra_live.synthesis import open_synthesizer
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import U8, Body, Frame, Garment, Layer

__all__ = ["Watch", "lay_over", "try_on", "try_on_files"]

Watch = Callable[[str, U8], None]
"""Called with name and picture of an intermediate; the picture may be kept."""

_SMALLEST = 64
# A photo has the time that a camera has not: the layer is painted at the photo's own size up to here.
_LAYER_PIXELS = 2_500_000


def try_on(person_bgr: U8, garment: Garment, synthesizer: str = "embedded", watch: Watch | None = None) -> U8:
    """Dress the person of one picture.

    Args:
        person_bgr: (H, W, 3) uint8.
        garment: what to put on.
        synthesizer: ``auto``, ``embedded``, ``hr-viton`` or ``cp-vton``.
        watch: sees every intermediate.

    Returns:
        (H, W, 3) uint8, the same size as the input.

    Raises:
        PictureError: the array is no picture, or too small to show a person.
        NothingToFitError: nobody in the picture, or nobody who can be dressed.
        MissingDependencyError: what the synthesizer needs is not installed.
    """
    if person_bgr.dtype != np.uint8 or person_bgr.ndim != 3 or person_bgr.shape[2] != 3:
        raise PictureError(f"person: expected (H, W, 3) uint8, got {person_bgr.shape} {person_bgr.dtype}")
    if min(person_bgr.shape[:2]) < _SMALLEST:
        height, width = person_bgr.shape[:2]
        raise PictureError(f"person: {width}x{height} is too small to show a person; {_SMALLEST} pixels are the least")
    frame = Frame(person_bgr, 0, time.monotonic_ns(), "photo")
    painter = open_synthesizer(synthesizer, watch=watch, layer_pixels=_LAYER_PIXELS)
    try:
        tracker = BlazePoseTracker(static=True)
        try:
            body = tracker.track(frame)
        finally:
            tracker.close()
        if body is None:
            raise NothingToFitError("nobody was found in the picture: use one that shows a person from the hips up")
        if watch is not None:
            watch("body", _drawn(body, person_bgr))
            watch("garment", _cut_out(garment))
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
) -> None:
    """Dress the person of a picture file and write the result.

    Args:
        person: picture of one person.
        garment: what to put on.
        output: the picture to write; its suffix names the format.
        synthesizer: as in :func:`try_on`.
        debug_dir: every intermediate is written here as ``NN-name.png``; made if it is missing.

    Raises:
        PictureError: a file cannot be read or written.
        ConfigError: the debug folder cannot be made.
        NothingToFitError: nobody in the picture, or nobody who can be dressed.
    """
    picture = read_picture(person)
    watch = None if debug_dir is None else _writer(Path(debug_dir))
    try:
        dressed = try_on(np.ascontiguousarray(picture.bgr), garment, synthesizer, watch)
    except NothingToFitError as error:
        raise NothingToFitError(f"{person}: {error}") from error
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
