"""`onscope reprocess`: recordings computed again by many workers, with Dask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from onscope.runtime.reprocess import Reprocessed

TASK = 32
"""Windows of a task, as the library's own default."""


def reprocess(
    recordings: Annotated[
        list[Path], typer.Argument(metavar="RECORDING...", help="Recordings, or NDTiff, OME-TIFF, OME-Zarr.")
    ],
    pipeline: Annotated[Path, typer.Option("--pipeline", help="YAML of the pipeline to run.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DATA", help="Folder to write; of several recordings, one in it for each.")
    ],
    cluster: Annotated[
        str, typer.Option("--cluster", help="local, slurm, or the address of a scheduler (tcp://HOST:8786).")
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes, or jobs.", show_default="one per core, 4 jobs"),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", help="Of a worker, as 4GB.", show_default="an equal part, or 4GB of a job"),
    ] = None,
    options: Annotated[
        Path | None,
        typer.Option("--options", metavar="YAML", help="What SLURM is asked for: queue, account, walltime."),
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", help="Engine.", show_default="the pipeline's, else auto")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Of each worker's engine.")] = 1,
    chunk: Annotated[int, typer.Option("--chunk", min=1, help="Windows of a task.")] = TASK,
    windows: Annotated[
        str, typer.Option("--windows", help="recorded: those that ran then, if any did; all: whatever there is.")
    ] = "recorded",
) -> None:
    """Compute recordings again with many workers, into recordings with the answers of a live run.

    Each task reads its frames itself and computes some windows of them. What is
    done is kept: called again after whatever ended it, it goes on where it was,
    and when nothing is left it says so. Raw frames are linked, not copied.

    Exit code 0 when all windows have an answer, 1 when some failed or an error
    ended it.
    """
    from rich.console import Console

    from onscope.runtime.record import note_files, open_recording, overview
    from onscope.runtime.reprocess import read_options
    from onscope.runtime.reprocess import reprocess as compute

    from ._progress import Bar

    console = Console(stderr=True, highlight=False)
    told: dict[str, Any] = {"cluster": cluster, "workers": workers, "memory": memory, "options": read_options(options)}
    told |= {"provider": provider, "threads": threads, "chunk": chunk, "windows": windows}
    failed = 0
    for recording, folder in zip(recordings, _folders(recordings, out), strict=True):
        with Bar(console) as bar:
            done = compute(
                recording, pipeline, folder, **told, progress=bar.tell, tell=lambda words: _say(console, words)
            )
        failed += done.failed
        if not done.finished_before:
            note_files(done.folder, [overview(open_recording(done.folder), done.folder / "overview.png").name])
        _show(done)
    raise typer.Exit(1 if failed else 0)


def _folders(recordings: list[Path], out: Path) -> list[Path]:
    """Where each recording's answers go; raises PipelineError where two would share a folder."""
    from onscope.runtime import PipelineError

    if len(recordings) == 1:
        return [out]
    found = [out / recording.resolve().name for recording in recordings]
    if len(set(found)) < len(found):
        raise PipelineError(
            f"found recordings of one name among {', '.join(map(str, recordings))}, expected names that differ: "
            "reprocess them one by one"
        )
    return found


def _say(console: Any, words: str) -> None:
    from rich.text import Text

    from ._verify import plain

    console.print(Text(plain(words), "dim"), soft_wrap=True)


def _show(done: Reprocessed) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if done.finished_before:
        console.print(Text(f"{done.folder}: all was computed before, nothing was done", "green"), soft_wrap=True)
        return
    before = f", {done.there:,} were there already" if done.there else ""
    words = f"{done.folder}: {done.windows:,} windows, {done.computed:,} computed now{before}"
    console.print(Text(words, "green"), soft_wrap=True)
    states = {name: count for name, count in (done.counts or {}).items() if count and name != "open"}
    told = ", ".join(f"{count:,} {name}" for name, count in states.items())
    console.print(Text(f"frames: {told or 'none'}"), soft_wrap=True)
    if done.why_in_order:
        console.print(Text(f"in order, since {done.why_in_order}"), soft_wrap=True)
    if done.failed:
        console.print(Text(f"{done.failed:,} frames failed: ledger.csv says why", "red"), soft_wrap=True)
