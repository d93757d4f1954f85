"""``weights/manifest.toml``: every file any stage needs."""

from __future__ import annotations

import sys
from enum import Enum
from importlib import resources
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vastra_live.errors import WeightsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Entry", "Format", "checkout_folder", "read_manifest"]


class Format(str, Enum):
    """How a file is to be opened."""

    TORCH = "torch"
    """A state dict saved by ``torch.save``."""
    DETECTRON2 = "detectron2"
    """detectron2's model zoo: a pickle of numpy arrays."""
    ONNX = "onnx"


class Entry(BaseModel):
    """One file of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    file: str
    """Name on disk."""
    groups: tuple[str, ...]
    stage: str
    format: Format
    network: str
    """Which network it fills, or which labels a parser has."""
    page: str
    """Where its authors say how to get it."""
    source: tuple[str, ...]
    """``https://...`` or ``gdrive:ID``, in the order they are tried."""
    licence: str
    licence_url: str
    commercial: bool
    """Whether the licence itself allows commercial use; ``licence`` says so where the training data may not."""
    size: int | None = Field(default=None, gt=0)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    brought_as: tuple[str, ...] = ()
    """Names the file also has where its authors put it; looked for with ``--from``."""

    @field_validator("file")
    @classmethod
    def _plain(cls, value: str) -> str:
        if PurePath(value).name != value or value.startswith("."):
            raise ValueError(f"expected a file name without folders, got {value!r}")
        return value

    @field_validator("source")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for source in value:
            if not source.startswith(("https://", "gdrive:")):
                raise ValueError(f"expected https://... or gdrive:ID, got {source!r}")
        return value


def checkout_folder() -> Path | None:
    """The ``weights`` folder of a source checkout, or None for an installed package."""
    folder = Path(__file__).resolve().parents[2] / "weights"
    return folder if (folder / "manifest.toml").is_file() else None


def read_manifest(path: Path | None = None) -> tuple[Entry, ...]:
    """The manifest's entries, in its order.

    Args:
        path: a manifest of one's own; None reads the package's.

    Raises:
        WeightsError: the file cannot be read, or an entry is wrong.
    """
    origin = str(path or "the package's manifest.toml")
    try:
        text = path.read_text(encoding="utf-8") if path else _packaged()
        entries = tuple(Entry(**table) for table in _tables(tomllib.loads(text)))
    except OSError as error:
        raise WeightsError(f"{origin}: cannot be read ({error.strerror}); install the package anew") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{origin}: is not valid TOML: {error}") from error
    except (ValidationError, TypeError) as error:
        raise WeightsError(f"{origin}: an entry is wrong: {' '.join(str(error).split())}") from error
    for what, values in (("name", [e.name for e in entries]), ("file", [e.file for e in entries])):
        if len(set(values)) != len(values):
            raise WeightsError(f"{origin}: two entries have the same {what}")
    return entries


def _packaged() -> str:
    checkout = checkout_folder()
    if checkout is not None:
        return (checkout / "manifest.toml").read_text(encoding="utf-8")
    return (resources.files("vastra_live") / "data" / "manifest.toml").read_text(encoding="utf-8")


def _tables(document: dict[str, Any]) -> list[dict[str, Any]]:
    tables = document.get("file")
    if not isinstance(tables, list):
        raise TypeError("expected [[file]] tables")
    return tables
