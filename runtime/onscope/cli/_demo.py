"""`onscope demo`: the whole way on Micro-Manager's demo camera, or on a living specimen, against a known truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ._options import (
    BrowserOption,
    HostOption,
    OutOption,
    OverwriteOption,
    ProviderOption,
    StayOption,
    ThreadsOption,
    TokenOption,
    TruthOption,
    ViewOption,
    ViewPortOption,
    WorkerOption,
    dated_folder,
)

HERE = Path(__file__).parent
PIPELINE = HERE / "demo.yaml"
POINTS = ("beads", "emitters")
"""What the demo's networks were trained on, or looks like it."""
NUCLEI = "zoo/nuclei-cells"
FRAMES = 500
"""Of the demo camera."""
SECONDS, MOST_FRAMES, SIZE = 10.0, 100, 512
"""Of a specimen's demo at most: seconds of exposures, frames, rows and columns. Where cells are drawn anew for each
frame, two cores need longer than the exposures last."""


def demo(
    frames: Annotated[
        int | None,
        typer.Option("--frames", min=1, help="Frames to take.", show_default="500; of a specimen at most 100"),
    ] = None,
    out: OutOption = None,
    worker: WorkerOption = "process",
    provider: ProviderOption = "auto",
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            metavar="NAME|YAML",
            help="A shipped demonstration (--list names them), or the YAML of another pipeline.",
            show_default="by what is seen",
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Say which demonstrations there are, what they show, and end.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", min=0, help="Seed of the noise, and of the stage's steps or the cells.", show_default="0"
        ),
    ] = None,
    exposure_ms: Annotated[
        float | None,
        typer.Option("--exposure-ms", min=0.1, help="Exposure of the camera.", show_default="50; the scenario's"),
    ] = None,
    specimen: Annotated[
        str | None,
        typer.Option(
            "--specimen",
            metavar="SCENARIO",
            help="Mount a living specimen in place of the demo camera: dividing-cells, wound ..., or a YAML file.",
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", help="Channel of the specimen.", show_default="nuclei, else its first with a dye"),
    ] = None,
    lapse: Annotated[
        float | None,
        typer.Option(
            "--lapse",
            min=0.0,
            help="How many times as fast as the clock the specimen lives.",
            show_default="an interval of the scenario per second",
        ),
    ] = None,
    truth: TruthOption = False,
    view: ViewOption = False,
    view_port: ViewPortOption = None,
    host: HostOption = None,
    token: TokenOption = None,
    browser: BrowserOption = None,
    stay: StayOption = False,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Run the demo: a real Micro-Manager core, networks on its frames, live, recorded and accounted for.

    The demo camera shows fluorescent beads that wander in small steps; a simulated sCMOS sensor adds its noise, so that
    the truth is known. With --specimen, living cells, bacteria or molecules lie under a simulated microscope whose
    camera, stages and light are devices of the core. With --pipeline NAME a system of the literature runs on the
    specimen that shows it: stacks, structured light, movies; what is stated beside it (--specimen, --frames ...) counts
    before the demonstration's own. Exit code 0 when the ledger adds up and the raw frames are complete.
    """
    from rich.console import Console

    from onscope.runtime import SourceError, keep_newest

    from ._demos import chosen, table
    from ._live import Plan, run_live
    from ._viewing import looking_of

    if list_:
        Console().print(table())
        raise typer.Exit
    file, shown = (None, None) if pipeline is None else chosen(pipeline)
    own = {"size": SIZE} if shown is None else {"size": SIZE, **shown.options}
    if shown is not None and specimen is None:
        specimen = shown.scenario
    if specimen is None:
        for name, given in (("--channel", channel), ("--lapse", lapse), ("--truth", truth or None)):
            if given is not None:
                raise SourceError(
                    f"found {name} without --specimen, expected both: name a scenario, such as --specimen "
                    "dividing-cells, or leave it out"
                )
    looking = looking_of(view, view_port, host, token, browser, stay, None)
    console = Console()
    with _opened(specimen, seed, exposure_ms, channel, lapse, own) as source:
        plan = Plan(
            title=": ".join(["onscope demo", *([pipeline] if shown else [specimen] if specimen else [])]),
            pipeline=file or (PIPELINE if specimen is None else pipeline_for(source.shows)),
            out=out or dated_folder("demo"),
            frames=frames or (shown.frames if shown else FRAMES if not specimen else most_frames(source.exposure_ms)),
            admission=keep_newest(2),
            worker=worker,
            provider=provider,
            threads=threads,
            overwrite=overwrite,
            keep_truth=truth,
            looking=looking,
            aim=source.aim if "against" in own else None,
        )
        if shown is not None:
            console.print(f"{shown.system}. {shown.seen}", soft_wrap=True, highlight=False)
        if specimen is not None:
            console.print(source.words, soft_wrap=True, highlight=False)
        # Where answers are to show something else than the frame does, they cannot be held against its own truth.
        code = run_live(source, plan, console, source.truth if plan.aim is None else None)
    raise typer.Exit(code)


def pipeline_for(shows: str) -> Path:
    """The demo's pipeline where this is seen: networks for points, for nuclei, or for any image."""
    if shows in POINTS:
        return PIPELINE
    return HERE / ("demo-nuclei.yaml" if shows == "nuclei" and _is_shipped(NUCLEI) else "demo-images.yaml")


def _is_shipped(package: str) -> bool:
    entry, _, name = package.partition("/")
    roots = [Path(str(point.load())) for point in entry_points(group="onscope.packages", name=entry)]
    return any((root / name / "rdf.yaml").is_file() for root in roots)


def most_frames(exposure_ms: float) -> int:
    """How many frames a specimen's demo has, unless told."""
    return max(1, min(MOST_FRAMES, round(SECONDS * 1e3 / exposure_ms)))


@contextmanager
def _opened(
    specimen: str | None,
    seed: int | None,
    exposure_ms: float | None,
    channel: str | None,
    lapse: float | None,
    own: dict[str, Any],
) -> Iterator[Any]:
    """The source; of a specimen it has `words`, `shows` and `exposure_ms` beside its `truth`. `own`: options of the
    demonstration, which count where nothing else is stated."""
    from onscope.runtime import open_source

    if specimen is None:
        options: dict[str, Any] = {"seed": seed or 0, "exposure_ms": 50.0 if exposure_ms is None else exposure_ms}
        driver = "demo"
    else:
        stated = {"seed": seed, "exposure_ms": exposure_ms, "channel": channel, "lapse": lapse}
        options = own | {key: value for key, value in stated.items() if value is not None} | {"truth": True}
        driver = f"specimen:{specimen}"
    with open_source(driver, **options) as source:
        yield cast("Any", source)
