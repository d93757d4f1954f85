"""Every place a picture goes in one run: the sinks, the screen, a recording begun with a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import cv2

from vastra_live.errors import VastraError
from vastra_live.output.base import FrameSink
from vastra_live.output.worker import SinkWorker
from vastra_live.pictures import write_picture
from vastra_live.screen import Screen
from vastra_live.telemetry import Telemetry
from vastra_live.types import Rendered, Shown

__all__ = ["Outlets"]

DRAIN_S = 10.0


class Outlets:
    """Hands pictures out; a sink that breaks ends alone.

    :meth:`offer` belongs to the display thread, the rest to the main thread.

    Args:
        sinks: where pictures go.
        screen: the window, or None.
        open_recording: makes a sink for the record key, from a path; None when nothing can be recorded.
        captures: folder of snapshots and recordings.
        mirror: flip what the sinks get, left to right.
        telemetry: told when a sink has shown a picture.
        on_event: told in one line when a sink broke and others go on.
        on_all_broken: called with the error of the last sink, when no place is left for a picture to go.
    """

    def __init__(
        self,
        sinks: Sequence[FrameSink],
        screen: Screen | None,
        *,
        open_recording: Callable[[Path], FrameSink] | None,
        captures: Path,
        mirror: bool,
        telemetry: Telemetry,
        on_event: Callable[[str], None],
        on_all_broken: Callable[[BaseException], None],
    ) -> None:
        self._screen = screen
        self._open_recording = open_recording
        self._captures = captures
        self._mirror = mirror
        self._telemetry = telemetry
        self._on_event = on_event
        self._on_all_broken = on_all_broken
        self._recording: SinkWorker | None = None
        self._broken: list[FrameSink] = []
        self._workers = [self._worker(sink) for sink in sinks]

    def offer(self, rendered: Rendered) -> None:
        """Hand a picture to every place; waits for none but those that asked for every picture."""
        outgoing = rendered
        if self._mirror:
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

    def snapshot(self) -> None:
        """Save what is on screen."""
        screen = self._screen
        if screen is None or screen.latest is None:
            return
        try:
            path = self._capture_path(".png")
            write_picture(path, screen.latest.bgr)
        except (OSError, VastraError) as error:
            screen.say(f"not saved: {error}")
        else:
            screen.say(f"saved {path}")

    def toggle_recording(self) -> None:
        """Begin a recording, or end the one that runs."""
        screen = self._screen
        if screen is None:
            return
        if self._recording is not None:
            self._end_recording("recording saved").finish(DRAIN_S)
            return
        if self._open_recording is None:
            screen.say("recording is not available here")
            return
        try:
            path = self._capture_path(".mp4")
            self._recording = self._worker(self._open_recording(path))
        except (OSError, VastraError) as error:
            screen.say(f"not recording: {error}")
        else:
            screen.recording = True
            screen.say(f"recording to {path}")

    def finish(self) -> None:
        """Let every sink take what it was offered and close it."""
        recording, self._recording = self._recording, None
        for worker in (*self._workers, *([recording] if recording else [])):
            worker.finish(DRAIN_S)
        if self._screen is not None:
            self._screen.close()

    def _worker(self, sink: FrameSink) -> SinkWorker:
        return SinkWorker(sink, on_sent=self._on_sent, on_error=self._on_error)

    def _on_sent(self, rendered: Rendered) -> None:
        if rendered.shown is not Shown.HELD:  # a held picture is as old as the trouble it bridges
            self._telemetry.sent(rendered.captured_ns)

    def _on_error(self, sink: FrameSink, error: Exception) -> None:
        recording = self._recording
        if recording is not None and sink is recording.sink:
            self._end_recording(str(error))
            return
        self._broken.append(sink)
        if self._screen is None and len(self._broken) == len(self._workers):
            self._on_all_broken(error)
        else:
            self._on_event(str(error))

    def _end_recording(self, message: str) -> SinkWorker:
        worker, self._recording = self._recording, None
        assert worker is not None
        if self._screen is not None:
            self._screen.recording = False
            self._screen.say(message)
        return worker

    def _capture_path(self, suffix: str) -> Path:
        self._captures.mkdir(parents=True, exist_ok=True)
        return self._captures / f"vastra-{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"
