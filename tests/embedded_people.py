"""People and garments for the tests of the embedded synthesizer."""

from __future__ import annotations

import cv2
import numpy as np

from vastra_live.types import Body, Category, Frame, Garment, Sleeve

GREEN = (60, 170, 40)
BLUE = (220, 90, 20)


def drawn_garment(sleeve: Sleeve = Sleeve.SHORT, colour: tuple[int, int, int] = GREEN) -> Garment:
    """A top drawn as polygons, 300 x 360, with every landmark."""
    marks: dict[str, tuple[float, float]] = {
        "neck_left": (180, 30),
        "neck_right": (120, 30),
        "neck_front": (150, 52),
        "shoulder_left": (215, 45),
        "shoulder_right": (85, 45),
        "armpit_left": (215, 130),
        "armpit_right": (85, 130),
        "waist_left": (210, 210),
        "waist_right": (90, 210),
        "hem_left": (215, 300),
        "hem_right": (85, 300),
    }
    reach = {Sleeve.NONE: 0.0, Sleeve.SHORT: 70.0, Sleeve.LONG: 215.0}[sleeve]
    if reach:
        for side, sign, shoulder in (("left", 1, 215.0), ("right", -1, 85.0)):
            marks[f"cuff_outer_{side}"] = (shoulder + sign * (18 + 0.25 * reach), 45 + reach)
            marks[f"cuff_inner_{side}"] = (shoulder + sign * (0.12 * reach), 60 + reach + 10)
    mask = np.zeros((360, 300), np.uint8)
    torso = ["neck_right", "neck_front", "neck_left", "shoulder_left", "armpit_left", "hem_left", "hem_right"]
    _fill(mask, [marks[n] for n in (*torso, "armpit_right", "shoulder_right")])
    if reach:
        for side in ("left", "right"):
            _fill(mask, [marks[f"{n}_{side}"] for n in ("shoulder", "cuff_outer", "cuff_inner", "armpit")])
    bgr = np.full((360, 300, 3), 245, np.uint8)
    bgr[mask > 0] = colour
    return Garment("drawn", Category.UPPER, sleeve, bgr, mask.astype(np.float32), marks)


def drawn_trousers(length: float = 1.0) -> Garment:
    """Trousers drawn as polygons, 300 x 700; shorts with less than their full length."""
    bottom = 40 + 600 * length
    crotch = min(200.0, bottom - 40)
    marks: dict[str, tuple[float, float]] = {
        "waist_left": (220, 40),
        "waist_right": (80, 40),
        "crotch": (150, crotch),
        "cuff_outer_left": (235, bottom),
        "cuff_inner_left": (160, bottom),
        "cuff_outer_right": (65, bottom),
        "cuff_inner_right": (140, bottom),
    }
    corners = ("waist_right", "waist_left", "cuff_outer_left", "cuff_inner_left", "crotch")
    mask = np.zeros((700, 300), np.uint8)
    _fill(mask, [marks[name] for name in (*corners, "cuff_inner_right", "cuff_outer_right")])
    return _lower("trousers", mask, marks)


def drawn_skirt() -> Garment:
    """A skirt drawn as a polygon, 300 x 260."""
    marks: dict[str, tuple[float, float]] = {
        "waist_left": (210, 30),
        "waist_right": (90, 30),
        "hem_left": (250, 220),
        "hem_right": (50, 220),
    }
    mask = np.zeros((260, 300), np.uint8)
    _fill(mask, [marks[name] for name in ("waist_right", "waist_left", "hem_left", "hem_right")])
    return _lower("skirt", mask, marks)


def _lower(name: str, mask: np.ndarray, marks: dict[str, tuple[float, float]]) -> Garment:
    bgr = np.full((*mask.shape, 3), 245, np.uint8)
    bgr[mask > 0] = BLUE
    return Garment(name, Category.LOWER, Sleeve.NONE, bgr, mask.astype(np.float32), marks)


def _fill(mask: np.ndarray, corners: list[tuple[float, float]]) -> None:
    cv2.fillPoly(mask, [np.array(corners).astype(np.int32)], 1)


def drawn_landmarks(
    centre: tuple[float, float] = (160, 120), unit: float = 80, bends: tuple[float, float, float, float] = (5, 5, 5, 5)
) -> np.ndarray:
    """(33, 3) landmarks of someone who faces the camera.

    Args:
        centre: between the shoulder joints.
        unit: width between them.
        bends: degrees from hanging, outwards: left upper arm, left forearm, right upper arm, right forearm.
    """
    x, y = centre
    points = np.zeros((33, 3), np.float32)
    eyes, mouth = y - 0.72 * unit, y - 0.42 * unit
    points[0] = x, (eyes + mouth) / 2, 0
    for k in (1, 2, 3):
        points[k] = x + 0.15 * unit, eyes, 0
        points[k + 3] = x - 0.15 * unit, eyes, 0
    points[7], points[8] = (x + 0.3 * unit, eyes, 0), (x - 0.3 * unit, eyes, 0)
    points[9], points[10] = (x + 0.1 * unit, mouth, 0), (x - 0.1 * unit, mouth, 0)
    for first, sign, angles in ((11, 1, bends[:2]), (12, -1, bends[2:])):
        upper, fore = np.radians(angles)
        shoulder = np.array([x + sign * unit / 2, y])
        elbow = shoulder + 0.86 * unit * np.array([sign * np.sin(upper), np.cos(upper)])
        wrist = elbow + 0.72 * unit * np.array([sign * np.sin(fore), np.cos(fore)])
        tip = wrist + 0.25 * unit * np.array([sign * np.sin(fore), np.cos(fore)])
        points[first, :2], points[first + 2, :2], points[first + 4, :2] = shoulder, elbow, wrist
        points[first + 6, :2] = points[first + 8, :2] = points[first + 10, :2] = tip
    for first, sign in ((23, 1), (24, -1)):
        points[first, :2] = x + sign * 0.28 * unit, y + 1.42 * unit
        points[first + 2, :2] = x + sign * 0.28 * unit, y + 2.6 * unit
        points[first + 4, :2] = x + sign * 0.28 * unit, y + 3.7 * unit
    return points


def drawn_person(size: tuple[int, int] = (320, 360), **pose: object) -> tuple[Frame, Body]:
    """A flat picture of someone in red who faces the camera, on grey, and their body."""
    points = drawn_landmarks(**pose)  # type: ignore[arg-type]
    width, height = size
    bgr = np.full((height, width, 3), 190, np.uint8)
    alpha = np.zeros((height, width), np.uint8)
    unit = float(np.linalg.norm(points[11, :2] - points[12, :2]))
    skin, red, blue = (130, 160, 215), (40, 40, 190), (120, 70, 40)

    def stroke(a: int, b: int, thick: float, colour: tuple[int, int, int]) -> None:
        ends = [tuple(int(v) for v in points[k, :2]) for k in (a, b)]
        for picture, value in ((bgr, colour), (alpha, (1, 1, 1))):
            cv2.line(picture, ends[0], ends[1], value, max(1, int(thick * unit)))

    for hip in (23, 24):
        stroke(hip + 2, hip + 4, 0.36, blue)
        stroke(hip, hip + 2, 0.5, blue)
    body = [points[11, :2] - (0, 0.12 * unit), points[23, :2] + (0.2 * unit, 0), points[24, :2] - (0.2 * unit, 0)]
    outline = np.array([*body, points[12, :2] - (0, 0.12 * unit)]).astype(np.int32)
    cv2.fillPoly(bgr, [outline], red)
    cv2.fillPoly(alpha, [outline], 1)
    for first in (11, 12):
        stroke(first, first + 2, 0.3, red)
        stroke(first + 2, first + 4, 0.24, red)
        stroke(first + 4, first + 8, 0.2, skin)
    neck = tuple(int(v) for v in points[0, :2]), tuple(int(v) for v in (points[11, :2] + points[12, :2]) / 2)
    head = tuple(int(v) for v in points[0, :2] + (0, -0.05 * unit))
    for picture, value in ((bgr, skin), (alpha, (1, 1, 1))):
        cv2.line(picture, neck[0], neck[1], value, int(0.32 * unit))
        cv2.ellipse(picture, head, (int(0.34 * unit), int(0.48 * unit)), 0, 0, 360, value, -1)
    frame = Frame(cv2.GaussianBlur(bgr, (3, 3), 0), 0, 0, "drawn")
    seen = np.ones(33, np.float32)
    return frame, Body(points, seen, cv2.GaussianBlur(alpha.astype(np.float32), (5, 5), 0), 0)
