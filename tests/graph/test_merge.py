"""Which stages become one graph, and what is handed on inside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from onscope.runtime import Package, PipelineError
from onscope.runtime.graph import Raw, StageRequest, compile_group, groups
from onscope.runtime.graph._merge import reasons, why_alone
from onscope.runtime.package import make_step

from .. import models
from . import generated
from .generated import Recipe
from .run import opened, request

RAW = Raw((48, 64), "uint16")
RANGE = (("scale_range", {"min_percentile": 1.0, "max_percentile": 99.0}),)


def names(cut: list[tuple[StageRequest, ...]]) -> list[str]:
    return ["+".join(stage.name for stage in group) for group in cut]


def test_stages_on_the_same_frames_are_one_graph(tmp_path: Path) -> None:
    plus, double = models.plus_one(tmp_path / "plus"), models.double(tmp_path / "double")
    chain = [request(plus, "a"), request(double, "b", reads="a"), request(plus, "c")]
    assert names(groups(chain, RAW)) == ["a+b+c"]


def test_a_stage_stays_alone_for_a_reason(tmp_path: Path) -> None:
    plus = models.plus_one(tmp_path / "plus")
    normal = Package.load(generated.write(tmp_path / "normal", Recipe(network="pointwise", pre=RANGE)))
    first = request(plus, "a")

    def cut(*stages: StageRequest) -> list[str]:
        return names(groups([first, *stages], RAW))

    assert cut(request(normal, "b", reads="a")) == ["a+b"]
    assert cut(request(normal, "b", reads="a", normalise="shared")) == ["a+b"]
    assert cut(request(normal, "b", reads="a", normalise="frozen")) == ["a", "b"]
    assert cut(request(plus, "b", reads="a", normalise="frozen")) == ["a+b"]  # it normalises nothing
    assert cut(request(normal, "b", normalise="running")) == ["a+b"]  # the host has the raw frame
    assert cut(request(plus, "b", reads="a", tile=16), request(plus, "c", reads="b")) == ["a", "b", "c"]
    assert cut(request(plus, "b", tile=16), request(plus, "c", reads="a")) == ["a", "b", "c"]
    tiled = request(plus, "b", reads="a", tile=16)
    assert why_alone([first], tiled) == "b is run in tiles"
    assert reasons([first, tiled, request(plus, "c", reads="b")], RAW) == {
        "b": "b is run in tiles",
        "c": "b is run in tiles",
    }
    step = make_step("stardist_postprocessing", {"n_rays": 8})
    decoded = replace(first, outputs=(replace(first.outputs[0], steps=(step,)),))
    assert "stardist_postprocessing of a is no graph operation" in why_alone([decoded], request(plus, "b", reads="a"))


def test_merged_stages_answer_what_they_do_apart(tmp_path: Path) -> None:
    """The shipped packages, chained as in the demo: denoise, then twice as large, and found."""
    zoo = {name: Package.load(f"zoo/{name}-beads") for name in ("care", "espcn", "spots")}
    frame = np.random.default_rng(0).poisson(120, (71, 54)).astype(np.uint16)
    frame[30:34, 20:24] += 900
    stages = [
        request(zoo["care"], "clean"),
        request(zoo["espcn"], "large", reads="clean"),
        request(zoo["spots"], "found", reads="clean"),
    ]
    run = opened(stages, Raw(frame.shape, "uint16"), tmp_path)
    assert [note.what for note in run.compiled.notes if note.kind == "merged"] == ["reads clean in the same graph"] * 2
    found = run.run([frame])

    def alone(package: Package, tensor: np.ndarray) -> np.ndarray:
        session = onnxruntime.InferenceSession(str(package.weights), providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, {session.get_inputs()[0].name: tensor})[0])

    clean = alone(zoo["care"], frame[None, None])
    assert np.abs(found["clean.image"].astype(int) - clean).max() <= 1
    large = alone(zoo["espcn"], found["clean.image"])
    assert np.abs(found["large.image"].astype(int) - large).max() <= 1
    points = alone(zoo["spots"], found["clean.image"])
    sure = points[:, 2] > 0.5
    assert sure.any()
    assert np.allclose(found["found.points"][sure], points[sure], atol=1e-3)


@pytest.mark.parametrize("normalise", ["per_frame", "shared"])
def test_a_later_stage_normalises_as_it_says(tmp_path: Path, normalise: Any) -> None:
    plus = models.plus_one(tmp_path / "plus")
    recipe = Recipe(network="pointwise", pre=RANGE, described="uint16")
    normal = Package.load(generated.write(tmp_path / "normal", recipe))
    frame = np.random.default_rng(1).integers(100, 4000, (48, 64)).astype(np.uint16)
    run = opened([request(plus, "a"), request(normal, "b", reads="a", normalise=normalise)], RAW, tmp_path)
    # Percentiles of the image are those of the raw frame plus 1; with the raw ones it is off by that count.
    assert bool(run.compiled.scalars) == (normalise == "shared")
    found = run.run([frame])["b.image"]
    alone = opened([request(normal, "b")], RAW, tmp_path).run([frame])["b.image"]
    shift = 1 / float(np.diff(np.percentile(frame, [1, 99]))[0]) if normalise == "shared" else 0.0
    weight = run_weight(normal)
    assert np.allclose(found, alone + shift * weight, atol=2e-5 * np.ptp(alone))
    why = next(note.why for note in run.compiled.notes if (note.stage, note.what) == ("b", "scale_range"))
    assert ("shared down the chain" if normalise == "shared" else "in the graph, per frame") in why


def run_weight(package: Package) -> float:
    """The one weight of a pointwise network of one channel."""
    import onnx
    from onnx import numpy_helper

    weights = [numpy_helper.to_array(each) for each in onnx.load(package.weights).graph.initializer]
    return float(next(each for each in weights if each.ndim == 4).item())


def test_frozen_values_of_a_tensor_inside_the_graph_are_refused(tmp_path: Path) -> None:
    plus = models.plus_one(tmp_path / "plus")
    normal = Package.load(generated.write(tmp_path / "normal", Recipe(network="pointwise", pre=RANGE)))
    stages = [request(plus, "a"), request(normal, "b", reads="a", normalise="frozen")]
    with pytest.raises(PipelineError, match="they never reach the host"):
        compile_group(stages, RAW, cache=tmp_path)
    # In a graph of its own the same stage reads frames of the host.
    alone = compile_group(stages[1:], RAW, cache=tmp_path)
    assert {scalar.normalise for scalar in alone.scalars} == {"frozen"}


def test_one_graph_reads_one_kind_of_frames(tmp_path: Path) -> None:
    plus = models.plus_one(tmp_path / "plus")
    with pytest.raises(PipelineError, match="expected one graph's to read the same frames"):
        compile_group([request(plus, "b", reads="a"), request(plus, "c", reads="frame")], RAW, cache=tmp_path)
    with pytest.raises(PipelineError, match="expected different ones"):
        compile_group([request(plus, "b"), request(plus, "b")], RAW, cache=tmp_path)


def test_a_table_is_no_image(tmp_path: Path) -> None:
    found = models.brightest(tmp_path / "found")
    plus = models.plus_one(tmp_path / "plus")
    with pytest.raises(PipelineError, match="whose answer is no image"):
        compile_group([request(found, "a"), request(plus, "b", reads="a")], RAW, cache=tmp_path)


def test_settings_that_compile_nothing_change_no_graph(tmp_path: Path) -> None:
    stage = request(models.brightest(tmp_path / "found"))
    other = replace(stage, settings=MappingProxyType({**stage.settings, "threshold": 0.1}))
    assert compile_group([stage], RAW, cache=tmp_path).path == compile_group([other], RAW, cache=tmp_path).path
