"""`onscope run`: a pipeline on a camera or on stored images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import (
    OutOption,
    OverwriteOption,
    ProviderOption,
    ThreadsOption,
    TruthOption,
    Worker,
    WorkerOption,
    dated_folder,
    parse_admission,
)


def run(
    pipeline: Annotated[Path, typer.Argument(help="YAML of the pipeline.")],
    source: Annotated[
        str,
        typer.Option(
            "--source",
            help="Where frames come from: micromanager:demo, micromanager:CONFIG.cfg, replay:FILE_OR_FOLDER, "
            "specimen:SCENARIO.",
        ),
    ],
    frames: Annotated[
        int | None, typer.Option("--frames", min=1, help="Frames to take.", show_default="all there are")
    ] = None,
    out: OutOption = None,
    worker: WorkerOption = Worker.process,
    provider: ProviderOption = "auto",
    admission: Annotated[
        str | None,
        typer.Option(
            "--admission",
            help="What enters when there is more than it can take: keep_newest:N, keep_oldest:N or block:N.",
            show_default="keep_newest:2; block:2 for a replay without --fps",
        ),
    ] = None,
    every_n: Annotated[int, typer.Option("--every-n", min=1, help="Let only every n-th frame enter.")] = 1,
    deadline_ms: Annotated[
        float | None, typer.Option("--deadline-ms", help="Skip frames that waited longer, mark later results late.")
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option("--fps", help="Speed of a replay: frames per second, or 'recorded'.", show_default="full speed"),
    ] = None,
    exposure_ms: Annotated[
        float | None, typer.Option("--exposure-ms", min=0.001, help="Exposure of the camera.")
    ] = None,
    camera: Annotated[str | None, typer.Option("--camera", help="Camera to use, where there are several.")] = None,
    pixel_size_um: Annotated[
        float | None, typer.Option("--pixel-size-um", min=1e-6, help="Pixel size of stored images that do not tell it.")
    ] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Take stored colour images as their luminance.")] = False,
    truth: TruthOption = False,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Run a pipeline on a camera or on stored images: live, recorded and accounted for.

    Exit code 0 when the ledger adds up and the raw frames are complete.
    """
    from rich.console import Console

    from onscope.runtime import open_source

    from ._live import Plan, run_live

    replays_freely = source.startswith("replay:") and fps is None
    plan = Plan(
        title=f"onscope run {pipeline.name}",
        pipeline=pipeline,
        out=out or dated_folder("run"),
        frames=frames,
        admission=parse_admission(
            admission or ("block:2" if replays_freely else "keep_newest:2"), every_n, deadline_ms
        ),
        worker=worker.value,
        provider=provider,
        threads=threads,
        overwrite=overwrite,
        keep_truth=truth,
    )
    options: dict[str, float | str | bool | None] = {
        "fps": _speed(fps),
        "exposure_ms": exposure_ms,
        "camera": camera,
        "pixel_size_um": pixel_size_um,
    }
    options["colour"] = False if grey else None
    options["truth"] = truth or None
    with open_source(source, **options) as opened:
        code = run_live(opened, plan, Console())
    raise typer.Exit(code)


def _speed(text: str | None) -> float | str | None:
    """A number where it is one; the driver judges the rest."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text
