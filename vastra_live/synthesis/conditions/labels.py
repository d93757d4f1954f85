"""Label sets of human parsers, and how they turn into the CIHP numbering the try-on networks were trained on.

CIHP (Gong et al. 2018) and LIP (Gong et al. 2017) share their numbering but for label 10: LIP's jumpsuit, CIHP's
torso skin, which in the training data is the neck. ATR (Liang et al. 2015) has 18 labels in another order.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final

import numpy as np

from vastra_live.types import U8

__all__ = ["ATR_LABELS", "ATR_TO_CIHP", "LIP_LABELS", "LIP_TO_CIHP", "Cihp", "LabelSet", "to_cihp"]


class Cihp(IntEnum):
    """The 20 labels of a VITON-HD parse. Left and right are the person's own."""

    BACKGROUND = 0
    HAT = 1
    HAIR = 2
    GLOVE = 3
    SUNGLASSES = 4
    UPPER_CLOTHES = 5
    DRESS = 6
    COAT = 7
    SOCKS = 8
    TROUSERS = 9
    NECK = 10
    SCARF = 11
    SKIRT = 12
    FACE = 13
    LEFT_ARM = 14
    RIGHT_ARM = 15
    LEFT_LEG = 16
    RIGHT_LEG = 17
    LEFT_SHOE = 18
    RIGHT_SHOE = 19


class LabelSet(str, Enum):
    """The numbering a parser was trained with."""

    CIHP = "cihp"
    LIP = "lip"
    ATR = "atr"

    @property
    def classes(self) -> int:
        """How many labels there are, background included."""
        return len(_TO_CIHP[self])


# fmt: off
LIP_LABELS: Final = (
    "background", "hat", "hair", "glove", "sunglasses", "upper-clothes", "dress", "coat", "socks", "pants",
    "jumpsuits", "scarf", "skirt", "face", "left-arm", "right-arm", "left-leg", "right-leg", "left-shoe",
    "right-shoe",
)

ATR_LABELS: Final = (
    "background", "hat", "hair", "sunglasses", "upper-clothes", "skirt", "pants", "dress", "belt", "left-shoe",
    "right-shoe", "face", "left-leg", "right-leg", "left-arm", "right-arm", "bag", "scarf",
)
# fmt: on

_SAME: Final = {label.name.lower().replace("_", "-"): label for label in Cihp} | {
    "pants": Cihp.TROUSERS,
    # one piece, as a dress is; LIP has no class for the neck
    "jumpsuits": Cihp.DRESS,
    # worn over the upper edge of trousers or skirt, and erased with neither
    "belt": Cihp.TROUSERS,
    # not worn: what it hides is unknown, and the networks know no such class
    "bag": Cihp.BACKGROUND,
}

LIP_TO_CIHP: Final = tuple(_SAME[name] for name in LIP_LABELS)
"""CIHP label of each LIP label."""

ATR_TO_CIHP: Final = tuple(_SAME[name] for name in ATR_LABELS)
"""CIHP label of each ATR label."""

_TO_CIHP: Final = {LabelSet.CIHP: tuple(Cihp), LabelSet.LIP: LIP_TO_CIHP, LabelSet.ATR: ATR_TO_CIHP}


def to_cihp(labels: U8, numbering: LabelSet) -> U8:
    """A label map in another numbering as CIHP labels.

    Neither LIP nor ATR has the neck; :func:`~vastra_live.synthesis.conditions.parsing.find_neck` adds it.

    Args:
        labels: (H, W) uint8.
        numbering: which set ``labels`` uses.

    Raises:
        ValueError: a label lies outside of the set.
    """
    table = np.array(_TO_CIHP[numbering], np.uint8)
    if labels.size and int(labels.max()) >= len(table):
        raise ValueError(f"{numbering.value} labels: expected 0..{len(table) - 1}, got {int(labels.max())}")
    return table[labels]
