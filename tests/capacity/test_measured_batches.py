"""Batches are measured with the graphs that a server would be given, up to what can be, and it is said why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from onscope.runtime import Package, Pipeline, ProviderError, Stage
from onscope.runtime.capacity import Cost, Sizes, _measured_batches, measure, sizes_up_to
from onscope.runtime.engines import open_session
from onscope.runtime.graph.batch import batched
from onscope.runtime.worker import Chain, batch_times
from tests import models
from tests.graph.generated import Recipe
from tests.graph.generated import write as network

SECONDS = 0.2


def measured(pipeline: Pipeline, batches: Sequence[int] = (2, 3)) -> tuple[Cost, Sizes]:
    window = [np.zeros(models.SPEC.shape, models.SPEC.dtype)] * pipeline.gather.length
    return measure(pipeline, models.SPEC, window, "cpu", 1, SECONDS, batches)


def as_many_as_not_zero(folder: Path) -> Package:
    """An operator whose answer's size depends on pixels: windows cannot stand beside each other in one array."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("NonZero", ["f"], ["places"]),
        helper.make_node("Size", ["places"], ["n"]),
        helper.make_node("Cast", ["n"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "count"], ["g"]),
        helper.make_node("Cast", ["g"], ["image"], to=TensorProto.UINT16),
    ]
    return models.write(folder, nodes, {}, "uint16", ("image", "uint16", models.image_axes(reference=True)))


@pytest.mark.parametrize(
    ("largest", "sizes"), [(None, (2, 4, 8)), (1, ()), (2, (2,)), (3, (2, 3)), (8, (2, 4, 8)), (12, (2, 4, 8, 12))]
)
def test_which_sizes_are_measured(largest: int | None, sizes: tuple[int, ...]) -> None:
    assert sizes_up_to(largest) == sizes


def test_each_size_has_its_times_beside_single_windows(tmp_path: Path) -> None:
    cost, sizes = measured(models.pipeline(tmp_path))
    assert sorted(cost.ms) == [1, 2, 3]
    assert all(list(times) == sorted(times) and times[0] > 0 for times in cost.ms.values())
    assert "no_batches" not in cost.facts
    assert sizes.up == models.SPEC.nbytes
    alone, _ = measured(models.pipeline(tmp_path), ())
    assert sorted(alone.ms) == [1]


@pytest.mark.parametrize("kind", ["window", "memory", "two graphs"])
def test_all_kinds_of_pipelines(tmp_path: Path, kind: str) -> None:
    if kind == "window":
        pipeline = Pipeline([Stage("mean", models.window_mean(tmp_path / "mean", 3))], window=3)
    elif kind == "memory":
        pipeline = Pipeline([Stage("net", network(tmp_path / "net", Recipe(recurrent=True, described="uint16")))])
    else:
        stages = [Stage(name, models.plus_one(tmp_path / "plus")) for name in ("a", "b")]
        pipeline = Pipeline([stages[0], Stage("b", stages[1].package, reads="a")], merge=False)
    cost, _ = measured(pipeline)
    assert sorted(cost.ms) == [1, 2, 3], cost.facts.get("no_batches")


def test_a_network_that_takes_no_batches_says_why(tmp_path: Path) -> None:
    cost, _ = measured(Pipeline([Stage("odd", as_many_as_not_zero(tmp_path / "odd"))]))
    assert sorted(cost.ms) == [1]
    assert "differs from window to window" in cost.facts["no_batches"]


def test_what_the_host_does_is_counted_for_each_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A graph of 2 ms, and 5 ms of the chain: 3 of them are the host's."""
    monkeypatch.setattr(_measured_batches, "_graph", lambda *_: {1: [2.0, 2.0], 4: [6.0, 4.0]})
    chain = Chain(models.pipeline(tmp_path).opening(models.SPEC, "cpu", 1))
    graphs = len(chain.groups)
    found, why = _measured_batches.measure_batches(chain, [5.0 * graphs] * 3, (4, 8), 1, 1.0)
    assert not why
    assert dict(found) == {4: [graphs * (4.0 + 4 * 3.0), graphs * (6.0 + 4 * 3.0)]}


class Refusing:
    """An engine's session that takes so many windows and no more."""

    def __init__(self, session: Any, most: int) -> None:
        self.session, self.most, self.inputs, self.outputs = session, most, session.inputs, session.outputs

    def run(self, inputs: Sequence[Any]) -> Any:
        if inputs[0].ndim > 2 and len(inputs[0]) > self.most:
            raise ProviderError("found too little memory")
        return self.session.run(inputs)


@pytest.mark.parametrize(("most", "sizes"), [(8, [1, 2, 4, 8]), (3, [1, 2])])
def test_what_does_not_fit_ends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, most: int, sizes: list[int]
) -> None:
    chain = Chain(Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))]).opening(models.SPEC, "cpu", 1))
    (group,) = chain.groups
    opened = "onscope.runtime.worker._batch_times.open_session"
    monkeypatch.setattr(opened, lambda *each: Refusing(open_session(*each), most))
    made = batched(group.compiled, most=8)
    assert sorted(batch_times(made, group.raw, (1, 2, 4, 8), seconds=0.01)) == sizes


def test_what_would_take_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chain = Chain(Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))]).opening(models.SPEC, "cpu", 1))
    (group,) = chain.groups
    timed = "onscope.runtime.worker._batch_times.timed"
    monkeypatch.setattr(timed, lambda run, seconds: [100.0 * len(run.args[0][0])] * 3)
    found = batch_times(batched(group.compiled, most=64), group.raw, (1, 2, 4, 64), seconds=1.0)
    assert sorted(found) == [1, 2, 4]
