"""A GPU that is full or fails is a step down and never an end; every other error is what it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import FakeSink, FakeSource, FakeSynthesizer, FakeTracker, a_body, a_garment, scene
from vastra_live import launch as launching
from vastra_live.config import load_settings
from vastra_live.errors import GpuMemoryError, NothingToFitError, SynthesisError, WeightsError
from vastra_live.output.base import SlowConsumer
from vastra_live.rack import Rack
from vastra_live.session import LiveSession, SessionSettings
from vastra_live.synthesis import base, open_synthesizer
from vastra_live.synthesis.fallback import FallbackSynthesizer, Rung, gpu_failure, gpu_memory_is_full
from vastra_live.types import Frame, Shown

torch = pytest.importorskip("torch")

BIG, SMALL = "hr-viton cuda float16 768x1024", "hr-viton cuda float16 384x512"


def full() -> Exception:
    error: Exception = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return error


class Painter(FakeSynthesizer):
    """A network with room for so many keyframes."""

    def __init__(self, name: str, keyframes: int = 10**6, error: Callable[[], Exception] = full) -> None:
        super().__init__(lambda made: error() if made >= keyframes else None)
        self.name = name


def rung(painter: FakeSynthesizer, fail: Callable[[], Exception] | None = None) -> Rung:
    def opened() -> base.Synthesizer:
        if fail is not None:
            raise fail()
        return painter

    return Rung(painter.name.replace(" cuda float16", ""), opened)


def dress(synthesizer: base.Synthesizer) -> None:
    layer = synthesizer.synthesize(Frame(scene(0), 0, 0, "test"), a_body(), a_garment())
    assert layer.garment.name == "tee"


def test_each_step_down_is_told_once_and_the_keyframe_is_made_all_the_same() -> None:
    big, small, embedded = Painter(BIG, 1), Painter(SMALL, 2), Painter("embedded")
    told: list[str] = []
    synthesizer = FallbackSynthesizer([rung(big), rung(small), rung(embedded)], told.append)
    assert isinstance(synthesizer, base.Synthesizer)
    names = []
    for _ in range(6):
        dress(synthesizer)
        names.append(synthesizer.name)
    assert names == [BIG, SMALL, SMALL, "embedded", "embedded", "embedded"]
    assert told == [
        f"{BIG} is at work",
        f"{BIG}: the GPU's memory is full; {SMALL} goes on",
        f"{SMALL}: the GPU's memory is full; embedded goes on",
    ]
    assert big.closed and small.closed and not embedded.closed
    synthesizer.close()
    synthesizer.close()
    assert embedded.closed and synthesizer.name == "embedded"
    with pytest.raises(RuntimeError, match="closed"):
        dress(synthesizer)


def test_what_does_not_even_open_is_stepped_over() -> None:
    told: list[str] = []
    rungs = [rung(Painter(BIG), full), rung(Painter(SMALL), full), rung(Painter("embedded"))]
    synthesizer = FallbackSynthesizer(rungs, told.append)
    assert synthesizer.name == "embedded"
    assert told == ["hr-viton 768x1024, hr-viton 384x512: the GPU's memory is full; embedded goes on"]


def test_the_one_that_ran_out_is_let_go_before_the_next_is_opened() -> None:
    big = Painter(BIG, 0)
    closed_by_then: list[bool] = []

    def smaller() -> base.Synthesizer:
        closed_by_then.append(big.closed)
        return Painter(SMALL)

    dress(FallbackSynthesizer([rung(big), Rung("small", smaller)]))
    assert closed_by_then == [True]


@pytest.mark.parametrize(
    "error",
    [SynthesisError("a stage failed"), RuntimeError("shapes differ"), ValueError("no"), MemoryError()],
    ids=lambda e: type(e).__name__,
)
def test_another_error_is_the_caller_s(error: Exception) -> None:
    told: list[str] = []
    synthesizer = FallbackSynthesizer([rung(Painter(BIG, 0, lambda: error)), rung(Painter("embedded"))], told.append)
    with pytest.raises(type(error)):
        dress(synthesizer)
    assert synthesizer.name == BIG and told == [f"{BIG} is at work"]


def failed() -> Exception:
    return RuntimeError(
        "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported at some other "
        "API call, so the stacktrace below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1"
    )


@pytest.mark.parametrize("at", ["opening", "a keyframe"])
def test_a_gpu_that_fails_is_left_for_good_and_not_asked_for_its_memory(
    at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After such an error every call to the GPU fails."""
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: pytest.fail("the GPU was asked"))
    told: list[str] = []
    big, small, embedded = Painter(BIG, 1, failed), Painter(SMALL), Painter("embedded")
    rungs = [rung(big, failed if at == "opening" else None), rung(small), rung(embedded)]
    synthesizer = FallbackSynthesizer(rungs, told.append)
    for _ in range(3):
        dress(synthesizer)
    name = "hr-viton 768x1024" if at == "opening" else BIG
    assert synthesizer.name == "embedded" and small.made == []
    assert told[-1] == f"{name}: the GPU failed (CUDA error: unspecified launch failure); embedded goes on"
    assert len(told) == (1 if at == "opening" else 2)


@pytest.mark.parametrize(
    ("text", "is_the_gpu"),
    [
        ("CUDA error: no kernel image is available for execution on the device", True),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", True),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`", True),
        ("CUDA driver error: unknown error", True),
        ("shapes differ", False),
    ],
)
def test_a_failing_gpu_is_known_by_torch_s_words(text: str, is_the_gpu: bool) -> None:
    assert gpu_failure(RuntimeError(text)) == (f"the GPU failed ({text})" if is_the_gpu else "")
    assert gpu_failure(ValueError(text)) == ""


def test_a_missing_file_is_no_reason_to_step_down() -> None:
    missing = rung(Painter(BIG), lambda: WeightsError("gen.pth: is not there yet"))
    with pytest.raises(WeightsError, match=r"gen\.pth"):
        FallbackSynthesizer([missing, rung(Painter("embedded"))])


def test_the_last_one_has_nowhere_to_go() -> None:
    synthesizer = FallbackSynthesizer([rung(Painter(BIG, 0))])
    with pytest.raises(torch.cuda.OutOfMemoryError):
        dress(synthesizer)


def test_closed_while_the_next_is_opened_closes_that_too() -> None:
    late = Painter(SMALL)

    def slow() -> base.Synthesizer:
        synthesizer.close()
        return late

    synthesizer = FallbackSynthesizer([rung(Painter(BIG, 0)), Rung("small", slow)])
    with pytest.raises(RuntimeError, match="closed"):
        dress(synthesizer)
    assert late.closed and late.made == []


def refused(why: str) -> Callable[[], Exception]:
    return lambda: NothingToFitError(why)


def test_what_a_network_cannot_fit_is_the_last_one_s_for_that_keyframe() -> None:
    """Of five keyframes the network refuses the second and third; it is said once, and the network stays."""
    no = {1: "tee is of category lower: hr-viton was trained on tops alone", 2: "DensePose finds nobody"}
    network = FakeSynthesizer(lambda made: NothingToFitError(no.pop(made)) if made in no else None)
    network.name = BIG
    embedded, opened, told = Painter("embedded"), list[int](), list[str]()

    def open_embedded() -> base.Synthesizer:
        opened.append(1)
        return embedded

    synthesizer = FallbackSynthesizer([rung(network), Rung("embedded", open_embedded)], told.append)
    names = []
    for _ in range(5):
        dress(synthesizer)
        names.append(synthesizer.name)
    assert names == [BIG, "embedded", "embedded", BIG, BIG]
    assert told == [
        f"{BIG} is at work",
        "tee is of category lower: hr-viton was trained on tops alone; embedded stands in",
    ]
    assert opened == [1] and not network.closed
    synthesizer.close()
    assert network.closed and embedded.closed


def test_where_the_last_one_finds_nothing_either_its_reason_counts() -> None:
    rungs = [rung(Painter(BIG, 0, refused("DensePose finds nobody"))), rung(Painter("embedded", 0, refused("turned")))]
    synthesizer = FallbackSynthesizer(rungs)
    with pytest.raises(NothingToFitError, match="turned"):
        dress(synthesizer)
    assert synthesizer.name == BIG
    alone = FallbackSynthesizer([rung(Painter("embedded", 0, refused("turned")))])
    with pytest.raises(NothingToFitError, match="turned"):
        dress(alone)


def test_who_stood_in_is_not_opened_again_when_the_memory_is_full() -> None:
    errors = [NothingToFitError("no shoulders"), full()]
    network = FakeSynthesizer(lambda _: errors.pop(0))
    opened: list[int] = []

    def open_embedded() -> base.Synthesizer:
        opened.append(1)
        return Painter("embedded")

    synthesizer = FallbackSynthesizer([rung(network), Rung("embedded", open_embedded)])
    for _ in range(3):
        dress(synthesizer)
    assert opened == [1] and network.closed and synthesizer.name == "embedded"


def test_nothing_to_open_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FallbackSynthesizer([])


def test_a_full_memory_is_known_in_all_its_forms() -> None:
    def wrapped(inner: Exception) -> Exception:
        try:
            try:
                raise inner
            except type(inner):
                raise RuntimeError("operation failed due to a previous error during capture")  # noqa: B904 - as torch
        except RuntimeError as error:
            return error

    assert gpu_memory_is_full(full())
    assert gpu_memory_is_full(wrapped(full())), "the end of a capture that ran out"
    assert gpu_memory_is_full(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"))
    assert gpu_memory_is_full(RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"))
    assert gpu_memory_is_full(RuntimeError("CUDA driver error: out of memory"))
    assert gpu_memory_is_full(GpuMemoryError("the human parser finds no room in the GPU's memory"))
    assert not gpu_memory_is_full(wrapped(ValueError("no")))
    assert not gpu_memory_is_full(RuntimeError("DefaultCPUAllocator: can't allocate memory"))


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Painter, Painter], list[tuple[int, int]]]:
    """hr-viton without its files: these two painters, the larger one first."""

    def install(*painters: Painter) -> list[tuple[int, int]]:
        sizes: list[tuple[int, int]] = []
        left = list(painters)

        def opened(*, size: tuple[int, int], **_: object) -> Painter:
            sizes.append(size)
            return left.pop(0)

        monkeypatch.setattr("vastra_live.synthesis.hrviton.synthesizer.open_hr_viton", opened)
        return sizes

    return install


def test_hr_viton_steps_down_by_size_and_then_to_the_embedded_one(
    only: Callable[..., list[tuple[int, int]]],
) -> None:
    sizes, told = only(Painter(BIG, 0), Painter(SMALL, 1)), list[str]()
    synthesizer = open_synthesizer("hr-viton", tell=told.append)
    dress(synthesizer)
    assert (sizes, synthesizer.name) == ([(768, 1024), (384, 512)], SMALL)
    assert told[0] == f"{BIG} is at work" and len(told) == 2
    synthesizer.close()


def test_the_loop_goes_on_and_the_report_names_what_really_ran() -> None:
    told: list[str] = []
    rungs = [rung(Painter(BIG, 1)), rung(Painter(SMALL, 1)), rung(Painter("embedded"))]
    sink = FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)
    session = LiveSession(
        source=FakeSource(None, every_frame=False, live=True, period_s=0.01),
        tracker=FakeTracker(),
        synthesizer=FallbackSynthesizer(rungs, told.append),
        rack=(rack := Rack(["tee", "shirt"], a_garment)),
        sinks=[sink],
        settings=SessionSettings(body_hz=100.0),
        # another garment at every tick: a keyframe is due
        on_tick=lambda _: rack.step(1) if len(told) < 3 else session.stop(),  # type: ignore[arg-type, return-value]
    )
    report = session.run()
    assert report.synthesizer == "embedded"
    assert [line.rpartition("; ")[2] for line in told[1:]] == [f"{SMALL} goes on", "embedded goes on"]
    assert all(rendered.shown is Shown.GARMENT for rendered in sink.sent)
    assert report.error is None and report.shown["garment"] == report.frames > 0


def test_what_runs_is_said_on_the_console_and_on_screen(
    only: Callable[..., list[tuple[int, int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Glass:
        closed = False

        def __init__(self) -> None:
            self.shown: list[np.ndarray] = []

        def close(self) -> None:
            self.closed = True

    said: list[str] = []
    monkeypatch.setattr(launching, "_window", lambda _: Glass())
    monkeypatch.setattr(launching.Screen, "say", lambda _, line: said.append(line))
    only(Painter(BIG))
    told: list[str] = []
    overrides = {"source": "demo", "synthesizer": "hr-viton", "output": ("window",)}
    settings = load_settings({**overrides, "wardrobe": str(tmp_path)})
    session = launching.launch(settings, told.append, lambda _: None)
    assert said == told == [f"{BIG} is at work"]
    session.stop()
    session._shut_down([])


def test_knowing_the_error_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom vastra_live.synthesis.fallback import gpu_memory_is_full\n"
        "assert not gpu_memory_is_full(RuntimeError('CUDA error: out of memory'))\nassert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
