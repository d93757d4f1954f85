"""A drawn scene whose every answer is known: a textured torso before a textured wall, and a hand."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import F32, U8, Body, Category, Frame, Garment, Layer, Sleeve

HEIGHT, WIDTH = 240, 320


def scene(shift: int = 0, hand: tuple[int, int] | None = None, light: float = 1.0) -> tuple[U8, F32]:
    """The camera picture and the mask of the garment as far as it is seen.

    Args:
        shift: how far the torso stands to the right, in pixels.
        hand: centre of a hand in front of it, or None.
        light: factor on all brightness.
    """
    rng = np.random.default_rng(5)
    wall = cv2.GaussianBlur(rng.integers(120, 220, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 3)
    cloth = cv2.GaussianBlur(rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 4)
    cloth = ((cloth - cloth.mean()) * 5 + (110, 60, 50)).clip(0, 255).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.rectangle(mask, (110 + shift, 80), (210 + shift, HEIGHT - 1), 1.0, -1)
    frame = np.where(mask[..., None] > 0, np.roll(cloth, shift, axis=1), wall)
    # a face, so that skin has been seen
    cv2.ellipse(frame, (160 + shift, 48), (20, 28), 0, 0, 360, (130, 160, 215), -1)
    if hand is not None:
        cv2.ellipse(frame, hand, (26, 16), 20, 0, 360, (130, 160, 215), -1)
        cv2.ellipse(mask, hand, (26, 16), 20, 0, 360, 0.0, -1)
    return np.clip(frame * light, 0, 255).astype(np.uint8), mask


def recoloured(frame: U8, mask: F32) -> U8:
    """What a painter would make of the garment: its channels changed about."""
    return np.where(mask[..., None] > 0, frame[..., ::-1], 0).astype(np.uint8)


def garment(name: str) -> Garment:
    return Garment(name, Category.UPPER, Sleeve.SHORT, np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.float32), {})


def body(shift: int = 0, index: int = 0) -> Body:
    landmarks = np.zeros((33, 3), np.float32)
    landmarks[[11, 12, 23, 24], :2] = [[205, 90], [115, 90], [195, 230], [125, 230]]
    landmarks[:, 0] += shift
    return Body(landmarks, np.ones(33, np.float32), np.zeros((HEIGHT, WIDTH), np.float32), index)


def layer(frame: U8, mask: F32, name: str = "tee", bgr: U8 | None = None) -> Layer:
    """A layer of the frame's size on this frame."""
    painted = recoloured(frame, mask) if bgr is None else bgr
    return Layer(painted, mask, Frame(frame, 0, 0, "test"), body(), garment(name))


def overlap(alpha: F32, true: F32) -> float:
    """Intersection over union of two alphas at one half."""
    a, b = alpha > 0.5, true > 0.5
    return float((a & b).sum() / max(1, (a | b).sum()))


def expanded(carried: object, shape: tuple[int, int]) -> F32:
    """A carried layer's alpha at the frame's size, 0..1."""
    from vastra_live.types import Carried

    assert isinstance(carried, Carried)
    x0, y0, x1, y1 = carried.box
    alpha = np.zeros(shape, np.float32)
    alpha[y0:y1, x0:x1] = carried.alpha.astype(np.float32) / 255
    return alpha
