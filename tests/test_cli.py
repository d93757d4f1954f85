"""The command line on bad input: one line that names the input and the remedy, exit 2, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vastra_live.cli import main


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASTRA_WARDROBE", str(tmp_path / "wardrobe"))
    monkeypatch.setenv("VASTRA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert isinstance(end.value.code, int)
    return end.value.code


def a_portrait(path: Path) -> Path:
    from skimage import data

    Image.fromarray(data.astronaut()).save(path)
    return path


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def make_text(path: Path) -> None:
    path.write_text("this is a shopping list\n")


def make_truncated(path: Path) -> None:
    a_portrait(path)
    path.write_bytes(path.read_bytes()[:9000])


def make_tiny(path: Path) -> None:
    Image.new("RGB", (1, 1)).save(path)


def make_huge(path: Path) -> None:
    # a PNG header that promises 30,000 x 30,000 and no data: decoding it would fail otherwise
    import struct
    import zlib

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT"
    )


BAD_PICTURES: dict[str, Callable[[Path], None]] = {
    "missing.jpg": lambda _: None,
    "empty.jpg": make_empty,
    "text.jpg": make_text,
    "truncated.jpg": make_truncated,
    "tiny.png": make_tiny,
    "huge.png": make_huge,
}


@pytest.mark.parametrize("name", BAD_PICTURES)
@pytest.mark.parametrize("command", ["photo person", "photo garment", "run source", "run garment", "garment add"])
def test_a_bad_picture_is_named_in_one_line(
    name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / name
    BAD_PICTURES[name](bad)
    good = str(a_portrait(tmp_path / "good.png"))
    before = set(tmp_path.rglob("*"))
    arguments = {
        "photo person": ("photo", str(bad), "coast-tee", "-o", "out.png"),
        "photo garment": ("photo", good, str(bad), "-o", "out.png"),
        "run source": ("run", "--source", str(bad), "--output", "file:out.mp4", "--report", "out.json"),
        "run garment": ("run", "--source", good, "--garment", str(bad), "--output", "file:out.mp4"),
        "garment add": ("garment", "add", str(bad)),
    }[command]
    assert call(*arguments) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0, said
    assert name in said
    assert "Traceback" not in said
    assert {p for p in set(tmp_path.rglob("*")) - before if p.is_file()} == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--source", "demo", "--size", "big", "--output", "null"), "--size: expected WxH"),
        (("run", "--source", "demo", "--garment", "no-such-thing", "--output", "null"), "no-such-thing"),
        (("run", "--source", "demo", "--output", "carrier-pigeon"), "carrier-pigeon"),
        (("run", "--source", "demo", "--output", "file:out.avi"), "mp4"),
        (("run", "--source", "demo", "--output", "file:no/such/folder/out.mp4"), "folder"),
        (("run", "--source", "demo", "--output", "null", "--report", "no/such/folder/r.json"), "folder"),
        (("run", "--source", "demo", "--config", "gone.toml"), "gone.toml"),
        (("run", "--source", "demo", "--synthesizer", "magic"), "'magic'"),
        (("run", "--source", "nowhere.mp4", "--output", "null"), "nowhere.mp4"),
        (("garment", "remove", "no-such-thing"), "no-such-thing"),
        (("garment", "show", "no-such-thing", "-o", "x.png"), "no-such-thing"),
        (("run", "--no-such-flag"), "--no-such-flag"),
        (("dance",), "dance"),
    ],
)
def test_bad_arguments_end_with_2_and_name_what_is_wrong(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_video_without_frames_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hollow.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
    assert call("run", "--source", "hollow.mp4", "--output", "null") == 2
    assert "hollow.mp4" in capsys.readouterr().err


def test_the_demo_wears_a_garment_and_the_report_says_so(tmp_path: Path) -> None:
    arguments = ("--source", "demo", "--asap", "--frames", "20", "--output", "sheet:s.png", "--output", "file:v.mp4")
    assert call("run", *arguments, "--report", "r.json") == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["frames"] == 20
    assert report["shown"]["garment"] == 20
    assert (report["ended"], report["error"]) == ("frames", None)
    assert (tmp_path / "v.mp4").stat().st_size > 10_000
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width > 1000


def test_a_photo_keeps_its_size_and_its_face(tmp_path: Path) -> None:
    person = a_portrait(tmp_path / "person.png")
    assert call("photo", str(person), "coast-tee", "-o", "out.png", "--debug-dir", "stages") == 0
    before, after = np.asarray(Image.open(person)), np.asarray(Image.open(tmp_path / "out.png"))
    assert before.shape == after.shape
    face = np.s_[70:140, 195:255]
    assert np.abs(before[face].astype(int) - after[face]).max() <= 2
    assert (np.abs(before.astype(int) - after).max(2) > 20).mean() > 0.05
    assert len(list((tmp_path / "stages").iterdir())) >= 4


def test_the_wardrobe_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    photo = shared / "garments" / "00057_00.jpg"
    assert call("garment", "add", str(photo), "--name", "lee", "--json") == 0
    added = json.loads(capsys.readouterr().out)
    assert (added["name"], added["category"]) == ("lee", "upper")
    assert {"neck_left", "hem_right"} <= set(added["landmarks"])
    assert Path(added["mask"]).is_file()
    assert call("garment", "list", "--json") == 0
    assert "lee" in [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert call("garment", "show", "lee", "-o", "lee.png") == 0
    assert (tmp_path / "lee.png").is_file()
    assert call("garment", "correct", "lee", "--sleeve", "half", "--landmark", "hem_left=40,50", "--json") == 0
    corrected = json.loads(capsys.readouterr().out)
    assert (corrected["sleeve"], corrected["landmarks"]["hem_left"]) == ("half", [40, 50])
    assert call("garment", "correct", "lee", "--landmark", "hem_left") == 2
    assert call("garment", "remove", "lee") == 0
    assert call("garment", "show", "lee", "-o", "lee.png") == 2


def test_weights_are_listed_with_their_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("weights", "list") == 0
    said = capsys.readouterr().out
    assert "hr-viton-generator" in said
    assert "CC BY-NC 4.0: not for commercial use" in said
    assert "densepose_rcnn_R_50_FPN_s1x" in said and "…" not in said, "nothing is cut off"
    assert max(map(len, said.splitlines())) <= 80
    assert call("weights", "verify") == 0
    assert "nothing to verify" in capsys.readouterr().err


def test_weights_are_not_pulled_unless_the_licence_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("weights", "pull", "hr-viton-generator") == 2
    assert "--accept-licence" in capsys.readouterr().err


def test_a_wrong_checkpoint_is_refused_and_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "gen.pth").write_text("<html>sign in to continue</html>")
    assert call("weights", "pull", "hr-viton-generator", "--from", "brought", "--accept-licence") == 2
    said = capsys.readouterr().err
    assert "gen.pth" in said
    assert "Traceback" not in said
    assert not (tmp_path / "weights" / "gen.pth").exists()


@pytest.mark.parametrize("name", ["hr-viton", "cp-vton"])
def test_a_network_without_its_files_says_what_to_install_or_pull(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "--source", "demo", "--output", "null", "--synthesizer", name) == 2
    said = capsys.readouterr().err
    assert "pip install" in said or "weights pull" in said


def test_auto_says_why_it_took_the_embedded_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--source", "demo", "--asap", "--frames", "2", "--output", "null", "--report", "r.json") == 0
    assert "the embedded synthesizer works here: " in capsys.readouterr().err
    assert json.loads((tmp_path / "r.json").read_text())["synthesizer"] == "embedded"


def test_doctor_examines_and_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("doctor", "--json") == 0
    checks = json.loads(capsys.readouterr().out)
    assert checks


def test_help_and_version_do_not_load_opencv() -> None:
    code = (
        "import sys\n"
        "from vastra_live.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert not {'cv2', 'mediapipe', 'torch', 'numpy'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_no_network_library() -> None:
    code = (
        "import sys, vastra_live.launch, vastra_live.photo\n"
        "heavy = {'torch', 'mediapipe', 'onnxruntime', 'detectron2', 'pyvirtualcam', 'skimage'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
