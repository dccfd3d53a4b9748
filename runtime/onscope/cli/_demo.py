"""`onscope demo`: the whole way on Micro-Manager's demo camera, against a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ._options import OutOption, OverwriteOption, ProviderOption, ThreadsOption, Worker, WorkerOption, dated_folder

PIPELINE = Path(__file__).with_name("demo.yaml")


def demo(
    frames: Annotated[int, typer.Option("--frames", min=1, help="Frames to take.")] = 500,
    out: OutOption = None,
    worker: WorkerOption = Worker.process,
    provider: ProviderOption = "auto",
    pipeline: Annotated[
        Path, typer.Option("--pipeline", help="YAML of another pipeline.", show_default="denoise, super-resolve, spots")
    ] = PIPELINE,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the noise and of the stage's steps.")] = 0,
    exposure_ms: Annotated[float, typer.Option("--exposure-ms", min=0.1, help="Exposure of the demo camera.")] = 50.0,
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Run the demo: Micro-Manager's demo camera, three networks, live, recorded and accounted for.

    A real Micro-Manager core shows fluorescent beads that wander in small steps; a simulated sCMOS sensor adds its
    noise, so that the truth is known. Exit code 0 when the ledger adds up and the raw frames are complete.
    """
    from rich.console import Console

    from onscope.runtime import keep_newest, open_source

    from ._live import Plan, run_live

    console = Console()
    plan = Plan(
        title="onscope demo",
        pipeline=pipeline,
        out=out or dated_folder("demo"),
        frames=frames,
        admission=keep_newest(2),
        worker=worker.value,
        provider=provider,
        threads=threads,
        overwrite=overwrite,
    )
    with open_source("demo", seed=seed, exposure_ms=exposure_ms) as source:
        code = run_live(source, plan, console, cast("Any", source).truth)
    raise typer.Exit(code)
