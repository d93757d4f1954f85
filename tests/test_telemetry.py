from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.errors import RecordingError
from vastra_live.telemetry import Histogram, Report, Telemetry
from vastra_live.types import Shown


@given(st.lists(st.floats(0.01, 10_000), min_size=1, max_size=200), st.sampled_from([50.0, 95.0, 99.0]))
def test_percentiles_agree_with_numpy_to_the_bin(values: list[float], q: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = float(np.percentile(values, q, method="inverted_cdf"))
    assert histogram.percentile(q) == pytest.approx(exact, rel=0.025)


def test_an_empty_histogram_gives_zero_and_extremes_stay_inside() -> None:
    histogram = Histogram()
    assert histogram.percentile(50) == 0.0
    histogram.add(0.0)
    histogram.add(1e12)
    assert len(histogram) == 2


def a_report(telemetry: Telemetry) -> Report:
    return telemetry.report(
        dropped=3, synthesizer="embedded", garment="tee", size=(640, 480), ended="source", error=None
    )


def test_the_report_counts_what_was_shown_and_writes_the_contract(tmp_path: Path) -> None:
    telemetry = Telemetry()
    for shown in (Shown.PLAIN, Shown.GARMENT, Shown.GARMENT, Shown.HELD):
        with telemetry.stage("blend"):
            pass
        telemetry.rendered(shown)
        telemetry.sent(0)
    telemetry.keyframe()
    report = a_report(telemetry)
    report.write(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert list(written) == [
        "frames", "seconds", "fps", "latency_ms", "dropped", "keyframes", "stage_ms", "rss_peak_mb",
        "synthesizer", "garment", "size", "shown", "ended", "error",
    ]  # fmt: skip
    assert written["frames"] == 4
    assert written["shown"] == {"garment": 2, "held": 1, "plain": 1}
    assert written["keyframes"] == 1
    assert written["size"] == [640, 480]
    assert set(written["latency_ms"]) == {"p50", "p95", "p99"}
    assert set(written["stage_ms"]["blend"]) == {"p50", "p95"}
    assert written["rss_peak_mb"] > 1


def test_a_report_that_cannot_be_written_says_where_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="nowhere"):
        a_report(Telemetry()).write(tmp_path / "nowhere" / "report.json")
    assert list(tmp_path.iterdir()) == []
