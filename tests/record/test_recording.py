"""A recording holds what the source gave and what the stages answered, pixel for pixel and row for row."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from yaozarrs import validate_zarr_store

from onscope.runtime import FrameId, FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record._latency import latency_report

from ._made import MadeLedger, MadeSource, Row, made_result, noise, spots

SMALL = FrameSpec((4, 4))


@pytest.mark.long
@settings(max_examples=12, deadline=None)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    raw_dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    dtype=st.sampled_from(["uint8", "uint16", "float16", "float32", "int32", "uint32"]),
    colour=st.booleans(),
    count=st.integers(1, 5),
    told=st.booleans(),
    factor=st.integers(1, 3),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    size: tuple[int, int],
    raw_dtype: str,
    dtype: str,
    colour: bool,
    count: int,
    told: bool,
    factor: int,
) -> None:
    folder = tmp_path_factory.mktemp("r") / "run"
    source = MadeSource(FrameSpec((*size, 3) if colour else size, raw_dtype, "yxs" if colour else "yx"), count)
    shape = (size[0] * factor, size[1] * factor)
    with Recording(folder) as recording:
        for frame in recording.tap(source, count if told else None).frames(count if told else None):
            answers = {"image": noise(shape, dtype, frame.id.seq), "spots": spots(frame.id.seq, frame.id.seq)}
            recording.add(made_result(frame, answers, image=factor))
        recording.finish(MadeLedger())
    run = open_recording(folder)
    assert len(run) == count
    assert [frame.id.seq for frame in run.frames()] == list(range(count))
    for seq, frame in enumerate(run.frames()):
        np.testing.assert_array_equal(frame.pixels, source.pixels(seq), strict=True)
        np.testing.assert_array_equal(run.images["image.ome.zarr"][seq], noise(shape, dtype, seq), strict=True)
    assert run.table("spots")["seq"].to_pylist() == [seq for seq in range(count) for _ in range(seq)]
    assert run.images["image.ome.zarr"].scale == factor


def test_everything_a_frame_knows_comes_back(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec((8, 9), pixel_size_um=0.1, camera="left"), 3)
    with Recording(tmp_path / "run") as recording:
        given_frames = list(recording.tap(source).frames())
    read = list(open_recording(tmp_path / "run").frames())
    for before, after in zip(given_frames, read, strict=True):
        for name in ("id", "axes", "received_ns", "exposure_end_ns", "pixel_size_um", "exposure_ms", "stage_um"):
            assert getattr(after, name) == getattr(before, name), name
        assert dict(after.index) == dict(before.index)
    assert open_recording(tmp_path / "run").spec() == source.spec()
    walls = open_recording(tmp_path / "run").table("frames")["wall"].to_pylist()
    assert all(earlier <= later for earlier, later in pairwise(walls))
    assert walls[0].tzinfo is not None


def test_tables_can_be_read_without_pandas(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        list(recording.tap(MadeSource(FrameSpec((8, 9)), 1)).frames())
    code = f"""
import sys
class NoPandas:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoPandas())
from onscope.runtime.record import open_recording
print(open_recording({str(tmp_path / "run")!r}).table("frames").to_pylist()[0]["seq"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0", done.stderr


def test_opens_with_zarr_python_and_is_valid_ome_zarr(tmp_path: Path) -> None:
    grey = MadeSource(FrameSpec((12, 10), pixel_size_um=0.2), 4)
    colour = MadeSource(FrameSpec((12, 10, 3), "uint8", "yxs"), 3, segment=1)
    with Recording(tmp_path / "run") as recording:
        for frame in recording.tap(grey).frames():
            recording.add(made_result(frame, {"up": noise((24, 20), "float32", frame.id.seq)}, up=2.0))
        for _ in recording.tap(colour).frames():
            pass
    for name in ("raw.ome.zarr", "raw-1.ome.zarr", "up.ome.zarr"):
        validate_zarr_store(str(tmp_path / "run" / name))
    raw = zarr.open_array(tmp_path / "run" / "raw.ome.zarr" / "0", mode="r")
    np.testing.assert_array_equal(raw[:], np.stack([grey.pixels(seq) for seq in range(4)]), strict=True)
    rgb = zarr.open_array(tmp_path / "run" / "raw-1.ome.zarr" / "0", mode="r")
    assert getattr(rgb.metadata, "dimension_names", None) == ("t", "c", "y", "x")
    np.testing.assert_array_equal(rgb[2], np.moveaxis(colour.pixels(2), -1, 0), strict=True)
    attributes: Any = zarr.open_group(tmp_path / "run" / "up.ome.zarr", mode="r").attrs
    (level,) = attributes["ome"]["multiscales"][0]["datasets"]
    scale, translation = level["coordinateTransformations"]
    assert scale["scale"][1:] == [0.1, 0.1]
    assert translation["translation"] == [0.0, -0.05, -0.05]
    assert attributes["onscope"]["provenance"]["package"] == "up-package"


def test_skipped_frames_are_absent_from_derived_images(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec((16, 16)), 9)
    rows = []
    with Recording(tmp_path / "run") as recording:
        for frame in recording.tap(source).frames():
            done = frame.id.seq % 3 == 0
            rows.append(Row(frame.id, "done", "") if done else Row(frame.id, "skipped", "queue"))
            if done:
                recording.add(made_result(frame, {"image": noise((16, 16), "uint16", frame.id.seq)}))
        recording.finish(MadeLedger(rows))
    run = open_recording(tmp_path / "run")
    assert len(run) == 9
    results = run.table("results")
    assert results["seq"].to_pylist() == [0, 3, 6]
    assert results["image_index"].to_pylist() == [[0], [3], [6]]
    images = zarr.open_array(tmp_path / "run" / "image.ome.zarr" / "0", mode="r")
    assert images.shape[0] == 9
    np.testing.assert_array_equal(images[6], noise((16, 16), "uint16", 6))
    with open(tmp_path / "run" / "ledger.csv", newline="") as file:
        ledger = list(csv.DictReader(file))
    assert [row["state"] for row in ledger] == ["done", "skipped", "skipped"] * 3
    report = json.loads((tmp_path / "run" / "latency.json").read_text())
    assert report["ledger"] == {"done": 3, "skipped": 6}
    assert report["results"] == 3
    assert report["steps_ms"]["stage image"]["p50"] == pytest.approx(2.0)
    assert report["latency_ms"]["max"] == pytest.approx(2.6)
    assert report["versions"]["numpy"] == np.__version__


def test_windows_are_told_in_the_table_of_results(tmp_path: Path) -> None:
    frames = [
        replace(frame, received_ns=10**9 + n * 50_000_000) for n, frame in enumerate(MadeSource(SMALL, 3).frames())
    ]
    with Recording(tmp_path / "run") as recording:
        recording.add(made_result(frames[0], {"image": noise((4, 4), "uint16", 0)}))
        last = made_result(frames[2], {"image": noise((4, 4), "uint16", 1)})
        window = (frames[0], frames[0], frames[2])
        recording.add(replace(last, frames=window, target=1, padded=1, state_reset=True))
        recording.finish(MadeLedger())
    rows = open_recording(tmp_path / "run").table("results").to_pylist()
    told = [{name: row[name] for name in ("seq", "frames", "target", "padded", "state_reset")} for row in rows]
    assert told == [
        {"seq": 0, "frames": 1, "target": 0, "padded": 0, "state_reset": False},
        {"seq": 0, "frames": 3, "target": 1, "padded": 1, "state_reset": True},
    ]
    assert [row["look_ahead_ms"] for row in rows] == [0.0, 100.0]
    report = json.loads((tmp_path / "run" / "latency.json").read_text())
    assert report["look_ahead_ms"]["max"] == 100.0
    assert "look_ahead" not in report["steps_ms"]
    assert report["latency_ms"]["max"] == pytest.approx(2.6)


def test_numbers_beside_the_answers_are_in_a_table_of_their_own(tmp_path: Path) -> None:
    frames = list(MadeSource(FrameSpec((8, 9)), 3).frames())
    with Recording(tmp_path / "run") as recording:
        for frame in frames:
            made = made_result(frame, {"denoise": frame.pixels})
            if frame.id.seq == 1:
                made = replace(
                    made, parameters={"denoise": {"percentile 99.8": 812.0}}, trust={"denoise": {"bias": 0.1}}
                )
            recording.add(made)
    run = open_recording(tmp_path / "run")
    assert "values" in run.manifest["tables"]
    rows = run.table("values").to_pylist()
    assert [(row["seq"], row["stage"], row["kind"], row["name"], row["value"]) for row in rows] == [
        (1, "denoise", "parameter", "percentile 99.8", 812.0),
        (1, "denoise", "trust", "bias", 0.1),
    ]


def test_the_table_of_results_of_older_recordings_is_read(tmp_path: Path) -> None:
    source = MadeSource(SMALL, 2)
    with Recording(tmp_path / "run") as recording:
        for frame in recording.tap(source).frames():
            recording.add(made_result(frame, {"image": noise((4, 4), "uint16", 0)}))
    table = pq.read_table(tmp_path / "run" / "results.parquet")
    since = ["look_ahead_ms", "frames", "target", "padded", "state_reset"]
    pq.write_table(table.drop_columns(since), tmp_path / "run" / "results.parquet")
    assert open_recording(tmp_path / "run").table("results")["seq"].to_pylist() == [0, 1]
    report = latency_report(tmp_path / "run", {}, {})
    assert report["results"] == 2
    assert set(report["latency_ms"]) == {"p50", "p95", "p99", "max", "mean"}


def test_a_new_segment_has_its_own_images(tmp_path: Path) -> None:
    big, small = MadeSource(FrameSpec((20, 20)), 2), MadeSource(FrameSpec((10, 12)), 2, segment=1)
    with Recording(tmp_path / "run") as recording:
        for source in (big, small):
            for frame in recording.tap(source).frames():
                recording.add(made_result(frame, {"image": frame.pixels}))
    run = open_recording(tmp_path / "run")
    assert [frame.pixels.shape for frame in run.frames()] == [(20, 20)] * 2 + [(10, 12)] * 2
    assert run.table("results")["image_array"].to_pylist() == ["image.ome.zarr"] * 2 + ["image-1.ome.zarr"] * 2
    assert run.images["image-1.ome.zarr"].shape == (10, 12)


def test_more_frames_than_expected_are_all_kept(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec((4, 4)), 600)
    with Recording(tmp_path / "run") as recording:
        for _ in recording.tap(source, 2).frames():
            pass
        assert recording.raw_frames == 600
    assert len(open_recording(tmp_path / "run")) == 600
    assert zarr.open_array(tmp_path / "run" / "raw.ome.zarr" / "0", mode="r").shape == (600, 4, 4)


def test_a_frame_may_be_changed_once_it_is_given(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec((4, 4)), 50)
    with Recording(tmp_path / "run") as recording:
        for frame in recording.tap(source).frames():
            frame.pixels[:] = 0
    run = open_recording(tmp_path / "run")
    for seq, frame in enumerate(run.frames()):
        np.testing.assert_array_equal(frame.pixels, source.pixels(seq))
    assert run.verify() == []


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Recording(folder) as recording:
        list(recording.tap(MadeSource(FrameSpec((4, 4)), 2)).frames())
    with pytest.raises(RecordError, match="in use, expected a new or empty folder"):
        Recording(folder)
    with Recording(folder, overwrite=True) as recording:
        list(recording.tap(MadeSource(FrameSpec((4, 4)), 1)).frames())
    assert len(open_recording(folder)) == 1


def test_overwrite_never_deletes_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RecordError, match="in use"):
        Recording(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_late_frame_is_refused_after_the_end(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec((4, 4)), 2)
    with Recording(tmp_path / "run") as recording:
        frames = recording.tap(source).frames()
        next(frames)
        recording.finish(MadeLedger())
        with pytest.raises(RecordError, match="after the recording"):
            next(frames)
    assert len(open_recording(tmp_path / "run")) == 1


@pytest.mark.parametrize("name", ["frames", "raw", "raw-1", "a/b", ".."])
def test_a_stage_cannot_take_another_files_name(tmp_path: Path, name: str) -> None:
    frame = next(iter(MadeSource(FrameSpec((4, 4)), 1).frames()))
    with Recording(tmp_path / "run") as recording, pytest.raises(RecordError, match="rename the stage"):
        recording.add(made_result(frame, {name: frame.pixels}))


def test_an_answer_that_is_no_image_is_refused(tmp_path: Path) -> None:
    frame = next(iter(MadeSource(FrameSpec((4, 4)), 1).frames()))
    with Recording(tmp_path / "run") as recording, pytest.raises(RecordError, match=r"shape \(1, 1, 4, 4\)"):
        recording.add(made_result(frame, {"image": frame.pixels[None, None]}))


def test_flat_answers_are_tables(tmp_path: Path) -> None:
    frame = next(iter(MadeSource(FrameSpec((4, 4)), 1).frames()))
    boxes = np.zeros(2, [("box", "f4", (4,)), ("label", "i4")])
    with Recording(tmp_path / "run") as recording:
        recording.add(made_result(frame, {"classes": np.array([0.25, 0.75], "f4"), "boxes": boxes}))
    run = open_recording(tmp_path / "run")
    assert run.table("classes")["value"].to_pylist() == [0.25, 0.75]
    assert run.table("boxes").column_names[8:] == ["box_0", "box_1", "box_2", "box_3", "label"]


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="expected a recording of onscope"):
        open_recording(tmp_path)
    (tmp_path / "recording.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(RecordError, match="found schema 99"):
        open_recording(tmp_path)


def test_identities_with_odd_camera_names_stay_out_of_file_names(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec((4, 4), camera="../Cam: *?"), 1)
    with Recording(tmp_path / "run") as recording:
        list(recording.tap(source).frames())
    assert next(open_recording(tmp_path / "run").frames()).id == FrameId("run", "../Cam: *?", 0, 0)
    assert {path.name for path in Path(tmp_path).iterdir()} == {"run"}
