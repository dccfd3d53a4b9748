"""What a recording's manifest keeps of a run's events: people's many changes leave room for all others."""

from __future__ import annotations

from pathlib import Path

from onscope.runtime import Event, Ledger, Pipeline
from onscope.runtime._noted import MOST, MOST_CHANGES, MOST_SWAPS
from onscope.runtime._notes import Notes
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record.recompute import Epochs
from tests import models


def noted(folder: Path) -> tuple[Notes, Recording]:
    recording = Recording(folder / "run", Pipeline([models.pipeline(folder).networks[0]]))
    return Notes(recording), recording


def test_a_slider_that_is_dragged_leaves_room_for_others(tmp_path: Path) -> None:
    notes, recording = noted(tmp_path)
    for at in range(5 * MOST):
        notes.event(Event("tuned", f"found: threshold {at}", at_ns=2 * at))
        if not at % 1000:
            notes.event(Event("warning", f"odd {at}", at_ns=2 * at + 1))
    notes.event(Event("worker died", "killed", at_ns=20 * MOST))
    notes.close()
    recording.finish(Ledger())
    told = open_recording(tmp_path / "run").manifest
    by_kind = {kind: [each for each in told["events"] if each["kind"] == kind] for kind in ("tuned", "warning")}
    assert len(by_kind["warning"]) == 5
    assert told["events"][-1]["kind"] == "worker died"
    assert [each["message"] for each in by_kind["tuned"]] == [
        f"found: threshold {at}"
        for at in (*range(MOST_CHANGES // 2), *range(5 * MOST - MOST_CHANGES // 2, 5 * MOST))  # its begin and its end
    ]
    assert [each["at_ns"] for each in told["events"]] == sorted(each["at_ns"] for each in told["events"])
    left_out = 5 * MOST - MOST_CHANGES
    assert (told["events_left_out"], told["events_left_out_of"]) == (left_out, {"tuned": left_out})


def test_packages_that_are_replaced_without_end_are_counted(tmp_path: Path) -> None:
    notes, recording = noted(tmp_path)
    lane = {"camera": "cam", "graphs": []}
    notes.lane(1, {**lane, "report": ["first"]})
    swap = {"stage": "plus", "package_sha256": "b", "before_sha256": "a", "settings": {}, "packages": {"b": {}}}
    for at in range(MOST_SWAPS + 3):
        notes.swap({**swap, "at_ns": at})
        notes.lane(1, {**lane, "report": [f"since {at}"]})
    notes.close()
    recording.finish(Ledger())
    told = open_recording(tmp_path / "run").manifest
    assert len(told["swaps"]) == MOST_SWAPS
    assert [each["packages"] for each in told["swaps"][:2]] == [{"b": {}}, {}]  # described once
    assert [each["report"] for each in told["lanes"]] == [["first"]]
    assert told["swaps"][7]["lanes"] == [{**lane, "report": ["since 7"]}]
    assert told["swaps_left_out"] == {"since_ns": MOST_SWAPS, "count": 3}
    epochs = Epochs(told)
    assert [epochs.number(at) for at in (0, 1, MOST_SWAPS, MOST_SWAPS + 1)] == [0, 1, MOST_SWAPS, -1]
