"""A real recording of shipped networks, with frames lost and skipped, and a journal beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onscope.drivers import scripted
from onscope.drivers.scripted import Drop, Steady
from onscope.runtime import Pipeline, Runtime, Stage, block
from onscope.runtime.feedback import Command, MoveStage, Recentre, SetInterval
from onscope.runtime.feedback.journal import Journal
from onscope.runtime.record import note_files
from tests.feedback.journal.examples import done, passed, proposal, refused


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine results; two frames lost, one skipped, and rules that did one thing and were refused another."""
    folder = tmp_path_factory.mktemp("report") / "bead run"
    pipeline = Pipeline([Stage("denoise", "zoo/care-beads"), Stage("spots", "zoo/spots-beads", "denoise")])
    camera = scripted.camera([Steady(5, fps=100), Drop(2), Steady(4, fps=100)], shape=(64, 48), name="cam", seed=1)
    with Runtime(pipeline, record=folder, admission=block(4), worker="thread") as runtime:
        list(runtime.stream(camera))
    assert runtime.ledger.counts["done"] == 9
    write_journal(folder)
    note_files(folder, ["feedback.jsonl"])
    return folder


def write_journal(folder: Path, rule: str = "follow", because: str = "track 11 is the largest") -> None:
    """A journal on the recording's clock: done, refused twice, failed; an event; the light dose."""
    began = json.loads((folder / "recording.json").read_text())["clock"]["monotonic_ns"]
    with Journal(folder / "feedback.jsonl", armed=True, rules_name="follow.yaml", rules="schema: 1\n") as journal:
        at = max(began, journal.clock.monotonic_ns) + 1_000_000_000
        number = journal.proposal(proposal(SetInterval(1.0), at, rule=rule, because=because))
        journal.verdict(number, passed(SetInterval(1.0), at))
        journal.done(number, done(at))
        for far in (900.0, 901.0):
            number = journal.proposal(proposal(Recentre(), at, rule="far"))
            journal.verdict(number, refused(f"found {far:g} um as x, allowed are 0 to 500 um", at, MoveStage(far, 0.0)))
        number = journal.proposal(proposal(Recentre(), at, rule="far"))
        journal.verdict(number, passed(MoveStage(1.0, 2.0), at))
        journal.failed(number, "the stage does not answer", [Command(at, "setXYPosition", "XYStage", [1, 2])])
        journal.event("safe state", "no result for 2 s", at_ns=at)
        for count in range(12):
            journal.values({"dose_j_cm2": count / 10}, at_ns=at + count * 100_000_000)
