"""Dense motion from the live picture to the keyframe, and its repair where nothing can be matched."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8

__all__ = ["Flow", "repair"]


class Flow:
    """Dense inverse search (Kroeger et al. 2016), started from a prediction. One object per thread."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def follow(self, live: U8, key: U8, start: F32) -> F32:
        """Where each live pixel is in the keyframe.

        Args:
            live, key: (H, W) uint8 grey.
            start: (H, W, 2) float32, displacement to start from.

        Returns:
            (H, W, 2) float32: pixel p of ``live`` is pixel p + flow[p] of ``key``.
        """
        flow: F32 = self._dis.calc(live, key, start.copy())
        return flow


def repair(flow: F32, trust: F32, reach: float) -> F32:
    """The flow where it is trusted, smoothly continued into where it is not.

    Normalised convolution (Knutsson and Westin 1993) at quarter size: untrusted vectors weigh nothing.

    Args:
        flow: (H, W, 2) float32.
        trust: (H, W) float32, 0..1.
        reach: how far a trusted vector speaks for its neighbours, in pixels (standard deviation).
    """
    rows, columns = trust.shape
    small = (max(1, columns // 4), max(1, rows // 4))
    weight = cv2.resize(trust, small, interpolation=cv2.INTER_AREA) + np.float32(1e-4)
    weighted = cv2.resize(cv2.multiply(flow, cv2.merge([trust, trust])), small, interpolation=cv2.INTER_AREA)
    sigma = reach / 4
    spread = cv2.GaussianBlur(cv2.merge([*cv2.split(weighted), weight]), (0, 0), sigma)
    spread_x, spread_y, mass = cv2.split(spread)
    wide = cv2.merge([cv2.divide(spread_x, mass), cv2.divide(spread_y, mass)])
    wide = cv2.resize(wide, (columns, rows), interpolation=cv2.INTER_LINEAR)
    share = cv2.GaussianBlur(trust, (0, 0), 1.5)
    repaired: F32 = wide + (flow - wide) * share[..., None]
    return repaired
