"""Reading and writing picture files.

One way in for every picture the package reads (garment photos, people, stills as a source) and one way out,
so that a rotated phone photo, a palette, a 16-bit scan or a hostile header is dealt with once.
"""

from __future__ import annotations

import os
import secrets
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from vastra_live.errors import PictureError, RecordingError
from vastra_live.types import F32, U8

__all__ = [
    "MAX_PIXELS",
    "MIN_SIDE_PX",
    "PICTURE_SUFFIXES",
    "Picture",
    "is_picture",
    "read_labels",
    "read_picture",
    "write_picture",
]

MAX_PIXELS = 100_000_000
"""Largest width x height that is decoded; larger pictures are refused by their header."""

MIN_SIDE_PX = 32
"""Smallest width and height that is of any use here."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"})
"""Suffixes, in lower case, of the picture files that can be read."""

# Named so that Pillow tries nothing else: some of its other readers start foreign programs (EPS: Ghostscript).
_READABLE = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"}
_WITH_ALPHA = frozenset({"PNG", "WEBP"})
_SAVE_OPTIONS: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {"compress_level": 3},
    "WEBP": {"quality": 95},
    "BMP": {},
}

# What Pillow's decoders are known to raise on damaged files, besides OSError.
_DAMAGED = (OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error)

# `warnings.catch_warnings` swaps a global list: two readers at once could leave each other's list behind.
_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, upright.

    Attributes:
        bgr: (H, W, 3) uint8, 0..255, blue-green-red, read-only.
        alpha: (H, W) float32, 0..1, read-only; None when every pixel is opaque.
    """

    bgr: U8
    alpha: F32 | None = None

    def __post_init__(self) -> None:
        _check_pixels("Picture", self.bgr, self.alpha)
        object.__setattr__(self, "bgr", _read_only(self.bgr))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", _read_only(self.alpha))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.bgr.shape[1], self.bgr.shape[0]


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether the name looks like a picture file; the file itself is not touched."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Read a picture: JPEG, PNG, WebP, BMP, TIFF, PPM, or the first frame of a GIF or animated WebP.

    The EXIF rotation is applied. Palettes, grey, CMYK and the like become BGR; 16-bit grey is scaled to 8 bit.
    Embedded colour profiles are ignored: the numbers are taken as sRGB.

    Raises:
        PictureError: missing, a folder, empty, not a picture, damaged, smaller than 32x32, or larger than
            :data:`MAX_PIXELS` (decided from the header, before any pixel is decoded).
    """
    with _opened(Path(path)) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "F":
            raise PictureError(f"{path}: holds floating point values of unknown range; save it as 8-bit PNG or JPEG")
        if upright.mode.startswith("I"):
            grey = _sixteen_to_eight(np.asarray(upright))
            return Picture(np.repeat(grey[:, :, None], 3, axis=2))
        if not upright.has_transparency_data:
            return Picture(_flip(np.asarray(upright.convert("RGB"))))
        rgba = np.asarray(upright.convert("RGBA"))
        alpha = rgba[:, :, 3]
        return Picture(_flip(rgba[:, :, :3]), None if alpha.min() == 255 else (alpha / np.float32(255)))


def read_labels(path: str | os.PathLike[str]) -> U8:
    """Read a picture whose pixel values are class numbers, such as a human parse.

    A palette PNG gives its palette *indices*, not its colours; an 8-bit grey picture gives its values.

    Returns:
        (H, W) uint8 labels.

    Raises:
        PictureError: as :func:`read_picture`, or the picture holds colours instead of labels.
    """
    with _opened(Path(path)) as image:
        if image.mode not in ("P", "L", "1"):
            raise PictureError(
                f"{path}: expected one label a pixel (a palette or 8-bit grey PNG), got a picture of mode {image.mode}"
            )
        return np.array(image, dtype=np.uint8)


def write_picture(path: str | os.PathLike[str], bgr: U8, alpha: F32 | None = None) -> None:
    """Write a picture; the suffix names the format (.png, .jpg, .jpeg, .webp, .bmp).

    The file appears whole or not at all: it is written beside its final name and then renamed, so an older
    file of that name survives every failure.

    Args:
        path: where to; an existing file is replaced.
        bgr: (H, W, 3) uint8.
        alpha: (H, W) float32, 0..1, or None; only PNG and WebP can hold it.

    Raises:
        PictureError: the path cannot be meant: unknown suffix, no such folder, a folder, alpha into a format
            without transparency.
        RecordingError: the file could not be written: disk full, no permission.
    """
    _check_pixels("write_picture", bgr, alpha)
    target = Path(path)
    image_format = _WRITABLE.get(target.suffix.lower())
    if image_format is None:
        known = ", ".join(sorted(_WRITABLE))
        raise PictureError(f"{target}: cannot tell the picture format from the suffix; use one of {known}")
    if alpha is not None and image_format not in _WITH_ALPHA:
        raise PictureError(f"{target}: {image_format} holds no transparency; use .png or .webp")
    if target.is_dir():
        raise PictureError(f"{target}: is a folder; name a file in it")
    if not target.parent.is_dir():
        raise PictureError(f"{target}: there is no folder {target.parent}; create it or choose another place")

    rgb = _flip(bgr)
    if alpha is not None:
        eight = np.rint(np.clip(alpha, 0.0, 1.0) * 255.0).astype(np.uint8)
        rgb = np.dstack([rgb, eight])
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            Image.fromarray(rgb).save(file, format=image_format, **_SAVE_OPTIONS[image_format])
        part.replace(target)
    except OSError as error:
        raise RecordingError(
            f"{target}: cannot be written ({_reason(error)}); free some space or choose another place"
        ) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The decoded first frame of a checked file; whatever goes wrong with it inside is a PictureError."""
    _check_file(path)
    with _warnings_lock, warnings.catch_warnings():
        # The limit on pixels is ours, below; a bad EXIF block or ICC profile does not stop the pixels.
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_READABLE) as image:
                _check_size(path, image.size)
                image.load()
                yield image
        except Image.DecompressionBombError as error:
            raise PictureError(
                f"{path}: has more pixels than the {MAX_PIXELS // 1_000_000} million allowed; scale it down first"
            ) from error
        except UnidentifiedImageError as error:
            raise PictureError(f"{path}: is not a picture this program can read; save it as JPEG or PNG") from error
        except MemoryError as error:
            raise PictureError(f"{path}: does not fit into memory; scale it down first") from error
        except _DAMAGED as error:
            raise PictureError(
                f"{path}: is damaged or incomplete ({_reason(error)}); fetch it again or save it anew"
            ) from error


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise PictureError(f"{path}: there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise PictureError(f"{path}: cannot be read ({_reason(error)}); check the path and its permissions") from error
    if path.is_dir():
        raise PictureError(f"{path}: is a folder; name one picture file")
    if not path.is_file():
        raise PictureError(f"{path}: is not a regular file; name one picture file")
    if status.st_size == 0:
        raise PictureError(f"{path}: is empty (0 bytes); fetch it again or save it anew")


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{path}: is {width}x{height}, more than the {MAX_PIXELS // 1_000_000} million pixels allowed; "
            "scale it down first"
        )
    if min(width, height) < MIN_SIDE_PX:
        raise PictureError(
            f"{path}: is {width}x{height}, smaller than {MIN_SIDE_PX}x{MIN_SIDE_PX}; use a larger picture"
        )


def _check_pixels(owner: str, bgr: U8, alpha: F32 | None) -> None:
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.size == 0:
        raise ValueError(f"{owner}: expected bgr (H, W, 3) uint8, got {bgr.shape} {bgr.dtype}")
    if alpha is not None and (alpha.dtype != np.float32 or alpha.shape != bgr.shape[:2]):
        raise ValueError(f"{owner}: expected alpha {bgr.shape[:2]} float32, got {alpha.shape} {alpha.dtype}")


def _sixteen_to_eight(grey: npt.NDArray[np.generic]) -> U8:
    """65535 -> 255, rounded. Pillow's 32-bit mode "I" carries 16-bit PNGs, so it has the same range."""
    wide = np.clip(grey.astype(np.float32), 0, 65535)
    eight: U8 = np.rint(wide / np.float32(257)).astype(np.uint8)
    return eight


def _flip(pixels: U8) -> U8:
    """RGB to BGR or back, as an array of its own."""
    return np.ascontiguousarray(pixels[:, :, ::-1])


def _read_only(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    view = array.view()
    view.flags.writeable = False
    return view


def _reason(error: BaseException) -> str:
    """One line without the path, which the message already names."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
