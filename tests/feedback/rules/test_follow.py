"""A living cell is followed: rules, aim and the tracker in a closed loop over the specimen, with a stage that obeys."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Frame, FrameId, Result
from onscope.runtime._errors import RuleError
from onscope.runtime._result import Stamps
from onscope.runtime.feedback import MoveStage, Setting
from onscope.runtime.feedback.aim import AimSettings, aim
from onscope.runtime.feedback.rules import RuleBook, seen_of
from onscope.runtime.objects import measure
from onscope.runtime.track import Tracker, TrackSettings
from onscope.specimen import View
from onscope.specimen.scenarios import load_scenario

RULES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "rules" / "follow.yaml"
SIDE, PIXEL_UM, INTERVAL_S = 192, 0.65, 30.0


class Watched:
    """The nuclei of a wound's edge as a perfect network would tell them, below a camera that lies somehow."""

    def __init__(self, how: AimSettings) -> None:
        self.how, self.sample = how, load_scenario("wound", seed=3).sample
        self.tracker = Tracker(TrackSettings(max_distance=12.0, gap=1, divisions=True))
        self.stage = (220.0, 240.0)
        self.before: tuple[float, float] | None = None
        self.number = 0

    def look(self) -> tuple[Result, np.ndarray]:
        """The next frame's result, and the sample's truth in it, rows along y of the stage."""
        x_um, y_um = self.stage
        self.sample.advance(self.sample.time_s + INTERVAL_S)
        truth = self.sample.truth(View((y_um, x_um), (SIDE, SIDE), PIXEL_UM))
        flipped = truth.nuclei[:: -1 if self.how.flip_y else 1, :: -1 if self.how.flip_x else 1]
        labels = np.ascontiguousarray(flipped.T if self.how.swap_xy else flipped)
        moved = self.before is not None and math.dist(self.stage, self.before) > 0.5
        if moved:  # as the worker does
            self.tracker.reset()
        self.before = self.stage
        cells = measure(labels, {}, PIXEL_UM)
        answers = {"nuclei": labels, "cells": cells, "tracks": self.tracker.update(self.number, cells, PIXEL_UM)}
        frame = Frame(
            FrameId("run", "camera", 0, self.number),
            np.zeros((SIDE, SIDE), np.uint16),
            received_ns=round(self.number * INTERVAL_S * 1e9),
            pixel_size_um=PIXEL_UM,
            stage_um=(x_um, y_um, 0.0),
        )
        self.number += 1
        return Result((frame,), answers, Stamps(1, 2, 3, 4, 5, {}, 6, 7), {}, state_reset=moved), truth.objects


@pytest.mark.long
@pytest.mark.parametrize("how", [AimSettings(), AimSettings(flip_x=True, swap_xy=True), AimSettings(flip_y=True)])
def test_a_moving_cell_stays_in_the_middle(how: AimSettings) -> None:
    watched, book = Watched(how), RuleBook.load(RULES)
    book.aim = how
    chosen, moves = 0, 0
    away: list[float] = []
    stays: list[str] = []
    for _ in range(80):
        result, objects = watched.look()
        proposals = [
            each for each in book.propose(seen_of(result, watched.number, 0, book.needs)) if each.rule == "follow"
        ]
        assert book.failures == []
        (proposal,) = proposals
        assert proposal.target is not None
        assert chosen in (0, proposal.target.label), "another cell was taken for the one that is followed"
        chosen = proposal.target.label
        (place,) = objects[objects["id"] == chosen]
        away.append(math.dist((place["x_um"], place["y_um"]), watched.stage))
        try:
            action = aim(proposal, result, result.frame, Setting(), how)
        except RuleError as error:
            stays.append(str(error))
        else:
            assert isinstance(action, MoveStage)
            watched.stage, moves = (action.x_um, action.y_um), moves + 1
    assert all("within the deadband of 1 um" in words for words in stays)
    settled = away[6:]
    assert max(settled) < 2
    assert moves > 6
