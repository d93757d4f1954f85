"""The manifest, and which network each of its files fills."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vastra_live.errors import WeightsError
from vastra_live.weights import Entry, Format, Store, read_manifest
from vastra_live.weights.store import default_folder

torch = pytest.importorskip("torch")

from vastra_live.synthesis import checkpoints  # noqa: E402 - needs torch when used

KEYS = {
    "hr-viton-condition": "keys-hrviton-tocg.txt",
    "hr-viton-generator": "keys-hrviton-gen.txt",
    "cp-vton-gmm": "keys-cpvton-gmm.txt",
    "cp-vton-tom": "keys-cpvton-tom.txt",
    "cp-vton-plus-gmm": "keys-cpvtonplus-gmm.txt",
    "cp-vton-plus-tom": "keys-cpvtonplus-tom.txt",
}
ENTRIES = {entry.name: entry for entry in read_manifest()}


def test_every_torch_entry_has_a_published_key_list() -> None:
    assert set(KEYS) == {e.name for e in ENTRIES.values() if e.format is Format.TORCH}


@pytest.mark.parametrize("name", KEYS)
def test_expected_shapes_are_the_published_ones(shared: Path, name: str) -> None:
    published = {}
    for line in (shared / "reference" / KEYS[name]).read_text().splitlines():
        if not line.startswith("#"):
            key, shape, _ = line.split()
            published[key] = tuple(int(n) for n in re.findall(r"\d+", shape))
    assert dict(checkpoints.expected_shapes(ENTRIES[name].network)) == published


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_say_whose_they_are(name: str) -> None:
    entry = ENTRIES[name]
    assert entry.licence and entry.licence_url.startswith("https://") and entry.page.startswith("https://")
    assert "NC" not in entry.licence or not entry.commercial
    assert (entry.sha256 is None) == (entry.size is None)


def blank_state(network: str) -> dict[str, torch.Tensor]:
    return {key: torch.zeros(shape) for key, shape in checkpoints.expected_shapes(network).items()}


def wrong_network(folder: Path) -> tuple[Store, Path]:
    """A folder whose hr-viton-condition file is CP-VTON's smaller network."""
    path = folder / "mtviton.pth"
    torch.save(blank_state("cpvton.gmm"), path)
    return Store(folder), path


def test_another_networks_checkpoint_is_named(tmp_path: Path) -> None:
    store, path = wrong_network(tmp_path)
    with pytest.raises(WeightsError) as refusal:
        checkpoints.open_network(store, "hr-viton-condition")
    assert str(refusal.value).startswith(str(path))
    assert str(refusal.value).endswith("it is the checkpoint of cpvton.gmm")
    with pytest.raises(WeightsError, match=r"cpvton\.gmm"):
        store.verify("hr-viton-condition", checkpoints.check)
    assert store.status("hr-viton-condition")[0].recorded_sha256 is None


def test_the_right_checkpoint_opens_ready_to_run(tmp_path: Path) -> None:
    state = {key: value + 0.5 for key, value in blank_state("cpvton.gmm").items()}
    torch.save(state, tmp_path / "cp-vton-gmm.pth")
    store = Store(tmp_path)
    store.verify("cp-vton-gmm", checkpoints.check)
    opened = checkpoints.open_network(store, "cp-vton-gmm")
    assert not opened.training and not any(p.requires_grad for p in opened.parameters())
    assert all((value == 0.5).all() for value in opened.parameters())


def test_nothing_runs_without_its_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="weights pull hr-viton-generator"):
        checkpoints.open_network(Store(tmp_path), "hr-viton-generator", height=256, width=256)


ONE = """
[[file]]
name = "a"
file = "{file}"
groups = []
stage = "s"
format = "torch"
network = "n"
page = "p"
source = ["{source}"]
licence = "MIT"
licence_url = "u"
commercial = true
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not toml", "not valid TOML"),
        ("file = 3", r"\[\[file\]\]"),
        ("[[file]]\nname = 'a'", "an entry is wrong"),
        (ONE.format(file="../a.pth", source="https://x"), "without folders"),
        (ONE.format(file="a.pth", source="ftp://x"), "gdrive:ID"),
        (2 * ONE.format(file="a.pth", source="https://x"), "same name"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(WeightsError, match=reason):
        read_manifest(path)


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASTRA_WEIGHTS", str(tmp_path))
    assert default_folder() == tmp_path
    assert Store().folder == tmp_path


def test_entries_are_frozen() -> None:
    entry = ENTRIES["densepose"]
    assert isinstance(entry, Entry)
    with pytest.raises(ValueError, match="frozen"):
        entry.sha256 = None  # type: ignore[misc]
