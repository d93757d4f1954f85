"""The command line: parse, call, print. ``vastra-live --help`` is its documentation."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from vastra_live import __version__
from vastra_live.errors import VastraError

if TYPE_CHECKING:
    from vastra_live.photo import Progress as OnProgress
    from vastra_live.telemetry import Telemetry
    from vastra_live.wardrobe.store import Wardrobe

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    help="See yourself, live, in a garment that exists only as a product photo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
garment_app = typer.Typer(help="The wardrobe: garments cut out of product photos.", no_args_is_help=True)
app.add_typer(garment_app, name="garment")
weights_app = typer.Typer(help="The published networks' files: none is needed for the embedded synthesizer.")
app.add_typer(weights_app, name="weights")

out = Console()
err = Console(stderr=True)


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"vastra-live {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


def _wardrobe() -> Wardrobe:
    from vastra_live.config import load_settings
    from vastra_live.wardrobe.store import Wardrobe

    return Wardrobe(load_settings({}).wardrobe)


def _garment_names(incomplete: str) -> list[str]:
    """Shell completion of garment names, of an outfit's second one too."""
    before, plus, last = incomplete.rpartition("+")
    return [before + plus + name for name in _wardrobe().names() if name.startswith(last)]


def _tell(line: str) -> None:
    err.print(line, style="yellow", highlight=False, soft_wrap=True)


@contextmanager
def _stages(title: str) -> Iterator[OnProgress]:
    """A bar on the console that names the stage."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda stage, done: bar.update(task, description=f"{title}: {stage}", completed=done)


GarmentName = Annotated[str, typer.Argument(help="Name in the wardrobe.", autocompletion=_garment_names)]


@app.command()
def run(
    source: Annotated[
        str | None,
        typer.Option(help="Camera index, device path, video, picture, folder of pictures, or `demo`."),
    ] = None,
    garment: Annotated[
        str | None,
        typer.Option(
            help="Name in the wardrobe, or path of a product photo; TOP+LOWER puts on both.",
            autocompletion=_garment_names,
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            help="Repeatable: `window`, `virtualcam[:DEVICE]`, `file:PATH.mp4`, `sheet:PATH.png`, `null`.",
        ),
    ] = None,
    synthesizer: Annotated[str | None, typer.Option(help="auto, embedded, hr-viton or cp-vton.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Size asked of the camera, or given to files.")
    ] = None,
    fps: Annotated[float | None, typer.Option(help="Rate asked of cameras, given to pictures.")] = None,
    mirror: Annotated[
        bool | None,
        typer.Option("--mirror/--no-mirror", help="Mirror every output, or none. Default: the window only."),
    ] = None,
    rotate: Annotated[
        int | None, typer.Option(metavar="DEGREES", help="Turn the picture clockwise: 90, 180 or 270.")
    ] = None,
    fullscreen: Annotated[bool | None, typer.Option("--fullscreen", help="Fill the screen, as a mirror.")] = None,
    frames: Annotated[int | None, typer.Option(help="End after so many pictures.")] = None,
    loop: Annotated[bool | None, typer.Option("--loop", help="Repeat a source that ends.")] = None,
    asap: Annotated[
        bool | None, typer.Option("--asap", help="Read a file as fast as it can be shown, every frame.")
    ] = None,
    on_lost: Annotated[str | None, typer.Option(help="While the garment cannot be placed: fade or hold.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the figures of the run.")] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Settings; flags win over it.")] = None,
) -> None:
    """Live try-on: camera in, dressed picture out."""
    from vastra_live.config import load_settings

    settings = load_settings(
        {
            "source": source,
            "garment": garment,
            "output": tuple(output) if output else None,
            "synthesizer": synthesizer,
            "size": size,
            "fps": fps,
            "mirror": mirror,
            "rotate": rotate,
            "fullscreen": fullscreen,
            "frames": frames,
            "loop": loop,
            "asap": asap,
            "on_lost": on_lost,
        },
        config=config,
    )
    if report is not None and not report.parent.is_dir():
        raise typer.BadParameter(f"the folder {report.parent} does not exist", param_hint="--report")
    with err.status("loading the models") as status:
        # imported here so that --help does not wait for OpenCV
        from vastra_live.launch import launch

        def tick(telemetry: Telemetry) -> None:
            status.update(
                f"{telemetry.frames} pictures, {telemetry.recent_fps():.0f} a second, "
                f"{telemetry.latency_p50():.0f} ms old when shown   (Ctrl-C ends)"
            )

        session = launch(settings, _tell, tick)
        # a service manager's stop is a stop, not a kill: the film gets its end
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            session.run()
        finally:
            done = session.report
            if done is not None:
                if report is not None:
                    done.write(report)
                shown = ", ".join(f"{n} {name}" for name, n in done.shown.items() if n)
                err.print(
                    f"{done.frames} pictures in {done.seconds:.1f} s ({shown}), {done.keyframes} keyframes by "
                    f"{done.synthesizer}, ended by {done.ended}",
                    highlight=False,
                )


@app.command()
def photo(
    person: Annotated[Path, typer.Argument(help="Picture of a person.")],
    garment: Annotated[
        str,
        typer.Argument(
            help="Name in the wardrobe, or path of a product photo; TOP+LOWER puts on both.",
            autocompletion=_garment_names,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The picture to write.")],
    synthesizer: Annotated[str, typer.Option(help="auto, embedded, hr-viton or cp-vton.")] = "auto",
    debug_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every intermediate as a picture.")
    ] = None,
) -> None:
    """Dress one person in one picture."""
    with _stages("dressing") as progress:
        from vastra_live.outfits import find_garment
        from vastra_live.photo import route, try_on_files, try_on_published

        synthesizer = route(person, Path(garment), synthesizer, _tell)
        if synthesizer == "published":
            try_on_published(person, Path(garment), output, debug_dir=debug_dir, progress=progress, tell=_tell)
        else:
            worn = find_garment(_wardrobe(), garment)
            try_on_files(
                person, worn, output, synthesizer=synthesizer, debug_dir=debug_dir, progress=progress, tell=_tell
            )
    err.print(f"wrote {output}", highlight=False)


@garment_app.command("add")
def garment_add(
    picture: Annotated[Path, typer.Argument(help="Product photo of one garment.")],
    name: Annotated[str | None, typer.Option(help="Default: the file's name.")] = None,
    category: Annotated[str, typer.Option(help="auto, upper, lower or dress.")] = "auto",
    mask: Annotated[Path | None, typer.Option(help="Picture of the mask: white is cloth.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was read.")] = False,
) -> None:
    """Read a product photo into the wardrobe."""
    from vastra_live.wardrobe.store import describe

    wardrobe = _wardrobe()
    with err.status("reading the garment"):
        entry = wardrobe.add(picture, name=name, category=category, mask=mask)
    if as_json:
        out.print_json(json.dumps(describe(wardrobe, entry.name)))
    else:
        out.print(f"added {entry.name}: {entry.category.value}, sleeve {entry.sleeve.value}", highlight=False)


@garment_app.command("correct")
def garment_correct(
    name: GarmentName,
    category: Annotated[str | None, typer.Option(help="upper, lower or dress.")] = None,
    sleeve: Annotated[str | None, typer.Option(help="none, strap, short, half or long.")] = None,
    landmark: Annotated[
        list[str] | None,
        typer.Option(metavar="POINT=X,Y", help="Repeatable: where a point is, in pixels of the photo."),
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="First forget every correction made before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is known now.")] = False,
) -> None:
    """Overrule what was read of a garment: `garment show` draws its points."""
    from vastra_live.wardrobe.store import describe

    wardrobe = _wardrobe()
    garment = wardrobe.correct(
        name,
        category=category,
        sleeve=sleeve,
        landmarks_px=dict(_point(text) for text in landmark or ()),
        anew=anew,
    )
    if as_json:
        out.print_json(json.dumps(describe(wardrobe, name)))
    else:
        out.print(f"{name}: {garment.category.value}, sleeve {garment.sleeve.value}", highlight=False)


def _point(text: str) -> tuple[str, tuple[float, float]]:
    name, _, place = text.partition("=")
    try:
        x, y = (float(number) for number in place.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected POINT=X,Y such as hem_left=512,830", param_hint="--landmark"
        ) from None
    return name, (x, y)


@garment_app.command("list")
def garment_list(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """What the wardrobe holds."""
    from vastra_live.wardrobe.store import describe

    wardrobe = _wardrobe()
    if as_json:
        out.print_json(json.dumps([describe(wardrobe, name) for name in wardrobe.names()]))
        return
    table = Table("name", "category", "sleeve", "origin")
    for entry in wardrobe.entries():
        table.add_row(entry.name, entry.category.value, entry.sleeve.value, entry.origin)
    out.print(table)


@garment_app.command("show")
def garment_show(
    name: GarmentName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.png", help="The picture to write.")],
    as_json: Annotated[bool, typer.Option("--json", help="Also print what is known.")] = False,
) -> None:
    """Draw a garment with its mask and landmarks."""
    from vastra_live.pictures import write_picture
    from vastra_live.wardrobe.drawing import draw_garment
    from vastra_live.wardrobe.store import describe

    wardrobe = _wardrobe()
    write_picture(output, draw_garment(wardrobe.load(name)))
    if as_json:
        out.print_json(json.dumps(describe(wardrobe, name)))
    else:
        err.print(f"wrote {output}", highlight=False)


@garment_app.command("remove")
def garment_remove(name: GarmentName) -> None:
    """Take a garment out of the wardrobe."""
    _wardrobe().remove(name)
    out.print(f"removed {name}", highlight=False)


@weights_app.command("list")
def weights_list() -> None:
    """Every file any network needs: what it is for, its licence, whether it is here."""
    from vastra_live.weights import Store

    store = Store()
    # three columns, so that 80 characters hold every word; one that is longer than its column is folded, not cut off
    table = Table(
        Column("name", no_wrap=True), Column("what for, licence", overflow="fold"), Column("here", no_wrap=True)
    )
    for status in store.status():
        entry = status.entry
        terms = entry.licence if entry.commercial else f"{entry.licence}: not for commercial use"
        here = "-" if status.size is None else f"{status.size / 2**20:.0f} MiB"
        table.add_row(entry.name, f"{entry.stage}\n[dim]{terms}[/dim]", here)
    out.print(table)
    out.print(f"in {store.folder}; groups: hr-viton, cp-vton, cp-vton-plus", highlight=False)


@weights_app.command("pull")
def weights_pull(
    name: Annotated[str, typer.Argument(help="A file or a group of `weights list`.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="DIR|URL", help="A folder with files brought by hand, or a mirror.")
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You read its licence and accept it.")
    ] = False,
) -> None:
    """Fetch files; goes on where an interrupted pull stopped, and checks what came."""
    from vastra_live.synthesis.checkpoints import check
    from vastra_live.weights import Store, progress_bar

    store = Store()
    for entry in store.select(name):
        err.print(f"{entry.name}: {entry.licence}, {entry.licence_url}", highlight=False, soft_wrap=True)
        with progress_bar(err, entry.file) as progress:
            path = store.pull(entry.name, source=source, accept_licence=accept_licence, check=check, progress=progress)
        err.print(f"{path} is there", highlight=False, soft_wrap=True)


@weights_app.command("verify")
def weights_verify(
    name: Annotated[str | None, typer.Argument(help="A file or group; default: all that is here.")] = None,
) -> None:
    """Open the files: hash, keys, shapes; says what differs."""
    from vastra_live.synthesis.checkpoints import check
    from vastra_live.weights import Store

    store = Store()
    wrong = 0
    asked = [status for status in store.status(name) if name is not None or status.present]
    if not asked:
        err.print(f"nothing to verify: {store.folder} holds no file yet", highlight=False, soft_wrap=True)
    for status in asked:
        try:
            store.verify(status.entry.name, check)
        except VastraError as error:
            wrong += 1
            err.print(f"{status.entry.name}: {error}", style="red", highlight=False, soft_wrap=True)
        else:
            out.print(f"{status.entry.name}: right", highlight=False)
    if wrong:
        raise typer.Exit(2)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Camera, display, virtual camera, GPU: what works, what does not, what to do."""
    from vastra_live import doctor as examination

    with err.status("looking around"):
        checks = examination.examine()
    if as_json:
        out.print_json(json.dumps(examination.as_dict(checks)))
    else:
        out.print(examination.report(checks))


def main(arguments: list[str] | None = None) -> None:
    """Entry point: one line and an exit code for every failure that is foreseen, never a traceback."""
    try:
        result: Any = app(args=arguments, standalone_mode=False)
    except VastraError as error:
        err.print(f"vastra-live: {error}", style="red", highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of the parser knows how to print itself
        if show is None:
            raise
        show()
        sys.exit(getattr(error, "exit_code", 2))
    sys.exit(result if isinstance(result, int) else 0)
