"""A layer on its keyframe, as plain arrays, and how its pixels lie in the frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vastra_live.tracking.window import Picture, Window, window_around
from vastra_live.types import F32, U8, Body

__all__ = ["Painted", "after", "continue_colours", "ending_like", "with_alpha"]

_SIDES = (np.s_[:, 0], np.s_[:, -1], np.s_[0, :], np.s_[-1, :])
# How near to the frame's border, in pixels, a layer's edge is the frame's.
_BORDER = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A layer on its keyframe, as plain arrays.

    Attributes:
        frame_bgr: (H, W, 3) uint8, the keyframe's camera picture.
        bgr: (h, w, 3) uint8, the layer's straight colour.
        own_alpha: (h, w) float32, the layer's alpha.
        to_frame: (2, 3) float32, affine from pixels of ``bgr`` to pixels of the frame.
        garment_name: whose layer it is.
        body: who wears it there, if known.
        trunk_bgra: (h, w, 4) uint8, what of it is on the trunk, with nothing in front; None when that is not known.
        sleeved: whether the garment's sleeves go on below the elbow.
    """

    frame_bgr: U8
    bgr: U8
    own_alpha: F32
    to_frame: F32
    garment_name: str
    body: Body | None = None
    trunk_bgra: U8 | None = None
    sleeved: bool = True

    def cropped(self) -> Painted:
        """The same without the empty part around the layer; what ends within the frame ends with nothing."""
        rows, columns = self.own_alpha.shape
        x, y, width, height = cv2.boundingRect((self.own_alpha > 0.05).astype(np.uint8))
        if width == 0:
            x, y, width, height = 0, 0, columns, rows
        room = max(8, round(0.15 * max(width, height)))
        x0, y0, x1, y1 = (
            max(0, x - room),
            max(0, y - room),
            min(columns, x + width + room),
            min(rows, y + height + room),
        )
        to_frame = self.to_frame.copy()
        to_frame[:, 2] += to_frame[:, :2] @ np.array([x0, y0], np.float32)
        own_alpha = self._closed(self.own_alpha[y0:y1, x0:x1], to_frame)
        trunk = None if self.trunk_bgra is None else self.trunk_bgra[y0:y1, x0:x1]
        return replace(self, bgr=self.bgr[y0:y1, x0:x1], own_alpha=own_alpha, to_frame=to_frame, trunk_bgra=trunk)

    def _closed(self, alpha: F32, to_frame: F32) -> F32:
        """Alpha with an empty last row or column on each side that lies within the frame.

        An edge is repeated beyond itself when it is resampled: right where the garment goes on below the picture, and
        a streak anywhere else.
        """
        (rows, columns), (height, width) = alpha.shape, self.frame_bgr.shape[:2]
        middles = np.array(
            [[[0, rows / 2], [columns - 1, rows / 2], [columns / 2, 0], [columns / 2, rows - 1]]], np.float32
        )
        closed = alpha.copy()
        for side, (x, y) in zip(_SIDES, cv2.transform(middles, to_frame)[0], strict=True):
            if _BORDER < x < width - 1 - _BORDER and _BORDER < y < height - 1 - _BORDER:
                closed[side] = 0
        return closed

    def window(self) -> Window:
        """Where to follow the layer."""
        x, y, width, height = cv2.boundingRect((self.own_alpha > 0.05).astype(np.uint8))
        if width == 0:
            height, width = self.own_alpha.shape
        corners = np.array([[[x, y], [x + width, y], [x, y + height], [x + width, y + height]]], np.float32)
        placed = cv2.transform(corners, self.to_frame)[0]
        return window_around(*placed.min(axis=0), *np.ptp(placed, axis=0))

    def trunk_on(self, window: Window) -> F32 | None:
        """The alpha of what is on the trunk, on the window's work grid: (rows, columns) float32; None if unknown."""
        if self.trunk_bgra is None:
            return None
        levels = self.on(window, cv2.extractChannel(self.trunk_bgra, 3))
        trunk: F32 = levels * np.float32(1 / 255)
        return trunk

    def on(self, window: Window, own: Picture) -> Picture:
        """A picture in the layer's own pixels, on the window's work grid; its edge is repeated beyond it."""
        # two samples a side are enough to average a work pixel
        count = min(2, window.step)
        size = (count * window.columns, count * window.rows)
        middle = np.float32((count - 1) / 2)
        to_finer = after(window.to_cells(), self.to_frame) * np.float32(count) + [[0, 0, middle], [0, 0, middle]]
        placed = cv2.warpAffine(own, to_finer, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shrunk: Picture = cv2.resize(placed, (window.columns, window.rows), interpolation=cv2.INTER_AREA)
        return shrunk


def with_alpha(colours: U8, alpha: F32 | U8) -> U8:
    """Colours with an alpha: (h, w, 4) uint8.

    Args:
        colours: (h, w, 3) uint8; or (h, w, 4) uint8, whose alpha is replaced in place.
        alpha: (h, w) uint8, or float32 in 0..1.
    """
    bgra: U8 = colours if colours.shape[2] == 4 else cv2.cvtColor(colours, cv2.COLOR_BGR2BGRA)
    levels = alpha if alpha.dtype == np.uint8 else cv2.convertScaleAbs(alpha, alpha=255)
    cv2.insertChannel(levels, bgra, 3)
    return bgra


def ending_like(own_alpha: F32 | U8, alpha: Picture) -> Picture:
    """Another alpha in a layer's pixels, empty along the sides where the layer is: those are repeated beyond.

    Args:
        own_alpha: (h, w) float32 or uint8, the layer's.
        alpha: (h, w), the other; changed in place.
    """
    for side in _SIDES:
        if own_alpha[side].max() <= 0:
            alpha[side] = 0
    return alpha


def after(second: F32, first: F32) -> F32:
    """The (2, 3) affine that does the first, then the second."""
    joined = second[:, :2] @ first
    joined[:, 2] += second[:, 2]
    return joined


def continue_colours(bgr: U8, alpha: F32, known_from: float = 0.5) -> U8:
    """The colours where alpha is solid, continued smoothly to everywhere else.

    Push-pull: averages weighted by alpha are pushed down a pyramid and pulled up into the gaps
    (Gortler et al., "The Lumigraph", 1996, section 3.4). It starts at half size.

    Args:
        bgr: (H, W, 3) uint8.
        alpha: (H, W) float32.
        known_from: above this alpha a colour is solid.
    """
    rows, columns = alpha.shape
    solid = cv2.compare(alpha, known_from, cv2.CMP_GT)
    half = (max(1, columns // 2), max(1, rows // 2))
    parts = (cv2.resize(each, half, interpolation=cv2.INTER_AREA) for each in (cv2.copyTo(bgr, solid), solid))
    weighted, mass = (part.astype(np.float32) for part in parts)
    levels = [(weighted, mass * np.float32(1 / 255))]
    while min(levels[-1][1].shape) > 2:
        weighted, mass = levels[-1]
        levels.append((cv2.pyrDown(weighted), cv2.pyrDown(mass)))
    colour = levels[-1][0] / np.maximum(levels[-1][1], 1e-6)[..., None]
    for weighted, mass in levels[-2::-1]:
        wide = cv2.resize(colour, (mass.shape[1], mass.shape[0]), interpolation=cv2.INTER_LINEAR)
        # what is known counts as much as there is of it
        share = cv2.min(mass, 1.0)
        known = cv2.multiply(weighted, cv2.merge((cv2.divide(1.0, cv2.max(mass, 1e-3)),) * 3))
        colour = cv2.blendLinear(wide, known, cv2.subtract(1.0, share), share)
    smooth = np.clip(colour, 0, 255).astype(np.uint8)
    wide = cv2.resize(smooth, (columns, rows), interpolation=cv2.INTER_LINEAR)
    filled: U8 = cv2.copyTo(bgr, solid, wide)
    return filled
