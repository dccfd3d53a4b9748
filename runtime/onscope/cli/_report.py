"""`onscope report`: one HTML page of a recording, to send to a colleague or put beside a paper's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NO_RECORDING = 2
MOST = 5


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a recording.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="Page to write.", show_default="RUN-report.html beside RUN"),
    ] = None,
    check: Annotated[
        bool | None,
        typer.Option("--check/--no-check", help="Check its files first.", show_default="when they are less than 1 GB"),
    ] = None,
) -> None:
    """Write a page of a recording: images, times, what became of every frame, decisions, trust, methods.

    One HTML file of at most about 5 MB, which needs nothing else and runs no
    script. Also of a run that was cut off or is damaged: it says what cannot
    be read.

    Exit code 0 when the page is written, 2 when RUN is no recording.
    """
    from rich.console import Console
    from rich.text import Text

    from onscope.runtime import RecordError
    from onscope.runtime.record import is_recording
    from onscope.runtime.record.about import size_words
    from onscope.view import report as reports

    from ._app import complain
    from ._info_words import clean

    run = run.parent if run.name.endswith(".zarr") and is_recording(run.parent) else run
    try:
        written = reports.report(run, out, check=check)
    except RecordError as error:
        complain(str(error))
        raise typer.Exit(1 if is_recording(run) else NO_RECORDING) from error
    console = Console(highlight=False)
    for words in written.troubles[:MOST]:
        console.print(Text(clean(words), "yellow"), soft_wrap=True)
    if written.faults:
        first = clean(written.faults[0])
        told = f"{len(written.faults):,} faults in its files: onscope verify tells all. The first: {first}"
        console.print(Text(told, "yellow"), soft_wrap=True)
    console.print(Text(f"{written.path}: the report, {size_words(written.nbytes)}"), soft_wrap=True)
