"""The loop with fakes at its borders and the real propagation inside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.fakes import CYAN, MAGENTA, FakeSink, FakeSource, FakeSynthesizer, FakeTracker, a_garment, unfit
from vastra_live.capture.base import Health
from vastra_live.errors import CameraError, RecordingError
from vastra_live.output.base import SlowConsumer
from vastra_live.rack import Rack
from vastra_live.session import Ended, LiveSession, SessionSettings
from vastra_live.telemetry import Report
from vastra_live.types import Rendered, Shown


def a_session(
    source: FakeSource | None = None,
    sinks: Sequence[FakeSink] = (),
    *,
    tracker: FakeTracker | None = None,
    synthesizer: FakeSynthesizer | None = None,
    rack: Rack | None = None,
    **more: Any,
) -> LiveSession:
    return LiveSession(
        source=source or FakeSource(),
        tracker=tracker or FakeTracker(),
        synthesizer=synthesizer or FakeSynthesizer(),
        rack=rack or Rack(["tee", "shirt"], a_garment),
        sinks=sinks,
        settings=more.pop("settings", None) or SessionSettings(body_hz=100.0),
        **more,
    )


def chest(rendered: Rendered) -> Any:
    height, width = rendered.bgr.shape[:2]
    return np.median(rendered.bgr[height // 2 : height * 3 // 4, width * 2 // 5 : width * 3 // 5], axis=(0, 1))


def alive() -> set[str]:
    return {t.name for t in threading.enumerate() if t.name.startswith(("vastra-", "sink "))}


def test_every_frame_of_a_file_is_dressed_from_the_first_on_and_arrives_in_order() -> None:
    source, sink = FakeSource(30), FakeSink()
    report = a_session(source, [sink]).run()
    assert [r.index for r in sink.sent] == list(range(30))
    assert all(r.shown is Shown.GARMENT for r in sink.sent)
    assert all(np.abs(chest(r) - CYAN).max() <= 40 for r in sink.sent)
    assert (report.frames, report.ended, report.dropped) == (30, "source", 0)
    assert report.size == (160, 120)
    assert report.keyframes >= 1


def test_a_keyframe_under_way_is_ended_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network's keyframe on a CPU outlasts the loop; a thread left inside torch would abort the process."""
    monkeypatch.setattr("vastra_live.session.JOIN_S", 0.01)
    closing = threading.Event()

    class Network(FakeSynthesizer):
        def synthesize(self, *what: Any) -> Any:
            if self.made and not closing.wait(10):
                pytest.fail("nobody ended the keyframe")
            if self.made:
                time.sleep(0.2)  # to its next stage
                raise RuntimeError("the synthesizer is closed")
            return super().synthesize(*what)

        def close(self) -> None:
            closing.set()
            super().close()

    rack = Rack(["tee", "shirt"], a_garment)
    session = a_session(
        FakeSource(None, every_frame=False, live=True, period_s=0.01),
        [FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)],
        synthesizer=(network := Network()),
        rack=rack,
        on_tick=lambda _: rack.step(1) if session._keyframer._in_flight is False else session.stop(),
    )
    report = session.run()
    assert alive() == set()
    assert report.error is None and report.ended == "user" and report.keyframes == 1 and network.closed


def test_everything_is_closed_and_no_thread_is_left() -> None:
    source, sink, tracker, synthesizer = FakeSource(5), FakeSink(), FakeTracker(), FakeSynthesizer()
    a_session(source, [sink], tracker=tracker, synthesizer=synthesizer).run()
    assert source.closed and sink.closed and tracker.closed and synthesizer.closed
    assert alive() == set()


def test_it_ends_after_the_wanted_frames() -> None:
    sink = FakeSink()
    report = a_session(FakeSource(None), [sink], settings=SessionSettings(frames=7)).run()
    assert (len(sink.sent), report.ended) == (7, "frames")


def test_stop_from_another_thread_ends_a_source_that_hangs() -> None:
    source = FakeSource(None, period_s=0.0, script=lambda i, s: s.interrupted.wait(60) and None if i == 3 else None)
    session = a_session(source, [FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)])
    threading.Timer(0.3, session.stop).start()
    assert session.run().ended == "user"
    assert alive() == set()


def test_ctrl_c_closes_everything_before_it_goes_on() -> None:
    sink = FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)

    def tick(_: Any) -> None:
        if sink.sent:
            raise KeyboardInterrupt

    session = a_session(FakeSource(None, period_s=0.01), [sink], on_tick=tick)
    with pytest.raises(KeyboardInterrupt):
        session.run()
    assert sink.closed
    assert session.report is not None
    assert session.report.ended == "user"
    assert alive() == set()


@pytest.mark.parametrize("where", ["source", "tracker", "synthesizer"])
def test_the_first_error_of_any_thread_is_raised_by_run_and_named_in_the_report(where: str) -> None:
    def burst(index: int) -> None:
        if index >= 3:
            raise CameraError("fake camera: unplugged; plug it in")

    class Tracker(FakeTracker):
        def track(self, frame: Any) -> Any:
            if where == "tracker":
                burst(frame.index)
            return super().track(frame)

    class Synthesizer(FakeSynthesizer):
        def synthesize(self, frame: Any, body: Any, garment: Any) -> Any:
            if where == "synthesizer" and self.made:
                burst(99)
            return super().synthesize(frame, body, garment)

    source = FakeSource(None, period_s=0.005, script=lambda i, _: burst(i) if where == "source" else None)
    sink = FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)
    session = a_session(source, [sink], tracker=Tracker(), synthesizer=Synthesizer())
    with pytest.raises(CameraError, match="unplugged"):
        session.run()
    report = session.report
    assert report is not None
    assert (report.ended, report.error) == ("error", "fake camera: unplugged; plug it in")
    assert sink.closed
    assert alive() == set()


def test_a_broken_sink_ends_alone() -> None:
    good, bad = FakeSink(), FakeSink(break_at=3)
    told: list[str] = []
    report = a_session(FakeSource(20), [good, bad], on_event=told.append).run()
    assert len(good.sent) == 20
    assert report.ended == "source"
    assert bad.closed
    assert any("disk is full" in line for line in told)


def test_when_the_last_sink_breaks_the_run_ends_with_its_error() -> None:
    session = a_session(FakeSource(None), [FakeSink(break_at=3)])
    with pytest.raises(RecordingError, match="disk is full"):
        session.run()


def test_a_film_that_cannot_be_finished_is_an_error_of_the_run() -> None:
    class Unfinished(FakeSink):
        def close(self) -> None:
            super().close()
            raise RecordingError("fake sink: the disk is full; free some space")

    session = a_session(FakeSource(5), [Unfinished()])
    with pytest.raises(RecordingError, match="disk is full"):
        session.run()
    assert session.report is not None
    assert session.report.ended == "error"


def test_a_slow_sink_does_not_stall_its_sibling() -> None:
    fast, slow = FakeSink(), FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST, delay_s=0.2)
    a_session(FakeSource(25), [fast, slow]).run()
    assert len(fast.sent) == 25
    assert len(slow.sent) < 25


def test_a_lost_camera_holds_the_last_picture_says_so_and_recovers() -> None:
    lost = "fake camera lost; trying again"

    def script(index: int, source: FakeSource) -> None:
        if index == 10:
            source.health = Health(False, lost)
            source.interrupted.wait(0.8)
            source.health = Health()

    sink = FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)
    told: list[str] = []
    source = FakeSource(20, every_frame=False, live=True, period_s=0.02, script=script)
    report = a_session(source, [sink], on_event=told.append).run()
    held = [r for r in sink.sent if r.shown is Shown.HELD]
    assert held
    assert all(r.notice == lost for r in held)
    assert all(np.abs(chest(r) - CYAN).max() <= 40 for r in held)
    assert sink.sent[-1].shown is Shown.GARMENT
    assert told == [lost, "fake camera is back"]
    assert report.shown["held"] >= 1


def test_nobody_there_means_a_plain_picture_and_no_keyframe() -> None:
    sink, synthesizer = FakeSink(), FakeSynthesizer()
    report = a_session(FakeSource(10), [sink], tracker=FakeTracker(lambda _: False), synthesizer=synthesizer).run()
    assert report.shown == {"garment": 0, "held": 0, "plain": 10}
    assert synthesizer.made == []
    assert all(np.array_equal(r.bgr, r.camera_bgr) for r in sink.sent)


def test_who_leaves_takes_the_garment_along_and_it_comes_back_with_them() -> None:
    sink = FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)
    source = FakeSource(90, every_frame=False, live=True, period_s=0.02)
    tracker = FakeTracker(lambda i: not 20 <= i < 55)
    a_session(source, [sink], tracker=tracker).run()
    shown = {r.index: r.shown for r in sink.sent}
    assert shown[max(i for i in shown if i < 18)] is Shown.GARMENT
    assert shown[max(i for i in shown if i < 55)] is Shown.PLAIN
    assert shown[max(shown)] is Shown.GARMENT


def test_what_cannot_be_dressed_is_named_and_stays_plain() -> None:
    sink = FakeSink(slow_consumer=SlowConsumer.DROP_OLDEST)
    source = FakeSource(60, every_frame=False, live=True, period_s=0.02)
    told: list[str] = []
    report = a_session(source, [sink], synthesizer=FakeSynthesizer(unfit(range(1000))), on_event=told.append).run()
    assert report.shown["garment"] == 0
    assert sink.sent[-1].notice == "the person is seen from behind"
    # no window shows it
    assert told == ["nobody is dressed: the person is seen from behind"]


def test_of_a_film_that_is_over_at_once_it_is_said_why_nobody_was_dressed() -> None:
    told: list[str] = []
    source = FakeSource(2, every_frame=True)
    report = a_session(source, [FakeSink()], tracker=FakeTracker(lambda _: False), on_event=told.append).run()
    assert report.shown["plain"] == 2
    assert told == ["nobody is dressed: nobody in the picture"]


def test_changing_the_garment_never_shows_the_wearer_bare() -> None:
    rack = Rack(["tee", "shirt"], a_garment)
    sink = FakeSink(
        slow_consumer=SlowConsumer.DROP_OLDEST,
        on_send=lambda r: (rack.step(1), None)[1] if r.index == 20 else None,
    )
    source = FakeSource(70, every_frame=False, live=True, period_s=0.02)
    a_session(source, [sink], rack=rack, synthesizer=FakeSynthesizer(delay_s=0.05)).run()
    assert all(r.shown is Shown.GARMENT for r in sink.sent)
    assert np.abs(chest(sink.sent[0]) - CYAN).max() <= 40
    assert np.abs(chest(sink.sent[-1]) - MAGENTA).max() <= 40
    # between cyan (255, 255, 0) and magenta (255, 0, 255) blue stays full; the wearer underneath is darker
    assert all(chest(r)[0] > 215 for r in sink.sent)


def test_a_source_that_ends_before_its_first_frame_ends_the_run_in_order() -> None:
    sink = FakeSink()
    report = a_session(FakeSource(0), [sink]).run()
    assert (report.frames, report.ended, report.size) == (0, "source", (0, 0))


def test_mirrored_outputs_are_flipped() -> None:
    plain, mirrored = FakeSink(), FakeSink()
    nobody: Callable[[], FakeTracker] = lambda: FakeTracker(lambda _: False)  # noqa: E731
    a_session(FakeSource(3), [plain], tracker=nobody()).run()
    a_session(FakeSource(3), [mirrored], tracker=nobody(), settings=SessionSettings(mirror_outputs=True)).run()
    assert np.array_equal(plain.sent[2].bgr[:, ::-1], mirrored.sent[2].bgr)


def test_the_report_exists_however_the_run_ended() -> None:
    session = a_session(FakeSource(3), [FakeSink()])
    assert session.report is None
    assert isinstance(session.run(), Report)
    assert Ended(session.report.ended) is Ended.SOURCE  # type: ignore[union-attr]


def test_latency_counts_from_capture_to_the_return_of_the_sink() -> None:
    started = time.monotonic_ns()
    sink = FakeSink(delay_s=0.02)
    report = a_session(FakeSource(10), [sink]).run()
    assert all(r.captured_ns >= started for r in sink.sent)
    assert report.latency_ms["p50"] >= 19
