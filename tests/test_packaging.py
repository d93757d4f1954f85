from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_holds_what_a_user_needs_and_the_base_install_no_torch(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(n).decode() for n in names if n.endswith("METADATA"))
    assert {"vastra_live/py.typed", "vastra_live/cli.py", "vastra_live/data/manifest.toml"} <= names
    assert "vastra_live/data/garments/coast-tee/photo.jpg" in names
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "bench/", "docs/"))]
    base = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert base
    assert not [line for line in base if "torch" in line or "onnxruntime" in line]
    for extra in ("synthesis", "gpu", "demo", "dev"):
        assert f"Provides-Extra: {extra}" in metadata
