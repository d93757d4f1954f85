"""Draw the garments that come with the package, and read them into ``vastra_live/data/garments``.

    python scripts/draw_garments.py [NAME ...]

Own work, Apache-2.0 like the rest of the repository. ``cloth_drawing`` has the cloth; here are the cuts.
Each cut gives the wearer's left half (x to the right); the other half is its mirror image.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from cloth_drawing import (
    F32,
    HEIGHT,
    U8,
    WIDTH,
    Canvas,
    Cloth,
    Colour,
    crease,
    curve,
    grid,
    jersey,
    melange,
    noise,
    stroke,
    weave,
)
from garment_cuts import (
    Cut,
    armhole_seams,
    body_folds,
    button,
    cord,
    drape,
    inside_back,
    label,
    long_sleeve_folds,
    moved,
    on,
    short_sleeve_folds,
    sleeve_down,
)
from jeans_cut import dock_jeans

from vastra_live.pictures import write_picture
from vastra_live.wardrobe.intake import read_garment
from vastra_live.wardrobe.record import write_record
from vastra_live.wardrobe.store import BUILT_IN

ORIGIN = "drawn by scripts/draw_garments.py; own work, Apache-2.0"


def tee_cut() -> Cut:
    return Cut(
        back=curve((-84, 152), (-44, 163), (0, 166), (44, 163), (84, 152)),
        opening=curve((-84, 152), (-62, 190), (-28, 217), (0, 222), (28, 217), (62, 190), (84, 152)),
        collar=curve((-106, 158), (-80, 207), (-36, 241), (0, 248), (36, 241), (80, 207), (106, 158)),
        shoulder=curve((106, 158), (150, 174), (198, 198)),
        armhole=curve((198, 198), (188, 250), (184, 305), (194, 352)),
        side=curve((194, 352), (187, 470), (183, 600), (191, 760), (198, 852)),
        hem=curve((198, 852), (110, 864), (0, 868), (-110, 864), (-198, 852)),
        sleeve=[
            *curve((198, 198), (226, 220), (264, 294), (308, 390)),
            *curve((308, 390), (264, 418), (216, 436)),
            *curve((216, 436), (208, 396), (194, 352)),
        ],
    )


def coast_tee() -> U8:
    """A teal tee with a printed sun over waves."""
    teal = (0.47, 0.44, 0.17)
    cloth, cut, canvas = Cloth(teal, jersey(11)), tee_cut(), Canvas()
    rib = Cloth(teal, cloth.yarn, rib=4.2, rib_depth=0.09, rib_centre=(0, 90))
    inside_back(canvas, cut, cloth, 2)
    canvas.lay([*cut.back, *reversed([(x * 0.93, y + 19) for x, y in cut.back])], rib, volume=3, roll=5, shade=0.8)
    canvas.stitch([(x * 0.9, y + 23) for x, y in cut.back][8:-8], 0.2)
    label(canvas, (0, 197))
    for side in (-1, 1):
        canvas.lay(
            on(side, [*cut.sleeve, *reversed(cut.armhole)]), cloth, short_sleeve_folds(cut, side, 20 + side), volume=13
        )
        for lift in (20, 23.5):
            line = curve((298, 392 - lift), (258, 418 - lift), (215, 435 - lift))
            canvas.stitch(on(side, line), 0.13)
    canvas.lay(cut.body, cloth, body_folds(cut, 5), volume=20, roll=46)
    canvas.remember_light(teal)
    print_sun(canvas)
    armhole_seams(canvas, cut)
    for lift in (20, 23.5):
        canvas.stitch(moved(cut.hem, 0, -lift)[3:-3], 0.14)
    canvas.lay([*cut.opening, *reversed(cut.collar)], rib, volume=5, roll=8, cast=0.22)
    canvas.stitch([(x * 1.03, y + 5) for x, y in cut.collar][8:-8], 0.14)
    return canvas.picture(101)


def print_sun(canvas: Canvas) -> None:
    """A banded sun that sinks into waves, and a word."""
    x, y = grid()
    disc = np.clip((96 - np.hypot(x, y - 398)) * 2 + 0.5, 0, 1) * (y < 484)
    for index, top in enumerate((418, 438, 457, 474)):
        disc *= np.clip((np.abs(y - top) - 2.2 - index * 0.9) * 2 + 0.5, 0, 1)
    warm = np.clip((y - 302) / 192, 0, 1)[:, :, None]
    colour = (1 - warm) * np.array([0.36, 0.78, 0.97], np.float32) + warm * np.array([0.28, 0.36, 0.90], np.float32)
    worn = 1 - 0.3 * np.clip(cv2.resize(noise(77, 3, 3), (WIDTH * 2, HEIGHT * 2)) - 0.8, 0, 1)
    sea = np.zeros_like(disc)
    for index in range(4):
        wave = 487 + 17 * index + 4.5 * np.sin(x / (15 + index * 2) + index * 1.7)
        reach = np.clip((118 - 9 * index - np.abs(x)) * 1.2, 0, 1)
        sea = np.maximum(sea, np.clip((4.2 - np.abs(y - wave)) * 2 + 0.5, 0, 1) * reach)
    word = np.zeros(x.shape, np.uint8)
    cv2.putText(word, "C O A S T", (WIDTH - 2 * 106, 2 * 592), cv2.FONT_HERSHEY_DUPLEX, 2.75, 255, 8, cv2.LINE_AA)
    canvas.ink(disc * worn, np.asarray(colour, np.float32), 0.95, keep_light=True)
    pale = (0.90, 0.93, 0.92)
    canvas.ink(np.maximum(sea, word.astype(np.float32) / 255) * worn, pale, 0.93, keep_light=True)


def harbour_stripe() -> U8:
    """A cream long sleeve with navy stripes."""
    cream, navy = np.array([0.80, 0.87, 0.90], np.float32), np.array([0.30, 0.17, 0.12], np.float32)
    cut = Cut(
        back=curve((-96, 150), (-50, 158), (0, 161), (50, 158), (96, 150)),
        opening=curve((-96, 150), (-64, 178), (-28, 194), (0, 197), (28, 194), (64, 178), (96, 150)),
        collar=curve((-112, 155), (-72, 193), (-32, 212), (0, 215), (32, 212), (72, 193), (112, 155)),
        shoulder=curve((112, 155), (150, 170), (182, 190)),
        armhole=curve((182, 190), (170, 240), (166, 290), (176, 338)),
        side=curve((176, 338), (168, 440), (164, 560), (174, 700), (184, 792)),
        hem=curve((184, 792), (100, 802), (0, 805), (-100, 802), (-184, 792)),
    )
    cut.sleeve = sleeve_down(cut)
    x, y = grid()
    yarn, canvas = jersey(31, 0.026), Canvas()

    def striped(along: F32, low: float, high: float) -> F32:
        band = np.clip((np.abs((along % 27) - 13.5) - 8.2) * -1.6 + 0.5, 0, 1)
        band = band * np.clip((along - low) * 1.6, 0, 1) * np.clip((high - along) * 1.6, 0, 1)
        return np.asarray(cream + band[:, :, None] * (navy - cream), np.float32)

    plain = Cloth((0.80, 0.87, 0.90), yarn)
    inside_back(canvas, cut, plain, 3)
    canvas.lay([*cut.back, *reversed([(a * 0.95, b + 14) for a, b in cut.back])], plain, volume=3, roll=5, shade=0.86)
    label(canvas, (0, 181), 40, 14)
    for side in (-1, 1):
        outward = side * x
        across = y * 0.985 - (outward - 190) * 0.20
        sleeve = Cloth(striped(np.asarray(across, np.float32), 262, 780), yarn)
        canvas.lay(
            on(side, [*cut.sleeve, *reversed(cut.armhole)]),
            sleeve,
            long_sleeve_folds(cut, side, 40 + side),
            volume=13,
            roll=20,
        )
        canvas.stitch(on(side, curve((288, 814), (262, 821), (236, 822))), 0.12)
    folds = body_folds(cut, 9, 0.9)
    sag = cv2.resize(cv2.GaussianBlur(folds, (0, 0), 3), x.shape[::-1], interpolation=cv2.INTER_LINEAR)
    front = Cloth(striped(y - 0.00018 * x * x + 0.9 * sag, 262, 768), yarn)
    canvas.lay(cut.body, front, folds, volume=20, roll=44)
    armhole_seams(canvas, cut)
    for lift in (16, 19):
        canvas.stitch(moved(cut.hem, 0, -lift)[3:-3], 0.10)
    canvas.lay([*cut.opening, *reversed(cut.collar)], plain, volume=4, roll=7, cast=0.2)
    canvas.stitch([(a * 0.98, b - 4) for a, b in cut.collar][8:-8], 0.10)
    return canvas.picture(131)


def oxford_shirt() -> U8:
    """A light blue shirt with collar, placket, buttons, a pocket and long sleeves."""
    blue = (0.80, 0.66, 0.53)
    cloth, canvas = Cloth(blue, weave(51)), Canvas()
    cut = Cut(
        back=curve((-70, 152), (-36, 146), (0, 144), (36, 146), (70, 152)),
        opening=curve((-70, 152), (-48, 190), (-20, 226), (0, 240), (20, 226), (48, 190), (70, 152)),
        collar=curve((-76, 152), (-50, 196), (-20, 232), (0, 244), (20, 232), (50, 196), (76, 152)),
        shoulder=curve((76, 152), (140, 174), (192, 198)),
        armhole=curve((192, 198), (180, 250), (176, 310), (188, 360)),
        side=curve((188, 360), (180, 470), (176, 600), (184, 730), (190, 800)),
        hem=curve((190, 800), (172, 846), (110, 884), (0, 896), (-110, 884), (-172, 846), (-190, 800)),
    )
    cut.sleeve = sleeve_down(cut, 62)
    inside_back(canvas, cut, cloth, 4)
    canvas.seam(curve((-60, 172), (0, 178), (60, 172)), 0.3)
    label(canvas, (0, 194), 40, 18)
    for side in (-1, 1):
        canvas.lay(
            on(side, [*cut.sleeve, *reversed(cut.armhole)]),
            cloth,
            1.1 * long_sleeve_folds(cut, side, 60 + side),
            volume=13,
            roll=20,
        )
        cuff = [*curve((297, 784), (268, 792), (236, 792)), *curve((240, 848), (272, 848), (305, 838))]
        canvas.lay(on(side, cuff), cloth, volume=4, roll=8, cast=0.25)
        for line in (curve((297, 788), (268, 796), (238, 796)), curve((241, 843), (272, 843), (303, 834))):
            canvas.stitch(on(side, line), 0.10, (2.6, 1.6))
        button(canvas, (side * 250, 818))
    canvas.lay(cut.body, cloth, 1.15 * body_folds(cut, 15), volume=20, roll=46)
    for side in (-1, 1):
        canvas.seam(on(side, cut.armhole), 0.28)
        canvas.stitch(on(side, moved(cut.armhole, -7, 1)), 0.08, (2.6, 1.6))
        yoke = curve((96, 162), (140, 194), (184, 226))
        canvas.stitch(on(side, yoke), 0.09, (2.6, 1.6))
    canvas.stitch(moved(cut.hem, 0, -9)[6:-6], 0.09, (2.6, 1.6))
    placket = [(-17, 236), (17, 236), (17, 894), (-17, 894)]
    canvas.lay(placket, cloth, body_folds(cut, 15, 0.5), volume=2.4, roll=6, cast=0.2)
    for x in (-12.5, 12.5):
        canvas.stitch([(x, 244), (x, 890)], 0.09, (2.6, 1.6))
    for row in range(7):
        button(canvas, (0, 276 + 88 * row))
    pocket = [(58, 352), (142, 352), (142, 446), (100, 462), (58, 446)]
    canvas.lay(pocket, cloth, drape(71, 0.6), volume=2.2, roll=6, cast=0.24)
    canvas.stitch([*pocket[2:], pocket[0]], 0.09, (2.6, 1.6))
    canvas.stitch([(58, 366), (142, 366)], 0.09, (2.6, 1.6))
    canvas.stitch([pocket[1], pocket[2]], 0.09, (2.6, 1.6))
    shirt_collar(canvas, cloth)
    return canvas.picture(171)


def shirt_collar(canvas: Canvas, cloth: Cloth) -> None:
    """A stand around the neck and two points that fall over it."""
    stand = [
        *curve((-72, 150), (-36, 141), (0, 138), (36, 141), (72, 150)),
        *curve((66, 172), (34, 164), (0, 161), (-34, 164), (-66, 172)),
    ]
    canvas.lay(stand, cloth, volume=2, roll=6, shade=0.86, cast=0.25)
    canvas.stitch(curve((-62, 167), (-32, 159), (0, 156), (32, 159), (62, 167)), 0.08, (2.6, 1.6))
    for side in (-1, 1):
        leaf = [
            *curve((70, 148), (88, 162), (94, 190)),
            *curve((94, 190), (92, 236), (84, 288)),
            *curve((84, 288), (46, 264), (4, 240)),
            *curve((4, 240), (30, 206), (58, 166)),
            (70, 148),
        ]
        canvas.lay(on(side, leaf), cloth, drape(80 + side, 0.35), volume=5, roll=10, cast=0.4)
        edge = [*curve((88, 194), (86, 236), (79, 280)), *curve((79, 280), (46, 258), (12, 238))]
        canvas.stitch(on(side, edge), 0.09, (2.6, 1.6))
    button(canvas, (0, 246))


def pouch_hoodie() -> U8:
    """A heather grey hoodie with a pouch and drawstrings."""
    grey: Colour = (0.56, 0.55, 0.54)
    cloth, canvas = Cloth(grey, melange(91)), Canvas()
    rib = Cloth(grey, cloth.yarn, rib=5.0, rib_depth=0.12)
    cut = Cut(
        back=curve((-92, 186), (-80, 128), (-40, 100), (0, 94), (40, 100), (80, 128), (92, 186)),
        opening=curve((-92, 186), (-70, 226), (-34, 262), (0, 276), (34, 262), (70, 226), (92, 186)),
        collar=curve((-112, 176), (-78, 236), (-36, 276), (0, 290), (36, 276), (78, 236), (112, 176)),
        shoulder=curve((112, 176), (160, 192), (208, 216)),
        armhole=curve((208, 216), (200, 270), (196, 330), (204, 384)),
        side=curve((204, 384), (198, 500), (196, 640), (196, 758)),
        hem=curve((196, 758), (100, 764), (0, 766), (-100, 764), (-196, 758)),
    )
    cut.sleeve = sleeve_down(cut, 66)
    hood_back(canvas, cut, cloth)
    for side in (-1, 1):
        canvas.lay(
            on(side, [*cut.sleeve, *reversed(cut.armhole)]),
            cloth,
            1.4 * long_sleeve_folds(cut, side, 120 + side),
            volume=17,
            roll=24,
        )
        cuff = [*curve((316, 832), (284, 842), (250, 842)), *curve((254, 908), (282, 911), (318, 902)), (320, 868)]
        canvas.lay(
            on(side, cuff),
            Cloth(grey, cloth.yarn, rib=5.0, rib_depth=0.12, rib_angle=-3 * side),
            volume=7,
            roll=12,
            cast=0.3,
        )
    canvas.lay(cut.body, cloth, 1.35 * body_folds(cut, 25), volume=24, roll=50)
    armhole_seams(canvas, cut)
    pouch = [
        *curve((-86, 560), (0, 562), (86, 560)),
        *curve((86, 560), (116, 622), (146, 690)),
        (148, 764),
        (-148, 764),
        *curve((-146, 690), (-116, 622), (-86, 560)),
    ]
    canvas.lay(
        pouch,
        cloth,
        1.1 * drape(140, 1.0) + crease(curve((-90, 700), (0, 716), (96, 696)), 12, 0.6),
        volume=8,
        roll=16,
        cast=0.34,
    )
    for side in (-1, 1):
        opening = curve((82, 564), (111, 624), (140, 690))
        canvas.stitch(on(side, moved(opening, -3, 3)), 0.12)
        canvas.stitch(on(side, moved(opening, -12, 6)), 0.12)
    canvas.stitch(curve((-82, 566), (0, 568), (82, 566)), 0.12)
    hem = [
        *curve((-196, 756), (0, 764), (196, 756)),
        *curve((190, 818), (100, 826), (0, 828), (-100, 826), (-190, 818)),
    ]
    canvas.lay(hem, rib, 0.6 * drape(150, 1.0), volume=9, roll=14, cast=0.3)
    hood_front(canvas, cloth)
    return canvas.picture(191)


def hood_back(canvas: Canvas, cut: Cut, cloth: Cloth) -> None:
    """The hood lies open behind the neck: its far side, seen from within."""
    canvas.lay(
        [*cut.back, *reversed(cut.opening)], cloth, 1.2 * drape(160, 1.0, 40), volume=6, roll=24, shade=0.60, cast=0
    )
    canvas.seam(curve((0, 118), (3, 150), (0, 214)), 0.35)
    canvas.lay(
        curve((-78, 214), (-40, 226), (0, 230), (40, 226), (78, 214), (44, 268), (0, 292), (-44, 268)),
        cloth,
        volume=3,
        shade=0.5,
        cast=0,
    )
    label(canvas, (0, 246), 40, 18)


def hood_front(canvas: Canvas, cloth: Cloth) -> None:
    """The hood's two edges fall to the throat and cross there; drawstrings come out of eyelets."""
    for side in (-1, 1):
        edge = [
            *curve((2, 96), (56, 98), (104, 132), (122, 182)),
            *curve((122, 182), (108, 226), (60, 276), (-4, 308)),
            *curve((-12, 276), (38, 252), (76, 204), (82, 160), (52, 122), (2, 112)),
        ]
        folds = 0.8 * drape(170 + side, 1.0, 30) + crease(
            curve((side * 100, 150), (side * 96, 200), (side * 50, 260)), 8, 0.7
        )
        canvas.lay(on(side, edge), cloth, folds, volume=12, roll=16, cast=0.4)
        canvas.stitch(on(side, curve((6, 118), (52, 128), (88, 162), (84, 206), (44, 256), (0, 284))), 0.12)
    for side in (-1, 1):
        x, y = side * 46, 264
        ring = [(x + 4.6 * np.cos(a), y + 4.6 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 32)]
        canvas.lay(ring, Cloth((0.62, 0.62, 0.62)), volume=3, roll=2, cast=0.4)
        canvas.ink(stroke([(x, y), (x, y)], 3.4), (0.08, 0.08, 0.08))
        line = curve((x, y), (x + side * 8, y + 50), (x + side * 3, y + 110), (x + side * 9, y + 168 + 6 * side))
        cord(canvas, line)


def rib_tank() -> U8:
    """A rust red tank top in fine rib."""
    rust = (0.20, 0.27, 0.62)
    cut = Cut(
        back=curve((-96, 150), (-74, 186), (-38, 206), (0, 211), (38, 206), (74, 186), (96, 150)),
        opening=curve((-96, 150), (-84, 218), (-44, 274), (0, 288), (44, 274), (84, 218), (96, 150)),
        collar=curve((-107, 150), (-95, 222), (-50, 284), (0, 299), (50, 284), (95, 222), (107, 150)),
        shoulder=curve((107, 150), (126, 152), (146, 156)),
        armhole=curve((146, 156), (140, 230), (146, 300), (182, 366)),
        side=curve((182, 366), (172, 470), (162, 580), (172, 720), (182, 836)),
        hem=curve((182, 836), (100, 845), (0, 848), (-100, 845), (-182, 836)),
    )
    cloth, canvas = Cloth(rust, jersey(201), rib=6.0, rib_depth=0.10), Canvas()
    plain = Cloth(rust, cloth.yarn)
    straps = [*cut.back, *curve((146, 156), (138, 236), (146, 300)), *curve((-146, 300), (-138, 236), (-146, 156))]
    canvas.lay(straps, cloth, drape(203, 0.4), volume=3, shade=0.60, cast=0)
    label(canvas, (0, 240), 42, 17)
    canvas.lay(cut.body, cloth, body_folds(cut, 205, 0.9), volume=20, roll=44)
    for lift in (18, 21.5):
        canvas.stitch(moved(cut.hem, 0, -lift)[3:-3], 0.13)
    canvas.lay([*cut.opening, *reversed(cut.collar)], plain, volume=4, roll=5, cast=0.25)
    for side in (-1, 1):
        binding = [*cut.armhole, *reversed([(x - 10 + 2 * (y > 330), y) for x, y in cut.armhole])]
        canvas.lay(on(side, binding), plain, volume=4, roll=5, cast=0.2)
    return canvas.picture(211)


GARMENTS: dict[str, Callable[[], U8]] = {
    "coast-tee": coast_tee,
    "dock-jeans": dock_jeans,
    "harbour-stripe": harbour_stripe,
    "oxford-shirt": oxford_shirt,
    "pouch-hoodie": pouch_hoodie,
    "rib-tank": rib_tank,
}


def store(name: str, folder: Path) -> None:
    """Draw one garment, read it as any product photo is read, and keep it as a wardrobe folder."""
    picture = GARMENTS[name]()
    with tempfile.TemporaryDirectory() as passing:
        photo = Path(passing) / f"{name}.png"
        write_picture(photo, picture)
        garment = dataclasses.replace(read_garment(photo, name=name), origin=ORIGIN)
        target = folder / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        write_record(target, garment, picture, photo_file="photo.jpg")
    print(f"{target}: {garment.category.value}, sleeve {garment.sleeve.value}")


def main() -> None:
    """Draw the garments named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Draw the garments that come with the package.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GARMENTS)}; default: all")
    parser.add_argument("--folder", type=Path, default=BUILT_IN, help="default: the package's own")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in GARMENTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    for name in arguments.names or GARMENTS:
        store(name, arguments.folder)


if __name__ == "__main__":
    main()
