"""Answers computed again from what a recording holds: the same to the bit, whatever they depend on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorstore as ts

from onscope.runtime import Frame, FrameId, Gather, Pipeline, Runtime, Stage, block
from onscope.runtime.record._checksums import write_checksums
from onscope.runtime.record.verify import Report, verify
from tests import models
from tests.live.test_compiled import RANGE, SPEC, Array, frames, scaled
from tests.live.test_window_answers import SPEC as SMALL
from tests.live.test_window_answers import adding

AGAIN = "computed again"


def record(
    folder: Path, pipeline: Pipeline, taken: Sequence[Frame], spec: Any, provider: str = "cpu", threads: int | None = 1
) -> None:
    with Runtime(
        pipeline, admission=block(4), provider=provider, record=folder, worker="thread", threads=threads
    ) as runtime:
        runtime.prepare(spec)
        for frame in taken:
            runtime.submit(frame)
        assert runtime.drain(60)


def numbered(pixels: Sequence[Array], **more: Any) -> list[Frame]:
    return [Frame(FrameId("run", "cam", 0, n), each, "yx", {"t": n}, **more) for n, each in enumerate(pixels)]


def identical(report: Report, stage: str, count: int) -> None:
    assert report.good, report.faults
    assert f"{stage}: {count} identical to the bit" in report[AGAIN].notes, report[AGAIN].notes


@pytest.mark.parametrize("normalise", ["per_frame", "frozen", "running"])
def test_each_way_to_normalise(tmp_path: Path, normalise: Any) -> None:
    """Pass: every answer of a few, chosen in the middle of a run, is the same, though it depends on those before."""
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE), normalise=normalise, frozen_frames=3)])
    record(tmp_path / "run", pipeline, numbered(frames(12)), SPEC)
    identical(verify(tmp_path / "run", sample=None), "net", 12)
    identical(verify(tmp_path / "run", sample=4, seed=1), "net", 4)


def test_windows(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE))], Gather(3, "t", every=1, look_ahead=1))
    record(tmp_path / "run", pipeline, numbered(frames(9)), SPEC)
    identical(verify(tmp_path / "run", sample=None), "net", 7)


def test_memory_goes_on_from_where_it_began(tmp_path: Path) -> None:
    """Pass: a network that adds up frames of two places gives the same sums again, where its beginning is near."""
    pipeline = Pipeline([Stage("net", adding(tmp_path / "net"))], Gather(1, on_gap="hold"))
    taken = [models.frame(n, spec=SMALL, index={"t": n // 2, "p": n % 2}) for n in range(12)]
    record(tmp_path / "run", pipeline, taken, SMALL)
    identical(verify(tmp_path / "run", sample=None), "net", 12)


@pytest.mark.long
def test_memory_that_began_long_ago_is_told(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("net", adding(tmp_path / "net"))], Gather(1, on_gap="hold"))
    record(tmp_path / "run", pipeline, [models.frame(n, spec=SMALL, index={"t": n}) for n in range(70)], SMALL)
    report = verify(tmp_path / "run", sample=None)
    assert report.good
    notes = " ".join(report[AGAIN].notes)
    assert "net: 65 identical to the bit" in notes
    assert "net: 5 not computed again: its memory began more than 64 windows before" in notes


def test_stages_that_ran_on_some_frames(tmp_path: Path) -> None:
    plus, double = models.plus_one(tmp_path / "plus"), models.double(tmp_path / "double")
    stages = [
        Stage("plus", plus, channel=0),
        Stage("double", double, channel=1),
        Stage("found", models.brightest(tmp_path / "found"), channel=1),
    ]
    taken = [models.frame(n, value=1500 + n, index={"t": n // 2, "c": n % 2}) for n in range(8)]
    record(tmp_path / "run", Pipeline(stages), taken, models.SPEC)
    report = verify(tmp_path / "run", sample=None)
    for stage in ("plus", "double", "found"):
        identical(report, stage, 4)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    models.pipeline(tmp_path / "packages")
    packages = tmp_path / "packages"
    stages = [
        Stage("plus", packages / "plus"),
        Stage("double", packages / "double", reads="plus"),
        Stage("found", packages / "found", reads="plus"),
    ]
    taken = [models.frame(n, value=998 + n) for n in range(6)]
    record(tmp_path / "run", Pipeline(stages), taken, models.SPEC)
    return tmp_path / "run"


def test_an_answer_that_was_exchanged_is_found(recorded: Path) -> None:
    """Pass: an image that was written anew in order (all checksums are right) is not what its raw frame gives."""
    identical(verify(recorded), "double", 6)
    where = recorded / "double.ome.zarr" / "0"
    array = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": str(where)}}).result()
    array[4, 3, 5].write(7).result()
    report = verify(recorded)
    assert [check.name for check in report.checks if not check.good] == [AGAIN]
    (fault,) = report.faults
    assert fault == "double: run/cam/0/4: differs by 996, expected the same to the bit"
    assert verify(recorded, sample=0).good, "nothing but computing again can find it"


def test_packages_are_looked_for_and_their_change_is_told(recorded: Path, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    (packages / "double").rename(tmp_path / "elsewhere")
    report = verify(recorded)
    identical(report, "plus", 6)
    assert "double: 6 not computed again: the package test double" in " ".join(report[AGAIN].notes)
    assert "was not found: name its folder with --packages" in " ".join(report[AGAIN].notes)
    identical(verify(recorded, packages=[tmp_path]), "double", 6)
    (packages / "plus").rename(tmp_path / "there")
    report = verify(recorded)
    assert report.good, "a package that is not there is no fault of the data"
    assert "it reads plus, which cannot be computed" in " ".join(report[AGAIN].notes)
    shutil.copytree(tmp_path / "there", packages / "plus")
    rdf = packages / "plus" / "rdf.yaml"
    rdf.write_text(rdf.read_text().replace("A network for tests.", "Another one."))
    assert "has changed since" in " ".join(verify(recorded)[AGAIN].notes)


def test_another_machine_allows_the_tolerance_and_is_named(recorded: Path) -> None:
    path = recorded / "recording.json"
    content = json.loads(path.read_text())
    content["versions"]["numpy"] = "1.0"
    content["machine"]["cpu"] = "Z80"
    path.write_text(json.dumps(content))
    where = recorded / "double.ome.zarr" / "0"
    array = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": str(where)}}).result()
    array[4, 3, 5].write(int(array[4, 3, 5].read().result()) + 1).result()
    write_checksums(recorded)
    report = verify(recorded)
    assert report.good, report.faults
    (note,) = [note for note in report[AGAIN].notes if note.startswith("double")]
    assert "5 identical to the bit, 1 within the package's tolerance (largest difference 1)" in note
    assert "numpy 1.0 then," in note
    assert "cpu Z80 then," in note


def test_engines_for_tests_are_not_run_because_a_recording_says_so(recorded: Path) -> None:
    path = recorded / "recording.json"
    content = json.loads(path.read_text())
    for lane in content["lanes"]:
        for graph in lane["graphs"]:
            graph["provider"] = "scripted:die@0"
    path.write_text(json.dumps(content))
    write_checksums(recorded)
    assert "6 identical to the bit" in " ".join(verify(recorded)[AGAIN].notes)


@pytest.mark.parametrize(
    "change",
    [
        {"pipeline": None}, {"pipeline": "a text"}, {"pipeline": {"stages": 3}}, {"pipeline": {"stages": [{}]}},
        {"packages": {}}, {"packages": {"x": 3}}, {"lanes": [3]}, {"lanes": []}, {"runtime": {"threads": "many"}},
        {"versions": {}, "machine": {}},
    ],
    ids=str,
)  # fmt: skip
def test_odd_words_do_no_harm(recorded: Path, change: dict[str, Any]) -> None:
    path = recorded / "recording.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    write_checksums(recorded)
    report = verify(recorded)
    assert report.good, report.faults
