"""`onscope engines`: what was built for GPUs, and its removal."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from onscope.runtime.engines import KeptEngine

DAY_S = 86400.0
engines = typer.Typer(
    add_completion=False, no_args_is_help=True, help="List the engines that were built, and remove those that are old."
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")]


@engines.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Say what was built: for which stages, frames and GPU, how large, used when, and whether it fits this machine."""
    from onscope.runtime.engines import kept_engines

    _show(kept_engines(), as_json, "engines")


@engines.command()
def prune(
    older_than_days: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Those not used for so many days.")
    ] = None,
    largest_mb: Annotated[
        float | None,
        typer.Option("--largest", metavar="MB", min=0, help="Those used longest ago, until all take so much at most."),
    ] = None,
    unfit: Annotated[bool, typer.Option("--unfit", help="Those that do not fit this machine.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove engines by age, size, or because they fit no more; at least one of these must be said.

    What is removed can be built again with `onscope build`.
    """
    from onscope.runtime import ProviderError
    from onscope.runtime.engines import kept_engines, remove_kept, to_prune

    if older_than_days is None and largest_mb is None and not unfit:
        raise ProviderError("found nothing that says which engines go, expected --older-than, --largest or --unfit")
    older_s = None if older_than_days is None else older_than_days * DAY_S
    most = None if largest_mb is None else largest_mb * 1e6
    goes = to_prune(kept_engines(), older_than_s=older_s, largest_bytes=most, unfit=unfit)
    if not dry_run:
        remove_kept(goes)
    _show(goes, as_json, "would go" if dry_run else "removed")


def _show(found: Sequence[KeptEngine], as_json: bool, what: str) -> None:
    if as_json:
        typer.echo(json.dumps([engine.described() for engine in found], indent=1))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    total = sum(engine.size_bytes for engine in found) / 1e6
    console.print(Text(f"{what}: {len(found)}, {total:.1f} MB", "bold"))
    for engine in found:
        console.print()
        console.print(Text(" + ".join(engine.stages) or "a graph that is not in the cache any more", "bold cyan"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("size", f"{engine.size_bytes / 1e6:.1f} MB, used {_ago(time.time() - engine.used_s)}")
        for name in ("inputs", "precision", "gpu", "capability", "driver", "tensorrt", "through"):
            if name in engine.made_for:
                table.add_row(name, Text(engine.made_for[name]))
        fits = Text(f"no: {engine.why_not}", "yellow") if engine.why_not else Text("yes", "green")
        table.add_row("fits", fits)
        table.add_row("file", Text(str(engine.path)))
        console.print(table)


def _ago(seconds: float) -> str:
    for size, word in ((DAY_S, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            many = int(seconds // size)
            return f"{many} {word}{'s' * (many != 1)} ago"
    return "just now"
