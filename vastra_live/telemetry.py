"""What a run costs: time per stage, age of what is shown, memory, and the report made of it."""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

from vastra_live.errors import RecordingError
from vastra_live.types import Shown

__all__ = ["Histogram", "Report", "Telemetry"]

_LOWEST_MS = 1e-3
_GROWTH = 1.02
_BINS = int(math.log(1e8) / math.log(_GROWTH)) + 2  # 1 microsecond to 100 seconds


class Histogram:
    """Durations in logarithmic bins: percentiles to 1 %, in constant memory however long the run.

    Not thread-safe; :class:`Telemetry` holds the lock.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def add(self, ms: float) -> None:
        """Count one duration in milliseconds."""
        at = math.log(max(ms, _LOWEST_MS) / _LOWEST_MS) / math.log(_GROWTH)
        self._counts[min(int(at), _BINS - 1)] += 1

    def percentile(self, q: float) -> float:
        """The duration in milliseconds below which ``q`` percent lie; 0.0 when nothing was counted."""
        total = int(self._counts.sum())
        if total == 0:
            return 0.0
        reached = np.cumsum(self._counts) >= q / 100 * total
        return float(_LOWEST_MS * _GROWTH ** (int(np.argmax(reached)) + 0.5))


@dataclass(frozen=True)
class Report:
    """What ``--report`` writes. Times in milliseconds, counts in pictures."""

    frames: int
    seconds: float
    fps: float
    latency_ms: Mapping[str, float]
    dropped: int
    keyframes: int
    stage_ms: Mapping[str, Mapping[str, float]]
    rss_peak_mb: float
    synthesizer: str
    garment: str
    size: tuple[int, int]
    shown: Mapping[str, int]
    ended: str
    error: str | None

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all.

        Raises:
            RecordingError: the file cannot be written.
        """
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            part.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
            part.replace(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RecordingError(f"cannot write the report {path}: {reason}; choose another --report") from error
        finally:
            part.unlink(missing_ok=True)


class Telemetry:
    """Collects from every thread of a run. All methods are thread-safe and take microseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, Histogram] = {}
        self._latency = Histogram()
        self._shown: Counter[str] = Counter()
        self._keyframes = 0
        self._started_ns: int | None = None
        self._last_ns = 0
        self._recent_ns: list[int] = []
        self._process = psutil.Process()
        self._rss_peak = 0
        self._rss_asked_ns = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside under this name."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            ms = (time.perf_counter_ns() - started) / 1e6
            with self._lock:
                self._stages.setdefault(name, Histogram()).add(ms)

    def rendered(self, shown: Shown) -> None:
        """A picture was finished."""
        now = time.monotonic_ns()
        with self._lock:
            if self._started_ns is None:
                self._started_ns = now
            self._last_ns = now
            self._shown[shown.value] += 1
            self._recent_ns.append(now)
            del self._recent_ns[:-30]
        if now - self._rss_asked_ns > 1_000_000_000:
            self._rss_asked_ns = now
            self.sample_memory()

    def sample_memory(self) -> None:
        """Look at the process's resident memory and keep the peak."""
        rss = self._process.memory_info().rss
        with self._lock:
            self._rss_peak = max(self._rss_peak, rss)

    def sent(self, captured_ns: int) -> None:
        """A sink returned from showing a picture captured at this time."""
        ms = (time.monotonic_ns() - captured_ns) / 1e6
        with self._lock:
            self._latency.add(ms)

    def keyframe(self) -> None:
        """A keyframe was synthesized."""
        with self._lock:
            self._keyframes += 1

    @property
    def frames(self) -> int:
        """Pictures finished so far."""
        with self._lock:
            return sum(self._shown.values())

    def recent_fps(self) -> float:
        """Pictures a second over the last 30."""
        with self._lock:
            recent = self._recent_ns
            if len(recent) < 2 or recent[-1] == recent[0]:
                return 0.0
            return (len(recent) - 1) * 1e9 / (recent[-1] - recent[0])

    def latency_p50(self) -> float:
        """Median age in milliseconds of a picture when a sink had shown it."""
        with self._lock:
            return self._latency.percentile(50)

    def report(
        self,
        *,
        dropped: int,
        synthesizer: str,
        garment: str,
        size: tuple[int, int],
        ended: str,
        error: str | None,
    ) -> Report:
        """The figures so far."""
        self.sample_memory()
        with self._lock:
            frames = sum(self._shown.values())
            seconds = 0.0 if self._started_ns is None else (self._last_ns - self._started_ns) / 1e9
            return Report(
                frames=frames,
                seconds=round(seconds, 3),
                fps=round((frames - 1) / seconds, 2) if seconds > 0 else 0.0,
                latency_ms={f"p{q}": round(self._latency.percentile(q), 2) for q in (50, 95, 99)},
                dropped=dropped,
                keyframes=self._keyframes,
                stage_ms={
                    name: {f"p{q}": round(h.percentile(q), 3) for q in (50, 95)}
                    for name, h in sorted(self._stages.items())
                },
                rss_peak_mb=round(self._rss_peak / 2**20, 1),
                synthesizer=synthesizer,
                garment=garment,
                size=size,
                shown={s.value: self._shown[s.value] for s in Shown},
                ended=ended,
                error=error,
            )
