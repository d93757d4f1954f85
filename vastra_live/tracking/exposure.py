"""A sudden change of exposure, taken off before anything is compared."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["steady"]

# Every so many work pixels tell how the exposure has changed; and from how many levels on.
_SPARSE, _CHANGED = 4, 4.0
# From here on a work pixel is of the layer, and up to here of what surrounds it; so many of both tell.
_LAYER, _AROUND, _ENOUGH = 0.5, 0.05, 20
# How much more the layer may have changed than what surrounds it, in shares: a camera's answer to light bends.
_MORE = 1.5


def steady(live: U8, bright: F32, light: F32, expected_luma: U8, expected_alpha: F32) -> None:
    """Take a sudden change of exposure off a picture, in place.

    On plain cloth a flow would take it for motion, and nothing would look as it did. What the layer covers must have
    changed, and what surrounds it likewise: where the wearer has left, only the former has.

    Args:
        live: (rows, columns, 4) uint8 Y, Cr, Cb and anything, the picture with the last change of light taken off.
        bright: (rows, columns) float32, its luma with that.
        light: (rows, columns) float32, that change, levels.
        expected_luma: (rows, columns) uint8.
        expected_alpha: (rows, columns) float32, the layer's.
    """
    some, known, usual, alpha = (
        field[::_SPARSE, ::_SPARSE] for field in (bright, expected_luma, light, expected_alpha)
    )
    inside, around = alpha > _LAYER, alpha < _AROUND
    if min(np.count_nonzero(inside), np.count_nonzero(around)) < _ENOUGH:
        return
    known = known + usual
    change = float(np.median((some - known)[inside]))
    if abs(change) <= _CHANGED:
        return
    was, was_around = (float(np.median(known[where])) for where in (inside, around))
    most = _MORE * was * float(np.median((some - known)[around])) / max(was_around, 1.0)
    change = min(max(change, min(most, 0.0)), max(most, 0.0))
    if abs(change) > _CHANGED:
        cv2.insertChannel(cv2.subtract(bright, light + np.float32(change), dtype=cv2.CV_8U), live, 0)
