"""What reads recordings reads reprocessed ones: the view, reports, napari's layers, and `info`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Pipeline, RecordError, Stage
from onscope.runtime.record import open_recording
from onscope.runtime.record.about import about
from onscope.runtime.reprocess import reprocess
from onscope.view import report
from onscope.view.recorded import Recorded
from tests import models

from .made import record


@pytest.mark.long
def test_a_reprocessed_recording_is_shown(tmp_path: Path, client: Any) -> None:
    """Pass: raw frames come from the recording that it was computed from, also when both are moved together."""
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    (tmp_path / "here").mkdir()
    record(tmp_path / "here" / "live", pipeline, [models.frame(n, index={"t": n}) for n in range(6)], models.SPEC)
    reprocess(tmp_path / "here" / "live", pipeline, tmp_path / "here" / "out", cluster=client, provider="cpu")
    there = shutil.move(tmp_path / "here", tmp_path / "there")
    shown = Recorded(Path(there, "out"))
    assert len(shown) == 6
    for n in (0, 5):
        result = shown[n]
        np.testing.assert_array_equal(result.frame.pixels, models.frame(n).pixels)
        np.testing.assert_array_equal(result["plus"], models.frame(n).pixels + 1)
    written = report.report(Path(there, "out"))
    assert not written.faults
    told = about(Path(there, "out"))
    assert told.links[0]["from_here"] == "../live"
    shutil.rmtree(Path(there, "live"))
    with pytest.raises(RecordError, match="saved elsewhere"):
        Recorded(Path(there, "out"))


def test_its_images_are_layers(tmp_path: Path, client: Any) -> None:
    """Pass: what napari's reader makes of the folder has the answers, at their frames."""
    from onscope.view.napari._recorded import image_layers

    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    record(tmp_path / "live", pipeline, [models.frame(n, index={"t": n}) for n in range(4)], models.SPEC)
    reprocess(tmp_path / "live", pipeline, tmp_path / "out", cluster=client, provider="cpu")
    ((data, more, kind),) = image_layers(open_recording(tmp_path / "out"))
    assert (more["name"], kind) == ("plus", "image")
    np.testing.assert_array_equal(np.asarray(data[3]), models.frame(3).pixels + 1)
