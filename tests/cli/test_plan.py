"""`onscope plan`: what it says, where it has its numbers from, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from PIL import Image

from onscope.cli._planned_words import fastest_link, parse_cameras, parse_link
from onscope.runtime import PipelineError

from .conftest import Call

HAND = '{"ms_per_batch": {"1": 5.0, "4": 10.0}, "provider": "tensorrt", "source": "a bench in Jena"}'


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "gpu.json"
    path.write_text(HAND)
    return path


def words(text: str) -> str:
    """In one line, since sentences are wrapped."""
    return " ".join(text.split())


@pytest.mark.long
def test_a_table_is_planned_with_and_named(call: Call, pipeline_file: Path, table: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "plan.json", tmp_path / "plan.png"
    said = call(
        "plan", pipeline_file, "--camera", "feedback=64x64@20*2,priority=1", "--camera", "64x64@20*18,priority=2",
        "--cost", table, "--no-measure", "--json", out, "--picture", picture,
    )  # fmt: skip
    assert said.code == 0, said.err
    text = words(said.out)
    assert "2 x feedback: 64x64 uint16 at 20 frames/s, keep_newest:2" in text
    assert "in 1 server: enough" in text
    assert "1: 5 ms, 4: 10 ms per batch on tensorrt gpu.json: a bench in Jena" in text
    assert "no cost of a GPU is known" not in text
    assert "not checked against a run" in text
    assert "what the PC takes to copy and send is left out" in text
    told = json.loads(out.read_text())
    assert told["enough"]
    assert told["checks"] == []
    assert told["chosen"]["all"]["run"] == 1.0
    assert told["chosen"]["all"]["frames"] == sum(each["frames"] for each in told["chosen"]["scopes"].values())
    assert told["needs"]["gpus"] <= told["chosen"]["gpus"]
    assert set(told["policies"]) == {"keep_newest:2", "keep_oldest:2", "block:2", "deadline 100 ms"}
    with Image.open(picture) as image:
        assert image.size == (1200, 760)


def test_what_does_not_suffice_is_told_with_its_limit(call: Call, pipeline_file: Path, table: Path) -> None:
    said = call(
        "plan", pipeline_file, "--camera", "64x64@100*20", "--gpus", 1, "--cost", table, "--no-measure", "--batch", 1
    )
    assert said.code == 1
    assert "1 GPU in 1 server: NOT ENOUGH" in said.out
    assert "the limit is" in said.out
    assert "computing, 100% busy" in words(said.out)


@pytest.mark.slow
def test_without_a_gpus_cost_the_measured_provider_is_planned_for(
    call: Call, pipeline_file: Path, tmp_path: Path
) -> None:
    written = tmp_path / "here.json"
    camera = ("--camera", "48x64@5*2", "--latency-ms", 2000)
    said = call("plan", pipeline_file, *camera, "--measure", "--cost", written, "--provider", "cpu")
    assert said.code == 0, said.err
    text = words(said.out)
    assert "no cost of a GPU is known: planned for the provider that was measured, cpu" in text
    assert "predicted / measured" in text
    assert text.count("Runtimes, null:20") == 2
    cost = json.loads(written.read_text())["costs"]["camera"]
    assert cost["provider"] == "cpu"
    assert cost["shape"] == [48, 64]
    assert cost["facts"]["versions"]["onnxruntime"]
    assert cost["down_bytes"] > 0
    assert set(cost["ms_per_batch"]) >= {"1", "2"}
    again = call("plan", pipeline_file, *camera, "--cost", written, "--no-measure")
    assert again.code == 0, again.err
    assert "here.json" in again.out
    other = call("plan", pipeline_file, "--camera", "64x64@5", "--cost", written, "--no-measure")
    assert other.code == 1
    assert "measure it with --measure" in words(other.err)


def test_cards_are_taken_where_nothing_may_be_measured(call: Call) -> None:
    said = call("plan", "zoo/care-beads", "--camera", "256x256@2*2", "--no-measure", "--latency-ms", 500)
    assert said.code == 0, said.err
    text = words(said.out)
    assert "card of care-beads" in text
    assert "cards tell of other sizes" in text
    assert "planned for the provider that was measured, cpu" in text


def test_a_package_without_a_card_needs_a_table(call: Call, pipeline_file: Path) -> None:
    said = call("plan", pipeline_file, "--camera", "64x64@5", "--no-measure")
    assert said.code == 1
    assert "expected a table" in said.err
    assert said.err.startswith("error: found no cost of")


@pytest.mark.parametrize(
    ("camera", "why"),
    [
        ("64x64", "expected [NAME=]HEIGHTxWIDTH@FPS"),
        ("64x64@0", "a rate above 0"),
        ("64x64@5*0", "at least one"),
        ("64x64@5,shutter=3", "expected one of every"),
        ("64x64@5,every=two", "expected a number"),
        ("64x64@5,dtype=int7", "expected uint8"),
        ("64x64@5,admission=maybe", "found the admission"),
        ("64x64@5,link=fast", "found the link"),
    ],
)
def test_cameras_that_cannot_be_are_one_sentence(call: Call, table: Path, camera: str, why: str) -> None:
    said = call("plan", "zoo/care-beads", "--camera", camera, "--cost", table, "--no-measure")
    assert said.code == 1
    assert why in said.err
    assert said.err.count("\n") == 1


def test_a_camera_is_needed(call: Call) -> None:
    assert call("plan", "zoo/care-beads").code == 2


def test_what_a_cameras_words_mean() -> None:
    text = "confocal=2048x1024@100*6,every=2,dtype=uint8,admission=block:4,priority=3,burst=20,pause=500,link=1Gbit"
    first, second = parse_cameras([text, "512x512@12.5"], 4, 1, "keep_newest:2", 80.0)
    assert (first.name, first.n, first.spec.shape, first.spec.dtype) == ("confocal", 6, (2048, 1024), "uint8")
    assert (first.admission.kind, first.admission.depth, first.admission.every_n) == ("block", 4, 2)
    assert (first.priority, first.link_gbit, first.buffer) == (3, 1.0, 250_000_000 // (2048 * 1024))
    assert first.rhythm.mean_fps == pytest.approx(20 / 0.7)
    assert (second.name, second.n, second.rhythm.fps, second.admission.deadline_ms) == ("camera2", 4, 12.5, 80.0)
    with pytest.raises(PipelineError, match="each name once"):
        parse_cameras(["a=64x64@1", "a=64x64@2"], 1, 1, "block", None)


def test_links_are_read_in_their_units() -> None:
    assert [parse_link(each) for each in ("10Gbit", "1000Mbit/s", "2.5 gbit")] == [10.0, 1.0, 2.5]


def test_the_fastest_cable_that_is_plugged_in_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interface(NamedTuple):
        isup: bool
        speed: int

    found = {"lo": Interface(True, 0), "eth0": Interface(True, 1000), "eth1": Interface(True, 25000)}
    monkeypatch.setattr(psutil, "net_if_stats", lambda: found | {"eth2": Interface(False, 100000)})
    assert fastest_link() == ("eth1", 25.0)
    assert parse_link("auto") == 25.0
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {"lo": Interface(True, 0)})
    with pytest.raises(PipelineError, match="--link 10Gbit"):
        parse_link("auto")
