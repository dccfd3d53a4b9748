"""Results computed again from the raw frames, and held against those that were recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._reader import RecordedRun
from ._again import Again, StageAgain, skip
from ._conditions import differences
from ._epochs import Epochs
from ._levels import at_level, level_of
from ._reasons import CannotBeComputed
from ._rebuilt import rebuild
from ._windows import Windows, parameters_of, spread

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """By stage; `results` of `whole` were chosen. `why` nothing can be computed at all ("": something can)."""

    stages: Mapping[str, StageAgain]
    results: int
    whole: int
    why: str = ""


def recompute(
    run: RecordedRun,
    results: Any,
    values: Any,
    *,
    sample: int | None = 20,
    seed: int = 0,
    packages: Sequence[Path] = (),
    provider: str | None = None,
    progress: Progress = lambda step, done, whole: None,
) -> Recomputed:
    """Compute `sample` results again (None: all), spread over the run, the same ones for the same `seed`.

    `results` and `values` are the tables of these names (None: there is no such). It runs in this process, on the
    engine that ran then, or on `provider`.
    """
    epochs, stages = Epochs(run.manifest), dict[str, StageAgain]()
    parameters, unlike = parameters_of(values), differences(run.manifest)
    windows = Windows(run, results)
    chosen = spread(results.num_rows, sample, seed)
    now, again, nothing = (-1, 0), None, ""
    with tempfile.TemporaryDirectory(prefix="onscope-again-") as spare:
        for done, number in enumerate(chosen):
            row = windows.row(number)
            try:
                at = epochs.at(row), level_of(parameters.get(row.id, {}))
                if at != now:  # one after the other: each has its networks
                    manifest, share = at_level(epochs.manifest(at[0]), at[1])
                    folder = Path(spare, str(done))
                    folder.mkdir()
                    rebuilt, now = rebuild(manifest, packages, folder), at
                    again = (
                        Again(rebuilt, share, windows, parameters, provider, unlike, stages)
                        if rebuilt.pipeline
                        else None
                    )
                    nothing = "; ".join(dict.fromkeys(rebuilt.why.values()))
            except CannotBeComputed as why:
                skip(stages, row, str(why))
                continue
            if again is None and len(epochs) == 1 and now[1] == 0:
                return Recomputed({}, 0, results.num_rows, nothing)
            if not done:
                windows.fetch(chosen)
            progress("computed again", done, len(chosen))
            if again is None:
                skip(stages, row, nothing)
            else:
                again.look(row)
    return Recomputed(stages, len(chosen), results.num_rows)
