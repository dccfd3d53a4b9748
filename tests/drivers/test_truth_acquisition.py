"""The truth of acquisitions that other software runs: pymmcore-plus, by the number in each image's tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import useq

from onscope.drivers import specimen
from onscope.drivers.truth import read_truth
from onscope.runtime import FrameId

from .test_specimen_source import MINE

SEQUENCE = useq.MDASequence.model_validate(
    {
        "axis_order": "pt",
        "time_plan": {"interval": 0, "loops": 4},
        "stage_positions": [{"x": 95, "y": 100}, {"x": 105, "y": 100}],
        "channels": [{"config": "nuclei", "exposure": 20}],
    }
)


@pytest.mark.long
def test_the_truth_of_every_frame_of_an_mda(tmp_path: Path) -> None:
    """Pass: all eight frames have their truth, which is what the camera saw at that place, but for its noise."""
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    given: dict[FrameId, np.ndarray[Any, Any]] = {}
    with specimen.from_scenario(tmp_path / "mine.yaml", clock=specimen.PatientClock(), remember=8) as scope:
        mmc = scope.mmc
        mmc.mda.engine.use_hardware_sequencing = True  # type: ignore[union-attr] # the camera's tags come along then
        with specimen.keep_truth(scope.scene, tmp_path / "truth") as keeper:

            def taken(image: Any, event: useq.MDAEvent, meta: Any) -> None:
                who = FrameId("mda", meta["camera_device"], 0, len(given))
                given[who] = image.astype(np.float32)
                keeper.note(int(meta["camera_metadata"]["SpecimenExposure"]), who)

            mmc.mda.events.frameReady.connect(taken)
            mmc.mda.run(SEQUENCE)
    assert keeper.failure is None
    told = read_truth(tmp_path)
    assert (len(told), told.missing, len(given)) == (8, 0, 8)
    assert told.about["state"] == "complete"
    places = [told.of(who).view.centre_um[1] for who in given]
    assert np.allclose(np.diff(places), [0, 0, 0, 10, 0, 0, 0], atol=1.0)
    for who, image in given.items():
        counts = told.of(who).counts
        # photon noise and read noise: within 6 standard deviations everywhere, and none on average
        assert np.abs(image - counts).max() < 6 * np.sqrt(counts.max() * 4 + 100)
        assert abs(image.mean() - counts.mean()) < 0.02 * counts.mean() + 1
