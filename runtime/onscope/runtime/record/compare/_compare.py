"""What two recordings have in common, and where they differ: raw frames, answers of each stage, windows, parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..._errors import RecordError
from ..._frame import FrameId
from .._reader import RecordedRun, open_recording
from .._who import id_of, ids_of
from ._causes import models_of, parameters_of, windows_of
from ._tables import rows_of


@dataclass(frozen=True, slots=True)
class StageComparison:
    """One stage's answers: how many both recordings have, and the frames of those that are not equal to the bit.

    Of these, `other_windows` were made of other frames or began anew elsewhere, and `other_parameters` were normalised
    with other numbers.
    """

    name: str
    both: int
    differ: tuple[FrameId, ...]
    other_windows: int = 0
    other_parameters: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`first` and `second` are folders. Frames are told apart by their identity: run, camera, segment and number.

    `frames` raw frames are in both, those of `frames_differ` with other pixels; `frames_only` are in one alone, and
    `results_only` results: (first, second). `models` says which stages ran another graph or on another provider.
    `left_out` results are in both and were not to be looked at.
    """

    first: Path
    second: Path
    frames: int
    frames_differ: tuple[FrameId, ...]
    frames_only: tuple[int, int]
    results: int
    results_only: tuple[int, int]
    stages: tuple[StageComparison, ...]
    models: tuple[str, ...]
    left_out: int = 0

    @property
    def equal(self) -> bool:
        """Whether there is something to compare, and all that both have is equal to the bit."""
        return (
            self.frames + self.results > 0 and not self.frames_differ and not any(stage.differ for stage in self.stages)
        )


def compare(
    first: RecordedRun | str | Path, second: RecordedRun | str | Path, without: Collection[FrameId] = ()
) -> Comparison:
    """Hold two recordings against each other; raises RecordError when one of them cannot be read.

    Results of the frames `without` are not looked at; the answer says how many both have.

    Raw frames are compared by their recorded checksums and sizes (`verify` holds those against the pixels), answers by
    their stored bytes, tables of objects row by row.
    """
    runs = [each if isinstance(each, RecordedRun) else open_recording(each) for each in (first, second)]
    frames = [_frames(run) for run in runs]
    results = [_results(run) for run in runs]
    there = [who for who in results[0] if who in results[1]]
    both = [who for who in there if who not in without]
    shared = frames[0].keys() & frames[1].keys()
    return Comparison(
        runs[0].folder,
        runs[1].folder,
        len(shared),
        tuple(who for who in frames[0] if who in shared and frames[0][who] != frames[1][who]),
        (len(frames[0]) - len(shared), len(frames[1]) - len(shared)),
        len(both),
        (len(results[0]) - len(there), len(results[1]) - len(there)),
        tuple(_stages(runs, results, both)),
        tuple(models_of(*runs)),
        len(there) - len(both),
    )


def _frames(run: RecordedRun) -> dict[FrameId, tuple[Any, ...]]:
    """By identity, the checksum and the look of a raw frame."""
    table = run.table("frames")
    looks = {name: (image.shape, image.dtype.name) for name, image in run.images.items()}
    rows = zip(ids_of(table), table["crc32"].to_pylist(), table["array"].to_pylist(), strict=True)
    return {who: (crc32, looks.get(array)) for who, crc32, array in rows}


def _results(run: RecordedRun) -> dict[FrameId, tuple[int, Mapping[str, Any]]]:
    """By identity, the row of a result and its number."""
    try:
        rows = run.table("results").to_pylist()
    except RecordError:
        if run.manifest["state"] == "complete" and not len(run):
            raise
        return {}  # raw frames alone
    return {id_of(row): (number, row) for number, row in enumerate(rows)}


def _stages(
    runs: Sequence[RecordedRun],
    results: Sequence[Mapping[FrameId, tuple[int, Mapping[str, Any]]]],
    both: Sequence[FrameId],
) -> list[StageComparison]:
    names: dict[str, None] = {}
    for run in runs:
        for name in run.table("results").column_names if both else ():
            if name.startswith("stage ") and name.endswith("_ms"):
                names[name.removeprefix("stage ").removesuffix("_ms")] = None
    windows = [windows_of(each) for each in results]
    parameters = [parameters_of(run) for run in runs]
    found = []
    for stage in names:
        tables = [rows_of(run, stage) for run in runs]
        ran = [who for who in both if all(each[who][1].get(f"stage {stage}_ms") is not None for each in results)]
        differ = [who for who in ran if not _same(stage, who, runs, results, tables)]
        other = [who for who in differ if windows[0][who] != windows[1][who]]
        numbers = [parameter[stage] for parameter in parameters]
        found.append(
            StageComparison(
                stage,
                len(ran),
                tuple(differ),
                len(other),
                sum(who not in other and numbers[0].get(who) != numbers[1].get(who) for who in differ),
            )
        )
    return found


def _same(
    stage: str,
    who: FrameId,
    runs: Sequence[RecordedRun],
    results: Sequence[Mapping[FrameId, tuple[int, Mapping[str, Any]]]],
    tables: Sequence[Mapping[FrameId, bytes] | None],
) -> bool:
    """Whether both recordings hold the same answer to a frame."""
    rows = [each[who] for each in results]
    images = [row.get(f"{stage}_array") is not None for _, row in rows]
    if images[0] != images[1]:
        return False
    if images[0]:
        a, b = (run.answer(stage, number) for run, (number, _) in zip(runs, rows, strict=True))
        return a.shape == b.shape and a.dtype == b.dtype and np.ascontiguousarray(a).tobytes() == b.tobytes()
    first, second = (b"" if table is None else table.get(who, b"") for table in tables)
    return first == second
