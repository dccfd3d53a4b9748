"""Recordings to compute again, and what must be equal to the bit then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onscope.runtime import Frame, Pipeline, Runtime, block
from onscope.runtime.record import RecordedRun, open_recording
from onscope.runtime.record.compare import compare

NOT_OF_THE_ANSWER = ("received_ns", "delivered_ns")


def record(folder: Path, pipeline: Pipeline, taken: Sequence[Frame], spec: Any, **more: Any) -> None:
    """A live run of frames, all of them taken, with everything recorded."""
    how: dict[str, Any] = {"admission": block(4), "provider": "cpu", "threads": 1, "worker": "thread", **more}
    with Runtime(pipeline, record=folder, **how) as runtime:
        runtime.prepare(spec)
        for frame in taken:
            runtime.submit(frame)
        assert runtime.drain(60)


def assert_same(live: Path, again: Path, stages: int) -> None:
    """Images, tables, windows and account of a reprocessed recording are those of the live one, to the bit."""
    found = compare(live, again)
    assert found.equal, found
    assert found.results_only == (0, 0), found
    assert len(found.stages) == stages
    assert found.results > 0
    assert all(stage.both == found.results or stage.both > 0 for stage in found.stages)
    one, other = open_recording(live), open_recording(again)
    for name in set(one.manifest["tables"]) - {"frames", "inputs"}:
        assert rows(one, name) == rows(other, name), name
    for stage in {each.stage for each in one.images.values() if each.role == "derived"}:
        for mine, theirs in zip(one[str(stage)], other[str(stage)], strict=True):
            np.testing.assert_array_equal(mine.present, theirs.present)
            assert (mine.dtype, mine.shape, mine.along) == (theirs.dtype, theirs.shape, theirs.along)
            for at in np.argwhere(mine.present):
                assert mine[tuple(at)].tobytes() == theirs[tuple(at)].tobytes(), (stage, at)
    ledgers = [(folder / "ledger.csv").read_text() for folder in (live, again)]
    assert sorted(ledgers[0].splitlines()) == sorted(ledgers[1].splitlines())


def rows(run: RecordedRun, name: str) -> list[str]:
    """The rows of a table without times of this computer and without places in a raw image of the recording itself."""
    table = run.table(name)
    left_out = [each for each in table.column_names if each.endswith(("_ms", "_array")) or each in NOT_OF_THE_ANSWER]
    return sorted(map(repr, table.drop_columns(left_out).to_pylist()))


def chunk_files(folder: Path, kind: str = "chunk") -> list[Path]:
    """What is kept of chunks until all are done."""
    return [*(folder / "unacknowledged" / "reprocess" / "chunks").rglob(f"*.{kind}")]
