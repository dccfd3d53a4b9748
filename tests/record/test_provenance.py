"""What a recording says of the run that made it: written as soon as it is known, and right."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import scripted
from onscope.drivers.scripted import Steady
from onscope.runtime import FrameSpec, Gather, Pipeline, Runtime, Stage, block, describe_source, keep_newest
from onscope.runtime.record import Recording, open_recording
from tests import models

from ._made import MadeSource, completed

SHIPPED = """schema: 1
stages:
  denoise: {package: zoo/care-beads}
  spots: {package: zoo/spots-beads, reads: denoise, threshold: 0.6}
calibration: camera.yaml
"""


@pytest.fixture
def pipeline_file(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(SHIPPED)
    (tmp_path / "camera.yaml").write_text("schema: 1\noffset: 100\nelectrons_per_count: 0.46\n")
    return path


def manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "recording.json").read_text())
    return read


def test_a_run_of_shipped_packages_is_explained(pipeline_file: Path, tmp_path: Path) -> None:
    camera = scripted.camera([Steady(6, fps=100)], shape=(64, 48), name="cam", seed=5)
    with Runtime(pipeline_file, record=tmp_path / "run", admission=block(3), threads=1) as runtime:
        results = list(runtime.stream(camera))
        # Not at the end alone: a crash would take it along.
        while "lanes" not in manifest(tmp_path / "run"):
            time.sleep(0.01)
        early = manifest(tmp_path / "run")
    told = open_recording(tmp_path / "run").manifest
    for name in ("pipeline", "packages", "runtime", "lanes", "sources", "versions", "machine", "command"):
        assert early[name] == told[name], name

    assert told["pipeline"]["yaml"] == SHIPPED
    assert told["pipeline"]["file"] == str(pipeline_file)
    calibration = told["pipeline"]["calibration"][""]
    assert "electrons_per_count: 0.46" in calibration["yaml"]
    assert len(calibration["sha256"]) == 64
    stages = {stage["name"]: stage for stage in told["pipeline"]["stages"]}
    assert stages["spots"]["settings"]["threshold"] == 0.6
    assert stages["spots"]["reads"] == "denoise"
    for name, stage in stages.items():
        package = told["packages"][stage["package_sha256"]]
        assert package["origin"] == f"zoo/{package['name']}"
        assert package["licence"] == "BSD-3-Clause"
        assert package["forced"] is False
        for file, sha256 in package["files"].items():
            assert hashlib.sha256((Path(package["folder"]) / file).read_bytes()).hexdigest() == sha256
        assert results[0].provenance[name].package == stage["package_sha256"]
    assert told["packages"][stages["spots"]["package_sha256"]]["cite"][1]["doi"] == "10.1007/978-3-319-24574-4_28"

    assert told["runtime"]["worker"] == "process"
    assert told["runtime"]["threads"] == 1
    assert told["runtime"]["admission"] == {"kind": "block", "depth": 3, "every_n": 1, "deadline_ms": None}
    (lane,) = told["lanes"]
    assert (lane["camera"], lane["shape"], lane["dtype"]) == ("cam", [64, 48], "uint16")
    (graph,) = lane["graphs"]
    assert graph["stages"] == ["denoise", "spots"]
    assert graph["sha256"] == results[0].provenance["spots"].graph_sha256
    assert graph["provider"] == results[0].provenance["spots"].provider
    assert any("merged" in line for line in lane["report"])
    (source,) = told["sources"]
    assert (source["driver"], source["seed"], source["cameras"]) == ("scripted", 5, ["cam"])
    assert told["versions"]["onscope"]
    assert told["machine"]["gpus"] == [] or told["machine"]["gpus"][0]["driver"]


def test_a_package_of_a_folder_says_where_it_lay_and_what_it_is(tmp_path: Path) -> None:
    package = models.plus_one(tmp_path / "mine")
    pipeline = Pipeline([Stage("plus", package, camera="cam", channel=["DAPI", 1])], Gather(3, "t"), merge=False)
    with Recording(tmp_path / "run", pipeline):
        pass
    told = open_recording(tmp_path / "run").manifest
    (known,) = told["packages"].values()
    assert known["folder"] == str(tmp_path / "mine")
    assert told["pipeline"]["file"] is told["pipeline"]["yaml"] is None
    assert told["pipeline"]["window"]["length"] == 3
    assert told["pipeline"]["merge"] is False
    (stage,) = told["pipeline"]["stages"]
    assert (stage["camera"], sorted(map(str, stage["channel"])), stage["position"]) == (["cam"], ["1", "DAPI"], None)


@pytest.mark.long
def test_deaths_and_warnings_are_noted_as_they_come(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "net"))])
    camera = scripted.camera([Steady(8, fps=50)], shape=(32, 32), name="cam")
    folder = tmp_path / "run"
    with Runtime(pipeline, record=folder, provider="scripted:die@2", admission=block(2)) as runtime:
        list(runtime.stream(camera))
    events = open_recording(folder).manifest["events"]
    kinds = [event["kind"] for event in events]
    assert "worker died" in kinds
    assert "worker back" in kinds
    assert all(isinstance(event["at_ns"], int) and event["message"] for event in events)
    assert len(open_recording(folder).manifest["lanes"]) == 1


def test_what_a_recording_is_told_after_its_end_changes_nothing(tmp_path: Path) -> None:
    with Recording(tmp_path / "run", "words") as recording:
        recording.describe(runtime={"worker": "thread"})
    before = (tmp_path / "run" / "recording.json").read_bytes()
    recording.describe(runtime={"worker": "process"})
    assert (tmp_path / "run" / "recording.json").read_bytes() == before


def test_the_settled_precision_is_recorded_where_the_recording_came_first(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "net"), precision="auto")])
    with Recording(tmp_path / "run", pipeline) as recording:
        with Runtime(pipeline, record=recording, admission=keep_newest(2)) as runtime:
            assert runtime.pipeline.networks[0].precision == "float32"
        recording.finish(runtime.ledger)
    assert open_recording(tmp_path / "run").manifest["pipeline"]["stages"][0]["precision"] == "float32"


KILLED = """
import sys, time
from onscope.drivers import scripted
from onscope.drivers.scripted import Steady
from onscope.runtime import Runtime, block
camera = scripted.camera([Steady(100_000, fps=100)], shape=(64, 64), name="cam")
with Runtime(sys.argv[1], record=sys.argv[2], admission=block(2)) as runtime:
    for number, result in enumerate(runtime.stream(camera)):
        if number == 3:
            print("running", flush=True)
"""


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")
def test_a_killed_acquisition_leaves_all_that_explains_its_answers(pipeline_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(pipeline_file), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGKILL)
    run = completed(tmp_path / "run")
    assert run.manifest["state"] == "interrupted"
    assert {stage["package"] for stage in run.manifest["pipeline"]["stages"]} == {"care-beads", "spots-beads"}
    assert len(run.manifest["packages"]) == 2
    assert run.manifest["lanes"][0]["graphs"][0]["stages"] == ["denoise", "spots"]
    assert run.manifest["sources"][0]["driver"] == "scripted"


class Odd(MadeSource):
    def describe(self) -> dict[str, Any]:
        return {"path": Path("here"), "gain": np.float32(2), "driver": "odd"}


def test_what_sources_say_becomes_plain_values() -> None:
    spec = FrameSpec((8, 8), camera="cam")
    assert describe_source(Odd(spec, 1)) == {"driver": "odd", "path": "here", "gain": "2.0", "cameras": ["cam"]}
    assert describe_source(MadeSource(spec, 1)) == {"driver": "tests.record._made.MadeSource", "cameras": ["cam"]}


@pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")
@pytest.mark.parametrize("owned", [True, False])
def test_a_recorder_that_died_is_noted_whoever_made_the_recording(tmp_path: Path, owned: bool) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "net"))])
    camera = scripted.camera([Steady(60, fps=60)], shape=(32, 32), name="cam")
    folder = tmp_path / "run"
    told: list[str] = []
    made = None if owned else Recording(folder, pipeline, tell=lambda kind, words: told.append(kind))
    with Runtime(pipeline, record=made or folder, admission=block(2), worker="thread") as runtime:
        recording = runtime._keeper.recording  # type: ignore[union-attr]
        for number, _ in enumerate(runtime.stream(camera)):
            if number == 5:
                os.kill(recording.sink.pid, signal.SIGKILL)
    if made is not None:
        made.finish(runtime.ledger)
        assert "recorder died" in told
    run = open_recording(folder)
    assert [event["kind"] for event in run.manifest["events"]].count("recorder died") == 1
    assert len(run) == 60
