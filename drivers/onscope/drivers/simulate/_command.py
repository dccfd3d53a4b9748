"""`onscope simulate`: data sets with known truth from a scenario."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """How images are written."""

    zarr = "ome-zarr"
    tiff = "ome-tiff"


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
    shape: Annotated[
        str | None,
        typer.Option(
            "--shape",
            "--size",
            metavar="ROWSxCOLUMNS",
            help="Of the images, in pixels.",
            show_default="the scenario's",
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", help="Take this channel; may be given more than once.", show_default="all"),
    ] = None,
    planes: Annotated[
        int | None,
        typer.Option("--planes", min=1, max=999, help="Planes of a z-stack.", show_default="the scenario's"),
    ] = None,
    step_um: Annotated[
        float | None,
        typer.Option("--step-um", help="Distance between planes.", show_default="the scenario's"),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="How images are written.")] = Form.zarr,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a data set that is there.")] = False,
) -> None:
    """Simulate a living specimen: frames as a camera gives them, and beside them what is true.

    Writes images (frames, photons without noise, labels of cells and of nuclei) as OME-Zarr 0.5 or OME-TIFF, tables of
    objects with their parents, classes and doses, and a picture of it all. The same seed gives the same bits.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from onscope.specimen.scenarios import ScenarioError, as_specimen, read_scenario

    from ._data_set import write_data_set
    from ._overview import write_overview
    from ._plan import Plan, SimulateError, chosen_channels, parsed_shape

    _check_free(out, overwrite)
    for name, value in (("--interval-s", interval_s), ("--step-um", step_um)):
        if value is not None and not 0 < value < float("inf"):
            raise SimulateError(f"found {name} {value}, expected a number above 0")
    console = Console(file=sys.stderr)
    try:
        said = read_scenario(scenario)
        usual, chosen = said.acquisition, said.seed if seed is None else seed
        plan = Plan(
            said,
            chosen,
            frames,
            interval_s or usual.interval_s,
            usual.shape if shape is None else parsed_shape(shape),
            chosen_channels(said, tuple(channel or ())),
            planes or usual.planes,
            step_um or usual.step_um,
        )
        with console.status(f"growing {said.name}"):
            specimen = as_specimen(said, chosen)
    except ScenarioError as error:
        raise SimulateError(str(error)) from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _whole_or_nothing(out) as part:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(said.name, total=frames)
            written = write_data_set(part, plan, specimen, lambda: progress.advance(task), form.value)
        write_overview(part / "overview.png", plan, specimen, written)
    stacks = f" of {plan.planes} planes each" if plan.planes > 1 else ""
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    last = ", ".join(f"{count} {kind}" for kind, count in sorted(written.kinds.items(), key=lambda one: -one[1]))
    happened = [f"{written.divisions} divided"] * (written.divisions > 0) + [f"{written.deaths} died"] * (
        written.deaths > 0
    )
    lines = [
        f"{frames} time points, {plan.interval_s:g} s apart, of {', '.join(plan.channels)}{stacks}",
        f"in view at the end: {last or 'no objects'}" + (f"; {' and '.join(happened)}" if happened else ""),
        f"written to {out} ({size:,.0f} MB); overview.png shows it",
    ]
    Console().print("\n".join(lines), soft_wrap=True, highlight=False)


def _check_free(out: Path, overwrite: bool) -> None:
    """Raise SimulateError unless a data set can be put there."""
    from ._plan import SimulateError

    if out.exists() and not overwrite:
        raise SimulateError(f"found {out} already there, expected a new folder: choose another, or add --overwrite")
    if out.exists() and not (out / "data_set.json").is_file():
        raise SimulateError(f"found {out}, which is no data set, expected one to overwrite: choose another folder")


@contextmanager
def _whole_or_nothing(out: Path) -> Iterator[Path]:
    """A folder beside `out`, NAME.part, that takes its place at the end of the block, or is removed when it fails.

    What a killed run left is replaced; raises SimulateError when it still runs, or the folder cannot be made.
    """
    from onscope.runtime import RecordError
    from onscope.runtime.record import Hold

    from ._plan import SimulateError

    part, old = out.with_name(out.name + ".part"), out.with_name(out.name + ".old")
    hold = None
    try:
        if part.exists():
            Hold(part).close()
            shutil.rmtree(part)
        part.mkdir(parents=True)
        hold = Hold(part)
    except RecordError as error:
        raise SimulateError(
            f"found {part} still being written, expected no other run that makes {out}: wait for it, or choose another "
            "folder"
        ) from error
    except OSError as error:
        raise SimulateError(
            f"{part} cannot be made ({error.strerror}): choose a folder that can be written to"
        ) from error
    try:
        yield part
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
            out.rename(old)
        part.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        hold.close()
        shutil.rmtree(part, ignore_errors=True)
