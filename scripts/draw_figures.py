"""Draws the pictures of the README from the demo source and the garments that come with the package.

    .venv/bin/python scripts/draw_figures.py

Writes docs/images/: ``garments.jpg`` (what is worn), ``wardrobe.jpg`` (the same frame in each of them) and
``moving.jpg`` (one garment over the whole demo, keyframe by propagation, as `run` shows it).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vastra_live.capture import open_source
from vastra_live.config import Settings
from vastra_live.errors import SourceEnded
from vastra_live.launch import launch
from vastra_live.photo import try_on
from vastra_live.pictures import read_picture, write_picture
from vastra_live.types import U8, Category, Garment
from vastra_live.wardrobe.store import Wardrobe

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
HEIGHT, WIDTH = 360, 1200
GAP = 4


def row(pictures: list[U8]) -> U8:
    """Pictures side by side at one height, on white."""
    cells: list[U8] = []
    for picture in pictures:
        width = round(picture.shape[1] * HEIGHT / picture.shape[0])
        cell = cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)
        cells.append(
            np.asarray(cv2.copyMakeBorder(cell, 0, 0, 0, GAP, cv2.BORDER_CONSTANT, value=(255,) * 3), np.uint8)
        )
    return np.hstack(cells)[:, :-GAP]


def demo_frame(index: int) -> U8:
    """One frame of the demo source."""
    source = open_source("demo", asap=True)
    try:
        for _ in range(index):
            source.read()
        return source.read().bgr
    except SourceEnded:
        raise ValueError(f"the demo has no frame {index}") from None
    finally:
        source.close()


def main() -> None:
    """Draw all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    wardrobe = Wardrobe(IMAGES / "no-own-garments")
    garments: list[Garment] = [wardrobe.load(name) for name in wardrobe.names()]
    write_picture(IMAGES / "garments.jpg", row([g.bgr for g in garments]))
    plain = demo_frame(30)
    # the demo shows nobody's legs
    tops = [g for g in garments if g.category is not Category.LOWER]
    write_picture(IMAGES / "wardrobe.jpg", row([plain, *(try_on(plain, g) for g in tops)]))
    sheet = IMAGES / "moving.png"
    settings = Settings(source="demo", asap=True, output=(f"sheet:{sheet}",), wardrobe=IMAGES / "no-own-garments")
    launch(settings, print, lambda _: None).run()
    whole = read_picture(sheet).bgr
    size = (WIDTH, round(whole.shape[0] * WIDTH / whole.shape[1]))
    write_picture(IMAGES / "moving.jpg", np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8))
    sheet.unlink()


if __name__ == "__main__":
    main()
