"""Lines, folds and haberdashery that several garments share; see ``draw_garments``."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from cloth_drawing import F32, Canvas, Cloth, crease, curve, fan, mirrored, noise, stroke

Line = list[tuple[float, float]]


@dataclass
class Cut:
    """The lines of a top's left half.

    Attributes:
        back: upper edge of the back, across the neck.
        opening: front edge of the neck opening, between the same ends.
        collar: outer edge of the collar band at the front.
        shoulder: from collar to armhole.
        armhole: from shoulder to armpit.
        side: from armpit to hem.
        hem: from the left side seam to the right one.
        sleeve: outline of the sleeve from the shoulder to the armpit, without the armhole; empty without.
    """

    back: Line
    opening: Line
    collar: Line
    shoulder: Line
    armhole: Line
    side: Line
    hem: Line
    sleeve: Line = field(default_factory=list)

    @property
    def body(self) -> Line:
        """The front's outline."""
        half = [*self.shoulder, *self.armhole, *self.side]
        return [*self.collar, *half, *self.hem, *mirrored(half)]


def on(side: int, line: Line) -> Line:
    """The line on the left (1) or the right (-1)."""
    return line if side > 0 else mirrored(line)


def moved(line: Line, dx: float, dy: float) -> Line:
    return [(x + dx, y + dy) for x, y in line]


def drape(seed: int, amount: float, angle: float = 4.0) -> F32:
    """Loose cloth: soft folds that hang down, and small unevenness."""
    soft = 4.2 * noise(seed, 110, 380, angle) + 1.5 * noise(seed + 1, 46, 170, -angle) + 0.45 * noise(seed + 2, 30, 40)
    return np.asarray(amount * soft, np.float32)


def body_folds(cut: Cut, seed: int, amount: float = 1.0) -> F32:
    """What a front does on a body: drawn from the armpits, sagging at the waist, upright folds above the hem."""
    x, y = cut.armhole[-1]
    low = cut.hem[0][1]
    rng = np.random.default_rng(seed)
    folds = drape(seed, amount)
    for side in (-1, 1):
        r = rng.uniform(-1, 1, 12)
        ends = [
            (side * (x - 96 + 14 * r[0]), y - 40 + 12 * r[1]),
            (side * (x - 122 + 16 * r[2]), y + 24 + 14 * r[3]),
            (side * (x - 76 + 12 * r[4]), y + 92 + 14 * r[5]),
            (side * (x - 40 + 8 * r[6]), y + 150 + 20 * r[7]),
        ]
        folds += fan((side * (x - 4), y - 4), ends, 7, 0.5 * amount, -0.10 * side)
        waist = y + 0.52 * (low - y)
        for index in range(3):
            start = (side * (x - 6), waist + 38 * index + 12 * r[8])
            end = (side * (x - 120 - 30 * r[9]), waist + 26 + 44 * index + 10 * r[10])
            folds += crease(curve(start, ((start[0] + end[0]) / 2, end[1] + 4), end), 9 + 2 * index, 0.34 * amount)
    for index in range(6):
        at = x * (-0.86 + 0.34 * index) + rng.uniform(-12, 12)
        top = low - rng.uniform(110, 230)
        line = curve((at, low + 10), (at + rng.uniform(-10, 10), (low + top) / 2), (at + rng.uniform(-16, 16), top))
        folds += crease(line, rng.uniform(8, 14), amount * rng.uniform(0.35, 0.6) * (1 if index % 2 else -1))
    return folds


def short_sleeve_folds(cut: Cut, side: int, seed: int) -> F32:
    x, y = cut.armhole[-1]
    tip = max(cut.sleeve, key=lambda p: p[0])
    ends = [(side * (x + 58), y - 68), (side * (tip[0] - 46), y - 20), (side * (x + 34), y - 120)]
    folds = drape(seed, 0.7, 32 * side) + fan((side * (x + 4), y - 2), ends, 6, 0.6, 0.12 * side)
    return folds + crease(
        curve((side * (x + 18), y - 150), (side * (x + 44), y - 90), (side * (x + 92), y - 22)), 8, 0.4
    )


def long_sleeve_folds(cut: Cut, side: int, seed: int) -> F32:
    """Bends at the elbow and gathers above the cuff."""
    x, y = cut.armhole[-1]
    rng = np.random.default_rng(seed)
    folds = drape(seed, 0.8, 14 * side) + fan(
        (side * (x + 6), y),
        [(side * (x + 50), y - 90), (side * (x + 62), y - 30), (side * (x + 56), y + 40)],
        6,
        0.6,
        0.1,
    )
    outer = [p for p in cut.sleeve if p[0] > x + 20]
    for index in range(9):
        share = 0.30 + 0.075 * index
        px, py = outer[int(share * 0.62 * len(outer))]
        tilt = rng.uniform(4, 34) * (1 if index % 2 else -1)
        inward = rng.uniform(44, 70)
        line = curve(
            (side * (px - 2), py), (side * (px - inward / 2), py + tilt * 0.7), (side * (px - inward), py + tilt)
        )
        folds += crease(line, rng.uniform(5, 8), rng.uniform(0.3, 0.6))
    return folds


def inside_back(canvas: Canvas, cut: Cut, cloth: Cloth, seed: int) -> None:
    """The inside of the back, seen through the neck, with a neck tape."""
    canvas.lay([*cut.back, *reversed(cut.opening)], cloth, drape(seed, 0.3), volume=2, shade=0.62, cast=0, edge=0.25)


def label(canvas: Canvas, centre: tuple[float, float], width: float = 44, height: float = 17) -> None:
    """A woven label."""
    (x, y), w, h = centre, width / 2, height / 2
    corners = [(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)]
    canvas.lay(corners, Cloth((0.83, 0.86, 0.88)), volume=0.6, roll=3, cast=0.3, shade=0.95)
    for row, reach in ((-2.0, 0.62), (3.4, 0.38)):
        line = [(x - w * reach, y + row), (x + w * reach, y + row)]
        canvas.ink(stroke(line, 1.5, dash=(3.2, 1.3)), (0.25, 0.25, 0.25), 0.8)


def sleeve_down(cut: Cut, wrist: float = 54) -> Line:
    """A long sleeve that hangs beside the body."""
    x, y = cut.armhole[0]
    u, v = cut.armhole[-1]
    return [
        *curve((x, y), (x + 38, y + 46), (x + 62, y + 150), (x + 84, y + 330), (x + 100, y + 520), (x + 110, y + 640)),
        *curve((x + 110, y + 640), (x + 110 - wrist / 2, y + 647), (x + 110 - wrist, y + 648)),
        *curve((x + 110 - wrist, y + 648), (x + 40, y + 500), (u + 30, v + 150), (u + 6, v + 36), (u, v)),
    ]


def button(canvas: Canvas, centre: tuple[float, float]) -> None:
    """Mother of pearl with four holes."""
    x, y = centre
    ring = [(x + 6.2 * np.cos(a), y + 6.2 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 40)]
    canvas.lay(ring, Cloth((0.86, 0.89, 0.90)), volume=2.2, roll=3, cast=0.5, edge=0.3)
    for dx in (-1.6, 1.6):
        for dy in (-1.6, 1.6):
            canvas.ink(stroke([(x + dx, y + dy), (x + dx, y + dy)], 1.6), (0.35, 0.33, 0.32), 0.85)


def cord(canvas: Canvas, line: Line) -> None:
    """A round cord with a knotted end."""
    left, right = moved(line, -3.0, 0), moved(line, 3.0, 0)
    cloth = Cloth((0.82, 0.83, 0.83), rib=3.0, rib_angle=62, rib_depth=0.14)
    canvas.lay([*left, *reversed(right)], cloth, volume=4, roll=3, cast=0.5, edge=0.2)
    x, y = line[-1]
    knot = [(x + 5.4 * np.cos(a), y + 8 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 32)]
    canvas.lay(knot, cloth, volume=5, roll=4, cast=0.45)


def armhole_seams(canvas: Canvas, cut: Cut) -> None:
    for side in (-1, 1):
        canvas.seam(on(side, cut.armhole), 0.30)
        canvas.stitch(on(side, moved(cut.armhole, -5, 1)), 0.10)
