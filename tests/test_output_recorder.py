"""The film: true speed, even size, and still a film when the disk is full or we are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.errors import RecordingError
from vastra_live.fitting import letterbox
from vastra_live.output.base import SlowConsumer
from vastra_live.output.recorder import Pacer, Recorder
from vastra_live.types import Rendered, Shown


def rendered(level: int, captured_ns: int = 0, size: tuple[int, int] = (64, 48)) -> Rendered:
    bgr = np.full((size[1], size[0], 3), level, np.uint8)
    return Rendered(bgr, bgr, 0, captured_ns, Shown.GARMENT)


def levels(path: Path) -> list[int]:
    """Mean grey level of each frame of a film."""
    film = cv2.VideoCapture(str(path))
    found = []
    while True:
        ok, bgr = film.read()
        if not ok:
            film.release()
            return found
        found.append(round(float(bgr.mean())))


def close_to(found: list[int], wanted: list[int]) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= 3 for a, b in zip(found, wanted, strict=True))


def test_every_picture_is_one_frame_when_the_loop_waits(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.mp4", fps=30, slow_consumer=SlowConsumer.WAIT)
    shown = [40, 80, 120, 160, 200]
    for level in shown:
        recorder.send(rendered(level))  # all captured at the same moment: the times do not matter here
    recorder.close()
    recorder.close()
    assert close_to(levels(tmp_path / "film.mp4"), shown)
    film = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert film.get(cv2.CAP_PROP_FPS) == 30
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_a_live_film_has_true_speed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.mp4", fps=10, slow_consumer=SlowConsumer.DROP_OLDEST)
    for level, ms in [(40, 0), (80, 100), (120, 400), (160, 410), (200, 500)]:
        recorder.send(rendered(level, ms * 1_000_000))
    recorder.close()
    # 80 stays for the 300 ms nothing came; 120 came 10 ms before 160 and gives way
    assert close_to(levels(tmp_path / "film.mp4"), [40, 80, 80, 80, 160, 200])


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.sampled_from([10.0, 29.97, 60.0]))
def test_a_film_is_never_a_frame_off_the_clock(steps_ms: list[int], fps: float) -> None:
    pacer = Pacer(fps)
    now_ns, frames = 1_000, pacer.copies_before(1_000)
    for step in steps_ms:
        now_ns += step * 1_000_000
        frames += pacer.copies_before(now_ns)
        assert abs(frames - (now_ns - 1_000) * fps / 1e9) <= 1


def test_a_camera_a_hair_off_its_rate_loses_single_frames_only() -> None:
    rng = np.random.default_rng(3)
    pacer = Pacer(30)
    jitter_ns = rng.integers(-3_000_000, 3_000_000, 2000)
    copies = [pacer.copies_before(10**9 + int(i * 1e9 / 29.9) + int(jitter_ns[i])) for i in range(2000)]
    # 2000 frames at 29.9 last as long as 2006.7 at 30
    assert copies.count(1) >= 1990
    assert copies.count(0) <= 2


def test_a_clock_that_goes_back_repeats_nothing() -> None:
    pacer = Pacer(30)
    assert [pacer.copies_before(t) for t in (10**9, 10**9, 5 * 10**8)] == [0, 0, 0]


@pytest.mark.parametrize(("size", "film_size"), [((63, 47), (64, 48)), ((1, 1), (2, 2)), ((64, 48), (64, 48))])
def test_an_odd_size_is_made_even_without_losing_a_pixel(
    tmp_path: Path, size: tuple[int, int], film_size: tuple[int, int]
) -> None:
    recorder = Recorder(tmp_path / "film.mp4", fps=30, slow_consumer=SlowConsumer.WAIT)
    recorder.send(rendered(200, size=size))
    recorder.close()
    ok, bgr = cv2.VideoCapture(str(tmp_path / "film.mp4")).read()
    assert ok
    assert (bgr.shape[1], bgr.shape[0]) == film_size
    assert abs(int(bgr[-1, -1, 0]) - 200) <= 3


def test_colours_come_back(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.mp4", fps=30, slow_consumer=SlowConsumer.WAIT)
    bgr = np.zeros((48, 96, 3), np.uint8)
    bgr[:, :32], bgr[:, 32:64], bgr[:, 64:] = (200, 60, 30), (40, 180, 60), (30, 50, 210)
    recorder.send(Rendered(bgr, bgr, 0, 0, Shown.GARMENT))
    recorder.close()
    _, back = cv2.VideoCapture(str(tmp_path / "film.mp4")).read()
    for x in (16, 48, 80):
        assert np.abs(back[24, x].astype(int) - bgr[24, x]).max() <= 8


def test_a_picture_of_another_size_is_fitted_into_the_film(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.mp4", fps=30, slow_consumer=SlowConsumer.WAIT)
    recorder.send(rendered(100, size=(64, 48)))
    recorder.send(rendered(200, size=(48, 64)))
    recorder.close()
    film = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    film.read()
    _, second = film.read()
    assert second.shape == (48, 64, 3)
    assert second[24, 32].mean() > 190
    assert second[24, 2].mean() < 10


def test_no_picture_makes_no_file(tmp_path: Path) -> None:
    Recorder(tmp_path / "film.mp4", fps=30, slow_consumer=SlowConsumer.WAIT).close()
    assert not list(tmp_path.iterdir())


def noisy(index: int) -> Rendered:
    bgr = np.random.default_rng(index).integers(0, 256, (240, 320, 3), np.uint8)
    return Rendered(bgr, bgr, index, 0, Shown.GARMENT)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a matter of POSIX")
def test_a_full_disk_is_an_error_and_the_film_so_far_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ffmpeg that may write 2 MB stands for a disk with 2 MB left."""
    import imageio_ffmpeg

    limited = tmp_path / "ffmpeg"
    limited.write_text(f'#!/bin/sh\ntrap "" XFSZ\nulimit -f 4096\nexec "{imageio_ffmpeg.get_ffmpeg_exe()}" "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(limited))
    film = tmp_path / "film.mp4"
    recorder = Recorder(film, fps=10, slow_consumer=SlowConsumer.WAIT)
    with pytest.raises(RecordingError, match=r"film\.mp4: recording failed after \d+ frames: .*; what was written"):
        for index in range(400):
            recorder.send(noisy(index))
    recorder.close()
    assert len(levels(film)) >= 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_disk_without_any_room_leaves_nothing(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.symlink_to("/dev/full")
    recorder = Recorder(film, fps=10, slow_consumer=SlowConsumer.WAIT)
    recorder.send(noisy(0))
    with pytest.raises(RecordingError, match="No space left on device; nothing was kept"):
        recorder.close()
    assert not list(tmp_path.iterdir())


def test_an_ffmpeg_that_cannot_be_started_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "no-ffmpeg"))
    recorder = Recorder(tmp_path / "film.mp4", fps=10, slow_consumer=SlowConsumer.WAIT)
    with pytest.raises(RecordingError, match=r"cannot start .*no-ffmpeg"):
        recorder.send(noisy(0))
    recorder.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.test_output_recorder import Recorder, SlowConsumer, rendered
recorder = Recorder(Path(sys.argv[1]), fps=10, slow_consumer=SlowConsumer.WAIT)
for level in range(0, 250, 10):
    recorder.send(rendered(level))
print(recorder._encoder._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a matter of POSIX")
def test_a_killed_process_leaves_a_whole_film(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    root = Path(__file__).resolve().parents[1]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(film)], cwd=root, check=False, capture_output=True, text=True
    )
    # stderr is ffmpeg's too: run() has waited until ffmpeg closed it as well
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert _ended(int(killed.stdout))
    assert len(levels(film)) == 25


def _ended(pid: int) -> bool:
    """Wait until a process that is not our child is gone."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_letterbox_keeps_the_whole_picture(width: int, height: int, to_width: int, to_height: int) -> None:
    fitted = letterbox(np.full((height, width, 3), 255, np.uint8), (to_width, to_height))
    assert fitted.shape == (to_height, to_width, 3)
    rows, columns = np.nonzero(fitted[:, :, 0] > 127)
    inner = (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    assert inner[0] == to_width or inner[1] == to_height
    if width == to_width and height == to_height:
        assert inner == (width, height)
