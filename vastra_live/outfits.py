"""What a user asks for by name or path: one garment, or a top and a lower garment joined by ``+``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vastra_live.errors import WardrobeError
from vastra_live.types import Category, Garment
from vastra_live.wardrobe.store import Wardrobe

__all__ = ["find_garment", "outfit"]


def outfit(first: Garment, second: Garment) -> Garment:
    """A top worn over a lower garment, whichever is named first.

    Raises:
        WardrobeError: the two are not a top and a lower garment.
    """
    top, lower = (second, first) if first.category is Category.LOWER else (first, second)
    if (top.category, lower.category) != (Category.UPPER, Category.LOWER):
        raise WardrobeError(
            f"{first.name}+{second.name}: expected a top and a lower garment, got {first.category.value} and "
            f"{second.category.value}; `vastra-live garment list` tells which is which"
        )
    return dataclasses.replace(top, name=f"{top.name}+{lower.name}", worn_with=lower)


def find_garment(wardrobe: Wardrobe, wanted: str) -> Garment:
    """The garment or outfit of a name, a path, or two of them joined by ``+``.

    A file whose own name has a ``+`` is taken for itself.

    Raises:
        InputError: there is no such garment, it cannot be read, or the two are not a top and a lower garment.
    """
    names = wanted.split("+")
    if len(names) == 1 or Path(wanted).is_file():
        return wardrobe.resolve(wanted)
    if len(names) != 2 or not all(names):
        raise WardrobeError(f"{wanted}: expected a top and a lower garment joined by one +, such as coast-tee+jeans")
    return outfit(wardrobe.resolve(names[0]), wardrobe.resolve(names[1]))
