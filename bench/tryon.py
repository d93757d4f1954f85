"""Measure the embedded synthesizer on still photographs with ground truth.

``python bench/tryon.py [--data ../shared] [--json OUT.json] [--sheet OUT.jpg]`` prints a table. The data is the
VITON-HD layout: ``people/<id>/image.jpg`` with ``parse.png`` (CIHP labels) and ``garments/*.jpg``.

* leak: share of the worn top's pixels that keep their colour (within 6 levels) after another top was put on; and the
  same over the tops of another colour only, for white on white tells nothing.
* kept: share of face, hair and lower body that stays within 12 levels, beyond 3 px of the worn top's border, where
  the new (cropped) top does not cover them; the same without what the labels mistake: pixels beside the worn top that
  have its colour and not that of the hair or lower garment they are labelled as; and the same, as labelled, over the
  long-sleeved tops, which cover the worn sleeves that are labelled as trousers.
* worn top: IoU of the reading with the ground truth.
* own garment: SSIM and PSNR over the top's region after the garment a person wears is put on them once more.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage.metrics import structural_similarity

from vastra_live.errors import VastraError
from vastra_live.photo import lay_over
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.embedded import EmbeddedSynthesizer
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import U8, Body, Frame, Garment
from vastra_live.wardrobe.intake import read_garment

Mask = npt.NDArray[np.bool_]

TOP = (5, 6, 7)
KEPT = (1, 2, 4, 9, 12, 13, 16, 17, 18, 19)
LONG = ("049805_1", "00094_00", "00470_00")
SHORT = ("00055_00", "11791_00", "00017_00")
CROPPED = "00126_00"
OWN = ("00006", "cloth-00006_00", "hrviton-output-00006_00")
PIXELS = 800_000
OTHER = 25.0
BESIDE = 20


def leak(before: U8, after: U8, top: Mask) -> float:
    """Share of the worn top whose colour did not change."""
    same = np.abs(before.astype(int) - after).max(axis=-1) <= 6
    return float(same[top].mean())


def another_colour(picture: U8, top: Mask, garment: Garment) -> bool:
    """Whether most of a garment differs in colour from most of a worn top: CIE76 of their medians."""
    medians = []
    for bgr, mask in ((picture, top), (garment.bgr, garment.alpha > 0.9)):
        lab = cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
        medians.append(np.median(lab[mask], axis=0))
    return float(np.linalg.norm(medians[0] - medians[1])) > OTHER


def kept(before: U8, after: U8, region: Mask, tops: Mask) -> float:
    """Share of the region, away from the border of the tops, whose colour stayed."""
    near = cv2.dilate(tops.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    same = np.abs(before.astype(int) - after).max(axis=-1) <= 12
    return float(same[region & ~near].mean())


def mistaken(picture: U8, parse: U8, top: Mask) -> Mask:
    """Pixels labelled hair or lower garment, near the worn top, whose colour is the top's: nearer to its median.

    Where the medians of the two are alike, nothing is called a mistake.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    of_top = np.median(lab[top], axis=0)
    near = cv2.dilate(top.astype(np.uint8), np.ones((2 * BESIDE + 1, 2 * BESIDE + 1), np.uint8)) > 0
    wrong = np.zeros(top.shape, np.bool_)
    for labels in ((1, 2), (9,), (12,)):
        here = np.isin(parse, labels)
        own = np.median(lab[here], axis=0) if here.any() else of_top
        if np.linalg.norm(own - of_top) > OTHER:
            nearer = np.linalg.norm(lab - of_top, axis=-1) < np.linalg.norm(lab - own, axis=-1)
            wrong |= here & near & nearer
    return wrong


def likeness(photo: U8, made: U8, top: Mask) -> tuple[float, float]:
    """Mean of the SSIM map, and PSNR in dB, over the top."""
    _, ssim = structural_similarity(photo, made, channel_axis=2, full=True)  # type: ignore[no-untyped-call]
    error = float(((photo.astype(float) - made)[top] ** 2).mean())
    return float(ssim[top].mean()), float(10 * np.log10(255**2 / max(error, 1e-9)))


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max((a | b).sum(), 1))


class Bench:
    """The people of a data folder, read once."""

    def __init__(self, data: Path) -> None:
        self.data = data
        tracker = BlazePoseTracker(static=True)
        self.people: dict[str, tuple[Frame, Body]] = {}
        for k, folder in enumerate(sorted((data / "people").glob("*/parse.png"))):
            bgr = np.ascontiguousarray(read_picture(folder.with_name("image.jpg")).bgr)
            frame = Frame(bgr, k, time.monotonic_ns(), folder.parent.name)
            body = tracker.track(frame)
            if body is not None:
                self.people[folder.parent.name] = (frame, body)
        tracker.close()

    def parse(self, person: str) -> U8:
        """The ground-truth labels of a person."""
        return read_labels(self.data / "people" / person / "parse.png")

    def garment(self, name: str) -> Garment:
        """A garment of the data folder."""
        return read_garment(self.data / "garments" / f"{name}.jpg")

    def dressed(self, person: str, garment: Garment) -> tuple[U8, Mask]:
        """The person wearing it, and where the garment was put."""
        frame, body = self.people[person]
        stages: dict[str, U8] = {}
        layer = EmbeddedSynthesizer(layer_pixels=PIXELS, watch=stages.__setitem__).synthesize(frame, body, garment)
        assert layer.to_frame is not None
        fitted = cv2.warpAffine(stages["fitted"], layer.to_frame, frame.size)
        return lay_over(layer), np.asarray(fitted > 25)


def measure(bench: Bench) -> tuple[dict[str, Any], list[list[U8]]]:
    """Every figure, and the pictures of the contact sheet: a row for each garment."""
    rows: dict[str, dict[str, float]] = {name: {} for name in bench.people}
    sheet: list[list[U8]] = [[frame.bgr for frame, _ in bench.people.values()]]
    for name in (*LONG, *SHORT, CROPPED):
        garment = bench.garment(name)
        pictures = []
        for person, (frame, _) in bench.people.items():
            parse = bench.parse(person)
            top = np.isin(parse, TOP)
            made, fitted = bench.dressed(person, garment)
            pictures.append(made)
            kind = "long" if name in LONG else "short"
            rows[person][f"leak_{kind}_{name}"] = leak(frame.bgr, made, top)
            if another_colour(frame.bgr, top, garment):
                rows[person][f"other_{kind}_{name}"] = rows[person][f"leak_{kind}_{name}"]
            region = np.isin(parse, KEPT) & ~fitted
            if name in LONG:
                rows[person][f"kept_long_{name}"] = kept(frame.bgr, made, region, top)
            if name == CROPPED:
                rows[person]["kept"] = kept(frame.bgr, made, region, top)
                rows[person]["kept_true"] = kept(frame.bgr, made, region & ~mistaken(frame.bgr, parse, top), top)
        sheet.append(pictures)
    for person, (frame, body) in bench.people.items():
        worn = EmbeddedSynthesizer(layer_pixels=PIXELS).worn_top(frame, body)
        rows[person]["worn_iou"] = iou(worn > 0.5, np.isin(bench.parse(person), TOP))
    result: dict[str, Any] = {"people": rows, "mean": _means(rows)}
    person, cloth, reference = OWN
    folder = bench.data / "people" / person
    if person in bench.people and (folder / f"{cloth}.jpg").exists():
        photo, top = bench.people[person][0].bgr, np.isin(bench.parse(person), TOP)
        made, _ = bench.dressed(person, read_garment(folder / f"{cloth}.jpg"))
        sheet.append([photo, made])
        result["own"] = dict(zip(("ssim", "psnr"), likeness(photo, made, top), strict=True))
        other = read_picture(folder / f"{reference}.jpg").bgr
        result["own_hrviton"] = dict(zip(("ssim", "psnr"), likeness(photo, np.asarray(other), top), strict=True))
    return result, sheet


def _means(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """Means over people; the leaks also over the garments of their kind."""
    groups: dict[str, list[float]] = {}
    for row in rows.values():
        for key, value in row.items():
            group = "_".join(key.split("_")[:2]) if key.startswith(("leak", "other", "kept_long")) else key
            groups.setdefault(group, []).append(value)
    return {key: float(np.mean(values)) for key, values in groups.items()}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--sheet", type=Path, default=None)
    options = parser.parse_args()
    try:
        result, sheet = measure(Bench(options.data))
    except VastraError as error:
        raise SystemExit(f"bench/tryon: {error}") from error
    keys, groups = ("worn_iou", "kept", "kept_true"), ("kept_long", "leak_long", "leak_short")
    print(f"{'person':10}" + "".join(f"{key:>12}" for key in (*keys, *groups)))
    for person, row in result["people"].items():
        kinds = [np.mean([v for k, v in row.items() if k.startswith(group)]) for group in groups]
        print(f"{person:10}" + "".join(f"{value:12.4f}" for value in (*(row[k] for k in keys), *kinds)))
    print(f"{'mean':10}" + "".join(f"{result['mean'][k]:12.4f}" for k in (*keys, *groups)))
    print("of another colour: " + ", ".join(f"{k} {result['mean'][f'other_{k}']:.4f}" for k in ("long", "short")))
    for key in ("own", "own_hrviton"):
        if key in result:
            print(f"{key:12} ssim {result[key]['ssim']:.3f} psnr {result[key]['psnr']:.2f} dB")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.sheet is not None:
        tiles = [[cv2.resize(p, (288, 384), interpolation=cv2.INTER_AREA) for p in row] for row in sheet]
        width = max(len(row) for row in tiles)
        blank = np.zeros((384, 288, 3), np.uint8)
        rows = [np.hstack(row + [blank] * (width - len(row))) for row in tiles]
        cv2.imwrite(str(options.sheet), np.vstack(rows))


if __name__ == "__main__":
    main()
