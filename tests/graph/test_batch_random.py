"""Random graphs, and random packages compiled: windows together give what they give one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from onnx import helper

from onscope.runtime import Package, PipelineError
from onscope.runtime.graph.batch import batched
from onscope.runtime.worker import prove_batched, refuse_unproven

from .batching import In, compare, graph_of
from .generated import Recipe, image, write
from .growing import Growing, grown
from .recipes import recipes
from .run import opened, request, window_of

ROUNDED = 1e-5
"""Of the range: matrix products and convolutions of another batch are added up in another order, one after another."""


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(made=grown(), seed=st.integers(0, 99), most=st.integers(1, 4))
def test_batches_are_single_runs_stacked(made: tuple[Growing, dict[str, In]], seed: int, most: int) -> None:
    graph, inputs = made
    outputs = [name for name in graph.shapes if name not in inputs]
    if not outputs:
        return
    graph.nodes.append(helper.make_node("Identity", [outputs[-1]], ["last"]))
    # What is in the middle is an answer, too: it is read on in another form than it is given.
    answers = ["last", *outputs[:: max(1, len(outputs) // 3)]]
    model = graph_of(graph.nodes, inputs, answers, graph.constants)
    assert compare(model, list(inputs.values()), seed, most) < ROUNDED


@settings(max_examples=20, deadline=None)
@given(recipe=recipes())
def test_random_packages_are_batched_or_refused(recipe: Recipe) -> None:
    """Compiled as they are live: steps, windows, statistics of the host, networks of opsets 9 to 26."""
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        write(folder / "package", recipe)
        window, raw = window_of(recipe, image(recipe, recipe.side, seed=1))
        compiled = opened([request(Package.load(folder / "package"))], raw, folder / "cache").compiled
        try:
            made = batched(compiled, most=3, cache=folder / "cache")
        except PipelineError as error:
            event(str(error).split("'")[0])
            return
        proof = prove_batched(made, raw, windows=[window])
        event("identical" if proof.identical else "close")
        refuse_unproven(made, proof)
        assert proof.sizes == (1, 2, 3)
