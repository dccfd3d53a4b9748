"""`onscope`: finds its commands by entry point, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from typing import Annotated, Any

import typer
import typer.core
import typer.main

SUMMARIES = {
    "demo": "Run the demo: a real Micro-Manager core, networks on its frames, live, recorded and accounted for.",
    "run": "Run a pipeline on a camera or on stored images.",
    "models": "List the networks that are there: what they take and cost, how good they are, whom to cite.",
    "compile": "Compile a package or a pipeline, and say what was fused, merged, padded, tiled.",
    "export": "Export a trained network to a package, with proof that nothing changed.",
    "reduce": "Add fp16 or int8 variants to a package, with proof of what they change.",
    "trust": "Tell a package which frames are usual, so that others are flagged.",
    "plan": "Plan GPUs and links for many microscopes, from what windows cost.",
    "build": "Build engines for this GPU ahead, so that nothing is built while frames come.",
    "engines": "List the engines that were built, and remove those that are old or fit no more.",
    "simulate": "Simulate a living specimen: frames as a camera gives them, and beside them what is true.",
    "rehearse": "Try rules for the microscope on a specimen or a recording, faster than real time.",
    "explain": "Say why the microscope did, or did not do, what rules asked for.",
    "view": "Show a recording in a browser, as the live view shows a run.",
    "report": "Write a page of a recording, to send to a colleague or put beside a paper's data.",
    "info": "Say what is in a recording: what ran, on which frames, how fast, and whom to cite.",
    "tracks": "Write the tracks of a recording for other programs.",
    "verify": "Check a recording: is it whole, unchanged, and what its own models give?",
    "reprocess": "Compute recordings again with many workers, into recordings with the answers of a live run.",
    "repair": "Complete a recording that was cut off, and say what was done.",
    "validate": "Check a package: its answers, its speed here, the frame rate it can hold.",
    "serve": "Run the networks of other machines: of runs with --worker 'tcp://THIS:PORT#KEY'.",
    "deploy": "Write a package's or pipeline's graphs for a Triton server.",
    "bundle": "Put everything that a computer without internet needs into one folder or .zip.",
    "doctor": "Say what is installed, what runs here, and how to install what is missing.",
}
"""First lines of the shipped commands, so that `--help` imports none of them."""

INTERRUPTED = 130


class Commands(typer.core.TyperGroup):
    """The group of all commands; each is imported when it is called (all others than the shipped ones for `--help`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = {point.name: point for point in entry_points(group="onscope.commands")}
        order = [name for name in SUMMARIES if name in found] + sorted(found.keys() - SUMMARIES.keys())
        self._points = {name: found[name] for name in order}
        self._listing = False
        for name in order:
            self.add_command(typer.core.TyperCommand(name, help=SUMMARIES.get(name)))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself; while the list of all is printed, a stand-in with its first line."""
        if cmd_name not in self._points or (self._listing and cmd_name in SUMMARIES):
            return super().get_command(ctx, cmd_name)
        try:
            loaded = self._points[cmd_name].load()
        except ImportError as error:
            ctx.fail(
                f"the command {cmd_name!r} needs {error.name or error}, which cannot be imported: "
                "`onscope doctor` says what is missing"
            )
        return _as_command(cmd_name, loaded)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of the group."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an OnscopeError becomes one sentence on stderr and exit code 1."""
        from onscope.runtime import OnscopeError  # here: `onscope --help` needs nothing of the runtime

        try:
            return super().invoke(ctx)
        except OnscopeError as error:
            if ctx.params.get("debug"):
                raise
            complain(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            complain("stopped by Ctrl-C")
            raise typer.Exit(INTERRUPTED) from None


def complain(sentence: str) -> None:
    """One red sentence on stderr, in one line; what a terminal would obey in names of others' files is written out."""
    from rich.console import Console
    from rich.text import Text

    line = " ".join(sentence.split())
    sentence = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
    Console(stderr=True, soft_wrap=True).print(Text.assemble(("error: ", "bold red"), (sentence, "red")))


def _as_command(name: str, loaded: Any) -> Any:
    if isinstance(loaded, typer.Typer):
        command: Any = typer.main.get_command(loaded)
        command.name = name
        return command
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    app.command(name)(loaded)
    return typer.main.get_command(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"onscope {version('onscope')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def onscope(
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Trained neural networks live in the light path of a Micro-Manager microscope."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    0 all well, 1 an error or an incomplete run, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" in words:  # wherever it stands: people add it at the end of the line that failed
        words = ["--debug", *(word for word in words if word != "--debug")]
    app(words, prog_name="onscope")
