"""`onscope view`: a recording in the page of the live view."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from ._options import BrowserOption, HostOption, TokenOption


def view(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder of a recording, or stored images that a replay can read.")
    ],
    fps: Annotated[
        float | None,
        typer.Option("--fps", min=0.0, help="Play from the beginning, so many frames per second.", show_default="stay"),
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Play from the beginning, at the recorded pace.")
    ] = False,
    frame: Annotated[
        int | None, typer.Option("--frame", min=0, help="Begin at this frame, counted from 0.", show_default="0")
    ] = None,
    port: Annotated[
        int, typer.Option("--view-port", min=0, max=65535, help="Port of the view.", show_default="a free one")
    ] = 0,
    host: HostOption = None,
    token: TokenOption = None,
    browser: BrowserOption = None,
) -> None:
    """Show a recording in a browser: frame by frame, at its pace or at yours.

    What was recorded is shown as it is: nothing is computed again, and nothing is written. Ctrl-C ends it.

    Exit code 0, or 1 and one sentence when it cannot be shown.
    """
    from rich.console import Console

    from onscope.runtime import Event, Runtime
    from onscope.view import View
    from onscope.view.actions import Fresh, Snap
    from onscope.view.recorded import Player, Stored, open_played, playing
    from onscope.view.snapshot import Snapshots

    from ._viewing import hide, show, stay

    hide(token)
    console = Console()
    shown: list[View] = []

    def tell(event: Event) -> None:
        console.print(f"{event.kind}: {event.message}", soft_wrap=True, highlight=False, markup=False)
        for each in shown:
            each.tell(event)

    played = open_played(data)
    closing: AbstractContextManager[Any] = played if isinstance(played, Stored) else nullcontext()
    with closing, Player(played, None if isinstance(played, Stored) else played.run.folder, tell) as player:
        if frame is not None:
            player.seek(frame)
        runtime = cast(Runtime, player)  # it has what the view asks of one
        snap = Snap(player, Fresh(player), Snapshots(None))
        live = View(
            runtime,
            host=host or "127.0.0.1",
            port=port,
            token=token,
            actions={**playing(player), "snapshot": snap},
            status=player.status,
            live=False,
            frames=len(player),
        )
        with live:
            shown.append(live)
            show(console, live, browser is not False)
            if recorded or fps is not None:
                player.play(None if recorded else fps)
            stay(console)
