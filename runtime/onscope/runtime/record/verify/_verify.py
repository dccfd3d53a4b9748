"""`verify`: everything that a recording says of itself, held against what is on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .._who import ids_of
from ._account import check_account
from ._again import check_again
from ._arrays import check_arrays
from ._files import check_files
from ._looked import Looked, Progress, look
from ._report import Check, Report
from ._rows import check_answers, check_raw


def verify(
    folder: str | Path,
    *,
    sample: int | None = 20,
    seed: int = 0,
    packages: Sequence[str | Path] = (),
    provider: str | None = None,
    progress: Progress = lambda step, done, whole: None,
) -> Report:
    """Look at all that lies in a recording, whatever state it is in; nothing is changed.

    `sample` results are computed again (None: all, 0: none), spread over the run, the same ones for the same `seed`; on
    the engine that ran then, or on `provider`. Their packages are looked for in the folders `packages`, where they
    were, and among the shipped ones. Raises RecordError when the folder is no recording.
    """
    looked = look(Path(folder), progress)
    checks = [_account(looked), check_raw(looked), check_answers(looked), check_arrays(looked), check_files(looked)]
    checks.append(check_again(looked, sample, seed, [Path(each) for each in packages], provider))
    return Report(looked.folder, looked.state, tuple(checks))


def _account(looked: Looked) -> Check:
    run = looked.run
    if run is None:
        return looked.said.check("account", "the recording cannot be read as a whole")
    elsewhere = bool(run.manifest.get("links")) and not len(run)
    raw = None if elsewhere else list(ids_of(run.table("frames")))
    found = check_account(looked.folder, raw, looked.results, run.manifest)
    faults, notes = [*looked.said.faults, *found.faults], [*found.notes]
    count = found.found + looked.said.found
    if looked.state == "interrupted":
        notes.append(f"it was cut off: {run.manifest['error']}")
    if looked.state == "open":
        count += 1
        faults.append("it is still being written, or was cut off: `onscope repair` completes it once its run has ended")
    return Check("account", found.words, tuple(faults), tuple(notes), count)
