"""Conditions from files: a folder in VITON-HD's published layout, instead of running the stages.

::

    image/NAME.jpg                         the person
    openpose_json/NAME_keypoints.json      BODY_25 or COCO-18
    image-parse-v3/NAME.png                CIHP labels, palette or grey
    image-densepose/NAME.jpg               DensePose, drawn
    image-parse-agnostic-v3.2/NAME.png     optional: made from parse and key points when missing
    cloth/NAME.jpg, cloth-mask/NAME.jpg    the garment
    test_pairs.txt                         lines "PERSON.jpg GARMENT.jpg"
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from vastra_live.errors import InputError, PictureError
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.conditions.cloth import ClothConditions
from vastra_live.synthesis.conditions.keypoints import complete_torso, read_openpose
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.synthesis.conditions.person import PersonConditions, prepare_person
from vastra_live.types import U8

__all__ = ["find_published", "read_cloth", "read_pairs", "read_person"]

_PICTURES: Final = (".jpg", ".png", ".jpeg")
_MASK_LEVEL: Final = 128


def find_published(picture: Path, folder: str = "image") -> tuple[Path, str] | None:
    """Root and name of a picture that lies in a published folder, or None when it lies elsewhere.

    Args:
        picture: such as ``DATA/image/00006_00.jpg``, or ``DATA/cloth/001.jpg`` with ``folder="cloth"``.
        folder: where it must lie.
    """
    # not resolve(): the pictures of such a folder may be links to elsewhere
    path = picture.absolute()
    root = path.parent.parent
    beside = "image-parse-v3" if folder == "image" else f"{folder}-mask"
    if path.parent.name != folder or not (root / beside).is_dir():
        return None
    return root, path.stem


def read_person(root: Path, name: str, size: tuple[int, int] = (768, 1024)) -> PersonConditions:
    """The conditions of one person of the folder.

    The agnostic picture is drawn anew, as HR-VITON does; the parse without the garment is read where it is there.

    Args:
        root: the folder that holds ``image`` and the others.
        name: without suffix, such as ``00006_00``.
        size: width and height; other sizes are resampled as the originals do.

    Raises:
        InputError: a file is missing or not what it should be, or picture sizes are not in the ratio of ``size``.
    """
    path = _find(root, "image", name)
    original = read_picture(path)
    scale = size[0] / original.size[0]
    points = read_openpose(root / "openpose_json" / f"{name}_keypoints.json")
    agnostic = root / "image-parse-agnostic-v3.2" / f"{name}.png"
    return prepare_person(
        bgr=_resized(original.bgr, size, Image.Resampling.BILINEAR, path),
        keypoints=complete_torso(points.moved(np.array([[scale, 0, 0], [0, scale, 0]]))),
        parse=_read_parse(_find(root, "image-parse-v3", name), size),
        densepose_bgr=_read_bgr(_find(root, "image-densepose", name), size),
        parse_agnostic=_read_parse(agnostic, size) if agnostic.is_file() else None,
    )


def read_cloth(root: Path, name: str, size: tuple[int, int] = (768, 1024)) -> ClothConditions:
    """One garment of the folder; arguments and errors as for :func:`read_person`."""
    mask_path = _find(root, "cloth-mask", name)
    mask = _resized(read_labels(mask_path), size, Image.Resampling.NEAREST, mask_path)
    return ClothConditions(_read_bgr(_find(root, "cloth", name), size), (mask >= _MASK_LEVEL).astype(np.uint8))


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Person and garment names of a pairs file, without suffixes.

    Raises:
        InputError: the file cannot be read, or a line is not a pair.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); check the path") from error
    pairs = []
    for number, line in enumerate(lines, 1):
        names = line.split()
        if names and len(names) != 2:
            raise InputError(f"{path}:{number}: expected a person and a garment, got {line!r}")
        if names:
            pairs.append((Path(names[0]).stem, Path(names[1]).stem))
    return pairs


def _find(root: Path, folder: str, name: str) -> Path:
    candidates = [root / folder / f"{name}{suffix}" for suffix in _PICTURES]
    for path in candidates:
        if path.is_file():
            return path
    raise PictureError(f"{candidates[0]}: there is no such file; a published folder has one {folder} a person")


def _read_bgr(path: Path, size: tuple[int, int]) -> U8:
    return _resized(read_picture(path).bgr, size, Image.Resampling.BILINEAR, path)


def _read_parse(path: Path, size: tuple[int, int]) -> U8:
    labels = read_labels(path)
    if int(labels.max()) >= len(Cihp):
        raise PictureError(f"{path}: holds label {int(labels.max())}; a parse has 0..{len(Cihp) - 1}")
    return _resized(labels, size, Image.Resampling.NEAREST, path)


def _resized(picture: U8, size: tuple[int, int], how: Image.Resampling, path: Path) -> U8:
    """As torchvision resizes Pillow pictures: bilinear is smoothed when it shrinks, labels take the nearest."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    if width * size[1] != height * size[0]:
        raise PictureError(f"{path}: is {width}x{height}; expected the ratio {size[0]}:{size[1]}")
    resized: npt.NDArray[np.uint8] = np.asarray(Image.fromarray(picture).resize(size, how))
    return resized
