"""Where the worn top ends, read off the colours down the middle of the body."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.places import Hem, Places
from vastra_live.types import F32, U8

__all__ = ["bare_belly", "find_hem"]

F64 = npt.NDArray[np.float64]

_FIRST, _LAST, _BAND = 0.2, 1.5, 0.05
"""Bands across the body, in depth on the torso: 0 at the shoulder joints, 1 at the hip joints."""
_MIDDLE = 0.085
"""From the beginning of the first of two neighbouring bands to the step between them, which is over two bands."""
_LONG_WIDTH, _CLEAR_WIDTH = 0.08, 0.2
"""How sharply a hem is believed in: a clear step is seen by its colours wherever the hem curves to."""


def find_hem(lab: U8, places: Places) -> Hem | None:
    """The hem, or None when nothing clear is seen, and the top ends where tops usually end.

    Colours are followed down the middle of the body: light falls off slowly, a hem is a step.
    """
    edges, medians, seen_to = _bands(lab, places)
    # over two bands: a hem inside a band halves the step to each neighbour
    steps = np.linalg.norm(medians[2:] - medians[:-2], axis=1)
    edges = edges[: len(steps)]
    if (edges < 0.75).sum() < 6:
        return None
    return _one_clear_step(edges, steps) or _long(edges, steps, medians, seen_to)


def _bands(lab: U8, places: Places) -> tuple[F64, F64, float]:
    """Where the bands begin, (n, 3) median colour of each, and the depth down to which anything is seen."""
    seen = places.column & (places.depth >= _FIRST) & (places.depth < _LAST)
    band = ((places.depth[seen] - np.float32(_FIRST)) / np.float32(_BAND)).astype(int)
    order = np.argsort(band, kind="stable")
    colours = lab[seen][order].astype(np.float64) * (0.6, 1.0, 1.0)
    count = round((_LAST - _FIRST) / _BAND)
    starts = np.searchsorted(band[order], np.arange(count + 1))
    medians: list[F64] = []
    seen_to = 0.0
    for k in range(count):
        if starts[k + 1] - starts[k] >= 6:
            medians.append(np.median(colours[starts[k] : starts[k + 1]], axis=0))
            seen_to = _FIRST + (k + 1) * _BAND
        elif medians:  # behind an arm, or out of the picture: nothing changes that can be seen
            medians.append(medians[-1])
    edges = _FIRST + _BAND * np.arange(count)
    return edges[count - len(medians) :], np.array(medians).reshape(-1, 3), seen_to


def _one_clear_step(edges: F64, steps: F64) -> Hem | None:
    """The hem of a top that is of one colour down to one step, and what is below of another."""
    above_hips = np.where((edges >= 0.4) & (edges < 1.0), steps, 0)
    k = int(above_hips.argmax())
    size = float(steps[k])
    before = steps[: max(k - 2, 0)]
    after = steps[k + 3 :][edges[k + 3 :] < 1.1]
    # a print, or a block of another colour in the top, has steps of its own
    quiet = before.max(initial=0.0) <= max(8.0, 0.4 * size) and after.max(initial=0.0) <= 0.25 * size
    return Hem(float(edges[k]) + _MIDDLE, _CLEAR_WIDTH) if size > 20 and quiet else None


def _long(edges: F64, steps: F64, medians: F64, seen_to: float) -> Hem | None:
    """The hem of a top that hangs over the hips."""
    # a print has steps of its own
    step = max(9.0, 1.6 * float(steps[edges < 0.75].max()))
    found = np.flatnonzero((steps > step) & (edges >= 0.75))
    if len(found):
        # a step shows in two or three neighbours; it is where it shows most
        near = found[found <= found[0] + 2]
        hem = float(edges[near[steps[near].argmax()]]) + _MIDDLE
        return Hem(hem, _LONG_WIDTH) if 1.06 < hem < 1.45 else None
    # No step down to the picture's edge: a strong colour is one long top; grey on grey can hide a hem.
    chroma = np.median(np.hypot(medians[:10, 1] - 128, medians[:10, 2] - 128))
    return Hem(seen_to + 0.3, _LONG_WIDTH) if chroma > 25 and 1.0 < seen_to < 1.38 else None


def bare_belly(skin: F32, places: Places) -> Hem | None:
    """The hem of a cropped top, when a band of bare skin crosses the trunk below it."""
    depth, skin = places.depth[places.trunk], skin[places.trunk]
    for low in np.arange(0.35, 1.0, 0.04):
        band = (depth >= low) & (depth < low + 0.04)
        if band.sum() > 6 and float(skin[band].mean()) > 0.55:
            return Hem(float(low), _LONG_WIDTH)
    return None
