from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.config import load_settings, parse_size
from vastra_live.errors import ConfigError


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('source = "file"\ngarment = "file"\nbody_hz = 10\n')
    environment = {"VASTRA_SOURCE": "environment", "VASTRA_GARMENT": "environment"}
    settings = load_settings({"source": "flag", "fps": None}, config=file, environment=environment)
    assert (settings.source, settings.garment, settings.body_hz, settings.fps) == ("flag", "environment", 10, None)


def test_several_outputs_fit_into_one_variable() -> None:
    settings = load_settings({}, environment={"VASTRA_OUTPUT": "window, file:a.mp4"})
    assert settings.output == ("window", "file:a.mp4")


@given(st.integers(64, 7680), st.integers(64, 7680))
def test_sizes_round_trip(width: int, height: int) -> None:
    assert parse_size(f"{width}x{height}") == (width, height)


@pytest.mark.parametrize("text", ["", "640", "640x", "x480", "-640x480", "640x480x3", "10x10", "99999x9", "wide"])
def test_a_bad_size_names_the_flag_and_the_form(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--size: expected"):
        load_settings({"size": text}, environment={})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("colour = 1", "colour in the configuration .*no such setting"),
        ("fps = -1", "fps in the configuration .*got -1"),
        ("fps = = 1", "not valid TOML"),
        ('synthesizer = "magic"', "synthesizer .*'embedded'.*got 'magic'"),
    ],
)
def test_a_bad_file_names_file_and_setting(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=words):
        load_settings({}, config=file, environment={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load_settings({}, config=tmp_path / "gone.toml", environment={})


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"VASTRA_FRAMES.*got 'many'"):
        load_settings({}, environment={"VASTRA_FRAMES": "many"})
