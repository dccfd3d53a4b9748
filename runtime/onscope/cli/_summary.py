"""The end of a run: did everything arrive, what came of it, and where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onscope.runtime import Ledger
from onscope.runtime.record import RecordedRun

from ._display import psnr_words, steps_table
from ._monitor import Monitor

MEANINGS = {
    "raw": "raw frames, as the camera gave them (OME-Zarr)",
    "frames.parquet": "who each raw frame is, when it came",
    "results.parquet": "times of each result, and where its images are",
    "ledger.csv": "what became of each frame",
    "latency.json": "percentiles by step, rates, versions",
    "overview.png": "one picture of the run",
    "recording.json": "what is in this folder",
    "truth": "what is true of the frames: without noise, labelled",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether Ctrl-C ended the run, and what is wrong with it (empty: nothing)."""

    stopped: bool
    faults: tuple[str, ...]

    @property
    def code(self) -> int:
        """Exit code."""
        if self.faults:
            return 1
        return 130 if self.stopped else 0


def check(run: RecordedRun, ledger: Ledger, frames: int | None) -> tuple[str, ...]:
    """What is wrong with a recording, as sentences: an account that does not add up, raw frames that are missing."""
    faults = []
    if not ledger.adds_up():
        faults.append(
            f"the ledger has {ledger.counts} for {ledger.submitted} frames, expected every frame to end in one state"
        )
    if len(run) != ledger.submitted:
        faults.append(
            f"found {len(run)} raw frames in the recording, expected the {ledger.submitted} that were submitted"
        )
    if frames is not None and len(run) != frames:
        faults.append(f"found {len(run)} raw frames in the recording, expected the {frames} asked for")
    rows = run.table("frames").select(["run", "camera", "segment", "seq"]).to_pylist()
    lost = 0

    def whose(row: Mapping[str, Any]) -> tuple[str, str, int]:
        return row["run"], row["camera"], row["segment"]

    for who, members in groupby(sorted(rows, key=whose), whose):  # several cameras' rows are mixed
        numbers = [row["seq"] for row in members]
        if any(later <= earlier for earlier, later in pairwise(numbers)):
            faults.append(f"the frame numbers of {who[1]} do not rise, expected each frame once and in order")
        lost += numbers[-1] + 1 - len(numbers)
    if lost != ledger.counts["lost_upstream"]:
        faults.append(
            f"{lost} frame numbers are missing in the recording, expected {ledger.counts['lost_upstream']} lost before "
            "onscope had them"
        )
    return tuple(faults)


def summarise(
    console: Console, out: Path, monitor: Monitor, ledger: Ledger, outcome: Outcome, remarks: Mapping[str, str]
) -> None:
    """Print what was measured, what the source remarks, what was written, and what is wrong."""
    console.print()
    console.print(steps_table(monitor))
    console.print()
    counts = ", ".join(f"{count} {name}" for name, count in ledger.reasons.items() if count)
    console.print(f"{ledger.submitted} frames: {counts or 'none'}", highlight=False)
    if monitor.results > 1:
        console.print(f"{monitor.results} results, {monitor.rate:.1f} results/s over the last of them", highlight=False)
    for stage, count in monitor.objects.items():
        console.print(f"{count:,} {stage}, {count / max(1, monitor.results):.1f} per frame", highlight=False)
    if monitor.psnr is not None and monitor.psnr.means:
        console.print(psnr_words(monitor), soft_wrap=True)
    for subject, words in remarks.items():
        console.print(f"{subject}: {words}", highlight=False, soft_wrap=True)
    console.print()
    console.print(f"written to {out}", highlight=False, soft_wrap=True)
    console.print(_written(out))
    if outcome.stopped:
        console.print(Text("stopped by Ctrl-C; everything until then is recorded", "yellow"))
    for fault in outcome.faults:
        console.print(Text(f"not complete: {fault}", "bold red"), soft_wrap=True)
    if not outcome.faults:
        console.print(Text("the ledger adds up and the raw frames are complete", "green"))


def _written(out: Path) -> Table:
    table = Table.grid(padding=(0, 3))
    for path in sorted(out.iterdir(), key=lambda path: (not path.is_dir(), path.name)):
        stem = path.name.split(".")[0].split("-")[0]
        meaning = MEANINGS.get(path.name) or MEANINGS.get(stem) or ("images" if path.is_dir() else "table")
        if path.is_dir() and stem not in MEANINGS:
            meaning = f"images of the stage {stem} (OME-Zarr)"
        elif path.name not in MEANINGS and not path.is_dir():
            meaning = f"answers of the stage {stem}"
        table.add_row(Text(f"  {path.name}", no_wrap=True), Text(meaning, "dim"))
    return table
