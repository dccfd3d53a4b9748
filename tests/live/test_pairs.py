"""Pairwise networks as trackers in a running pipeline: by place, over gaps, in Python and in YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from onscope.runtime import Frame, FrameId, Measure, Package, Pairs, Pipeline, PipelineError, Stage, block
from onscope.runtime.record.about import about, methods
from tests import models
from tests.live.test_hosted import SPEC, Make, frame, run, scene
from tests.live.test_labels import circles

PAIR = ("previous", "object", "current", "objects")


def nearby(folder: Path) -> Package:
    """Its mask is where objects now lie within 4 pixels of where the one was."""
    nodes = [
        helper.make_node("Split", ["frame"], list(PAIR), axis=1, num_outputs=4),
        helper.make_node("MaxPool", ["object"], ["near"], kernel_shape=[9, 9], pads=[4, 4, 4, 4]),
        helper.make_node("Mul", ["near", "objects"], ["both"]),
        helper.make_node("Sub", ["previous", "previous"], ["nothing"]),
        helper.make_node("Add", ["both", "nothing"], ["image"]),
    ]
    settings = {"decode": "image", "pair": list(PAIR)}
    output = ("image", "float32", models.image_axes(reference=True))
    return models.write(folder, nodes, {}, "float32", output, channels=4, settings=settings)


def pipeline(folder: Path, **more: Any) -> Pipeline:
    stages = [Stage("nuclei", circles(folder / "circles")), Measure("cells", of="nuclei")]
    return Pipeline([*stages, Pairs("lineage", nearby(folder / "pairs"), of="cells", **{"side": 32, **more})])


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_objects_keep_their_tracks_and_divide(runtime: Make, tmp_path: Path, worker: str) -> None:
    it = runtime(pipeline(tmp_path), SPEC, worker=worker, admission=block(4))
    frames = [frame(0, (20, 24, 9), (50, 70, 12)), frame(1, (21, 25, 9), (50, 62, 6), (50, 78, 6)), frame(2)]
    first, second, third = run(it, frames)
    by_place = dict(zip(first["cells"]["y"].round(), first["lineage"]["track"], strict=True))
    assert sorted(by_place.values()) == [1, 2]
    cells, lineage = second["cells"], second["lineage"]
    own = cells["y"] < 30
    assert lineage["track"][own].tolist() == [by_place[20]]
    assert lineage["parent"][~own].tolist() == [by_place[50]] * 2
    assert sorted(lineage["track"][~own]) == [3, 4]
    assert np.array_equal(lineage["y"], cells["y"])
    assert len(third["lineage"]) == 0
    assert [result.state_reset for result in (first, second, third)] == [True, False, False]
    assert first.provenance["lineage"].provider == "cpu"


def test_places_and_lost_frames(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path, gap=1), SPEC, admission=block(4))
    seqs = (0, 1, 2, 3, 6, 7, 12, 13)  # of each of two positions every second: 0 1 3 6
    results = run(it, [frame(n, (30, 30 + n % 2, 9), index={"p": n % 2}) for n in seqs])
    tracks = [int(result["lineage"]["track"][0]) for result in results]
    assert tracks[:2] == [1, 2]
    assert tracks[2:4] == [1, 2]
    assert len(set(tracks[6:])) == 2


def test_an_error_before_it_is_a_gap(runtime: Make, tmp_path: Path) -> None:
    it = runtime(pipeline(tmp_path, gap=1), SPEC, admission=block(4))
    broken = scene((30, 30, 9))
    broken[0, 0] = np.nan
    frames = [frame(0, (30, 30, 9)), Frame(FrameId("run", "cam", 0, 1), broken, pixel_size_um=0.5)]
    results = run(it, [*frames, frame(2, (31, 30, 9))])
    assert [result.frame.id.seq for result in results] == [0, 2]
    assert results[1]["lineage"][["track", "missed", "age"]].tolist() == [(1, 1, 2)]


def test_it_is_read_from_yaml(tmp_path: Path) -> None:
    circles(tmp_path / "circles")
    nearby(tmp_path / "pairs")
    file = tmp_path / "pipeline.yaml"
    file.write_text(
        "schema: 1\nstages:\n  nuclei: {package: circles}\n  cells: {measure: nuclei}\n"
        "  lineage: {package: pairs, pairs: cells, side: 32, gap: 2, least_score: 0.3}\n",
        encoding="utf-8",
    )
    stage = Pipeline.load(file).stages[-1]
    assert isinstance(stage, Pairs)
    assert (stage.gap, stage.least_score, stage.crops.side) == (2, 0.3, 32)
    assert stage.message()["hosted"] == "pairs"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"gap": -1}, "found a gap of -1 frames"),
        ({"least_score": 0}, "a least score of 0"),
        ({"side": None}, "found no side"),
        ({"settings": {"pair": ["previous", "object"]}}, "object and objects among them"),
    ],
)
def test_what_does_not_fit_is_told_before_a_camera_runs(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        pipeline(tmp_path, **more)


def test_objects_must_be_measured_labels(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="with `measure`"):
        Pipeline(
            [Stage("found", models.brightest(tmp_path / "found")), Pairs("p", nearby(tmp_path / "n"), "found", side=32)]
        )


def test_a_recording_tells_what_it_did_and_what_cannot_be_computed_again(runtime: Make, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    it = runtime(pipeline(tmp_path, gap=1), SPEC, admission=block(4), record=folder)
    run(it, [frame(n, (30, 30 + n, 9)) for n in range(3)])
    seen = about(folder)
    assert "linked the objects by its masks" in methods(seen)
    stage = next(each for each in seen.facts.pipeline.stages if each.name == "lineage")
    assert stage.kind == "pairs"
    plan = json.loads((folder / "recording.json").read_text(encoding="utf-8"))["pipeline"]["stages"][-1]
    assert (plan["gap"], plan["least_score"], plan["crops"]["side"]) == (1, 0.2, 32)
    assert seen.tables["lineage"] == 3
