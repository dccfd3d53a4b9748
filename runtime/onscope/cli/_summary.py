"""The end of a run: did everything arrive, what came of it, and where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from rich.console import Console
from rich.text import Text

from onscope.runtime import Ledger
from onscope.runtime.record import RecordedRun

from ._display import likeness_words, psnr_words, steps_table, trust_words
from ._monitor import Monitor
from ._stopping import StopSignals
from ._written import written


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether Ctrl-C or SIGTERM ended the run (`by` tells which), and what is wrong with it (empty: nothing)."""

    stopped: bool
    faults: tuple[str, ...]
    by: StopSignals = field(default_factory=StopSignals)

    @property
    def code(self) -> int:
        """Exit code."""
        if self.faults:
            return 1
        return self.by.code if self.stopped else 0


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
    console: Console, run: RecordedRun, monitor: Monitor, ledger: Ledger, outcome: Outcome, remarks: Mapping[str, str]
) -> None:
    """Print what was measured, what the source remarks, what was written, and what is wrong."""
    console.print()
    console.print(steps_table(monitor))
    console.print()
    counts = ", ".join(f"{count} {name}" for name, count in ledger.reasons.items() if count)
    console.print(f"{ledger.submitted} frames: {counts or 'none'}", highlight=False)
    if monitor.results > 1:
        console.print(f"{monitor.results} results, {monitor.rate:.1f} results/s over the last of them", highlight=False)
    for stage in monitor.objects:
        console.print(monitor.words_of(stage), highlight=False)
    if monitor.psnr is not None and monitor.psnr.means:
        console.print(psnr_words(monitor), soft_wrap=True)
    if monitor.likeness is not None and monitor.likeness.means:
        console.print(likeness_words(monitor), soft_wrap=True)
    for line in trust_words(monitor):
        console.print(line, soft_wrap=True)
    for subject, words in remarks.items():
        console.print(f"{subject}: {words}", highlight=False, soft_wrap=True)
    console.print()
    console.print(f"written to {run.folder}", highlight=False, soft_wrap=True)
    console.print(written(run))
    if outcome.stopped:
        console.print(Text(f"stopped by {outcome.by.words}; everything until then is recorded", "yellow"))
    for fault in outcome.faults:
        console.print(Text(f"not complete: {fault}", "bold red"), soft_wrap=True)
    if not outcome.faults:
        console.print(Text("the ledger adds up and the raw frames are complete", "green"))
