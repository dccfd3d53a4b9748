"""`onscope reduce`: variants of a package's weights in fewer bits, with the numbers on the screen."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..frames import CameraOption, ExposureOption, SecondsOption, given_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._report import VariantReport


class Precision(StrEnum):
    """What weights can be reduced to."""

    fp16 = "fp16"
    int8 = "int8"


def reduce(
    package: Annotated[str, typer.Argument(help="A package: folder, or the name of a shipped one (zoo/care-beads).")],
    precision: Annotated[
        list[Precision], typer.Option("--precision", help="What to reduce to; may be repeated for both.")
    ],
    frames: Annotated[
        list[str] | None,
        typer.Option(
            "--calibrate",
            "--frames",
            help="Frames like yours, to calibrate with: a folder, an image or stack, an OME-Zarr, or a source such as "
            "micromanager:scope.cfg; may be repeated.",
            show_default="the package's test input",
        ),
    ] = None,
    seconds: SecondsOption = None,
    exposure_ms: ExposureOption = None,
    camera: CameraOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the package to write.", show_default="the package's")
    ] = None,
    reduce_range: Annotated[
        bool, typer.Option("--reduce-range", help="int8 weights of 7 bits, for x86 processors without VNNI.")
    ] = False,
    limit: Annotated[
        float | None,
        typer.Option(
            "--limit",
            min=1e-4,
            max=1.0,
            help="Largest error of an image network, as a share of what it changes.",
            show_default="0.05",
        ),
    ] = None,
    search_s: Annotated[
        float, typer.Option("--search-s", min=1, help="Seconds to look for sensitive layers, for each variant.")
    ] = 300.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a package that is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Add fp16 or int8 variants to a package, with proof of what they change.

    Layers that lose too much stay in float: they are found by measuring, on
    your frames. A stage of a pipeline runs a variant with `precision: int8`,
    and none that differs too much from the float weights.

    Exit code 1, and one sentence, when something is wrong, or when a variant
    did not pass: it is written all the same, marked.
    """
    from rich.console import Console

    from onscope.runtime import ExportError, Package

    from ._progress import Bars
    from ._reduce import reduce_package
    from ._report import as_json

    opened = Package.load(package)
    if out is None and not Path(package).is_dir():
        raise ExportError(
            f"found {package}, which is no folder of yours, expected a place for the reduced package: add -o FOLDER"
        )
    with Bars(Console(file=sys.stderr)) as bars:
        reports = reduce_package(
            opened, [one.value for one in precision], out, given_frames(frames, seconds, exposure_ms, camera),
            overwrite=overwrite, reduce_range=reduce_range, limit=limit, limit_s=search_s, tell=bars,
        )  # fmt: skip
    if json:
        typer.echo(as_json({report.precision: report.to_json() for report in reports}), nl=False)
    else:
        _show(reports, opened.folder if out is None else out)
    if not all(report.passes for report in reports):
        raise typer.Exit(1)


def _show(reports: Sequence[VariantReport], folder: Path) -> None:
    from rich.console import Console

    from onscope.runtime import Package, best_precision

    from ._progress import error_table, speed_table

    console = Console()
    console.print(error_table(reports))
    console.print(speed_table(reports))
    for report in reports:
        for note in report.notes:
            line = f"{report.precision}: {note}"
            console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
        if not report.passes:
            line = (
                f"{report.precision}: did not pass, so the runtime refuses it: give more frames, or keep the float ones"
            )
            console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    package = Package.load(folder)
    for engine in dict.fromkeys(engine for report in reports for engine in report.speeds):
        line = f"a stage with `precision: auto` runs {best_precision(package, engine)} on {engine} here"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"package: {folder}", markup=False, highlight=False, soft_wrap=True)
