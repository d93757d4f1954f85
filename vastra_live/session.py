"""The live loop: wires the rooms together, owns every thread, and ends cleanly.

Threads, each with one job and one latest-wins slot in front of it::

    capture    source.read() -> frames
    display    frames -> propagate, blend -> sinks, screen          (no neural network in here)
    body       newest frame -> newest body, at its own rate          (keyframing.py)
    keyframes  newest request -> synthesize -> anchor for display    (keyframing.py)
    one a sink, owned by its SinkWorker                              (outlets.py)
    main       the window and its keys, or waiting; starts and joins all others
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vastra_live.capture.base import FrameSource
from vastra_live.compositing.blend import blend_into
from vastra_live.compositing.presence import Presence, PresenceSettings
from vastra_live.errors import SourceEnded
from vastra_live.keyframing import Keyframer
from vastra_live.outlets import Outlets
from vastra_live.output.base import FrameSink
from vastra_live.output.window import Key
from vastra_live.priority import display_first
from vastra_live.rack import Rack
from vastra_live.screen import Screen
from vastra_live.slot import Slot, SlotClosed, WhenFull
from vastra_live.synthesis.base import Synthesizer
from vastra_live.telemetry import Report, Telemetry
from vastra_live.tracking.base import BodyTracker
from vastra_live.tracking.propagation import Propagator
from vastra_live.types import Carried, Frame, Rendered, Shown

__all__ = ["Ended", "LiveSession", "SessionSettings"]

KEYFRAMES = "vastra-keyframes"
FRAME_WAIT_S = 0.25
TICK_S = 0.25
JOIN_S = 2.0
KEYFRAME_JOIN_S = 60.0
"""The longest stage of a network's keyframe on a busy CPU; a thread that is in torch's code when Python ends takes the
process down with an abort."""


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
        self._settings = settings = settings or SessionSettings()
        self._telemetry = telemetry = telemetry or Telemetry()
        self._source = source
        self._rack = rack
        self._screen = screen
        self._on_event = on_event
        self._on_tick = on_tick
        self._synthesizer = synthesizer

        self._helper = ThreadPoolExecutor(1, "vastra-draw")
        self._propagator = Propagator(self._helper)
        self._presence = Presence(PresenceSettings(hold=settings.hold))
        self._keyframer = Keyframer(
            tracker,
            synthesizer,
            rack,
            self._propagator,
            body_hz=settings.body_hz,
            patience=settings.misses_to_leave,
            telemetry=telemetry,
            on_event=on_event,
        )
        self._frames: Slot[Frame] = Slot(WhenFull.WAIT if source.every_frame else WhenFull.REPLACE)
        self._first: Frame | None = None
        self._worn = ""
        self._last: Rendered | None = None
        self._last_index = -1
        self._dropped = 0

        self._stopping = threading.Event()
        self._state = threading.Lock()
        self._ended: Ended | None = None
        self._error: BaseException | None = None
        self._report: Report | None = None
        # last: its sinks may fail from now on
        self._outlets = Outlets(
            sinks,
            screen,
            open_recording=open_recording,
            captures=settings.captures,
            mirror=settings.mirror_outputs,
            telemetry=telemetry,
            on_event=on_event,
            on_all_broken=self._fail_outlets,
        )

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
        with display_first():
            self._live()
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
        self._frames.close()
        self._keyframer.stop()

    @property
    def report(self) -> Report | None:
        """The figures, once the run has ended, however it ended."""
        return self._report

    def _fail(self, error: BaseException) -> None:
        with self._state:
            if self._ended is None:
                self._error, self._ended = error, Ended.ERROR
        self.stop(Ended.ERROR)

    def _fail_outlets(self, error: BaseException) -> None:
        """No place is left for a picture; also when a film could not be finished after a run that ended well."""
        with self._state:
            if self._error is None:
                self._error, self._ended = error, Ended.ERROR
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
        self._helper.shutdown()
        self._outlets.finish()
        self._source.close()
        # ends a keyframe that is still under way at its next stage
        self._keyframer.close()
        for thread in threads:
            if thread.name == KEYFRAMES:
                thread.join(KEYFRAME_JOIN_S)
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

    def _live(self) -> None:
        """Start the clocks, serve the screen, and end everything."""
        threads: list[threading.Thread] = []
        try:
            self._preroll()
            for name, loop in (
                ("vastra-capture", self._capture_loop),
                ("vastra-body", self._keyframer.body_loop),
                (KEYFRAMES, self._keyframer.keyframe_loop),
                ("vastra-display", self._display_loop),
            ):
                thread = threading.Thread(target=self._guard, args=(loop,), name=name, daemon=True)
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

    # ------------------------------------------------------------------ threads

    def _preroll(self) -> None:
        """The first frame, body and keyframe before any clock runs, so that a film starts dressed.

        Where time counts the first frame is old by then, and only the fresh ones after it are shown; where every
        frame counts it is the first of the film.
        """
        frame = self._source.read()
        self._keyframer.first(frame)
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
        self._keyframer.see(frame)
        ready = self._keyframer.ready()
        if ready is not None:
            # what is not on screen is not faded from: it may be of somebody else, or long ago
            dressed = self._last is not None and self._last.shown is Shown.GARMENT
            self._propagator.adopt(ready.anchor, crossfade=dressed)
            self._worn = ready.garment
            if self._screen is not None:
                self._screen.garment = ready.garment
        carried: Carried | None = None
        if self._worn:
            with self._telemetry.stage("propagate"):
                carried = self._propagator.carry(frame.bgr, frame.captured_ns)
        self._keyframer.ask(frame, carried)
        gone = self._keyframer.gone
        view = self._presence.update(
            frame.captured_ns,
            None if carried is None else carried.confidence,
            gone=gone,
            doubtful=self._keyframer.doubtful,
            at_once=self._last is None,
        )
        if view.shown is Shown.GARMENT and carried is not None:
            with self._telemetry.stage("blend"):
                bgr = frame.bgr.copy()
                blend_into(bgr, carried, view.opacity)
        elif view.shown is Shown.HELD and self._last is not None:
            bgr = self._last.bgr
        else:
            bgr = frame.bgr
        self._emit(Rendered(bgr, frame.bgr, frame.index, frame.captured_ns, view.shown, self._why_plain()))

    def _hold(self, message: str) -> None:
        """No frame comes: the last picture stays, with the reason on screen."""
        last = self._last
        if last is not None:
            self._emit(Rendered(last.bgr, last.camera_bgr, last.index, last.captured_ns, Shown.HELD, message))

    def _emit(self, rendered: Rendered) -> None:
        self._last = rendered
        self._telemetry.rendered(rendered.shown)
        self._outlets.offer(rendered)

    def _tell(self, noticed: str, *, over: bool = False) -> str:
        """Say once on the console why nobody is dressed, where no window shows it; what was said last.

        A film may be over before a reason has stayed long enough to be shown: then the newest one counts.
        """
        reason = self._why_plain() or (self._keyframer.doubt if over and not self._worn else "")
        if reason and reason != noticed:
            self._on_event(f"nobody is dressed: {reason}")
        return reason

    def _why_plain(self) -> str:
        """Why there is nobody to dress, or ""."""
        return self._keyframer.problem if self._keyframer.gone or not self._worn else ""

    def _serve(self) -> None:
        """The main thread: window and keys, or waiting."""
        ticked, noticed = 0.0, ""
        while not self._stopping.is_set():
            if time.monotonic() - ticked > TICK_S:
                ticked = time.monotonic()
                self._on_tick(self._telemetry)
            if self._screen is None:
                noticed = self._tell(noticed)
                self._stopping.wait(TICK_S)
                continue
            key = self._screen.pump()
            if key is Key.QUIT:
                self.stop(Ended.USER)
            elif key is Key.NEXT or key is Key.PREVIOUS:
                name = self._rack.step(1 if key is Key.NEXT else -1)
                self._screen.say(name)
            elif key is Key.SNAPSHOT:
                self._outlets.snapshot()
            elif key is Key.RECORD:
                self._outlets.toggle_recording()
        if self._screen is None:
            self._tell(noticed, over=True)
