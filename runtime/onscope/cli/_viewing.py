"""The live view beside a run: `--view` of `onscope run` and `onscope demo`, and what `onscope view` shares with it."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from onscope.runtime import Event, PipelineError, Result, Runtime, Source
from onscope.runtime.record import note_files

if TYPE_CHECKING:
    from onscope.runtime import FrameSpec
    from onscope.runtime.feedback.loop import Feedback
    from onscope.runtime.record import Recording
    from onscope.view import Setting, View
    from onscope.view.actions import Fresh, Stopping
    from onscope.view.snapshot import Snapshots

TOKEN = "ONSCOPE_VIEW_TOKEN"
"""The variable that may hold the token: others on the machine can read a command line."""


@dataclass(frozen=True, slots=True)
class Looking:
    """How a run is to be looked at; `packages` that viewers may swap in: stage and package by name."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    browser: bool = True
    stay: bool = False
    packages: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))


def looking_of(
    wanted: bool,
    port: int | None,
    host: str | None,
    token: str | None,
    browser: bool | None,
    stay: bool,
    swaps: Sequence[str] | None,
) -> Looking | None:
    """What the options say; None: nobody looks. Raises PipelineError for options that want --view, or no packages."""
    hide(token)
    if wanted:
        return Looking(host or "127.0.0.1", port or 0, token, browser is not False, stay, _packages(swaps or ()))
    options = (("--view-port", port), ("--host", host), ("--token", token), ("--swap", swaps), ("--stay", stay or None))
    for name, told in options:
        if told and not (name == "--token" and TOKEN in os.environ):
            raise PipelineError(f"found {name} without --view, expected both: add --view, or leave it out")
    return None


def hide(token: str | None) -> None:
    """A token that stands on the command line is not to stand in the recording, which has the whole line."""
    if token:
        sys.argv[:] = [each.replace(token, "***") for each in sys.argv]


def _packages(swaps: Sequence[str]) -> dict[str, tuple[str, str]]:
    """`STAGE=PACKAGE` by a name that shows no path."""
    found: dict[str, tuple[str, str]] = {}
    for each in swaps:
        stage, equals, package = each.partition("=")
        if not (stage and equals and package):
            raise PipelineError(f"found --swap {each}, expected STAGE=PACKAGE: denoise=zoo/care-beads, say")
        name = Path(package).name or package
        if name in found:
            raise PipelineError(f"found two packages named {name} for --swap, expected each name once: rename one")
        found[name] = (stage, package)
    return found


def _by_stage(packages: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """The names that viewers may choose for each stage."""
    found: dict[str, list[str]] = {}
    for name, (stage, _) in packages.items():
        found.setdefault(stage, []).append(name)
    return found


class Watched:
    """A run that is looked at: who shows results and events tells it of them. All of it is quick and never raises."""

    def __init__(self) -> None:
        self.view: View | None = None
        self.fresh: Fresh | None = None
        self.stopping: Stopping | None = None
        self.snapshots: Snapshots | None = None
        self.settings: Callable[[], Sequence[Setting]] = tuple

    def tell(self, event: Event) -> None:
        """An event of the runtime, from any thread."""
        if self.view is not None:
            self.view.tell(event)

    def began(self) -> None:
        """The feedback runs: thresholds of its rules may be tuned now."""
        if self.view is not None:
            self.view.set_settings(self.settings())

    def saw(self, result: Result) -> None:
        """A result, from the thread that reads them."""
        if self.fresh is not None:
            self.fresh.saw(result)

    def ended(self, result: Result | None) -> None:
        """The last result: viewers may still ask for it."""
        if self.fresh is not None and result is not None:
            self.fresh.keep(result)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """While the block lasts a viewer may end it, as Ctrl-C does."""
        with nullcontext() if self.stopping is None else self.stopping.taking():
            yield

    def note(self, folder: Path, names: Sequence[str]) -> None:
        """Enter files, and the snapshots, into a recording's list of checksums."""
        if self.snapshots is None:
            note_files(folder, names)
        else:
            self.snapshots.note(names)

    @property
    def stopped(self) -> bool:
        """Whether a viewer ended the run."""
        return self.stopping is not None and self.stopping.stopped


@contextmanager
def watched(
    looking: Looking | None,
    runtime: Runtime,
    source: Source,
    spec: FrameSpec,
    recording: Recording,
    folder: Path,
    feedback: Feedback | None,
    depth: int,
    into: Watched,
    console: Console,
) -> Iterator[Watched]:
    """The view of a run, told into `into`, while the block lasts. Raises ViewError when it cannot be started."""
    if looking is None:
        yield into
        return
    from onscope.view import View
    from onscope.view.actions import Fresh, Pausing, Run, Snap, Stopping, offered, settings_of
    from onscope.view.snapshot import Snapshots

    into.stopping, into.fresh, into.snapshots = Stopping(), Fresh(runtime), Snapshots(folder)
    pausing = Pausing(source, feedback, into.fresh.keep)
    into.settings = lambda: settings_of(runtime, feedback)
    run = Run(
        runtime,
        feedback,
        pausing,
        into.stopping.stop,
        Snap(runtime, into.fresh, into.snapshots),
        looking.packages,
        lambda settings: None if into.view is None else into.view.set_settings(settings),
    )

    def status() -> dict[str, Any]:
        frames = recording.raw_frames
        told = {"recording": {"folder": folder.resolve().name, "frames": frames, "bytes": frames * spec.nbytes}}
        return {**told, "paused": pausing.paused}

    view = View(
        runtime,
        host=looking.host,
        port=looking.port,
        token=looking.token,
        feedback=feedback,
        actions=offered(run),
        status=status,
        spec=spec,
        settings=into.settings(),
        queue_depth=depth,
        swaps=_by_stage(looking.packages),
    )
    with view:
        into.view = view
        show(console, view, looking.browser)
        try:
            yield into
        finally:
            into.view = None


def show(console: Console, view: View, browser: bool) -> None:
    """Say where the view is, and open a browser where there is a display.

    None is opened for an address with a token: others on this machine could read it off the browser's command line.
    """
    console.print(Text.assemble(("view: ", "bold cyan"), view.url), soft_wrap=True)
    if view.url_elsewhere:
        console.print(Text.assemble(("from other machines: ", "cyan"), view.url_elsewhere), soft_wrap=True)
    if browser and not view.token and has_display():
        threading.Thread(target=webbrowser.open, args=(view.url,), name="onscope-browser", daemon=True).start()


def has_display() -> bool:
    """Whether a browser's window could be seen here."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def stay(console: Console) -> None:
    """Wait until Ctrl-C."""
    console.print("the view stays: Ctrl-C ends it", style="dim")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print()
