"""What travels between the rooms.

All dataclasses are frozen and validated once, when they are made; their arrays are read-only views, so a
frame can be shared between threads without a copy. ``bgr`` in a name is the colour order. Coordinates are
pixels, x to the right and y down, and the centre of the top-left pixel is (0, 0). *Left* and *right* are
the wearer's, as in BlazePose: the wearer's left shoulder is on the right of an unmirrored picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "F32",
    "U8",
    "Body",
    "Carried",
    "Category",
    "Frame",
    "Garment",
    "Layer",
    "Rendered",
    "Shown",
    "Sleeve",
]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]

BODY_LANDMARKS = 33


def _read_only(owner: str, name: str, value: Any, dtype: type, shape: tuple[int | None, ...]) -> Any:
    """The array as a read-only view, or a TypeError/ValueError that names expected and got."""
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        got = f"{value.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{owner}.{name}: expected a {np.dtype(dtype).name} array, got {got}")
    fits = value.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, value.shape, strict=True)
    )
    if not fits or value.size == 0:
        expected = tuple("any" if n is None else n for n in shape)
        raise ValueError(f"{owner}.{name}: expected shape {expected}, got {value.shape}")
    view = value.view()
    view.flags.writeable = False
    return view


class Category(str, Enum):
    """What a garment covers."""

    UPPER = "upper"
    LOWER = "lower"
    DRESS = "dress"


class Sleeve(str, Enum):
    """How far the sleeves of a garment reach."""

    NONE = "none"
    STRAP = "strap"
    SHORT = "short"
    HALF = "half"
    LONG = "long"


class Shown(str, Enum):
    """What a rendered picture shows."""

    GARMENT = "garment"
    """The garment, placed for this frame."""
    HELD = "held"
    """The last good picture, because this frame could not be dressed or did not come."""
    PLAIN = "plain"
    """The camera picture alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a source.

    Attributes:
        bgr: (H, W, 3) uint8, 0..255, blue-green-red.
        index: 0 for the first frame the source delivered; grows by at least one a frame.
        captured_ns: :func:`time.monotonic_ns` when the source had the picture; stamped once.
        source: name of the source, for messages.
    """

    bgr: U8
    index: int
    captured_ns: int
    source: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "bgr", _read_only("Frame", "bgr", self.bgr, np.uint8, (None, None, 3)))
        if self.index < 0:
            raise ValueError(f"Frame.index: expected 0 or more, got {self.index}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.bgr.shape[1], self.bgr.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One person in one frame. "Nobody" is None, never an empty Body.

    Attributes:
        landmarks_px: (33, 3) float32, BlazePose order; x, y in pixels of the frame (may lie outside of it),
            z in pixels too, smaller is nearer to the camera, 0 at the hips.
        visibility: (33,) float32, 0..1, how likely the landmark is in the picture and not hidden.
        person_alpha: (H, W) float32, 0..1, the person's silhouette, at the frame's size.
        frame_index: index of the frame it was read from.
        wearer: another number when this may be somebody else than before: what was learned of the one before, such as
            colours and girth, does not hold for them.
    """

    landmarks_px: F32
    visibility: F32
    person_alpha: F32
    frame_index: int
    wearer: int = 0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(
            self, "landmarks_px", _read_only("Body", "landmarks_px", self.landmarks_px, np.float32, (BODY_LANDMARKS, 3))
        )
        put(self, "visibility", _read_only("Body", "visibility", self.visibility, np.float32, (BODY_LANDMARKS,)))
        put(self, "person_alpha", _read_only("Body", "person_alpha", self.person_alpha, np.float32, (None, None)))
        if not np.isfinite(self.landmarks_px).all():
            raise ValueError("Body.landmarks_px: expected finite coordinates, got NaN or infinity")


@dataclass(frozen=True, slots=True, eq=False)
class Garment:
    """A garment cut out of a product photo.

    Attributes:
        name: as in the wardrobe, or the file's stem.
        category: upper, lower or dress.
        sleeve: how far the sleeves reach (``NONE`` for category lower).
        bgr: (H, W, 3) uint8, the photo; behind the garment its colours mean nothing.
        alpha: (H, W) float32, 0..1, what of the photo belongs to the garment.
        landmarks_px: named points (x, y) in pixels of ``bgr``. "left" is the wearer's left, on the right of
            the photo. Tops and dresses: ``neck_left``, ``neck_right`` (where collar meets shoulder),
            ``neck_front`` (lowest point of the front neckline), ``shoulder_left/right`` (outer end of the
            shoulder), ``armpit_left/right``, ``waist_left/right``, ``hem_left/right``; with sleeves also
            ``cuff_outer_left/right`` and ``cuff_inner_left/right`` (the sleeve's end, on the shoulder's and on
            the armpit's side). Trousers: ``waist_left/right``, ``crotch``, ``cuff_outer_left/right``,
            ``cuff_inner_left/right``. Skirts: ``waist_left/right``, ``hem_left/right``; that there is no ``crotch``
            tells them from trousers.
        inside_alpha: (H, W) float32, 0..1, or None: what of ``alpha`` is the garment's far inside seen
            through the neck opening; it belongs behind the wearer's neck.
        origin: where the photo came from, and under which licence.
        worn_with: the lower garment worn under this top, which makes the two an outfit; None for a garment alone.
    """

    name: str
    category: Category
    sleeve: Sleeve
    bgr: U8
    alpha: F32
    landmarks_px: Mapping[str, tuple[float, float]]
    inside_alpha: F32 | None = None
    origin: str = ""
    worn_with: Garment | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        if self.worn_with is not None and (self.category, self.worn_with.category) != (Category.UPPER, Category.LOWER):
            raise ValueError(
                "Garment.worn_with: expected a lower garment worn with an upper one, "
                f"got {self.worn_with.category.value} with {self.category.value}"
            )
        put(self, "bgr", _read_only("Garment", "bgr", self.bgr, np.uint8, (None, None, 3)))
        shape = self.bgr.shape[:2]
        put(self, "alpha", _read_only("Garment", "alpha", self.alpha, np.float32, shape))
        if self.inside_alpha is not None:
            put(self, "inside_alpha", _read_only("Garment", "inside_alpha", self.inside_alpha, np.float32, shape))
        points = {k: (float(x), float(y)) for k, (x, y) in self.landmarks_px.items()}
        put(self, "landmarks_px", MappingProxyType(points))


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a synthesizer painted for one frame.

    Attributes:
        bgr: (h, w, 3) uint8, straight colour (not multiplied by alpha).
        alpha: (h, w) float32, 0..1: garment and whatever else was re-made (skin, background).
        frame: the camera frame it was made from.
        body: the body it was made for.
        garment: the garment it shows.
        to_frame: (2, 3) float32, affine from pixels of ``bgr`` to pixels of ``frame``; None when they are the
            same, in which case (h, w) is the frame's size.
        trunk_bgra: (h, w, 4) uint8, straight colour and alpha of the garment on the trunk as it is behind arms and
            hands; None when that is not known.
    """

    bgr: U8
    alpha: F32
    frame: Frame
    body: Body
    garment: Garment
    to_frame: F32 | None = None
    trunk_bgra: U8 | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "bgr", _read_only("Layer", "bgr", self.bgr, np.uint8, (None, None, 3)))
        put(self, "alpha", _read_only("Layer", "alpha", self.alpha, np.float32, self.bgr.shape[:2]))
        if self.trunk_bgra is not None:
            trunk = _read_only("Layer", "trunk_bgra", self.trunk_bgra, np.uint8, (*self.bgr.shape[:2], 4))
            put(self, "trunk_bgra", trunk)
        if self.to_frame is not None:
            put(self, "to_frame", _read_only("Layer", "to_frame", self.to_frame, np.float32, (2, 3)))
        elif self.bgr.shape != self.frame.bgr.shape:
            raise ValueError(
                f"Layer.bgr: without to_frame expected the frame's shape {self.frame.bgr.shape}, got {self.bgr.shape}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A layer carried to a live frame, in the part of the frame where it may be seen.

    The arrays are buffers of whoever carried it: valid until the next frame is carried, not longer.

    Attributes:
        box: x0, y0, x1, y1 in pixels of the live frame, x1 and y1 exclusive; empty (x0 == x1) when the layer
            is out of the picture.
        premultiplied_bgr: (y1 - y0, x1 - x0, 3) uint8, colour times alpha.
        alpha: (y1 - y0, x1 - x0) uint8, 0..255.
        confidence: 0..1, share of the layer whose surface was found again, looking as expected. Above 0.7 all is
            well, hands in front take it to about 0.6; below 0.5 a new keyframe helps; below 0.3 the wearer has
            left, turned away or is covered, and the layer should fade.
        residual: grey levels, how far the picture is from what the keyframe led to expect, where it was found.
    """

    box: tuple[int, int, int, int]
    premultiplied_bgr: U8
    alpha: U8
    confidence: float
    residual: float


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """One finished picture on its way to the sinks.

    Attributes:
        bgr: (H, W, 3) uint8, as the wearer is seen by others (not mirrored).
        camera_bgr: (H, W, 3) uint8, the camera frame behind it, for the before/after split.
        index: index of the source frame.
        captured_ns: capture time of the source frame, monotonic nanoseconds.
        shown: garment, held or plain.
        notice: one line for the screen ("camera lost, trying again"), or "".
    """

    bgr: U8
    camera_bgr: U8
    index: int
    captured_ns: int
    shown: Shown
    notice: str = field(default="")

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "bgr", _read_only("Rendered", "bgr", self.bgr, np.uint8, (None, None, 3)))
        put(self, "camera_bgr", _read_only("Rendered", "camera_bgr", self.camera_bgr, np.uint8, self.bgr.shape))
