"""Whether the garment is shown, held, or faded out: what the viewer sees when placing it fails.

A garment that flickers on and off, or that is torn, is worse than none. So the decision has hysteresis
(it takes several good frames to come back), and opacity moves at a limited rate.
"""

from __future__ import annotations

from dataclasses import dataclass

from vastra_live.types import Shown

__all__ = ["Presence", "PresenceSettings", "View"]


@dataclass(frozen=True, slots=True)
class PresenceSettings:
    """Limits of the fades.

    Attributes:
        leave_below: confidence 0..1 under which the garment starts to go.
        return_above: confidence 0..1 it takes to come back; above ``leave_below``.
        fade_out_ms: from worn to plain, where the garment still sits well.
        hurry: so many times faster where nothing of it is found any more: what is drawn there is torn.
        fade_in_ms: from plain to worn.
        hold: hold the last good picture instead of fading to the plain one.
    """

    leave_below: float = 0.3
    return_above: float = 0.45
    fade_out_ms: float = 250.0
    hurry: float = 4.0
    fade_in_ms: float = 200.0
    hold: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.leave_below < self.return_above <= 1:
            raise ValueError(
                f"expected 0 <= leave_below < return_above <= 1, got {self.leave_below} and {self.return_above}"
            )
        if min(self.fade_in_ms, self.fade_out_ms) <= 0:
            raise ValueError(f"expected fades longer than 0 ms, got {self.fade_in_ms} and {self.fade_out_ms}")
        if self.hurry < 1:
            raise ValueError(f"expected hurry of at least 1, got {self.hurry}")


@dataclass(frozen=True, slots=True)
class View:
    """How to draw this frame.

    Attributes:
        opacity: 0..1, how much of the garment.
        shown: what to call it.
    """

    opacity: float
    shown: Shown


class Presence:
    """Decides, frame by frame, how visible the garment is. One thread."""

    def __init__(self, settings: PresenceSettings | None = None) -> None:
        self._settings = settings or PresenceSettings()
        self._opacity = 0.0
        self._wanted = False
        self._last_ns: int | None = None

    def update(
        self,
        now_ns: int,
        confidence: float | None,
        *,
        gone: bool = False,
        doubtful: bool = False,
        at_once: bool = False,
    ) -> View:
        """The view of a frame captured at ``now_ns``.

        Args:
            now_ns: capture time of the frame, monotonic nanoseconds.
            confidence: 0..1, how well the garment can be placed; None when there is nothing to place.
            gone: there is nobody to dress, however well the garment sits.
            doubtful: there may be nobody to dress; what has gone does not come back meanwhile.
            at_once: the first garment of a run appears without a fade.
        """
        settings = self._settings
        elapsed_ms = 0.0 if self._last_ns is None else max(0.0, (now_ns - self._last_ns) / 1e6)
        self._last_ns = now_ns
        if confidence is None:
            self._wanted = False
        elif self._wanted:
            self._wanted = not gone and confidence >= settings.leave_below
        else:
            self._wanted = not gone and not doubtful and confidence >= settings.return_above
        if settings.hold:
            # nothing is drawn from a placement that failed: the session repeats the last good picture
            if self._wanted:
                self._opacity = 1.0
                return View(1.0, Shown.GARMENT)
            return View(0.0, Shown.HELD if self._opacity > 0 else Shown.PLAIN)
        if self._wanted:
            step = 1.0 if at_once else elapsed_ms / settings.fade_in_ms
            self._opacity = min(1.0, self._opacity + step)
        elif confidence is None:
            # there is no garment to draw at all, so nothing can be faded
            self._opacity = 0.0
        else:
            lost = max(0.0, 1 - confidence / settings.leave_below) if settings.leave_below > 0 else 0.0
            pace = 1 + (settings.hurry - 1) * lost
            self._opacity = max(0.0, self._opacity - elapsed_ms * pace / settings.fade_out_ms)
        return View(self._opacity, Shown.GARMENT if self._opacity > 0 else Shown.PLAIN)
