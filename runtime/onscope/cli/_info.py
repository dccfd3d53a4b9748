"""`onscope info`: what is in a recording, how it was made, and as text for a methods section."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NO_RECORDING = 2


def info(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of a recording, or images of others.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    as_methods: Annotated[
        bool, typer.Option("--methods", help="Print text for a paper's methods section, with references.")
    ] = False,
    frame: Annotated[
        str | None,
        typer.Option("--frame", metavar="SEQ", help="Say all that is known of one frame: 12, 0/12 (SEGMENT/SEQ) ..."),
    ] = None,
    packages: Annotated[
        list[Path] | None, typer.Option("--packages", help="Folder to look for the recorded packages in (--frame).")
    ] = None,
) -> None:
    """Say what is in a recording: what ran, on which frames, how fast, and whom to cite.

    Also of a run that is under way or was cut off. Of images that onscope did
    not record it says what a replay of them would give.

    Exit code 0, or 2 when DATA is no recording and no images that can be read.
    """
    from rich.console import Console

    from onscope.runtime import OnscopeError, RecordError
    from onscope.runtime.record import is_recording, open_recording
    from onscope.runtime.record.about import about, about_frame, methods

    from ._app import complain
    from ._info_frame import show_frame
    from ._info_images import show_images
    from ._info_view import show
    from ._info_words import as_text

    console = Console()
    data = data.parent if data.name.endswith(".zarr") and is_recording(data.parent) else data
    try:
        if not is_recording(data):
            if as_methods:
                raise RecordError(
                    f"found no recording of onscope at {data}, expected one for --methods: give its folder"
                )
            show_images(console, data, as_json)
            return
        if frame is not None:
            one = about_frame(open_recording(data), frame, packages or ())
            if as_json:
                typer.echo(as_text(one.as_json()))
            else:
                show_frame(console, one)
            return
        found = about(data)
    except OnscopeError as error:
        complain(str(error))
        raise typer.Exit(1 if is_recording(data) else NO_RECORDING) from error
    if as_json:
        typer.echo(as_text(found.as_json()))
    elif as_methods:
        typer.echo(methods(found), nl=False)
    else:
        show(console, found)
