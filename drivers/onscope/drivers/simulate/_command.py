"""`onscope simulate`: data sets with known truth from a scenario."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer


def simulate(
    scenario: Annotated[
        str,
        typer.Argument(
            help="A YAML file, or one of bacteria, dividing-cells, label-free, photo-toxicity, rare-event, sim, spots, "
            "wound."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the data set to write.")],
    frames: Annotated[int, typer.Option("--frames", min=1, help="Time points; each has all channels.")] = 20,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Other cells, other noise.", show_default="the scenario's")
    ] = None,
    interval_s: Annotated[
        float | None,
        typer.Option("--interval-s", help="Seconds between time points.", show_default="the scenario's"),
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=16, help="Rows and columns.", show_default="the scenario's")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a data set that is there.")] = False,
) -> None:
    """Simulate a living specimen: frames as a camera gives them, and beside them what is true.

    Writes OME-TIFF images (frames, noise-free photons, labels of cells and nuclei), tables of objects with their
    parents, classes and doses, and a picture of it all.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from onscope.specimen.scenarios import ScenarioError, as_specimen, read_scenario

    from ._data_set import Plan, SimulateError, write_data_set
    from ._overview import write_overview

    if out.exists() and not overwrite:
        raise SimulateError(f"found {out} already there, expected a new folder: choose another, or add --overwrite")
    if out.exists() and not (out / "data_set.json").is_file():
        raise SimulateError(f"found {out}, which is no data set, expected one to overwrite: choose another folder")
    if interval_s is not None and not interval_s > 0:
        raise SimulateError(f"found --interval-s {interval_s}, expected a time above 0")
    console = Console(file=sys.stderr)
    try:
        said = read_scenario(scenario)
        chosen = said.seed if seed is None else seed
        with console.status(f"growing {said.name}"):
            specimen = as_specimen(said, chosen)
    except ScenarioError as error:
        raise SimulateError(str(error)) from error
    shape = said.acquisition.shape if size is None else (size, size)
    plan = Plan(said, chosen, frames, interval_s or said.acquisition.interval_s, shape)
    part = out.with_name(out.name + ".part")  # takes the place of the folder once it is whole
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(said.name, total=frames)
            written = write_data_set(part, plan, specimen, lambda: progress.advance(task))
        write_overview(part / "overview.png", plan, specimen, written)
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(written.kinds.items()))
    Console().print(
        f"{out}: {frames} frames of {', '.join(specimen.channels)}; {counted or 'no objects'}", soft_wrap=True
    )
