"""The folder where the files lie: what is there, fetching what is not, and what is known about each."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from vastra_live.errors import MissingDependencyError, WeightsError
from vastra_live.weights.checkpoint import not_a_binary
from vastra_live.weights.fetch import copy_file, discard, fetch_drive, fetch_url
from vastra_live.weights.locking import locked
from vastra_live.weights.manifest import Entry, checkout_folder, read_manifest
from vastra_live.weights.progress import OnProgress, untold

__all__ = ["Check", "Status", "Store", "default_folder"]

Check = Callable[[Entry, Path], None]
"""Opens a file and raises WeightsError when it is not what its entry says."""

_LOCK_FILE: Final = "weights.lock.json"


def default_folder() -> Path:
    """``$VASTRA_WEIGHTS``; else ``weights`` of the source checkout; else the user's data folder."""
    named = os.environ.get("VASTRA_WEIGHTS")
    if named:
        return Path(named).expanduser()
    return checkout_folder() or Path(platformdirs.user_data_dir("vastra-live", False)) / "weights"


@dataclass(frozen=True, slots=True)
class Status:
    """One entry and what lies in the folder.

    Attributes:
        entry: from the manifest.
        path: where it lies or would lie.
        size: in bytes; None when it is not there.
        recorded_sha256: of the first file that came, where none is published.
        accepted: whether its licence was accepted here.
    """

    entry: Entry
    path: Path
    size: int | None
    recorded_sha256: str | None
    accepted: bool

    @property
    def present(self) -> bool:
        """Whether the file is there."""
        return self.size is not None


class Store:
    """The weights folder.

    Args:
        folder: None for :func:`default_folder`.
        entries: None for the package's manifest.
    """

    def __init__(self, folder: Path | None = None, entries: Sequence[Entry] | None = None) -> None:
        self.folder = folder or default_folder()
        self._entries = tuple(entries) if entries is not None else read_manifest()

    def select(self, name: str | None = None) -> tuple[Entry, ...]:
        """The entry of a name, the entries of a group, or all of them.

        Raises:
            WeightsError: nothing has this name.
        """
        found = tuple(e for e in self._entries if name is None or e.name == name or name in e.groups)
        if not found:
            names = sorted({e.name for e in self._entries} | {g for e in self._entries for g in e.groups})
            raise WeightsError(f"{name}: no such weights; there are {', '.join(names)}")
        return found

    def path(self, name: str) -> Path:
        """Where the one file of this name is.

        Raises:
            WeightsError: it is not there, or the name is unknown.
        """
        entry = self._one(name)
        path = self.folder / entry.file
        if not path.is_file():
            raise WeightsError(f"{path}: is not there yet; fetch it: vastra-live weights pull {name}")
        return path

    def status(self, name: str | None = None) -> list[Status]:
        """What is there and what is not; the files are not opened."""
        known = self._known()
        found = []
        for entry in self.select(name):
            path = self.folder / entry.file
            found.append(
                Status(
                    entry=entry,
                    path=path,
                    size=path.stat().st_size if path.is_file() else None,
                    recorded_sha256=known["files"].get(entry.file, {}).get("sha256"),
                    accepted=known["licences"].get(entry.name) == entry.licence,
                )
            )
        return found

    def pull(
        self,
        name: str,
        *,
        source: str | None = None,
        accept_licence: bool = False,
        check: Check | None = None,
        progress: OnProgress = untold,
    ) -> Path:
        """Fetch one file, unless the right one is there already.

        The file appears under its name whole and checked, or not at all. Several pulls of one file at once wait for
        each other; the later ones find it done.

        Args:
            name: of one entry.
            source: a folder or file brought by hand, or the address of a mirror that has the file under its name;
                None takes what the manifest names.
            accept_licence: the user has read the licence and accepts it; asked once for each file.
            check: opens the file before it gets its name; not needed where the hash is known.
            progress: told bytes done and bytes in all.

        Raises:
            WeightsError: licence not accepted, no source works, wrong hash, not the right network, disk full.
            MissingDependencyError: the only source left needs a package that is not installed.
        """
        entry = self._one(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder / f".{entry.file}.lock"):
                self._accept(entry, accept_licence)
                return self._pull_locked(entry, source, check, progress)
        except OSError as error:
            raise WeightsError(f"{self.folder}: cannot be used ({error.strerror or error})") from error

    def verify(self, name: str, check: Check) -> None:
        """Hash the file and open it.

        Where no hash is published and none was recorded, this one is recorded after the check.

        Raises:
            WeightsError: it is not there, or not what it should be.
        """
        entry = self._one(name)
        path = self.path(name)
        digest = _sha256(path)
        expected = entry.sha256 or self._known()["files"].get(entry.file, {}).get("sha256")
        if expected is not None and digest != expected:
            whose = "published" if entry.sha256 else "recorded when it first came"
            raise WeightsError(f"{path}: has sha256 {digest}, {whose} is {expected}; pull it again")
        check(entry, path)
        if expected is None:
            self._record(entry, digest, path.stat().st_size)

    def _one(self, name: str) -> Entry:
        for entry in self._entries:
            if entry.name == name:
                return entry
        group = [e.name for e in self._entries if name in e.groups]
        hint = f"is a group; name one of {', '.join(group)}" if group else "no such weights"
        raise WeightsError(f"{name}: {hint}; `vastra-live weights list` names them")

    def _pull_locked(self, entry: Entry, source: str | None, check: Check | None, progress: OnProgress) -> Path:
        target = self.folder / entry.file
        expected = entry.sha256 or self._known()["files"].get(entry.file, {}).get("sha256")
        if target.is_file() and self._is_right(entry, target, expected, check):
            return target
        part = self.folder / f".{entry.file}.part"
        self._fetch_from_any(entry, source, part, progress)
        digest = _sha256(part)
        try:
            _refuse_wrong(entry, part, digest, expected)
            if check is not None and expected is None:
                check(entry, part)
        except WeightsError as error:
            discard(part)
            raise WeightsError(str(error).replace(str(part), str(target))) from error
        self._record(entry, digest, part.stat().st_size)
        part.replace(target)
        discard(part)
        return target

    def _is_right(self, entry: Entry, target: Path, expected: str | None, check: Check | None) -> bool:
        """Whether the file that is there needs no fetching; one put there by hand is recorded."""
        digest = _sha256(target)
        if expected is not None:
            return digest == expected
        if check is None:
            return False
        try:
            check(entry, target)
        except WeightsError:
            return False
        self._record(entry, digest, target.stat().st_size)
        return True

    def _fetch_from_any(self, entry: Entry, source: str | None, part: Path, progress: OnProgress) -> None:
        if source is not None:
            self._fetch(entry, _from_mirror(entry, source), part, progress)
            return
        refused: list[str] = []
        for origin in entry.source:
            try:
                self._fetch(entry, origin, part, progress)
            except (WeightsError, MissingDependencyError) as error:
                if origin == entry.source[-1] and not refused:
                    raise
                refused.append(str(error))
            else:
                return
        if refused:
            raise WeightsError(f"{entry.name}: no source works: {'; '.join(refused)}")
        names = " or ".join((entry.file, *entry.brought_as))
        raise WeightsError(
            f"{entry.name}: is not published as a file a program can fetch; see {entry.page}, put {names} into a "
            f"folder, then: vastra-live weights pull {entry.name} --from THAT_FOLDER"
        )

    def _fetch(self, entry: Entry, origin: str, part: Path, progress: OnProgress) -> None:
        if origin.startswith("gdrive:"):
            fetch_drive(origin.removeprefix("gdrive:"), part, entry.page, progress)
        elif origin.startswith(("https://", "http://")):
            fetch_url(origin, part, entry.size, progress)
        else:
            copy_file(Path(origin), part, progress)

    def _accept(self, entry: Entry, accepts: bool) -> None:
        known = self._known()
        if known["licences"].get(entry.name) == entry.licence:
            return
        if not accepts:
            use = "" if entry.commercial else "; not for commercial use"
            raise WeightsError(
                f"{entry.name} is under {entry.licence} ({entry.licence_url}){use}; read it, then add --accept-licence"
            )
        self._change(lambda all_known: all_known["licences"].__setitem__(entry.name, entry.licence))

    def _record(self, entry: Entry, digest: str, size: int) -> None:
        if entry.sha256 is None:
            fact = {"sha256": digest, "size": size, "recorded": time.strftime("%Y-%m-%d")}
            self._change(lambda known: known["files"].__setitem__(entry.file, fact))

    def _known(self) -> dict[str, dict[str, Any]]:
        path = self.folder / _LOCK_FILE
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            return {"files": dict(known["files"]), "licences": dict(known["licences"])}
        except FileNotFoundError:
            return {"files": {}, "licences": {}}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"{path}: is damaged ({error}); remove it to start it anew") from error

    def _change(self, change: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        """Change the lock file; other processes change it too, for other files."""
        path = self.folder / _LOCK_FILE
        with locked(self.folder / f".{_LOCK_FILE}.lock"):
            known = self._known()
            change(known)
            fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            try:
                fresh.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)


def _from_mirror(entry: Entry, source: str) -> str:
    if source.startswith(("https://", "http://")):
        return source if source.endswith(f"/{entry.file}") else f"{source.rstrip('/')}/{entry.file}"
    folder = Path(source).expanduser()
    if folder.is_file():
        return str(folder)
    for name in (entry.file, *entry.brought_as):
        if (folder / name).is_file():
            return str(folder / name)
    wanted = " or ".join((entry.file, *entry.brought_as))
    raise WeightsError(f"{folder}: holds no {wanted}; put the file there, or name it")


def _refuse_wrong(entry: Entry, part: Path, digest: str, expected: str | None) -> None:
    if expected is not None:
        if digest != expected:
            raise WeightsError(
                f"{part}: came with sha256 {digest}, expected {expected}; the source has another file or it was damaged"
            )
        return
    with part.open("rb") as file:
        reason = not_a_binary(file.read(512))
    if reason:
        raise WeightsError(f"{part}: {reason}; fetch it by hand from {entry.page} and use --from DIR")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
