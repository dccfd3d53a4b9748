"""`onscope bundle`: everything that a computer without internet needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bundle(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or a .zip.")],
    pipelines: Annotated[
        list[Path] | None,
        typer.Option("--pipeline", help="A pipeline to bring along, with its packages; may be said several times."),
    ] = None,
    extras: Annotated[
        str, typer.Option("--extra", metavar="NAME,...", help="Parts of onscope: cpu, cuda, micromanager, view ...")
    ] = "cpu",
    platform: Annotated[
        str | None,
        typer.Option("--platform", help="linux, linux-arm64, windows or macos-arm64.", show_default="as here"),
    ] = None,
    python: Annotated[str | None, typer.Option("--python", help="Python there.", show_default="as here")] = None,
    onscope: Annotated[
        Path | None,
        typer.Option("--onscope", help="onscope's wheel, or its sources.", show_default="what runs here"),
    ] = None,
    constraints: Annotated[
        Path | None,
        typer.Option("--constraints", help="Versions to take.", show_default="those that onscope was tested with"),
    ] = None,
) -> None:
    """Put everything that a computer without internet needs into one folder or .zip.

    Wheels of onscope and all it needs, pipelines with their packages, an installer, and a list of every file's hash,
    which the installer checks. The internet (or an index that pip knows) is needed here.

    Exit code 0, or 1 and one sentence.
    """
    from rich.console import Console

    from .bundling._make import Wanted, make

    console = Console()
    wanted = Wanted(
        extras=tuple(extra.strip() for extra in extras.split(",") if extra.strip()),
        pipelines=tuple(pipelines or ()),
        platform=platform,
        python=python,
        onscope=onscope,
        constraints=constraints,
    )
    with console.status("building onscope's wheel") as status:
        made = make(out, wanted, status.update)
    console.print(f"{made.wheels} wheels, {made.files} files, {made.bytes / 1e6:,.0f} MB in {out}", highlight=False)
    if not made.pinned:
        console.print("no constraints: the newest versions that fit were taken", style="yellow")
    console.print(f"sha256 of its SHA256SUMS, to tell whoever installs it:\n{made.list_sha256}", highlight=False)
