"""`onscope verify`: is a recording whole, unchanged, and what its own models give?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from onscope.runtime.record.verify import Check, Report

SHOWN = 10
"""Sentences of a check that are printed; `--json` has more."""
NO_RECORDING = 2


def verify(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of a recording.")],
    sample: Annotated[
        int, typer.Option("--sample", min=0, help="Results to compute again, spread over the run; 0: none.")
    ] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Compute all results again.")] = False,
    packages: Annotated[
        list[Path] | None,
        typer.Option("--packages", help="Folder to look for the recording's packages in; may be given several times."),
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", help="Engine to compute on.", show_default="the one that ran then")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Chooses which results are computed again.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a recording: is it whole, unchanged, and what its own models give?

    Holds the account against frames, results and tables; reads every chunk of
    every image and every other file, and compares checksums; computes some
    answers again from the raw frames, with the packages and on the engine that
    ran then. Changes nothing.

    Exit code 0 when all is good, 1 when something was found, 2 when DATA is no
    recording.
    """
    from rich.console import Console

    from onscope.runtime import RecordError
    from onscope.runtime.record import is_recording
    from onscope.runtime.record.verify import verify as look

    from ._app import complain
    from ._progress import Bar

    console = Console()
    try:
        with Bar(Console(stderr=True)) as bar:
            report = look(
                data,
                sample=None if everything else sample,
                seed=seed,
                packages=packages or (),
                provider=provider,
                progress=bar.tell,
            )
    except RecordError as error:
        complain(str(error))
        raise typer.Exit(1 if is_recording(data) else NO_RECORDING) from error
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=1))
    else:
        show(console, report)
    raise typer.Exit(0 if report.good else 1)


def show(console: Console, report: Report) -> None:
    """Print a report: a line per check, what is wrong, and the verdict."""
    from rich.text import Text

    console.print(Text(f"{report.folder}, {report.state}", "bold"), soft_wrap=True)
    for check in report.checks:
        _show_check(console, check)
    found = sum(check.found for check in report.checks)
    if report.good:
        console.print(Text("nothing is missing, and nothing has changed", "green"))
    else:
        console.print(Text("1 fault was found" if found == 1 else f"{found:,} faults were found", "bold red"))


def _show_check(console: Console, check: Check) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(width=3)
    table.add_column(width=14)
    table.add_column(ratio=1)
    mark = Text("NO", "bold red") if not check.good else Text("ok", "green") if check.looked else Text("--", "dim")
    table.add_row(mark, Text(check.name), Text(check.words, "" if check.good else "red"))
    for fault in check.faults[:SHOWN]:
        table.add_row("", "", Text(plain(fault), "red"))
    if check.found and len(check.faults) > SHOWN:
        table.add_row("", "", Text(f"and {len(check.faults) - SHOWN} lines more: --json prints them", "red"))
    for note in check.notes[:SHOWN]:
        table.add_row("", "", Text(plain(note), "dim"))
    console.print(table)


def plain(text: str) -> str:
    """The text with whatever a terminal would obey written out: names may be anybody's."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
