"""`onscope trust`: what is usual for a package on frames like yours, with the limits on the screen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..frames import CameraOption, ExposureOption, SecondsOption, given_frames


def trust(
    package: Annotated[str, typer.Argument(help="A package: folder, or the name of a shipped one (zoo/care-beads).")],
    frames: Annotated[
        list[str],
        typer.Option(
            "--frames",
            help="Good frames like yours: a folder, an image or stack, an OME-Zarr, a recording, or a source such as "
            "micromanager:scope.cfg; may be repeated.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the package to write.", show_default="the package's")
    ] = None,
    max_frames: Annotated[int, typer.Option("--max-frames", min=1, help="Frames of these that are used.")] = 60,
    seconds: SecondsOption = None,
    exposure_ms: ExposureOption = None,
    camera: CameraOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a package that is there.")] = False,
) -> None:
    """Tell a package which frames are usual, so that others are flagged.

    Frames that it restores well say what its input looks like and how far the
    trust values of its answers spread. Live, what lies beyond is suspect.
    """
    from rich.console import Console
    from rich.table import Table

    from onscope.runtime import ExportError, Package

    from ..precision import Bars
    from ._package import write_usual

    opened = Package.load(package)
    if out is None and not Path(package).is_dir():
        raise ExportError(
            f"found {package}, which is no folder of yours, expected a place for the package: add -o FOLDER"
        )
    with Bars(Console(file=sys.stderr)) as bars:
        given = given_frames(frames, seconds, exposure_ms, camera)
        found = write_usual(opened, out, given, most=max_frames, overwrite=overwrite, tell=bars)
    console = Console()
    table = Table(box=None, header_style="dim", padding=(0, 2), pad_edge=False)
    for title in ("trust value", "from", "usually", "to"):
        table.add_column(title, justify="left" if title == "trust value" else "right")
    for name, limits in found.reference.limits.items():
        numbers = (limits.low, limits.centre, limits.high)
        table.add_row(name, *("" if number is None else f"{number:.3g}" for number in numbers))
    console.print(table)
    for note in found.notes:
        console.print(note, style="yellow", markup=False, highlight=False, soft_wrap=True)
    words = f"{found.frames} frames; package: {opened.folder if out is None else out}"
    console.print(words, markup=False, highlight=False, soft_wrap=True)
