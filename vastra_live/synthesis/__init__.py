"""Synthesizers: a frame, a body and a garment in, a layer out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vastra_live.errors import ConfigError, MissingDependencyError, WeightsError
from vastra_live.synthesis.base import Progress, Synthesizer
from vastra_live.types import U8

__all__ = ["Progress", "Synthesizer", "open_synthesizer"]

Watch = Callable[[str, U8], None]


def open_synthesizer(
    name: str,
    *,
    tell: Callable[[str], None] = lambda _: None,
    watch: Watch | None = None,
    progress: Progress = lambda _stage, _done: None,
    layer_pixels: int | None = None,
) -> Synthesizer:
    """The synthesizer of a name, ready to work.

    A network that runs out of GPU memory, now or at any keyframe, is followed by the same at a smaller size, and
    that by the embedded synthesizer.

    Args:
        name: ``auto``, ``embedded``, ``hr-viton`` or ``cp-vton``. ``auto`` takes hr-viton where its files, its
            packages and a GPU are there, and the embedded one elsewhere.
        tell: told in one line why ``auto`` took the embedded one, on which device and in which precision a network
            runs, and what took over when memory ran out.
        watch: sees every intermediate: its name, and it as a picture.
        progress: told of hr-viton's stages at every keyframe.
        layer_pixels: how many pixels the embedded one paints at most; None is what a live keyframe has time for.

    Raises:
        MissingDependencyError: what it needs is not installed; the message holds the install line.
        WeightsError: a file of its networks is missing or wrong.
        ConfigError: there is no synthesizer of this name.
    """
    if name not in ("auto", "embedded", "hr-viton", "cp-vton"):
        raise ConfigError(f"synthesizer {name!r}: there is none of this name; use auto, embedded, hr-viton or cp-vton")
    if name == "auto":
        reason = _why_not_deep()
        name = "hr-viton" if reason is None else "embedded"
        if reason is not None:
            tell(f"the embedded synthesizer works here: {reason}")
    embedded = partial(_open_embedded, watch, layer_pixels)
    if name == "embedded":
        return embedded()
    from vastra_live.synthesis.fallback import FallbackSynthesizer, Rung

    if name == "cp-vton":
        from vastra_live.synthesis.cpvton.synthesizer import open_cp_vton

        rungs = [Rung("cp-vton", partial(open_cp_vton, watch=watch))]
    else:
        from vastra_live.synthesis.hrviton.synthesizer import SIZES, open_hr_viton

        deep = partial(open_hr_viton, watch=watch, progress=progress, tell=tell)
        rungs = [Rung(f"hr-viton {size[0]}x{size[1]}", partial(deep, size=size)) for size in SIZES]
    return FallbackSynthesizer([*rungs, Rung("embedded", embedded)], tell)


def _open_embedded(watch: Watch | None, layer_pixels: int | None) -> Synthesizer:
    from vastra_live.synthesis.embedded import EmbeddedSynthesizer

    if layer_pixels is None:
        return EmbeddedSynthesizer(watch=watch)
    return EmbeddedSynthesizer(layer_pixels=layer_pixels, watch=watch)


def _why_not_deep() -> str | None:
    """Why hr-viton cannot make keyframes here; None when it can. Opens nothing."""
    from vastra_live.synthesis.hrviton.synthesizer import require
    from vastra_live.weights import Store

    try:
        require(Store())
    except (MissingDependencyError, WeightsError) as error:
        return str(error).partition(";")[0]  # how to install it is said to who asks for it by name
    import torch

    if torch.cuda.is_available():
        return None
    return "there is no CUDA GPU, and on a CPU hr-viton is too slow unless it is asked for by name"
