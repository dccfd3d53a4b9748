"""Pipelines from Python and YAML: what fits together runs, and what does not is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from onscope.runtime import OnscopeError, Pipeline, PipelineError, Stage
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
    assert [(stage.name, stage.reads, stage.package.name) for stage in pipeline.stages] == [
        ("plus", "frame", "test plus"),
        ("found", "plus", "test found"),
    ]
    assert pipeline.stages[1].settings["threshold"] == 500
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
    with pytest.raises(PipelineError, match=r"cannot read the pipeline .*nowhere\.yaml: No such file"):
        Pipeline.load(tmp_path / "nowhere.yaml")


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
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


@pytest.mark.parametrize(
    ("side", "step"),
    [
        ("inputs", {"id": "zero_mean_unit_variance"}),
        ("outputs", {"id": "sigmoid"}),
    ],
)
def test_processing_beside_the_graph_is_refused_and_not_forgotten(tmp_path: Path, side: str, step: object) -> None:
    models.plus_one(tmp_path / "plus", "float32")
    rdf = tmp_path / "plus" / "rdf.yaml"
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load(rdf.read_text())
    content[side][0]["preprocessing" if side == "inputs" else "postprocessing"] = [step]
    with rdf.open("w") as file:
        yaml.dump(content, file)
    with pytest.raises(PipelineError, match="described beside its graph"):
        Stage("plus", tmp_path / "plus")
    models.plus_one(tmp_path / "bare", "float32")
    assert Stage("plus", tmp_path / "bare").package.inputs[0].processing in ((), ("ensure_dtype",))
