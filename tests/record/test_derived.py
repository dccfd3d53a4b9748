"""Answers stand where their raw frames stand, are whole or missing, and never something in between."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from ome_zarr.io import parse_url  # type: ignore[import-untyped]
from ome_zarr.reader import Reader  # type: ignore[import-untyped]
from ome_zarr_models.v05.bioformats2raw import BioFormats2Raw
from ome_zarr_models.v05.image import Image
from ome_zarr_models.v05.image_label import ImageLabel
from ome_zarr_models.v05.labels import Labels
from yaozarrs import validate_zarr_store

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, RecordError, Stage
from onscope.runtime.record import RecordedRun, Recording, open_recording
from onscope.runtime.record import _places as places
from tests.live.test_labels import circles
from tests.models import plus_one as plus_one_model

from ._made import MadeLedger, MadeSource, Row, made_result, noise, spots

SHAPE = (6, 8)


def frame_of(seq: int, index: Mapping[str, int] | None = None, shape: tuple[int, ...] = SHAPE, **more: Any) -> Frame:
    axes = "yxs" if len(shape) == 3 else "yx"
    pixels = noise(shape, "uint16", seq)
    return Frame(FrameId("run", "cam", 0, seq), pixels, axes, {"t": seq} if index is None else index, **more)


def assert_aligned(run: RecordedRun, stage: str) -> int:
    """Each element of the stage's images that is there is the raw one plus 1, in Zarr's own reading; how many are."""
    count = 0
    for images in run[stage]:
        assert images.raw is not None
        raw: Any = zarr.open_array(run.folder / images.raw / "0", mode="r")
        derived: Any = zarr.open_array(images.path / "0", mode="r")
        there: Any = zarr.open_array(images.path / "present", mode="r")[:]
        assert there.shape == raw.shape[:-2] == derived.shape[:-2]
        np.testing.assert_array_equal(images.present, there)
        for at in zip(*np.nonzero(there), strict=True):
            np.testing.assert_array_equal(derived[at], raw[at] + 1)
            np.testing.assert_array_equal(images[tuple(map(int, at))], raw[at] + 1)
        count += int(np.count_nonzero(there))
    return count


def plus_one(frame: Frame) -> dict[str, np.ndarray[Any, Any]]:
    return {"plus": frame.pixels + np.uint16(1)}


def acquisition(positions: int, channels: int, planes: int, points: int) -> Iterator[Mapping[str, int]]:
    for t, p, c, z in itertools.product(range(points), range(positions), range(channels), range(planes)):
        index = {"t": t, "p": p, "c": c, "z": z}
        yield {
            name: index[name] for name, size in zip("tpcz", (2, positions, channels, planes), strict=True) if size > 1
        }


@pytest.mark.long
@settings(max_examples=5, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)),
    lost=st.sets(st.integers(0, 20), max_size=4),
    skipped=st.sets(st.integers(0, 20), max_size=6),
)
def test_answers_stand_at_their_frames_elements(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: tuple[int, int, int, int],
    lost: set[int],
    skipped: set[int],
) -> None:
    folder = tmp_path_factory.mktemp("r") / "run"
    events = list(enumerate(acquisition(*sizes)))
    done = 0
    with Recording(folder) as recording:
        for seq, index in events:
            if seq in lost:
                continue
            frame = frame_of(seq, index)
            recording.save(frame)
            if seq not in skipped:
                recording.add(made_result(frame, plus_one(frame)))
                done += 1
    run = open_recording(folder)
    if not done:
        assert "plus" not in {images.stage for images in run.images.values()}
        return
    assert assert_aligned(run, "plus") == done
    results = run.table("results").to_pylist()
    frames = {row["seq"]: row for row in run.table("frames").to_pylist()}
    for number, row in enumerate(results):
        assert row["plus_index"] == frames[row["seq"]]["index"]
        assert run.images[row["plus_array"]].raw == frames[row["seq"]]["array"]
        np.testing.assert_array_equal(run.answer("plus", number), noise(SHAPE, "uint16", row["seq"]) + np.uint16(1))
    for entry in run.manifest["images"]:
        if entry["role"] == "derived":
            there = run.images[entry["path"]].present
            assert entry["frames"] == np.count_nonzero(there)
            assert entry["missing"] == there.size - np.count_nonzero(there)


def test_what_is_missing_is_told_and_never_black(tmp_path: Path) -> None:
    black = np.zeros(SHAPE, np.float32)
    frames = [frame_of(seq) for seq in range(8) if seq != 5]
    rows = []
    with Recording(tmp_path / "run") as recording:
        for frame in frames:
            recording.save(frame)
            done = frame.id.seq in (0, 3)
            rows.append(Row(frame.id, "done", "") if done else Row(frame.id, "skipped", "queue full"))
            if done:
                recording.add(made_result(frame, {"denoise": black, "mask": black.astype(np.uint8)}))
        recording.finish(MadeLedger(rows))
    run = open_recording(tmp_path / "run")
    for stage, empty in (("denoise", np.nan), ("mask", 0)):
        (images,) = run[stage]
        assert np.flatnonzero(images.present).tolist() == [0, 3]
        np.testing.assert_array_equal(images[3], black)
        with pytest.raises(
            RecordError, match=r"element 1 of .* is missing \(frame run/cam/0/1 is skipped: queue full\)"
        ):
            images[1]
        with pytest.raises(RecordError, match=r"element 5 of .* is missing \(no raw frame was saved there\)"):
            images[5]
        for odd in (8, -1):
            with pytest.raises(RecordError, match="is missing"):
                images[odd]
        with pytest.raises(RecordError, match="expected one index for each of t"):
            images[0, 0]
        array: Any = zarr.open_array(images.path / "0", mode="r")
        np.testing.assert_array_equal(array[1], np.full(SHAPE, empty))
        np.testing.assert_array_equal(array[3], black)
        attributes: Any = zarr.open_group(images.path, mode="r").attrs["onscope"]
        assert attributes["missing"] == 6
    with pytest.raises(RecordError, match=r"found no images of 'deconvolve'.*expected one of denoise, mask, raw"):
        run["deconvolve"]
    with pytest.raises(RecordError, match="found no image of 'denoise' in row 9"):
        run.answer("denoise", 9)


def test_labels_lie_in_the_raw_image_that_they_belong_to(tmp_path: Path) -> None:
    package = circles(tmp_path / "circles")
    pipeline = Pipeline([Stage("nuclei", package), Stage("large", package)])
    ids = noise(SHAPE, "int32", 1)
    large = np.arange(12 * 16, dtype=np.int32).reshape(12, 16)
    with Recording(tmp_path / "run", pipeline) as recording:
        for seq in range(3):
            frame = frame_of(seq, pixel_size_um=0.5)
            recording.save(frame)
            recording.add(made_result(frame, {"nuclei": ids, "large": large}, large=2.0))
    run = open_recording(tmp_path / "run")
    raw = tmp_path / "run" / "raw.ome.zarr"
    for name, expected in (("nuclei", ids), ("large", large)):
        (images,) = run[name]
        assert images.path == raw / "labels" / name
        assert images.labels
        assert images.raw == "raw.ome.zarr"
        np.testing.assert_array_equal(images[2], expected, strict=True)
        validate_zarr_store(str(images.path))
    validate_zarr_store(str(raw))
    validate_zarr_store(str(raw / "labels"))
    listed: Any = zarr.open_group(raw / "labels", mode="r").attrs["ome"]
    assert sorted(listed["labels"]) == ["large", "nuclei"]
    ome: Any = zarr.open_group(raw / "labels" / "large", mode="r").attrs["ome"]
    assert ome["image-label"]["source"] == {"image": "../../"}
    scale, shift = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    raw_ome: Any = zarr.open_group(raw, mode="r").attrs["ome"]
    interval_s = raw_ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"][0]
    assert scale["scale"] == [interval_s, 0.25, 0.25]
    assert shift["translation"] == [0.0, -0.125, -0.125]


@pytest.mark.filterwarnings("ignore")
def test_others_read_what_a_stage_answered(tmp_path: Path) -> None:
    pipeline = Pipeline(
        [Stage("nuclei", circles(tmp_path / "circles")), Stage("up", plus_one_model(tmp_path / "plus"))]
    )
    folder = tmp_path / "run"
    large, ids = noise((1100, 40), "float32", 3), noise((1100, 40), "int32", 2)
    with Recording(folder, pipeline) as recording:
        for seq, index in enumerate(acquisition(1, 2, 2, 2)):
            frame = frame_of(seq, index, pixel_size_um=0.1)
            recording.save(frame)
            recording.add(made_result(frame, {"nuclei": ids, "up": large}, up=2.0, nuclei=1.0))
    for path in (folder, folder / "raw.ome.zarr", folder / "raw.ome.zarr" / "labels", folder / "up.ome.zarr"):
        validate_zarr_store(str(path))
    root: Any = zarr.open_group(folder, mode="r")
    BioFormats2Raw.from_zarr(root)
    assert root["OME"].attrs["ome"]["series"] == ["raw.ome.zarr", "up.ome.zarr"]
    for image in ("raw.ome.zarr", "up.ome.zarr"):
        Image.from_zarr(root[image])
    Labels.from_zarr(root["raw.ome.zarr/labels"])
    ImageLabel.from_zarr(root["raw.ome.zarr/labels/nuclei"])
    (up,) = Reader(parse_url(str(folder / "up.ome.zarr")))()
    assert [level.shape for level in up.data] == [(2, 2, 2, 1100, 40), (2, 2, 2, 550, 20)]
    np.testing.assert_array_equal(np.asarray(up.data[0][1, 1, 1]), large)
    nodes = list(Reader(parse_url(str(folder / "raw.ome.zarr")))())
    shown = next(node for node in nodes if node.data and "nuclei" in str(node.zarr))
    np.testing.assert_array_equal(np.asarray(shown.data[0][0, 1, 0]), ids)


@pytest.mark.parametrize("format", ["ome-tiff", "ndtiff"])
def test_labels_of_frames_in_other_formats_are_aligned_images(tmp_path: Path, format: str) -> None:
    pipeline = Pipeline([Stage("nuclei", circles(tmp_path / "circles"))])
    with Recording(tmp_path / "run", pipeline, format=format) as recording:
        for seq, index in enumerate(acquisition(1, 2, 1, 2)):
            frame = frame_of(seq, index)
            recording.save(frame)
            if seq != 2:
                recording.add(made_result(frame, {"nuclei": noise(SHAPE, "int32", seq)}))
    run = open_recording(tmp_path / "run")
    (images,), (raw,) = run["nuclei"], run["raw"]
    assert images.path == tmp_path / "run" / "nuclei.ome.zarr"
    assert images.raw == raw.path.name
    assert images.labels
    validate_zarr_store(str(images.path))
    assert raw.present.tolist() == [[True, True], [True, True]]
    assert images.present.tolist() == [[True, True], [False, True]]
    np.testing.assert_array_equal(images[1, 1], noise(SHAPE, "int32", 3))


def test_labels_without_raw_frames_are_an_image_of_their_own(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("nuclei", circles(tmp_path / "circles"))])
    with Recording(tmp_path / "run", pipeline) as recording:
        recording.add(made_result(frame_of(0), {"nuclei": noise(SHAPE, "int32", 1)}))
    (images,) = open_recording(tmp_path / "run")["nuclei"]
    assert images.path == tmp_path / "run" / "nuclei.ome.zarr"
    assert images.raw is None
    validate_zarr_store(str(images.path))
    ome: Any = zarr.open_group(images.path, mode="r").attrs["ome"]
    assert "source" not in ome["image-label"]


def test_frames_that_are_saved_elsewhere_have_elements_by_the_same_rules(tmp_path: Path) -> None:
    events = list(enumerate(acquisition(1, 2, 2, 2)))
    with Recording(tmp_path / "run") as recording:
        for seq, index in events:
            if seq != 3:
                frame = frame_of(seq, index)
                recording.add(made_result(frame, plus_one(frame)))
    run = open_recording(tmp_path / "run")
    (images,) = run["plus"]
    assert images.raw is None
    assert images.present.shape == (2, 2, 2)
    for seq, index in events:
        at = (index["t"], index["c"], index["z"])
        if seq == 3:
            with pytest.raises(RecordError, match="its raw frame is not in this recording"):
                images[at]
        else:
            np.testing.assert_array_equal(images[at], noise(SHAPE, "uint16", seq) + np.uint16(1))


def test_no_answer_takes_the_place_of_another(tmp_path: Path) -> None:
    frame = frame_of(0)
    with Recording(tmp_path / "run") as recording:
        recording.save(frame)
        for seed in range(3):
            recording.add(made_result(frame, {"image": noise(SHAPE, "uint8", seed)}))
    run = open_recording(tmp_path / "run")
    assert run.table("results")["image_array"].to_pylist() == [
        "image.ome.zarr",
        "image-1.ome.zarr",
        "image-2.ome.zarr",
    ]
    for seed in range(3):
        np.testing.assert_array_equal(run.answer("image", seed), noise(SHAPE, "uint8", seed), strict=True)


def test_samples_of_several_channels_have_an_image_each(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for seq, index in enumerate(acquisition(1, 2, 2, 2)):
            frame = frame_of(seq, index)
            recording.save(frame)
            recording.add(made_result(frame, {"colours": noise((*SHAPE, 3), "uint8", seq)}))
    run = open_recording(tmp_path / "run")
    assert sorted((images.channel, images.present.shape) for images in run["colours"]) == [(0, (2, 2)), (1, (2, 2))]
    for row, seq in enumerate(run.table("results")["seq"].to_pylist()):
        np.testing.assert_array_equal(run.answer("colours", row), noise((*SHAPE, 3), "uint8", seq), strict=True)
    for images in run["colours"]:
        validate_zarr_store(str(images.path))


def test_an_answer_that_comes_far_too_late_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "REMEMBERED", 5)
    frames = [frame_of(seq) for seq in range(9)]
    with Recording(tmp_path / "run") as recording:
        for frame in frames:
            recording.save(frame)
        recording.add(made_result(frames[8], plus_one(frames[8])))
        with pytest.raises(RecordError, match=r"found an answer to frame run/cam/0/1.*take the results as they come"):
            recording.add(made_result(frames[1], plus_one(frames[1])))
    assert open_recording(tmp_path / "run").table("results").num_rows == 1


def test_objects_name_the_element_of_their_frame(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for seq, index in enumerate(acquisition(2, 2, 1, 2)):
            frame = frame_of(seq, index)
            recording.save(frame)
            recording.add(made_result(frame, {"found": spots(2, seq)}))
    run = open_recording(tmp_path / "run")
    frames = {row["seq"]: row for row in run.table("frames").to_pylist()}
    rows = run.table("found").to_pylist()
    assert len(rows) == 16
    for row in rows:
        frame_row = frames[row["seq"]]
        assert row["raw_array"] == frame_row["array"]
        assert [row["raw_t"], row["raw_c"]] == frame_row["index"]
        assert row["raw_z"] is None
    with open(tmp_path / "run" / "found.csv", newline="") as file:
        assert [row["raw_c"] for row in csv.DictReader(file)] == [str(row["raw_c"]) for row in rows]


@pytest.mark.parametrize("every", [1, 3])
def test_a_rolling_window_keeps_the_answers_to_its_frames_alone(tmp_path: Path, every: int) -> None:
    source = MadeSource(FrameSpec((4, 4)), 400)
    with Recording(tmp_path / "run", keep=20) as recording:
        for frame in recording.tap(source).frames():
            if frame.id.seq % every == 0:
                recording.add(made_result(frame, plus_one(frame)))
    run = open_recording(tmp_path / "run")
    kept = [seq for seq in range(380, 400) if seq % every == 0]
    (images,) = run["plus"]
    assert np.count_nonzero(images.present) == len(kept)
    results = run.table("results")["seq"].to_pylist()
    for row, seq in enumerate(results):
        if seq in kept:
            np.testing.assert_array_equal(run.answer("plus", row), source.pixels(seq) + np.uint16(1), strict=True)
        else:
            with pytest.raises(RecordError, match="outside of the rolling window, expected one of the last 20 frames"):
                run.answer("plus", row)
    (tmp_path / "run" / "plus.ome.zarr" / "present" / "zarr.json").unlink()  # as after a crash: the rows tell it
    np.testing.assert_array_equal(open_recording(tmp_path / "run")["plus"][0].present, images.present)
    for row in run.table("frames").to_pylist():
        if row["seq"] % every == 0:
            np.testing.assert_array_equal(images[row["index"]], source.pixels(row["seq"]) + np.uint16(1))
        else:
            with pytest.raises(RecordError, match="is missing"):
                images[row["index"]]


def test_a_run_that_ended_before_its_first_result_has_nothing_present(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        frame = frame_of(0)
        recording.save(frame)
        recording.add(made_result(frame, plus_one(frame)))
    (tmp_path / "run" / "results.parquet").unlink()
    (tmp_path / "run" / "plus.ome.zarr" / "present" / "zarr.json").unlink()
    (images,) = open_recording(tmp_path / "run")["plus"]
    assert not images.present.any()
    with pytest.raises(RecordError, match="is missing"):
        images[0]


@pytest.mark.parametrize("odd", ["many", "text", "negative", "huge"])
def test_tables_that_name_no_elements_are_refused_in_words(tmp_path: Path, odd: str) -> None:
    with Recording(tmp_path / "run") as recording:
        for seq in range(2):
            frame = frame_of(seq)
            recording.save(frame)
            recording.add(made_result(frame, plus_one(frame)))
    path = tmp_path / "run" / "results.parquet"
    table = pq.read_table(path)
    values: dict[str, Any] = {
        "many": [[0], [1, 2]],
        "text": ["0", "x"],
        "negative": [[0], [-1]],
        "huge": [[0], [2**40]],
    }
    place = table.column_names.index("plus_index")
    pq.write_table(table.set_column(place, "plus_index", pa.array(values[odd])), path)
    (tmp_path / "run" / "plus.ome.zarr" / "present" / "zarr.json").unlink()
    run = open_recording(tmp_path / "run")
    with pytest.raises(RecordError):
        _ = run["plus"][0].present
    with pytest.raises(RecordError):
        run.answer("plus", 1)
