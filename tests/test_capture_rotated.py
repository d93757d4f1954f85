"""A camera that stands on its side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vastra_live.capture import FrameSource, open_source
from vastra_live.capture.rotated import Rotated
from vastra_live.config import load_settings
from vastra_live.errors import ConfigError, SourceEnded
from vastra_live.pictures import write_picture


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Wide, and red in its upper left corner."""
    bgr = np.zeros((48, 96, 3), np.uint8)
    bgr[:12, :12] = (0, 0, 255)
    path = tmp_path / "wide.png"
    write_picture(path, bgr)
    return path


@pytest.mark.parametrize(("degrees", "corner"), [(90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_frames_are_turned_clockwise_and_keep_index_and_time(
    picture: Path, degrees: int, corner: tuple[int, int]
) -> None:
    inner = open_source(str(picture), asap=True)
    frame = Rotated(inner, degrees).read()
    assert frame.size == ((96, 48) if degrees == 180 else (48, 96))
    assert frame.bgr[corner].tolist() == [0, 0, 255]
    assert (frame.bgr == 255).any(axis=-1).sum() == 144
    following = inner.read()
    assert following.index == frame.index + 1
    assert following.captured_ns >= frame.captured_ns


def test_a_turned_source_is_the_source_it_turns_in_all_else(picture: Path) -> None:
    source = open_source(str(picture), fps=7, asap=True, rotate=90)
    assert isinstance(source, FrameSource)
    assert (source.name, source.fps, source.live, source.every_frame) == ("wide.png", 7, False, True)
    assert source.health.ok
    source.interrupt()
    with pytest.raises(SourceEnded):
        source.read()
    source.close()


@pytest.mark.parametrize("degrees", [45, -90, 360])
def test_other_angles_are_refused(picture: Path, degrees: int) -> None:
    with pytest.raises(ConfigError, match="rotate"):
        open_source(str(picture), rotate=degrees)
    with pytest.raises(ConfigError, match="--rotate"):
        load_settings({"rotate": degrees}, environment={})


def test_the_environment_may_turn_it() -> None:
    assert load_settings({}, environment={"VASTRA_ROTATE": "270"}).rotate == 270
    with pytest.raises(ConfigError, match="VASTRA_ROTATE"):
        load_settings({}, environment={"VASTRA_ROTATE": "sideways"})
