"""The window as a user knows it: mirror, before/after, what the keys do. Runs on the main thread."""

from __future__ import annotations

import time

import cv2

from vastra_live.compositing import overlay
from vastra_live.output.window import KEY_HELP, Key, Window
from vastra_live.slot import Slot, SlotClosed
from vastra_live.telemetry import Telemetry
from vastra_live.types import U8, Rendered

__all__ = ["Screen"]

MESSAGE_S = 3.0


class Screen:
    """Shows the newest picture and turns keys into wishes.

    :meth:`offer` and :meth:`say` may be called from any thread; everything else belongs to the main thread, which on
    macOS is the only one that may own a window.
    """

    def __init__(self, window: Window, telemetry: Telemetry, *, mirror: bool = True) -> None:
        self._window = window
        self._telemetry = telemetry
        self._slot: Slot[Rendered] = Slot()
        self._mirror = mirror
        self._split = False
        self._figures = False
        self._help = False
        self._message = ("", 0.0)
        self._latest: Rendered | None = None
        self.recording = False
        self.garment = ""

    @property
    def latest(self) -> Rendered | None:
        """The picture on screen, as others see it: not mirrored, nothing drawn over it."""
        return self._latest

    def offer(self, rendered: Rendered) -> None:
        """Leave a picture to be shown; replaces one not shown yet."""
        if not self._slot.closed:
            self._slot.put(rendered)

    def say(self, message: str) -> None:
        """Show a line for some seconds."""
        self._message = message, time.monotonic() + MESSAGE_S

    def pump(self, timeout_s: float = 0.02) -> Key | None:
        """Show the newest picture, if there is one within ``timeout_s``, and look at the keyboard.

        Returns:
            A key whose meaning lies outside of the window (garment, snapshot, record, quit), or None.
            A closed window counts as QUIT.
        """
        try:
            rendered = self._slot.get(timeout_s)
        except SlotClosed:
            return Key.QUIT
        if rendered is not None:
            self._latest = rendered
            with self._telemetry.stage("window"):
                self._window.show(self._compose(rendered))
            self._telemetry.sent(rendered.captured_ns)
        key = self._window.poll()
        if self._window.closed:
            return Key.QUIT
        if key is Key.SPLIT:
            self._split = not self._split
        elif key is Key.MIRROR:
            self._mirror = not self._mirror
        elif key is Key.OVERLAY:
            self._figures = not self._figures
        elif key is Key.HELP:
            self._help = not self._help
        elif key is Key.FULLSCREEN:
            self._window.toggle_fullscreen()
        else:
            return key
        self._redraw()
        return None

    def _redraw(self) -> None:
        """Show what a key changed at once, also while no new frames come."""
        if self._latest is not None:
            self._window.show(self._compose(self._latest))

    def _compose(self, rendered: Rendered) -> U8:
        picture, camera = rendered.bgr, rendered.camera_bgr
        if self._mirror:
            picture = cv2.flip(picture, 1)
            camera = cv2.flip(camera, 1) if self._split else camera
        if self._split:
            picture = overlay.split_view(camera, picture)
        if self._figures:
            lines = [
                f"{self._telemetry.recent_fps():.0f} fps   {self._telemetry.latency_p50():.0f} ms",
                f"{rendered.bgr.shape[1]}x{rendered.bgr.shape[0]}   {self.garment}",
            ]
            picture = overlay.draw_hud(picture, lines)
        if self._help:
            picture = overlay.draw_help(picture, KEY_HELP)
        if self.recording:
            picture = overlay.draw_recording_dot(picture)
        message, until = self._message
        notice = rendered.notice or (message if time.monotonic() < until else "")
        return overlay.draw_notice(picture, notice) if notice else picture

    def close(self) -> None:
        """Close the window. Harmless when repeated."""
        self._slot.close()
        self._window.close()
