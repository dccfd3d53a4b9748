"""A closed set of frame sizes: all ready before the first frame, and nothing made for others while frames come."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import Event, FrameSpec, Pipeline, PipelineError, ProviderError, Runtime, Stage, block
from onscope.runtime._shapes import shapes_of
from tests import models

Make = Callable[..., Runtime]
SPEC = FrameSpec((24, 32), "uint16", camera="cam")
SHAPES: list[str | tuple[int, int]] = ["24x32", (16, 16), "32x32", "8x8", "12x12"]
OTHER = FrameSpec((20, 20), "uint16", camera="cam")
SIDES = st.integers(1, 1 << 16)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=8, unique=True))
def test_sizes_are_read_as_they_were_written(sizes: list[tuple[int, int]]) -> None:
    assert shapes_of(sizes) == shapes_of([f"{height}x{width}" for height, width in sizes]) == tuple(sizes)


@pytest.mark.parametrize("wrong", ["24", "24x", "0x5", "24x32x3", "axb", "99999x9", "²x4", (1, 2, 3), (0, 4)])
def test_sizes_that_are_none(wrong: str | tuple[int, ...]) -> None:
    with pytest.raises(PipelineError, match="expected HEIGHTxWIDTH"):
        shapes_of([wrong])


@pytest.fixture
def plus(folder: Path) -> Pipeline:
    return Pipeline([Stage("plus", models.plus_one(folder / "shapes"))])


@pytest.mark.parametrize("worker", ["process", pytest.param("box", marks=pytest.mark.slow)])
def test_all_sizes_are_ready_before_the_first_frame(
    runtime: Make, plus: Pipeline, events: list[Event], worker: str
) -> None:
    it = runtime(plus, SPEC, worker=worker, admission=block(2), provider="cpu", shapes=SHAPES)
    for turn in range(2):
        for number, shape in enumerate(shapes_of(SHAPES)):
            segment = turn * len(SHAPES) + number
            it.submit(models.frame(0, spec=FrameSpec(shape, "uint16", camera="cam"), segment=segment))
    assert it.drain(20)
    it.close()
    assert it.ledger.counts["done"] == 2 * len(SHAPES)
    first = next(row for row in it.ledger.table() if row.id.segment == 0)
    assert first.state == "done"
    assert [event.kind for event in events].count("ready") == len(SHAPES), "each once, and none for want of room again"


def test_a_size_that_was_not_named_fails_and_says_why(runtime: Make, plus: Pipeline, events: list[Event]) -> None:
    it = runtime(plus, SPEC, worker="process", admission=block(2), provider="cpu", shapes=["24x32", "16x16"])
    it.submit(models.frame(0, spec=SPEC))
    for n in range(3):
        it.submit(models.frame(n, spec=OTHER, segment=1))
    it.submit(models.frame(0, spec=SPEC, segment=2))
    assert it.drain(20)
    with pytest.raises(ProviderError, match="found frames of 20x20, expected one of the sizes 24x32, 16x16"):
        it.prepare(OTHER)
    it.close()
    assert it.ledger.adds_up()
    assert it.ledger.counts["done"] == 2
    assert it.ledger.counts["failed"] == 3
    (told,) = [event.message for event in events if event.kind == "refused"]
    assert "nothing is prepared for other sizes while frames come" in told


def test_the_next_of_a_list_runs_other_sizes(runtime: Make, plus: Pipeline, events: list[Event]) -> None:
    it = runtime(plus, SPEC, worker="process", admission=block(2), provider="scripted:slow=1@*,cpu", shapes=["24x32"])
    results = it.subscribe(block(3))
    it.submit(models.frame(0, spec=SPEC))
    it.submit(models.frame(0, spec=OTHER, segment=1))
    it.submit(models.frame(0, spec=SPEC, segment=2))
    assert it.drain(20)
    it.close()
    ran = [(result.frame.pixels.shape, result.provenance["plus"].provider) for result in results]
    assert ran == [((24, 32), "scripted:slow=1@*"), ((20, 20), "cpu"), ((24, 32), "scripted:slow=1@*")]
    (told,) = [event.message for event in events if event.kind == "warning"]
    assert "found frames of 20x20, expected one of the sizes 24x32: cpu runs them" in told


def test_raw_frames_of_other_sizes_are_saved_all_the_same(runtime: Make, plus: Pipeline, tmp_path: Path) -> None:
    from onscope.runtime.record import open_recording

    it = runtime(
        plus, SPEC, worker="process", admission=block(2), provider="cpu", shapes=["24x32"], record=tmp_path / "run"
    )
    it.submit(models.frame(0, spec=SPEC))
    it.submit(models.frame(0, spec=OTHER, segment=1))
    assert it.drain(20)
    it.close()
    shapes = {images.shape[-2:] for images in open_recording(tmp_path / "run").images.values() if not images.stage}
    assert shapes == {(24, 32), (20, 20)}


def test_a_pipeline_says_its_sizes(runtime: Make, tmp_path: Path, events: list[Event]) -> None:
    models.plus_one(tmp_path / "plus")
    file = tmp_path / "pipeline.yaml"
    file.write_text("schema: 1\nstages:\n  plus: {package: plus}\nshapes: [24x32, 16x16]\n")
    assert Pipeline.load(file).shapes == ((24, 32), (16, 16))
    runtime(Pipeline.load(file), SPEC, worker="process")
    end = time.monotonic() + 20  # events are told by a thread of its own
    while [event.kind for event in events].count("ready") < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert [event.kind for event in events].count("ready") == 2
    file.write_text("schema: 1\nstages:\n  plus: {package: plus}\nshapes: [24]\n")
    with pytest.raises(PipelineError, match="shapes"):
        Pipeline.load(file)
