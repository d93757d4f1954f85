"""A screen of our own for tests of the window: Xvfb, and xdotool as the user's hands."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

PACKAGES = {"Xvfb": "xvfb", "xdotool": "xdotool"}


@dataclass(frozen=True)
class Screen:
    """A running X server.

    Attributes:
        display: as for DISPLAY.
        memory: the file the server keeps its picture in.
    """

    display: str
    memory: Path

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool; its output."""
        environment = {**os.environ, "DISPLAY": self.display}
        done = subprocess.run(["xdotool", *arguments], env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def shot(self) -> npt.NDArray[np.uint8]:
        """What is on the screen now, (H, W, 3) BGR.

        Xvfb keeps it in a file of the XWD format: a header of big-endian words, a colour map, pixels.
        """
        data = self.memory.read_bytes()
        header = np.frombuffer(data, ">u4", 25)
        header_size, width, height, stride, colours = (int(header[i]) for i in (0, 4, 5, 12, 19))
        pixels = np.frombuffer(data, np.uint8, height * stride, header_size + colours * 12)
        return pixels.reshape(height, stride // 4, 4)[:, :width, :3].copy()


@contextmanager
def screen(folder: Path, width: int = 1024, height: int = 768) -> Iterator[Screen]:
    """Start Xvfb on a free display; skips the test where it is not installed, fails it under CI."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        reason = f"not installed: {', '.join(missing)} (apt install {' '.join(missing)})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    readable, writable = os.pipe()
    arguments = f"-screen 0 {width}x{height}x24 -nolisten tcp -noreset -displayfd {writable}".split()
    with (folder / "xvfb.log").open("wb") as log:
        server = subprocess.Popen(
            ["Xvfb", *arguments, "-fbdir", str(folder)], pass_fds=[writable], stdout=log, stderr=log
        )
    os.close(writable)
    try:
        with os.fdopen(readable) as told:
            number = told.readline().strip()
        if not number:
            pytest.fail(f"Xvfb does not start: {(folder / 'xvfb.log').read_text()}")
        yield Screen(f":{number}", folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Call ``condition`` until it is true; the X server and its clients talk in their own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen")
        time.sleep(0.01)
