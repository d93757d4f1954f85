"""Opening checkpoints without trusting them: nothing in the file is run, and every key and shape must be the network's.

Whatever is wrong becomes one :class:`~vastra_live.errors.WeightsError` line with the file and the reason.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vastra_live.errors import MissingDependencyError, WeightsError

if TYPE_CHECKING:
    import torch

__all__ = ["Shapes", "differences", "load_detectron2", "load_torch", "not_a_binary", "read_state"]

Shapes = Mapping[str, tuple[int, ...]]
"""Keys and shapes of a network's state dict."""

_ZIP: Final = b"PK\x03\x04"
_PICKLE: Final = b"\x80"
_GET: Final = "fetch it again with `vastra-live weights pull`"

# A checkpoint stores its numbers uncompressed; a file that would unpack to much more than its size is a bomb.
_MOST_UNPACKED: Final = 3

# What torch's restricted unpickler and its archive reader, numpy and pickle raise on files that are damaged or hostile.
_UNREADABLE: Final = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

# Buffers that detectron2 once stored in checkpoints and now derives from its configuration.
_DERIVED: Final = re.compile(r"^(pixel_mean|pixel_std|proposal_generator\.anchor_generator\.cell_anchors\.\d+)$")

_NUMPY_GLOBALS: Final[dict[tuple[str, str], Any]] = {
    # the names differ between numpy 1 and 2, in the file and here
    **{
        (module, "_reconstruct"): np.ndarray(0).__reduce__()[0]
        for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    },
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): OrderedDict,
}


def load_torch(
    path: Path, expected: Shapes, rename: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
) -> dict[str, torch.Tensor]:
    """The state dict of a PyTorch checkpoint, on the CPU.

    Args:
        path: the file.
        expected: keys and shapes of the network it is for.
        rename: turns the file's keys into the network's.

    Raises:
        WeightsError: missing, truncated, hostile, not a checkpoint, or of another network.
        MissingDependencyError: torch is not installed.
    """
    state = read_state(path)
    if rename is not None:
        try:
            state = rename(state)
        except ValueError as error:
            raise WeightsError(f"{path}: {error}") from error
    return _checked(path, state, expected)


def load_detectron2(path: Path, expected: Shapes) -> dict[str, torch.Tensor]:
    """The state dict of a file of detectron2's model zoo, or of one its trainer saved with torch.

    Args and errors as :func:`load_torch`.
    """
    torch = _torch()
    if _head(path).startswith(_ZIP):
        state = read_state(path)
    else:
        arrays = _unpickle_arrays(path)
        state = {key: torch.from_numpy(np.array(array)) for key, array in arrays.items()}
    state = {key: value for key, value in state.items() if key in expected or not _DERIVED.match(key)}
    return _checked(path, state, expected)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Whatever tensors a PyTorch checkpoint holds, at its top or under ``model``, as trainers save them.

    Errors as :func:`load_torch`.
    """
    torch = _torch()
    head = _head(path)
    if not head.startswith((_ZIP, _PICKLE)):
        raise WeightsError(f"{path}: is not a PyTorch checkpoint; {_GET}")
    try:
        if head.startswith(_ZIP):
            _refuse_bomb(path)
        with warnings.catch_warnings():
            # torch warns of what a hostile file holds before it refuses it; the refusal says enough
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    if isinstance(found, dict) and isinstance(found.get("model"), dict):
        found = found["model"]
    if not isinstance(found, dict) or not found or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise WeightsError(f"{path}: holds no state dict (names and tensors), but {_kind(found)}; {_GET}")
    return {str(key): value for key, value in found.items()}


def differences(expected: Shapes, found: Shapes) -> str | None:
    """What separates a state dict from a network's, in one line; None when nothing does."""
    missing = [key for key in expected if key not in found]
    unknown = [key for key in found if key not in expected]
    other = [key for key in expected if key in found and expected[key] != found[key]]
    said = []
    if missing:
        said.append(f"{len(missing)} of {len(expected)} keys missing ({_some(missing)})")
    if unknown:
        said.append(f"{len(unknown)} unknown ({_some(unknown)})")
    if other:
        first = other[0]
        said.append(
            f"{len(other)} of another shape ({first} is {_shape(found[first])} instead of {_shape(expected[first])})"
        )
    return ", ".join(said) or None


def not_a_binary(head: bytes) -> str | None:
    """What a file really is that came instead of a checkpoint, from its first bytes; None for a likely one."""
    if not head:
        return "is empty (0 bytes)"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return "is a web page, not a checkpoint: the server asked for a confirmation or a login"
    if text.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the file it points to"
    return None


def _checked(path: Path, state: Mapping[str, torch.Tensor], expected: Shapes) -> dict[str, torch.Tensor]:
    torch = _torch()
    wrong = differences(expected, {key: tuple(value.shape) for key, value in state.items()})
    if wrong:
        raise WeightsError(f"{path}: is not this network's checkpoint: {wrong}")
    floats = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
    for key, value in state.items():
        # integers are counters; as weights they are a quantised file's, which mean something else than their value
        plain = value.layout is torch.strided and value.device.type == "cpu"
        counts = value.dtype in (torch.int64, torch.int32) and value.dim() == 0
        if not plain or not (counts or value.dtype in floats):
            stored = f"{value.layout}, {value.dtype} on {value.device.type}".replace("torch.", "")
            raise WeightsError(f"{path}: {key} is not stored as plain floating point numbers but {stored}; {_GET}")
        if not counts and not torch.isfinite(value).all():
            raise WeightsError(f"{path}: {key} holds values that are not finite; {_GET}")
    return dict(state)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError:
        raise WeightsError(f"{path}: there is no such file; fetch it with `vastra-live weights pull`") from None
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    reason = not_a_binary(head)
    if reason:
        raise WeightsError(f"{path}: {reason}; {_GET}")
    return head


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > _MOST_UNPACKED * path.stat().st_size:
        raise WeightsError(f"{path}: would unpack to {unpacked} bytes, far more than its size; it is not a checkpoint")


class _ArraysOnly(pickle.Unpickler):
    """Unpickles dictionaries of numpy arrays and can call nothing else."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The few globals such a file needs."""
        try:
            return _NUMPY_GLOBALS[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"GLOBAL {module_name}.{global_name}") from None


def _unpickle_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    if not _head(path).startswith(_PICKLE):
        raise WeightsError(f"{path}: is not a file of detectron2's model zoo; {_GET}")
    try:
        with path.open("rb") as file:
            found = _ArraysOnly(file, encoding="latin1").load()
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    arrays = found.get("model") if isinstance(found, dict) else None
    if not isinstance(arrays, dict) or not arrays:
        raise WeightsError(f"{path}: holds no model of detectron2's zoo, but {_kind(found)}; {_GET}")
    for key, value in arrays.items():
        if not isinstance(key, str) or not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
            raise WeightsError(f"{path}: {key!r} is not an array of numbers; {_GET}")
    return arrays


def _unreadable(path: Path, error: BaseException) -> WeightsError:
    if isinstance(error, WeightsError):
        return error
    text = " ".join(str(error).split())
    wanted = re.search(r"GLOBAL (\S+\.\S+)", text)
    if wanted:
        return WeightsError(
            f"{path}: wants to run {wanted[1].rstrip('.,')} when it is opened, which no checkpoint does; it was not run"
        )
    if isinstance(error, zipfile.BadZipFile):
        return WeightsError(f"{path}: is damaged or truncated (its end, which lists what it holds, is missing); {_GET}")
    if "Weights only load failed" in text:
        # the rest advises to open the file with everything allowed
        return WeightsError(f"{path}: is damaged, or holds more than numbers; it was not opened; {_GET}")
    return WeightsError(f"{path}: is damaged or truncated ({text[:160] or type(error).__name__}); {_GET}")


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            "checkpoints need torch; install it: pip install 'vastra-live[synthesis]'"
        ) from error
    return torch


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _kind(found: object) -> str:
    return f"a {type(found).__name__}"
