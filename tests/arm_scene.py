"""A drawn wearer with a torso and one arm in a sleeve."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.types import F32, U8, Body

F64 = npt.NDArray[np.float64]

HEIGHT, WIDTH = 300, 360
SHOULDER, ELBOW = np.array([230.0, 90.0]), 55.0


def arm_joints(upper: float, fore: float) -> tuple[F64, F64, F64]:
    """Shoulder, elbow and wrist of the left arm: angles in degrees, 0 hanging, positive away from the body."""
    points = [SHOULDER]
    for angle, length in ((upper, ELBOW), (fore, ELBOW)):
        points.append(points[-1] + length * np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))]))
    shoulder, elbow, wrist = points
    return shoulder, elbow, wrist


def arm_body(upper: float, fore: float, index: int = 0) -> Body:
    landmarks = np.zeros((33, 3), np.float32)
    shoulder, elbow, wrist = arm_joints(upper, fore)
    knuckles = wrist + 0.3 * (wrist - elbow)
    for joint, place in ((11, shoulder), (13, elbow), (15, wrist), (17, knuckles), (19, knuckles)):
        landmarks[joint, :2] = place
    landmarks[[0, 12, 14, 16, 18, 20, 23, 24], :2] = [
        [180, 40], [130, 90], [120, 150], [118, 200], [118, 215], [118, 215], [215, 240], [145, 240]
    ]  # fmt: skip
    return Body(landmarks, np.ones(33, np.float32), np.zeros((HEIGHT, WIDTH), np.float32), index)


def arm_scene(upper: float, fore: float) -> tuple[U8, F32]:
    """A torso with a print, and a left sleeve over it; the mask is of both."""
    rng = np.random.default_rng(11)
    wall, cloth, sleeve = (
        cv2.GaussianBlur(rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), sigma)
        for sigma in (6, 4, 4)
    )
    frame = (wall - wall.mean()) * 3 + (190, 190, 185)
    cloth, sleeve = (cloth - cloth.mean()) * 6 + (60, 60, 150), (sleeve - sleeve.mean()) * 3 + (150, 70, 40)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.rectangle(mask, (130, 80), (230, 250), 1.0, -1)
    frame = np.where(mask[..., None] > 0, cloth, frame)
    arm = np.zeros_like(mask)
    points = np.round(np.array(arm_joints(upper, fore))).astype(np.int32)
    cv2.polylines(arm, [points], False, 1.0, 22)
    frame = np.where(arm[..., None] > 0, sleeve, frame)
    return np.clip(frame, 0, 255).astype(np.uint8), np.maximum(mask, arm)
