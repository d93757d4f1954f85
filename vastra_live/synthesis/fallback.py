"""Stepping down when the GPU's memory is full, instead of stopping."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vastra_live.errors import SynthesisError
from vastra_live.synthesis.base import Synthesizer
from vastra_live.types import Body, Frame, Garment, Layer

__all__ = ["FallbackSynthesizer", "Rung", "gpu_memory_is_full"]

_SAID: Final = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""What torch passes on, as a plain RuntimeError, from libraries that allocate beside its own allocator."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to make keyframes.

    Attributes:
        name: what it is called until it is open.
        open: opens it; may raise what a synthesizer's opening raises.
    """

    name: str
    open: Callable[[], Synthesizer]


class FallbackSynthesizer:
    """The first of several synthesizers that the GPU's memory has room for; a ``Synthesizer``.

    Where one runs out of GPU memory, when it is opened or at any keyframe, it is closed and the next makes that
    keyframe and all later ones. Any other error is the caller's.

    Args:
        rungs: best first; at least one.
        tell: told in one line what is at work, and at each step down what took over from what.

    Attributes:
        name: of the synthesizer that is at work, or was when this one was closed.
    """

    def __init__(self, rungs: Sequence[Rung], tell: Callable[[str], None] = lambda _: None) -> None:
        if not rungs:
            raise ValueError("FallbackSynthesizer.rungs: expected at least one, got none")
        self._rungs = list(rungs)
        self._tell = tell
        self._running: Synthesizer | None = None
        self._closed = False
        self._left: list[str] = []
        self.name = rungs[0].name
        self._open()

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The layer, by the first synthesizer that has the memory for it.

        Raises:
            RuntimeError: this synthesizer was closed.
            Exception: whatever the synthesizer at work raises, but for a full GPU memory while there is another.
        """
        while True:
            running = self._running or self._open()
            try:
                return running.synthesize(frame, body, garment)
            except (RuntimeError, SynthesisError) as error:
                if not self._may_leave(error):
                    raise
            # behind the except clause: the error's traceback holds the tensors that fill the memory
            running.close()
            del running
            self._running = None
            self._leave(self.name)

    def close(self) -> None:
        """Close the one at work. Harmless when repeated."""
        self._closed = True
        if self._running is not None:
            self._running.close()
            self._running = None

    def _open(self) -> Synthesizer:
        while True:
            self._refuse_if_closed()
            rung = self._rungs[0]
            try:
                running = rung.open()
            except (RuntimeError, SynthesisError) as error:
                if not self._may_leave(error):
                    raise
            else:
                break
            self._leave(rung.name)
        self._running, self.name = running, running.name
        self._refuse_if_closed()  # meanwhile: to open takes seconds
        if self._left:
            self._tell(f"{', '.join(self._left)}: the GPU's memory is full; {self.name} goes on")
        else:
            self._tell(f"{self.name} is at work")
        self._left = []
        return running

    def _refuse_if_closed(self) -> None:
        if self._closed:
            self.close()
            raise RuntimeError("FallbackSynthesizer.synthesize: the synthesizer is closed")

    def _may_leave(self, error: BaseException) -> bool:
        return len(self._rungs) > 1 and gpu_memory_is_full(error)

    def _leave(self, name: str) -> None:
        self._left.append(name)
        del self._rungs[0]
        _give_memory_back()


def _give_memory_back() -> None:
    """What torch keeps for itself would be missing to onnxruntime, which has an allocator of its own."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def gpu_memory_is_full(error: BaseException) -> bool:
    """Whether an error is torch's for a full GPU memory, or a consequence of it. Does not import torch."""
    torch = sys.modules.get("torch")  # where nobody imported it, the error cannot be its
    if torch is None:
        return False
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, torch.cuda.OutOfMemoryError):
            return True
        if isinstance(link, RuntimeError) and any(words in str(link) for words in _SAID):
            return True
        # a graph whose capture ran out of memory fails once more when the capture is ended
        link = link.__cause__ or link.__context__
    return False
