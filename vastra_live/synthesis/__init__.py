"""Synthesizers: a frame, a body and a garment in, a layer out."""

from __future__ import annotations

from collections.abc import Callable

from vastra_live.errors import ConfigError, MissingDependencyError, WeightsError
from vastra_live.synthesis.base import Synthesizer
from vastra_live.types import U8

__all__ = ["Synthesizer", "open_synthesizer"]

Watch = Callable[[str, U8], None]


def open_synthesizer(
    name: str,
    *,
    tell: Callable[[str], None] = lambda _: None,
    watch: Watch | None = None,
    layer_pixels: int | None = None,
) -> Synthesizer:
    """The synthesizer of a name, ready to work.

    Args:
        name: ``auto``, ``embedded``, ``hr-viton`` or ``cp-vton``. ``auto`` takes hr-viton where its files, its
            packages and a GPU are there, and the embedded one elsewhere.
        tell: told in one line why ``auto`` took the embedded one.
        watch: sees every intermediate: its name, and it as a picture.
        layer_pixels: how many pixels the embedded one paints at most; None is what a live keyframe has time for.

    Raises:
        MissingDependencyError: what it needs is not installed; the message holds the install line.
        WeightsError: a file of its networks is missing or wrong.
        ConfigError: there is no synthesizer of this name.
    """
    if name == "hr-viton":
        from vastra_live.synthesis.hrviton.synthesizer import open_hr_viton

        return open_hr_viton(watch=watch)
    if name == "cp-vton":
        from vastra_live.synthesis.cpvton.synthesizer import open_cp_vton

        return open_cp_vton(watch=watch)
    if name == "auto":
        reason = _why_not_deep()
        if reason is None:
            return open_synthesizer("hr-viton", watch=watch)
        tell(f"the embedded synthesizer works here: {reason}")
    elif name != "embedded":
        raise ConfigError(f"synthesizer {name!r}: there is none of this name; use auto, embedded, hr-viton or cp-vton")
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
