"""From settings to a session: finds a camera and a display, or does the next best thing and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from vastra_live.capture import FrameSource, open_source
from vastra_live.config import OnLost, Settings
from vastra_live.errors import CameraError, ConfigError, DisplayError
from vastra_live.outfits import find_garment
from vastra_live.output.base import FrameSink, SlowConsumer
from vastra_live.output.open import open_sink, parse_outputs
from vastra_live.output.window import Window
from vastra_live.rack import Rack
from vastra_live.screen import Screen
from vastra_live.session import LiveSession, SessionSettings
from vastra_live.synthesis import open_synthesizer
from vastra_live.telemetry import Telemetry
from vastra_live.tracking.body import BlazePoseTracker
from vastra_live.tracking.faces import BlazeFaceFinder
from vastra_live.tracking.gate import Gate
from vastra_live.types import Garment
from vastra_live.wardrobe.store import Wardrobe

__all__ = ["launch"]

TITLE = "vastra live"
CAMERA_SIZE = (1280, 720)
"""Asked of a camera when no size is given: sharp on a mirror, and one core carries it at camera rate."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where frames come from and where they go."""

    source: FrameSource
    window: Window | None
    outputs: tuple[str, ...]


def _source(settings: Settings, spec: str) -> FrameSource:
    is_camera = spec.isdigit() or spec.startswith("/dev/")
    return open_source(
        spec,
        size=settings.size or (CAMERA_SIZE if is_camera else None),
        fps=settings.fps,
        loop=settings.loop,
        asap=settings.asap,
        give_up_s=settings.camera_give_up_s,
        rotate=settings.rotate,
    )


def _window(settings: Settings) -> Window:
    return Window(TITLE, fullscreen=settings.fullscreen)


def _plan(settings: Settings, tell: Callable[[str], None]) -> _Plan:
    outputs = settings.output
    window: Window | None = None
    no_display = ""
    if not outputs or "window" in outputs:
        try:
            window = _window(settings)
        except DisplayError as error:
            if outputs == ("window",) and settings.source is not None:
                raise
            no_display = str(error)
            tell(no_display)
    outputs = tuple(spec for spec in outputs if spec != "window")
    if settings.source is not None:
        if no_display and not outputs:
            raise ConfigError(
                f"there is no display for {settings.source}: name an output, such as --output file:try-on.mp4"
            )
        return _Plan(_source(settings, settings.source), window, outputs)
    if no_display and not outputs:
        # frames of a camera are not written unless somebody asks for it, so there the demo steps in
        tell(
            "no display: the demo source is recorded instead; "
            "to record a camera, use --source 0 --output file:try-on.mp4"
        )
        return _Plan(_source(settings, "demo"), None, ("file:vastra-try.mp4", "sheet:vastra-try.png"))
    try:
        return _Plan(_source(settings, "0"), window, outputs)
    except CameraError as error:
        tell(f"{error}; the demo source is used instead")
        return _Plan(_source(settings, "demo"), window, outputs)


def _rack(settings: Settings, wardrobe: Wardrobe) -> Rack:
    """The wanted garment or outfit first, then the rest of the wardrobe to leaf through."""
    names = wardrobe.names()
    if settings.garment is None:
        return Rack(names, wardrobe.load)
    first = find_garment(wardrobe, settings.garment)

    def load(name: str) -> Garment:
        return first if name == first.name else wardrobe.load(name)

    return Rack([first.name, *(name for name in names if name != first.name)], load)


def launch(settings: Settings, tell: Callable[[str], None], tick: Callable[[Telemetry], None]) -> LiveSession:
    """A session ready to run.

    Args:
        settings: what the user wants.
        tell: called with one line for whoever watches the console; from any thread.
        tick: called a few times a second by the main thread while the session runs without a window.

    Raises:
        InputError: a setting, file or garment cannot be used.
        DeviceError: a camera, display or output that was asked for cannot be used.
    """
    parse_outputs(settings.output)
    rack = _rack(settings, Wardrobe(settings.wardrobe))
    plan = _plan(settings, tell)
    try:
        telemetry = Telemetry()
        mirrored = settings.mirror is not False
        screen = Screen(plan.window, telemetry, mirror=mirrored) if plan.window is not None else None

        def announce(line: str) -> None:
            tell(line)
            if screen is not None:
                screen.say(line)

        synthesizer = open_synthesizer(settings.synthesizer.value, tell=announce)
        # every frame of a source read as fast as possible is wanted; otherwise time goes on
        slow = SlowConsumer.WAIT if plan.source.every_frame else SlowConsumer.DROP_OLDEST
        sinks: list[FrameSink] = [open_sink(spec, fps=plan.source.fps, slow_consumer=slow) for spec in plan.outputs]

        def open_recording(path: Path) -> FrameSink:
            return open_sink(f"file:{path}", fps=plan.source.fps, slow_consumer=SlowConsumer.DROP_OLDEST)

        return LiveSession(
            source=plan.source,
            tracker=Gate(BlazePoseTracker(), BlazeFaceFinder()),
            synthesizer=synthesizer,
            rack=rack,
            sinks=sinks,
            screen=screen,
            open_recording=open_recording,
            settings=SessionSettings(
                frames=settings.frames,
                mirror_outputs=settings.mirror is True,
                hold=settings.on_lost is OnLost.HOLD,
                body_hz=settings.body_hz,
                captures=Path(platformdirs.user_pictures_dir()) / "vastra-live",
            ),
            telemetry=telemetry,
            on_event=tell,
            on_tick=tick,
        )
    except BaseException:
        # whatever went wrong, a camera that stays open or an empty window that stays up would outlive it
        plan.source.close()
        if plan.window is not None:
            plan.window.close()
        raise
