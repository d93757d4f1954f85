"""From ``--output`` to a sink."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vastra_live.errors import ConfigError
from vastra_live.output.base import FrameSink, SlowConsumer
from vastra_live.output.contact_sheet import ContactSheet
from vastra_live.output.null import NullSink
from vastra_live.output.recorder import Recorder
from vastra_live.output.virtual_camera import VirtualCamera

__all__ = ["OutputKind", "OutputSpec", "open_sink", "parse_output", "parse_outputs"]

FORMS = "window, virtualcam, virtualcam:DEVICE, file:PATH.mp4, sheet:PATH.png or null"


class OutputKind(str, Enum):
    """Where pictures can go."""

    WINDOW = "window"
    VIRTUAL_CAMERA = "virtualcam"
    FILE = "file"
    SHEET = "sheet"
    NULL = "null"


SUFFIXES = {OutputKind.FILE: (".mp4",), OutputKind.SHEET: (".png", ".jpg", ".jpeg")}
"""Outputs that are files, and how they may end."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """A checked ``--output``.

    Attributes:
        kind: where to.
        device: of a virtual camera; None takes the first that works.
        path: of a file.
    """

    kind: OutputKind
    device: str | None = None
    path: Path | None = None


def parse_output(spec: str) -> OutputSpec:
    """Check one ``--output``; touches nothing.

    Raises:
        ConfigError: the form is unknown, or the file could not be written there.
    """
    word, colon, rest = spec.partition(":")
    try:
        kind = OutputKind(word)
    except ValueError:
        raise ConfigError(f"--output {spec}: unknown; use {FORMS}") from None
    is_file = kind in SUFFIXES
    takes_rest = is_file or kind is OutputKind.VIRTUAL_CAMERA
    if (colon and (not takes_rest or not rest.strip())) or (is_file and not rest):
        raise ConfigError(f"--output {spec}: not complete or too much; use {FORMS}")
    if is_file:
        return OutputSpec(kind, path=_file_path(spec, rest, SUFFIXES[kind]))
    return OutputSpec(kind, device=rest or None)


def parse_outputs(specs: Sequence[str]) -> tuple[OutputSpec, ...]:
    """Check all ``--output`` of one run.

    Raises:
        ConfigError: as :func:`parse_output`, or two of them are the same.
    """
    parsed: list[OutputSpec] = []
    for spec in specs:
        output = parse_output(spec)
        if output in parsed and output.kind is not OutputKind.NULL:
            raise ConfigError(f"--output {spec}: given twice; each output can be used once")
        parsed.append(output)
    return tuple(parsed)


def _file_path(spec: str, text: str, suffixes: tuple[str, ...]) -> Path:
    try:
        path = Path(text).expanduser().absolute()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"--output {spec}: this system takes no such path: {error}; choose another") from error
    if is_folder:
        raise ConfigError(f"--output {spec}: this is a folder; name a file in it")
    if path.suffix.lower() not in suffixes:
        name = path.with_suffix(suffixes[0]).name
        raise ConfigError(f"--output {spec}: this is written as {' or '.join(suffixes)}; name it {name}")
    if not path.parent.is_dir():
        raise ConfigError(f"--output {spec}: there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"--output {spec}: no right to write there; choose another folder")
    return path


def open_sink(output: str | OutputSpec, *, fps: float, slow_consumer: SlowConsumer) -> FrameSink:
    """The sink for a virtual camera, a file, a contact sheet or null; it opens what it needs at its first picture.

    A window is no sink: it belongs to the main thread (:mod:`vastra_live.output.window`).

    Args:
        output: as for ``--output``, checked or not.
        fps: the source's rate, for cameras and films.
        slow_consumer: what happens when the sink is slower than the loop.

    Raises:
        ConfigError: as :func:`parse_output`; the output is a window; or ``fps`` is not positive.
    """
    if isinstance(output, str):
        output = parse_output(output)
    if not 0 < fps < 1000:
        raise ConfigError(f"a rate of {fps:g} frames a second cannot be shown or recorded; use --fps 1 to 240")
    if output.kind is OutputKind.FILE:
        assert output.path is not None
        return Recorder(output.path, fps=fps, slow_consumer=slow_consumer)
    if output.kind is OutputKind.SHEET:
        assert output.path is not None
        return ContactSheet(output.path, slow_consumer)
    if output.kind is OutputKind.VIRTUAL_CAMERA:
        return VirtualCamera(output.device, fps=fps, slow_consumer=slow_consumer)
    if output.kind is OutputKind.NULL:
        return NullSink(slow_consumer)
    raise ConfigError("a window is not a sink; open vastra_live.output.window.Window in the main thread")
