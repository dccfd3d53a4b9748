"""What a source may tell beside its frames: the truth of simulated ones, and remarks on the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from onscope.runtime import OnscopeError, Source, SourceError

FOLDER = "truth"


class Keeper(Protocol):
    """Saves truth: so many frames' is on the disk, so many are missing; `failure` ended it before its time."""

    saved: int
    missing: int
    failure: OnscopeError | None


@runtime_checkable
class KeepsTruth(Protocol):
    """A source that can save what is true of the frames that come while the block lasts."""

    def keep_truth(self, folder: Path) -> AbstractContextManager[Keeper]: ...


@runtime_checkable
class Remarks(Protocol):
    """A source that has something to say of its run, in words by their subject."""

    def remarks(self) -> Mapping[str, str]: ...


def require_truth(source: Source) -> None:
    """Raise SourceError unless the source knows the truth of its frames."""
    if not isinstance(source, KeepsTruth):
        raise SourceError(
            "found a source that does not know the truth of its frames, expected a specimen with --truth: leave it "
            "out, or take the frames from specimen:SCENARIO"
        )


@dataclass
class Said:
    """What came of the truth, when its block has ended: `words` by their subject, and what is wrong, as sentences."""

    words: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@contextmanager
def truth_beside(source: Source, recording: Path | None) -> Iterator[Said]:
    """Save the truth in the folder `truth` of a recording (None: do not)."""
    said = Said()
    if recording is None or not isinstance(source, KeepsTruth):
        yield said
        return
    with source.keep_truth(recording / FOLDER) as keeper:
        yield said
    said.words["truth"] = f"{keeper.saved} frames" + (f", {keeper.missing} missing" if keeper.missing else "")
    if keeper.failure is not None:
        said.words["truth"] += f"; ended by: {keeper.failure}"
        said.faults.append(f"the truth of {keeper.missing} frames was not saved: {keeper.failure}")
