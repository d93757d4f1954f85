"""Moved arms in front of everything else: brought from the keyframe, and weighed against what is behind them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.limbs import Arms, carried, within
from vastra_live.tracking.motion import Flow, repair
from vastra_live.tracking.visibility import pool
from vastra_live.tracking.window import Window, colours_apart, grid, sampled
from vastra_live.types import F32, U8

__all__ = ["Front", "bring_arm", "difference", "weigh"]

# Levels, luma and twice each chroma: beyond this a pixel is simply different; by this much what is behind must
# explain the picture better than the arm at its bone; and over this range the decision changes.
_DIFFERENT, _PREFER, _SOFT = 40.0, 24.0, 8.0
# The share of that preference which what is simply different from the arm loses: landmarks err, and motion blurs.
_UNLIKE = 0.5
# Levels of luma at which the flow within an arm is trusted half; how far it speaks for its neighbours, at half size.
_DOUBTFUL, _REACH = 12.0, 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """A moved arm in front of everything else.

    Attributes:
        window: the part of the picture it may touch, on the lattice of the live window, and maybe beyond that.
        live: (rows, columns, 4) uint8 Y, Cr, Cb and anything, the picture there.
        cells: (rows, columns, 2) float32, for each of its pixels the place on the keyframe's work grid.
        share: (rows, columns) float32, 0..1, how much it shows an arm.
        off: (rows, columns) float32, how far it is from the nearest bone, 1 being the arm's usual half width.
        arms, parts: the arms in the live picture, None when they are not known, and which parts of them it shows, a set
            of bits.
    """

    window: Window
    live: U8
    cells: F32
    share: F32
    off: F32
    arms: Arms | None = None
    parts: int = 0

    def reaching(self, own: F32) -> F32:
        """(rows, columns) float32, how much each pixel may show an arm, with so much of the keyframe around it."""
        return within(self.off) * sampled(own, self.cells)


def bring_arm(
    engine: Flow,
    key: Arms,
    key_window: Window,
    key_luma: U8,
    key_own: F32,
    now: Arms,
    parts: int,
    window: Window,
    live: U8,
) -> Front:
    """Parts of an arm in front of everything.

    Args:
        engine: the calling thread's own for arms: another size than the last one's costs new buffers.
        key: the arms in the keyframe.
        key_window: of the keyframe.
        key_luma: (rows, columns) uint8, the keyframe on its work grid.
        key_own: (rows, columns) float32, what there moves with the arms, see :func:`layer_on`.
        now: the arms in the live picture.
        parts: which of them; best of one arm, for all between two would be looked at too.
        window: what they may touch, see :func:`arm_window`.
        live: (rows, columns, 4) uint8, Y first, the picture there.
    """
    # at half size: an arm that moves so fast is blurred, and smooth but for where two bones meet
    cells, off = carried(key, key_window, now, parts, window.centres()[::2, ::2] + np.float32(window.step / 2))
    # the landmarks are as good as a start: the flow moves the arm to where its folds and edges are
    luma = cv2.resize(cv2.extractChannel(live, 0), off.shape[::-1], interpolation=cv2.INTER_AREA)
    there, places = sampled(key_luma, cells), grid(*luma.shape[::-1])
    flow = engine.follow(luma, there, np.zeros((*luma.shape, 2), np.float32))
    doubt = cv2.blur(cv2.absdiff(luma, sampled(there, places + flow)), (3, 3))
    trust = within(off) * cv2.min(cv2.max(1.5 - doubt * np.float32(1 / _DOUBTFUL), 0.0), 1.0)
    flow, _ = repair(flow, np.zeros_like(off), trust, _REACH)
    size = (window.columns, window.rows)
    cells, off = (
        cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in (sampled(cells, places + flow), off)
    )
    return Front(window, live, cells, within(off) * sampled(key_own, cells), off, now, parts)


def weigh(front: Front, arm: U8, behind: U8, inside: tuple[slice, slice], odds: F32 | None = None) -> F32:
    """How much each pixel shows an arm, now that it is known what is behind: (rows, columns) float32, 0..1.

    Args:
        front: the arm.
        arm: (rows, columns, 3) uint8 Y, Cr, Cb, what it would look like if it showed the arm.
        behind: (h, w, 3) uint8, and if it did not, as far as that is known.
        inside: for which rows and columns.
        odds: (rows, columns) float32, natural log, of each colour being one that the layer covers; decides where
            nothing is known. None when that is nowhere.
    """
    live = np.ascontiguousarray(front.live[..., :3])
    better = np.zeros(live.shape[:2], np.float32) if odds is None else odds * np.float32(_SOFT)
    prefer = np.zeros_like(better)
    if behind.size > 0:
        without, as_arm = (difference(each, live[inside]) for each in (behind, arm[inside]))
        better[inside] = cv2.subtract(without, as_arm, dtype=cv2.CV_32F)
        # cloth before the same cloth tells nothing: what lies along the bone is the arm, if it looks like one
        like = 1 - as_arm * np.float32(_UNLIKE / _DIFFERENT)
        prefer[inside] = np.maximum(1 - front.off[inside], 0) * like * np.float32(_PREFER)
    (better,) = pool(cv2.extractChannel(live, 0), (better,))
    better += prefer
    better *= np.float32(1 / _SOFT)
    share: F32 = front.share * np.clip(better + np.float32(0.5), 0, 1)
    return share


def difference(expected: U8, live: U8) -> U8:
    """How far two pictures are apart, (h, w) uint8 levels; colours are dearer, and what is different is different."""
    difference: U8 = cv2.min(colours_apart(expected, live), _DIFFERENT)
    return difference
