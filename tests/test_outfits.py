"""Garments asked for by name or path, one or two at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vastra_live.cli import main
from vastra_live.errors import WardrobeError
from vastra_live.outfits import find_garment
from vastra_live.types import Category
from vastra_live.wardrobe.store import BUILT_IN, Wardrobe


@pytest.fixture
def wardrobe(tmp_path: Path) -> Wardrobe:
    return Wardrobe(tmp_path / "wardrobe")


@pytest.mark.parametrize("wanted", ["coast-tee+dock-jeans", "dock-jeans+coast-tee"])
def test_a_top_and_a_lower_garment_are_an_outfit_in_any_order(wardrobe: Wardrobe, wanted: str) -> None:
    garment = find_garment(wardrobe, wanted)
    assert (garment.name, garment.category) == ("coast-tee+dock-jeans", Category.UPPER)
    assert garment.worn_with is not None
    assert garment.worn_with.name == "dock-jeans"


def test_paths_join_as_names_do(wardrobe: Wardrobe, tmp_path: Path) -> None:
    photo = tmp_path / "tee.jpg"
    shutil.copy(BUILT_IN / "coast-tee" / "photo.jpg", photo)
    garment = find_garment(wardrobe, f"{photo}+dock-jeans")
    assert garment.name == "tee+dock-jeans"
    # a file that has the sign in its own name is one garment
    odd = tmp_path / "tee+sun.jpg"
    photo.rename(odd)
    assert find_garment(wardrobe, str(odd)).worn_with is None


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("coast-tee+rib-tank", "expected a top and a lower garment, got upper and upper"),
        ("coast-tee+", "joined by one \\+"),
        ("coast-tee+dock-jeans+rib-tank", "joined by one \\+"),
        ("coast-tee+no-such-thing", "no-such-thing"),
    ],
)
def test_what_is_no_outfit_is_named(wardrobe: Wardrobe, wanted: str, words: str) -> None:
    with pytest.raises(WardrobeError, match=words):
        find_garment(wardrobe, wanted)


def test_the_report_of_a_run_names_the_outfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASTRA_WARDROBE", str(tmp_path / "wardrobe"))
    report = tmp_path / "report.json"
    command = "run --source demo --garment coast-tee+dock-jeans --synthesizer embedded --asap --frames 8 --output null"
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--report", str(report)])
    assert ended.value.code == 0
    assert json.loads(report.read_text())["garment"] == "coast-tee+dock-jeans"
