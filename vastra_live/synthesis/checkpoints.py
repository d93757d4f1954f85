"""Which network each file of the manifest fills, and opening it for that network and no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vastra_live.errors import MissingDependencyError, WeightsError
from vastra_live.weights import Entry, Format, Store, load_detectron2, load_torch
from vastra_live.weights.checkpoint import Shapes, differences, read_state

if TYPE_CHECKING:
    from torch import nn

    from vastra_live.synthesis.conditions.parsing import OnnxParser

__all__ = ["check", "expected_shapes", "open_network", "open_parser", "require_files"]


def _hrviton(name: str, **size: int) -> nn.Module:
    from vastra_live.synthesis.hrviton import networks

    network: nn.Module = getattr(networks, name)(**size)
    return network


def _cpvton(name: str, plus: bool) -> nn.Module:
    from vastra_live.synthesis.cpvton import networks

    network: nn.Module = getattr(networks, name)(plus=plus)
    return network


def _generator_keys(state: Mapping[str, Any]) -> dict[str, Any]:
    from vastra_live.synthesis.hrviton.networks import rename_generator_keys

    return rename_generator_keys(state)


_NETWORKS: Final[dict[str, Callable[..., nn.Module]]] = {
    "hrviton.condition": partial(_hrviton, "ConditionGenerator"),
    "hrviton.generator": partial(_hrviton, "SpadeGenerator"),
    "cpvton.gmm": partial(_cpvton, "GeometricMatching", False),
    "cpvton.tom": partial(_cpvton, "TryOn", False),
    "cpvton.gmm-plus": partial(_cpvton, "GeometricMatching", True),
    "cpvton.tom-plus": partial(_cpvton, "TryOn", True),
}

_RENAMES: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {"hrviton.generator": _generator_keys}


def expected_shapes(network: str) -> Shapes:
    """Keys and shapes of a network's state dict; it is laid out without memory for its numbers."""
    import torch

    with torch.device("meta"):
        empty = _NETWORKS[network]()
    return {key: tuple(value.shape) for key, value in empty.state_dict().items()}


def require_files(store: Store, group: str, names: Collection[str] | None = None) -> None:
    """Return when the files of a group are there; of the two parsers either will do. None is opened.

    Args:
        store: the weights folder.
        group: as ``weights pull`` takes it.
        names: of the group's entries that are wanted; None wants all.

    Raises:
        WeightsError: the message names every file that is missing, and the pull line.
    """
    wanted = {s.entry.name for s in store.status(group)} if names is None else set(names)
    if any(s.present for s in store.status("parser-atr")):
        wanted.discard("parser-lip")
    missing = [s.entry.file for s in store.status(group) if s.entry.name in wanted and not s.present]
    if missing:
        raise WeightsError(
            f"{group} needs {', '.join(missing)} in {store.folder}; fetch what is missing: "
            f"vastra-live weights pull {group}"
        )


def open_network(store: Store, name: str, **size: int) -> nn.Module:
    """The network of one torch entry, filled from its file, on the CPU, in eval mode, without gradients.

    Args:
        store: the weights folder.
        name: of the entry.
        size: what the network's constructor takes, such as ``height`` and ``width``.

    Raises:
        WeightsError: the file is missing or not this network's.
    """
    path = store.path(name)
    (entry,) = store.select(name)
    network = _NETWORKS[entry.network](**size)
    network.load_state_dict(_load(entry, path), strict=True)
    return network.eval().requires_grad_(False)


def open_parser(store: Store) -> OnnxParser:
    """The human parser whose file is there: LIP's, or ATR's where only that is.

    Raises:
        WeightsError: neither is there, or it is not a parser.
        MissingDependencyError: onnxruntime is not installed.
    """
    from vastra_live.synthesis.conditions.labels import LabelSet
    from vastra_live.synthesis.conditions.parsing import OnnxParser

    lip, atr = (store.status(name)[0] for name in ("parser-lip", "parser-atr"))
    chosen = atr if atr.present and not lip.present else lip
    return OnnxParser(store.path(chosen.entry.name), LabelSet(chosen.entry.network))


def check(entry: Entry, path: Path) -> None:
    """Open a file as what its entry says; what :meth:`~vastra_live.weights.Store.pull` and ``verify`` are given.

    Raises:
        WeightsError: it is damaged, hostile, or another network's, in which case the message says whose.
        MissingDependencyError: what opens it is not installed.
    """
    if entry.format is Format.ONNX:
        from vastra_live.synthesis.conditions.labels import LabelSet
        from vastra_live.synthesis.conditions.parsing import OnnxParser

        OnnxParser(path, LabelSet(entry.network))
    elif entry.format is Format.DETECTRON2:
        from vastra_live.synthesis.conditions.densepose import build_model

        model = build_model("cpu", 0.0)
        load_detectron2(path, {key: tuple(value.shape) for key, value in model.state_dict().items()})
    else:
        _load(entry, path)


def _load(entry: Entry, path: Path) -> dict[str, Any]:
    try:
        return load_torch(path, expected_shapes(entry.network), _RENAMES.get(entry.network))
    except WeightsError as error:
        owner = _whose(path, entry.network)
        raise WeightsError(f"{error}; it is the checkpoint of {owner}") if owner else error from None


def _whose(path: Path, not_of: str) -> str | None:
    """The network whose checkpoint this file is, if any."""
    try:
        state = read_state(path)
    except (WeightsError, MissingDependencyError):
        return None
    for network in _NETWORKS:
        if network != not_of:
            renamed = _RENAMES.get(network, dict)(state)
            if differences(expected_shapes(network), {k: tuple(v.shape) for k, v in renamed.items()}) is None:
                return network
    return None
