from __future__ import annotations

import pytest

from tests.test_types import a_garment
from vastra_live.rack import Rack
from vastra_live.types import Garment


def test_leafing_goes_round_and_reads_each_picture_once() -> None:
    read: list[str] = []

    def load(name: str) -> Garment:
        read.append(name)
        return a_garment()

    rack = Rack(["tee", "shirt", "hoodie"], load)
    assert [rack.wanted, rack.step(1), rack.step(1), rack.step(1), rack.step(-1)] == [
        "tee", "shirt", "hoodie", "tee", "hoodie",
    ]  # fmt: skip
    assert read == []
    assert rack.garment("tee") is rack.garment("tee")
    assert read == ["tee"]


def test_an_empty_rack_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Rack([], lambda _: a_garment())
