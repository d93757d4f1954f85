"""Dense motion from the live picture to the keyframe, and its repair where nothing can be matched."""

from __future__ import annotations

import cv2

from vastra_live.types import F32, U8

__all__ = ["Flow", "repair"]


class Flow:
    """Dense inverse search (Kroeger et al. 2016), started from a prediction. One object per thread.

    Patches are matched on the full work grid, further apart than usual and with fewer iterations, and without
    variational refinement: the same time buys a flow four times finer than the "fast" preset's, because the
    prediction is already close and :func:`repair` does the smoothing.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._dis.setFinestScale(0)
        self._dis.setPatchStride(6)
        self._dis.setGradientDescentIterations(5)
        self._dis.setVariationalRefinementIterations(0)

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


def repair(flow: F32, light: F32, trust: F32, reach: float) -> tuple[F32, F32]:
    """Flow and light where they are trusted, smoothly continued into where they are not.

    Normalised convolution (Knutsson and Westin 1993) at quarter size: untrusted values weigh nothing.

    Args:
        flow: (H, W, 2) float32.
        light: (H, W) float32, how much brighter the live picture is.
        trust: (H, W) float32, 0..1.
        reach: how far a trusted value speaks for its neighbours, in pixels (standard deviation).

    Returns:
        The flow, untouched where it is trusted, and the light, smooth everywhere.
    """
    rows, columns = trust.shape
    quarter = (max(1, columns // 4), max(1, rows // 4))
    # a trace of trust everywhere: far from anything trusted the average of all is the best guess
    weight = cv2.max(trust, 0.002)
    parts = (cv2.extractChannel(flow, 0), cv2.extractChannel(flow, 1), light)
    weighted = [cv2.multiply(part, weight) for part in parts]
    coarse = [cv2.resize(part, quarter, interpolation=cv2.INTER_AREA) for part in (*weighted, weight)]
    *sums, mass = (cv2.GaussianBlur(part, (0, 0), reach / 4) for part in coarse)
    x_wide, y_wide, light_wide = (
        cv2.resize(cv2.divide(part, mass), (columns, rows), interpolation=cv2.INTER_LINEAR) for part in sums
    )
    share = cv2.GaussianBlur(weight, (9, 9), 1.5)
    mended: F32 = cv2.blendLinear(flow, cv2.merge((x_wide, y_wide)), share, cv2.subtract(1.0, share))
    return mended, light_wide
