"""Trust values on their way: looked at in the worker, in the result, in the recording; and what stages choose."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from onscope.export.zoo import PACKAGES
from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameSpec,
    Gather,
    Package,
    Pipeline,
    PipelineError,
    Runtime,
    Stage,
    block,
)
from onscope.runtime.record import open_recording
from onscope.runtime.trust import VALUES, Patches, values_of
from tests import models
from tests.trust.frames import exposed, scene

Make = Callable[..., Runtime]
SPEC = FrameSpec((160, 192), "uint16", camera="cam")
EVERY_FRAME = ("bias", "whiteness y", "whiteness x", "removed", "rse", "rsp")


def frames(count: int, spec: FrameSpec = SPEC) -> list[Frame]:
    return [
        Frame(FrameId("run", "cam", 0, seq), exposed(scene(seq, (spec.shape[0], spec.shape[1])), seq))
        for seq in range(count)
    ]


def run(it: Runtime, given: list[Frame], spec: FrameSpec = SPEC) -> list[Any]:
    it.prepare(spec)
    results = it.subscribe(block(len(given)))
    for frame in given:
        it.submit(frame)
    it.drain(60)
    it.close()
    return [result.copied() for result in results]


def bare(folder: Path, name: str = "care-beads") -> Path:
    """A shipped package without what it says of usual frames."""
    shutil.copytree(PACKAGES / name, folder)
    lines = (folder / "rdf.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if line == "    trust:\n"), None)
    if start is not None:
        after = (at for at in range(start + 1, len(lines)) if not lines[at].startswith("      "))
        del lines[start : next(after, len(lines))]
    (folder / "rdf.yaml").write_text("".join(lines), encoding="utf-8")
    assert Package.load(folder).trust is None
    return folder


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_values_come_with_the_result_and_stand_in_the_recording(runtime: Make, tmp_path: Path, worker: str) -> None:
    """A denoiser, and one that doubles the pixels of its answer in the same graph: each against what it reads."""
    denoise = Stage("denoise", bare(tmp_path / "care"))
    enlarge = Stage("enlarge", bare(tmp_path / "espcn", "espcn-beads"), reads="denoise")
    pipeline = Pipeline([denoise, enlarge, Stage("spots", "zoo/spots-beads", reads="denoise")])
    it = runtime(pipeline, None, worker=worker, admission=block(4), record=tmp_path / "run")
    results = run(it, frames(4))
    patches = Patches((160, 192))
    for result in results:
        assert set(result.trust) == {"denoise", "enlarge"}
        raw, answer = patches.of(result.frame.pixels), patches.of(result["denoise"])
        assert dict(result.trust["denoise"]) == pytest.approx(values_of(raw, answer)[0])
        assert dict(result.trust["enlarge"]) == pytest.approx(values_of(answer, patches.of(result["enlarge"]))[0])
        assert tuple(result.trust["denoise"]) == EVERY_FRAME
        assert result.suspect == {}
    rows = open_recording(tmp_path / "run").table("values").to_pylist()
    assert {(row["seq"], row["stage"], row["name"]): row["value"] for row in rows if row["kind"] == "trust"} == {
        (result.frame.id.seq, stage, name): value
        for result in results
        for stage, values in result.trust.items()
        for name, value in values.items()
    }


def test_off_is_off_and_what_does_not_restore_is_not_looked_at(runtime: Make, tmp_path: Path) -> None:
    stages = [
        Stage("denoise", "zoo/care-beads", trust="off"),
        Stage("spots", "zoo/spots-beads", reads="denoise"),
        Stage("plus", models.plus_one(tmp_path / "plus")),  # says nothing of itself, not even by test tensors
        Stage("nuclei", "zoo/nuclei-cells"),
    ]
    assert [stage.message()["trust"] for stage in stages] == [None] * 4
    it = runtime(Pipeline(stages[:3]), None, worker="thread", admission=block(4), record=tmp_path / "run")
    assert [dict(result.trust) for result in run(it, frames(2))] == [{}, {}]
    assert "values" not in open_recording(tmp_path / "run").manifest["tables"]


def test_two_answers_are_compared_on_a_stride_and_nothing_else_changes(runtime: Make, tmp_path: Path) -> None:
    """The answers are those that there are without the comparison, also where the graph runs twice."""
    given, found = frames(5), {}
    for name, trust in (("plain", "auto"), ("compared", {"disagreement": "flip", "every": 2})):
        stages = [
            Stage("denoise", "zoo/care-beads", trust=trust),
            Stage("superres", "zoo/espcn-beads", reads="denoise"),
        ]
        found[name] = run(runtime(Pipeline(stages), None, worker="thread", admission=block(5)), given)
    for plain, compared in zip(found["plain"], found["compared"], strict=True):
        assert np.array_equal(plain["denoise"], compared["denoise"])
        assert np.array_equal(plain["superres"], compared["superres"])
    seen = [result.trust["denoise"].get("disagreement") for result in found["compared"]]
    assert [value is None for value in seen] == [False, True, False, True, False]
    assert 0 < max(value for value in seen if value is not None) < 0.3, seen
    assert not any("disagreement" in result.trust["denoise"] for result in found["plain"])


def test_a_network_without_preferred_directions_agrees_with_itself_when_mirrored(runtime: Make, tmp_path: Path) -> None:
    stage = Stage("plus", models.plus_one(tmp_path / "plus"), trust={"disagreement": "flip", "every": 1})
    (result,) = run(runtime(Pipeline([stage]), None, worker="thread", admission=block(1)), frames(1))
    assert result.trust["plus"]["disagreement"] == 0
    assert result.trust["plus"]["removed"] == pytest.approx(0, abs=1e-4)


def test_what_cannot_be_looked_at_is_refused_or_told(runtime: Make, events: list[Event]) -> None:
    with pytest.raises(PipelineError, match="answers with objects"):
        Stage("spots", "zoo/spots-beads", trust={"disagreement": "flip"})
    with pytest.raises(PipelineError, match=r"found no int8 weights .* `onscope reduce"):
        Stage("denoise", "zoo/care-beads", trust={"disagreement": "int8"})
    with pytest.raises(PipelineError, match=r"found trust 'yes' of the stage 'denoise', expected auto, off"):
        Stage("denoise", "zoo/care-beads", trust="yes")
    for wrong in ({"every": 0}, {"every": True}, {"disagreement": "mirror"}, {"often": 3}, 5):
        with pytest.raises(PipelineError, match="expected auto, off"):
            Stage("denoise", "zoo/care-beads", trust=wrong)  # type: ignore[arg-type]
    small = FrameSpec((48, 64), "uint16", camera="cam")
    stage = Stage("denoise", "zoo/care-beads", trust={"disagreement": "flip"})
    it = runtime(Pipeline([stage]), None, worker="thread", admission=block(2))
    (result,) = run(it, frames(1, small), small)
    assert result.trust == {}
    assert any("no trust values: frames of at least 64 x 64" in event.message for event in events)


def test_a_pipeline_file_says_it(tmp_path: Path) -> None:
    def load(trust: str) -> Pipeline:
        text = f"schema: 1\nstages:\n  denoise: {{package: zoo/care-beads, trust: {trust}}}\n"
        (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
        return Pipeline.load(tmp_path / "pipeline.yaml")

    assert load("off").networks[0].trust.mode == "off"
    chosen = load("{disagreement: flip, every: 10}").networks[0].trust
    assert (chosen.mode, chosen.disagreement, chosen.every) == ("on", "flip", 10)
    with pytest.raises(PipelineError, match="line 3"):
        load("always")


def test_values_have_one_order() -> None:
    assert VALUES[: len(EVERY_FRAME)] == EVERY_FRAME


def with_variant(folder: Path, name: str) -> Path:
    """A shipped package whose int8 variant is its own float weights: the answers are the same."""
    shutil.copytree(PACKAGES / name, folder)
    shutil.copy(folder / "weights.onnx", folder / "weights-int8.onnx")
    yaml = YAML()
    content = yaml.load((folder / "rdf.yaml").read_text(encoding="utf-8"))
    entry = {"source": "weights-int8.onnx", "sha256": content["weights"]["onnx"]["sha256"], "passes": True}
    content["config"]["onscope"]["variants"] = {"int8": entry}
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(content, file)
    return folder


@pytest.mark.parametrize("merge", [True, False])
def test_a_variant_is_opened_beside_the_stage_and_compared(runtime: Make, tmp_path: Path, merge: bool) -> None:
    trust = {"disagreement": "int8", "every": 3}
    stages = [
        Stage("denoise", with_variant(tmp_path / "care", "care-beads"), trust=trust),
        Stage("enlarge", with_variant(tmp_path / "espcn", "espcn-beads"), reads="denoise", trust=trust),
    ]
    results = run(runtime(Pipeline(stages, merge=merge), None, worker="thread", admission=block(4)), frames(4))
    for name in ("denoise", "enlarge"):
        seen = [result.trust[name].get("disagreement") for result in results]
        assert seen == [0, None, None, 0]
    with pytest.raises(PipelineError, match="expected per_frame: the variant sees every few frames only"):
        Stage("denoise", tmp_path / "care", trust=trust, normalise="frozen")
    own = Stage("denoise", tmp_path / "care", trust=trust, precision="int8").message()["trust"]["weights"][0]
    assert Path(own).name == "weights.onnx"  # not compared with itself


def test_behind_a_calibration_there_is_no_bias(runtime: Make, tmp_path: Path) -> None:
    (tmp_path / "calibration.yaml").write_text("schema: 1\noffset: 100\nelectrons_per_count: 0.5\n", encoding="utf-8")
    pipeline = Pipeline([Stage("denoise", "zoo/care-beads")], calibration=tmp_path / "calibration.yaml")
    (result,) = run(runtime(pipeline, None, worker="thread", admission=block(1)), frames(1))
    assert "bias" not in result.trust["denoise"]
    assert result.trust["denoise"]["removed"] == pytest.approx(1, abs=0.2)


def test_what_is_suspect_is_named_in_the_result(runtime: Make, tmp_path: Path) -> None:
    """A saturated frame is none that care-beads was trained on."""
    (given,) = frames(1)
    full = replace(given, pixels=np.minimum(given.pixels, np.uint16(np.percentile(given.pixels, 90))))
    pipeline = Pipeline([Stage("denoise", "zoo/care-beads")])
    (result,) = run(runtime(pipeline, None, worker="process", admission=block(1)), [full])
    assert "distance" in result.suspect["denoise"]
    assert result.trust["denoise"]["suspicion"] > 1


def test_of_a_window_the_answers_own_frame_is_looked_at(runtime: Make, tmp_path: Path) -> None:
    trust = {"disagreement": "flip", "every": 1}
    stage = Stage("denoise", "zoo/care-beads", trust=trust)
    given = frames(4)
    gather = Gather(3, every=1, look_ahead=1)
    windows = run(runtime(Pipeline([stage], gather), None, worker="thread", admission=block(4)), given)
    alone = run(runtime(Pipeline([stage]), None, worker="thread", admission=block(4)), given)
    by_frame = {result.frame.id: dict(result.trust["denoise"]) for result in alone}
    assert windows
    for result in windows:
        assert result.target == 1
        assert dict(result.trust["denoise"]) == pytest.approx(by_frame[result.frame.id])
