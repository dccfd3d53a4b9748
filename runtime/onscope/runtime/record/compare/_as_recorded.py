"""An admission that lets the same windows run as in a recording: what was skipped there is skipped again."""

from __future__ import annotations

from pathlib import Path

from ..._admission import Admission, RecordedWindows
from .._reader import RecordedRun, open_recording
from .._who import ids_of


def as_recorded(run: RecordedRun | str | Path, depth: int = 2) -> Admission:
    """`block`, but that only windows are run which a recorded run has a result of; the others are skipped.

    Statistics that are frozen or running, and the memory of recurrent networks, depend on the windows that ran before:
    with a replay of that recording they come out as they did. Windows are sampled as they were. Raises RecordError.
    """
    recorded = run if isinstance(run, RecordedRun) else open_recording(run)
    ran = frozenset(ids_of(recorded.table("results")))
    return Admission("block", depth, _every_n(recorded), only=RecordedWindows(ran, str(recorded.folder)))


def _every_n(run: RecordedRun) -> int:
    """How windows were sampled; recordings from before do not tell, and most take them all."""
    told = run.manifest.get("runtime")
    admission = told.get("admission") if isinstance(told, dict) else None
    every_n = admission.get("every_n") if isinstance(admission, dict) else None
    return every_n if isinstance(every_n, int) and not isinstance(every_n, bool) and every_n >= 1 else 1
