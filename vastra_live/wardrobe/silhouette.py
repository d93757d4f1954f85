"""The outline of a garment as two half paths, from the neck (or waistband) down to the hem.

Both halves are given in the same coordinates, as if each lay on the right: x grows from the symmetry axis
outwards, y downwards, in units of the silhouette's height. Whatever is found on one half is found on the
other by the same code.

The symmetry axis is upright: a garment that was laid or photographed a few degrees askew is first turned back, because
rules such as "farthest outwards and down" and "straight above" would find other points on the two sides of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8

__all__ = ["Half", "Silhouette", "bends", "read_silhouette", "sharp_armpit"]

F64 = npt.NDArray[np.float64]

_WORK_HEIGHT = 512
_STEP = 1.0 / 400
_TILT_SIZE = 128
"""Tilt is read off the silhouette at this size of its longer side."""
_TILTS = np.arange(-8.0, 8.1, 1.0)
"""Degrees that a garment may lie askew; what is most symmetric beyond is no symmetric garment."""
_TILT_SLACK = 0.003
"""What is less symmetric than the best by less than this share of the garment counts, too, the less so the more."""
_SHARP = 0.6
"""An armpit turns by more than this (radians); the hollow of a waist or an armhole does not."""
_UPWARDS = (0.02, 0.1)
"""Below an armpit there is a hem: the outline comes lower than it by the first share of the height, or does not end
higher by the second. From a fold at the end of a leg it only goes on up to the crotch."""


@dataclass(frozen=True, slots=True)
class Half:
    """One side of the outline.

    Attributes:
        path: (N, 2) float32 points at even steps from the top of the axis over the outer side to its bottom.
        bend: (N,) float32, turning angle in radians at each point; below 0 where the outline is hollow.
    """

    path: F32
    bend: F32


@dataclass(frozen=True, slots=True)
class Silhouette:
    """A garment's outline in its own frame.

    Attributes:
        mask: (512, W') uint8, the silhouette turned upright, cropped to its box and scaled to 512 rows, slits cut.
        axis: x of the symmetry axis in pixels of ``mask``.
        symmetry: share of the silhouette that its mirror image covers, 0..1.
        frame: (2, 3) float64, takes (x, y, 1) in pixels of ``mask`` to pixels of the picture.
        left, right: the halves; left is the wearer's, on the right of the picture.
    """

    mask: U8
    axis: float
    symmetry: float
    frame: F64
    left: Half
    right: Half

    def to_picture(self, point: F32, *, left: bool) -> tuple[float, float]:
        """A point of a half path in pixels of the picture."""
        sign = 1.0 if left else -1.0
        unit = _WORK_HEIGHT
        x = self.axis + sign * float(point[0]) * unit
        y = float(point[1]) * unit
        column, row = self.frame @ (x, y, 1.0)
        return float(column), float(row)


def bends(path: F32, reach: int) -> F32:
    """Turning angle at each point between the chords to the points ``reach`` steps before and after."""
    count = len(path)
    index = np.arange(count)
    before = path - path[np.maximum(index - reach, 0)]
    after = path[np.minimum(index + reach, count - 1)] - path
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.asarray(np.arctan2(cross, (before * after).sum(axis=1)), np.float32)


def sharp_armpit(half: Half) -> int | None:
    """Index of the sharp hollow under a sleeve, or None where nothing leaves the body sideways."""
    path, bend = half.path, half.bend
    widest = float(path[:, 0].max())
    hollow = (path[:, 0] > 0.25 * widest) & (path[:, 1] > 0.06) & (path[:, 1] < 0.97) & (bend < -_SHARP)
    # the outline runs outwards along the sleeve before the armpit, so something wider comes before it
    before = np.maximum.accumulate(path[:, 0])
    lowest = np.maximum.accumulate(path[::-1, 1])[::-1]
    hemmed = (lowest > path[:, 1] + _UPWARDS[0]) | (path[-1, 1] > path[:, 1] - _UPWARDS[1])
    found = np.nonzero(hollow & (before > path[:, 0] + 0.04) & hemmed)[0]
    return int(found[bend[found].argmin()]) if len(found) else None


def _overlap(mask: U8) -> F32:
    """(2W,) how much of a silhouette (H, W) its mirror image covers, for each sum of a column and its mirror column."""
    rows = (mask > 127).astype(np.float32)
    spectrum = np.fft.rfft(rows, 2 * mask.shape[1], axis=1)
    return np.asarray(np.fft.irfft(spectrum * spectrum, 2 * mask.shape[1], axis=1).sum(axis=0), np.float32)


def _axis(mask: U8) -> tuple[float, float]:
    """x of the symmetry axis, at which the silhouette covers its mirror image best, and how much of it that is."""
    small = cv2.resize(mask, (max(8, mask.shape[1] // 4), mask.shape[0] // 4), interpolation=cv2.INTER_AREA)
    width = small.shape[1]
    overlap = _overlap(small)[: 2 * width - 1]
    best = int(overlap.argmax())
    share = float(overlap[best]) / max(1, np.count_nonzero(small > 127))
    return float((best / 2 + 0.5) * mask.shape[1] / width - 0.5), share


def _tilt(mask: U8) -> float:
    """Degrees by which a silhouette is turned to make it most symmetric about an upright axis."""
    x, y, width, height = cv2.boundingRect(mask)
    scale = _TILT_SIZE / max(width, height)
    side = round(1.2 * _TILT_SIZE)
    middle = np.array([x + (width - 1) / 2, y + (height - 1) / 2])

    def symmetry(degrees: float) -> float:
        turned = cv2.warpAffine(small, _turned(np.full(2, (side - 1) / 2), degrees, 1.0), (side, side))
        return float(_overlap(turned).max() / max(1, np.count_nonzero(turned > 127)))

    onto = np.array([[scale, 0, 0], [0, scale, 0]])
    onto[:, 2] = (side - 1) / 2 - scale * middle
    small = cv2.warpAffine(_softened(mask, scale), onto, (side, side))
    coarse = _TILTS[np.argmax([symmetry(tilt) for tilt in _TILTS])]
    fine = coarse + np.linspace(-1, 1, 11)
    found = np.array([symmetry(tilt) for tilt in fine])
    # what is nearly as symmetric counts too: the best alone is a matter of single pixels
    weight = np.maximum(found - found.max() + _TILT_SLACK, 0)
    return float((weight * fine).sum() / weight.sum())


def _turned(middle: F64, degrees: float, scale: float) -> F64:
    """(2, 3) a turn about a point and a scaling."""
    return np.asarray(cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), degrees, scale), np.float64)


def _softened(mask: U8, scale: float) -> U8:
    """The mask with an edge as soft as its pixels are large, before and after a scaling: so no stairs are turned."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.45 / scale, 0.7)), np.uint8)


def _open_holes(mask: U8) -> U8:
    """Cut a slit from each hole to the ground below it, or above it, where that is nearer.

    Where a sleeve's end touches the body (or a trouser leg the other), the outline would pass the gap by; and it would
    run around the band of a halter neck instead of along its opening.
    """
    ground = cv2.copyMakeBorder(cv2.bitwise_not(mask), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    outside = labels[0, 0]
    opened = mask.copy()
    for label in range(1, count):
        if label == outside or stats[label, cv2.CC_STAT_AREA] < 40:
            continue
        ys, xs = np.nonzero(labels == label)
        slits = []
        for flip, y in ((False, int(ys.max()) - 1), (True, int(ys.min()) - 1)):
            x = int(np.median(xs[ys == y + 1])) - 1
            ahead = (opened[y::-1] if flip else opened[y:])[:, x] == 0
            beyond = np.nonzero(ahead)[0]
            beyond = beyond[beyond > 2]
            length = int(beyond[0]) if len(beyond) else len(ahead)
            slits.append((length, x, slice(max(0, y - length), y + 2) if flip else slice(y - 1, y + length + 1)))
        _, x, rows = min(slits, key=lambda slit: slit[0])
        opened[rows, max(0, x) : x + 2] = 0
    return opened


def _resample(points: F32, step: float) -> F32:
    """The polyline at even steps of its length."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.arange(0.0, lengths[-1], step)
    return np.stack([np.interp(at, lengths, points[:, i]) for i in (0, 1)], axis=1).astype(np.float32)


def _smooth(path: F32, sigma: float) -> F32:
    """Gaussian smoothing along the path, ends kept."""
    radius = int(3 * sigma)
    padded = np.concatenate([2 * path[:1] - path[radius:0:-1], path, 2 * path[-1:] - path[-2 : -radius - 2 : -1]])
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return np.stack([np.convolve(padded[:, i], kernel, "valid") for i in (0, 1)], axis=1).astype(np.float32)


def _halves(mask: U8, axis: float) -> tuple[Half, Half]:
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)[:, 0, :].astype(np.float32) - 1
    near = np.abs(outline[:, 0] - axis) < 1.5
    if not near.any():
        near = np.abs(outline[:, 0] - axis) <= np.abs(outline[:, 0] - axis).min() + 1
    candidates = np.nonzero(near)[0]
    top = int(candidates[outline[candidates, 1].argmin()])
    outline = np.roll(outline, -top, axis=0)
    candidates = (candidates - top) % len(outline)
    bottom = int(candidates[outline[candidates, 1].argmax()])
    # a crotch or a sleeve below the hem: the lowest crossing of the axis still parts left from right
    first, second = outline[: bottom + 1], np.concatenate([outline[bottom:], outline[:1]])[::-1]
    if first[:, 0].mean() < second[:, 0].mean():
        first, second = second, first
    halves = []
    for side, sign in ((first, 1.0), (second, -1.0)):
        points = np.stack([sign * (side[:, 0] - axis), side[:, 1]], axis=1).astype(np.float32) / _WORK_HEIGHT
        path = _smooth(_resample(points, _STEP), 2.0)
        halves.append(Half(path, bends(path, 12)))
    return halves[0], halves[1]


def read_silhouette(mask: U8) -> Silhouette:
    """The outline of a mask (H, W) uint8, 255 inside, that holds one connected piece."""
    turn = _turned(np.zeros(2), _tilt(mask), 1.0)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = np.concatenate(contours)[:, 0] @ turn[:, :2].T
    low, high = outline.min(axis=0) - 0.5, outline.max(axis=0) + 0.5
    scale = _WORK_HEIGHT / (high[1] - low[1])
    onto = scale * turn
    onto[:, 2] = scale * (0.5 - low) - 0.5
    size = (max(8, round(scale * (high[0] - low[0]))), _WORK_HEIGHT)
    crop = cv2.warpAffine(_softened(mask, scale), onto, size, flags=cv2.INTER_LINEAR)
    crop = np.where(crop > 127, 255, 0).astype(np.uint8)
    axis, symmetry = _axis(crop)
    crop = _open_holes(crop)
    left, right = _halves(crop, axis)
    return Silhouette(crop, axis, symmetry, np.asarray(cv2.invertAffineTransform(onto), np.float64), left, right)
