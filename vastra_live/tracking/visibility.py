"""What is seen at each live pixel: the layer's ground, or something else.

A mixture of explanations for a live pixel's colour, as in background modelling (Stauffer and Grimson 1999):
the keyframe's own surface moved here, covered by the layer or not; a part of the layer's ground that was not
seen before; anything else, such as a hand. Which explanation holds is decided for a neighbourhood rather than
for a pixel: the log likelihoods are pooled by a guided filter (He, Sun and Tang 2013) whose guide is the live
picture, so the decision changes where the picture does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vastra_live.tracking.appearance import ColourModel, colour_bins
from vastra_live.tracking.reach import Within
from vastra_live.tracking.surface import Expected
from vastra_live.types import F32, U8

__all__ = ["ColourEvidence", "Seen", "colour_evidence", "pool", "see"]

# Variance of luma and chroma around the expected range, in levels squared: camera noise and compression.
_LUMA_VARIANCE, _CHROMA_VARIANCE = 36.0, 9.0
# Log of the density at the middle of the range: a normal one's, less what the width of the range spreads it.
_PEAK_LOG = float(-1.5 * np.log(2 * np.pi) - 0.5 * np.log(_LUMA_VARIANCE) - np.log(_CHROMA_VARIANCE)) - 0.85
# How many independent looks a neighbourhood is worth.
_LOOKS = 4.0
# How much rather a pixel too many is covered than one too few: an outline drawn too tight lets the worn garment
# shine through all around, one drawn too wide hides a pixel of wall. In odds, after pooling.
_COVER = 20.0
# What of a pixel the layer has at least beside one of its own. A camera blurs the worn garment's edge into the next
# pixel, where it would stand as a line around the layer.
_NEIGHBOUR, _BESIDE = 0.3, np.ones((3, 3), np.uint8)
# The same for colour by itself: a wall's shade is as likely here as there, so neighbours add less.
_COLOUR_LOOKS = 2.0
# Guided filter: what luma variance, in levels squared, counts as an edge.
_EDGE_VARIANCE = 40.0
# Prior probability that the keyframe's surface is still what is seen.
_STILL_SEEN = 0.7
# Prior that what is in front in the keyframe is there still.
_STILL_THERE = 0.5
# Prior, among what was not seen before, that it is ground of the layer: far from the layer and inside it. Low
# inside, because what is ground there was seen and would match.
_UNSEEN = (0.05, 0.3)
# How far around the layer its ground may turn up unseen so far, in work pixels (box).
_NEAR = (13, 13)
# As far inside the layer, in work pixels (box), only what reaches there is in front.
_WELL_INSIDE = (21, 21)
# So far inside it, in work pixels (box), what is behind the wearer is not seen; and what alpha that takes on the mean.
_INSIDE, _WHOLE = (9, 9), 0.98
# Kinds of pieces, see :func:`_nothing_in_front`.
_ALONE, _ATTACHED = 1, 2
# What a deviation from the expected colour itself costs, in shares of what leaving the range costs: where two
# colours meet, the range between them holds colours of neither, skin for one.
_POINT = 0.15
# One surprising pixel must not outvote its neighbourhood.
_LOG_LIMIT = 15.0
# Pooling may overshoot where colours meet, and the exponent of no more than 88 is a number in float32.
_LOG_ODDS = 80.0


@dataclass(frozen=True, slots=True, eq=False)
class ColourEvidence:
    """Log densities of the live colours by themselves, on the work grid: (H, W) float32 each."""

    covered_log: F32
    rest_log: F32


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The posterior of one picture, on the work grid.

    Attributes:
        alpha: (H, W) float32, 0..1, probability that the pixel belongs to the layer.
        matched: (H, W) float32, 0..1, probability that the keyframe's own surface is seen.
    """

    alpha: F32
    matched: F32


def colour_evidence(live: U8, colours: ColourModel, alpha: F32 | None = None) -> ColourEvidence:
    """How likely each live colour is.

    Args:
        live: (H, W, 4) uint8 Y, Cr, Cb, any.
        colours: of the layer.
        alpha: (H, W) float32, where the layer is expected on the trunk: what is behind the wearer is not seen within
            it, and a shadow on a white shirt is no grey wall. None for nowhere.
    """
    bins = colour_bins(live)
    # of the tables themselves: clipped to them they need not be looked through first
    rest = colours.rest_log.take(bins, mode="clip")
    if alpha is not None and colours.front_log is not None:
        inside = cv2.compare(cv2.blur(alpha, _INSIDE), _WHOLE, cv2.CMP_GT)
        rest = cv2.copyTo(colours.front_log.take(bins, mode="clip"), inside, rest)
    return ColourEvidence(colours.covered_log.take(bins, mode="clip"), rest)


def see(live: U8, expected: Expected, evidence: ColourEvidence, within: Within | None = None) -> Seen:
    """Explain a live picture.

    Args:
        live: (H, W, 4) uint8 Y, Cr, Cb and anything.
        expected: the keyframe's surface, moved to the live picture.
        evidence: of ``live``.
        within: where something may be in front; None when it may be anywhere.
    """
    luma, red, blue, _ = cv2.split(live)
    alpha = expected.alpha
    point = _distance(
        cv2.absdiff(luma, expected.luma), cv2.absdiff(red, expected.red), cv2.absdiff(blue, expected.blue)
    )
    # all relative to "anything else", which costs one filter less
    covered_log = _surface_log(live, expected.covered_low, expected.covered_high, point, evidence.rest_log)
    # what is in front in the keyframe may be there still, and is not of the colour expected behind it
    still = cv2.multiply(cv2.extractChannel(expected.rest_low, 3), 1 / 255, dtype=cv2.CV_32F)
    point = cv2.subtract(point, cv2.multiply(point, still))
    rest_log = _surface_log(live, expected.rest_low, expected.rest_high, point, evidence.rest_log)
    weight = _COLOUR_LOOKS / _LOOKS
    unseen_log = cv2.max(cv2.addWeighted(evidence.covered_log, weight, evidence.rest_log, -weight, 0), -_LOG_LIMIT)
    covered, rest, unseen = (_odds(log) for log in pool(luma, (covered_log, rest_log, unseen_log)))

    share = cv2.multiply(cv2.blur(alpha, (5, 5)), _STILL_SEEN / 255, dtype=cv2.CV_32F)
    share -= cv2.multiply(share, still, still, _STILL_THERE)
    near = cv2.multiply(cv2.blur(alpha, _NEAR), 1 / 255, dtype=cv2.CV_32F)
    near = cv2.min(cv2.max(near, _UNSEEN[0], near), _UNSEEN[1], near)
    if within is not None:
        # away from arms, which turn their sleeves, a garment comes up from nowhere but its own edge: a skirt or shorts
        # of the worn top's colour are no more of it
        edge = cv2.min(cv2.multiply(share, 1 / _STILL_SEEN), _UNSEEN[1])
        near = cv2.copyTo(near, within.close, edge)
    near *= 1 - _STILL_SEEN
    covered = cv2.multiply(covered, share, covered, _COVER)
    rest *= _STILL_SEEN - share
    unseen *= near
    layer = cv2.add(covered, unseen, unseen)
    known = cv2.add(layer, rest)
    everything = cv2.add(known, cv2.subtract(1 - _STILL_SEEN, near, near))
    if within is not None:
        everything = cv2.copyTo(known, _nothing_in_front(alpha, cv2.divide(layer, everything), within), everything)
    seen = cv2.divide(layer, everything)
    seen = cv2.max(seen, cv2.multiply(cv2.dilate(seen, _BESIDE), _NEIGHBOUR))
    return Seen(seen, cv2.divide(cv2.add(covered, rest, rest), everything))


def _odds(log: F32) -> F32:
    """Odds of pooled logs, which are used up; neither nothing nor without end, or nothing could be told of a pixel."""
    cv2.min(cv2.max(log, -_LOG_ODDS / _LOOKS, log), _LOG_ODDS / _LOOKS, log)
    odds: F32 = cv2.exp(cv2.multiply(log, _LOOKS, log), log)
    return odds


def _nothing_in_front(expected: U8, seen: F32, within: Within) -> U8:
    """(H, W) uint8, 255 where what differs is a print that shifts or a badge that swings, and no hand.

    Args:
        expected: (H, W) uint8, the layer's alpha.
        seen: (H, W) float32, how probably the layer is seen if something may be in front anywhere.
        within: where it may be.
    """
    # near the outline what was beside the wearer may be in front of them: a desk, when they lean
    inside = cv2.compare(cv2.blur(expected, _WELL_INSIDE), 250, cv2.CMP_GT)
    rows, columns = seen.shape
    half = (max(1, columns // 2), max(1, rows // 2))
    foreign = cv2.compare(cv2.resize(seen, half, interpolation=cv2.INTER_AREA), 0.5, cv2.CMP_LT)
    inside, mask, close = (
        cv2.resize(each, half, interpolation=cv2.INTER_NEAREST) for each in (inside, within.mask, within.close)
    )
    # landmarks are late for a hand that has just begun to move: what is as large as one is let through, and what hangs
    # together with it, with an arm, or with what lies beside the wearer
    side = max(1, round(within.hand / 2)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    large = cv2.morphologyEx(foreign, cv2.MORPH_OPEN, disc)
    reached = cv2.bitwise_or(cv2.bitwise_or(close, large), cv2.bitwise_not(inside))
    number, labels = cv2.connectedComponents(foreign, ltype=cv2.CV_16U)
    kinds = np.full(number, _ALONE, np.uint8)
    kinds[labels[reached > 0]] = _ATTACHED
    kinds[0] = 0
    attached, alone = (
        cv2.dilate(cv2.compare(kinds[labels], kind, cv2.CMP_EQ), _BESIDE) for kind in (_ATTACHED, _ALONE)
    )
    nothing = cv2.bitwise_or(cv2.bitwise_and(inside, cv2.bitwise_not(cv2.bitwise_or(mask, attached))), alone)
    result: U8 = cv2.resize(nothing, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return result


def pool(guide: U8, values: Sequence[F32]) -> list[F32]:
    """Guided filter at half size (He and Sun 2015, "Fast guided filter"), 3 x 3 there.

    Args:
        guide: (H, W) uint8.
        values: (H, W) float32 each.
    """
    rows, columns = guide.shape
    half = (max(1, columns // 2), max(1, rows // 2))
    window = (3, 3)
    small = cv2.resize(guide, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    mean = cv2.blur(small, window)
    scale = 1 / (cv2.blur(small * small, window) - mean * mean + np.float32(_EDGE_VARIANCE))
    bright = guide.astype(np.float32)

    def grown(field: F32) -> F32:
        wide: F32 = cv2.resize(cv2.blur(field, window), (columns, rows), interpolation=cv2.INTER_LINEAR)
        return wide

    def pooled(value: F32) -> F32:
        inner = cv2.resize(value, half, interpolation=cv2.INTER_AREA)
        inner_mean = cv2.blur(inner, window)
        slope = (cv2.blur(inner * small, window) - inner_mean * mean) * scale
        offset = inner_mean - slope * mean
        wide = grown(slope)
        wide *= bright
        wide += grown(offset)
        return wide

    return [pooled(value) for value in values]


def _surface_log(live: U8, low: U8, high: U8, point: F32, rest_log: F32) -> F32:
    """Student's t with 4 degrees of freedom over 3 channels: outliers happen.

    Args:
        live, low, high: (H, W, 4) uint8, the picture and the range it is expected in.
        point: (H, W) float32, the squared distance to the expected colour itself.
        rest_log: (H, W) float32, what the result is relative to.
    """
    outside = cv2.split(cv2.max(cv2.subtract(low, live), cv2.subtract(live, high)))
    distance = _distance(*outside[:3])
    distance = cv2.addWeighted(distance, 1 / 4, point, _POINT / 4, 1, distance)
    log = cv2.addWeighted(cv2.log(distance, distance), -3.5, rest_log, -1, _PEAK_LOG, distance)
    surface_log: F32 = cv2.max(log, -_LOG_LIMIT, log)
    return surface_log


def _distance(luma: U8, red: U8, blue: U8) -> F32:
    """Squared differences over their variances, summed: (H, W) uint8 each to (H, W) float32."""
    # accumulating takes no weights: the chromas' is taken out of all and put back at the end
    squared = cv2.multiply(luma, luma, scale=_CHROMA_VARIANCE / _LUMA_VARIANCE, dtype=cv2.CV_32F)
    squared = cv2.accumulateSquare(blue, cv2.accumulateSquare(red, squared))
    distance: F32 = cv2.multiply(squared, 1 / _CHROMA_VARIANCE, squared)
    return distance
