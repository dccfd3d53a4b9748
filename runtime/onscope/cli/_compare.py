"""What came of a replay against what was recorded: the lines that say so, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from onscope.runtime import Admission, FrameId, Repeat, Runtime, SourceError
from onscope.runtime.record import RecordedRun
from onscope.runtime.record.compare import Comparison, StageComparison, as_recorded, changes_of, compare

AS_RECORDED = "as_recorded"
SHOWN = 3


def follow(source: str) -> Admission:
    """The admission that runs the windows which ran in the recording that is replayed; raises SourceError."""
    driver, _, path = source.partition(":")
    if driver != "replay" or not path:
        raise SourceError(
            f"found --admission {AS_RECORDED} with the source {source!r}, expected replay:RUN, a recording: name "
            "another admission"
        )
    return as_recorded(Path(path).expanduser())


class Comparing:
    """Holds a run against a recording: what was changed in its middle is changed again at the same frames."""

    def __init__(self, known: RecordedRun) -> None:
        self._known = known
        self._repeat: Repeat | None = None

    def begin(self, runtime: Runtime) -> None:
        """To be called before the first frame. Raises RecordError when the recording cannot be read."""
        self._repeat = runtime.repeat(changes_of(self._known))

    def end(self, new: Path, console: Console) -> int:
        """Print what both have in common; 0 when all that was looked at is equal to the bit."""
        return compared(new, self._known, console, self._repeat)


def compared(new: Path, known: RecordedRun, console: Console, repeat: Repeat | None = None) -> int:
    """Print what a recording has in common with another one; 0 when all that both have is equal to the bit."""
    found = compare(new, known, () if repeat is None else repeat.left_out)
    console.print()
    console.print(Text(f"compared with {found.second}", "bold"), soft_wrap=True)
    console.print(f"  raw frames: {_counted(found.frames, found.frames_differ)}", highlight=False, soft_wrap=True)
    for stage in found.stages:
        console.print(f"  {stage.name}: {_counted(stage.both, stage.differ)}", highlight=False, soft_wrap=True)
        if stage.differ:
            console.print(f"    {_why(stage)}", highlight=False, soft_wrap=True)
    for words in (_only("raw frames", found.frames_only), _only("results", found.results_only)):
        if words:
            console.print(f"  {words}", highlight=False, soft_wrap=True)
    for words in () if repeat is None else _changed(found, repeat):
        console.print(Text(f"  {words}", "yellow" if found.left_out else ""), soft_wrap=True)
    for words in found.models:
        console.print(Text(f"  {words}", "yellow"), soft_wrap=True)
    console.print(_verdict(found))
    return 0 if found.equal else 1


def _changed(found: Comparison, repeat: Repeat) -> Iterator[str]:
    """What was changed in mid-run as it was then, and what could not be."""
    if repeat.tuned or repeat.swapped:
        yield f"changed as in the recording: numbers {repeat.tuned:,} times, packages {repeat.swapped:,} times"
    for stage in sorted(repeat.others):
        yield f"{stage}: another package than the recording's began, so none is put in its place"
    if found.left_out:
        yield f"left out: {found.left_out:,} results"
    for reason, count in Counter(repeat.left_out.values()).most_common(SHOWN):
        yield f"  {count:,} frames: {reason}"


def _counted(both: int, differ: tuple[FrameId, ...]) -> str:
    if not differ:
        return f"{both:,} in both, equal to the bit" if both else "none in both"
    named = ", ".join(map(str, differ[:SHOWN])) + (" ..." if len(differ) > SHOWN else "")
    return f"{both:,} in both, {len(differ):,} differ: {named}"


def _why(stage: StageComparison) -> str:
    rest = len(stage.differ) - stage.other_windows - stage.other_parameters
    causes = {
        "of other windows": stage.other_windows,
        "normalised with other numbers": stage.other_parameters,
        "with the same windows and numbers": rest,
    }
    return "of these, " + ", ".join(f"{count:,} {cause}" for cause, count in causes.items() if count)


def _only(what: str, counts: tuple[int, int]) -> str:
    told = [f"{count:,} here" for count in counts[:1] if count] + [f"{count:,} there" for count in counts[1:] if count]
    return f"{what} in one alone: {', '.join(told)}" if told else ""


def _verdict(found: Comparison) -> Text:
    if found.equal:
        return Text("what both recordings have is equal to the bit", "green")
    if not found.frames + found.results:
        return Text("not equal: no frame is in both, expected a replay of that recording", "bold red")
    return Text("not equal: see above", "bold red")
