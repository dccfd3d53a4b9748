"""Truth beside a recording: what is written is what is read, also of a run that was killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from yaozarrs import validate_zarr_store

from onscope.drivers.specimen import Living, Seen, keep_truth
from onscope.drivers.truth import TruthWriter, object_columns, read_truth
from onscope.drivers.truth._tables import COLUMNS, objects_of
from onscope.runtime import FrameId, RecordError
from onscope.specimen import CLASSES, OBJECT, Truth, View

EMITTER = CLASSES.index("emitter")
VIEW = View((10.5, 20.25), (6, 8), 0.5)


def seen(number: int, *, labels: int | None = None) -> Seen:
    """What is true of an exposure: everything tells its number; `labels` is the id of the one body."""
    rng = np.random.default_rng(number)
    objects = np.zeros(3, OBJECT)
    objects["id"], objects["kind"], objects["on"] = [1, 2, 3], [0, EMITTER, EMITTER], [True, True, False]
    objects["dose_j_cm2"] = number / 8
    body = np.full(VIEW.shape, number if labels is None else labels, np.int32)
    counts = rng.normal(100, 5, (3, 4)).astype(np.float32)
    return Seen(counts, Truth(float(number), body, body // 2, objects), VIEW)


def who(seq: int) -> FrameId:
    return FrameId("run", "Camera", 0, seq)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with TruthWriter(tmp_path / "truth", {"scenario": "mine"}) as writer:
        for n in range(5):
            told = seen(7 + n, labels=n // 2)
            writer.add(7 + n, told.counts, told.truth, told.view, who(n))
        writer.miss(12, who(5))
    for folder in (tmp_path, tmp_path / "truth"):
        told_all = read_truth(folder)
        assert (len(told_all), told_all.missing, told_all.about["scenario"]) == (5, 1, "mine")
        assert told_all.about["state"] == "complete"
    for n in range(5):
        told, read = seen(7 + n, labels=n // 2), told_all.of(who(n))
        assert (read.exposure, read.frame, read.view, read.truth.time_s) == (7 + n, who(n), VIEW, 7 + n)
        np.testing.assert_array_equal(read.counts, told.counts, strict=True)
        np.testing.assert_array_equal(read.truth.labels, told.truth.labels, strict=True)
        np.testing.assert_array_equal(read.truth.nuclei, told.truth.nuclei, strict=True)
        shining = told.truth.objects[:2]
        np.testing.assert_array_equal(read.truth.objects, shining, strict=True)
        assert told_all.of(7 + n).frame == who(n)
    with pytest.raises(RecordError, match="found no truth of run/Camera/0/5"):
        told_all.of(who(5))
    with pytest.raises(RecordError, match="found no truth of 99"):
        told_all.of(99)


def test_an_image_that_stays_is_written_once_and_all_is_valid(tmp_path: Path) -> None:
    with TruthWriter(tmp_path / "truth") as writer:
        for n in range(6):
            told = seen(n, labels=n // 3)
            writer.add(n, told.counts, told.truth, told.view, who(n))
    frames = pyarrow.parquet.read_table(tmp_path / "truth" / "frames.parquet")
    assert frames["labels_index"].to_pylist() == [0, 0, 0, 1, 1, 1]
    assert frames["counts_index"].to_pylist() == [0, 1, 2, 3, 4, 5]
    for name in ("counts", "labels", "nuclei"):
        validate_zarr_store(str(tmp_path / "truth" / f"{name}.ome.zarr"))
    as_text = pyarrow.csv.read_csv(tmp_path / "truth" / "objects.csv")
    assert as_text["exposure"].to_pylist() == [n for n in range(6) for _ in range(2)]
    assert set(as_text["kind"].to_pylist()) == {"interphase", "emitter"}


def test_images_of_another_size_have_a_series_of_their_own(tmp_path: Path) -> None:
    with TruthWriter(tmp_path / "truth") as writer:
        for n, rows in enumerate((6, 4, 6)):
            told = seen(n)
            half = Truth(told.truth.time_s, told.truth.labels[:rows], told.truth.nuclei[:rows], told.truth.objects)
            writer.add(n, told.counts[: rows // 2], half, View(VIEW.centre_um, (rows, 8), 0.5))
    read = read_truth(tmp_path)
    assert [read.of(n).counts.shape for n in range(3)] == [(3, 4), (2, 4), (3, 4)]
    assert [read.of(n).frame for n in range(3)] == [None] * 3
    assert {image["path"] for image in read.about["images"]} >= {"counts.ome.zarr", "counts-1.ome.zarr"}


def test_a_killed_run_leaves_what_was_saved(tmp_path: Path) -> None:
    """Pass: all rows that were there before the kill are read, with their images; nothing else is named."""
    code = f"""
import os, signal
from pathlib import Path
from tests.drivers.test_truth import seen, who
from onscope.drivers.truth import TruthWriter
writer = TruthWriter(Path({str(tmp_path)!r}) / "truth")
for n in range(4):
    told = seen(n)
    writer.add(n, told.counts, told.truth, told.view, who(n))
writer._series("counts", told.counts, 1.0).writer.write(told.counts)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode < 0, done.stderr
    journal = tmp_path / "truth" / "frames.arrows"
    journal.write_bytes(journal.read_bytes()[:-20])  # the last row is cut off
    read = read_truth(tmp_path)
    assert (len(read), read.about["state"]) == (3, "open")
    for n in range(3):
        np.testing.assert_array_equal(read.of(who(n)).truth.labels, seen(n).truth.labels)
        np.testing.assert_array_equal(read.of(n).counts, seen(n).counts)
    with pytest.raises(RecordError, match="found no truth"):
        read.of(3)


def test_a_folder_that_is_there_and_one_without_truth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be made"):
        TruthWriter(tmp_path)
    with pytest.raises(RecordError, match=r"found no truth\.json"):
        read_truth(tmp_path)


class Slow:
    """A scene that remembers exposures 0 and 2, and tells them when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()

    def seen(self, number: int) -> Seen:
        self.let.wait(10)
        if number == 1:
            raise KeyError(number)
        return seen(number)


def test_what_is_forgotten_or_comes_too_fast_is_missing_and_nobody_waits(tmp_path: Path) -> None:
    scene = Slow()
    with keep_truth(cast("Living", scene), tmp_path / "truth", waiting=2) as keeper:
        for n in range(9):
            keeper.note(n, who(n))  # the thread stands in the first, two wait: the others are passed over
        scene.let.set()
    assert keeper.failure is None
    assert keeper.saved + keeper.missing == 9
    assert 1 <= keeper.saved <= 2
    read = read_truth(tmp_path)
    assert (len(read), read.missing) == (keeper.saved, keeper.missing)
    assert read.of(0).exposure == 0


def test_a_disk_that_refuses_ends_the_saving_alone(tmp_path: Path) -> None:
    scene = Slow()
    scene.let.set()
    with keep_truth(cast("Living", scene), tmp_path / "truth", waiting=9) as keeper:
        (tmp_path / "truth" / "counts.ome.zarr").write_text("in its place", encoding="utf-8")
        for n in (0, 2, 3):
            keeper.note(n, who(n))
    assert isinstance(keeper.failure, RecordError)
    assert "cannot be made" in str(keeper.failure)
    assert (keeper.saved, keeper.missing) == (0, 3)
    assert read_truth(tmp_path).about["state"] == "interrupted"


@settings(max_examples=30, deadline=None)
@given(stn.arrays(np.int32, 5, elements=st.integers(1, 2**31 - 1), unique=True), st.data())
def test_objects_survive_their_table(ids: np.ndarray, data: st.DataObject) -> None:
    """Pass: every field of every object that shines is the same bit for bit."""
    objects = np.zeros(5, OBJECT)
    objects["id"] = ids
    for name in ("z_um", "dose_j_cm2", "born_s"):
        objects[name] = data.draw(stn.arrays(OBJECT[name], 5, elements={"allow_nan": False, "allow_infinity": False}))
    objects["kind"] = data.draw(stn.arrays(np.int16, 5, elements=st.integers(0, len(CLASSES) - 1)))
    objects["on"] = data.draw(stn.arrays(bool, 5))
    none = np.zeros((2, 2), np.int32)
    columns = object_columns(Truth(3.0, none, none, objects))
    table = pyarrow.table(columns, schema=pyarrow.schema(COLUMNS))
    kept = objects["on"] | (objects["kind"] != EMITTER)
    np.testing.assert_array_equal(objects_of(table), objects[kept])
