"""Stepping down where a network cannot make the keyframe, instead of stopping."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vastra_live.errors import GpuMemoryError, NothingToFitError, SynthesisError
from vastra_live.synthesis.base import Synthesizer
from vastra_live.types import Body, Frame, Garment, Layer

__all__ = ["FallbackSynthesizer", "Rung", "gpu_failure", "gpu_memory_is_full"]

_FULL: Final = (
    "CUDA error: out of memory",
    "CUDA driver error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    # the same since cuDNN 9
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
)
"""What torch passes on, as a plain RuntimeError, from libraries that allocate beside its own allocator."""

_FAILED: Final = ("CUDA error: ", "CUDA driver error: ", "cuDNN error: ", "CUBLAS_STATUS_")
"""What is in torch's errors about the GPU itself, most of them plain RuntimeErrors too."""

_LONGEST: Final = 160  # letters of such an error that are passed on


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
    keyframe and all later ones. Where the GPU itself fails, as one does that the installed torch has no code for, or
    that a laptop has put to sleep, the last one does. Where one finds nothing it can fit, as networks do with trousers
    or with a pose they were not trained on, the last one is asked for that keyframe, and the first stays. Any other
    error is the caller's.

    Args:
        rungs: best first; at least one. The last one needs no GPU.
        tell: told in one line what is at work, at each step down what took over from what, and once for each garment
            that the last one had to stand in.

    Attributes:
        name: of the synthesizer that made the last keyframe; before the first, of the one that is at work.
    """

    def __init__(self, rungs: Sequence[Rung], tell: Callable[[str], None] = lambda _: None) -> None:
        if not rungs:
            raise ValueError("FallbackSynthesizer.rungs: expected at least one, got none")
        self._rungs = list(rungs)
        self._tell = tell
        self._running: Synthesizer | None = None
        self._last: Synthesizer | None = None
        self._stood_in: set[str] = set()
        self._closed = False
        self._left: list[str] = []
        self._why = ""
        self._gpu_works = True
        self.name = rungs[0].name
        self._open()

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The layer, by the first synthesizer that can make it.

        Raises:
            RuntimeError: this synthesizer was closed.
            NothingToFitError: the last one finds nothing to fit either.
            Exception: whatever the synthesizer at work raises, but for a GPU that is full or fails while there is
                another.
        """
        while True:
            running = self._running or self._open()
            self.name = running.name
            refusal = ""
            try:
                layer = running.synthesize(frame, body, garment)
            except NothingToFitError as error:
                if len(self._rungs) == 1:
                    raise
                refusal = str(error)
            except (RuntimeError, SynthesisError) as error:
                if not self._may_leave(error):
                    raise
            else:
                if running.name != self.name:
                    self.name = running.name
                    self._tell(f"{self.name} is at work")
                return layer
            # behind the except clauses: the error's traceback holds the tensors that fill the memory
            if refusal:
                return self._stand_in(frame, body, garment, refusal)
            running.close()
            del running
            self._running = None
            self._leave(self.name)

    def close(self) -> None:
        """Close what is open. Harmless when repeated."""
        self._closed = True
        for opened in (self._running, self._last):
            if opened is not None:
                opened.close()
        self._running = self._last = None

    def _stand_in(self, frame: Frame, body: Body, garment: Garment, refusal: str) -> Layer:
        """One keyframe by the last synthesizer, which is opened for it and kept."""
        stand_in = self._last = self._last or self._rungs[-1].open()
        self._refuse_if_closed()
        layer = stand_in.synthesize(frame, body, garment)
        self.name = stand_in.name
        if garment.name not in self._stood_in:
            self._stood_in.add(garment.name)
            self._tell(f"{refusal}; {stand_in.name} stands in")
        return layer

    def _open(self) -> Synthesizer:
        while True:
            self._refuse_if_closed()
            rung = self._rungs[0]
            try:
                running = self._last if self._last is not None and len(self._rungs) == 1 else rung.open()
            except (RuntimeError, SynthesisError) as error:
                if not self._may_leave(error):
                    raise
            else:
                break
            self._leave(rung.name)
        self._running, self.name = running, running.name
        self._refuse_if_closed()  # meanwhile: to open takes seconds
        if self._left:
            self._tell(f"{', '.join(self._left)}: {self._why}; {self.name} goes on")
        else:
            self._tell(f"{self.name} is at work")
        self._left = []
        return running

    def _refuse_if_closed(self) -> None:
        if self._closed:
            self.close()
            raise RuntimeError("FallbackSynthesizer.synthesize: the synthesizer is closed")

    def _may_leave(self, error: BaseException) -> bool:
        """Whether another may go on after this error; why, and whether on the same GPU, is kept for :meth:`_leave`."""
        if len(self._rungs) == 1:
            return False
        self._gpu_works = gpu_memory_is_full(error)
        self._why = "the GPU's memory is full" if self._gpu_works else gpu_failure(error)
        return bool(self._why)

    def _leave(self, name: str) -> None:
        self._left.append(name)
        if self._gpu_works:
            del self._rungs[0]
            _give_memory_back()
        else:
            # every later call to this GPU fails too, even the one that would give its memory back
            del self._rungs[:-1]


def _give_memory_back() -> None:
    """What torch keeps for itself would be missing to onnxruntime, which has an allocator of its own."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def gpu_memory_is_full(error: BaseException) -> bool:
    """Whether an error tells of a full GPU memory, or is a consequence of one that does. Does not import torch."""
    torch = sys.modules.get("torch")  # where nobody imported it, the error cannot be its
    for link in _chain(error):
        if isinstance(link, GpuMemoryError):
            return True
        if torch is not None and isinstance(link, torch.cuda.OutOfMemoryError):
            return True
        if torch is not None and isinstance(link, RuntimeError) and any(words in str(link) for words in _FULL):
            return True
    return False


def gpu_failure(error: BaseException) -> str:
    """What torch says of a GPU that does not work, or "" where the error is another. Does not import torch."""
    if "torch" not in sys.modules:
        return ""
    for link in _chain(error):
        text = str(link).strip()
        if isinstance(link, RuntimeError) and any(words in text for words in _FAILED):
            # the other lines say how to debug it
            return f"the GPU failed ({text.splitlines()[0][:_LONGEST]})"
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it: a graph whose capture failed fails once more when the capture is ended."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
