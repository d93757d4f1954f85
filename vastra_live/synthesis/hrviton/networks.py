"""HR-VITON's two networks, and the renames that turn its released checkpoints into their state dicts."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from vastra_live.synthesis.hrviton.condition import ConditionGenerator, ConditionOutput
from vastra_live.synthesis.hrviton.generator import SpadeGenerator

__all__ = ["ConditionGenerator", "ConditionOutput", "SpadeGenerator", "rename_generator_keys"]


def rename_generator_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The released ``gen.pth`` under the names of :class:`SpadeGenerator`.

    ``ace`` becomes ``alias`` and ``.Spade`` is removed, in every key. Keys that already have the new names
    pass unchanged. The condition checkpoint needs no rename.

    Raises:
        ValueError: two keys become the same one.
    """
    renamed = {key.replace("ace", "alias").replace(".Spade", ""): value for key, value in state.items()}
    if len(renamed) != len(state):
        raise ValueError(f"generator checkpoint: {len(state)} keys become {len(renamed)} after renaming")
    return renamed
