"""How far a download is, shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

__all__ = ["OnProgress", "progress_bar", "untold"]

OnProgress = Callable[[int, int | None], None]
"""Told the bytes that are there and the bytes there will be, None when nobody knows."""


def untold(done: int, total: int | None) -> None:
    """Nobody wants to know."""
    del done, total


@contextmanager
def progress_bar(console: Console, title: str) -> Iterator[OnProgress]:
    """A bar on the console while a file is pulled.

    Args:
        console: where to.
        title: what is pulled.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
