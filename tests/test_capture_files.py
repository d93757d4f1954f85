"""Videos, pictures, folders and the demo as sources: rate, size, rotation, end, repetition, refusal."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes_capture import FakeClock
from vastra_live.capture import open_source
from vastra_live.capture.base import FrameSource
from vastra_live.capture.demo import DEMO_FRAMES, Demo
from vastra_live.capture.paced import Pacer
from vastra_live.capture.still import STILL_SECONDS, Folder, Still
from vastra_live.capture.video import VideoFile
from vastra_live.errors import ConfigError, MissingDependencyError, PictureError, SourceEnded, VideoError
from vastra_live.fitting import letterbox
from vastra_live.pictures import write_picture
from vastra_live.types import Frame

STEP = 10  # frame i of a test video has the value STEP * i


def write_video(
    path: Path, *, frames: int = 12, size: tuple[int, int] = (64, 48), fps: float = 10, grey: bool = False
) -> Path:
    """A lossless (or, as mp4, nearly so) video whose left half tells the frame's number."""
    code = "mp4v" if path.suffix == ".mp4" else "FFV1"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, size, not grey)
    assert writer.isOpened()
    for i in range(frames):
        picture = np.full((size[1], size[0]) if grey else (size[1], size[0], 3), 20 + STEP * i, np.uint8)
        picture[:, size[0] // 2 :] = 0
        writer.write(picture)
    writer.release()
    return path


def write_odd_video(path: Path, size: tuple[int, int]) -> Path:
    """By OpenCV's own writer: through FFmpeg it rounds odd sizes down."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
    assert writer.isOpened()
    for _ in range(5):
        writer.write(np.full((size[1], size[0], 3), 90, np.uint8))
    writer.release()
    return path


def number(frame: Frame) -> int:
    """Which frame of a test video this is."""
    return round((int(frame.bgr[frame.bgr.shape[0] // 2, 4, 1]) - 20) / STEP)


def read_all(source: FrameSource) -> list[Frame]:
    frames = []
    with pytest.raises(SourceEnded):
        while True:
            frames.append(source.read())
    with pytest.raises(SourceEnded):
        source.read()
    source.close()
    return frames


# --- when a frame is due


def test_an_early_consumer_waits_for_the_frame() -> None:
    clock = FakeClock()
    pacer = Pacer(10, every_frame=False, clock=clock)
    times = []
    for _ in range(5):
        pacer.next_index(threading.Event())
        times.append(round(clock.now - 100, 6))
    assert times == [0, 0.1, 0.2, 0.3, 0.4]


def test_a_late_consumer_skips_and_time_stays_true() -> None:
    clock = FakeClock()
    pacer = Pacer(10, every_frame=False, clock=clock)
    stop = threading.Event()
    indices = []
    for _ in range(5):
        indices.append(pacer.next_index(stop))
        clock.now += 0.25
    assert indices == [0, 1, 3, 6, 8]


def test_a_pause_after_the_first_frame_costs_nothing() -> None:
    clock = FakeClock()
    pacer = Pacer(10, every_frame=False, clock=clock)
    stop = threading.Event()
    assert pacer.next_index(stop) == 0
    clock.now += 30
    assert [pacer.next_index(stop) for _ in range(3)] == [1, 2, 3]
    assert clock.now == pytest.approx(130.2)


@given(fps=st.floats(1, 240), delays=st.lists(st.floats(0, 2), max_size=20))
def test_no_frame_is_shown_early_twice_or_long_after(fps: float, delays: list[float]) -> None:
    clock = FakeClock()
    pacer = Pacer(fps, every_frame=False, clock=clock)
    stop = threading.Event()
    pacer.next_index(stop)
    last = pacer.next_index(stop)
    start = clock.now - last / fps
    for delay in delays:
        clock.now += delay
        index = pacer.next_index(stop)
        age = clock.now - start - index / fps
        assert index > last
        assert -1e-5 / fps <= age <= (1 + 1e-5) / fps
        last = index


# --- video files


def test_asap_gives_every_frame_in_order(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "a.avi")), asap=True)
    assert source.every_frame
    assert not source.live
    assert source.fps == pytest.approx(10)
    assert source.health.ok
    frames = read_all(source)
    assert [f.index for f in frames] == list(range(12))
    assert [number(f) for f in frames] == list(range(12))
    assert frames[0].source == "a.avi"


def test_at_its_own_rate_a_slow_consumer_sees_the_frame_that_is_due(tmp_path: Path) -> None:
    clock = FakeClock()
    source = VideoFile(write_video(tmp_path / "a.avi"), clock=clock)
    seen = []
    for _ in range(4):
        frame = source.read()
        seen.append((frame.index, number(frame)))
        clock.now += 0.35
    source.close()
    assert seen == [(0, 0), (1, 1), (4, 4), (8, 8)]


def test_a_repeated_video_begins_again_and_counts_on(tmp_path: Path) -> None:
    source = VideoFile(write_video(tmp_path / "a.avi", frames=3), loop=True, asap=True)
    frames = [source.read() for _ in range(8)]
    source.close()
    assert [f.index for f in frames] == list(range(8))
    assert [number(f) for f in frames] == [0, 1, 2, 0, 1, 2, 0, 1]


def test_skipping_over_the_end_of_a_repeated_video(tmp_path: Path) -> None:
    clock = FakeClock()
    source = VideoFile(write_video(tmp_path / "a.avi", frames=3), loop=True, clock=clock)
    seen = []
    for _ in range(4):
        frame = source.read()
        seen.append((frame.index, number(frame)))
        clock.now += 0.75
    source.close()
    assert seen == [(0, 0), (1, 1), (8, 2), (16, 1)]


def set_rotation(path: Path, degrees: int) -> None:
    """Write a display rotation (counted as FFmpeg does, anticlockwise) into an MP4's track header."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # version and flags; times, ids, duration; reserved; layer..volume
    one = 0x10000
    a, b, c, d = {90: (0, -one, one, 0), 180: (-one, 0, 0, -one), 270: (0, one, -one, 0)}[degrees]
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_a_phone_video_stands_upright_once(tmp_path: Path, degrees: int, turns: int) -> None:
    path = write_video(tmp_path / "phone.mp4", frames=6)
    stored = [f.bgr for f in read_all(VideoFile(path, asap=True))]
    set_rotation(path, degrees)
    clock = FakeClock()
    every = read_all(VideoFile(path, asap=True))
    skipping = VideoFile(path, clock=clock)
    skipping.read()
    skipping.read()
    clock.now += 0.25
    frame = skipping.read()
    skipping.close()
    assert len(every) == 6
    for before, after in zip(stored, every, strict=True):
        np.testing.assert_array_equal(np.rot90(before, turns), after.bgr)
    np.testing.assert_array_equal(frame.bgr, every[frame.index].bgr)


def test_grey_and_odd_sized_videos(tmp_path: Path) -> None:
    grey = read_all(VideoFile(write_video(tmp_path / "grey.avi", grey=True), asap=True))
    assert grey[3].bgr.shape == (48, 64, 3)
    assert number(grey[3]) == 3
    odd = read_all(VideoFile(write_odd_video(tmp_path / "odd.avi", (63, 47)), asap=True))
    assert odd[3].size == (63, 47)


def test_a_wanted_size_keeps_proportions(tmp_path: Path) -> None:
    frames = read_all(VideoFile(write_video(tmp_path / "a.avi", size=(64, 48)), size=(128, 48), asap=True))
    assert {f.size for f in frames} == {(128, 48)}
    assert frames[5].bgr[:, :31].max() == 0
    assert number(Frame(frames[5].bgr[:, 32:], 0, 0, "")) == 5


@pytest.mark.parametrize("claimed", [0.0, float("nan"), -5.0, 90_000.0])
def test_an_impossible_rate_becomes_thirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claimed: float) -> None:
    class Claiming:
        def __init__(self, *args: object) -> None:
            self._capture = opencv_capture(*args)

        def get(self, property_id: int) -> float:
            return claimed if property_id == cv2.CAP_PROP_FPS else float(self._capture.get(property_id))

        def __getattr__(self, name: str) -> object:
            return getattr(self._capture, name)

    opencv_capture = cv2.VideoCapture
    path = write_video(tmp_path / "a.avi")
    monkeypatch.setattr("vastra_live.capture.video.cv2.VideoCapture", Claiming)
    for asked, expected in ((None, 30.0), (12.0, 12.0)):
        source = VideoFile(path, fps=asked, asap=True)
        assert source.fps == expected
        source.close()


def test_files_that_are_no_video_are_refused(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4").read_bytes()
    no_frames = tmp_path / "none.avi"
    cv2.VideoWriter(str(no_frames), cv2.VideoWriter.fourcc(*"FFV1"), 10, (64, 48)).release()
    (tmp_path / "text.mp4").write_text("just some words\n" * 50)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "cut.mp4").write_bytes(video[: len(video) // 2])
    (tmp_path / "folder.mp4").mkdir()
    for name in ("none.avi", "text.mp4", "empty.mp4", "cut.mp4", "nowhere.mp4"):
        with pytest.raises(VideoError) as caught:
            open_source(str(tmp_path / name))
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 2
    with pytest.raises(VideoError, match="not a file"):
        VideoFile(tmp_path / "folder.mp4")


def test_opencv_and_ffmpeg_keep_quiet(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(video[: len(video) // 2])
    # in a process of its own: FFmpeg takes its log level from the first video that is opened
    program = (
        "import sys\n"
        "from vastra_live.capture import open_source\n"
        "from vastra_live.errors import VastraError\n"
        "for spec in sys.argv[1:]:\n"
        "    try:\n"
        "        open_source(spec)\n"
        "    except VastraError as error:\n"
        "        print(error)\n"
    )
    specs = [str(tmp_path / "cut.mp4"), "97", "/dev/video98"]
    done = subprocess.run([sys.executable, "-c", program, *specs], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(specs)


def test_interrupt_ends_the_wait_for_a_frame(tmp_path: Path) -> None:
    source = VideoFile(write_video(tmp_path / "slow.avi", fps=0.02))
    source.read()
    threading.Timer(0.02, source.interrupt).start()
    with pytest.raises(SourceEnded):
        source.read()
    source.close()
    source.close()


def test_a_real_clip(shared: Path) -> None:
    frames = read_all(open_source(str(shared / "clips" / "eat.mkv"), asap=True))
    assert len(frames) == 47
    assert {f.size for f in frames} == {(640, 480)}
    assert all(b.captured_ns >= a.captured_ns for a, b in pairwise(frames))


# --- pictures and folders


def picture(path: Path, size: tuple[int, int] = (64, 48), value: int = 200) -> Path:
    write_picture(path, np.full((size[1], size[0], 3), value, np.uint8))
    return path


def test_a_picture_lasts_some_seconds_or_for_ever(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    frames = read_all(open_source(str(path), fps=7, asap=True))
    assert len(frames) == STILL_SECONDS * 7
    assert frames[-1].bgr[0, 0, 0] == 200
    endless = Still(path, loop=True, asap=True)
    assert [endless.read().index for _ in range(400)][-1] == 399
    endless.close()


def test_a_picture_is_paced(tmp_path: Path) -> None:
    clock = FakeClock()
    source = Still(picture(tmp_path / "a.png"), fps=10, clock=clock)
    assert len(read_all(source)) == STILL_SECONDS * 10
    assert clock.now == pytest.approx(100 + STILL_SECONDS)


def test_a_large_photo_is_brought_to_camera_size(tmp_path: Path) -> None:
    path = picture(tmp_path / "photo.jpg", (1200, 2400))
    for size, expected in ((None, (960, 1920)), ((640, 480), (640, 480)), ((1200, 2400), (1200, 2400))):
        source = Still(path, size=size)
        assert source.read().size == expected
        source.close()


def test_a_folder_shows_its_pictures_by_name_at_one_size(tmp_path: Path) -> None:
    picture(tmp_path / "b.png", (48, 64), value=2)
    picture(tmp_path / "a.png", (64, 48), value=1)
    picture(tmp_path / "c.png", (32, 32), value=3)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden.png").write_text("not a picture either")
    frames = read_all(open_source(str(tmp_path), asap=True))
    assert {f.size for f in frames} == {(64, 48)}
    assert [int(f.bgr[24, 32, 0]) for f in frames] == [1, 2, 3]
    again = Folder(tmp_path, loop=True, asap=True)
    assert [int(again.read().bgr[24, 32, 0]) for _ in range(5)] == [1, 2, 3, 1, 2]
    again.close()


def test_bad_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("words")
    with pytest.raises(PictureError, match="not a picture"):
        open_source(str(tmp_path / "text.jpg"))
    with pytest.raises(PictureError, match="no such file"):
        open_source(str(tmp_path / "nowhere.png"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureError, match="no pictures"):
        open_source(str(tmp_path / "empty"))


@given(have=st.tuples(st.integers(2, 90), st.integers(2, 90)), want=st.tuples(st.integers(2, 90), st.integers(2, 90)))
def test_letterboxing_keeps_proportions_and_the_middle(have: tuple[int, int], want: tuple[int, int]) -> None:
    out = letterbox(np.full((have[1], have[0], 3), 255, np.uint8), want)
    assert out.shape == (want[1], want[0], 3)
    columns, rows = np.flatnonzero(out[:, :, 0].any(axis=0)), np.flatnonzero(out[:, :, 0].any(axis=1))
    inner = np.array([columns.size, rows.size])
    scale = min(want[0] / have[0], want[1] / have[1])
    exact = np.maximum(1, np.multiply(have, scale))
    # a bar of one pixel is no bar: that side is filled
    filled = (inner == want) & (np.subtract(want, exact) <= 1.5)
    assert (filled | (np.abs(inner - exact) <= 0.5 + 1e-9)).all()
    assert abs((columns[0] + columns[-1]) - (want[0] - 1)) <= 1
    assert abs((rows[0] + rows[-1]) - (want[1] - 1)) <= 1


# --- the demo


def test_the_demo_is_one_pass_of_steady_size_and_repeats_seamlessly() -> None:
    frames = read_all(Demo(size=(160, 120), asap=True))
    assert len(frames) == DEMO_FRAMES
    assert {f.size for f in frames} == {(160, 120)}
    looped = Demo(size=(160, 120), loop=True, asap=True)
    again = [looped.read() for _ in range(DEMO_FRAMES + 2)][-2:]
    looped.close()
    assert again[0].index == DEMO_FRAMES
    np.testing.assert_array_equal(again[0].bgr, frames[0].bgr)

    def step(a: Frame, b: Frame) -> float:
        blurred = [cv2.GaussianBlur(f.bgr, (0, 0), 3).astype(float) for f in (a, b)]
        return float(np.abs(blurred[0] - blurred[1]).mean())

    usual = [step(frames[i], frames[i + 1]) for i in range(0, 290, 29)]
    assert step(frames[-1], again[0]) <= max(usual) * 1.1
    assert min(usual) > 0.05


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 640), (333, 333), (1920, 200)])
def test_the_demo_never_leaves_the_photo(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    marked = np.full((600, 512, 3), 255, np.uint8)
    monkeypatch.setattr("vastra_live.capture.demo._portrait", lambda: marked)
    demo = Demo(size=size, asap=True)
    monkeypatch.setattr(demo, "_noise", np.zeros_like(demo._noise))
    darkest = min(int(demo._picture(i).min()) for i in range(0, DEMO_FRAMES, 20))  # type: ignore[union-attr]
    demo.close()
    assert darkest >= 255 * 0.95


def test_without_matplotlib_the_install_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.cbook", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "vastra-live\[demo\]"'):
        open_source("demo")


# --- what the user names


@pytest.mark.parametrize("spec", ["webcam", "nowhere", "", "  ", "-1", "rtsp://camera.local/live.sdp"])
def test_an_unknown_source_names_what_is_accepted(spec: str) -> None:
    with pytest.raises(ConfigError, match="name a camera") as caught:
        open_source(spec)
    assert repr(spec.strip()) in str(caught.value)


def test_impossible_sizes_and_rates_are_refused() -> None:
    for size in ((0, 480), (640, 100_000), (-1, -1)):
        with pytest.raises(ConfigError, match="size"):
            open_source("demo", size=size)
    for fps in (0.0, -1.0, float("nan"), 1e9):
        with pytest.raises(ConfigError, match="fps"):
            open_source("demo", fps=fps)


def test_every_source_is_a_frame_source_and_stamps_once(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi")
    picture(tmp_path / "b.png")
    for spec in ("a.avi", "b.png", "."):
        source = open_source(str(tmp_path / spec), asap=True)
        assert isinstance(source, FrameSource)
        before = time.monotonic_ns()
        frame = source.read()
        assert before <= frame.captured_ns <= time.monotonic_ns()
        source.close()
        with pytest.raises(SourceEnded):
            source.read()
