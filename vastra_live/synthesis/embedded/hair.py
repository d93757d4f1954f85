"""Hair: it grows from the head, and falls before shoulders and chest.

The prior of hair ends at the shoulders, for further down a collar, a print or a dark top would be taken for it. A
lock that falls lower is told by its colour alone: by that of the hair beside the face against that of the top where
no hair hangs. Where the two are alike nobody can tell, and no lock is looked for.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.synthesis.embedded.colours import CELLS, I64, learned
from vastra_live.synthesis.embedded.guided import Smoother
from vastra_live.synthesis.embedded.places import BACKGROUND, HAIR, SKIN, TOP, Places
from vastra_live.synthesis.embedded.skeleton import Skeleton
from vastra_live.types import F32, U8

__all__ = ["attach_hair", "let_hair_fall"]

Mask = npt.NDArray[np.bool_]

_LOCK, _FALLEN = 0.75, 0.65
"""So likely on the mean is a lock of hair that an ear cuts off from the head, and one that falls below the chin."""
_LONG, _MOST = 0.02, 0.7
"""Less hair below the chin, in squared shoulder widths, is short, and more is none but an open jacket."""
_ASIDE, _DOWN = 0.75, 1.0
"""Hair falls within so many shoulder widths of the spine, and down to that depth of the torso."""
_FAR = 0.9
"""So many shoulder widths from the neck little hair hangs: what is seen there is the top."""
_ALIKE = 2.5
"""Locks are surer to be hair, by their colour, than even chances by so many times as likely as the top is to be."""
_NEVER_SEEN = 0.1 / CELLS
"""How likely any other thing has any colour."""
_THIN = 0.04
"""Half the width, in shoulder widths, of what is too thin for a lock: a seam, a lanyard, the shade at a neckline."""


def let_hair_fall(
    share: F32, likely: F32, skin: F32, cells: I64, places: Places, s: Skeleton, smooth: Smoother
) -> None:
    """Find the locks before shoulders and chest. In place.

    Args:
        share: (5, h, w) probability of each class.
        likely: (5, h, w) how likely each class has this colour, wherever it is.
        skin: (h, w) prior.
        cells: (h*w,) colour cell of each pixel.
        places: where things may be.
        s: the skeleton, in the same pixels.
        smooth: along the picture's edges.
    """
    hair = share[HAIR]
    below = places.below_chin > 0
    if int((hair[below] > 0.5).sum()) < _LONG * s.unit**2:
        return
    zone = places.inside & (np.abs(places.aside) < _ASIDE) & (places.depth < _DOWN) & (places.below_chin > -1)
    free = zone * (1 - places.face)
    down = np.maximum(places.depth, 0) * np.float32(s.torso_length / s.unit)
    far = np.minimum(np.hypot(places.aside, down) / np.float32(_FAR), 1) ** 4
    top = share[TOP] * (share[TOP] > 0.5) * far
    others = likely[SKIN] * np.clip(3 * skin, 0.1, 1) + likely[BACKGROUND] * ~places.sure + np.float32(_NEVER_SEEN)
    # beside the cheeks is the hair that falls further, in the light that it has there, and no hat
    of_hair = learned(cells, (hair * (hair > 0.5) * places.beside_cheeks)[None])[0]
    as_hair = of_hair.take(cells).reshape(hair.shape)

    def fallen(as_top: F32) -> F32:
        return np.asarray(as_hair / (as_hair + 2 * as_top.take(cells).reshape(hair.shape) + others), np.float32)

    # the top's colours without those of the hair that hangs before it: first by how much of it there is, then by where
    lock = fallen(_without(learned(cells, top[None])[0], of_hair))
    strands = _strands(np.maximum(smooth(lock * free), hair), places, s.unit)
    if not (below & (strands > 0.5) & (hair < 0.5)).any():
        return
    rest = top * (strands == 0)
    lock = fallen(learned(cells, rest[None])[0])
    strands = np.maximum(_strands(np.maximum(smooth(lock * free), hair), places, s.unit), hair)
    new = below & (strands > 0.5) & (hair < 0.5)
    if not new.any() or float(strands[below].sum()) > _MOST * s.unit**2:
        return
    # a top of about the hair's colour is likely hair almost everywhere, and what looks like a lock is a lit shoulder
    if float(lock[new].mean()) < 0.5 + _ALIKE * float((rest * lock).sum() / max(float(rest.sum()), 1e-6)):
        return
    share *= (1 - strands) / np.maximum(1 - hair, np.float32(1e-6))
    share[HAIR] = strands


def _without(model: F32, part: F32) -> F32:
    """(cells,) a colour model from which another is taken that is mixed into it, in what measure is not known."""
    at = np.flatnonzero(part)
    measure = model[at] / part[at]
    order = np.argsort(measure)
    middle = np.searchsorted(np.cumsum(part[at][order]), 0.5 * part[at].sum())
    return np.asarray(np.maximum(model - 1.5 * measure[order[middle]] * part, 0), np.float32)


def _strands(hair: F32, places: Places, unit: float) -> F32:
    """(h, w) 0..1: of what may be hair, what is thick enough and hangs together with that beside the face."""
    small = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
    side = 2 * max(1, round(_THIN * unit)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx((hair > 0.4).astype(np.uint8), cv2.MORPH_CLOSE, small)
    _, labels = cv2.connectedComponents(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc), connectivity=4)
    on_head = np.zeros(int(labels.max()) + 1, np.uint8)
    on_head[labels[places.beside_cheeks & places.above_mouth]] = 1
    on_head[0] = 0
    return np.asarray(hair * cv2.dilate(on_head[labels], small), np.float32)


def attach_hair(share: F32, places: Places) -> None:
    """Hair grows from the head: what is not attached to it, or thin as a seam, goes to the other classes. In place.

    Where skin meets a dark top the mixed pixels have the colour of hair. An ear and its ring cut a lock off from the
    head; but it begins beside the face.
    """
    strands = (share[HAIR] > 0.35).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    thick = cv2.morphologyEx(strands, cv2.MORPH_OPEN, kernel)
    cv2.copyTo(strands, places.above_mouth.view(np.uint8), thick)
    # a pale collar is about as likely to be a white hat's, which was learned as hair, as the top's own
    fallen = thick * (places.below_chin > 0)
    if fallen.any():
        thick[_unsure(fallen, share[HAIR], _FALLEN)] = 0
    lock = places.beside_face & ~_unsure(thick, share[HAIR], _LOCK)
    count, labels = cv2.connectedComponents(thick, connectivity=4)
    at = np.flatnonzero(((places.seeds[HAIR] > 0) | lock) & (thick > 0))
    on_head = np.zeros(count, np.uint8)
    on_head[labels.take(at)] = 1
    share[HAIR] *= cv2.dilate(on_head.take(labels), kernel)
    share /= cv2.max(share.sum(axis=0), 1e-6)


def _unsure(pieces: U8, hair: F32, least: float) -> Mask:
    """(h, w) which pieces of an (h, w) mask are on the mean no likelier hair than that."""
    count, labels = cv2.connectedComponents(pieces, connectivity=4)
    at = np.flatnonzero(pieces > 0)
    which = labels.take(at)
    unsure = np.bincount(which, hair.take(at), count) <= least * np.bincount(which, minlength=count)
    unsure[0] = False
    return np.asarray(unsure.take(labels), np.bool_)
