"""What of a garment's photo is torso, and what each sleeve."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.outline import smooth_outline
from vastra_live.types import F32, Garment

__all__ = ["front_of", "has_sleeves", "part_masks"]

F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_SLIT = 0.05
"""There is less cloth than that."""


def has_sleeves(garment: Garment) -> bool:
    """Whether both sleeves' ends are known; a garment with one is dressed without, as a vest."""
    return all(
        f"cuff_{edge}_{side}" in garment.landmarks_px for edge in ("outer", "inner") for side in ("left", "right")
    )


def part_masks(garment: Garment) -> list[F32]:
    """Torso, left and right sleeve: (H, W) float32 0..1 each, what of the front each part shows.

    A pixel beyond the seam from shoulder to armpit belongs to the sleeve if it lies nearer to the sleeve's
    corners than to the torso's, and on the same side of the slit beside a sleeve that hangs as the rest of it.
    """
    front = smooth_outline(front_of(garment))
    marks = {name: np.array(point) for name, point in garment.landmarks_px.items()}
    if not has_sleeves(garment):
        return [front.astype(np.float32)]
    shape = front.shape
    torso_d = _distance(
        shape,
        [marks[n] for n in ("neck_right", "neck_left", "shoulder_left", "armpit_left", "waist_left", "hem_left")]
        + [marks[n] for n in ("hem_right", "waist_right", "armpit_right", "shoulder_right")],
    )
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    masks = [front.copy()]
    for side in ("left", "right"):
        shoulder, armpit = marks[f"shoulder_{side}"], marks[f"armpit_{side}"]
        corners = [shoulder, marks[f"cuff_outer_{side}"], marks[f"cuff_inner_{side}"], armpit]
        seam = armpit - shoulder
        outward = np.array([-seam[1], seam[0]])
        outward *= np.sign(float(outward @ (marks[f"cuff_outer_{side}"] - shoulder))) or 1.0
        beyond = ((x - shoulder[0]) * outward[0] + (y - shoulder[1]) * outward[1]) / max(float(np.linalg.norm(seam)), 1)
        nearer = _distance(shape, corners) <= torso_d
        # half a pixel of softness, so that the two parts meet without a step
        sleeve = _in_one(np.clip(beyond + 0.5, 0, 1) * nearer, front)
        sleeve = np.maximum(sleeve, _past_the_slit(front, marks, side))
        masks.append((front * sleeve).astype(np.float32))
        masks[0] *= 1 - sleeve
    return masks


def _past_the_slit(front: F32, marks: Mapping[str, F64], side: str) -> Mask:
    """(h, w) what lies beyond the slit between the torso and a sleeve that hangs, and beyond the way there.

    A sleeve that lies against the torso in the photo touches it from the armpit down to where the slit begins. What
    of it is nearer to the torso's corners would stay in the air there when the arm is lifted.
    """
    armpit = marks[f"armpit_{side}"]
    middle = round(float(marks["armpit_left"][0] + marks["armpit_right"][0]) / 2)
    sign = 1 if armpit[0] > middle else -1
    lowest = min(marks[f"hem_{side}"][1], marks[f"cuff_inner_{side}"][1])
    first, last = round(float(armpit[1])), round(float(lowest))
    outwards = front[first:last, middle::sign]
    open_ = np.minimum.accumulate(outwards, axis=1) < _SLIT
    slit = (open_ & (outwards > 0.5)).any(axis=1)
    past = np.zeros(front.shape, np.bool_)
    if slit.any():
        begins = int(slit.argmax())
        way = np.linspace(abs(armpit[0] - middle), open_[begins].argmax(), begins + 1)
        open_[: begins + 1] |= np.arange(outwards.shape[1]) > way[:, None]
        open_[begins + 1 :] &= slit[begins + 1 :, None]
        past[first:last, middle::sign] = open_
    return past


def _in_one(sleeve: F32, front: F32) -> F32:
    """(h, w) 0..1: what of the front a sleeve shows, without strips of the torso that only a slit parts from it."""
    _, islands, stats, _ = cv2.connectedComponentsWithStats((sleeve * front > 0.05).astype(np.uint8))
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else 0
    return np.where((islands == 0) | (islands == largest), sleeve, np.float32(0))


def front_of(garment: Garment) -> F32:
    """(H, W) 0..1: the garment without the far inside that shows in its neck opening."""
    if garment.inside_alpha is None:
        return garment.alpha
    # where both edges fall together, the product of two soft ones would leave a line of the back collar
    inside = np.where(
        garment.alpha < 0.97, cv2.dilate(garment.inside_alpha, np.ones((7, 7), np.uint8)), garment.inside_alpha
    )
    return np.asarray(garment.alpha * (1 - inside), np.float32)


def _distance(shape: tuple[int, ...], corners: list[F64]) -> F32:
    """(h, w) distance to a polygon, 0 inside."""
    outside = np.ones(shape, np.uint8)
    cv2.fillPoly(outside, [np.round(np.array(corners)).astype(np.int32)], 0)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 3), np.float32)
