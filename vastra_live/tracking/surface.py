"""What the camera is expected to see of the keyframe's surface, at a place moved by the flow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8

__all__ = ["Expected", "Surface", "surface_of"]

Mask = npt.NDArray[np.bool_]

# How far the flow may be off, in work pixels, before a pixel counts as something else.
_SLACK = 2


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The keyframe's surface on the work grid.

    For each pixel, the range of colours among its neighbours that the layer covers and among those it does not:
    comparing with two ranges decides on which side of the layer's outline a live pixel lies, tolerates a flow
    that is off by a pixel or two, and needs no edge in the picture's texture to be exact. Where there is no
    such neighbour the range is empty (low 255, high 0) and nothing fits it.

    Resampling costs by the call more than by the channel, so fours are packed together. All (rows, columns, 4)
    uint8:

    Attributes:
        covered_low: Y, Cr, Cb, and as fourth channel the expected luma itself.
        covered_high: Y, Cr, Cb, and the layer's alpha.
        rest_low: Y, Cr, Cb, and the expected Cr itself.
        rest_high: Y, Cr, Cb, and the expected Cb itself.
    """

    covered_low: U8
    covered_high: U8
    rest_low: U8
    rest_high: U8

    def at(self, cells: F32) -> Expected:
        """The surface as it is expected at these places.

        Args:
            cells: (h, w, 2) float32, x and y on the surface's grid; beyond it the edge is repeated.
        """
        fixed, fraction = cv2.convertMaps(cells, None, cv2.CV_16SC2)

        def moved(plane: U8) -> U8:
            result: U8 = cv2.remap(plane, fixed, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            return result

        return Expected(moved(self.covered_low), moved(self.covered_high), moved(self.rest_low), moved(self.rest_high))


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """A :class:`Surface` moved to the live picture, packed likewise."""

    covered_low: U8
    covered_high: U8
    rest_low: U8
    rest_high: U8

    @property
    def luma(self) -> U8:
        """(h, w) uint8, the luma expected."""
        return _plane(self.covered_low)

    @property
    def red(self) -> U8:
        """(h, w) uint8, the Cr expected."""
        return _plane(self.rest_low)

    @property
    def blue(self) -> U8:
        """(h, w) uint8, the Cb expected."""
        return _plane(self.rest_high)

    @property
    def alpha(self) -> U8:
        """(h, w) uint8, the layer's alpha."""
        return _plane(self.covered_high)


def _plane(four: U8) -> U8:
    plane: U8 = cv2.extractChannel(four, 3)
    return plane


def surface_of(ycrcb: U8, alpha: F32) -> Surface:
    """Ranges and alphas of a keyframe.

    Args:
        ycrcb: (rows, columns, 3) uint8, what the camera is expected to see.
        alpha: (rows, columns) float32, the layer.
    """
    around = np.ones((2 * _SLACK + 1, 2 * _SLACK + 1), np.uint8)
    covered = (alpha > 0.5)[..., None]

    def lowest(where: Mask) -> U8:
        low: U8 = cv2.erode(np.where(where, ycrcb, np.uint8(255)), around)
        return low

    def highest(where: Mask) -> U8:
        high: U8 = cv2.dilate(np.where(where, ycrcb, np.uint8(0)), around)
        return high

    return Surface(
        covered_low=np.dstack([lowest(covered), ycrcb[..., 0]]),
        covered_high=np.dstack([highest(covered), np.round(alpha * 255).astype(np.uint8)]),
        rest_low=np.dstack([lowest(~covered), ycrcb[..., 1]]),
        rest_high=np.dstack([highest(~covered), ycrcb[..., 2]]),
    )
