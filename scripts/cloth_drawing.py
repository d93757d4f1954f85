"""Cloth as a product photo shows it: panels with folds, seams, stitches and knit, lit from the upper left.

Everything is numpy and OpenCV and repeatable: the same seed gives the same picture. Coordinates are those of
a 768x1024 picture with x = 0 in the middle; colours are BGR, 0..1. Masks, stitches and yarn are drawn at twice
the size and brought down at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Points = Sequence[tuple[float, float]]
Colour = tuple[float, float, float]

WIDTH, HEIGHT = 768, 1024
SCALE = 2
GROUND: Colour = (0.953, 0.949, 0.945)
_MIDDLE = np.array([WIDTH / 2, 0.0])
_FOLDS = 3.0
_LIGHT = np.array([-0.42, -0.62, 0.66], np.float32)


def curve(*points: tuple[float, float], steps: int = 24) -> list[tuple[float, float]]:
    """A smooth line through the points (centripetal enough: uniform Catmull-Rom)."""
    p = np.array(points, np.float64)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    out = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    line = np.concatenate([*out, p[-2:-1]])
    return [(float(x), float(y)) for x, y in line]


def mirrored(points: Points) -> list[tuple[float, float]]:
    """The same points on the other side, in reverse order, so that outlines can be joined."""
    return [(-x, y) for x, y in reversed(points)]


def grid() -> tuple[F32, F32]:
    """x and y of every pixel of the doubled canvas, in picture coordinates."""
    y, x = np.mgrid[0 : HEIGHT * SCALE, 0 : WIDTH * SCALE].astype(np.float32)
    return (x + 0.5) / SCALE - WIDTH / 2, (y + 0.5) / SCALE


def noise(seed: int, cell_x: float, cell_y: float, angle: float = 0.0) -> F32:
    """Smooth noise about -1..1 at the single size; cells so many pixels wide and high, turned by degrees."""
    side = 1536
    rng = np.random.default_rng(seed)
    cells = rng.standard_normal((max(4, round(side / cell_y)), max(4, round(side / cell_x)))).astype(np.float32)
    wide = cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1.0)
    turn[:, 2] += (WIDTH / 2 - side / 2, HEIGHT / 2 - side / 2)
    return np.asarray(cv2.warpAffine(wide, turn, (WIDTH, HEIGHT)) / 1.6, np.float32)


def _pixels(points: Points, scale: int) -> npt.NDArray[np.int32]:
    p = np.array(points, np.float64)
    return np.asarray(np.rint(((p + _MIDDLE) * scale - 0.5) * 16), np.int32)


def area(outline: Points) -> F32:
    """Coverage 0..1 of a closed outline on the doubled canvas."""
    mask = np.zeros((HEIGHT * SCALE, WIDTH * SCALE), np.uint8)
    cv2.fillPoly(mask, [_pixels(outline, SCALE)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


Window = tuple[slice, slice]
WHOLE: Window = (slice(0, HEIGHT * SCALE), slice(0, WIDTH * SCALE))


def _around(line: Points, margin: float = 14) -> Window:
    """The part of the doubled canvas around a line."""
    p = (np.array(line) + _MIDDLE) * SCALE
    (x0, y0), (x1, y1) = p.min(axis=0) - margin * SCALE, p.max(axis=0) + margin * SCALE
    return slice(max(0, int(y0)), min(HEIGHT * SCALE, int(y1))), slice(max(0, int(x0)), min(WIDTH * SCALE, int(x1)))


def stroke(line: Points, thickness: float, *, dash: tuple[float, float] | None = None, at: Window = WHOLE) -> F32:
    """Coverage 0..1 of a line on a part of the doubled canvas; ``dash`` is (stitch, gap) in pixels."""
    rows, columns = at
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    width = max(1, round(thickness * SCALE))
    pieces: list[Points] = [line]
    if dash is not None:
        p = np.array(line, np.float64)
        length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
        starts = np.arange(0, length[-1] - dash[0], sum(dash))
        pieces = [
            [(float(np.interp(t, length, p[:, 0])), float(np.interp(t, length, p[:, 1]))) for t in (u, u + dash[0])]
            for u in starts
        ]
    for piece in pieces:
        pixels = _pixels(piece, SCALE) - np.array([columns.start * 16, rows.start * 16], np.int32)
        cv2.polylines(mask, [pixels], False, 255, width, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def crease(line: Points, width: float, depth: float) -> F32:
    """A fold along a line that fades in and out: its height at the single size; ``depth`` below 0 is a valley."""
    p = np.array(line, np.float64)
    amount = np.zeros((HEIGHT, WIDTH), np.float32)
    for index in range(len(p) - 1):
        fade = float(np.sin(np.pi * (index + 0.5) / (len(p) - 1)) ** 0.7)
        cv2.polylines(amount, [_pixels(p[index : index + 2].tolist(), 1)], False, fade, 1, cv2.LINE_AA, 4)
    low, high = p.min(axis=0) + _MIDDLE - 4 * width, p.max(axis=0) + _MIDDLE + 4 * width
    x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
    x1, y1 = min(WIDTH, int(high[0]) + 1), min(HEIGHT, int(high[1]) + 1)
    out = np.zeros_like(amount)
    part = cv2.GaussianBlur(amount[y0:y1, x0:x1], (0, 0), width)
    out[y0:y1, x0:x1] = part * (depth * width * 9)
    return out


def fan(start: tuple[float, float], ends: Points, width: float, depth: float, bow: float = 0.12) -> F32:
    """Creases that run from one point, as cloth is drawn from an armpit."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for index, (x, y) in enumerate(ends):
        middle = ((start[0] + x) / 2 + bow * (y - start[1]), (start[1] + y) / 2 - bow * (x - start[0]))
        total += crease(curve(start, middle, (x, y)), width * (1 + 0.25 * (index % 3)), depth * (1 - 0.2 * (index % 2)))
    return total


@dataclass
class Cloth:
    """What a panel is made of.

    Attributes:
        colour: BGR, one colour or one for each pixel of the doubled canvas.
        yarn: lightness of the yarn about 0 at the doubled size, such as :func:`jersey`.
        rib: period of ribs in pixels, 0 without.
        rib_angle: degrees; 0 has upright ribs.
        rib_depth: how deep the ribs are.
        rib_centre: ribs run towards this point, as in a collar; the period holds 90 pixels away from it.
    """

    colour: Colour | F32
    yarn: F32 | None = None
    rib: float = 0.0
    rib_angle: float = 0.0
    rib_depth: float = 0.16
    rib_centre: tuple[float, float] | None = None


def jersey(seed: int, strength: float = 0.03) -> F32:
    """Fine upright loops, uneven."""
    rng = np.random.default_rng(seed)
    fine = rng.standard_normal((HEIGHT * SCALE, WIDTH * SCALE)).astype(np.float32)
    loops = cv2.GaussianBlur(fine, (0, 0), sigmaX=0.7, sigmaY=1.8) * 2.4
    cloud = cv2.resize(noise(seed + 1, 9, 14), (WIDTH * SCALE, HEIGHT * SCALE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(strength * (loops + 0.35 * cloud), np.float32)


def melange(seed: int, strength: float = 0.09) -> F32:
    """Light and dark fibres mixed, as in heather grey fleece."""
    rng = np.random.default_rng(seed)
    fine = rng.standard_normal((HEIGHT * SCALE, WIDTH * SCALE)).astype(np.float32)
    fibres = cv2.GaussianBlur(fine, (0, 0), sigmaX=1.1, sigmaY=2.6) * 3.6
    across = cv2.GaussianBlur(fine[::-1], (0, 0), sigmaX=2.4, sigmaY=0.9) * 3.2
    return np.asarray(strength * (0.6 * fibres + 0.4 * across), np.float32)


def weave(seed: int, strength: float = 0.03) -> F32:
    """Plain weave: threads over and under, some thicker than others."""
    x, y = grid()
    rng = np.random.default_rng(seed)
    warp = cv2.GaussianBlur(rng.standard_normal((1, WIDTH * SCALE)).astype(np.float32), (0, 0), 0.8)
    weft = cv2.GaussianBlur(rng.standard_normal((HEIGHT * SCALE, 1)).astype(np.float32), (0, 0), 0.8)
    check = np.sin(x * np.pi / 1.3) * np.sin(y * np.pi / 1.3)
    grain = rng.standard_normal(x.shape).astype(np.float32)
    return np.asarray(strength * (check + 0.42 * warp + 0.42 * weft + 0.45 * grain), np.float32)


@dataclass
class Canvas:
    """A picture that panels are laid on, from the back to the front."""

    colour: F32 = field(default_factory=lambda: np.zeros((HEIGHT * SCALE, WIDTH * SCALE, 3), np.float32))
    cover: F32 = field(default_factory=lambda: np.zeros((HEIGHT * SCALE, WIDTH * SCALE), np.float32))

    def lay(
        self,
        outline: Points,
        cloth: Cloth,
        folds: F32 | None = None,
        *,
        volume: float = 9.0,
        roll: float = 22.0,
        shade: float = 1.0,
        cast: float = 0.35,
        edge: float = 0.14,
        within: F32 | None = None,
    ) -> F32:
        """Lay a panel.

        Args:
            outline: closed, in picture coordinates.
            cloth: what it is made of.
            folds: height of its folds in pixels, at the single size.
            volume: how far the panel bulges; over ``roll`` pixels from its edge.
            roll: see volume.
            shade: light that falls on all of it; below 1 for what lies inside.
            cast: how dark a shadow it throws on what lies below.
            edge: how dark its own rim is.
            within: coverage that it is clipped to.

        Returns:
            Its coverage on the doubled canvas.
        """
        mask = area(outline) if within is None else area(outline) * within
        small = cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        height = np.zeros_like(small)
        for share, width in ((0.12, 0.12), (0.34, 0.4), (0.54, 1.0)):
            # a blurred mask rises from a half at the edge to one inside, with no ridge where two sides meet
            height += share * volume * 2 * (cv2.GaussianBlur(small, (0, 0), max(1.5, width * roll)) - 0.5)
        rim = np.clip(2 * cv2.GaussianBlur(small, (0, 0), 5) - 1, 0, 1)
        if folds is not None:
            height = height + _FOLDS * folds
        height = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.2)
        light = _lit(height) * (1 - edge * (1 - rim) ** 2) * shade
        full = cv2.resize(light.astype(np.float32), mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
        if cloth.rib:
            full = full * _ribs(cloth)
        if cloth.yarn is not None:
            full = full * (1 + cloth.yarn)
        base = np.broadcast_to(np.asarray(cloth.colour, np.float32), (*mask.shape, 3))
        # bright cloth keeps its hue in the light, dark cloth shows some sheen
        painted = base * full[:, :, None] + 0.035 * np.clip(full - 1, 0, None)[:, :, None]
        if cast:
            blurred = cv2.GaussianBlur(np.roll(mask, (5 * SCALE, 2 * SCALE), (0, 1)), (0, 0), 5 * SCALE)
            self.colour *= (1 - cast * blurred * self.cover)[:, :, None]
        self.colour += mask[:, :, None] * (painted - self.colour)
        self.cover = np.maximum(self.cover, mask)
        return mask

    def ink(self, mask: F32, colour: Colour | F32, opacity: float = 1.0, *, keep_light: bool = False) -> None:
        """Colour what the mask covers; with ``keep_light`` the shading below shows through, as in a print."""
        weight = (mask * opacity * self.cover)[:, :, None]
        target = np.broadcast_to(np.asarray(colour, np.float32), self.colour.shape)
        if keep_light:
            target = target * self._light
        self.colour += weight * (target - self.colour)

    def remember_light(self, colour: Colour) -> None:
        """Take the present shading of a panel of this colour as the light of prints to come."""
        grey = self.colour.mean(axis=2) / float(np.mean(colour))
        self._light = np.clip(cv2.GaussianBlur(grey, (0, 0), 0.8), 0.3, 1.25)[:, :, None]

    def seam(self, line: Points, depth: float, thickness: float = 1.6, blur: float = 1.0) -> None:
        """A groove: a dark line with a light one below it."""
        at = _around(line)
        dark = cv2.GaussianBlur(stroke(line, thickness, at=at), (0, 0), blur * SCALE)
        lit = cv2.GaussianBlur(stroke([(x + 1.2, y + 1.6) for x, y in line], thickness, at=at), (0, 0), blur * SCALE)
        self.colour[at] *= (1 - depth * (dark - 0.35 * lit) * self.cover[at])[:, :, None]

    def stitch(self, line: Points, amount: float = 0.16, dash: tuple[float, float] = (3.4, 1.8)) -> None:
        """Topstitching: each stitch a little lighter, in a faint groove."""
        self.seam(line, 0.10, 1.6, 0.8)
        at = _around(line)
        thread = stroke(line, 0.9, dash=dash, at=at)
        below = stroke([(x + 0.4, y + 0.9) for x, y in line], 0.8, dash=dash, at=at)
        self.colour[at] *= (1 + amount * (thread - 0.8 * below * (1 - thread)) * self.cover[at])[:, :, None]

    def picture(self, seed: int) -> U8:
        """The finished photo (1024, 768, 3) uint8: bent a little, on its ground, with a camera's softness."""
        x, y = np.meshgrid(np.arange(WIDTH * SCALE, dtype=np.float32), np.arange(HEIGHT * SCALE, dtype=np.float32))
        size = (WIDTH * SCALE, HEIGHT * SCALE)
        shift = [cv2.resize(noise(seed + k, 190, 230), size, interpolation=cv2.INTER_LINEAR) * 5.0 for k in (0, 1)]
        fine = [cv2.resize(noise(seed + 7 + k, 34, 46), size, interpolation=cv2.INTER_LINEAR) * 1.1 for k in (0, 1)]
        map_x, map_y = x + shift[0] + fine[0], y + shift[1] + fine[1]
        colour = cv2.remap(self.colour * self.cover[:, :, None], map_x, map_y, cv2.INTER_LINEAR)
        cover = cv2.remap(self.cover, map_x, map_y, cv2.INTER_LINEAR)
        flat = np.clip(colour, 0, 1) + (1 - cover)[:, :, None] * np.array(GROUND, np.float32)
        small = cv2.GaussianBlur(cv2.resize(flat, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), (0, 0), 0.45)
        return np.asarray(np.rint(np.clip(small, 0, 1) * 255), np.uint8)


def _lit(height: F32) -> F32:
    """Lambert's law for a height field, 1 where the cloth is level."""
    slope_x, slope_y = (
        cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    steep = np.sqrt(1 + slope_x**2 + slope_y**2)
    light = (-slope_x * _LIGHT[0] - slope_y * _LIGHT[1] + _LIGHT[2]) / steep / _LIGHT[2]
    # half of the light is from all around
    return np.asarray(0.5 + 0.5 * np.clip(light, 0, 1.7), np.float32)


def _ribs(cloth: Cloth) -> F32:
    x, y = grid()
    angle = np.deg2rad(cloth.rib_angle)
    along = x * np.cos(angle) + y * np.sin(angle)
    if cloth.rib_centre is not None:
        along = 90 * np.arctan2(x - cloth.rib_centre[0], y - cloth.rib_centre[1])
    phase = along * (2 * np.pi / cloth.rib)
    return np.asarray(1 + cloth.rib_depth * (np.sin(phase) + 0.3 * np.sin(2 * phase)) - 0.04, np.float32)
