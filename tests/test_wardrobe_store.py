"""The wardrobe keeps garments whole, by allowed names, and says what is wrong with what it cannot use."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastra_live.errors import GarmentError, PictureError, WardrobeError
from vastra_live.types import Category, Garment, Sleeve
from vastra_live.wardrobe.drawing import draw_garment
from vastra_live.wardrobe.record import METADATA, read_record, write_record
from vastra_live.wardrobe.store import BUILT_IN, Wardrobe, check_name, describe, name_from

OWN = ["coast-tee", "dock-jeans", "harbour-stripe", "oxford-shirt", "pouch-hoodie", "rib-tank"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return Path(shutil.copy(BUILT_IN / "coast-tee" / "photo.jpg", tmp_path / "My tee (1).jpg"))


@pytest.fixture
def wardrobe(tmp_path: Path) -> Wardrobe:
    return Wardrobe(tmp_path / "wardrobe")


def put(wardrobe_folder: Path, name: str, garment: Garment) -> None:
    folder = wardrobe_folder / name
    folder.mkdir(parents=True)
    write_record(folder, garment, np.asarray(garment.bgr))


def quarter(garment: Garment) -> Garment:
    """The garment at a quarter of its size: quick to write."""
    assert garment.inside_alpha is not None
    points = {name: (x / 4, y / 4) for name, (x, y) in garment.landmarks_px.items()}
    bgr, alpha, inside = (
        np.ascontiguousarray(plane[::4, ::4]) for plane in (garment.bgr, garment.alpha, garment.inside_alpha)
    )
    return dataclasses.replace(garment, bgr=bgr, alpha=alpha, inside_alpha=inside, landmarks_px=points)


@pytest.fixture
def filled(tmp_path: Path) -> Wardrobe:
    """A wardrobe with a garment that no intake had to read."""
    put(tmp_path / "wardrobe", "mine", quarter(Wardrobe(tmp_path / "none").load("rib-tank")))
    return Wardrobe(tmp_path / "wardrobe")


def test_a_new_wardrobe_holds_the_built_in_garments(wardrobe: Wardrobe) -> None:
    assert wardrobe.names() == OWN
    entries = {entry.name: entry for entry in wardrobe.entries()}
    assert all(entry.built_in for entry in entries.values())
    assert [name for name, entry in entries.items() if entry.category is not Category.UPPER] == ["dock-jeans"]
    assert entries["dock-jeans"].category is Category.LOWER
    assert entries["coast-tee"].sleeve is Sleeve.SHORT
    assert entries["pouch-hoodie"].sleeve is Sleeve.LONG
    assert entries["rib-tank"].sleeve is Sleeve.NONE


def test_the_built_in_jeans_can_be_worn(wardrobe: Wardrobe) -> None:
    points = wardrobe.load("dock-jeans").landmarks_px
    for side in ("left", "right"):
        assert points[f"waist_{side}"][1] < points["crotch"][1] < points[f"cuff_inner_{side}"][1]
    assert points["cuff_outer_left"][0] > points["cuff_inner_left"][0] > points["cuff_inner_right"][0]


@pytest.mark.parametrize("name", [name for name in OWN if name != "dock-jeans"])
def test_each_built_in_top_can_be_worn(wardrobe: Wardrobe, name: str) -> None:
    garment = wardrobe.load(name)
    points = garment.landmarks_px
    # the wearer's left is on the right of the photo
    for role in ("neck", "shoulder", "armpit", "waist", "hem"):
        assert points[f"{role}_left"][0] > points[f"{role}_right"][0]
    assert points["shoulder_left"][1] < points["armpit_left"][1] < points["waist_left"][1] < points["hem_left"][1]
    assert garment.inside_alpha is not None
    assert garment.inside_alpha.sum() > 500
    assert (garment.inside_alpha <= garment.alpha + 1 / 255).all()


def test_adding_then_moving_the_photo_away_changes_nothing(wardrobe: Wardrobe, photo: Path, tmp_path: Path) -> None:
    added = wardrobe.add(photo)
    photo.unlink()
    assert added.name == "My-tee-1"
    loaded = Wardrobe(tmp_path / "wardrobe").load("My-tee-1")
    assert wardrobe.names()[0] == "My-tee-1"
    assert loaded.category is added.category
    assert loaded.landmarks_px == added.landmarks_px
    np.testing.assert_array_equal(loaded.bgr, added.bgr)
    np.testing.assert_array_equal(loaded.alpha, added.alpha)


def test_a_photo_that_cannot_be_read_leaves_nothing_behind(wardrobe: Wardrobe, tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    with pytest.raises(PictureError, match=r"text\.jpg"):
        wardrobe.add(text)
    assert wardrobe.names() == OWN
    assert not (tmp_path / "wardrobe").exists()


def test_a_failed_write_leaves_nothing_behind(
    wardrobe: Wardrobe, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vastra_live.wardrobe.store.write_record", full)
    with pytest.raises(WardrobeError, match="No space left"):
        wardrobe.add(photo, name="new")
    assert list((tmp_path / "wardrobe").iterdir()) == []


def test_a_name_can_be_used_once(filled: Wardrobe, photo: Path) -> None:
    for taken in ("mine", "MINE", "coast-tee"):
        with pytest.raises(WardrobeError, match=r"is taken; choose another with --name"):
            filled.add(photo, name=taken)


def test_unknown_names_list_what_was_perhaps_meant(wardrobe: Wardrobe) -> None:
    with pytest.raises(WardrobeError, match=r"did you mean coast-tee\?.*garment list"):
        wardrobe.load("coast-te")
    with pytest.raises(WardrobeError, match=r"no garment is called '\.\./rib-tank'"):
        wardrobe.load("../rib-tank")


def test_removing(filled: Wardrobe) -> None:
    filled.remove("mine")
    assert filled.names() == OWN
    with pytest.raises(WardrobeError, match="comes with the package"):
        filled.remove("coast-tee")
    with pytest.raises(WardrobeError, match="no garment is called"):
        filled.remove("mine")


@pytest.mark.parametrize("role", ["photo", "alpha", "inside"])
def test_a_changed_file_is_named(filled: Wardrobe, role: str) -> None:
    path = filled.entry("mine").paths[role]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(WardrobeError, match=f"garment mine: its {role} .*{path.name} is not the file that was stored"):
        filled.load("mine")
    path.unlink()
    with pytest.raises(WardrobeError, match=f"its {role} .*cannot be read"):
        filled.load("mine")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "expected format 1, got list"),
        ('{"format": 9}', "expected format 1, got 9"),
        ('{"format": 1}', "category is missing"),
    ],
)
def test_damaged_metadata_is_refused(filled: Wardrobe, text: str, message: str) -> None:
    filled.entry("mine").paths["metadata"].write_text(text)
    with pytest.raises(WardrobeError, match=message):
        filled.load("mine")


def overrule(wardrobe: Wardrobe, **overrides: object) -> None:
    path = wardrobe.entry("mine").paths["metadata"]
    data = json.loads(path.read_text())
    data["overrides"] = overrides
    path.write_text(json.dumps(data))


def test_the_user_can_overrule_what_was_read(filled: Wardrobe) -> None:
    before = filled.load("mine")
    overrule(filled, sleeve="strap", landmarks={"hem_left": [120, 210.5]})
    after = filled.load("mine")
    assert after.sleeve is Sleeve.STRAP
    assert after.landmarks_px["hem_left"] == (120.0, 210.5)
    assert after.landmarks_px["hem_right"] == before.landmarks_px["hem_right"]


def test_another_category_brings_its_own_landmarks(filled: Wardrobe) -> None:
    overrule(filled, category="lower")
    garment = filled.load("mine")
    assert garment.category is Category.LOWER
    assert {"waist_left", "hem_left"} <= set(garment.landmarks_px)
    assert "armpit_left" not in garment.landmarks_px
    assert filled.entry("mine").category is Category.LOWER


@pytest.mark.parametrize(
    "overrides",
    [{"category": "hat"}, {"colour": "red"}, {"landmarks": {"nose": [1, 2]}}, {"landmarks": {"hem_left": [1, "x"]}}],
)
def test_overrides_that_mean_nothing_are_refused(filled: Wardrobe, overrides: dict[str, object]) -> None:
    overrule(filled, **overrides)
    with pytest.raises(WardrobeError, match=METADATA):
        filled.load("mine")


def test_files_outside_the_folder_are_refused(filled: Wardrobe) -> None:
    path = filled.entry("mine").paths["metadata"]
    data = json.loads(path.read_text())
    data["files"]["photo"]["file"] = "../../secret.png"
    path.write_text(json.dumps(data))
    with pytest.raises(WardrobeError, match="file name without folder"):
        read_record(path.parent)


def test_resolving_takes_names_and_paths(filled: Wardrobe, photo: Path) -> None:
    assert filled.resolve("mine").name == "mine"
    assert filled.resolve(str(photo)).category is Category.UPPER
    with pytest.raises(PictureError, match="no such file"):
        filled.resolve("nowhere/tee.jpg")
    with pytest.raises(WardrobeError, match="no garment is called"):
        filled.resolve("nowhere")


def test_the_description_is_json(filled: Wardrobe) -> None:
    told = json.loads(json.dumps(describe(filled, "mine")))
    assert {"name", "category", "sleeve", "landmarks", "mask"} <= told.keys()
    assert Path(told["mask"]).is_file()
    assert told["size"] == [192, 256]


def test_the_drawing_has_the_photos_size_and_marks_the_points(filled: Wardrobe) -> None:
    garment = filled.load("mine")
    drawn = draw_garment(garment)
    assert drawn.shape == garment.bgr.shape
    x, y = (round(v) for v in garment.landmarks_px["hem_left"])
    assert tuple(drawn[y, x]) == (40, 40, 210)


def test_an_unknown_category_is_refused(wardrobe: Wardrobe, photo: Path) -> None:
    with pytest.raises(GarmentError, match="expected auto, upper, lower, dress"):
        wardrobe.add(photo, category="hat")


@given(st.text(max_size=70))
def test_an_allowed_name_is_one_plain_folder_name(name: str) -> None:
    try:
        check_name(name)
    except WardrobeError:
        return
    assert Path(name).name == name
    assert name.isascii()
    assert not name.startswith((".", "-", "_"))


@given(st.text(alphabet=st.characters(exclude_characters="/\\\x00", codec="utf-8"), min_size=1, max_size=80))
def test_names_made_of_file_names_are_allowed(stem: str) -> None:
    try:
        name = name_from(Path(stem + ".jpg"))
    except WardrobeError as error:
        assert "--name" in str(error)
        return
    assert check_name(name) == name


def test_what_the_user_says_wins_until_it_is_taken_back(filled: Wardrobe) -> None:
    read = filled.load("mine")
    filled.correct("mine", sleeve="short")
    corrected = filled.correct("mine", landmarks_px={"hem_left": (100.0, 200.0)})
    assert corrected.sleeve is Sleeve.SHORT
    assert corrected.landmarks_px["hem_left"] == (100.0, 200.0)
    assert corrected.landmarks_px["hem_right"] == read.landmarks_px["hem_right"]
    dress = filled.correct("mine", category="dress")
    assert dress.category is Category.DRESS
    assert dress.landmarks_px["hem_left"] != (100.0, 200.0)
    assert filled.correct("mine", anew=True).landmarks_px == read.landmarks_px


def test_a_correction_that_means_nothing_changes_nothing(filled: Wardrobe) -> None:
    path = filled.entry("mine").paths["metadata"]
    before = path.read_text()
    with pytest.raises(WardrobeError, match="elbow is not a landmark"):
        filled.correct("mine", landmarks_px={"elbow": (1.0, 1.0)})
    with pytest.raises(WardrobeError, match="crotch is not a landmark of this dress garment"):
        filled.correct("mine", category="dress", landmarks_px={"crotch": (1.0, 1.0)})
    with pytest.raises(WardrobeError, match="sleeve 'wide': expected none, strap, short, half, long"):
        filled.correct("mine", sleeve="wide")
    with pytest.raises(WardrobeError, match="lies outside of the photo"):
        filled.correct("mine", landmarks_px={"hem_left": (5000.0, 1.0)})
    with pytest.raises(WardrobeError, match="cannot be corrected"):
        filled.correct("coast-tee", sleeve="long")
    assert path.read_text() == before
