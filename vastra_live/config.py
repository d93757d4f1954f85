"""Settings of a run: defaults < TOML file < environment < flags; validated once, frozen."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vastra_live.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["ENV_PREFIX", "OnLost", "Settings", "SynthesizerName", "load_settings", "parse_size"]

ENV_PREFIX = "VASTRA_"
MAX_SIDE = 7680


class SynthesizerName(str, Enum):
    """Which synthesizer makes the keyframes."""

    AUTO = "auto"
    EMBEDDED = "embedded"
    HR_VITON = "hr-viton"
    CP_VTON = "cp-vton"


class OnLost(str, Enum):
    """What is shown while the garment cannot be placed."""

    FADE = "fade"
    """Fade to the plain camera picture, and back."""
    HOLD = "hold"
    """Hold the last good picture."""


def parse_size(text: str) -> tuple[int, int]:
    """``WxH`` as (width, height) in pixels.

    Raises:
        ValueError: naming what was expected and what was given.
    """
    match = re.fullmatch(r"\s*(\d{1,5})\s*[xX]\s*(\d{1,5})\s*", text)
    if not match:
        raise ValueError(f"expected WxH such as 1280x720, got {text!r}")
    width, height = int(match[1]), int(match[2])
    if not (64 <= width <= MAX_SIDE and 64 <= height <= MAX_SIDE):
        raise ValueError(f"expected sides from 64 to {MAX_SIDE} pixels, got {text!r}")
    return width, height


class Settings(BaseModel):
    """Everything a live run can be told. The fields are the keys of the TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str | None = None
    """Camera index, device path, video, picture, folder or ``demo``; None looks for a camera, then takes the demo."""
    garment: str | None = None
    """Wardrobe name or picture path, or a top's and a lower garment's joined by ``+``; None takes the first."""
    output: tuple[str, ...] = ()
    """Where pictures go; empty means a window, or files when there is no display."""
    synthesizer: SynthesizerName = SynthesizerName.AUTO
    size: tuple[int, int] | None = None
    """Width and height asked of the camera, or given to files."""
    fps: float | None = Field(default=None, gt=0, le=240)
    mirror: bool | None = None
    """None mirrors the window only; true and false hold for every output."""
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees clockwise: the camera of a mirror on an upright screen stands on its side."""
    fullscreen: bool = False
    frames: int | None = Field(default=None, ge=1)
    loop: bool = False
    asap: bool = False
    on_lost: OnLost = OnLost.FADE
    body_hz: float = Field(default=15.0, gt=0, le=120)
    """How often the body is looked for, at most."""
    camera_give_up_s: float | None = Field(default=None, gt=0)
    """End when a lost camera does not come back for so long; None waits for ever."""
    wardrobe: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("vastra-live", False)) / "wardrobe")

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        return parse_size(value) if isinstance(value, str) else value

    @field_validator("rotate", mode="before")
    @classmethod
    def _rotate(cls, value: Any) -> Any:
        # the environment holds strings
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("output", mode="before")
    @classmethod
    def _output(cls, value: Any) -> Any:
        # the environment holds one string
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}; check --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {path} is not valid TOML: {error}; correct that line") from error


def load_settings(
    flags: Mapping[str, Any], *, config: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Settings from their four layers.

    Args:
        flags: what the command line gave; None values count as not given.
        config: a TOML file.
        environment: variables such as ``VASTRA_SIZE``; None reads the process's.

    Raises:
        ConfigError: one line naming the setting, where it came from, and what was expected.
    """
    environment = os.environ if environment is None else environment
    layers: list[tuple[str, dict[str, Any]]] = []
    if config is not None:
        layers.append((f"configuration {config}", _from_file(config)))
    from_environment = {
        name: environment[ENV_PREFIX + name.upper()]
        for name in Settings.model_fields
        if ENV_PREFIX + name.upper() in environment
    }
    layers.append(("environment", from_environment))
    layers.append(("flags", {k: v for k, v in flags.items() if v is not None}))
    merged: dict[str, Any] = {}
    came_from: dict[str, str] = {}
    for origin, values in layers:
        merged.update(values)
        came_from.update(dict.fromkeys(values, origin))
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        origin = came_from.get(name, "defaults")
        label = {"environment": f"{ENV_PREFIX}{name.upper()}", "flags": f"--{name.replace('_', '-')}"}.get(origin, name)
        where = "" if origin in ("environment", "flags") else f" in the {origin}"
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            reason = "there is no such setting; see docs/configuration.md"
        elif repr(first["input"]) not in reason:
            reason = f"{reason[0].lower()}{reason[1:]}, got {first['input']!r}"
        raise ConfigError(f"{label}{where}: {reason}") from error
