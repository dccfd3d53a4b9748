"""Stages of the host: objects measured and tracked in the worker, after the graphs that they read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Event, Frame, FrameId, FrameSpec, Measure, Pipeline, PipelineError, Runtime, Stage, block
from tests import models
from tests.live.test_labels import circles

Make = Callable[..., Runtime]
SPEC = FrameSpec((72, 96), "float32", camera="cam", pixel_size_um=0.5)


def scene(*objects: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    """What `circles` makes circles of: (y, x, radius)."""
    pixels = np.zeros(SPEC.shape, np.float32)
    for y, x, radius in objects:
        pixels[y, x] = radius
    return pixels


def frame(seq: int, *objects: tuple[int, int, int], **more: Any) -> Frame:
    return Frame(FrameId("run", "cam", 0, seq), scene(*objects), pixel_size_um=0.5, **more)


def run(it: Runtime, frames: list[Frame]) -> list[Any]:
    """The results of the frames, all of them."""
    results = it.subscribe(block(64))
    for each in frames:
        it.submit(each)
    assert it.drain(60)
    it.close()
    return list(results)


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_objects_are_measured_in_the_worker(runtime: Make, tmp_path: Path, worker: str) -> None:
    stages = [Stage("nuclei", circles(tmp_path / "circles")), Measure("cells", of="nuclei", intensity=["frame"])]
    it = runtime(Pipeline(stages), SPEC, worker=worker, admission=block(4))
    two, none, one = run(it, [frame(0, (20, 24, 11), (50, 70, 14)), frame(1), frame(2, (30, 40, 9))])
    cells = two["cells"]
    assert len(cells) == 2
    assert len(none["cells"]) == 0
    assert len(one["cells"]) == 1
    assert set(cells["label"]) == set(np.unique(two["nuclei"])) - {0}
    order = np.argsort(cells["y"])
    assert cells["y"][order] == pytest.approx([20, 50], abs=0.01)
    assert cells["x_um"][order] == pytest.approx([12, 35], abs=0.01)
    assert cells["area"][order] == pytest.approx([np.pi * 11**2, np.pi * 14**2], rel=0.05)
    assert cells["intensity_max_frame"][order] == pytest.approx([11, 14])
    assert cells.dtype["label"] == np.int32
    assert not cells.flags.writeable
    assert none["cells"].dtype == cells.dtype
    start, end = two.stamps.stages["cells"]
    assert two.stamps.stages["nuclei"][1] <= start < end <= two.stamps.finished
    assert "stage cells" in two.stamps.steps_ms()
    assert two.provenance["cells"].provider == "host"


def test_columns_that_are_asked_for_are_measured(runtime: Make, tmp_path: Path) -> None:
    circles(tmp_path / "circles")
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        "schema: 1\nstages:\n  nuclei: {package: circles}\n  cells: {measure: nuclei, columns: [solidity, perimeter]}\n"
    )
    pipeline = Pipeline.load(path)
    assert pipeline.stages[1] == Measure("cells", of="nuclei", columns=["solidity", "perimeter"])
    (result,) = run(runtime(pipeline, SPEC), [frame(0, (36, 48, 20))])
    (cell,) = result["cells"]
    assert cell["solidity"] == pytest.approx(1, abs=0.05)
    assert cell["perimeter"] == pytest.approx(2 * np.pi * 20, rel=0.05)
    path.write_text(path.read_text().replace("solidity", "roundness"))
    with pytest.raises(PipelineError, match=r"line 4: stages.cells.*columns"):
        Pipeline.load(path)


def test_tables_are_cut_where_there_is_no_room_and_this_is_told(
    runtime: Make, tmp_path: Path, events: list[Event]
) -> None:
    stages = [Stage("nuclei", circles(tmp_path / "circles")), Measure("cells", of="nuclei", most=2)]
    many = [(15, 15, 5), (15, 40, 5), (15, 65, 5), (50, 40, 6)]
    results = run(
        runtime(Pipeline(stages), SPEC, admission=block(4)), [frame(0, *many), frame(1, many[0]), frame(2, *many)]
    )
    assert [len(result["cells"]) for result in results] == [2, 1, 2]
    told = [event.message for event in events if "room for 2" in event.message]
    assert told == ["cells: 4 rows in a frame, room for 2: the others are left out (`most`)"]


def test_measured_objects_of_some_channels_only(runtime: Make, tmp_path: Path) -> None:
    stages = [Stage("nuclei", circles(tmp_path / "circles")), Measure("cells", of="nuclei", channel=1)]
    it = runtime(Pipeline(stages), SPEC, admission=block(4))
    first, second = run(it, [frame(0, (20, 24, 9), index={"c": 0}), frame(1, (20, 24, 9), index={"c": 1})])
    assert set(first) == {"nuclei"}
    assert set(second) == {"nuclei", "cells"}
    assert set(first.stamps.stages) == {"nuclei"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda plus, cells: [cells, Measure("m", of="other")], "measuring 'other', that is no earlier stage"),
        (lambda plus, cells: [plus, Measure("m", of="plus")], "measuring 'plus', which answers with an image"),
        (lambda plus, cells: [cells, Measure("m", of="cells", intensity=["cells"])], "which answers with labels"),
        (lambda plus, cells: [cells, Measure("m", of="cells"), Measure("n", of="m")], "which answers with a table"),
        (lambda plus, cells: [cells, Measure("m", of="cells", intensity="later"), plus], "expected one of frame"),
        (lambda plus, cells: [cells, Measure("cells", of="cells")], "two stages named 'cells'"),
        (lambda plus, cells: [Measure("m", of="cells", most=0)], "room for 0 rows"),
        (lambda plus, cells: [Measure("m", of="cells", intensity=["frame", "frame"])], "expected each one once"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, make: Callable[..., Any], words: str) -> None:
    plus = Stage("plus", models.plus_one(tmp_path / "plus"))
    cells = Stage("cells", circles(tmp_path / "circles"))
    with pytest.raises(PipelineError) as error:
        Pipeline(make(plus, cells))
    assert words in str(error.value)
