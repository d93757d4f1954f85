"""The mirror: one window, and the keys pressed in it.

SDL through pygame-ce; docs/decisions/0008-window.md says why not cv2's own window.
"""

from __future__ import annotations

import locale
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from vastra_live.errors import DisplayError
from vastra_live.fitting import letterbox
from vastra_live.types import U8

if TYPE_CHECKING:
    import pygame

__all__ = ["KEY_HELP", "Key", "Window", "fit_on_screen", "probe_display"]

SCREEN_SHARE = 0.85
"""How much of the screen's width and height a new window may take: the rest is for title and task bars."""


class Key(Enum):
    """What a key in the window asks for."""

    NEXT = "next garment"
    PREVIOUS = "previous garment"
    SPLIT = "before and after, side by side"
    MIRROR = "mirror the picture"
    SNAPSHOT = "save a picture"
    RECORD = "start or stop recording"
    OVERLAY = "show rate and latency"
    FULLSCREEN = "full screen"
    HELP = "show this help"
    QUIT = "quit"


KEY_HELP: tuple[tuple[str, str], ...] = (
    ("n  or right arrow", Key.NEXT.value),
    ("p  or left arrow", Key.PREVIOUS.value),
    ("b", Key.SPLIT.value),
    ("m", Key.MIRROR.value),
    ("s", Key.SNAPSHOT.value),
    ("r", Key.RECORD.value),
    ("o", Key.OVERLAY.value),
    ("f", Key.FULLSCREEN.value),
    ("h  or ?", Key.HELP.value),
    ("q  or Esc", Key.QUIT.value),
)
"""Each binding: the keys, what they do. For the help screen."""

LETTERS: Mapping[str, Key] = MappingProxyType(
    {
        "n": Key.NEXT,
        "p": Key.PREVIOUS,
        "b": Key.SPLIT,
        "m": Key.MIRROR,
        "s": Key.SNAPSHOT,
        "r": Key.RECORD,
        "o": Key.OVERLAY,
        "f": Key.FULLSCREEN,
        "h": Key.HELP,
        "?": Key.HELP,
        "q": Key.QUIT,
    }
)


def fit_on_screen(picture: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a new window: as large as fits on the screen, with the picture's aspect."""
    scale = SCREEN_SHARE * min(screen[0] / picture[0], screen[1] / picture[1])
    return max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))


def _video_drivers() -> str | None:
    """SDL's drivers to try on Linux, from what the session offers; None leaves it to SDL (macOS, Windows).

    Left alone, SDL falls back to drawing off screen when there is no display.
    """
    if not sys.platform.startswith("linux"):
        return None
    offered = {"DISPLAY": "x11", "WAYLAND_DISPLAY": "wayland"}
    drivers = [driver for variable, driver in offered.items() if os.environ.get(variable)]
    if not drivers:
        raise DisplayError(
            "no display: neither DISPLAY nor WAYLAND_DISPLAY is set; "
            "run it in a desktop session, or use --output file:PATH.mp4 or virtualcam"
        )
    return ",".join(drivers)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """SDL's settings, for the time of a call into it."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _plain_title() -> Iterator[None]:
    """X11 tools find a window by its title only when that is written in an encoding they know.

    SDL writes it in the process's locale, and X11 does not know C.UTF-8, which containers have.
    """
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _open_display() -> None:
    settings = {
        "PYGAME_HIDE_SUPPORT_PROMPT": "1",
        # SIGINT and SIGTERM stay Python's
        "SDL_NO_SIGNAL_HANDLERS": "1",
        # what window managers know us by
        "SDL_VIDEO_X11_WMCLASS": "vastra-live",
    }
    drivers = _video_drivers()
    if drivers and "SDL_VIDEODRIVER" not in os.environ:
        settings["SDL_VIDEODRIVER"] = drivers
    with _environment(**settings):
        try:
            import pygame
        except ImportError as error:
            raise DisplayError(f"pygame-ce cannot be loaded: {error}; pip install pygame-ce") from error
        try:
            pygame.display.init()
        except pygame.error as error:
            where = ", ".join(f"{v}={os.environ[v]}" for v in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(v))
            raise DisplayError(
                f"no display: {error}{f' ({where})' if where else ''}; "
                "check that the desktop session runs and lets you in, or use --output file:PATH.mp4 or virtualcam"
            ) from error


def probe_display() -> str:
    """Which display a window would open on. Not while one is open.

    Raises:
        DisplayError: none.
    """
    _open_display()
    import pygame

    sizes = ", ".join(f"{width}x{height}" for width, height in pygame.display.get_desktop_sizes())
    driver = pygame.display.get_driver()
    pygame.display.quit()
    return f"{driver}, {sizes}"


class Window:
    """A resizable window that shows pictures and hands out key presses. For the main thread only.

    It opens at the first picture, as large as fits on the screen; the picture keeps its aspect however the
    window is resized.

    Args:
        title: ASCII.
        fullscreen: start as a mirror: the whole screen, black around the picture.

    Raises:
        DisplayError: there is no display.
    """

    def __init__(self, title: str, *, fullscreen: bool = False) -> None:
        self._title = title
        self._fullscreen = fullscreen
        self._picture = (1, 1)
        self._windowed_size: tuple[int, int] | None = None
        self._window: pygame.Window | None = None
        self._pressed: deque[Key] = deque()
        self._closed = False
        self._open = True
        _open_display()

    @property
    def closed(self) -> bool:
        """Whether the user closed the window; seen by :meth:`poll`."""
        return self._closed

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the inside, pixels; None before the first picture."""
        return self._window.get_surface().get_size() if self._window else None

    def show(self, bgr: U8) -> None:
        """Show a picture, (H, W, 3) uint8. Nothing happens once the window is closed.

        Raises:
            DisplayError: the window cannot be opened, or the display failed.
        """
        import pygame

        if self._closed or not self._open:
            return
        if self._window is None:
            self._picture = (bgr.shape[1], bgr.shape[0])
            self._window = self._make(self._picture)
        try:
            surface = self._window.get_surface()
            fitted = np.ascontiguousarray(letterbox(bgr, surface.get_size()))
            surface.blit(pygame.image.frombuffer(fitted.data, surface.get_size(), "BGR"), (0, 0))
            self._window.flip()
        except pygame.error as error:
            raise DisplayError(f"the window cannot be shown: {error}; use --output file:PATH.mp4 instead") from error

    def _make(self, picture: tuple[int, int]) -> pygame.Window:
        import pygame

        screen = pygame.display.get_desktop_sizes()[0]
        try:
            # XShm is faster than SDL's software OpenGL and shows the same
            with _plain_title(), _environment(SDL_FRAMEBUFFER_ACCELERATION="0"):
                if self._fullscreen:
                    window = pygame.Window(self._title, screen, fullscreen_desktop=True)
                else:
                    size = self._windowed_size or fit_on_screen(picture, screen)
                    window = pygame.Window(self._title, size, resizable=True)
                window.get_surface()
        except pygame.error as error:
            raise DisplayError(f"no window can be opened: {error}; use --output file:PATH.mp4 instead") from error
        return window

    def toggle_fullscreen(self) -> None:
        """Take the whole (first) screen, or go back to a window; seen at the next picture.

        The window is made anew: a change in place is the window manager's to do, and a mirror may run
        without one.
        """
        old = self._window
        if old is not None and not self._fullscreen:
            self._windowed_size = self.size
        self._fullscreen = not self._fullscreen
        if old is not None:
            # the new one first: no key falls between the two
            self._window = self._make(self._picture)
            old.destroy()

    def poll(self) -> Key | None:
        """The next key pressed, in order, or None; never waits. Call it at least once a picture."""
        import pygame

        if self._open:
            for event in pygame.event.get():
                if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
                    self._closed = True
                elif event.type == pygame.KEYDOWN:
                    key = self._key(event)
                    if key is not None:
                        self._pressed.append(key)
        return self._pressed.popleft() if self._pressed else None

    @staticmethod
    def _key(event: pygame.event.Event) -> Key | None:
        import pygame

        if event.mod & (pygame.KMOD_CTRL | pygame.KMOD_ALT | pygame.KMOD_META):
            return None
        named = {pygame.K_RIGHT: Key.NEXT, pygame.K_LEFT: Key.PREVIOUS, pygame.K_ESCAPE: Key.QUIT}
        # the key as the layout has it; a question mark is another key on every layout, only its text tells
        return named.get(event.key) or LETTERS.get(pygame.key.name(event.key)) or LETTERS.get(event.unicode)

    def close(self) -> None:
        """Close it. Harmless when repeated."""
        import pygame

        if not self._open:
            return
        self._open = False
        if self._window is not None:
            self._window.destroy()
            self._window = None
        pygame.display.quit()
