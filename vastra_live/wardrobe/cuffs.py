"""A sleeve's end: two sharp corners with a straight piece between them, far from the body.

Every pair of points along a sleeve's outline is scored; the two sides are compared pair by pair, since sleeves are
alike. A folded cuff or a frill shows several pairs that are nearly as good: what is nearly best counts, too, so that
between two such pairs the end moves from one to the other instead of leaping.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32
from vastra_live.wardrobe.silhouette import Half

__all__ = ["Ends", "read_ends"]

F64 = npt.NDArray[np.float64]

_POINTS = 110
"""Points from shoulder to armpit that may be an end's corner."""
_LONGEST = 60
"""An end runs over at most so many of them."""
_SHORTEST, _WIDEST = 0.18, 1.3
"""It is no shorter and no longer than these shares of the sleeve's root, from shoulder to armpit."""
_ALONG = 1.0
"""What it costs a piece to run along the sleeve."""
_OTHER, _APART = 0.5, 5
"""How much the other sleeve counts, and how many points farther along its corners may lie."""
_NEARLY = 0.06
"""A pair that scores so much less than the best counts a third of it."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What the ends of one sleeve may be.

    Attributes:
        points: (110, 2) float64, the outline from the shoulder's end to the armpit.
        score: (110, 110) float32, how much the points i and j look like an end's outer and inner corner; far below 0
            where they cannot be.
    """

    points: F64
    score: F32

    @property
    def clear(self) -> float:
        """How clearly the best pair shows."""
        return float(self.score.max())

    def corners(self, other: Ends | None = None) -> tuple[F32, F32]:
        """The outer and the inner corner, (2,) float32 each; with the other side's sleeve to compare with."""
        score = self.score
        if other is not None:
            score = score + _OTHER * cv2.dilate(other.score, np.ones((2 * _APART + 1, 2 * _APART + 1), np.uint8))
        weight = np.exp((score.astype(np.float64) - score.max()) / _NEARLY)
        weight /= weight.sum()
        index = np.arange(_POINTS)
        outer, inner = (float((weight.sum(axis=axis) * index).sum()) for axis in (1, 0))
        return self._at(outer), self._at(inner)

    def _at(self, index: float) -> F32:
        every = np.arange(_POINTS)
        return np.array([np.interp(index, every, self.points[:, axis]) for axis in (0, 1)], np.float32)


def read_ends(half: Half, shoulder: int, fold: int) -> Ends:
    """The possible ends of the sleeve between two indices of a half's path: the shoulder's end and the armpit."""
    at = np.linspace(shoulder, max(fold, shoulder + 1), _POINTS)
    every = np.arange(len(half.path))
    points = np.stack([np.interp(at, every, half.path[:, axis]) for axis in (0, 1)], axis=1)
    turn = np.minimum(np.interp(at, every, half.bend), 1.2)
    base = (points[0] + points[-1]) / 2
    root = float(np.linalg.norm(points[-1] - points[0]))
    far = np.maximum(np.linalg.norm(points - base, axis=1), 1e-6)
    step = float(np.linalg.norm(np.diff(points, axis=0), axis=1).mean())
    score = np.full((_POINTS, _POINTS), -1e3, np.float32)
    for i in range(2, _POINTS - 3):
        chord = points[i : min(i + _LONGEST, _POINTS - 1)] - points[i]
        length = np.maximum(np.linalg.norm(chord, axis=1), 1e-6)
        areas = np.abs(chord[:, None, 0] * chord[None, :, 1] - chord[:, None, 1] * chord[None, :, 0])
        bulge = np.tril(areas).max(axis=1) / length
        j = i + np.arange(len(chord))
        value = turn[i] + turn[j] - 3.0 * bulge / length + 1.5 * (far[i] + far[j]) / (2 * far.max())
        # an end runs across its sleeve: what runs along it is the side of a frill
        along = (chord * ((points[i] + points[j]) / 2 - base)).sum(axis=1)
        along /= length * np.maximum(np.linalg.norm((points[i] + points[j]) / 2 - base, axis=1), 1e-6)
        value -= _ALONG * along * along
        # the seam below an arm is no longer than the sleeve's outside
        value -= 5.0 * np.maximum(0, _POINTS - 1 - j - i) * step / far.max()
        fits = (length > max(0.02, _SHORTEST * root)) & (length < _WIDEST * max(root, 0.05)) & (j >= i + 2)
        score[i, j[fits]] = value[fits]
    return Ends(points, score)
