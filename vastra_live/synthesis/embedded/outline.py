"""A garment's outline without the raggedness of its mask: hems, cuffs and necklines are drawn with one stroke.

Where cloth and the photo's ground are alike, a mask is ragged by a few pixels; worn, in front of another ground, that
shows. Each point of the outline goes to the mean of its neighbours along it. Along it, and not over the picture: a
strap is thinner than what is averaged. A corner or a ruffle would move farther than raggedness does, and stays.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32

__all__ = ["along_outline", "largest_outline", "smooth_outline"]

_ALONG = 0.014
"""How far along the outline neighbours count, as the deviation of a Gaussian, in sides of the garment's box."""
_RAGGED = 0.0075
"""So far, in the same measure, raggedness departs from the line at most; what departs twice as far is a shape."""
_OFF_OUTLINE = 0.15
"""In shares of how far apart they are, and three pixels, a point of the outline lies off it at most."""

F64 = npt.NDArray[np.float64]


def smooth_outline(alpha: F32) -> F32:
    """The mask with a smooth outline and an edge two pixels soft; away from the outline it stays as it is.

    Args:
        alpha: (H, W) float32 0..1.

    Returns:
        (H, W) float32 0..1.
    """
    _, _, width, height = cv2.boundingRect((alpha > 0.5).astype(np.uint8))
    side = 2 * float(np.sqrt(width * height))
    if side < 64:
        return alpha
    most = _RAGGED * side
    # at twice the size, so that the edge keeps its place between two pixels
    doubled = cv2.resize(alpha, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    outlines, _ = cv2.findContours((doubled > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    drawn, border = np.zeros(doubled.shape, np.uint8), np.zeros(doubled.shape, np.uint8)
    lines = [_smoothed(line[:, 0].astype(np.float64), _ALONG * side, most) for line in outlines if len(line) > 16]
    cv2.fillPoly(drawn, [np.round(line * 16).astype(np.int32) for line in lines], 255, shift=4)
    smooth = cv2.blur(drawn.astype(np.float32) / np.float32(255), (3, 3))
    cv2.drawContours(border, outlines, -1, 1)
    near = cv2.distanceTransform(1 - border, cv2.DIST_L2, 3)[::2, ::2] < 2 * most + 4
    return np.where(near, cv2.resize(smooth, alpha.shape[::-1], interpolation=cv2.INTER_AREA), alpha)


def _smoothed(line: F64, sigma: float, most: float) -> F64:
    """(n, 2) points of a closed line, a pixel apart, each moved to the mean of its neighbours where that is near."""
    window = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
    weights = np.exp(-0.5 * (window / sigma) ** 2)
    weights /= weights.sum()
    reach = min(len(window) // 2, len(line) - 1)
    around = np.concatenate([line[-reach:], line, line[:reach]])
    kernel = weights[len(window) // 2 - reach : len(window) // 2 + reach + 1]
    kernel = kernel / kernel.sum()
    mean = np.column_stack([np.convolve(around[:, axis], kernel, "valid") for axis in (0, 1)])
    off = mean - line
    far = np.hypot(off[:, 0], off[:, 1])
    return np.asarray(line + off * np.clip(2 - far / most, 0, 1)[:, None], np.float64)


def largest_outline(mask: F32) -> F64:
    """(n, 2) outline of the largest piece of a mask; empty when there is none."""
    found, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.empty((0, 2))
    return np.asarray(max(found, key=cv2.contourArea)[:, 0], np.float64)


def along_outline(outline: F64, start: F64, end: F64, avoid: F64, shares: F64) -> list[F64]:
    """Points of an outline at shares of its way from start to end, on the side that does not pass ``avoid``.

    The straight line stands in where the outline makes a detour (a sleeve that touches the side of the torso), or does
    not pass the end at all (a collar stands up from the neck's front).
    """
    straight = [start + (end - start) * share for share in shares]
    if len(outline) < 8:
        return straight
    i, j, k = (int(np.argmin(((outline - p) ** 2).sum(axis=1))) for p in (start, end, avoid))
    span = float(np.linalg.norm(end - start))
    if float(np.linalg.norm(outline[j] - end)) > _OFF_OUTLINE * span + 3:
        return straight
    n = len(outline)
    forward = (j - i) % n
    if (k - i) % n < forward:
        way = outline[(i - np.arange((i - j) % n + 1)) % n]
    else:
        way = outline[(i + np.arange(forward + 1)) % n]
    if len(way) < 4:
        return straight
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    if travelled[-1] > 1.5 * span + 8:
        return straight
    at = [np.array([np.interp(s * travelled[-1], travelled, way[:, c]) for c in (0, 1)]) for s in shares]
    return [*at[:-1], end]
