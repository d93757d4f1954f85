"""Who may be dressed: one person, facing the camera.

BlazePose follows one person and says nothing of a second one; between two it jumps. Somebody seen from behind it takes
for somebody seen from the front in about every third look. A face detector, asked about once a second and more often
in doubt, knows better, for a hundredth of a core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vastra_live.errors import NothingToFitError
from vastra_live.tracking.base import BodyTracker
from vastra_live.tracking.faces import Face, FaceFinder, head_of, in_company, shows_face
from vastra_live.types import U8, Body, Frame

__all__ = ["Gate", "GateSettings"]

_SECOND_NS = 1_000_000_000
_DARK = 40.0
"""Grey levels: in a picture without a lighter spot nobody is found."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Who counts, and for how long before it does.

    Attributes:
        least_size: a face counts that is at least so large beside the wearer's; who is smaller is far behind.
        ahead: whose nose is less far in front of the shoulders is seen from behind, in shoulder widths, unless their
            face is found: from half the side it may be as far back;
        ahead_unseen: and whose face is not found, from here on.
        period_s: how often faces are looked for.
        doubtful_s: how often, while they contradict what is shown.
        settle_s: how long a second face must be there, or be gone again; who passes by changes nothing.
        turned_s: so long after they were last taken for somebody seen from behind, the wearer is believed to have
            turned round even though no face is found.
        away_s: after so long without a wearer the first look at the faces decides alone.
    """

    least_size: float = 0.6
    ahead: float = 0.6
    ahead_unseen: float = 1.2
    period_s: float = 1.0
    doubtful_s: float = 0.25
    settle_s: float = 1.0
    turned_s: float = 1.5
    away_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.least_size <= 1:
            raise ValueError(f"GateSettings.least_size: expected 0..1 and not 0, got {self.least_size}")
        if not 0 < self.doubtful_s <= self.period_s or min(self.settle_s, self.turned_s, self.away_s) < 0:
            raise ValueError(f"GateSettings: expected 0 < doubtful_s <= period_s and no negative time, got {self}")


class Gate:
    """A :class:`~vastra_live.tracking.base.BodyTracker` that lets through one person who faces the camera.

    Args:
        tracker: follows one person; closed with this.
        faces: sees them all; closed with this.
        settings: who counts, and when.
        static: every frame is a picture of its own, and its faces decide alone.
    """

    def __init__(
        self, tracker: BodyTracker, faces: FaceFinder, settings: GateSettings | None = None, *, static: bool = False
    ) -> None:
        self._tracker = tracker
        self._faces = faces
        self._settings = settings or GateSettings()
        self._static = static
        self._wearer = 0
        self._seen_ns: int | None = None
        self._looked_ns: int | None = None
        self._turned_ns: int | None = None
        self._faced_ns: int | None = None
        self._crowded = False
        self._contrary_since_ns: int | None = None

    def track(self, frame: Frame) -> Body | None:
        """The person in this frame, or None when nobody is seen.

        Raises:
            NothingToFitError: they are seen from behind or upside down, there are two, or nothing is seen in the dark.
        """
        body = self._tracker.track(frame)
        if body is None:
            if _is_dark(frame.bgr):
                raise NothingToFitError("it is too dark to see anybody: more light, please")
            return None
        if _is_upside_down(body):
            raise NothingToFitError("the picture is upside down: turn the camera, or the picture, round")
        now = frame.captured_ns
        anew = self._static or self._seen_ns is None or now - self._seen_ns > self._settings.away_s * _SECOND_NS
        self._seen_ns = now
        if anew:
            self._turned_ns = self._faced_ns = None
        faces = self._look(frame, body, anew)
        if faces is not None:
            self._count(body, faces, now, anew)
        if self._is_turned(body, faces, now, anew):
            raise NothingToFitError("the person is seen from behind: turn to the camera")
        if self._crowded:
            raise NothingToFitError("two people in the picture: one at a time, please")
        return body

    def close(self) -> None:
        """Give the models back. Harmless when repeated."""
        self._tracker.close()
        self._faces.close()

    def _look(self, frame: Frame, body: Body, anew: bool) -> Sequence[Face] | None:
        """Every face of this frame, when it is time to look for them."""
        changed, self._wearer = body.wearer != self._wearer, body.wearer
        doubtful = self._contrary_since_ns is not None or self._turned_ns is not None
        doubtful |= head_of(body).ahead < self._settings.ahead
        period_s = self._settings.doubtful_s if doubtful else self._settings.period_s
        now = frame.captured_ns
        if anew or changed or self._looked_ns is None or now - self._looked_ns >= period_s * _SECOND_NS:
            self._looked_ns = now
            return self._faces.find(frame)
        return None

    def _count(self, body: Body, faces: Sequence[Face], now: int, anew: bool) -> None:
        crowded = in_company(body, faces, self._settings.least_size)
        if crowded == self._crowded:
            self._contrary_since_ns = None
            return
        if self._contrary_since_ns is None:
            self._contrary_since_ns = now
        if anew or now - self._contrary_since_ns >= self._settings.settle_s * _SECOND_NS:
            self._crowded, self._contrary_since_ns = crowded, None

    def _is_turned(self, body: Body, faces: Sequence[Face] | None, now: int, anew: bool) -> bool:
        head, settings = head_of(body), self._settings
        left, right = float(body.landmarks_px[11, 0]), float(body.landmarks_px[12, 0])
        if abs(left - right) < 0.4 * head.unit_px:
            # from the side: left and right mean little, and the synthesizer says so
            return self._turned_ns is not None
        found = None if faces is None else shows_face(body, faces)
        if found is not None:
            self._faced_ns = now if found else None
        faced = self._faced_ns is not None and now - self._faced_ns <= settings.doubtful_s * _SECOND_NS
        # a face behind a hand says nothing of somebody who was not turned before
        unseen = found is False and (anew or self._turned_ns is not None)
        if left < right or (head.ahead < (settings.ahead_unseen if unseen else settings.ahead) and not faced):
            self._turned_ns = now
        elif found or (self._turned_ns is not None and now - self._turned_ns > settings.turned_s * _SECOND_NS):
            self._turned_ns = None
        return self._turned_ns is not None


def _is_dark(bgr: U8) -> bool:
    """Whether even the lightest of a picture is nearly black."""
    every = max(1, min(bgr.shape[:2]) // 64)
    return float(np.percentile(bgr[::every, ::every].max(axis=2), 98)) < _DARK


def _is_upside_down(body: Body) -> bool:
    """Whether the eyes are below the shoulders, and left is where right is; who bows changes only the one."""
    left, right = body.landmarks_px[11], body.landmarks_px[12]
    eyes = float(body.landmarks_px[[2, 5], 1].mean())
    return left[0] < right[0] and eyes - float(left[1] + right[1]) / 2 > 0.3 * abs(float(right[0] - left[0]))
