"""The light of routine frames: booked for every one of them, over runs, and paused when the budget is spent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId
from onscope.runtime.feedback import LimitsChange, Setting
from onscope.runtime.feedback.dose import DoseBook
from onscope.runtime.feedback.loop._light import RoutineLight
from onscope.runtime.feedback.loop._settings import Settings

from .microscopes import bench, until

DOSES = "doses.jsonl"


@pytest.mark.long
def test_every_frame_is_booked_and_so_it_is_over_runs(tmp_path: Path) -> None:
    given = []
    with bench(tmp_path) as made:
        for number in range(2):
            with made.feedback(armed=False, journal=tmp_path / f"{number}.jsonl", doses=tmp_path / DOSES) as feedback:
                made.run(5)
                assert feedback.settle()
            with DoseBook(tmp_path / DOSES) as doses:
                given.append(doses.joules)
    assert given[0] > 0
    assert np.isclose(given[1], 2 * given[0])  # five frames each, whatever was skipped on the way


def test_a_spent_budget_pauses_the_acquisition(tmp_path: Path) -> None:
    with bench(tmp_path) as made, made.feedback(limits=LimitsChange(field_j_cm2=1e-9)) as feedback:
        with made.running():
            until(lambda: made.source.paused)
            assert feedback.settle()
        (pause,) = [each for each in made.entries if each.rule == "light budget"]
        assert (pause.kind, pause.outcome) == ("pause", "done")
        assert "J/cm2" in pause.because
        assert not feedback.held


def test_in_shadow_mode_a_spent_budget_is_told_alone(tmp_path: Path) -> None:
    with bench(tmp_path) as made, made.feedback(armed=False, limits=LimitsChange(field_j_cm2=1e-9)) as feedback:
        made.run(5)
        assert feedback.settle()
        assert not made.source.paused
        (pause,) = [each for each in made.entries if each.rule == "light budget"]
        assert pause.outcome == "shadow"


class Booked:
    """Who counts what it is told to book."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def exposed(self, frame: Frame, setting: Setting) -> str:
        self.seqs.append(frame.id.seq)
        return ""


def test_frames_lost_on_the_way_were_exposed_too_and_those_of_actions_are_booked_with_them() -> None:
    booked, odd = Booked(), list[str]()
    light = RoutineLight(booked, Settings(Setting()), odd.append, lambda frame, spent: None)  # type: ignore[arg-type]

    def taken(seq: int, segment: int = 0, **labels: str) -> None:
        light.taken(Frame(FrameId("run", "cam", segment, seq), np.zeros((4, 5), np.uint16), labels=labels))
        light.book()

    for seq in (0, 1, 4):
        taken(seq)
    taken(0, 1, action="burst")
    taken(1, 1, action="burst")
    taken(2, 2)
    assert booked.seqs == [0, 1, 4, 4, 4, 2, 2, 2]
    assert light.booked == 8
    taken(10**9, 2)
    assert odd
    assert light.booked < 20_000


@pytest.mark.parametrize("labels", [{"action": "burst"}, {"p": "burst 7"}, {"p": "visit 3 tile 0"}])
def test_frames_of_actions_are_not_booked_twice(labels: dict[str, str]) -> None:
    booked, odd = Booked(), list[str]()
    light = RoutineLight(booked, Settings(Setting()), odd.append, lambda frame, spent: None)  # type: ignore[arg-type]
    for seq, named in ((0, {}), (1, labels), (3, {})):  # 2 was lost by the camera: it was exposed all the same
        light.taken(Frame(FrameId("run", "camera", 0, seq), np.zeros((4, 4), np.uint16), labels=named))
    light.book()
    assert booked.seqs == [0, 3, 3]
    assert odd == []
