"""Steered acquisitions of Micro-Manager's own demo devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import useq
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus

from onscope.drivers import micromanager
from onscope.drivers.micromanager.acquisition import AcquisitionController, MdaController, of_dicts, of_useq
from onscope.runtime import SourceError
from onscope.runtime.feedback import Burst, MoveStage, Stack, Visit

ASKED = (Burst(5), Stack(3, 1.0), Visit(((100.0, 50.0), (200.0, 50.0))), MoveStage(300.0, 40.0))
ORDER = ["routine", *["burst 1"] * 5, *["stack 2"] * 3, "visit 3 tile 0", "visit 3 tile 1", *["routine"] * 3]


@pytest.fixture
def mmc() -> Iterator[CMMCorePlus]:
    core = CMMCorePlus()
    core.setDeviceAdapterSearchPaths([str(device_adapter_path())])
    core.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    yield core
    core.unloadAllDevices()


@pytest.mark.parametrize("sequencing", [True, False])
def test_a_pymmcore_plus_acquisition(mmc: CMMCorePlus, sequencing: bool) -> None:
    mmc.mda.engine.use_hardware_sequencing = sequencing  # type: ignore[union-attr]
    sequence = useq.MDASequence.model_validate(
        {"channels": [{"config": "DAPI", "exposure": 5}], "time_plan": {"interval": 0.01, "loops": 4}}
    )
    controller = MdaController(mmc, sequence)
    names, places = list[str](), list[tuple[float, ...]]()

    def seen(image: Any, event: useq.MDAEvent, meta: Any) -> None:
        names.append(event.pos_name or "routine")
        places.append(tuple(mmc.getXYPosition()))
        if len(names) == 1:
            for action in ASKED:
                controller.apply(action)

    mmc.mda.events.frameReady.connect(seen)
    mmc.run_mda(controller.events()).join()
    assert names == ORDER
    assert places[9] == pytest.approx((100, 50), abs=0.1)
    assert places[10] == pytest.approx((200, 50), abs=0.1)
    assert places[-1] == pytest.approx((300, 40), abs=0.1)
    assert [controller.frames_of(one) for one in ASKED] == [(5, 5), (3, 3), (2, 2), (0, 0)]


def test_a_pycro_manager_acquisition(tmp_path: Path) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    events = multi_d_acquisition_events(num_time_points=4, channel_group="Channel", channels=["DAPI"])
    with micromanager.demo(size=64) as scope:
        controller = AcquisitionController(scope.core, events, depth=1)
        names, places = list[str](), list[tuple[float, ...]]()

        def seen(image: Any, tags: Any) -> Any:
            names.append(tags["Axes"].get("position", "routine"))
            places.append((tags["XPosition_um_Intended"], tags["YPosition_um_Intended"]))
            if len(names) == 1:
                for action in ASKED:
                    controller.apply(action)
            return image, tags

        with Acquisition(
            str(tmp_path), "a", image_process_fn=seen, notification_callback_fn=controller.notified
        ) as acquisition:
            controller.run(acquisition)
    assert names == ORDER
    assert places[-1] == (300, 40)
    assert [controller.frames_of(one) for one in ASKED] == [(5, 5), (3, 3), (2, 2), (0, 0)]
    stored = acquisition.get_dataset()
    assert stored.has_image(time=4, position="burst 1", channel="DAPI")
    assert stored.has_image(time=0, position="stack 2", channel="DAPI", z=2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"channels": ["DAPI"], "grid_plan": {"rows": 2, "columns": 2}}, "found the axes g"),
        (
            {
                "axis_order": "ptc",
                "stage_positions": [(0, 0), (1, 1)],
                "time_plan": {"interval": 0, "loops": 2},
                "channels": ["DAPI"],
            },
            "expected time first",
        ),
        (
            {"channels": ["DAPI", {"config": "FITC", "acquire_every": 2}], "time_plan": {"interval": 0, "loops": 2}},
            "time points that differ",
        ),
    ],
)
def test_sequences_that_are_no_routine(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        of_useq(useq.MDASequence.model_validate(wrong))


def test_what_a_routine_is_made_of() -> None:
    sequence = useq.MDASequence.model_validate(
        {
            "axis_order": "tpcz",
            "stage_positions": [{"x": 1, "y": 2, "z": 3, "name": "left"}, {"x": 4, "y": 5, "z": 6}],
            "time_plan": {"interval": 2, "loops": 7},
            "channels": ["DAPI", "FITC"],
            "z_plan": {"range": 2, "step": 1},
        }
    )
    routine = of_useq(sequence)
    assert (routine.interval_s, routine.rounds, len(routine.shots), routine.positions) == (2.0, 7, 12, 2)
    assert routine.channels == ["DAPI", "FITC"]
    assert [one.z_um for one in routine.shots[:3]] == [2.0, 3.0, 4.0]
    assert routine.shots[0].position == "left"
    unknown = [{"axes": {"time": 0}, "tags": {}}]
    with pytest.raises(SourceError, match="found events with tags"):
        of_dicts(unknown)
