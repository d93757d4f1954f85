"""Curves that may be a front neckline, and the steps of colour across them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32

__all__ = ["BANDS", "PER_PIECE", "PIECES", "Curves", "at", "crossed", "steps"]

Bools = npt.NDArray[np.bool_]

PIECES, PER_PIECE = 12, 8
_POINTS = np.linspace(-0.92, 0.92, PIECES * PER_PIECE, dtype=np.float32)
"""Close to the neck points every curve runs along the outline."""
BANDS = (0.015, 0.03, 0.045)
"""How far on both sides of the curve colours are compared, as shares of the neck's width: across a seam."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves between two neck points, K of them; depth in units of the neck's width.

    Attributes:
        start, end: the neck points (x, y), in pixels.
        depth, power, root, spread: (K,) float32.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    depth: F32
    power: F32
    root: F32
    spread: F32

    @property
    def width(self) -> float:
        """Of the neck, in pixels."""
        return max(4.0, self.end[0] - self.start[0])

    def only(self, index: int) -> Curves:
        """One of them."""
        chosen = slice(index, index + 1)
        shape = self.depth[chosen], self.power[chosen], self.root[chosen], self.spread[chosen]
        return Curves(self.start, self.end, *shape)

    def at(self, share: F32) -> tuple[F32, F32]:
        """x and y (K, N) in pixels at shares (N,) of the curve, -1..1."""
        t = share[None] * self.spread[:, None] / 2
        x = (self.start[0] + self.end[0]) / 2 + (self.end[0] - self.start[0]) * t
        base = (self.start[1] + self.end[1]) / 2 + (self.end[1] - self.start[1]) * t
        sag = (1 - np.abs(share[None]) ** self.power[:, None]) ** self.root[:, None]
        return x.astype(np.float32), (base + self.width * self.depth[:, None] * sag).astype(np.float32)


def crossed(curves: Curves) -> tuple[F32, F32, F32, F32]:
    """x, y, slope and the rise of a step across that is as long as the neck is wide, (K, N) each."""
    x, y = curves.at(_POINTS)
    slope = np.gradient(y, axis=1) / np.gradient(x, axis=1)
    across = curves.width / np.sqrt(1 + slope * slope)
    return x, y, np.asarray(slope, np.float32), np.asarray(across, np.float32)


def steps(curves: Curves, smooth: F32, alpha: F32) -> tuple[F32, Bools]:
    """Colour below minus colour above (K, N, 3), and whether cloth is on both sides (K, N)."""
    x, y, slope, across = crossed(curves)
    covered = np.ones(x.shape, np.bool_)
    step = np.zeros((*x.shape, 3), np.float32)
    for band in BANDS:
        reach = band * across
        above, below = (x + slope * reach, y - reach), (x - slope * reach, y + reach)
        step += (at(smooth, *below) - at(smooth, *above)) / len(BANDS)
        if band < BANDS[-1]:
            covered &= (at(alpha, *above) > 0.9) & (at(alpha, *below) > 0.9)
    return step, covered


def at(plane: F32, x: F32, y: F32) -> F32:
    """Values at points, between pixels."""
    sampled = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)
