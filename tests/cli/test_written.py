"""The list of what a run has written: everything that is there by its name, nothing that is not."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from onscope.cli._written import written
from onscope.runtime import FrameSpec
from onscope.runtime.record import Recording, open_recording
from tests.record._made import MadeLedger, MadeSource, made_result, spots


def test_images_tables_and_files_are_told_by_what_they_are(tmp_path: Path) -> None:
    frames = MadeSource(FrameSpec((8, 9)), 2)
    with Recording(tmp_path / "run") as recording:
        for frame in recording.tap(frames).frames():
            made = made_result(frame, {"denoise": frame.pixels, "spots": spots(3, 0)})
            recording.add(replace(made, trust={"denoise": {"bias": 0.0}}))
        recording.finish(MadeLedger())
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(written(open_recording(tmp_path / "run")))
    lines = [line.split(maxsplit=1) for line in console.export_text().splitlines()]
    told = {name: meaning.strip() for name, meaning in lines if name != "zarr.json,"}
    assert told["raw.ome.zarr"] == "raw frames, as the camera gave them"
    assert told["denoise.ome.zarr"] == "images of the stage denoise"
    assert told["spots.parquet"] == told["spots.csv"] == "objects of spots"
    assert told["values.parquet"] == "parameters of the processing, trust values"
    assert all((tmp_path / "run" / name).exists() for name in told)
    hidden = {"OME", "zarr.json"}
    there = {path.name for path in (tmp_path / "run").iterdir()}
    assert there - hidden == set(told)
