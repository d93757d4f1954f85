"""How well a painted garment stays on the worn one between keyframes, beside simple methods.

The painter is a fixed, invertible change of colour, so the right answer for every frame is known: the same change
of that frame's own garment. Needs a clip and, beside it as NAME.garment.npz, the garment's mask in every frame
(``mask``: packed bits; ``shape``: frames, height, width).

    python bench/propagation.py CLIP... [--every 15 45] [--painter negative|turned] [--json OUT.json] [--video DIR]

Methods: ``hold`` leaves the keyframe's layer where it is; ``flow`` moves it by dense optical flow from the live
frame to the keyframe; ``chain`` adds up the flow from frame to frame; ``tested`` is ``flow`` with whatever differs
by more than 60 levels from the moved keyframe left out; ``ours`` is the Propagator.

Scores, over the frames that are no keyframes: IoU of alpha above one half, its 5th percentile, boundary F within
3 px, PSNR in the true garment (a missing pixel counts as black); and over all frames flicker, the mean change of
the composite in the garment that is not the truth's change, in levels. ``ms`` is the median of this run on this
machine: compare only within one run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from vastra_live.tracking.propagation import Propagator
from vastra_live.types import F32, U8

SCORES = ("iou", "iou_p5", "boundary_f", "psnr", "flicker", "ms")


class Method(Protocol):
    """What a method under test offers; :class:`Propagator` does."""

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None: ...

    def advance(self, frame_bgr: U8) -> tuple[U8, F32]: ...


class Hold:
    """The layer stays where the keyframe had it."""

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None:  # noqa: ARG002
        self._layer = layer_bgr, layer_alpha

    def advance(self, frame_bgr: U8) -> tuple[U8, F32]:  # noqa: ARG002
        return self._layer


class FlowTo:
    """Dense flow at half size from each live frame to the keyframe."""

    def __init__(self, tolerance: int | None = None) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._tolerance = tolerance

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None:
        self._key, self._grey = frame_bgr, _half_grey(frame_bgr)
        self._layer = layer_bgr, layer_alpha

    def advance(self, frame_bgr: U8) -> tuple[U8, F32]:
        at = self._places(frame_bgr)
        bgr, alpha = (cv2.remap(part, at, None, cv2.INTER_LINEAR) for part in self._layer)
        if self._tolerance is not None:
            key = cv2.remap(self._key, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            off = cv2.blur(cv2.absdiff(key, frame_bgr).max(axis=2), (5, 5))
            alpha[off > self._tolerance] = 0
        return bgr, alpha

    def _places(self, frame_bgr: U8) -> F32:
        return _at(self._dis.calc(_half_grey(frame_bgr), self._grey, None))


class Chain(FlowTo):
    """Dense flow from frame to frame, added up."""

    def rebase(self, frame_bgr: U8, layer_bgr: U8, layer_alpha: F32) -> None:
        super().rebase(frame_bgr, layer_bgr, layer_alpha)
        self._sum: F32 | None = None

    def _places(self, frame_bgr: U8) -> F32:
        grey = _half_grey(frame_bgr)
        step = _at(self._dis.calc(grey, self._grey, None))
        self._grey = grey
        if self._sum is None:
            self._sum = step
        else:
            self._sum = cv2.remap(self._sum, step, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return self._sum


METHODS: dict[str, Callable[[], Method]] = {
    "hold": Hold,
    "flow": FlowTo,
    "chain": Chain,
    "tested": lambda: FlowTo(tolerance=60),
    "ours": Propagator,
}

PAINTERS: dict[str, Callable[[U8], U8]] = {
    # light and dark exchanged as well as the channels: nothing of the worn garment can pass for the painted one
    "negative": lambda bgr: cv2.bitwise_not(bgr[..., [0, 2, 1]]),
    # the channels turned: brighter stays brighter, as with a real painter
    "turned": lambda bgr: bgr[..., [1, 2, 0]],
}


def _half_grey(bgr: U8) -> U8:
    grey: U8 = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return grey


def _at(half_flow: F32) -> F32:
    rows, columns = half_flow.shape[:2]
    flow = 2 * cv2.resize(half_flow, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)
    ys, xs = np.mgrid[0 : 2 * rows, 0 : 2 * columns].astype(np.float32)
    places: F32 = flow + np.dstack([xs, ys])
    return places


def read_clip(path: Path) -> tuple[list[U8], Any]:
    """All frames of a clip, and its garment masks (frames, height, width) bool."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        # flow at half size needs even sides
        frames.append(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])
    capture.release()
    packed = np.load(path.with_suffix(".garment.npz"))
    shape = tuple(int(side) for side in packed["shape"])
    masks = np.unpackbits(packed["mask"])[: int(np.prod(shape))].reshape(shape).astype(bool)
    if len(frames) != len(masks):
        raise SystemExit(f"{path}: {len(frames)} frames but {len(masks)} masks")
    return frames, masks[:, : frames[0].shape[0], : frames[0].shape[1]]


def boundary_f(found: Any, true: Any, reach: float = 3.0) -> float:
    """F score of the outline's points lying within ``reach`` pixels of the other outline."""

    def outline(mask: Any) -> Any:
        solid = mask.astype(np.uint8)
        return (solid - cv2.erode(solid, np.ones((3, 3), np.uint8), borderValue=1)) > 0

    def near(edge: Any) -> Any:
        return cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) <= reach

    one, other = outline(found), outline(true)
    if not one.any() or not other.any():
        return float(one.any() == other.any())
    precision, recall = float(near(other)[one].mean()), float(near(one)[other].mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def score(
    method: Method, frames: list[U8], masks: Any, every: int, paint: Callable[[U8], U8], video: Path | None
) -> dict[str, float]:
    """One method on one clip."""
    values: dict[str, list[float]] = {name: [] for name in ("iou", "boundary_f", "psnr", "flicker", "ms")}
    height, width = frames[0].shape[:2]
    writer = video and cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 30, (2 * width, height))
    before: tuple[Any, Any] | None = None
    for index, frame in enumerate(frames):
        mask, painted = masks[index], paint(frame)
        truth = np.where(mask[..., None], painted, frame).astype(np.float32)
        if index % every == 0:
            alpha = mask.astype(np.float32)
            bgr = (painted * mask[..., None]).astype(np.uint8)
            method.rebase(frame, bgr, alpha)
        else:
            started = time.perf_counter()
            bgr, alpha = method.advance(frame)
            values["ms"].append(1e3 * (time.perf_counter() - started))
        premultiplied = bgr * alpha[..., None]
        shown = premultiplied + frame * (1 - alpha[..., None])
        if before is not None and mask.any():
            values["flicker"].append(float(np.abs((shown - before[0]) - (truth - before[1]))[mask].mean()))
        before = shown, truth
        if writer:
            writer.write(np.hstack([shown, truth]).clip(0, 255).astype(np.uint8))
        if index % every == 0 or not mask.any():
            continue
        found = alpha > 0.5
        values["iou"].append(float((found & mask).sum() / (found | mask).sum()))
        values["boundary_f"].append(boundary_f(found, mask))
        error = float(np.square(premultiplied - painted)[mask].mean())
        values["psnr"].append(10 * float(np.log10(255**2 / max(error, 1e-3))))
    if writer:
        writer.release()
    if not values["iou"]:
        raise SystemExit(f"nothing to score: every frame is a keyframe at --every {every}, or no mask holds a garment")
    result = {name: float(np.mean(values[name])) for name in ("iou", "boundary_f", "psnr", "flicker")}
    return {**result, "iou_p5": float(np.percentile(values["iou"], 5)), "ms": float(np.median(values["ms"]))}


def show(console: Console, title: str, rows: dict[str, dict[str, float]]) -> None:
    """Print one table."""
    table = Table(title=title, title_justify="left")
    for heading in ("method", *SCORES):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[key]:.{2 if key in ('psnr', 'flicker', 'ms') else 3}f}" for key in SCORES))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, help="clips with a NAME.garment.npz beside them, or folders")
    parser.add_argument("--every", nargs="+", type=int, default=[15, 45], help="keyframe spacing in frames")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--painter", choices=PAINTERS, default="negative")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    parser.add_argument("--video", type=Path, help="folder for the last method's composite beside the truth")
    options = parser.parse_args()
    clips = [clip for path in options.clips for clip in (sorted(path.iterdir()) if path.is_dir() else [path])]
    clips = [clip for clip in clips if clip.suffix != ".npz" and clip.with_suffix(".garment.npz").exists()]
    if not clips:
        raise SystemExit("no clip with a NAME.garment.npz beside it")
    if options.video:
        options.video.mkdir(parents=True, exist_ok=True)
    console, results = Console(), {}
    for every in options.every:
        per_clip: dict[str, dict[str, dict[str, float]]] = {}
        for clip in clips:
            frames, masks = read_clip(clip)
            rows = {}
            for name in options.methods:
                last = options.video and name == options.methods[-1]
                video = options.video / f"{clip.stem}-{every}-{name}.mp4" if last else None
                rows[name] = score(METHODS[name](), frames, masks, every, PAINTERS[options.painter], video)
            per_clip[clip.stem] = rows
            show(console, f"{clip.stem}, a keyframe every {every} frames", rows)
        mean = {
            name: {key: float(np.mean([rows[name][key] for rows in per_clip.values()])) for key in SCORES}
            for name in options.methods
        }
        if len(clips) > 1:
            show(console, f"mean of {len(clips)} clips, a keyframe every {every} frames", mean)
        results[str(every)] = {"mean": mean, "clips": per_clip}
    if options.json:
        options.json.write_text(json.dumps({"painter": options.painter, "every": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
