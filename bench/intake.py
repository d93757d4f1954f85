"""Measure garment intake on product photographs with ground truth.

``python bench/intake.py [--data ../shared] [--json OUT.json] [--sheet OUT.png]`` prints tables:

* mask: IoU of ``alpha >= 0.5`` with ``garments/*.mask.jpg`` (and those under ``people/00006``), mean and worst.
* category: right on all of ``garments/labels.json``; sleeve and landmarks are on the sheet, to be looked at.
* grounds: the garments that have a mask, laid on other grounds (white, grey, colours, gradient, shadow, noise),
  cut out again and compared with the mask they were laid on with.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vastra_live.errors import VastraError
from vastra_live.pictures import read_picture, write_picture
from vastra_live.types import F32, U8
from vastra_live.wardrobe.cutout import cut_out
from vastra_live.wardrobe.drawing import draw_garment
from vastra_live.wardrobe.intake import read_garment
from vastra_live.wardrobe.matte import carry_colours, even_alpha, soft_alpha

TILE = (288, 384)
COLUMNS = 6


def iou(found: F32, truth: U8) -> float:
    """Intersection over union of two masks, threshold in the middle."""
    a, b = found >= 0.5, truth >= 128
    return float((a & b).sum() / max(1, (a | b).sum()))


def _light(shape: tuple[int, int]) -> F32:
    y, x = np.indices(shape, np.float32)
    return np.asarray(1 - 0.16 * y / shape[0] - 0.08 * np.abs(x / shape[1] - 0.4), np.float32)[:, :, None]


def plain(colour: tuple[int, int, int]) -> Callable[[U8], F32]:
    """A ground of one colour with a little noise."""

    def paint(mask: U8) -> F32:
        noise = np.random.default_rng(0).normal(0, 1.0, (*mask.shape, 3))
        return np.asarray(np.array(colour) + noise, np.float32)

    return paint


def gradient(mask: U8) -> F32:
    """Studio paper, lit from above."""
    return np.asarray(plain((226, 230, 232))(mask) * _light((mask.shape[0], mask.shape[1])), np.float32)


def shadow(mask: U8) -> F32:
    """A soft shadow to the lower right."""
    spot = cv2.GaussianBlur(np.roll(mask, (14, 10), (0, 1)).astype(np.float32) / 255, (0, 0), 12)
    return np.asarray(plain((238, 238, 238))(mask) * (1 - 0.4 * spot[:, :, None]), np.float32)


def noisy(mask: U8) -> F32:
    """A phone in poor light."""
    grain = np.random.default_rng(1).normal(0, 4.0, (*mask.shape, 3)).astype(np.float32)
    return np.asarray(np.array([205, 210, 208]) + cv2.GaussianBlur(grain, (0, 0), 0.7), np.float32)


GROUNDS: dict[str, Callable[[U8], F32]] = {
    "white": plain((254, 254, 254)),
    "grey": plain((168, 168, 168)),
    "beige": plain((190, 208, 220)),
    "green": plain((120, 165, 110)),
    "blue": plain((150, 90, 50)),
    "gradient": gradient,
    "shadow": shadow,
    "noisy": noisy,
}


def _pairs(data: Path) -> list[tuple[Path, Path]]:
    """Photographs and their masks."""
    masks = sorted((data / "garments").glob("*.mask.jpg")) + sorted(
        (data / "people" / "00006").glob("cloth-*.mask.jpg")
    )
    return [(mask.with_name(mask.name.replace(".mask", "")), mask) for mask in masks]


def measure_masks(data: Path) -> dict[str, float]:
    """IoU by photo."""
    return {photo.stem: iou(read_garment(photo).alpha, read_picture(mask).bgr[:, :, 0]) for photo, mask in _pairs(data)}


def measure_categories(data: Path) -> tuple[dict[str, dict[str, str]], list[U8]]:
    """What was expected and read of each labelled photo, and a drawing of each."""
    labels = json.loads((data / "garments" / "labels.json").read_text())
    found: dict[str, dict[str, str]] = {}
    tiles: list[U8] = []
    for name, expected in sorted(labels.items()):
        try:
            garment = read_garment(data / "garments" / name)
        except VastraError as error:
            found[name] = {"expected": expected, "read": "refused", "reason": str(error)}
            continue
        found[name] = {"expected": expected, "read": garment.category.value, "sleeve": garment.sleeve.value}
        tiles.append(np.asarray(cv2.resize(draw_garment(garment), TILE, interpolation=cv2.INTER_AREA), np.uint8))
    return found, tiles


def measure_grounds(data: Path) -> dict[str, dict[str, float]]:
    """IoU by ground, then by photo."""
    result: dict[str, dict[str, float]] = {name: {} for name in GROUNDS}
    for photo, mask_path in _pairs(data):
        if mask_path.parent.name == "00006" and photo.stem != "cloth-00006_00":
            continue  # published with a hanger and a shadow in the mask
        mask = np.where(read_picture(mask_path).bgr[:, :, 0] >= 128, 255, 0).astype(np.uint8)
        alpha = even_alpha(np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), np.uint8))
        cloth = carry_colours(read_picture(photo).bgr, alpha).astype(np.float32)
        for name, paint in GROUNDS.items():
            mixed = cloth * alpha[:, :, None] + paint(mask) * (1 - alpha[:, :, None])
            bgr = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
            cutout = cut_out(bgr)
            found = soft_alpha(bgr, cutout.mask, cutout.ground)
            result[name][photo.stem] = iou(found, np.asarray(alpha * 255, np.uint8))
    return result


def sheet(tiles: list[U8]) -> U8:
    """The drawings in rows."""
    blank = np.full((TILE[1], TILE[0], 3), 255, np.uint8)
    padded = tiles + [blank] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(padded[i : i + COLUMNS], axis=1) for i in range(0, len(padded), COLUMNS)]
    return np.concatenate(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--sheet", type=Path, help="draw what was read here")
    arguments = parser.parse_args()

    start = time.process_time()
    masks = measure_masks(arguments.data)
    seconds = (time.process_time() - start) / max(1, len(masks))
    print("mask IoU")
    for name, value in sorted(masks.items(), key=lambda item: item[1]):
        print(f"  {name:<18} {value:.4f}")
    values = list(masks.values())
    print(f"  {'mean / worst':<18} {np.mean(values):.4f} / {min(values):.4f}")
    print(f"  {seconds:.2f} s of processor time a photo")

    categories, tiles = measure_categories(arguments.data)
    wrong = {name: told for name, told in categories.items() if told["read"] != told["expected"]}
    print(f"category: {len(categories) - len(wrong)} of {len(categories)} right")
    for name, told in wrong.items():
        print(f"  {name}: expected {told['expected']}, read {told['read']} {told.get('reason', '')}")

    grounds = measure_grounds(arguments.data)
    print("mask IoU on other grounds: mean / worst")
    for name, fits in grounds.items():
        worst = min(fits, key=lambda photo: fits[photo])
        print(f"  {name:<10} {np.mean(list(fits.values())):.4f} / {fits[worst]:.4f} ({worst})")

    if arguments.json is not None:
        figures: dict[str, Any] = {"masks": masks, "categories": categories, "grounds": grounds}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if arguments.sheet is not None:
        write_picture(arguments.sheet, sheet(tiles))


if __name__ == "__main__":
    main()
