"""What an answer was normalised with: as recorded, and computed again where the graph took it and told nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..._errors import OnscopeError
from ..._pipeline import Pipeline
from .._reader import RecordedRun
from ._epochs import Epochs
from ._reasons import CannotBeComputed
from ._rebuilt import Rebuilt, rebuild
from ._windows import Row, Windows, parameters_of


def statistics_of(
    run: RecordedRun, number: int, packages: Sequence[Path] = ()
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Statistics of result `number` (its row in `results`) by stage and name: the recorded, and the computed again.

    The latter are those of stages that read another one's image in the same graph, in counts of that image. They are
    left out where frames, packages or a memory are not there any more, or the stage's are taken of a calibrated frame.
    """
    try:
        values = run.table("values")
    except OnscopeError:  # nothing was recorded
        values = None
    windows = Windows(run, run.table("results"))
    row, epochs = windows.row(number), Epochs(run.manifest)
    recorded = parameters_of(values).get(row.id, {})
    with tempfile.TemporaryDirectory(prefix="onscope-again-") as spare:
        try:
            windows.fetch([number])
            found = _again(rebuild(epochs.manifest(epochs.at(row)), packages, Path(spare)), windows, row)
        except (CannotBeComputed, OnscopeError, OSError, ValueError, KeyError):
            found = {}
    return recorded, {stage: names for stage, names in found.items() if stage not in recorded}


def _again(rebuilt: Rebuilt, windows: Windows, row: Row) -> dict[str, dict[str, float]]:
    from ...worker import Chain

    pipeline = rebuilt.pipeline
    if pipeline is None or any(stage.normalise in ("frozen", "running") for stage in pipeline.networks):
        return {}
    apart = Pipeline(pipeline.stages, pipeline.gather, calibration=pipeline.calibration, merge=False)
    chain = Chain(apart.opening(windows.spec(row), "cpu", rebuilt.threads))
    if any(group.compiled.states for group in chain.groups):
        return {}
    frames = windows.frames(row)
    chosen = [number for number, answer in enumerate(chain.opened) if answer.stage in row.stages]
    chain.run([frame.pixels for frame in frames], chosen, channel=frames[-1].index.get("c"))
    return {stage: dict(names) for stage, names in chain.parameters.items()}
