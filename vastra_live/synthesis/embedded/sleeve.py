"""One sleeve: where its points are in the garment's photo, and where they belong on an arm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vastra_live.synthesis.embedded.girth import ARM_STATIONS, ELBOW, arm_point, unit_vector
from vastra_live.synthesis.embedded.outline import along_outline, largest_outline
from vastra_live.synthesis.embedded.skeleton import Arm, Point, Skeleton
from vastra_live.types import F32, Sleeve

__all__ = ["SleevePattern"]

_USUAL_ARM = 1.6
"""From the outer end of the shoulder to the wrist, in shoulder widths."""
_CAP = 0.16
"""So far down the outer edge, in shoulder widths, the arm begins."""
_TURN = 0.1
"""Shoulder widths between points where that edge turns from the shoulder to the arm."""
_BELOW_ARMPIT = 0.05
"""So far below the armpit, along the arm, a short sleeve's lower seam ends at least."""


class SleevePattern:
    """The points of one sleeve that are pinned to an arm, in the photo and on a body.

    Args:
        marks: the garment's landmarks, in pixels of its photo.
        side: ``right`` or ``left``.
        kind: of sleeve.
        mask: (H, W) 0..1, the sleeve in the photo.
        unit: photo pixels per shoulder width of the wearer.

    Attributes:
        outer: points of the outer edge, without the seam's; the first two lie on the sleeve's cap.
        inner: points of the edge on the armpit's side, opposite the last ones of ``outer``.
        end: how far down the arm it reaches: 0 shoulder joint, 1 wrist.
    """

    def __init__(self, marks: Mapping[str, Point], side: str, kind: Sleeve, mask: F32, unit: float) -> None:
        self._side, self._unit = side, unit
        outer0, outer1 = marks[f"shoulder_{side}"], marks[f"cuff_outer_{side}"]
        inner0, inner1 = marks[f"armpit_{side}"], marks[f"cuff_inner_{side}"]
        self._start, self._cuff = (outer0 + inner0) / 2, (outer1 + inner1) / 2
        share = (float(np.linalg.norm(outer1 - outer0)) / unit - 0.05) / _USUAL_ARM
        self.end = float(np.clip(share, 1.04, 1.08) if kind is Sleeve.LONG else np.clip(share, 0.12, 0.97))
        length = float(max(np.linalg.norm(outer1 - outer0), np.linalg.norm(inner1 - inner0)))
        count = int(np.clip(round(length / (0.3 * unit)), 1, 6))
        shares = np.arange(1, count + 1) / count
        if self.end > ELBOW + 0.15:
            # points on both sides of the elbow and at its tip, so that a bent sleeve has a corner
            elbow = ELBOW / self.end
            shares = np.array([elbow / 3, elbow * 2 / 3, elbow - 0.07, elbow, elbow + 0.07, (elbow + 1.07) / 2, 1.0])
            count = len(shares)
        outline = largest_outline(mask)
        length = float(np.linalg.norm(outer1 - outer0))
        cap = min(_CAP * unit / max(length, 1.0), 0.6 * shares[0])
        # what lies on the shoulder in the photo hangs down an arm: between points far apart the sheet would stand off
        turns = max(1, round(float(shares[0] - cap) * length / (_TURN * unit)))
        self._shares = np.concatenate([[0.45 * cap], np.linspace(cap, shares[0], turns + 1)[:-1], shares])
        self._count, self._cap = count, cap
        self.outer = along_outline(outline, outer0, outer1, inner0, self._shares)
        self.inner = along_outline(outline, inner0, inner1, outer0, shares)
        widths = [float(np.linalg.norm(a - b)) for a, b in zip(self.outer[-count:], self.inner, strict=True)]
        self._halves = np.interp(self._shares, shares, widths) / 2

    @property
    def elbow(self) -> tuple[Point, Point, float] | None:
        """Where it bends: a point of the photo, direction to the cuff, half width; None if it ends above the elbow."""
        if self.end <= ELBOW + 0.05:
            return None
        way = self._cuff - self._start
        half = float(np.interp(ELBOW / self.end, self._shares, self._halves))
        return self._start + way * ELBOW / self.end, unit_vector(way, way), half

    def stations(self, arm: Arm, unit: float) -> tuple[Point, Point]:
        """Where along an arm the points of the outer and the inner edge lie."""
        end, shares = self.end, self._shares[-self._count :]
        if end < ELBOW + 0.15:
            # its length is known in shoulder widths, and the arm may be longer than usual; shorter it points forward
            length = float(np.linalg.norm(arm.elbow - arm.shoulder) + np.linalg.norm(arm.wrist - arm.elbow))
            end *= min(1.0, _USUAL_ARM * unit / max(length, 1.0))
        inner_start = 0.22 * min(1.0, end / 0.5)
        outer = np.interp(self._shares, [self._cap, *shares], [0.0, *(end * shares)])
        return outer, inner_start + (end - inner_start) * shares

    def end_at(self, cuff: Point, arm: Arm, unit: float) -> float:
        """How far down an arm the sleeve reaches the middle of whose cuff was placed there; 0 shoulder, 1 wrist.

        A long one's end is where its hand begins, which the wearer's wrist tells better than a worn cuff.
        """
        if self.end > 1:
            return self.end
        station = float(self.stations(arm, unit)[0][-1])
        point, along = arm_point(arm, station)
        bone, share = (arm.elbow - arm.shoulder, ELBOW) if station < ELBOW else (arm.wrist - arm.elbow, 1 - ELBOW)
        station += share * float((cuff - point) @ along) / max(float(np.linalg.norm(bone)), 1.0)
        return float(np.clip(station, 0.12, 0.97))

    def targets(self, s: Skeleton, halves: Point, centres: Point, torso: Point) -> list[Point]:
        """Where the outer and then the inner points belong, in the skeleton's pixels.

        Args:
            s: the skeleton.
            halves: (5,) half widths of the arm as it is seen, in shoulder widths.
            centres: (5,) how far outside of its bones its middle lies, in the same measure.
            torso: (n, 2) the garment's side beside it, from armpit to hem.
        """
        unit, arm = s.unit, s.right if self._side == "right" else s.left
        sign = 1.0 if self._side == "right" else -1.0
        outward = -sign * s.across
        outer_stations, inner_stations = self.stations(arm, unit)
        # the side of the arm that is outside when it hangs, wherever it points to
        normal = np.array([-1.0, 1.0]) * arm_point(arm, 0.1)[1][::-1] * sign
        reach = (1.08 * halves[0] + centres[0]) * unit
        cap = arm.shoulder + unit_vector(normal + 0.3 * outward, outward) * reach
        over = arm.shoulder + unit_vector(normal + 0.3 * outward - s.down, outward) * reach
        # outside of the bend the two edges of upper arm and forearm meet in a corner
        upper = unit_vector(arm.elbow - arm.shoulder, outward)
        if self.end < ELBOW:
            # of a sleeve that was laid straight out the lower seam is short: hanging, it ends below the armpit even so
            bone = max(float(np.linalg.norm(arm.elbow - arm.shoulder)), 1.0)
            lowest = ELBOW * float((torso[0] - arm.shoulder) @ upper) / bone + _BELOW_ARMPIT
            shares = self._shares[-self._count :]
            inner_stations = inner_stations + max(lowest - float(inner_stations[-1]), 0.0) * shares
        fore = unit_vector(arm.wrist - arm.elbow, upper)
        tip = upper - fore
        corner = float(np.clip(0.9 / np.sqrt(max((1 + float(upper @ fore)) / 2, 0.1)), 1.0, 1.35))

        def beside_bone(station: float, flat: float, least: float, *, inside: bool) -> tuple[Point, float]:
            """The sleeve's edge at a station of the arm, and how far it hangs off the bone outside, shoulder widths.

            Args:
                station: along the arm.
                flat: half its width in the photo, in shoulder widths.
                least: what a sleeve hangs off the bone at least where it hangs.
                inside: which edge.
            """
            point, along = arm_point(arm, station)
            normal = sign * np.array([-along[1], along[0]])
            arm_half = float(np.interp(station, ARM_STATIONS, halves))
            edge = -normal if inside else normal
            # loose cloth hangs down: below an arm that is held out, and outside of one that hangs by the side
            loose = min(max(0.3 * (flat - arm_half), 0.04 * arm_half), 0.4 * arm_half)
            # at the shoulder its width is that of the armhole, which lies flat
            loose *= min(1.0, station / 0.3)
            lower = min(max(float(-normal @ s.down), 0.0), 1.0)
            half = arm_half + 2 * loose * (lower if inside else 1 - lower)
            if abs(station - ELBOW) < 0.03 and float(edge @ tip) > 0:
                half *= corner
            centre = float(np.interp(station, ARM_STATIONS, centres))
            half += (1 - lower) * max(least - half - centre, 0.0)
            return np.asarray(point + (edge * half + normal * centre) * unit, np.float64), half + centre

        flats = self._halves / self._unit
        outer, off = [over, cap], reach / unit
        for station, flat in zip(outer_stations[2:], flats[2:], strict=True):
            # a short sleeve falls straight down from where it is widest
            point, off = beside_bone(station, flat, off if self.end < ELBOW else 0.0, inside=False)
            outer.append(point)
        pairs = zip(inner_stations, flats[-self._count :], strict=True)
        inner = [beside_bone(station, flat, 0.0, inside=True)[0] for station, flat in pairs]
        inner = [
            _beside(point, opposite, torso, s, outward) if at < ELBOW else point
            for point, opposite, at in zip(inner, outer[-self._count :], inner_stations, strict=True)
        ]
        return outer + inner


def _beside(inner: Point, outer: Point, torso: Point, s: Skeleton, outward: Point) -> Point:
    """The inner point of an upper sleeve, moved off the torso's side: a hanging sleeve covers none of the chest."""
    depth = (torso - s.neck) @ s.down
    side = np.interp((inner - s.neck) @ s.down, depth, (torso - s.neck) @ outward)
    over = float(side) - float((inner - s.neck) @ outward)
    room = 0.5 * max(float((outer - inner) @ outward), 0.0)
    return inner + outward * min(max(over, 0.0), room)
