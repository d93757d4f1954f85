"""Pictures on their way to a device and back, through memory that is laid out once.

On CUDA that memory is page-locked, so a copy is the card's own work: the call returns while it is still under way. A
fence (a CUDA event) says when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from vastra_live.types import U8

__all__ = ["Fence", "Fetched", "Sent", "fence_of"]


class Fence(Protocol):
    """What is used of ``torch.cuda.Event``."""

    def record(self) -> None:
        """Mark the place in the device's work that has been reached by now."""
        ...

    def synchronize(self) -> None:
        """Wait until the device has come to the mark; at once where there is none."""
        ...


def fence_of(device: torch.device) -> Fence | None:
    """A fence whose waiting leaves the core to others; None where calls return when their work is done."""
    return None if device.type != "cuda" else _Event(device)


class _Event:
    """A CUDA event of one device, whichever is the current one."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]

    def record(self) -> None:
        self._event.record(torch.cuda.current_stream(self._device))

    def synchronize(self) -> None:
        self._event.synchronize()


class Sent:
    """Pictures of fixed shapes that are sent again and again.

    Args:
        shapes: by name; uint8.
        device: where to.
        fence: of this device; None copies at once.

    Attributes:
        there: the tensors on the device, always the same ones.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], device: torch.device, fence: Fence | None) -> None:
        self._fence = fence
        self._host = {name: _on_host(shape, device) for name, shape in shapes.items()}
        self.there = {name: torch.zeros(shape, dtype=torch.uint8, device=device) for name, shape in shapes.items()}

    @torch.inference_mode()
    def send(self, pictures: Mapping[str, U8]) -> None:
        """Copy the pictures; they are the caller's again when this returns.

        Raises:
            ValueError: one has another shape or dtype.
        """
        for name, picture in pictures.items():
            shape = tuple(self._host[name].shape)
            if picture.dtype != np.uint8 or picture.shape != shape:
                raise ValueError(f"{name}: expected {shape} uint8, got {picture.shape} {picture.dtype}")
        if self._fence is not None:
            self._fence.synchronize()  # the card may still be reading what was sent before
        for name, picture in pictures.items():
            np.copyto(self._host[name].numpy(), picture)
            self.there[name].copy_(self._host[name], non_blocking=self._fence is not None)
        if self._fence is not None:
            self._fence.record()


class Fetched:
    """Pictures of fixed shapes that are fetched again and again; arguments as for :class:`Sent`."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], device: torch.device, fence: Fence | None) -> None:
        self._fence = fence
        self._host = {name: _on_host(shape, device) for name, shape in shapes.items()}

    @torch.inference_mode()
    def fetch(self, tensors: Mapping[str, Tensor]) -> dict[str, U8]:
        """Wait for the tensors (uint8, of the shapes given) and copy them, each into memory of its own."""
        for name, tensor in tensors.items():
            self._host[name].copy_(tensor, non_blocking=self._fence is not None)
        if self._fence is not None:
            self._fence.record()
            self._fence.synchronize()
        return {name: self._host[name].numpy().copy() for name in tensors}


def _on_host(shape: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.zeros(shape, dtype=torch.uint8, pin_memory=device.type == "cuda")
