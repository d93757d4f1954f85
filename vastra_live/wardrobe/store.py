"""The wardrobe: garments kept under the user's data folder, and those that come with the package.

Each garment is a folder of its own (:mod:`.record`). It is written under a passing name and then renamed, so
that a wardrobe never holds half a garment.
"""

from __future__ import annotations

import difflib
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import platformdirs

from vastra_live.errors import RecordingError, WardrobeError
from vastra_live.pictures import is_picture
from vastra_live.types import Category, Garment, Sleeve
from vastra_live.wardrobe.intake import read_garment, read_photo
from vastra_live.wardrobe.record import Record, overrule, read_record, write_record

__all__ = ["Entry", "Wardrobe", "check_name", "describe", "name_from"]

BUILT_IN = Path(__file__).parents[1] / "data" / "garments"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
"""Windows gives these names to devices."""
_Kind = TypeVar("_Kind", Category, Sleeve)
_LIST = "`vastra-live garment list` shows them all"


@dataclass(frozen=True, slots=True)
class Entry:
    """One garment of the wardrobe, without its pictures.

    Attributes:
        name: its name.
        category: what it covers.
        sleeve: how far its sleeves reach.
        origin: where the photo came from.
        sha256: of the stored photo.
        built_in: whether it comes with the package.
        paths: its files by role: ``photo``, ``alpha``, perhaps ``inside``, ``metadata``.
    """

    name: str
    category: Category
    sleeve: Sleeve
    origin: str
    sha256: str
    built_in: bool
    paths: Mapping[str, Path]


def check_name(name: str) -> str:
    """The name itself, if a garment may be called so.

    Raises:
        WardrobeError: it may not.
    """
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
        raise WardrobeError(
            f"garment name {name!r}: use 1 to 64 letters (a-z), digits, - and _, beginning with a letter or digit"
        )
    return name


def name_from(path: Path) -> str:
    """A garment name made of a file's name.

    Raises:
        WardrobeError: nothing of it can be used.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-_")[:64].rstrip("-_")
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
        raise WardrobeError(f"{path}: no garment name can be made of the file's name; choose one with --name")
    return name


class Wardrobe:
    """Garments by name: the user's own, then the built-in ones.

    Args:
        folder: where the user's garments are kept; by default under the user's data folder. It is made when
            the first garment is added.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(platformdirs.user_data_dir("vastra-live", appauthor=False)) / "wardrobe"

    def names(self) -> list[str]:
        """All names: the user's own in alphabetic order, then the built-in ones."""
        return [*_folders(self._folder), *_folders(BUILT_IN)]

    def entries(self) -> list[Entry]:
        """What the wardrobe holds, in the order of :meth:`names`.

        Raises:
            WardrobeError: the metadata of a garment is damaged.
        """
        return [self._entry(name) for name in self.names()]

    def add(
        self, picture: Path | str, *, name: str | None = None, category: str = "auto", mask: Path | str | None = None
    ) -> Garment:
        """Read a product photo and keep it.

        Args:
            picture: the photo; it is copied, so the original may go afterwards.
            name: letters, digits, - and _; by default made of the file's name.
            category: ``auto``, ``upper``, ``lower`` or ``dress``.
            mask: picture of the mask, white where the garment is.

        Raises:
            PictureError: a file cannot be read.
            GarmentError: it is not a usable photo of one garment.
            WardrobeError: the name is taken or not allowed, or the folder cannot be written.
        """
        path = Path(picture)
        chosen = name_from(path) if name is None else check_name(name)
        self._refuse_taken(chosen)
        garment = read_garment(path, category, mask_path=mask, name=chosen)
        with self._new_folder(chosen) as folder:
            write_record(folder, garment, read_photo(path).bgr)
        return self.load(chosen)

    def load(self, name: str) -> Garment:
        """A garment with its pictures.

        Raises:
            WardrobeError: there is none of this name, or its files are not those that were stored.
        """
        return self._record(name).load()

    def correct(
        self,
        name: str,
        *,
        category: str | None = None,
        sleeve: str | None = None,
        landmarks_px: Mapping[str, tuple[float, float]] | None = None,
        anew: bool = False,
    ) -> Garment:
        """Overrule what was read of one of the user's garments; arguments as of :func:`.record.overrule`.

        Raises:
            WardrobeError: there is none of this name, it is built in, category or sleeve is unknown, a landmark is none
                of this garment's, or its folder cannot be written.
        """
        folder = self._where(name)
        if folder.parent == BUILT_IN:
            raise WardrobeError(f"garment {name}: comes with the package and cannot be corrected")
        overrule(
            folder,
            category=None if category is None else _one_of(Category, "category", category),
            sleeve=None if sleeve is None else _one_of(Sleeve, "sleeve", sleeve),
            landmarks_px=landmarks_px,
            anew=anew,
        )
        return self.load(name)

    def remove(self, name: str) -> None:
        """Take one of the user's garments out of the wardrobe, with its files.

        Raises:
            WardrobeError: there is none of this name, it is built in, or its folder cannot be removed.
        """
        folder = self._where(name)
        if folder.parent == BUILT_IN:
            raise WardrobeError(f"garment {name}: comes with the package and cannot be removed")
        passing = folder.with_name(f".gone-{secrets.token_hex(4)}")
        try:
            folder.rename(passing)
            shutil.rmtree(passing)
        except OSError as error:
            raise WardrobeError(f"garment {name}: {folder} cannot be removed ({error.strerror or error})") from error

    def resolve(self, garment: str) -> Garment:
        """A garment of the wardrobe by its name, or one read from a photo by its path.

        A name of the wardrobe wins over a file of the same name.

        Raises:
            WardrobeError: neither a name of the wardrobe nor a file.
            PictureError: the file cannot be read.
            GarmentError: it is not a usable photo of one garment.
        """
        path = Path(garment)
        if garment in self.names():
            return self.load(garment)
        if is_picture(path) or path.is_file() or path.name != garment:
            return read_garment(path)
        return self.load(garment)

    def entry(self, name: str) -> Entry:
        """One garment without its pictures.

        Raises:
            WardrobeError: there is none of this name, or its metadata is damaged.
        """
        return self._entry(name)

    def _entry(self, name: str) -> Entry:
        record = self._record(name)
        sleeve = record.sleeve if record.sleeve is not None else record.load().sleeve
        return Entry(
            name=name,
            category=record.category,
            sleeve=sleeve,
            origin=record.origin,
            sha256=record.files["photo"][1],
            built_in=record.folder.parent == BUILT_IN,
            paths=MappingProxyType(record.paths),
        )

    def _record(self, name: str) -> Record:
        return read_record(self._where(name))

    def _where(self, name: str) -> Path:
        for root in (self._folder, BUILT_IN):
            if name in _folders(root):
                return root / name
        close = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.5)
        meant = f"; did you mean {' or '.join(close)}?" if close else ";"
        raise WardrobeError(f"no garment is called {name!r}{meant} {_LIST}")

    def _refuse_taken(self, name: str) -> None:
        taken = {known.lower(): known for known in self.names()}.get(name.lower())
        if taken is not None:
            raise WardrobeError(
                f"garment name {taken!r} is taken; choose another with --name, "
                f"or take that one out first with `vastra-live garment remove {taken}`"
            )

    @contextmanager
    def _new_folder(self, name: str) -> Iterator[Path]:
        """A folder that becomes the garment's when all went well, and leaves nothing behind otherwise."""
        passing = self._folder / f".new-{secrets.token_hex(4)}"
        try:
            passing.mkdir(parents=True)
            yield passing
            passing.rename(self._folder / name)
        except (OSError, RecordingError) as error:
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            raise WardrobeError(
                f"garment {name}: cannot be kept in {self._folder} ({reason}); "
                "free some space, or choose another folder with VASTRA_WARDROBE"
            ) from error
        finally:
            shutil.rmtree(passing, ignore_errors=True)


def _one_of(kind: type[_Kind], what: str, name: str) -> _Kind:
    try:
        return kind(name)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise WardrobeError(f"{what} {name!r}: expected {known}") from None


def describe(wardrobe: Wardrobe, name: str) -> dict[str, Any]:
    """What is known of a garment, ready for JSON.

    Returns:
        ``name``, ``category``, ``sleeve``, ``landmarks`` ({point: [x, y]} in pixels of the photo), ``size``
        ([width, height] of the photo), ``photo``, ``mask``, ``inside_mask`` and ``metadata`` (paths; None
        where there is none), ``origin``, ``sha256``, ``built_in``.
    """
    entry, garment = wardrobe.entry(name), wardrobe.load(name)
    inside = entry.paths.get("inside")
    return {
        "name": entry.name,
        "category": entry.category.value,
        "sleeve": entry.sleeve.value,
        "landmarks": {key: [round(x, 1), round(y, 1)] for key, (x, y) in garment.landmarks_px.items()},
        "size": [garment.bgr.shape[1], garment.bgr.shape[0]],
        "photo": str(entry.paths["photo"]),
        "mask": str(entry.paths["alpha"]),
        "inside_mask": None if inside is None else str(inside),
        "metadata": str(entry.paths["metadata"]),
        "origin": entry.origin,
        "sha256": entry.sha256,
        "built_in": entry.built_in,
    }


def _folders(root: Path) -> list[str]:
    """Names of the garments in a folder; none if there is no such folder."""
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if path.is_dir() and _NAME.fullmatch(path.name))
