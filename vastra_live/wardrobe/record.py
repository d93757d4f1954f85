"""One garment as a folder: its photo, its masks, and ``garment.json``.

``garment.json`` holds the name, what was read (category, sleeve, landmarks in pixels of the photo), where the
photo came from, and the sha256 of each picture. What the user says goes under ``overrides`` and wins::

    "overrides": {"category": "dress", "sleeve": "long", "landmarks": {"hem_left": [512.0, 830.5]}}

All three keys are optional. With another category the landmarks are found anew for it; single landmarks
replace single ones. ``vastra-live garment correct`` writes them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vastra_live.errors import PictureError, WardrobeError
from vastra_live.pictures import read_picture, write_picture
from vastra_live.types import F32, U8, Category, Garment, Sleeve
from vastra_live.wardrobe.landmarks import find_landmarks
from vastra_live.wardrobe.matte import carry_colours
from vastra_live.wardrobe.silhouette import read_silhouette

__all__ = ["METADATA", "Record", "overrule", "read_record", "write_record"]

METADATA = "garment.json"
_FORMAT = 1
_REMEDY = "remove this garment and add its photo again"


@dataclass(frozen=True, slots=True)
class Record:
    """What ``garment.json`` says, overrides applied.

    Attributes:
        folder: the garment's folder.
        name: its name.
        category: what it covers.
        sleeve: how far its sleeves reach.
        landmarks_px: named points in pixels of the photo; None when the user chose another category, so
            that they have to be found anew.
        overridden_px: the points the user named.
        origin: where the photo came from.
        files: file name and sha256 of ``photo``, ``alpha`` and perhaps ``inside``.
    """

    folder: Path
    name: str
    category: Category
    sleeve: Sleeve | None
    landmarks_px: Mapping[str, tuple[float, float]] | None
    overridden_px: Mapping[str, tuple[float, float]]
    origin: str
    files: Mapping[str, tuple[str, str]]

    @property
    def paths(self) -> dict[str, Path]:
        """The garment's files by role: ``photo``, ``alpha``, perhaps ``inside``, and ``metadata``."""
        return {role: self.folder / file for role, (file, _) in self.files.items()} | {
            "metadata": self.folder / METADATA
        }

    def load(self) -> Garment:
        """Read the pictures, after checking that they are the ones that were stored.

        Raises:
            WardrobeError: a file is missing, differs from what was stored, or does not fit the others.
        """
        for role, (file, digest) in self.files.items():
            _check(self.folder / file, digest, self.name, role)
        bgr = self._picture("photo")
        alpha = self._plane("alpha")
        inside = self._plane("inside") if "inside" in self.files else None
        points, sleeve = self.landmarks_px, self.sleeve
        if points is None or sleeve is None:
            silhouette = read_silhouette(np.where(alpha >= 0.5, 255, 0).astype(np.uint8))
            found, found_sleeve = find_landmarks(silhouette, self.category)
            points, sleeve = points or found, sleeve or found_sleeve
        extra = sorted(set(self.overridden_px) - set(points))
        if extra:
            raise WardrobeError(
                f"garment {self.name}: {', '.join(extra)} is not a landmark of this {self.category.value} garment "
                f"({', '.join(sorted(points))}); correct it in {self.folder / METADATA}"
            )
        try:
            return Garment(
                name=self.name,
                category=self.category,
                sleeve=sleeve,
                bgr=carry_colours(bgr, alpha),
                alpha=alpha,
                landmarks_px={**points, **self.overridden_px},
                inside_alpha=inside,
                origin=self.origin,
            )
        except ValueError as error:
            raise WardrobeError(f"garment {self.name}: {error}; {_REMEDY}") from error

    def _picture(self, role: str) -> U8:
        try:
            return read_picture(self.folder / self.files[role][0]).bgr
        except PictureError as error:
            raise WardrobeError(f"garment {self.name}: {error}; {_REMEDY}") from error

    def _plane(self, role: str) -> F32:
        return np.asarray(self._picture(role)[:, :, 0].astype(np.float32) / 255, np.float32)


def write_record(folder: Path, garment: Garment, photo_bgr: U8, *, photo_file: str = "photo.png") -> None:
    """Write a garment into a new or empty folder.

    Args:
        folder: where to; exists.
        garment: what was read.
        photo_bgr: (H, W, 3) uint8, the photo the garment was cut from, at the garment's size.
        photo_file: name of the photo; its suffix is the format.

    Raises:
        RecordingError: a file could not be written.
    """
    files: dict[str, dict[str, str]] = {}
    planes = {"alpha": garment.alpha} | ({} if garment.inside_alpha is None else {"inside": garment.inside_alpha})
    write_picture(folder / photo_file, photo_bgr)
    files["photo"] = {"file": photo_file, "sha256": _digest(folder / photo_file)}
    for role, plane in planes.items():
        eight = np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)
        write_picture(folder / f"{role}.png", np.repeat(eight[:, :, None], 3, axis=2))
        files[role] = {"file": f"{role}.png", "sha256": _digest(folder / f"{role}.png")}
    data = {
        "format": _FORMAT,
        "name": garment.name,
        "category": garment.category.value,
        "sleeve": garment.sleeve.value,
        "landmarks": {key: [round(x, 2), round(y, 2)] for key, (x, y) in garment.landmarks_px.items()},
        "overrides": {},
        "origin": garment.origin,
        "files": files,
    }
    (folder / METADATA).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read_record(folder: Path) -> Record:
    """Read ``garment.json``; the pictures are read by :meth:`Record.load`.

    Raises:
        WardrobeError: there is no garment in this folder, or its metadata is damaged or of another format.
    """
    path = folder / METADATA
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WardrobeError(f"{folder}: holds no garment ({METADATA} is missing); remove the folder") from None
    except (OSError, ValueError) as error:
        raise WardrobeError(f"{path}: cannot be read ({error}); {_REMEDY}") from error
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        got = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise WardrobeError(f"{path}: expected format {_FORMAT}, got {got}; {_REMEDY}")
    try:
        return _parse(folder, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WardrobeError(f"{path}: {_described(error)}; correct it there, or {_REMEDY}") from error


def overrule(
    folder: Path,
    *,
    category: Category | None = None,
    sleeve: Sleeve | None = None,
    landmarks_px: Mapping[str, tuple[float, float]] | None = None,
    anew: bool = False,
) -> None:
    """Write down what the user says of a garment; what is not named stays as it is.

    Args:
        folder: the garment's.
        category, sleeve: instead of those that were read. Another category than before ends what was said of landmarks.
        landmarks_px: named points in pixels of the photo, instead of those that were found.
        anew: forget what was said before.

    Raises:
        WardrobeError: a landmark is none of this garment's or lies outside of its photo, or the folder cannot be
            written; nothing is changed then.
    """
    before = read_record(folder)
    path = folder / METADATA
    data = json.loads(path.read_text(encoding="utf-8"))
    said: dict[str, Any] = {} if anew else dict(data.get("overrides", {}))
    if category is not None:
        if category is not before.category:
            said.pop("landmarks", None)
        said["category"] = category.value
    if sleeve is not None:
        said["sleeve"] = sleeve.value
    if landmarks_px:
        said["landmarks"] = said.get("landmarks", {}) | {name: list(point) for name, point in landmarks_px.items()}
    data["overrides"] = said
    try:
        garment = _parse(folder, data).load()
    except ValueError as error:
        raise WardrobeError(f"garment {before.name}: {error}") from error
    height, width = garment.alpha.shape
    for name, (x, y) in (landmarks_px or {}).items():
        if not (0 <= x < width and 0 <= y < height):
            raise WardrobeError(
                f"garment {before.name}: {name} at {x:g},{y:g} lies outside of the photo ({width}x{height})"
            )
    passing = path.with_suffix(".new")
    try:
        passing.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        passing.replace(path)
    except OSError as error:
        raise WardrobeError(f"garment {before.name}: {path} cannot be written ({error.strerror or error})") from error


def _parse(folder: Path, data: dict[str, Any]) -> Record:
    overrides = data.get("overrides", {})
    unknown = set(overrides) - {"category", "sleeve", "landmarks"}
    if unknown:
        raise ValueError(f"overrides: {', '.join(sorted(unknown))} is not one of category, sleeve, landmarks")
    read_category = Category(data["category"])
    category = Category(overrides.get("category", read_category))
    same = category is read_category
    known = _points(data["landmarks"])
    overridden = _points(overrides.get("landmarks", {}))
    if same and set(overridden) - set(known):
        extra = ", ".join(sorted(set(overridden) - set(known)))
        raise ValueError(f"overrides.landmarks: {extra} is not a landmark of this garment ({', '.join(sorted(known))})")
    sleeve = overrides.get("sleeve", data["sleeve"] if same else None)
    files = {role: (_plain_file(entry["file"]), str(entry["sha256"])) for role, entry in data["files"].items()}
    if not {"photo", "alpha"} <= set(files):
        raise ValueError("files: expected photo and alpha")
    return Record(
        folder=folder,
        name=folder.name,
        category=category,
        sleeve=None if sleeve is None else Sleeve(sleeve),
        landmarks_px=known if same else None,
        overridden_px=overridden,
        origin=str(data["origin"]),
        files=files,
    )


def _points(raw: Any) -> dict[str, tuple[float, float]]:
    points = {str(name): (float(x), float(y)) for name, (x, y) in raw.items()}
    for name, (x, y) in points.items():
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"landmark {name}: expected two finite numbers, got {x}, {y}")
    return points


def _plain_file(name: Any) -> str:
    if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
        raise ValueError(f"files: expected a file name without folder, got {name!r}")
    return name


def _described(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check(path: Path, digest: str, name: str, role: str) -> None:
    try:
        found = _digest(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WardrobeError(f"garment {name}: its {role} {path} cannot be read ({reason}); {_REMEDY}") from error
    if found != digest:
        raise WardrobeError(
            f"garment {name}: its {role} {path} is not the file that was stored (sha256 {found[:12]}, expected "
            f"{digest[:12]}); put the stored file back, or {_REMEDY}"
        )
