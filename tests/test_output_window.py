"""The window, on a real X server, with a real keyboard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.xvfb import Screen, screen, until
from vastra_live.errors import DisplayError
from vastra_live.output.window import KEY_HELP, Key, Window, fit_on_screen

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def xvfb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    with screen(tmp_path_factory.mktemp("xvfb")) as running:
        yield running


@pytest.fixture
def window(xvfb: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("DISPLAY", xvfb.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    opened = Window("Vastra Live test")
    yield opened
    opened.close()
    opened.close()


def halves(width: int = 320, height: int = 240) -> np.ndarray:
    """Blue on the left, red on the right."""
    bgr = np.zeros((height, width, 3), np.uint8)
    bgr[:, : width // 2, 0] = 255
    bgr[:, width // 2 :, 2] = 255
    return bgr


def pressed(window: Window) -> list[Key]:
    keys = []
    while (key := window.poll()) is not None:
        keys.append(key)
    return keys


def painted(shot: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width, height of what is not black."""
    rows, columns = np.nonzero(shot.any(axis=2))
    return int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def test_the_picture_fills_the_screen_it_is_on_and_keeps_its_aspect(window: Window, xvfb: Screen) -> None:
    window.show(halves())
    assert window.size == fit_on_screen((320, 240), (1024, 768)) == (870, 653)

    def shown() -> bool:
        window.show(halves())
        window.poll()
        shot = xvfb.shot()
        return bool(shot.any()) and painted(shot)[2:] == (870, 653)

    until(shown)
    left, top, width, height = painted(xvfb.shot())
    assert xvfb.shot()[top + height // 2, left + width // 4].tolist() == [255, 0, 0]
    assert xvfb.shot()[top + height // 2, left + 3 * width // 4].tolist() == [0, 0, 255]


def test_a_resized_window_shows_the_whole_picture(window: Window, xvfb: Screen) -> None:
    window.show(halves())
    until(lambda: window.poll() is None and bool(xvfb.shot().any()))
    xvfb.xdotool("search", "--name", "^Vastra Live test$", "windowsize", "600", "200")

    def followed() -> bool:
        window.poll()
        window.show(halves())
        shot = xvfb.shot()
        return window.size == (600, 200) and bool(shot.any()) and painted(shot)[2] == 267

    until(followed)


def test_full_screen_and_back(window: Window, xvfb: Screen) -> None:
    window.show(halves(400, 200))
    size = window.size
    window.toggle_fullscreen()

    def whole_screen() -> bool:
        window.poll()
        window.show(halves(400, 200))
        shot = xvfb.shot()
        return window.size == (1024, 768) and bool(shot.any()) and painted(shot) == (0, 128, 1024, 512)

    until(whole_screen)
    window.toggle_fullscreen()

    def back() -> bool:
        window.poll()
        window.show(halves(400, 200))
        return window.size == size

    until(back)


NAMES = {
    "n": Key.NEXT, "Right": Key.NEXT, "p": Key.PREVIOUS, "Left": Key.PREVIOUS, "b": Key.SPLIT, "m": Key.MIRROR,
    "s": Key.SNAPSHOT, "r": Key.RECORD, "o": Key.OVERLAY, "f": Key.FULLSCREEN, "h": Key.HELP, "question": Key.HELP,
    "q": Key.QUIT, "Escape": Key.QUIT, "shift+n": Key.NEXT,
}  # fmt: skip


def test_every_key_arrives_once_and_in_order(window: Window, xvfb: Screen) -> None:
    window.show(halves())
    until(lambda: window.poll() is None and bool(xvfb.shot().any()))
    xvfb.xdotool("key", *NAMES, "ctrl+q", "x", "n")
    keys: list[Key] = []

    def all_came() -> bool:
        keys.extend(pressed(window))
        return len(keys) >= len(NAMES) + 1

    until(all_came)
    assert keys == [*NAMES.values(), Key.NEXT]  # Ctrl+q and x are nothing
    assert {meaning for _, meaning in KEY_HELP} == {key.value for key in Key}


def test_every_key_arrives_in_order_before_and_after_the_screen_changes(window: Window, xvfb: Screen) -> None:
    window.show(halves())
    until(lambda: window.poll() is None and bool(xvfb.shot().any()))
    for _ in range(3):
        # in bursts: a key pressed in the very moment a window is made anew has no window to go to
        xvfb.xdotool("key", *"nps" * 4, "f")
        keys: list[Key] = []

        def all_came(keys: list[Key] = keys) -> bool:
            while (key := window.poll()) is not None:
                keys.append(key)
            return len(keys) >= 13

        until(all_came)
        assert keys == [Key.NEXT, Key.PREVIOUS, Key.SNAPSHOT] * 4 + [Key.FULLSCREEN]
        window.toggle_fullscreen()
        window.show(halves())
        until(lambda: window.poll() is None and bool(xvfb.shot().any()))


def test_closing_the_window_is_seen(window: Window) -> None:
    import pygame

    window.show(halves())
    assert not window.closed
    # what SDL makes of a window manager's WM_DELETE_WINDOW; there is no window manager here
    pygame.event.post(pygame.event.Event(pygame.WINDOWCLOSE))
    assert window.poll() is None
    assert window.closed
    window.show(halves())


WITHOUT = """
import sys
from vastra_live.errors import DisplayError
from vastra_live.output.window import Window
try:
    Window("x")
except DisplayError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "neither DISPLAY nor WAYLAND_DISPLAY"),
        ({"DISPLAY": ":978"}, "DISPLAY=:978"),
        ({"WAYLAND_DISPLAY": "none"}, "no display"),
    ],
)
def test_without_a_display_one_error_and_nothing_on_the_terminal(environment: dict[str, str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 7
    assert told in done.stdout
    assert len(done.stdout.splitlines()) == 1
    if "WAYLAND_DISPLAY" not in environment:  # libwayland speaks for itself
        assert done.stderr == ""


def test_an_error_names_the_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(DisplayError, match="pip install pygame-ce"):
        Window("x")


@pytest.mark.parametrize(
    ("picture", "screen_size", "wanted"),
    [((640, 480), (1920, 1080), (1224, 918)), ((1080, 1920), (1920, 1080), (516, 918)), ((1, 1), (1, 1), (1, 1))],
)
def test_a_new_window_is_as_large_as_fits(
    picture: tuple[int, int], screen_size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert fit_on_screen(picture, screen_size) == wanted
