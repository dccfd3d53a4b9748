"""Places of an acquisition: a viewer of one gets its newest result, however many others came after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import useq
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Pipeline, Runtime, Stage, block
from onscope.view import View
from tests.models import plus_one

from .rigs import Eyes, Rig, eyes

SEQUENCE = useq.MDASequence.model_validate(
    {
        "time_plan": {"interval": 0, "loops": 3},
        "stage_positions": [(0, 0), (10, 0), (20, 0), (30, 0), (40, 0)],
        "channels": [{"config": "DAPI", "exposure": 20}, {"config": "FITC", "exposure": 20}],
        "axis_order": "tpc",
    }
)
WANTED = [{"p": 0, "c": 0}, {"p": 3, "c": 1}, {"p": 4, "c": 1}]


def shown(viewer: Eyes) -> list[dict[str, int]]:
    """The places of all pictures that come: one update for each, given the credit for it."""
    found = []
    for _ in WANTED:
        head, _ = viewer.update()
        viewer.say(type="credit", n=1)
        index = head["frame"]["index"]
        assert {axis: index[axis] for axis in "pc"} == WANTED[head["views"][0]["id"]]
        found.append(index)
    return found


@pytest.fixture
def core() -> Iterator[CMMCorePlus]:
    """The demo devices, and small frames."""
    made = CMMCorePlus()
    made.loadSystemConfiguration()
    made.setROI(0, 0, 64, 48)
    yield made
    made.unloadAllDevices()


@pytest.mark.long
def test_each_place_has_its_newest_result(core: CMMCorePlus, tmp_path: Path) -> None:
    views = [{"id": number, "image": "plus", "bits": 16, "index": place} for number, place in enumerate(WANTED)]
    pipeline = Pipeline([Stage("plus", plus_one(tmp_path / "plus"))])
    with (
        Runtime(pipeline, worker="thread", admission=block(4)) as runtime,
        View(runtime, axes={"c": ["DAPI", "FITC"]}) as view,
        Rig(runtime, view, []).eyes() as viewer,
        eyes(view.port) as late,
    ):
        viewer.show(*views)
        viewer.text("status", lambda told: told["ledger"]["done"] == 0)  # that it looks is known
        with runtime.attach(core):
            core.mda.run(SEQUENCE)
        assert runtime.drain(60)
        viewer.text("status", lambda told: told["ledger"]["done"] == 30)
        viewer.say(type="credit", n=2)  # now it can take pictures, and all of these places are long over
        assert sorted(each["t"] for each in shown(viewer)) == [2, 2, 2]
        late.say(type="hello", version=1, token="")
        late.show(*views, credit=2)  # who comes later sees them too
        assert sorted(each["t"] for each in shown(late)) == [2, 2, 2]
