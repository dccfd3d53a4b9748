"""Pipelines from Python and YAML: what fits together runs, and what does not is told with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onscope.runtime import Gather, OnscopeError, Pipeline, PipelineError, Stage
from onscope.runtime._requests import request_from
from tests import models


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    models.pipeline(tmp_path)
    return tmp_path / "pipeline.yaml"


GOOD = """
schema: 1
stages:
  plus: {package: plus}
  found: {package: found, reads: plus, threshold: 5e2}
"""


def test_a_file_gives_the_same_as_python(beside: Path) -> None:
    beside.write_text(GOOD)
    pipeline = Pipeline.load(beside)
    assert [(stage.name, stage.reads, stage.package.name) for stage in pipeline.networks] == [
        ("plus", "frame", "test plus"),
        ("found", "plus", "test found"),
    ]
    assert pipeline.networks[1].settings["threshold"] == 500
    assert pipeline.window == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("schema: 1", "schema: 2"), "line 2: schema"),
        (("schema: 1\n", ""), "schema: Field required"),
        (("reads: plus", "reeds: plus"), "line 5: stages.found.reeds: Extra inputs"),
        (("reads: plus", "reads: minus"), "reading 'minus', expected one of frame, plus"),
        (("threshold: 5e2", "threshold: much"), "line 5: stages.found.threshold"),
        (("found:", "plus:"), "line 5: found no YAML"),
        (("{package: plus}", "&a {package: plus}"), "line 4: found an anchor"),
        (("{package: plus}", "{package: plus"), "found no YAML"),
        (("plus: {", "frame: {"), "found a stage named 'frame'"),
        (("plus: {", "../up: {"), "found a stage named '../up'"),
        (("package: found", "package: lost"), "lost"),
        (("stages:", "window: 0\nstages:"), "line 3: window"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(beside: Path, change: tuple[str, str], text: str) -> None:
    beside.write_text(GOOD.replace(*change))
    with pytest.raises(OnscopeError) as error:
        Pipeline.load(beside)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"found that the pipeline .*nowhere\.yaml cannot be read \(No such file"):
        Pipeline.load(tmp_path / "nowhere.yaml")


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
@example(b"+_")
def test_no_text_gets_past_with_another_error(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pipeline.yaml")
        path.write_bytes(data)
        with pytest.raises(PipelineError):
            Pipeline.load(path)


def test_tables_cannot_be_read_as_images(folder: Path) -> None:
    found = Stage("found", models.brightest(folder / "found"))
    with pytest.raises(PipelineError, match="reading 'found', expected one of frame"):
        Pipeline([found, Stage("plus", models.plus_one(folder / "plus"), reads="found")])


def test_names_are_different_and_there_is_at_least_one(folder: Path) -> None:
    plus = Stage("plus", models.plus_one(folder / "plus"))
    with pytest.raises(PipelineError, match="two stages named 'plus'"):
        Pipeline([plus, plus])
    with pytest.raises(PipelineError, match="found 0 stages"):
        Pipeline([])


def test_what_a_graph_cannot_carry_out_is_refused_at_once(tmp_path: Path) -> None:
    models.plus_one(tmp_path / "plus", "float32")
    steps = {"id": "stardist_postprocessing2d", "kwargs": {"prob_threshold": 0.5, "nms_threshold": 0.4}}
    models.beside(tmp_path / "plus", "outputs", [steps])
    with pytest.raises(OnscopeError, match="stardist_postprocessing2d"):
        Stage("plus", tmp_path / "plus")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"normalise": "sometimes"}, "found normalise 'sometimes'"),
        ({"frozen_frames": 0}, "found 0 frozen frames"),
        ({"tile": 8}, "tiles of 8 pixels"),
    ],
)
def test_options_of_a_stage_are_checked(folder: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(PipelineError, match=text):
        Stage("plus", models.plus_one(folder / "plus"), **options)


def test_a_file_states_how_graphs_are_made(beside: Path) -> None:
    beside.write_text(
        GOOD.replace("{package: plus}", "{package: plus, normalise: frozen, frozen_frames: 5, tile: 64, rescale: true}")
        + "window: {length: 3, along: z, every: 1, look_ahead: 1, on_gap: pad}\nmerge: false\n"
    )
    pipeline = Pipeline.load(beside)
    plus = pipeline.networks[0]
    assert (plus.normalise, plus.frozen_frames, plus.tile, plus.rescale) == ("frozen", 5, 64, True)
    assert pipeline.gather == Gather(3, "z", 1, 1, "pad")
    assert pipeline.options("cam") == {
        "gather": {"length": 3, "along": "z", "target": 1},
        "calibration": None,
        "merge": False,
    }


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("window: {length: 3, every: 4}", "found a window of 3 frames every 4"),
        ("window: {length: 3, along: q}", "line 6: window"),
        ("window: {longitude: 3}", "line 6: window"),
        ("merge: maybe", "line 6: merge"),
        ("calibration: lost.yaml", "lost.yaml"),
    ],
)
def test_wrong_options_of_a_file_are_told(beside: Path, line: str, text: str) -> None:
    beside.write_text(GOOD + line + "\n")
    with pytest.raises(OnscopeError) as error:
        Pipeline.load(beside)
    assert text in str(error.value)


def test_a_request_comes_back_as_it_went(folder: Path) -> None:
    stage = Stage("found", models.brightest(folder / "found"), settings={"threshold": 3.0}, channel=[1, "DAPI"])
    message = json.loads(json.dumps(stage.message()))
    back = request_from(message)
    assert replace(back, settings={}) == replace(stage.request, settings={})
    assert back.settings["threshold"] == 3.0
    assert message["choice"]
    assert Stage("found", stage.package).message()["choice"] == ""
