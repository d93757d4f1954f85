"""The two slow clocks: the body, at its own rate, and the keyframes made of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from vastra_live.errors import InputError, NothingToFitError, SynthesisError
from vastra_live.priority import step_back
from vastra_live.rack import Rack
from vastra_live.slot import Slot, SlotClosed
from vastra_live.synthesis.base import Synthesizer
from vastra_live.telemetry import Telemetry
from vastra_live.tracking.base import BodyTracker
from vastra_live.tracking.keyframes import KeyframePolicy
from vastra_live.tracking.propagation import Anchor, Propagator
from vastra_live.types import Body, Carried, Frame

__all__ = ["Keyframer", "Ready"]

RETRY_NS = 300_000_000
"""Pause before somebody who could not be dressed is tried again."""


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A keyframe to adopt, the garment it shows, and the index of its frame."""

    anchor: Anchor
    garment: str
    frame_index: int


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    """A frame and who is in it, the pair a keyframe is made of; or why there is nobody to dress."""

    frame: Frame
    body: Body | None
    misses: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    frame: Frame
    body: Body
    garment: str


class Keyframer:
    """Looks for the body, decides when a keyframe is due, and has it made; nobody waits for it.

    :meth:`see`, :meth:`ready` and :meth:`ask` belong to the display thread, :meth:`body_loop` and
    :meth:`keyframe_loop` to a thread each, which the session starts and joins.

    Args:
        tracker: finds the body.
        synthesizer: makes keyframes.
        rack: the garments.
        propagator: told of every body; prepares what it will adopt.
        body_hz: how often the body is looked for, at most.
        patience: so many looks without a person, or keyframes without a fit, and the garment goes.
        telemetry: told what everything costs.
        on_event: told in one line when a keyframe failed for another reason than the person.
    """

    def __init__(
        self,
        tracker: BodyTracker,
        synthesizer: Synthesizer,
        rack: Rack,
        propagator: Propagator,
        *,
        body_hz: float,
        patience: int,
        telemetry: Telemetry,
        on_event: Callable[[str], None],
    ) -> None:
        self._tracker = tracker
        self._synthesizer = synthesizer
        self._rack = rack
        self._propagator = propagator
        self._body_period_s = 1 / body_hz
        self._patience = patience
        self._telemetry = telemetry
        self._on_event = on_event
        self._policy = KeyframePolicy()
        self._to_track: Slot[Frame] = Slot()
        self._requests: Slot[_Request] = Slot()
        self._made: Slot[Ready] = Slot()
        self._tracked: _Tracked | None = None
        self._in_flight = False
        self._asked_ns = 0
        self._unfit: tuple[int, str] = (0, "")
        # indices of frames: the newest one without anybody to dress, and the newest one shown dressed
        self._lost_at = -1
        self._dressed_at = -1
        self._stopping = threading.Event()

    @property
    def body(self) -> Body | None:
        """The newest body, or None when nobody was seen."""
        tracked = self._tracked
        return tracked.body if tracked else None

    @property
    def gone(self) -> bool:
        """Whether there has been nobody to dress for some time, and no keyframe of somebody since.

        Who comes back may be somebody else: the keyframe of before is not shown on them while theirs is made.
        """
        return self._lost_at > self._dressed_at

    @property
    def doubtful(self) -> bool:
        """Whether the newest look, or the newest keyframe, found nobody to dress."""
        return self.body is None or self._unfit[0] > 0

    @property
    def problem(self) -> str:
        """Why there is nobody to dress, or the last keyframe could not be made, or ""."""
        tracked = self._tracked
        return tracked.reason if tracked is not None and tracked.misses >= self._patience else self._unfit[1]

    @property
    def doubt(self) -> str:
        """Why the newest look, or the newest keyframe, found nobody to dress, or ""."""
        tracked = self._tracked
        return tracked.reason if tracked is not None and tracked.body is None else self._unfit[1]

    def first(self, frame: Frame) -> None:
        """Body and keyframe of the first frame, now, on the calling thread."""
        body = self._track(frame)
        if body is not None:
            wanted = self._rack.wanted
            self._policy.taken(frame, body, wanted)
            self._make(_Request(frame, body, wanted))

    def see(self, frame: Frame) -> None:
        """Leave a frame for the body clock."""
        _put(self._to_track, frame)

    def ready(self) -> Ready | None:
        """A finished keyframe, once; none while nobody is seen: it may show somebody who was not there any more."""
        if self.body is None:
            return None
        made = self._made.get(0)
        if made is not None:
            self._dressed_at = made.frame_index
        return made

    def ask(self, live: Frame, carried: Carried | None) -> None:
        """Ask for a keyframe if one is due for the live frame and none is in flight."""
        tracked = self._tracked
        if self._in_flight or tracked is None or tracked.body is None:
            return
        wanted = self._rack.wanted
        again = (self.gone or self._unfit[0] > 0) and live.captured_ns - self._asked_ns > RETRY_NS
        if again or self._policy.due(live, tracked.body, carried, wanted) is not None:
            self._policy.taken(tracked.frame, tracked.body, wanted)
            self._asked_ns = live.captured_ns
            self._in_flight = True
            _put(self._requests, _Request(tracked.frame, tracked.body, wanted))

    def stop(self) -> None:
        """End both loops; from any thread."""
        self._stopping.set()
        self._to_track.close()
        self._requests.close()

    def close(self) -> None:
        """Give the models back, after the loops have ended."""
        self._tracker.close()
        self._synthesizer.close()

    def body_loop(self) -> None:
        """The body clock; until :meth:`stop`."""
        step_back()
        while True:
            frame = self._to_track.get()
            started = time.monotonic()
            if frame is not None:
                self._track(frame)
            self._stopping.wait(max(0.0, self._body_period_s - (time.monotonic() - started)))

    def keyframe_loop(self) -> None:
        """The keyframe clock; until :meth:`stop`."""
        step_back()
        while True:
            request = self._requests.get()
            if request is not None:
                try:
                    self._make(request)
                finally:
                    self._in_flight = False

    def _track(self, frame: Frame) -> Body | None:
        body, reason = None, "nobody in the picture"
        with self._telemetry.stage("body"):
            try:
                body = self._tracker.track(frame)
            except NothingToFitError as error:
                reason = str(error)
        misses = 0 if body is not None else 1 + (self._tracked.misses if self._tracked else 0)
        if misses >= self._patience:
            self._lost_at = frame.index
        self._tracked = _Tracked(frame, body, misses, reason)
        self._propagator.observe(body, frame.captured_ns, frame.bgr)
        return body

    def _make(self, request: _Request) -> None:
        """One keyframe, left for the display thread; or the reason why not."""
        try:
            with self._telemetry.stage("synthesize"):
                garment = self._rack.garment(request.garment)
                layer = self._synthesizer.synthesize(request.frame, request.body, garment)
            with self._telemetry.stage("prepare"):
                anchor = self._propagator.prepare(layer)
        except (SynthesisError, InputError) as error:
            # the loop goes on with what is worn; one garment or one keyframe is no reason to go dark
            told = isinstance(error, NothingToFitError) or str(error) == self._unfit[1]
            self._unfit = (self._unfit[0] + 1, str(error))
            if self._unfit[0] >= self._patience:
                self._lost_at = max(self._lost_at, request.frame.index)
            if not told:
                self._on_event(str(error))
            return
        self._unfit = (0, "")
        self._telemetry.keyframe()
        self._made.put(Ready(anchor, request.garment, request.frame.index))


def _put(slot: Slot[Frame] | Slot[_Request], item: Frame | _Request) -> None:
    """Put unless the run is ending."""
    try:
        slot.put(item)  # type: ignore[arg-type]
    except SlotClosed:
        return
