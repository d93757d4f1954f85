"""The live loop: wires the rooms together, owns every thread, and ends cleanly.

Threads, each with one job and one latest-wins slot in front of it::

    capture    source.read() ─▶ frames
    display    frames ─▶ propagate, blend ─▶ sinks, screen          (no neural network in here)
    body       newest frame ─▶ newest body, at its own rate
    keyframes  newest request ─▶ synthesize ─▶ anchor for the display thread
    one a sink, owned by its SinkWorker
    main       the window and its keys, or waiting; starts and joins all others
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

import cv2

from vastra_live.capture.base import FrameSource
from vastra_live.compositing.blend import blend_into
from vastra_live.compositing.presence import Presence, PresenceSettings
from vastra_live.errors import DeviceError, InputError, NothingToFitError, SourceEnded, SynthesisError, VastraError
from vastra_live.output.base import FrameSink
from vastra_live.output.window import Key
from vastra_live.output.worker import SinkWorker
from vastra_live.pictures import write_picture
from vastra_live.rack import Rack
from vastra_live.screen import Screen
from vastra_live.slot import Slot, SlotClosed, WhenFull
from vastra_live.synthesis.base import Synthesizer
from vastra_live.telemetry import Report, Telemetry
from vastra_live.tracking.base import BodyTracker
from vastra_live.tracking.keyframes import KeyframePolicy
from vastra_live.tracking.propagation import Anchor, Propagator
from vastra_live.types import Body, Carried, Frame, Rendered, Shown

__all__ = ["Ended", "LiveSession", "SessionSettings"]

FRAME_WAIT_S = 0.25
TICK_S = 0.25
JOIN_S = 2.0
DRAIN_S = 10.0
RETRY_NS = 300_000_000
"""Pause before somebody who could not be dressed is tried again."""


class Ended(str, Enum):
    """Why a run ended."""

    FRAMES = "frames"
    SOURCE = "source"
    USER = "user"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How a session behaves.

    Attributes:
        frames: end after so many pictures; None goes on.
        mirror_outputs: flip what the sinks get, left to right. The screen has its own mirror.
        hold: while the garment cannot be placed, hold the last good picture instead of fading to the plain one.
        body_hz: how often the body is looked for, at most.
        misses_to_leave: so many looks without a person, or keyframes without a fit, and the garment goes.
        captures: folder of snapshots and recordings.
    """

    frames: int | None = None
    mirror_outputs: bool = False
    hold: bool = False
    body_hz: float = 15.0
    misses_to_leave: int = 3
    captures: Path = Path()


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    """A frame and who is in it; the pair a keyframe is made of."""

    frame: Frame
    body: Body | None
    misses: int


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    frame: Frame
    body: Body
    garment: str


class LiveSession:
    """One run from first frame to report.

    The session takes over what it is given and closes it.

    Args:
        source: where frames come from.
        tracker: finds the body.
        synthesizer: makes keyframes.
        rack: the garments.
        sinks: where pictures go.
        screen: the window, or None.
        open_recording: makes a sink for the record key, from a path.
        settings: how to behave.
        telemetry: shared with the screen.
        on_event: called with one line for whoever watches the console; from any thread.
        on_tick: called a few times a second by the thread of :meth:`run`.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        tracker: BodyTracker,
        synthesizer: Synthesizer,
        rack: Rack,
        sinks: Sequence[FrameSink],
        screen: Screen | None = None,
        open_recording: Callable[[Path], FrameSink] | None = None,
        settings: SessionSettings | None = None,
        telemetry: Telemetry | None = None,
        on_event: Callable[[str], None] = lambda _: None,
        on_tick: Callable[[Telemetry], None] = lambda _: None,
    ) -> None:
        self._settings = settings or SessionSettings()
        self._telemetry = telemetry or Telemetry()
        self._source = source
        self._tracker = tracker
        self._synthesizer = synthesizer
        self._rack = rack
        self._screen = screen
        self._open_recording = open_recording
        self._on_event = on_event
        self._on_tick = on_tick

        self._workers = [self._worker(sink) for sink in sinks]
        self._recording: SinkWorker | None = None

        self._frames: Slot[Frame] = Slot(WhenFull.WAIT if source.every_frame else WhenFull.REPLACE)
        self._to_track: Slot[Frame] = Slot()
        self._requests: Slot[_Request] = Slot()
        self._anchors: Slot[tuple[Anchor, str]] = Slot()
        self._tracked: _Tracked | None = None
        self._in_flight = False
        self._asked_ns = 0
        self._unfit: tuple[int, str] = (0, "")

        self._propagator = Propagator()
        self._policy = KeyframePolicy()
        self._presence = Presence(PresenceSettings(hold=self._settings.hold))
        self._worn = ""
        self._first: Frame | None = None
        self._last: Rendered | None = None
        self._last_index = -1
        self._dropped = 0

        self._stopping = threading.Event()
        self._state = threading.Lock()
        self._ended: Ended | None = None
        self._error: BaseException | None = None
        self._report: Report | None = None

    # ------------------------------------------------------------------ life

    def run(self) -> Report:
        """Run until the source ends, the wanted frames are shown, :meth:`stop`, or an error.

        Call from the main thread when there is a screen.

        Returns:
            The figures of the run.

        Raises:
            BaseException: the first error of any thread, after everything was shut down; :attr:`report` holds
                the figures then too. KeyboardInterrupt likewise.
        """
        threads: list[threading.Thread] = []
        try:
            self._preroll()
            for name, loop in (
                ("capture", self._capture_loop),
                ("body", self._body_loop),
                ("keyframes", self._keyframe_loop),
                ("display", self._display_loop),
            ):
                thread = threading.Thread(target=self._guard, args=(loop,), name=f"vastra-{name}", daemon=True)
                threads.append(thread)
                thread.start()
            self._serve()
        except KeyboardInterrupt:
            self.stop(Ended.USER)
            raise
        except SourceEnded:
            self.stop(Ended.SOURCE)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._shut_down(threads)
        if self._error is not None:
            raise self._error
        assert self._report is not None
        return self._report

    def stop(self, ended: Ended = Ended.USER) -> None:
        """End the run soon; from any thread. The first reason given counts."""
        with self._state:
            if self._ended is None:
                self._ended = ended
        self._stopping.set()
        self._source.interrupt()
        for slot in (self._frames, self._to_track, self._requests):
            slot.close()

    @property
    def report(self) -> Report | None:
        """The figures, once the run has ended, however it ended."""
        return self._report

    def _fail(self, error: BaseException) -> None:
        with self._state:
            if self._error is None and self._ended is None:
                self._error = error
        self.stop(Ended.ERROR)

    def _guard(self, loop: Callable[[], None]) -> None:
        """Thread boundary: the first error ends the run and is raised again by :meth:`run`."""
        try:
            loop()
        except SlotClosed:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the owner, which raises it
            self._fail(error)

    def _shut_down(self, threads: Sequence[threading.Thread]) -> None:
        self.stop(Ended.SOURCE)
        for thread in threads:
            thread.join(JOIN_S)
        for worker in (*self._workers, *([self._recording] if self._recording else [])):
            worker.finish(DRAIN_S)
        if self._screen is not None:
            self._screen.close()
        self._source.close()
        self._tracker.close()
        self._synthesizer.close()
        size = (0, 0) if self._last is None else (self._last.bgr.shape[1], self._last.bgr.shape[0])
        assert self._ended is not None
        self._report = self._telemetry.report(
            dropped=self._dropped,
            synthesizer=self._synthesizer.name,
            garment=self._worn or self._rack.wanted,
            size=size,
            ended=self._ended.value,
            error=None if self._error is None else str(self._error) or type(self._error).__name__,
        )

    # ------------------------------------------------------------------ threads

    def _preroll(self) -> None:
        """The first frame, body and keyframe before any clock runs, so that a film starts dressed.

        Where time counts the first frame is old by then, and only the fresh ones after it are shown; where every
        frame counts it is the first of the film.
        """
        frame = self._source.read()
        body = self._track(frame)
        if body is not None:
            anchor = self._synthesize(_Request(frame, body, self._rack.wanted))
            if anchor is not None:
                self._anchors.put(anchor)
        if self._source.every_frame:
            self._first = frame

    def _capture_loop(self) -> None:
        try:
            if self._first is not None:
                self._frames.put(self._first)
                self._first = None
            while not self._stopping.is_set():
                self._frames.put(self._source.read())
        except SourceEnded:
            self._frames.close()

    def _body_loop(self) -> None:
        period_s = 1 / self._settings.body_hz
        while True:
            frame = self._to_track.get()
            started = time.monotonic()
            if frame is not None:
                self._track(frame)
            self._stopping.wait(max(0.0, period_s - (time.monotonic() - started)))

    def _track(self, frame: Frame) -> Body | None:
        with self._telemetry.stage("body"):
            body = self._tracker.track(frame)
        misses = 0 if body is not None else 1 + (self._tracked.misses if self._tracked else 0)
        self._tracked = _Tracked(frame, body, misses)
        return body

    def _keyframe_loop(self) -> None:
        while True:
            request = self._requests.get()
            if request is None:
                continue
            try:
                made = self._synthesize(request)
                if made is not None:
                    self._anchors.put(made)
            finally:
                self._in_flight = False

    def _synthesize(self, request: _Request) -> tuple[Anchor, str] | None:
        """One keyframe, ready for the display thread; None when the person could not be dressed."""
        try:
            with self._telemetry.stage("synthesize"):
                garment = self._rack.garment(request.garment)
                layer = self._synthesizer.synthesize(request.frame, request.body, garment)
            with self._telemetry.stage("prepare"):
                anchor = self._propagator.prepare(layer)
        except NothingToFitError as error:
            self._unfit = (self._unfit[0] + 1, str(error))
            return None
        except (SynthesisError, InputError) as error:
            # the loop goes on with what is worn; one garment or one keyframe is no reason to go dark
            if str(error) != self._unfit[1]:
                self._on_event(str(error))
            self._unfit = (self._unfit[0] + 1, str(error))
            return None
        self._unfit = (0, "")
        self._telemetry.keyframe()
        return anchor, request.garment

    def _display_loop(self) -> None:
        silent = False
        try:
            for shown in itertools.count(1):
                frame = self._frames.get(FRAME_WAIT_S)
                while frame is None:
                    health = self._source.health
                    if not health.ok:
                        if not silent:
                            self._on_event(health.message)
                            silent = True
                        self._hold(health.message)
                    frame = self._frames.get(FRAME_WAIT_S)
                if silent:
                    self._on_event(f"{self._source.name} is back")
                    silent = False
                self._show(frame)
                if shown == self._settings.frames:
                    self.stop(Ended.FRAMES)
                    return
        except SlotClosed:
            self.stop(Ended.SOURCE)

    # ------------------------------------------------------------------ one frame

    def _show(self, frame: Frame) -> None:
        """The display path. Nothing in here may wait for a network, a disk or a sink."""
        self._dropped += max(0, frame.index - self._last_index - 1) if self._last_index >= 0 else 0
        self._last_index = frame.index
        self._put(self._to_track, frame)
        ready = self._anchors.get(0)
        first = ready is not None and not self._worn
        if ready is not None:
            anchor, garment = ready
            self._propagator.adopt(anchor, crossfade=bool(self._worn))
            self._worn = garment
            if self._screen is not None:
                self._screen.garment = garment
        tracked = self._tracked
        carried = None
        if self._worn:
            with self._telemetry.stage("propagate"):
                self._propagator.observe(tracked.body if tracked else None)
                carried = self._propagator.carry(frame.bgr, frame.captured_ns)
        if tracked is not None and tracked.body is not None:
            self._ask_for_keyframe(frame, tracked.frame, tracked.body, carried)
        unfit, reason = self._unfit
        patience = self._settings.misses_to_leave
        gone = unfit >= patience or (tracked is not None and tracked.misses >= patience)
        confidence = None if carried is None else 0.0 if gone else carried.confidence
        view = self._presence.update(frame.captured_ns, confidence, at_once=first)
        if view.shown is Shown.GARMENT and carried is not None:
            with self._telemetry.stage("blend"):
                bgr = frame.bgr.copy()
                blend_into(bgr, carried, view.opacity)
        elif view.shown is Shown.HELD and self._last is not None:
            bgr = self._last.bgr
        else:
            bgr = frame.bgr
        notice = reason if gone or not self._worn else ""
        self._emit(Rendered(bgr, frame.bgr, frame.index, frame.captured_ns, view.shown, notice))

    def _ask_for_keyframe(self, live: Frame, frame: Frame, body: Body, carried: Carried | None) -> None:
        """Leave a request when one is due and none is in flight."""
        if self._in_flight:
            return
        wanted = self._rack.wanted
        again = self._unfit[0] > 0 and live.captured_ns - self._asked_ns > RETRY_NS
        if again or self._policy.due(live, body, carried, wanted) is not None:
            self._policy.taken(frame, body, wanted)
            self._asked_ns = live.captured_ns
            self._in_flight = True
            self._put(self._requests, _Request(frame, body, wanted))

    def _hold(self, message: str) -> None:
        """No frame comes: the last picture stays, with the reason on screen."""
        last = self._last
        if last is not None:
            self._emit(Rendered(last.bgr, last.camera_bgr, last.index, last.captured_ns, Shown.HELD, message))

    def _emit(self, rendered: Rendered) -> None:
        self._last = rendered
        self._telemetry.rendered(rendered.shown)
        outgoing = rendered
        if self._settings.mirror_outputs:
            outgoing = Rendered(
                cv2.flip(rendered.bgr, 1),
                cv2.flip(rendered.camera_bgr, 1),
                rendered.index,
                rendered.captured_ns,
                rendered.shown,
                rendered.notice,
            )
        recording = self._recording
        for worker in (*self._workers, *([recording] if recording else [])):
            worker.offer(outgoing)
        if self._screen is not None:
            self._screen.offer(rendered)

    @staticmethod
    def _put(slot: Slot[Frame] | Slot[_Request], item: Frame | _Request) -> None:
        """Put unless the run is ending."""
        try:
            slot.put(item)  # type: ignore[arg-type]
        except SlotClosed:
            return

    # ------------------------------------------------------------------ sinks and keys

    def _worker(self, sink: FrameSink) -> SinkWorker:
        return SinkWorker(sink, on_sent=self._on_sent, on_error=self._on_sink_error)

    def _on_sent(self, rendered: Rendered) -> None:
        if rendered.shown is not Shown.HELD:
            self._telemetry.sent(rendered.captured_ns)

    def _on_sink_error(self, sink: FrameSink, error: Exception) -> None:
        """A broken sink ends alone; when it was the last place a picture could go, the run ends with it."""
        self._on_event(str(error))
        if self._recording is not None and sink is self._recording.sink:
            self._end_recording(str(error))
            return
        if self._screen is None and all(worker.error is not None for worker in self._workers):
            self._fail(error)

    def _serve(self) -> None:
        """The main thread: window and keys, or waiting."""
        ticked = 0.0
        while not self._stopping.is_set():
            if time.monotonic() - ticked > TICK_S:
                ticked = time.monotonic()
                self._on_tick(self._telemetry)
            if self._screen is None:
                self._stopping.wait(TICK_S)
                continue
            key = self._screen.pump()
            if key is Key.QUIT:
                self.stop(Ended.USER)
            elif key is Key.NEXT or key is Key.PREVIOUS:
                name = self._rack.step(1 if key is Key.NEXT else -1)
                self._screen.say(name)
            elif key is Key.SNAPSHOT:
                self._snapshot(self._screen)
            elif key is Key.RECORD:
                self._toggle_recording(self._screen)

    def _capture_path(self, suffix: str) -> Path:
        folder = self._settings.captures
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"vastra-{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"

    def _snapshot(self, screen: Screen) -> None:
        if screen.latest is None:
            return
        try:
            path = self._capture_path(".png")
            write_picture(path, screen.latest.bgr)
            screen.say(f"saved {path}")
        except (OSError, VastraError) as error:
            screen.say(f"not saved: {error}")

    def _toggle_recording(self, screen: Screen) -> None:
        if self._recording is not None:
            self._end_recording("")
            return
        if self._open_recording is None:
            screen.say("recording is not available here")
            return
        try:
            path = self._capture_path(".mp4")
            self._recording = self._worker(self._open_recording(path))
        except (OSError, DeviceError, InputError) as error:
            screen.say(f"not recording: {error}")
            return
        screen.recording = True
        screen.say(f"recording to {path}")

    def _end_recording(self, problem: str) -> None:
        worker, self._recording = self._recording, None
        if self._screen is not None:
            self._screen.recording = False
            self._screen.say(problem or "recording saved")
        if worker is not None and not problem:
            worker.finish(DRAIN_S)
