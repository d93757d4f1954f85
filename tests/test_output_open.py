"""``--output``: what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from vastra_live.errors import ConfigError
from vastra_live.output import OutputKind, OutputSpec, open_sink, parse_output, parse_outputs
from vastra_live.output.base import FrameSink, SlowConsumer


def test_the_accepted_forms(tmp_path: Path) -> None:
    assert parse_output("window") == OutputSpec(OutputKind.WINDOW)
    assert parse_output("null") == OutputSpec(OutputKind.NULL)
    assert parse_output("virtualcam") == OutputSpec(OutputKind.VIRTUAL_CAMERA)
    assert parse_output("virtualcam:/dev/video10").device == "/dev/video10"
    assert parse_output("virtualcam:OBS Virtual Camera").device == "OBS Virtual Camera"
    assert parse_output(f"file:{tmp_path}/film.mp4").path == tmp_path / "film.mp4"
    assert parse_output(f"file:{tmp_path}/FILM.MP4").path == tmp_path / "FILM.MP4"


def test_a_path_may_be_relative_or_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert parse_output("file:film.mp4").path == parse_output("file:~/film.mp4").path == tmp_path / "film.mp4"


@pytest.mark.parametrize("spec", ["", "windows", "window:1", "null:x", "virtualcam:", "file", "file:", "film.mp4"])
def test_another_form_is_refused_with_the_accepted_ones(spec: str) -> None:
    with pytest.raises(ConfigError, match=r"window, virtualcam, virtualcam:DEVICE, file:PATH\.mp4") as caught:
        parse_output(spec)
    assert f"--output {spec}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("film.avi", r"film\.mp4"),
        ("film", r"film\.mp4"),
        ("folder.mp4", "folder"),
        ("missing/film.mp4", "no folder"),
        ("a" * 300 + ".mp4", "no such path"),
        ("", "folder"),
    ],
)
def test_a_film_that_could_not_be_written_is_refused(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(ConfigError, match=told):
        parse_output(f"file:{tmp_path / name}")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


@pytest.mark.parametrize("spec", ["file:/", "file:~nobody-of-that-name/film.mp4"])
def test_a_path_that_names_no_file_is_refused(spec: str) -> None:
    with pytest.raises(ConfigError, match="--output file:"):
        parse_output(spec)


def test_a_film_where_one_may_not_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_args, **_more: False)
    with pytest.raises(ConfigError, match="no right to write"):
        parse_output(f"file:{tmp_path}/film.mp4")


def test_two_of_the_same_are_refused(tmp_path: Path) -> None:
    for spec in ("window", "virtualcam", f"file:{tmp_path}/film.mp4"):
        with pytest.raises(ConfigError, match="twice"):
            parse_outputs(["null", spec, spec])
    assert len(parse_outputs(["null", "null", "window", "virtualcam", f"file:{tmp_path}/a.mp4"])) == 5


def test_opening_touches_nothing(tmp_path: Path) -> None:
    for spec in ("null", "virtualcam:/dev/nothing", f"file:{tmp_path}/film.mp4"):
        sink = open_sink(spec, fps=30, slow_consumer=SlowConsumer.WAIT)
        assert isinstance(sink, FrameSink)
        assert sink.slow_consumer is SlowConsumer.WAIT
        assert sink.name == spec
        sink.close()
    assert not list(tmp_path.iterdir())


def test_a_window_is_no_sink() -> None:
    with pytest.raises(ConfigError, match="window"):
        open_sink("window", fps=30, slow_consumer=SlowConsumer.DROP_OLDEST)


@pytest.mark.parametrize("fps", [0.0, -1.0, 1000.0, float("nan")])
def test_a_rate_that_cannot_be_meant_is_refused(fps: float) -> None:
    with pytest.raises(ConfigError, match="frames a second"):
        open_sink("null", fps=fps, slow_consumer=SlowConsumer.DROP_OLDEST)
