"""The ground a product photo was taken on: its colour everywhere, and how noisy it is.

A product photo has a plain ground: one colour, perhaps a gradient or a vignette, perhaps a soft shadow.
Its colour is read along the picture's border and carried inside as a quadratic surface. A garment that
touches the border is an outlier there and is trimmed away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Ground", "read_ground", "settle_ground", "without_frame"]

_ROUNDS = 8
_SAMPLES = 6000
_WIDEST_FRAME = 0.03
"""A frame around the picture takes at most this share of its size."""
_PLAIN_LINE = 5.0
"""A line is of one colour if it stays within so many levels; another colour differs by more."""
_LEAST_SIGMA = 0.35
"""Eight-bit rounding leaves at least this much noise, even on a ground that was painted flat."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the ground looks like.

    Attributes:
        bgr: (H, W, 3) float32, the ground's colour at every pixel, also behind the garment.
        sigma: noise of one channel in levels, at least 0.35.
        plain: share of the border that the model explains, 0..1.
    """

    bgr: F32
    sigma: float
    plain: float

    def resized(self, size: tuple[int, int]) -> Ground:
        """The same ground for a picture of another size (width, height); itself where it has that."""
        if self.bgr.shape[1::-1] == size:
            return self
        bgr = np.asarray(cv2.resize(self.bgr, size, interpolation=cv2.INTER_LINEAR), np.float32)
        return Ground(bgr, self.sigma, self.plain)


def without_frame(bgr: U8) -> U8:
    """The picture with its own ground carried over a frame: lines of another plain colour along a side."""
    out = bgr.copy()
    for turns in range(4):
        side = np.rot90(out, turns)  # a view: its first rows are one side of the picture
        reach = max(4, round(_WIDEST_FRAME * len(side)))
        lines = side[:reach].astype(np.float32)
        colour = np.median(lines, axis=1)
        even = (np.abs(lines - colour[:, None]).max(axis=2) < _PLAIN_LINE).mean(axis=1) > 0.95
        other = np.abs(colour - colour[-1]).max(axis=1) > _PLAIN_LINE
        if even[0] and other[0]:
            end = int(np.nonzero(~other)[0][0])
            if even[:end].mean() > 0.5:
                side[: end + 2] = side[min(end + 2, reach - 1)]
    return out


def _terms(x: F32, y: F32) -> F32:
    """The terms of a quadratic surface; x and y in -1..1."""
    one = np.ones_like(x)
    return np.asarray(np.stack([one, x, y, x * x, x * y, y * y], axis=-1), np.float32)


def _border(height: int, width: int) -> tuple[F32, F32]:
    """Row and column of sample pixels in a thin band along the border, each side equally dense."""
    band = max(2, round(0.012 * min(height, width)))
    inside = np.zeros((height, width), np.uint8)
    inside[:band] = inside[-band:] = 1
    inside[:, :band] = inside[:, -band:] = 1
    rows, columns = np.nonzero(inside)
    step = max(1, len(rows) // _SAMPLES)
    return rows[::step].astype(np.float32), columns[::step].astype(np.float32)


def _mode(samples: F32) -> F32:
    """The most frequent colour, to within eight levels."""
    bins = (samples / 16).astype(np.int64)
    codes = bins[:, 0] * 4096 + bins[:, 1] * 64 + bins[:, 2]
    values, counts = np.unique(codes, return_counts=True)
    members = samples[codes == values[counts.argmax()]]
    return np.asarray(np.median(members, axis=0), np.float32)


def read_ground(bgr: U8) -> Ground:
    """Fit the ground's colour to the border by iteratively re-weighted least squares (Cauchy weights)."""
    height, width = bgr.shape[:2]
    rows, columns = _border(height, width)
    samples = bgr[rows.astype(int), columns.astype(int)].astype(np.float32)
    terms = _terms(columns / (width - 1) * 2 - 1, rows / (height - 1) * 2 - 1)
    coefficients = np.zeros((terms.shape[1], 3), np.float32)
    coefficients[0] = _mode(samples)
    scale = 24.0
    error = np.linalg.norm(samples - terms @ coefficients, axis=1)
    for _ in range(_ROUNDS):
        weight = 1.0 / (1.0 + (error / scale) ** 2)
        weight[error > 4 * scale] = 0
        # slopes are held back a little: a side that the garment hides must not bend the surface
        normal = (terms * weight[:, None]).T @ terms + np.diag([0, 1, 1, 4, 4, 4]).astype(np.float32) * 1e-3 * len(rows)
        coefficients = np.linalg.solve(normal, (terms * weight[:, None]).T @ samples).astype(np.float32)
        error = np.linalg.norm(samples - terms @ coefficients, axis=1)
        near = error[error < 4 * scale]
        scale = max(2.0, 2.5 * float(np.median(near))) if len(near) else 2.0
    inlier = error < max(10.0, 3 * scale)
    sigma = max(_LEAST_SIGMA, float(np.median(error[inlier])) / 1.54) if inlier.any() else 128.0
    small = (max(2, height // 8), max(2, width // 8))
    y, x = np.mgrid[-1 : 1 : small[0] * 1j, -1 : 1 : small[1] * 1j].astype(np.float32)
    surface = cv2.resize(_terms(x, y) @ coefficients, (width, height), interpolation=cv2.INTER_LINEAR)
    return Ground(np.clip(surface, 0, 255).astype(np.float32), sigma, float(inlier.mean()))


def settle_ground(bgr: U8, ground: Ground, known: U8) -> Ground:
    """The ground once much of it is known: local means where there are some, the surface elsewhere.

    Follows what a quadratic cannot: a vignette, a patch that a retoucher left, a soft shadow.

    Args:
        bgr: (H, W, 3) uint8 picture.
        ground: the model so far.
        known: (H, W) uint8, not 0 where the picture shows the ground for certain.
    """
    height, width = bgr.shape[:2]
    size = (max(2, width // 4), max(2, height // 4))
    weight = cv2.resize((known > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    weight = (weight > 0.99).astype(np.float32)
    difference = cv2.resize(bgr.astype(np.float32) - ground.bgr, size, interpolation=cv2.INTER_AREA)
    spread = 0.012 * max(size)
    total = cv2.GaussianBlur(weight, (0, 0), spread)
    local = cv2.GaussianBlur(difference * weight[..., None], (0, 0), spread)
    correction = cv2.resize(local / (total + 0.02)[..., None], (width, height), interpolation=cv2.INTER_LINEAR)
    return Ground(np.clip(ground.bgr + correction, 0, 255), ground.sigma, ground.plain)
