"""Measured and tracked objects in recordings: saved with their types, verified, replayed, and given to others."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile

from onscope.cli import main
from onscope.drivers import replay
from onscope.runtime import Frame, Measure, Pipeline, RecordError, Runtime, Stage, Track, block
from onscope.runtime.record import open_recording, tracked
from onscope.runtime.record.about import about, methods
from onscope.runtime.record.compare import compare
from onscope.runtime.record.verify import verify
from tests.live.test_hosted import frame
from tests.live.test_labels import circles

FRAMES = 8


def pipeline(folder: Path) -> Pipeline:
    stages = [Stage("nuclei", circles(folder / "circles")), Measure("cells", of="nuclei", columns=["perimeter"])]
    return Pipeline([*stages, Track("tracks", of="cells", max_distance=10, gap=2)])


def scene(n: int) -> Frame:
    """Two objects of which one is not there for a while, at two positions that take turns."""
    there = [(52, 60, 12)] if n in (4, 5) else [(20, 20 + n, 9), (52, 60, 12)]
    return frame(n, *there, index={"p": n % 2, "t": n // 2})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording."""
    made = tmp_path_factory.mktemp("tracked")
    with Runtime(pipeline(made), record=made / "run", worker="thread", admission=block(2)) as it:
        for n in range(FRAMES):
            it.submit(scene(n))
        assert it.drain(60)
    return made


def test_tables_have_the_types_of_their_columns(folder: Path) -> None:
    run = open_recording(folder / "run")
    cells, tracks = run.table("cells"), run.table("tracks")
    assert (cells.schema.field("label").type, cells.schema.field("touches_border").type) == (pa.int32(), pa.bool_())
    assert (tracks.schema.field("track").type, tracks.schema.field("vy").type) == (pa.int64(), pa.float64())
    assert cells.num_rows == tracks.num_rows == 2 * FRAMES - 2
    assert set(tracks["track"].to_pylist()) == {1, 2, 3, 4}
    assert cells["perimeter"].to_numpy().min() > 50


def test_measured_objects_are_verified_and_tracks_say_why_not(folder: Path) -> None:
    report = verify(folder / "run", sample=None, packages=[folder])
    assert report.good, report
    notes = " ".join(note for check in report.checks for note in check.notes)
    assert f"cells: {FRAMES} identical to the bit" in notes
    assert f"tracks: {FRAMES} not computed again: tracks depend on all frames before" in notes


def test_a_changed_measurement_is_found(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "run", tmp_path / "run")
    table = pq.read_table(tmp_path / "run" / "cells.parquet")
    area = table["area"].to_numpy().copy()
    area[3] += 1
    at = table.column_names.index("area")
    pq.write_table(table.set_column(at, "area", pa.array(area)), tmp_path / "run" / "cells.parquet")
    report = verify(tmp_path / "run", sample=None, packages=[folder])
    faults = " ".join(fault for check in report.checks for fault in check.faults)
    assert "cells: " in faults
    assert "values differ" in faults


def test_tracks_of_an_exact_replay_are_identical(folder: Path, tmp_path: Path) -> None:
    with Runtime(pipeline(folder), record=tmp_path / "again", worker="thread", admission=block(2)) as it:
        for _ in it.stream(replay(folder / "run")):
            pass
        assert it.drain(60)
    found = compare(tmp_path / "again", folder / "run")
    assert found.equal, found
    assert {stage.name: (stage.both, len(stage.differ)) for stage in found.stages} == {
        "nuclei": (FRAMES, 0),
        "cells": (FRAMES, 0),
        "tracks": (FRAMES, 0),
    }


def test_what_was_done_is_told(folder: Path) -> None:
    told = about(folder / "run")
    assert [(stage.name, stage.kind, stage.provider, stage.answers) for stage in told.stages] == [
        ("nuclei", "network", told.stages[0].provider, FRAMES),
        ("cells", "measure", "host", FRAMES),
        ("tracks", "track", "host", FRAMES),
    ]
    words = methods(told)
    assert "The stage cells measured the objects of nuclei" in words
    assert "over at most 10 pixels per frame, over gaps of up to 2 frames, without divisions" in words


def test_tracks_are_told_by_place(folder: Path) -> None:
    run = open_recording(folder / "run")
    places = tracked(run)
    assert [place.tracks.frames for place in places] == [FRAMES // 2] * 2
    assert [sorted(set(place.tracks.track.tolist())) for place in places] == [[1, 2], [3, 4]]
    for place in places:
        assert place.shape == (72, 96)
        assert place.tracks.pixel_size_um == 0.5
        rows = place.table.to_pylist()
        for row in rows:
            image = place.labels(row["frame"])
            assert image is not None
            assert image[round(row["y"]), round(row["x"])] == row["label"]
    with pytest.raises(RecordError, match=r"found the stage 'cells' in .*, expected one of tracks"):
        tracked(run, "cells")


@pytest.mark.parametrize("format", ["ctc", "trackmate", "napari", "csv", "geojson"])
def test_tracks_are_written_for_others(
    folder: Path, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["onscope", "tracks", str(folder / "run"), str(out), "--as", format])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("2 tracks, 0 divisions, 4 frames") == 2
    written = sorted(path.name for path in out.iterdir())
    assert len(written) == (4 if format == "napari" else 2)
    if format == "ctc":
        lines = [line.split() for line in (out / written[0] / "res_track.txt").read_text().splitlines()]
        mask = tifffile.imread(out / written[0] / "mask000.tif")
        assert {int(line[0]) for line in lines} >= set(np.unique(mask).tolist()) - {0} != set()
    monkeypatch.setattr("sys.argv", ["onscope", "tracks", str(folder / "run"), str(out), "--as", format])
    with pytest.raises(SystemExit) as error:
        main()
    assert error.value.code == 1


@pytest.mark.parametrize(("format", "suffix"), [("trackmate", ".xml"), ("napari", ".csv"), ("csv", ".csv")])
def test_a_file_gets_its_suffix(
    folder: Path, tmp_path: Path, format: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tracked(open_recording(folder / "run"))[:1]
    monkeypatch.setattr("onscope.runtime.record.tracked", lambda run, stage: one)
    for number, name in enumerate(("out", f"mine{suffix}")):
        monkeypatch.setattr(
            "sys.argv", ["onscope", "tracks", str(folder / "run"), str(tmp_path / str(number) / name), "--as", format]
        )
        with pytest.raises(SystemExit) as done:
            main()
        assert done.value.code == 0
        assert (tmp_path / str(number) / name).with_suffix(suffix).is_file()
