"""What the stages see of one person in one frame: the start of every deep synthesizer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import NothingToFitError
from vastra_live.synthesis.conditions.crop import Crop, frame_person
from vastra_live.synthesis.conditions.densepose import PartsFinder
from vastra_live.synthesis.conditions.keypoints import Keypoints, complete_torso, from_blazepose
from vastra_live.synthesis.conditions.labels import LabelSet, to_cihp
from vastra_live.synthesis.conditions.parsing import find_neck
from vastra_live.types import U8, Body, Frame

__all__ = ["Parser", "Seen", "see"]

_BYSTANDERS_MARGIN: Final = 0.03  # of the crop's width around the person, within which labels are the person's


class Parser(Protocol):
    """What :class:`~vastra_live.synthesis.conditions.parsing.OnnxParser` is."""

    numbering: LabelSet

    def labels(self, bgr: U8) -> U8:
        """(H, W) uint8, the class of every pixel, in the parser's numbering."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One person, cropped and read; arrays are of the crop's size, points in its pixels.

    Attributes:
        crop: where in the frame.
        bgr: (H, W, 3) uint8.
        found: the key points that were found.
        keypoints: the same with a complete torso.
        parse: (H, W) uint8, CIHP labels of this person alone; 0 beyond the frame.
        parts: (H, W) uint8, DensePose parts, 0 beyond the frame; None where DensePose was not asked.
    """

    crop: Crop
    bgr: U8
    found: Keypoints
    keypoints: Keypoints
    parse: U8
    parts: U8 | None


def see(
    frame: Frame,
    body: Body,
    size: tuple[int, int],
    parser: Parser,
    densepose: PartsFinder | None = None,
    begin: Callable[[str], None] = lambda _: None,
    beside: Executor | None = None,
) -> Seen:
    """Crop the person and run the stages.

    Args:
        frame: the camera's picture.
        body: who to look at.
        size: width and height of the crop.
        parser: finds the clothes.
        densepose: finds the body parts; None to do without.
        begin: told the name of each stage when it begins.
        beside: runs DensePose while the parser runs on the calling thread; None runs one after the other, which is
            as fast where both want the same cores.

    Raises:
        NothingToFitError: no shoulders, too small, or nobody DensePose could find.
        SynthesisError: a stage failed.
    """
    found = from_blazepose(body)
    complete = complete_torso(found)
    crop = frame_person(complete, frame.size, size)
    picture = crop.cut(frame.bgr)
    # what lies beyond the camera's picture is made up of repeated edges: nobody is there
    shown = crop.inside()
    silhouette = crop.cut_alpha(body.person_alpha) > 0.5
    parts, labels = _read(picture, parser, densepose, begin, beside)
    if parts is not None:
        parts = np.where(shown, parts, np.uint8(0))
        if not parts.any():
            raise NothingToFitError("DensePose finds nobody where the tracker sees somebody")
        silhouette |= parts > 0
    parse = to_cihp(labels, parser.numbering)
    theirs = shown & _grown(silhouette, round(_BYSTANDERS_MARGIN * size[0]))
    keypoints = complete.moved(crop.to_crop)
    parse = find_neck(np.where(theirs, parse, np.uint8(0)), keypoints, silhouette if parts is None else parts > 0)
    return Seen(crop, picture, found.moved(crop.to_crop), keypoints, parse, parts)


def _read(
    picture: U8,
    parser: Parser,
    densepose: PartsFinder | None,
    begin: Callable[[str], None],
    beside: Executor | None,
) -> tuple[U8 | None, U8]:
    """Parts and labels of a picture. No stage is left running, and the first error is the one that is raised."""
    if densepose is None or beside is None:
        parts = None
        if densepose is not None:
            begin("densepose")
            parts = densepose.parts(picture)
        begin("parsing")
        return parts, parser.labels(picture)
    begin("densepose")
    pending = beside.submit(densepose.parts, picture)
    begin("parsing")
    try:
        labels = parser.labels(picture)
    except BaseException:
        # also on Ctrl-C: a stage left running would still be in torch's code when Python ends
        earlier = pending.exception() if pending.done() else None
        wait((pending,))
        if earlier is not None:
            raise earlier  # noqa: B904 - the parser's error is its context, not its cause
        raise
    return pending.result(), labels


def _grown(mask: npt.NDArray[np.bool_], radius: int) -> npt.NDArray[np.bool_]:
    # a square, because its sides are done one after the other
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    grown: npt.NDArray[np.bool_] = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    return grown
