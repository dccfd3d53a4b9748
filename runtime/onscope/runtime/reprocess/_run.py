"""`reprocess`: a recording computed again, by many workers, into a recording of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._ledger import Ledger
from .._pipeline import Pipeline
from ..record.reprocessed import ReprocessedRecording, work_of
from ._assemble import Account, Assembler
from ._chunks import Chunk
from ._cluster import connected
from ._drive import Drive
from ._job import WINDOWS, Job, lane_told
from ._store import Store
from ._worker import describe

if TYPE_CHECKING:
    from distributed import Client

Progress = Callable[[str, int, int], object]
AHEAD = 2


@dataclass(frozen=True, slots=True)
class Reprocessed:
    """`windows` in all; of these `computed` now, and `there` from an earlier run; `failed` have no answer.

    `finished_before`: nothing was left to do.
    """

    folder: Path
    windows: int = 0
    computed: int = 0
    there: int = 0
    failed: int = 0
    counts: Mapping[str, int] | None = None
    why_in_order: str = ""
    finished_before: bool = False


def reprocess(
    recording: str | Path,
    pipeline: Pipeline | str | Path,
    out: str | Path,
    *,
    cluster: Any = "local",
    workers: int | None = None,
    memory: str | None = None,
    options: Mapping[str, Any] | None = None,
    provider: str | None = None,
    threads: int | None = 1,
    chunk: int = WINDOWS,
    windows: str = "recorded",
    ahead: int = AHEAD,
    progress: Progress = lambda step, done, whole: None,
    tell: Callable[[str], object] = lambda words: None,
) -> Reprocessed:
    """Run `pipeline` on the frames of `recording` (or of NDTiff, OME-TIFF, OME-Zarr) and write the recording `out`.

    `cluster` is "local" (`workers` processes with `memory` each), "slurm" (`workers` jobs with `options`), the address
    of a scheduler, or a Client or cluster of Dask. `provider` is the engine, `threads` are each worker's. A task is
    `chunk` windows; `ahead` tasks per worker are under way. `windows`: "recorded" ones, where the recording has an
    account of windows that are gathered alike, or "all". `tell` is told the address of the dashboard, and remarks.

    Called again after any death it goes on where it was; chunks that are done are never computed again. Raises
    RecordError, PipelineError, PackageError, ProviderError, or WorkerError when the cluster goes away.
    """
    folder = Path(out)
    kept = work_of(folder) / "frames.parquet"
    more: dict[str, Any] = {"provider": provider, "threads": threads, "chunk": chunk, "windows": windows}
    job = Job.of(Path(recording), pipeline, kept, progress=progress, **more)
    with ReprocessedRecording(folder, job.key) as target:
        if target.complete:
            target.forget()
            return Reprocessed(target.folder, finished_before=True)
        with connected(cluster, workers, memory, options or {}) as client:
            with suppress(KeyError):  # a scheduler without a dashboard has no such service
                tell(f"dashboard: {client.dashboard_link}")
            return _run(job, target, client, ahead, progress, tell)


def _run(
    job: Job,
    target: ReprocessedRecording,
    client: Client,
    ahead: int,
    progress: Progress,
    tell: Callable[[str], object],
) -> Reprocessed:
    store, ledger, keys = Store(target.work), Ledger(), list[str]()
    target.begin(job.frames, job.pipeline, job.facts)
    store.tell("job", job.telling(target.folder))
    whole, done = len(job.frames), 0

    def opened(message: Mapping[str, Any]) -> dict[str, Any]:
        progress("opening the pipeline in a worker", 0, 0)
        answer: dict[str, Any] = client.submit(describe, message, pure=False).result()
        for words in answer["warnings"]:
            tell(words)
        store.tell(f"lane-{len(job.looks)}", lane_told(message, answer))
        return answer

    def seen(chunk: Chunk) -> None:
        nonlocal done
        done += sum(len(window["owned"]) for window in chunk.message["windows"])
        progress("computed", done, whole)

    def noted(chunk: Chunk) -> Chunk:
        keys.append(chunk.key)
        return chunk

    drive = Drive(client, store, ahead, seen)
    drive.run(map(noted, job.chunks(opened, target.place, ledger)))
    assembler, windows = Assembler(job, target, store), 0
    for count in assembler.add(keys):
        windows += count
        progress("tables", windows, drive.computed + drive.there)
    target.manifest.enter("lanes", [_lane(job, look) for look in job.looks])
    target.manifest.enter("statistics", assembler.frozen)
    account = Account(ledger, assembler.failed)
    target.finish(job.frames, account, {"chunks": len(keys), "windows": windows, "windows_of": job.which})
    failed = len(assembler.failed)
    more: dict[str, Any] = {"counts": account.counts, "why_in_order": job.lines.why}
    return Reprocessed(target.folder, windows, drive.computed, drive.there, failed, **more)


def _lane(job: Job, look: Mapping[str, Any]) -> dict[str, Any]:
    """What ran for frames of one look, as a live run's manifest tells it."""
    told = {"camera": look["camera"], **look["message"]["spec"], "calibration": look["message"]["calibration"]}
    return told | {"graphs": look["graphs"], "ways": [], "report": look["report"]}
