"""Where the arms are in a picture whose body is not known yet: sought by what they look like where it is known.

A body is one to three frames old when it is used, and an arm that begins to move, or stops, is not where its landmarks'
motion leads. So forearm and hand are looked for at a few places, as an articulated template of two dozen points
(Felzenszwalb and Huttenlocher 2005).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vastra_live.tracking.arm_looks import colours_at
from vastra_live.tracking.limbs import ArmMotion, Arms
from vastra_live.types import F32, U8

__all__ = ["sought"]

# Levels, luma and twice each chroma: beyond this a point is simply different; up to so many on the mean an arm is where
# it is expected.
_DIFFERENT, _FITS = 40.0, 8.0
_WEIGHTS = np.array([1, 2, 2], np.float32)
# What a place costs that is a torso's size away from where the arm is expected, in levels.
_FAR = 10.0
# Where an arm is looked for: so many body periods further along its motion, and turned so far about its elbow.
_PERIODS = np.arange(0, 2.01, 0.25, dtype=np.float32)
_TURNS = np.radians([-70, -55, -40, -30, -20, -10, 10, 20, 30, 40, 55, 70]).astype(np.float32)


def sought(motion: ArmMotion, periods: float, small: U8, side: int) -> Arms:
    """The arms in a picture: where they are expected so many body periods later, or nearby, where they look alike.

    Args:
        motion: of the newest body; what its arms look like may be unknown.
        periods: for how many body periods they have gone on.
        small: (h, w, 3) uint8, the picture, see :func:`~vastra_live.tracking.leap.small_colours`.
        side: the frame's longer one, in pixels.
    """
    arms = motion.ahead(periods)
    look = arms.look
    if look is None or not ((_unlike(look, arms.joints, arms.size, small, side) > _FITS) & arms.seen).any():
        return arms
    along = motion.arms.joints + motion.step * _PERIODS[:, None, None, None]
    places = np.concatenate([arms.joints[None], along, _turned(arms.joints)])
    away = np.linalg.norm(places[:, :, 2] - arms.joints[:, 2], axis=2) * np.float32(_FAR / arms.size)
    best = (_unlike(look, places, arms.size, small, side) + away).argmin(axis=0)
    return replace(arms, joints=places[best, (0, 1)])


def _turned(joints: F32) -> F32:
    """Forearms turned about their elbows: (turns, 2, 4, 2) float32 of (2, 4, 2)."""
    cosine, sine = np.cos(_TURNS), np.sin(_TURNS)
    turns = np.array([[cosine, -sine], [sine, cosine]]).transpose(2, 0, 1)
    turned = np.repeat(joints[None], len(_TURNS), axis=0)
    elbows = joints[:, 1:2]
    turned[:, :, 2:] = elbows + np.einsum("tij,skj->tski", turns, joints[:, 2:] - elbows)
    return turned


def _unlike(look: F32, joints: F32, size: float, small: U8, side: int) -> F32:
    """How many levels arms at these places differ from what they look like: (..., 2) float32 of (..., 2, 4, 2)."""
    off = np.abs(colours_at(joints, size, small, side) - look) @ _WEIGHTS
    unlike: F32 = np.minimum(off, np.float32(_DIFFERENT)).mean(axis=(-2, -1))
    return unlike
