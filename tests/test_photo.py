"""One picture in, one picture out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_garment
from vastra_live.errors import ConfigError, NothingToFitError, PictureError
from vastra_live.photo import try_on, try_on_files
from vastra_live.types import U8


@pytest.fixture(scope="module")
def portrait() -> U8:
    """A real photograph of a person, that scikit-image ships."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


def test_the_result_has_the_size_of_the_photo_and_its_face(portrait: U8) -> None:
    made = try_on(portrait, drawn_garment())
    assert made.shape == portrait.shape
    assert made.dtype == np.uint8
    face = np.s_[95:155, 185:260]
    assert (made[face] == portrait[face]).all()
    changed = np.abs(made.astype(int) - portrait).max(axis=-1) > 20
    assert changed[280:500, 60:300].mean() > 0.6


def test_odd_sizes_work(portrait: U8) -> None:
    odd = cv2.resize(portrait, (333, 401))
    assert try_on(odd, drawn_garment()).shape == odd.shape


def test_a_picture_without_a_person_is_named() -> None:
    with pytest.raises(NothingToFitError, match="nobody"):
        try_on(np.full((240, 320, 3), 128, np.uint8), drawn_garment())


@pytest.mark.parametrize("shape", [(240, 320), (240, 320, 4), (8, 8, 3)])
def test_what_is_no_picture_of_a_person_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PictureError, match="person"):
        try_on(np.zeros(shape, np.uint8), drawn_garment())


def test_files_and_stages(portrait: U8, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "person.png"), portrait)
    try_on_files(tmp_path / "person.png", drawn_garment(), tmp_path / "out.png", debug_dir=tmp_path / "stages")
    assert cv2.imread(str(tmp_path / "out.png")).shape == portrait.shape
    names = {path.stem.split("-", 1)[1] for path in (tmp_path / "stages").glob("*.png")}
    assert {"body", "garment", "reading", "undressed", "relief", "layer", "alpha", "result"} <= names


def test_a_debug_folder_that_cannot_be_made_is_named(portrait: U8, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "person.png"), portrait)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="debug-dir"):
        try_on_files(tmp_path / "person.png", drawn_garment(), tmp_path / "out.png", debug_dir=tmp_path / "file" / "x")


def test_the_error_names_the_file(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 128, np.uint8))
    with pytest.raises(NothingToFitError, match=r"wall\.png"):
        try_on_files(tmp_path / "wall.png", drawn_garment(), tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()
