"""What is left of the inside at the ends of a neckline.

The front's edge is a curve between the two points where the collar meets the shoulders. A wide rib, or the arm of a
hanger, reaches beyond them, and stood as a dark corner before the wearer's neck. Where front and inside differ clearly,
a piece beside an end that has the inside's colour and hangs together with it belongs to it, if it ends there: the dark
sleeve of a two-coloured shirt goes on.
"""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["with_ends"]

_REACH = 0.2
"""Such a piece lies within this distance of the end, in widths of the neck."""
_BESIDE = 0.05
"""So far above and below the edge the colours of inside and front are read."""
_CLEAR, _EVEN = 40.0, 0.35
"""They differ by so many levels at least, and vary by at most this share of that."""


def with_ends(bgr: U8, alpha: F32, inside: F32, edge: F32) -> F32:
    """The inside with the pieces beside its ends.

    Args:
        bgr: (H, W, 3) uint8.
        alpha: (H, W) float32, the garment.
        inside: (H, W) float32, 0..1, what lies above the edge.
        edge: (N, 2) float32, the front's edge from one shoulder to the other.
    """
    width = float(np.linalg.norm(edge[-1] - edge[0]))
    middle = edge[len(edge) // 5 : -(len(edge) // 5)]
    front, back = (_colours(bgr, middle + np.array([0, side * _BESIDE * width], np.float32)) for side in (1, -1))
    contrast = float(np.linalg.norm(np.median(front, axis=0) - np.median(back, axis=0)))
    if contrast < _CLEAR or max(_spread(front), _spread(back)) > _EVEN * contrast:
        return inside
    smooth = cv2.GaussianBlur(bgr, (0, 0), 1.0).astype(np.float32)
    to_front, to_back = (np.linalg.norm(smooth - np.median(colours, axis=0), axis=2) for colours in (front, back))
    result = inside.copy()
    for x, y in (edge[0], edge[-1]):
        zone = np.zeros(inside.shape, np.uint8)
        cv2.circle(zone, (round(float(x)), round(float(y))), round(_REACH * width), 255, -1)
        alike = (zone > 0) & (to_back < to_front) & (alpha > 0.5) & (inside < 0.5)
        count, labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
        rim = cv2.erode(zone, np.ones((5, 5), np.uint8)) == 0
        near = cv2.dilate((inside > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        for label in range(1, count):
            piece = labels == label
            if (piece & near).any() and not (piece & rim).any():
                soft = cv2.GaussianBlur(cv2.dilate(piece.astype(np.float32), np.ones((3, 3), np.uint8)), (0, 0), 0.8)
                result = np.maximum(result, soft * alpha)
    return np.asarray(result, np.float32)


def _colours(bgr: U8, points: F32) -> F32:
    """(N, 3) the colours at points (N, 2)."""
    x, y = (points[:, axis].reshape(1, -1).astype(np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(bgr, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0], np.float32)


def _spread(colours: F32) -> float:
    """How far colours (N, 3) are from their median, in the middle of them."""
    return float(np.median(np.linalg.norm(colours - np.median(colours, axis=0), axis=1)))
