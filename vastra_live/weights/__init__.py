"""The networks' files: what there is, fetching it, and opening it without trusting it.

``docs/decisions/0007-weights-and-conditions.md`` says why it is built this way.
"""

from vastra_live.weights.checkpoint import load_detectron2, load_torch
from vastra_live.weights.manifest import Entry, Format, read_manifest
from vastra_live.weights.progress import progress_bar
from vastra_live.weights.store import Status, Store, default_folder

__all__ = [
    "Entry",
    "Format",
    "Status",
    "Store",
    "default_folder",
    "load_detectron2",
    "load_torch",
    "progress_bar",
    "read_manifest",
]
