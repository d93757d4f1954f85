"""Holding back what mediapipe's C++ libraries write to stderr and no switch of theirs turns off."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

__all__ = ["without_chatter"]

# what mediapipe and TensorFlow Lite print on every start
_CHATTER = re.compile(rb"^([IW]\d{4} [\d:.]+ |INFO: Created TensorFlow|WARNING: All log messages before absl)")


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what the C++ libraries write to stderr; all but their start-up chatter is passed on after."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (AttributeError, OSError):  # no stderr, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _CHATTER.match(line)))
