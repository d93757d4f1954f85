"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
