"""Shape checks of tensors, with messages that name expected and got."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["check_multiple", "check_tensor"]


def check_tensor(
    owner: str,
    name: str,
    value: Tensor,
    shape: tuple[int | None, ...],
    floating: bool = True,
    dtype: torch.dtype | None = None,
) -> None:
    """Raise unless ``value`` has this shape (None: any length of at least 1) and kind of dtype.

    Raises:
        TypeError: a floating tensor was expected and got another, or the other way round; or it is not of ``dtype``,
            where one is given.
        ValueError: the shape differs.
    """
    if value.is_floating_point() != floating:
        kind = "a floating point" if floating else "an integer"
        raise TypeError(f"{owner}.{name}: expected {kind} tensor, got {value.dtype}")
    if dtype is not None and value.dtype != dtype:
        raise TypeError(f"{owner}.{name}: expected {dtype} as the network's weights, got {value.dtype}")
    fits = value.dim() == len(shape) and all(
        got > 0 if want is None else want == got for want, got in zip(shape, value.shape, strict=True)
    )
    if not fits:
        expected = tuple("any" if n is None else n for n in shape)
        raise ValueError(f"{owner}.{name}: expected shape {expected}, got {tuple(value.shape)}")


def check_multiple(owner: str, height: int, width: int, of: int) -> None:
    """Raise unless both sides are positive multiples of ``of``.

    Raises:
        ValueError: one is not.
    """
    if height < of or width < of or height % of or width % of:
        raise ValueError(f"{owner}: expected height and width as multiples of {of}, got {height} x {width}")
