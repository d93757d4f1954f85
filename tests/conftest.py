"""What the tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# CI says the same of the same tree: new examples are found at the desk, not while something else lands
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Clips, people, garments and reference vectors, which live beside the checkout and not in it."""
    if not SHARED.is_dir():
        reason = f"the test data folder {SHARED} is missing"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason + "; the tests that need real clips and people are left out")
    return SHARED


@pytest.fixture(scope="session")
def published(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Person 00006_00 and its cloths, laid out as VITON-HD is published."""
    root, person = tmp_path_factory.mktemp("published"), shared / "people/00006"
    for origin, target in {
        "image.jpg": "image/00006_00.jpg",
        "keypoints.json": "openpose_json/00006_00_keypoints.json",
        "parse.png": "image-parse-v3/00006_00.png",
        "parse-agnostic.png": "image-parse-agnostic-v3.2/00006_00.png",
        "densepose.jpg": "image-densepose/00006_00.jpg",
        "cloth-001.jpg": "cloth/001.jpg",
        "cloth-001.mask.jpg": "cloth-mask/001.jpg",
    }.items():
        path = root / target
        path.parent.mkdir(exist_ok=True)
        shutil.copy(person / origin, path)
    return root
