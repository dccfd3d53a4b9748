"""Windows in a whole runtime: answers of a real network prove which frames were in them, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from onscope.drivers import scripted
from onscope.runtime import (
    Frame,
    FrameSpec,
    Package,
    Pipeline,
    PipelineError,
    Result,
    Runtime,
    Stage,
    block,
    keep_newest,
    keep_oldest,
)
from onscope.runtime.windows._gather import Gather
from tests import models
from tests.graph.generated import Recipe, describe, write
from tests.live.window_oracle import windows_of

Make = Callable[..., Runtime]
SPEC = FrameSpec((16, 24), "uint16", camera="scripted")
LENGTH = 3
SCRIPT: list[scripted.Step] = [
    scripted.Burst(7),
    scripted.Drop(1),
    scripted.Burst(5),
    scripted.Drop(2),
    scripted.Burst(5),
    scripted.Drop(4),
    scripted.Burst(6),
    scripted.Move(stage_um=(40.0, 0.0, 0.0)),
    scripted.Burst(7),
    scripted.Change(exposure_ms=30.0),
    scripted.Burst(5),
    scripted.Move(channel="GFP"),
    scripted.Burst(4),
    scripted.Move(channel="DAPI"),
    scripted.Burst(4),
    scripted.Move(channel="GFP", position=1),
    scripted.Burst(6),
]


def weighted(folder: Path, length: int = LENGTH) -> Package:
    """image = frame 0 + 10 * frame 1 + 100 * frame 2 + ..., of frames given as channels, float32."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "weights"], ["g"]),
        helper.make_node("ReduceSum", ["g", "axis"], ["image"], keepdims=1),
    ]
    weights = (10.0 ** np.arange(length, dtype=np.float32)).reshape(1, length, 1, 1)
    output = ("image", "float32", models.image_axes(reference=True))
    return models.write(folder, nodes, {"weights": weights, "axis": np.array([1])}, "uint16", output, channels=length)


@pytest.fixture(scope="module")
def taken() -> list[Frame]:
    """What a scripted camera gives, in two segments."""
    return list(scripted.camera(SCRIPT, shape=(16, 24), exposure_ms=10.0, paced=False, run="run").frames())


def run(it: Runtime, frames: Sequence[Frame]) -> list[Result]:
    results = it.subscribe(block(len(frames) + 1))
    for each in frames:
        it.submit(each)
    assert it.drain(30)
    assert it.ledger.adds_up()
    it.close()
    return list(results)


def expected_answer(result: Result, frames: Sequence[Frame]) -> Any:
    pixels = {each.id: each.pixels.astype(np.float32) for each in frames}
    return sum(10.0**n * pixels[each.id] for n, each in enumerate(result.frames))


@pytest.mark.parametrize("on_gap", ["invalid", "reset", "hold", "pad"])
@pytest.mark.parametrize(("every", "look_ahead"), [(None, 0), (1, 0), (1, 1), (2, 1)])
def test_answers_are_of_the_windows_that_the_policy_builds(
    runtime: Make, folder: Path, taken: list[Frame], on_gap: Any, every: int | None, look_ahead: int
) -> None:
    gather = Gather(LENGTH, "t", every, look_ahead, on_gap)
    it = runtime(Pipeline([Stage("sum", weighted(folder / "weighted3"))], gather), spec=SPEC, admission=block(4))
    results = run(it, taken)
    for result in results:
        np.testing.assert_allclose(result["sum"], expected_answer(result, taken), rtol=1e-6)
        assert all(np.array_equal(each.pixels, _pixels(taken, each)) for each in result.frames)
    built = [
        (each.frame.id.segment, (each.frame.id.seq, tuple(frame.id.seq for frame in each.frames), each.padded))
        for each in results
    ]
    assert len(built) == len(set(built)) >= 8
    assert set(built) == windows_of(taken, gather)
    assert not any(each.state_reset for each in results), "nothing is remembered"


def _pixels(frames: Sequence[Frame], wanted: Frame) -> Any:
    return next(each.pixels for each in frames if each.id == wanted.id)


def test_what_waits_for_later_frames_is_reported_apart(runtime: Make, folder: Path) -> None:
    gather = Gather(LENGTH, every=1, look_ahead=2)
    it = runtime(Pipeline([Stage("sum", weighted(folder / "weighted3"))], gather), spec=SPEC, admission=block(4))
    first = models.frame(0, spec=SPEC)
    frames = [models.frame(n, spec=SPEC, received_ns=first.received_ns - (3 - n) * 50_000_000) for n in range(3)]
    (result,) = run(it, frames)
    assert result.frame.id.seq == 0
    assert result.look_ahead_ms == pytest.approx(100.0)
    assert result.latency_ms == pytest.approx(sum(result.stamps.steps_ms().values()))
    assert result.stamps.received == frames[2].received_ns


@pytest.mark.parametrize("admission", [keep_newest(1), keep_oldest(1), keep_newest(2, every_n=2), block(1)])
def test_every_policy_gives_only_whole_windows(runtime: Make, folder: Path, taken: list[Frame], admission: Any) -> None:
    for gather in (Gather(LENGTH, on_gap="hold"), Gather(LENGTH, every=1, on_gap="pad")):
        pipeline = Pipeline([Stage("sum", weighted(folder / "weighted3"))], gather)
        it = runtime(pipeline, spec=SPEC, admission=admission, provider="scripted:slow=3@*")
        results = run(it, taken)
        assert results
        for result in results:
            np.testing.assert_allclose(result["sum"], expected_answer(result, taken), rtol=1e-6)
        seen = {(r.frame.id.segment, (r.frame.id.seq, tuple(f.id.seq for f in r.frames), r.padded)) for r in results}
        assert seen <= windows_of(taken, gather, admission.every_n)


def test_a_reader_who_keeps_all_results_starves_no_window(runtime: Make, folder: Path) -> None:
    gather = Gather(LENGTH, every=1, on_gap="pad")
    it = runtime(Pipeline([Stage("sum", weighted(folder / "weighted3"))], gather), spec=SPEC, admission=block(2))
    frames = [models.frame(n, spec=SPEC) for n in range(60)]
    results = run(it, frames)
    assert [result.frame.id.seq for result in results] == list(range(60))
    for result in results:
        np.testing.assert_allclose(result["sum"], expected_answer(result, frames), rtol=1e-6)


def test_only_the_channel_of_a_stage_is_gathered(runtime: Make, folder: Path) -> None:
    stage = Stage("sum", weighted(folder / "weighted3"), channel=0)
    it = runtime(Pipeline([stage], Gather(LENGTH, every=1)), spec=SPEC, admission=block(4))
    frames = [models.frame(n, spec=SPEC, index={"t": n, "c": n % 2}) for n in range(10)]
    results = run(it, frames)
    assert [tuple(each.id.seq for each in result.frames) for result in results] == [(0, 2, 4), (2, 4, 6), (4, 6, 8)]
    assert it.ledger.reasons == {"done": 3, "skipped(incomplete window)": 2, "skipped(not chosen)": 5}


def test_a_killed_worker_leaves_windows_right(runtime: Make, folder: Path, tmp_path: Path) -> None:
    gather = Gather(LENGTH, every=1)
    pipeline = Pipeline([Stage("sum", weighted(folder / "weighted3"))], gather)
    provider = f"scripted:die@2,state={tmp_path}"
    it = runtime(pipeline, spec=SPEC, admission=block(8), provider=provider, worker="process")
    frames = [models.frame(n, spec=SPEC) for n in range(12)]
    results = run(it, frames)
    assert [result.frame.id.seq for result in results] == [n for n in range(2, 12) if n != 4]
    for result in results:
        np.testing.assert_allclose(result["sum"], expected_answer(result, frames), rtol=1e-6)
    assert it.ledger.counts["failed"] == 1


def test_memory_is_one_per_place_and_begins_anew_after_a_death(runtime: Make, tmp_path: Path) -> None:
    package = Package.load(write(tmp_path / "recurrent", Recipe(recurrent=True)))
    runs = tmp_path / "runs"
    runs.mkdir()
    pipeline = Pipeline([Stage("net", package)], Gather(1, on_gap="hold"))
    it = runtime(pipeline, spec=SPEC, admission=block(8), provider=f"scripted:die@4,state={runs}", worker="process")
    results = run(it, [models.frame(n, spec=SPEC, index={"t": n // 2, "p": n % 2}) for n in range(12)])
    assert [result.frame.id.seq for result in results] == [n for n in range(12) if n != 4]
    assert [result.frame.id.seq for result in results if result.state_reset] == [0, 1, 5, 6]


def adding(folder: Path) -> Package:
    """hidden_out = image = hidden + frame, float32: its answer is the sum of all frames since it began anew."""
    recipe = Recipe(recurrent=True, described="uint16")
    write(folder, recipe)
    graph = onnx.load(folder / "weights.onnx").graph
    nodes = [
        helper.make_node("Add", ["frame", "hidden"], ["hidden_out"]),
        helper.make_node("ReduceMax", ["hidden_out", "axis"], ["image"], keepdims=1),
    ]
    axis = numpy_helper.from_array(np.array([1]), "axis")
    added = helper.make_graph(nodes, "adding", list(graph.input), list(graph.output), [axis])
    model = helper.make_model(added, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, folder / "weights.onnx")
    session = onnxruntime.InferenceSession(folder / "weights.onnx", providers=["CPUExecutionProvider"])
    frame, hidden = np.load(folder / "input0.npy"), np.load(folder / "input1.npy")
    for number, array in enumerate(session.run(None, {"frame": frame.astype(np.float32), "hidden": hidden})):
        np.save(folder / f"output{number}.npy", array)
    describe(folder, recipe)
    return Package.load(folder)


@pytest.mark.long
@pytest.mark.parametrize(
    ("gather", "faults"),
    [
        (Gather(1), "die@23,raise@37-39"),
        (Gather(1, on_gap="hold"), "raise@20,nan@31,hang@44"),
        (Gather(2, every=1), "die@30"),
        (Gather(3, every=1, on_gap="pad"), "raise@every17"),
        (Gather(2, every=1, on_gap="hold", places=2), "wrong@11,die@40"),
    ],
)
def test_no_answer_remembers_another_place_nor_what_was_before_a_gap(
    runtime: Make, tmp_path: Path, gather: Gather, faults: str
) -> None:
    (runs := tmp_path / "runs").mkdir()
    lost, moved = {7, 18, 19, 52}, 60
    frames = [
        models.frame(n, 1 + n, SPEC, index={"t": n // 3, "p": n % 3}, exposure_ms=10.0 if n < moved else 20.0)
        for n in range(90)
        if n not in lost and not (gather.places == 2 and n % 3 == 2)
    ]
    pipeline = Pipeline([Stage("net", adding(tmp_path / "adding"))], gather)
    provider = f"scripted:{faults},state={runs}"
    it = runtime(pipeline, spec=SPEC, admission=block(3), provider=provider, worker="process", patience_s=1.0)
    results = run(it, frames)
    failed = [row.id for row in it.ledger.table() if row.state == "failed"]
    assert failed
    assert len(results) > 20
    last: dict[int, tuple[Frame, float]] = {}
    for result in results:
        frame, place = result.frame, result.frame.index["p"]
        expected = float(frame.pixels[0, 0])
        if not result.state_reset:
            before, total = last[place]
            assert (before.id.seq < moved) == (frame.id.seq < moved)
            assert gather.on_gap == "hold" or frame.index["t"] == before.index["t"] + 1
            assert not any(before.id < id < frame.id and id.seq % 3 == place for id in failed)
            expected += total
        assert (result["net"] == expected).all(), frame.id
        last[place] = frame, expected


def test_channels_that_are_gathered_cannot_be_chosen_from(folder: Path) -> None:
    stage = Stage("sum", weighted(folder / "weighted3"), channel=0)
    with pytest.raises(PipelineError, match="channel"):
        Pipeline([stage], Gather(LENGTH, "c"))
