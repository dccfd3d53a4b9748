"""Lists of providers: the first that answers rightly runs, and the next when its device is lost, in mid-run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import (
    Admission,
    Event,
    FrameSpec,
    Pipeline,
    PipelineError,
    ProviderError,
    Runtime,
    Stage,
    WorkerError,
    block,
)
from onscope.runtime.engines import PREFERENCE, is_choice, listed, next_after, providers_of
from onscope.runtime.record import open_recording
from tests import models
from tests.graph.generated import Recipe, write

from .conftest import WORKERS
from .test_fault_matrix import ADMISSIONS, AT, FRAMES, SPEC, frame

Make = Callable[..., Runtime]
NAMES = ["cpu", "null:20", "openvino", "oracle", "scripted:slow=1@*,lost@5", "tensorrt:1", "scripted:lost@3"]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
def test_a_list_is_read_as_it_was_written(names: list[str]) -> None:
    assert listed(names) == listed(",".join(names)) == ",".join(names)
    assert list(providers_of(listed(names))) == names
    assert list(providers_of(", ".join(names))) == names
    assert is_choice(listed(names)) == (len(names) > 1)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True), st.data())
def test_what_comes_after_one_that_is_lost(names: list[str], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(names))
    rest = names[names.index(lost) + 1 :]
    assert next_after(",".join(names), lost) == (",".join(rest) or None)
    assert next_after(",".join(names), "stranger") is None


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    try:
        made = listed(text)
    except ProviderError:
        return
    assert listed(made) == made
    assert providers_of(made)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["cpu", "cpu"], "cpu more than once"),
        ("cpu,tensort", "found tensort in the list"),
        ("cpu,,openvino", "found 'cpu,' in the provider"),
        ("cpu,5", "found 'cpu,5'"),
        ("", "found ''"),
        ([f"null:{n}" for n in range(17)], "17 providers"),
    ],
)
def test_lists_that_make_no_sense(asked: str | list[str], words: str) -> None:
    with pytest.raises(ProviderError, match=words):
        listed(asked)


def test_auto_is_no_list_but_may_stand_in_one() -> None:
    assert next_after("auto", "cpu") is None
    rest = ",".join(PREFERENCE[PREFERENCE.index("tensorrt") + 1 :])
    assert next_after("auto", "tensorrt") is None
    assert next_after("auto,openvino", "tensorrt") == f"{rest},openvino"
    assert next_after("openvino,auto", "openvino") == ",".join(PREFERENCE)


@dataclass(frozen=True)
class Expected:
    """What becomes of the frames: those that failed and why; who answered from which frame on."""

    schedule: str
    failed: tuple[int, ...]
    reason: str
    runs: tuple[tuple[int, str], ...]
    lost: int = 1
    """Providers that were given up."""


FAULTS = [
    Expected("scripted:lost@{at},cpu", (AT,), "the GPU is lost", ((0, "scripted:lost@5"), (AT, "cpu"))),
    Expected("scripted:lost@0,cpu", (0,), "the GPU is lost", ((0, "cpu"),)),
    Expected(
        "scripted:lost@{at},scripted:lost@2,cpu", (AT, 8), "the GPU is lost",
        ((0, "scripted:lost@5"), (AT, "scripted:lost@2"), (8, "cpu")), 2,
    ),
    # Dies with every third run; the third death within half a minute would end the run.
    Expected("scripted:die@2,cpu", (2, 5, 8), "the worker died", ((0, "scripted:die@2"), (8, "cpu"))),
    Expected("scripted:die@-1,cpu", (), "", ((0, "cpu"),)),
    Expected("scripted:lost@-2,cpu", (), "", ((0, "cpu"),), 0),  # it never opened
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("admission", ADMISSIONS, ids=lambda admission: admission.kind)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.schedule)
def test_the_next_of_a_list_goes_on(
    runtime: Make, root: Pipeline, events: list[Event], fault: Expected, admission: Admission, worker: str
) -> None:
    it = runtime(root, SPEC, worker=worker, admission=admission, provider=fault.schedule.format(at=AT))
    results = it.subscribe(block(FRAMES))
    for n in range(FRAMES):
        it.submit(frame(n))
    assert it.drain(30)
    it.close()
    rows = {row.id.seq: row for row in it.ledger.table()}
    assert it.ledger.adds_up()
    assert tuple(n for n in range(FRAMES) if rows[n].state != "done") == fault.failed
    assert all(rows[n].state == "failed" and fault.reason in rows[n].reason for n in fault.failed)
    got = list(results)
    assert [result.frame.id.seq for result in got] == [n for n in range(FRAMES) if n not in fault.failed]
    for result in got:
        assert result["root"][3, 3] == pytest.approx(np.sqrt(result.frame.id.seq))
        (runs,) = [name for start, name in fault.runs if start <= result.frame.id.seq][-1:]
        assert result.provenance["root"].provider == runs, "each answer says who made it"
    told = [event.message for event in events if event.kind == "provider lost"]
    assert len(told) == fault.lost
    assert all("runs from here on" in words for words in told)
    assert "worker gone" not in [event.kind for event in events]


@pytest.mark.parametrize("worker", WORKERS)
def test_without_a_list_nothing_is_replaced(runtime: Make, root: Pipeline, events: list[Event], worker: str) -> None:
    it = runtime(root, SPEC, worker=worker, admission=block(2), provider=f"scripted:lost@{AT}")
    for n in range(FRAMES):
        it.submit(frame(n))
    assert it.drain(20)
    it.close()
    assert it.ledger.counts["done"] == AT
    assert it.ledger.counts["failed"] == FRAMES - AT
    (words,) = [event.message for event in events if event.kind == "warning"]
    assert f"--provider scripted:lost@{AT},cpu" in words
    assert not {"provider lost", "worker died"} & {event.kind for event in events}


def test_the_last_of_a_list_is_not_replaced_either(runtime: Make, root: Pipeline, events: list[Event]) -> None:
    it = runtime(root, SPEC, worker="process", admission=block(2), provider=["scripted:lost@2", "scripted:lost@4"])
    for n in range(FRAMES):
        it.submit(frame(n))
    assert it.drain(20)
    it.close()
    assert it.ledger.counts == {"done": 6, "failed": 10, "late": 0, "skipped": 0, "lost_upstream": 0, "open": 0}
    assert [event.kind for event in events].count("provider lost") == 1


def test_what_recurrent_networks_remember_begins_anew_and_says_so(
    runtime: Make, tmp_path: Path, events: list[Event]
) -> None:
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    net = write(tmp_path / "net", Recipe(recurrent=True, described="uint16"))
    it = runtime(
        Pipeline([Stage("net", net)]), spec, worker="process", admission=block(2), provider="scripted:lost@3,cpu"
    )
    results = it.subscribe(block(8))
    for n in range(8):
        it.submit(models.frame(n, spec=spec))
    assert it.drain(20)
    it.close()
    flags = {result.frame.id.seq: result.state_reset for result in results}
    assert flags == {0: True, 1: False, 2: False, 4: True, 5: False, 6: False, 7: False}


def test_an_engine_that_answers_something_else_is_left_out(runtime: Make, root: Pipeline, events: list[Event]) -> None:
    it = runtime(root, SPEC, worker="process", admission=block(2), provider="null,openvino,cpu")
    it.submit(frame(9))
    assert it.drain(20)
    assert it.providers == {"root": "openvino"}
    it.close()
    (words,) = [event.message for event in events if event.kind == "warning"]
    assert words.startswith("openvino runs in the place of others")
    assert "null: found answers other than the CPU's" in words
    assert it.report[0].startswith("openvino runs this, of null,openvino,cpu: its answers differ")


def test_a_list_of_which_none_runs_is_refused(runtime: Make, root: Pipeline) -> None:
    with pytest.raises(ProviderError, match=r"no provider of 'tensorrt,null'.*tensorrt: .*null: found answers"):
        runtime(root, SPEC, worker="process", provider="tensorrt,null")
    with pytest.raises(ProviderError, match="found cudda in the list"):
        runtime(root, SPEC, provider="cudda,cpu")


@pytest.mark.long
def test_a_second_death_while_it_opens_is_no_end_of_a_list(runtime: Make, root: Pipeline, events: list[Event]) -> None:
    with pytest.raises(WorkerError, match="2 times while it prepared"):
        runtime(root, SPEC, worker="process", provider="scripted:die@-1")
    it = runtime(root, SPEC, worker="process", provider="scripted:die@-1,cpu")
    assert it.providers == {"root": "cpu"}


def test_a_pipeline_says_its_providers(runtime: Make, tmp_path: Path) -> None:
    models.root(tmp_path / "root")
    file = tmp_path / "pipeline.yaml"
    stages = "schema: 1\nstages:\n  root: {package: root}\n"
    for written in ("provider: tensorrt, oracle, cpu\n", "provider: [tensorrt, oracle, cpu]\n"):
        file.write_text(stages + written)
        it = runtime(Pipeline.load(file), SPEC, worker="process")
        assert it.providers == {"root": "oracle"}
    assert runtime(Pipeline.load(file), SPEC, provider="cpu").providers == {"root": "cpu"}, "who is told another"
    file.write_text(stages + "provider: cpu, cpu\n")
    with pytest.raises(PipelineError, match=r"(?s)pipeline.yaml.*cpu more than once"):
        Pipeline.load(file)


def test_a_recording_knows_who_answered_what(runtime: Make, root: Pipeline, tmp_path: Path) -> None:
    out = tmp_path / "run"
    it = runtime(root, SPEC, worker="process", admission=block(2), provider="scripted:lost@3,cpu", record=out)
    for n in range(6):
        it.submit(frame(n))
    assert it.drain(20)
    it.close()
    manifest = open_recording(out).manifest
    assert manifest["runtime"]["provider"] == "scripted:lost@3,cpu"
    (lost,) = [event for event in manifest["events"] if event["kind"] == "provider lost"]
    assert "cpu runs from here on" in lost["message"]
    (lane,) = manifest["lanes"]
    assert [graph["provider"] for graph in lane["graphs"]] == ["cpu"]
    assert [graph["provider"] for graph in lane["graphs_before"]] == ["scripted:lost@3"]
    words = (out / "methods.md").read_text()
    assert "with the engine scripted:lost@3 and ONNX Runtime" in words


@pytest.fixture
def root(folder: Path) -> Pipeline:
    return Pipeline([Stage("root", models.root(folder / "lists"))])
