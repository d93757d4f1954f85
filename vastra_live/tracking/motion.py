"""Dense motion from the live picture to the keyframe, and its repair where nothing can be matched."""

from __future__ import annotations

from functools import cached_property, lru_cache

import cv2
import numpy as np

from vastra_live.tracking.window import Window, grid
from vastra_live.types import F32, U8

__all__ = ["Flow", "held_together", "in_both", "repair", "similarity"]

# Dense search reads beyond pictures that are less than one of its patches of 8 pixels at half size, and takes the
# process down: of what is narrower the prediction is kept.
_LEAST = 16
# Side of the square of pixels that share one fine step.
_BLOCK = 4
# Smaller eigenvalue of the structure tensor, in OpenCV's unit, below which a place is too plain for a fine step; and
# the longest fine step believed, in pixels.
_PLAIN, _LEAP = 1e-3, 2.0

# Every so many pixels tell how a surface moves as a whole; in so many rounds; what is so many pixels off counts half.
_TOLD, _ROUNDS, _OFF = 4, 3, 2.0
# So little that a surface seen in one corner alone does not turn about it.
_FIRM = np.diag([1e-3, 1e-3, 1e-3]).astype(np.float32)

# Every so many pixels are followed for a similarity; so many must agree, and such a share.
_SPARSE, _FEWEST, _AGREEING = 10, 12, 0.4

# How far around it a dense search is misled by what only one of two pictures shows, in work pixels (box).
_PATCH = np.ones((19, 19), np.uint8)


class Flow:
    """Dense motion, started from a prediction. One object per thread.

    Dense inverse search (Kroeger et al. 2016) down to half size, without variational refinement: :func:`repair`
    does the smoothing. Then one step of Lucas and Kanade (1981) at full size, at every fourth pixel: what dense
    search on the last level finds, in half its time. Plain places, where such a step is noise, keep what they have.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._dis.setFinestScale(1)
        self._dis.setPatchStride(6)
        self._dis.setGradientDescentIterations(5)
        self._dis.setVariationalRefinementIterations(0)

    @cached_property
    def for_parts(self) -> Flow:
        """Another one, for pictures of other sizes: its buffers are not this one's."""
        return Flow()

    def follow(self, live: U8, key: U8, start: F32) -> F32:
        """Where each live pixel is in the keyframe.

        Args:
            live, key: (H, W) uint8 grey; H and W multiples of 4.
            start: (H, W, 2) float32, displacement to start from.

        Returns:
            (H, W, 2) float32: pixel p of ``live`` is pixel p + flow[p] of ``key``.
        """
        rows, columns = live.shape
        flow: F32 = start.copy()
        if min(rows, columns) >= _LEAST:
            flow = self._dis.calc(live, key, flow)
        middles = grid(columns // _BLOCK, rows // _BLOCK) * np.float32(_BLOCK) + np.float32((_BLOCK - 1) / 2)
        guess = middles + cv2.resize(flow, middles.shape[1::-1], interpolation=cv2.INTER_AREA)
        found, good, _ = cv2.calcOpticalFlowPyrLK(
            live,
            key,
            middles.reshape(-1, 1, 2),
            guess.reshape(-1, 1, 2).copy(),
            winSize=(9, 9),
            maxLevel=0,
            criteria=(cv2.TERM_CRITERIA_COUNT, 1, 0),
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
            minEigThreshold=_PLAIN,
        )
        step = found.reshape(guess.shape) - guess
        step[(good.reshape(step.shape[:2]) == 0) | (np.abs(step).max(axis=2) > _LEAP)] = 0
        flow += cv2.resize(step, (columns, rows), interpolation=cv2.INTER_LINEAR)
        return flow


def similarity(before: U8, now: U8, mask: U8) -> F32 | None:
    """The turn, growth and shift that takes most of a surface from one picture to the next.

    A grid of points is followed by pyramidal Lucas-Kanade; what does not agree is left out (Fischler and Bolles 1981).

    Args:
        before, now: (H, W) uint8 grey.
        mask: (H, W) uint8, not 0 where ``before`` shows the surface.

    Returns:
        (2, 3) float32 from ``before`` to ``now``, or None when too few points agree.
    """
    rows, columns = before.shape
    places = grid(columns, rows)[_SPARSE // 2 :: _SPARSE, _SPARSE // 2 :: _SPARSE]
    points = places[mask[_SPARSE // 2 :: _SPARSE, _SPARSE // 2 :: _SPARSE] > 0].reshape(-1, 1, 2)
    if len(points) < _FEWEST:
        return None
    found, good, _ = cv2.calcOpticalFlowPyrLK(before, now, points, None, winSize=(11, 11), maxLevel=3)
    good = good.ravel() > 0
    if np.count_nonzero(good) < _FEWEST:
        return None
    matrix, agreeing = cv2.estimateAffinePartial2D(
        points[good], found[good], method=cv2.RANSAC, ransacReprojThreshold=2.0, maxIters=200
    )
    if matrix is None or np.count_nonzero(agreeing) < max(_FEWEST, _AGREEING * np.count_nonzero(good)):
        return None
    return np.asarray(matrix, np.float32)


def in_both(window: Window, key: Window, cells: F32, shape: tuple[int, ...]) -> U8:
    """Which cells a flow can be known of: those in the live frame, away from what the keyframe's did not yet show.

    What comes into the picture is not in the keyframe, and dense search, with patches at several sizes, finds something
    else for it and for what is beside it.

    Args:
        window: the live one.
        key: the keyframe's.
        cells: (rows, columns, 2) float32, where the flow leads to in ``key``.
        shape: of both frames, height and width first.

    Returns:
        (rows, columns) uint8, 255 or 0.
    """
    height, width = shape[:2]
    ends = np.array([[0, 0], [width - 1, height - 1]], np.float32)
    (left, top), (right, bottom) = key.cells(ends).tolist()
    there = cv2.inRange(cells, (left, top, 0, 0), (right, bottom, 0, 0))
    (left, top), (right, bottom) = np.rint(window.cells(ends)).astype(int).tolist()
    here = np.zeros_like(there)
    here[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = 255
    passed = cv2.dilate(cv2.bitwise_xor(here, there), _PATCH)
    both: U8 = cv2.subtract(here, passed)
    return both


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


@lru_cache(maxsize=2)
def _affine_basis(columns: int, rows: int) -> F32:
    """(rows, columns, 3) float32: each pixel's x and y, in the longer side, and 1. Read-only."""
    places = grid(columns, rows) / np.float32(max(columns, rows))
    basis = np.dstack([places, np.ones((rows, columns), np.float32)])
    basis.flags.writeable = False
    return basis


def held_together(flow: F32, trust: F32, share: F32, far: float) -> F32:
    """Flow of a surface that moves as one, and little beside that.

    How it moves as one is the affine motion that fits most of it, by least squares with weights that fall with what is
    left (Cauchy's).

    Args:
        flow: (H, W, 2) float32, pixels.
        trust: (H, W) float32, 0..1, how much each vector is believed.
        share: (H, W) float32, 0..1, where the surface is; elsewhere the flow stays.
        far: so many pixels beside its common motion at most.
    """
    rows, columns = share.shape
    size = (max(1, columns // _TOLD), max(1, rows // _TOLD))
    vectors, believed, there = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (flow, trust * share, share)
    )
    if np.count_nonzero(believed > 0.5) < _FEWEST:
        return flow
    basis = _affine_basis(*size)
    weight = believed
    for _ in range(_ROUNDS):
        # by OpenCV, for numpy's algebra wakes threads
        weighted = (basis * weight[..., None]).reshape(-1, 3)
        moments = cv2.gemm(weighted, basis.reshape(-1, 3), 1, _FIRM, 1, flags=cv2.GEMM_1_T)
        _, motion = cv2.solve(moments, cv2.gemm(weighted, vectors.reshape(-1, 2), 1, None, 0, flags=cv2.GEMM_1_T))
        beside = vectors - cv2.transform(basis, motion.T)
        length = cv2.magnitude(beside[..., 0].copy(), beside[..., 1].copy())
        weight = believed / (1 + (length / np.float32(_OFF)) ** 2)
    much = there * np.maximum(1 - np.float32(far) / np.maximum(length, np.float32(1e-6)), 0)
    if not much.any():
        return flow
    held: F32 = flow - cv2.resize(beside * much[..., None], (columns, rows), interpolation=cv2.INTER_LINEAR)
    return held
