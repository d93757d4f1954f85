"""What the camera is expected to see of the keyframe's surface, at a place moved by the flow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Expected", "Surface", "surface_of"]

# How far the flow may be off, in work pixels, before a pixel counts as something else.
_SLACK = 2
_EDGE = cv2.BORDER_REPLICATE


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The keyframe's surface on the work grid.

    For each pixel, the range of colours among its neighbours that the layer covers and among those it does not:
    comparing with two ranges decides on which side of the layer's outline a live pixel lies, tolerates a flow
    that is off by a pixel or two, and needs no edge in the picture's texture to be exact. Where there is no
    such neighbour the range is empty (low 255, high 0) and nothing fits it.

    All (rows, columns, 4) uint8:

    Attributes:
        expected: Y, Cr, Cb, and the layer's alpha.
        covered_low, covered_high, rest_low, rest_high: Y, Cr, Cb, and anything; of ``rest_low`` 255 where something
            is in front of the layer in the keyframe, and 0 elsewhere.
    """

    expected: U8
    covered_low: U8
    covered_high: U8
    rest_low: U8
    rest_high: U8

    def at(self, cells: F32) -> Expected:
        """The surface as it is expected at these places: ranges of the nearest pixel, the rest interpolated.

        Args:
            cells: (h, w, 2) float32, x and y on the surface's grid; beyond it the edge is repeated.
        """
        fixed, fraction = cv2.convertMaps(cells, None, cv2.CV_16SC2)
        planes = cv2.split(cv2.remap(self.expected, fixed, fraction, cv2.INTER_LINEAR, borderMode=_EDGE))
        nearest, _ = cv2.convertMaps(cells, None, cv2.CV_16SC2, nninterpolation=True)

        def moved(four: U8) -> U8:
            # four bytes travel as one number, which takes a quarter of the time
            there = cv2.remap(four.view(np.int32), nearest, None, cv2.INTER_NEAREST, borderMode=_EDGE)
            result: U8 = there[..., None].view(np.uint8)
            return result

        ranges = (moved(each) for each in (self.covered_low, self.covered_high, self.rest_low, self.rest_high))
        return Expected(*planes, *ranges)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """A :class:`Surface` moved to the live picture.

    Attributes:
        luma, red, blue: (h, w) uint8, the colour expected: Y, Cr, Cb.
        alpha: (h, w) uint8, the layer's.
        covered_low, covered_high, rest_low, rest_high: (h, w, 4) uint8, Y, Cr, Cb, and anything.
    """

    luma: U8
    red: U8
    blue: U8
    alpha: U8
    covered_low: U8
    covered_high: U8
    rest_low: U8
    rest_high: U8


def surface_of(ycrcb: U8, alpha: F32, shown_ycrcb: U8 | None = None, shown_alpha: F32 | None = None) -> Surface:
    """Ranges and alphas of a keyframe.

    Args:
        ycrcb: (rows, columns, 3) uint8, what the camera is expected to see.
        alpha: (rows, columns) float32, the layer.
        shown_ycrcb, shown_alpha: likewise, with what is in front of the layer in the keyframe: it may be there still.
            None for nothing.
    """
    around = np.ones((2 * _SLACK + 1, 2 * _SLACK + 1), np.uint8)
    planes = cv2.split(ycrcb)
    colours = cv2.merge((*planes, planes[0]))
    inside = cv2.compare(alpha, 0.5, cv2.CMP_GT)
    covered = cv2.merge((inside, inside, inside, inside))
    rest = cv2.bitwise_not(covered)
    beside, hidden = cv2.bitwise_or(colours, covered), np.zeros_like(inside)
    beyond = cv2.bitwise_and(colours, rest)
    if shown_ycrcb is not None and shown_alpha is not None:
        hidden = cv2.bitwise_and(inside, cv2.compare(shown_alpha, 0.5, cv2.CMP_LT))
        # its edge is part hand, part cloth
        hidden = cv2.erode(hidden, around)
        front = cv2.merge((*cv2.split(shown_ycrcb), shown_ycrcb[..., 0]))
        beside, beyond = (cv2.copyTo(front, hidden, each) for each in (beside, beyond))
    rest_low, rest_high = cv2.erode(beside, around), cv2.dilate(beyond, around)
    cv2.insertChannel(hidden, rest_low, 3)
    return Surface(
        expected=cv2.merge((*planes, np.round(alpha * 255).astype(np.uint8))),
        covered_low=cv2.erode(cv2.bitwise_or(colours, rest), around),
        covered_high=cv2.dilate(cv2.bitwise_and(colours, covered), around),
        rest_low=rest_low,
        rest_high=rest_high,
    )
