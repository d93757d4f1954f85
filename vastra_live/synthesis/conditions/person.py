"""Everything a try-on network is told about one person, put together from the stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.conditions.agnostic import agnostic_mask, erase_garment, hide
from vastra_live.synthesis.conditions.drawing import draw_keypoints, draw_labels
from vastra_live.synthesis.conditions.keypoints import Keypoints
from vastra_live.types import U8

__all__ = ["PersonConditions", "prepare_person"]


@dataclass(frozen=True, slots=True, eq=False)
class PersonConditions:
    """The person's side of a try-on; all pictures of one size.

    Attributes:
        bgr: (H, W, 3) uint8, the person.
        keypoints: in its pixels, with a complete torso.
        parse: (H, W) uint8, CIHP labels.
        densepose_bgr: (H, W, 3) uint8, DensePose parts drawn in the training data's colours.
        agnostic_bgr: (H, W, 3) uint8, the person with the garment greyed out.
        parse_agnostic: (H, W) uint8, CIHP labels with the garment erased.
        hidden: (H, W) bool, what ``agnostic_bgr`` shows in grey.
    """

    bgr: U8
    keypoints: Keypoints
    parse: U8
    densepose_bgr: U8
    agnostic_bgr: U8
    parse_agnostic: U8
    hidden: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        shape = self.bgr.shape[:2]
        for name, channels in (
            ("bgr", (3,)),
            ("parse", ()),
            ("densepose_bgr", (3,)),
            ("agnostic_bgr", (3,)),
            ("parse_agnostic", ()),
        ):
            array = getattr(self, name)
            if array.dtype != np.uint8 or array.shape != (*shape, *channels):
                raise ValueError(
                    f"PersonConditions.{name}: expected {(*shape, *channels)} uint8, got {array.shape} {array.dtype}"
                )
        if self.hidden.dtype != np.bool_ or self.hidden.shape != shape:
            raise ValueError(
                f"PersonConditions.hidden: expected {shape} bool, got {self.hidden.shape} {self.hidden.dtype}"
            )

    def drawn(self) -> dict[str, U8]:
        """Every stage as a picture (H, W, 3) uint8, by name, in the order of the work."""
        return {
            "crop": self.bgr,
            "keypoints": draw_keypoints(self.bgr, self.keypoints),
            "parse": draw_labels(self.parse),
            "densepose": self.densepose_bgr,
            "agnostic": self.agnostic_bgr,
            "parse-agnostic": draw_labels(self.parse_agnostic),
        }


def prepare_person(
    bgr: U8, keypoints: Keypoints, parse: U8, densepose_bgr: U8, parse_agnostic: U8 | None = None
) -> PersonConditions:
    """The conditions of one person; the two agnostic pictures are made here.

    Args:
        bgr, keypoints, parse, densepose_bgr: as in :class:`PersonConditions`.
        parse_agnostic: one that was made before, or None.

    Raises:
        ValueError: sizes differ, or the torso is not complete.
    """
    hidden = agnostic_mask(parse, keypoints)
    return PersonConditions(
        bgr=bgr,
        keypoints=keypoints,
        parse=parse,
        densepose_bgr=densepose_bgr,
        agnostic_bgr=hide(bgr, hidden),
        parse_agnostic=erase_garment(parse, keypoints) if parse_agnostic is None else parse_agnostic,
        hidden=hidden,
    )
