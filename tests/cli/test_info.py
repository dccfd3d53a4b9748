"""`onscope info`: what it says of real recordings, and that nobody's files make it say nonsense."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.drivers import scripted
from onscope.drivers.scripted import Drop, Steady
from onscope.runtime import Pipeline, RecordError, Runtime, Stage, block
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record.about import about, methods
from tests import models
from tests.live.test_compiled import RANGE, scaled
from tests.record._made import MadeSource

from .conftest import Call


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shipped packages and one with frozen percentiles, in a process, on frames of which two were lost."""
    folder = tmp_path_factory.mktemp("info")
    pipeline = Pipeline(
        [
            Stage("denoise", "zoo/care-beads"),
            Stage("spots", "zoo/spots-beads", "denoise"),
            Stage("level", scaled(folder / "net", RANGE), normalise="frozen", frozen_frames=2),
        ]
    )
    camera = scripted.camera([Steady(5, fps=100), Drop(2), Steady(4, fps=100)], shape=(64, 48), name="cam", seed=1)
    with Runtime(pipeline, record=folder / "run", admission=block(4)) as runtime:
        list(runtime.stream(camera))
    assert runtime.ledger.counts["done"] == 9
    return folder / "run"


def test_a_person_is_told_all_that_matters(call: Call, recording: Path) -> None:
    said = call("info", recording)
    assert said.code == 0, said.err
    assert "\x1b" not in said.out
    lines = said.out.splitlines()
    assert lines[0] == f"{recording}, complete"
    assert all(len(line) <= 80 for line in lines[1:]), max(lines[1:], key=len)
    words = " ".join(said.out.split())
    run = open_recording(recording)
    manifest = run.manifest
    for package in manifest["packages"]:
        assert package[:12] in words
    for expected in (
        "scripted, seed 1",
        "raw 9",
        "done 9",
        "lost upstream 2",
        "64x48 uint16",
        "denoise care-beads cpu float32 9",
        manifest["lanes"][0]["graphs"][0]["sha256"][:8],
        "whole way",
        "level percentile 99.8",
        "level windows",
        "GPU none" if not manifest["machine"]["gpus"] else "driver",
        "worker process, provider asked for auto, threads one per core, block(4)",
        manifest["machine"]["cpu"],
        f"onscope {manifest['versions']['onscope']}",
        "BSD-3-Clause, from zoo/care-beads. Cite: M. Weigert et al.",
        "10.1038/s41592-018-0216-7",
    ):
        assert expected in words, expected


def test_machines_are_told_the_same(call: Call, recording: Path) -> None:
    said = call("info", "--json", recording)
    told = json.loads(said.out)
    assert told["counts"] == {"done": 9, "lost_upstream": 2}
    assert told["frames"] == 9
    assert {stage["name"]: stage["answers"] for stage in told["stages"]} == {"denoise": 9, "spots": 9, "level": 9}
    assert set(told["latency_ms"]) == {"p50", "p95", "p99", "max", "mean"}
    raw = next(image for image in told["images"] if image["role"] == "raw")
    assert (raw["there"], raw["missing"], raw["shape"]) == (9, raw["elements"] - 9, [64, 48])
    assert raw["nbytes"] > 0
    assert told["nbytes"] == sum(path.stat().st_size for path in recording.rglob("*") if path.is_file())
    assert told["facts"]["runtime"]["worker"] == "process"
    rows = open_recording(recording).table("values").to_pylist()
    values = [row["value"] for row in rows if row["name"] == "percentile 99.8"]
    assert told["parameters"]["level"]["percentile 99.8"]["p50"] == pytest.approx(np.median(values))


def test_the_text_for_a_paper_holds_recorded_facts_alone(call: Call, recording: Path) -> None:
    text = call("info", "--methods", recording).out
    assert text == (recording / "methods.md").read_text(encoding="utf-8")
    frozen = open_recording(recording).manifest["statistics"][0]["frozen"]
    low, high = (f"{frozen[f'level percentile {p}']:.5g}" for p in ("1", "99.8"))
    for expected in (
        "Images were generated on",
        "9 frames (64 x 48 pixels, uint16) were taken",
        "The stage denoise ran the network care-beads [1] (A small CARE network",
        "float32) on the raw frames.",
        "on the answers of denoise.",
        f"with the percentiles 1 and 99.8 of the first 2 windows ({low} and {high} counts)",
        "Of 11 frames, 9 were processed, 2 lost upstream.",
        "| denoise | care-beads | - | float32 | BSD-3-Clause |",
        "1. M. Weigert et al., Content-aware image restoration",
        "https://doi.org/10.1038/s41592-018-0216-7",
        "doi = {10.1007/978-3-319-24574-4_28}",
        "the size of a pixel in the sample was [fill in]",
    ):
        assert expected in text, expected
    assert "None" not in text.split("## References")[0]
    assert "{" not in text.split("## BibTeX")[0]


def test_one_frame_is_told_with_all_its_numbers(call: Call, recording: Path) -> None:
    run = open_recording(recording)
    said = call("info", recording, "--frame", "8")
    assert said.code == 0, said.err
    row = next(row for row in run.table("frames").to_pylist() if row["seq"] == 8)
    values = {
        (each["stage"], each["name"]): each["value"] for each in run.table("values").to_pylist() if each["seq"] == 8
    }
    words = " ".join(said.out.split())
    assert f"frame {row['run']}/cam/0/8, done" in words
    assert f"CRC-32 {row['crc32']:08x}" in words
    assert f"level percentile 99.8 {values['level', 'percentile 99.8']:.6g}" in words
    assert "denoise.ome.zarr [" in words
    told = json.loads(call("info", recording, "--frame", "cam/0/8", "--json").out)
    assert told["parameters"]["level"]["percentile 1"] == values["level", "percentile 1"]
    assert told["result"]["latency_ms"] > 0
    lost = call("info", recording, "--frame", "0/5")
    assert "/cam/0/5, lost upstream" in lost.out
    for wrong in ("eight", "0/99", "other/0/8"):
        said = call("info", recording, "--frame", wrong)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("error: found ")


def test_statistics_that_the_graph_took_are_computed_again_when_asked_for(call: Call, tmp_path: Path) -> None:
    stages = [
        Stage("plus", models.plus_one(tmp_path / "plus", "float32")),
        Stage("level", scaled(tmp_path / "net", RANGE), "plus"),
    ]
    camera = scripted.camera([Steady(3, fps=100)], shape=(24, 32), dtype="float32", name="cam", seed=1)
    with Runtime(Pipeline(stages), record=tmp_path / "run", admission=block(4), worker="thread") as runtime:
        answers = {result.frame.id.seq: result["plus"].copy() for result in runtime.stream(camera)}
    assert len(open_recording(tmp_path / "run").manifest["lanes"][0]["graphs"]) == 1
    told = json.loads(call("info", tmp_path / "run", "--frame", "1", "--json").out)
    assert "level" not in told["parameters"]
    expected = np.percentile(answers[1], (1.0, 99.8))
    assert list(told["computed"]["level"].values()) == pytest.approx(list(expected), rel=1e-6)
    said = call("info", tmp_path / "run", "--frame", "1")
    assert "parameters within the graph, computed again" in said.out
    path = tmp_path / "run" / "recording.json"
    good = json.loads(path.read_text())
    for odd in ("words", ["a"], {"": "words"}, {"": {"yaml": 3, "sha256": []}}):
        path.write_text(json.dumps({**good, "pipeline": good["pipeline"] | {"calibration": odd}}))
        said = call("info", tmp_path / "run", "--frame", "1")
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("error: found pipeline.calibration")
    path.write_text(json.dumps(good))
    shutil.rmtree(tmp_path / "net")  # a package that is gone is no reason to say nothing
    assert json.loads(call("info", tmp_path / "run", "--frame", "1", "--json").out)["computed"] == {}


def test_a_run_that_was_cut_off_is_told_as_such(call: Call, recording: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(recording, cut)
    content = json.loads((cut / "recording.json").read_text())
    content |= {"state": "interrupted", "error": "RecordError: the acquisition process ended\x1b[31m", "tables": []}
    (cut / "recording.json").write_text(json.dumps(content))
    for name in ("ledger.csv", "values.parquet", "latency.json", "methods.md"):
        (cut / name).unlink()
    said = call("info", cut)
    assert said.code == 0
    assert f"{cut}, cut off" in said.out
    assert "not written: the run is under way, or was cut off" in said.out
    assert "\x1b" not in said.out
    assert "The recording is interrupted." in call("info", "--methods", cut).out


def test_a_run_that_is_under_way_can_be_looked_at(call: Call, tmp_path: Path) -> None:
    with Recording(tmp_path / "run", "by hand") as recording:
        for frame in recording.tap(MadeSource(scripted.camera([Steady(1, fps=1)], shape=(16, 16)).spec(), 3)).frames():
            assert frame.id.seq < 3
        said = call("info", tmp_path / "run")
        assert said.code == 0, said.err
        assert "under way" in said.out
        assert "MadeSource" in said.out
    assert "complete" in call("info", tmp_path / "run").out


def test_the_image_of_a_recording_stands_for_it(call: Call, recording: Path) -> None:
    assert call("info", recording / "raw.ome.zarr").out.splitlines()[0] == f"{recording}, complete"


def test_images_of_others_are_told_as_what_they_are(call: Call, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((3, 20, 30), np.uint16), imagej=True)
    said = call("info", tmp_path / "stack.tif")
    assert said.code == 0
    assert "no recording of onscope" in said.out
    assert "20x30 uint16" in said.out
    assert json.loads(call("info", "--json", tmp_path / "stack.tif").out)["images"][0]["shape"] == [20, 30]
    said = call("info", "--methods", tmp_path / "stack.tif")
    assert (said.code, said.out) == (2, "")
    assert "found no recording of onscope" in said.err


def test_nothing_and_other_things_are_refused_in_a_sentence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("words")
    (tmp_path / "empty").mkdir()
    for name in ("missing", "text.txt", "empty"):
        said = call("info", tmp_path / name)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("error: found ")
    (tmp_path / "empty" / "recording.json").write_text("{")
    said = call("info", tmp_path / "empty")
    assert said.code == 1
    assert "recording.json cannot be read" in " ".join(said.err.split())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\x1b[2J"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_manifest_makes_it_fail_or_speak_to_the_terminal(call: Call, recording: Path, data: Any) -> None:
    path = recording / "recording.json"
    good = path.read_text()
    content = json.loads(good)
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = content
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
                place[key] = data.draw(JSON)
                break
            place = place[key]
    try:
        path.write_text(json.dumps(content))
        with suppress(RecordError):
            assert "\x1b" not in methods(about(recording))
        said = call("info", recording)
        assert said.code in (0, 1)
        assert "\x1b" not in said.out
        assert "Traceback" not in said.err
        assert bool(said.err) == bool(said.code)
    finally:
        path.write_text(good)
