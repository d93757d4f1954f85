"""The one lower garment that comes with the package; see ``draw_garments``."""

from __future__ import annotations

import cv2
import numpy as np
from cloth_drawing import F32, SCALE, U8, WIDTH, Canvas, Cloth, crease, curve, fan, grid, mirrored, noise, stroke
from garment_cuts import Line, button, drape, on

_OCHRE = (0.30, 0.52, 0.72)
_WAIST, _CROTCH, _CUFF = 96, 334, 938


def twill(seed: int, strength: float = 0.045) -> F32:
    """Denim: diagonal ribs of dark warp over pale weft, some threads thicker than others."""
    x, y = grid()
    rng = np.random.default_rng(seed)
    warp = cv2.GaussianBlur(rng.standard_normal((1, WIDTH * SCALE)).astype(np.float32), (0, 0), 0.8)
    grain = cv2.GaussianBlur(rng.standard_normal(x.shape).astype(np.float32), (0, 0), sigmaX=0.6, sigmaY=1.6)
    return np.asarray(strength * (0.5 * np.sin((x + 1.6 * y) * np.pi / 1.5) + 0.7 * warp + 1.3 * grain), np.float32)


def worn_in(seed: int) -> F32:
    """(2 * HEIGHT, 2 * WIDTH, 3) indigo that went pale on thighs and knees."""
    x, y = grid()
    middle = 62 + 0.042 * (y - _CROTCH)
    thigh = np.exp(-(((np.abs(x) - middle) / 46) ** 2) - ((y - 470) / 175) ** 2)
    shin = 0.35 * np.exp(-(((np.abs(x) - middle) / 40) ** 2) - ((y - 760) / 150) ** 2)
    cloud = cv2.resize(noise(seed, 26, 60), x.shape[::-1], interpolation=cv2.INTER_LINEAR)
    pale = np.clip(thigh + shin + 0.07 * cloud, 0, 1)[:, :, None]
    indigo, faded = np.array([0.40, 0.27, 0.19], np.float32), np.array([0.66, 0.52, 0.42], np.float32)
    return np.asarray(indigo + 0.75 * pale * (faded - indigo), np.float32)


def _topstitch(canvas: Canvas, line: Line) -> None:
    canvas.seam(line, 0.16, 1.6, 0.8)
    canvas.ink(stroke(line, 1.0, dash=(3.6, 1.7)), _OCHRE, 0.8)


def _leg_folds(side: int, seed: int) -> F32:
    """Drawn from the crotch, bent behind the knee, gathered above the shoe."""
    rng = np.random.default_rng(seed)
    folds = 0.7 * drape(seed, 0.6, 3.0 * side)
    folds += fan((side * 6, _CROTCH - 6), [(side * 96, 280), (side * 110, 336), (side * 96, 400)], 6, 0.6, -0.08 * side)
    for index, y in enumerate((600, 640, 676)):
        back, front = (side * 44, y + rng.uniform(-8, 8)), (side * (120 - 12 * index), y + 18 + rng.uniform(-6, 6))
        folds += crease(curve(back, ((back[0] + front[0]) / 2, front[1] + 3), front), 7, 0.35)
    for index in range(4):
        shoe = _CUFF - 34 - 30 * index
        start, end = (side * rng.uniform(44, 62), shoe), (side * rng.uniform(116, 134), shoe + rng.uniform(-14, 14))
        folds += crease(curve(start, ((start[0] + end[0]) / 2, shoe + 6), end), 6, 0.5 - 0.08 * index)
    return folds


def dock_jeans() -> U8:
    """Blue jeans with five pockets, faded at thighs and knees."""
    canvas, yarn = Canvas(), twill(301)
    cloth = Cloth(worn_in(303), yarn)
    band = Cloth((0.40, 0.27, 0.19), yarn)
    outer = curve((124, 136), (138, 200), (150, 290), (150, 380), (144, 560), (142, 760), (142, _CUFF))
    inner = curve((46, _CUFF), (40, 760), (30, 600), (14, 450), (2, _CROTCH))
    half = [(0, 136), *outer, (96, _CUFF + 5), *inner, (0, _CROTCH)]
    for side in (-1, 1):
        canvas.lay(on(side, half), cloth, _leg_folds(side, 310 + side), volume=20, roll=34)
    for side in (-1, 1):
        canvas.seam(on(side, [(x - 7, y) for x, y in outer]), 0.22)
        pocket = curve((60, 138), (72, 176), (104, 204), (140, 210))
        canvas.seam(on(side, pocket), 0.5, 2.0)
        for lift in (5, 9):
            _topstitch(canvas, on(side, [(x - 0.4 * lift, y + lift) for x, y in pocket][2:-3]))
        _topstitch(canvas, on(side, [(140, _CUFF - 14), (94, _CUFF - 9), (47, _CUFF - 13)]))
    fly = curve((0, 138), (2, 230), (0, _CROTCH))
    canvas.seam(fly, 0.45, 2.0)
    for aside in (-30, -25):
        _topstitch(canvas, curve((aside, 140), (aside, 240), (aside + 14, 286), (-2, 306)))
    _topstitch(canvas, [(x + 5, y) for x, y in fly][3:])
    belt = [*curve((-114, _WAIST), (0, _WAIST + 4), (114, _WAIST)), *curve((125, 138), (0, 143), (-125, 138))]
    canvas.lay(belt, band, volume=4, roll=8, cast=0.3)
    for lift in (5, 36):
        _topstitch(
            canvas, curve((-112 - lift / 4, _WAIST + lift), (0, _WAIST + 6 + lift), (112 + lift / 4, _WAIST + lift))
        )
    for side in (-1, 1):
        loop: Line = [(66, 94), (76, 93), (79, 150), (69, 151)]
        canvas.lay(on(side, loop), band, volume=3, roll=3, cast=0.4)
    button(canvas, (0, _WAIST + 26))
    rivets: Line = [(64, 146), (136, 214)]
    for x, y in [*rivets, *mirrored(rivets)]:
        canvas.ink(stroke([(x, y), (x, y)], 5.0), (0.32, 0.45, 0.58), 0.9)
    return canvas.picture(331)
