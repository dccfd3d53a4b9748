"""`onscope repair`: complete a recording that was cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def repair(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of a recording.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
) -> None:
    """Complete a recording whose acquisition was killed, and say what was done.

    Makes tables of journals, cuts images to what was acknowledged, puts what
    was not into the folder `unacknowledged`, and completes the manifest.
    Nothing that was acknowledged is removed. A second time, nothing is done.

    Exit code 0 when all is mended, 1 when something is left, 2 when DATA is no
    recording.
    """
    from rich.console import Console
    from rich.text import Text

    from onscope.runtime import RecordError
    from onscope.runtime.record import is_recording
    from onscope.runtime.record.repair import repair as mend

    from ._app import complain
    from ._verify import NO_RECORDING, plain

    console = Console()
    if not is_recording(data):
        complain(f"found no recording.json in {data}, expected a recording of onscope: give its folder")
        raise typer.Exit(NO_RECORDING)
    try:
        found = mend(data, dry_run)
    except RecordError as error:
        complain(str(error))
        raise typer.Exit(1) from error
    for words in found.done:
        console.print(Text(plain(words)), soft_wrap=True)
    for words in found.left:
        console.print(Text(f"not mended: {plain(words)}", "red"), soft_wrap=True)
    if not found.done:
        console.print(Text("nothing to mend", "green"))
    elif dry_run:
        console.print(Text("nothing was changed: without --dry-run, this is done", "yellow"))
    else:
        console.print(Text("mended: `onscope verify` looks at all of it", "green"))
    raise typer.Exit(1 if found.left else 0)
