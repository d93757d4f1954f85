"""The whole live loop on a clip, beside bare BlazePose with its mask on the same frames.

    .venv/bin/python bench/live.py CLIP [--garment NAME] [--sizes 640x480 1280x720 1920x1080] [--json FILE]

For each size, turn by turn and several rounds over, so that a machine whose speed wanders treats both alike:

* ``asap``: the loop takes frames as fast as it can show them; frames a second;
* ``bare``: BlazePose with its person mask, nothing else, on the same frames; frames a second. Most webcam effects
  run such a network on every frame, so it is the yardstick;
* ``paced``: the source delivers 30 frames a second; latency from capture stamp to the sink's return.

Frames are decoded and scaled beforehand and live in memory, so that neither side pays for the file.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from vastra_live.capture import Health, open_source
from vastra_live.capture.paced import Pacer
from vastra_live.config import parse_size
from vastra_live.errors import SourceEnded
from vastra_live.output.base import SlowConsumer
from vastra_live.output.null import NullSink
from vastra_live.rack import Rack
from vastra_live.session import LiveSession, SessionSettings
from vastra_live.synthesis import open_synthesizer
from vastra_live.telemetry import Report
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.types import U8, Frame
from vastra_live.wardrobe.store import Wardrobe

FPS = 30.0


class Memory:
    """A source that plays frames from memory forth and back, so that its end joins its start."""

    live = False
    fps = FPS
    health = Health()

    def __init__(self, pictures: Sequence[U8], *, every_frame: bool) -> None:
        self.name = "memory"
        self.every_frame = every_frame
        self._pictures = [*pictures, *pictures[-2:0:-1]]
        self._pacer = Pacer(FPS, every_frame=every_frame)
        self._stop = threading.Event()

    def read(self) -> Frame:
        """The next frame that is due."""
        index = self._pacer.next_index(self._stop)
        if self._stop.is_set():
            raise SourceEnded(self.name)
        return Frame(self._pictures[index % len(self._pictures)], index, time.monotonic_ns(), self.name)

    def interrupt(self) -> None:
        """End a blocked read."""
        self._stop.set()

    def close(self) -> None:
        """Nothing to give back."""
        self._stop.set()


def read_clip(path: str) -> list[U8]:
    """All frames of a clip, as stored."""
    source = open_source(path, asap=True)
    frames: list[U8] = []
    try:
        while True:
            frames.append(source.read().bgr)
    except SourceEnded:
        return frames
    finally:
        source.close()


def fill(bgr: U8, size: tuple[int, int]) -> U8:
    """Scale and crop to fill a size, as a camera of that size would have seen it."""
    width, height = size
    scale = max(width / bgr.shape[1], height / bgr.shape[0])
    big = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    top, left = (big.shape[0] - height) // 2, (big.shape[1] - width) // 2
    return np.ascontiguousarray(big[top : top + height, left : left + width])


def run_loop(pictures: Sequence[U8], garment: str, frames: int, *, every_frame: bool) -> Report:
    """The loop without outputs."""
    wardrobe = Wardrobe()
    return LiveSession(
        source=Memory(pictures, every_frame=every_frame),
        tracker=BlazePoseTracker(),
        synthesizer=open_synthesizer("embedded"),
        rack=Rack([garment], wardrobe.load),
        sinks=[NullSink(SlowConsumer.WAIT if every_frame else SlowConsumer.DROP_OLDEST)],
        settings=SessionSettings(frames=frames),
    ).run()


def run_bare(pictures: Sequence[U8], frames: int) -> float:
    """Frames a second of BlazePose alone."""
    tracker = BlazePoseTracker()
    tracker.track(Frame(pictures[0], 0, time.monotonic_ns(), "warm up"))
    started = time.perf_counter()
    for i in range(frames):
        tracker.track(Frame(pictures[i % len(pictures)], i, time.monotonic_ns(), "bare"))
    seconds = time.perf_counter() - started
    tracker.close()
    return frames / seconds


def measure(pictures: Sequence[U8], garment: str, rounds: int, frames: int) -> dict[str, Any]:
    """One size: the three measurements, turn by turn."""
    asap: list[Report] = []
    paced: list[Report] = []
    bare: list[float] = []
    for _ in track(range(rounds), description="rounds", transient=True):
        asap.append(run_loop(pictures, garment, frames, every_frame=True))
        bare.append(run_bare(pictures, frames // 4))
        paced.append(run_loop(pictures, garment, frames, every_frame=False))
    middle = sorted(paced, key=lambda r: r.latency_ms["p95"])[len(paced) // 2]
    return {
        "asap_fps": round(statistics.median(r.fps for r in asap), 1),
        "bare_fps": round(statistics.median(bare), 1),
        "ratio": round(statistics.median(a.fps / b for a, b in zip(asap, bare, strict=True)), 2),
        "latency_ms": dict(middle.latency_ms),
        "paced_dropped": middle.dropped,
        "stage_ms": {k: dict(v) for k, v in middle.stage_ms.items()},
        "keyframes_per_s": round(middle.keyframes / max(middle.seconds, 1e-9), 1),
        "rss_peak_mb": max(r.rss_peak_mb for r in (*asap, *paced)),
        "runs": {"asap": [asdict(r) for r in asap], "paced": [asdict(r) for r in paced], "bare_fps": bare},
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("clip")
    parser.add_argument("--garment", default=Wardrobe().names()[0])
    parser.add_argument("--sizes", nargs="+", default=["640x480", "1280x720", "1920x1080"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    clip = read_clip(arguments.clip)
    results: dict[str, Any] = {}
    table = Table("size", "asap fps", "bare BlazePose fps", "ratio", "latency p50/p95/p99 ms", "keyframes/s", "MB")
    stages = Table("size", "stage", "p50 ms", "p95 ms")
    for text in arguments.sizes:
        pictures = [fill(bgr, parse_size(text)) for bgr in clip]
        r = results[text] = measure(pictures, arguments.garment, arguments.rounds, arguments.frames)
        latency = "/".join(f"{r['latency_ms'][q]:.0f}" for q in ("p50", "p95", "p99"))
        row = (r["asap_fps"], r["bare_fps"], r["ratio"], latency, r["keyframes_per_s"], r["rss_peak_mb"])
        table.add_row(text, *map(str, row))
        for name, figures in r["stage_ms"].items():
            stages.add_row(text, name, f"{figures['p50']:.1f}", f"{figures['p95']:.1f}")
    console = Console()
    console.print(table)
    console.print(stages)
    if arguments.json is not None:
        machine = {"platform": platform.platform(), "cpus": cv2.getNumberOfCPUs(), "opencv": cv2.__version__}
        arguments.json.write_text(json.dumps({"machine": machine, "sizes": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
