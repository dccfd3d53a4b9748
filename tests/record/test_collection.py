"""A recording as a collection: the acquisition's axes, what is missing, and other libraries that open and check it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
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
from yaozarrs import validate_zarr_store

from onscope.runtime import Frame, FrameId, FrameSpec, RecordError
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record.verify import verify

from ._made import MadeSource, made_result, noise

SHAPE = (16, 12)
LOST = (1, 0, 1, 1)
"""The time point, position, channel and plane of the frame that was lost."""
FORMATS = ["ome-zarr", "ome-tiff", "ndtiff"]


def stacks(times: int = 3) -> dict[tuple[int, int, int, int], Frame]:
    """Frames of two positions, two channels and three planes, by time point, position, channel and plane."""
    found = {}
    for seq, (t, p, c, z) in enumerate(product(range(times), range(2), range(2), range(3))):
        if (t, p, c, z) != LOST:
            who = FrameId("run", "cam", 0, seq)
            index = {"t": t, "p": p, "c": c, "z": z}
            found[t, p, c, z] = Frame(who, noise(SHAPE, "uint16", seq), index=index, pixel_size_um=0.1)
    return found


def save(folder: Path, *frames: Frame, **options: Any) -> None:
    with Recording(folder, **options) as recording:
        for frame in frames:
            recording.save(frame)


def check_by_others(folder: Path) -> None:
    """Every library that knows the format says that it is one, and opens it."""
    validate_zarr_store(str(folder))
    BioFormats2Raw.from_zarr(zarr.open_group(folder, mode="r"))
    root: Any = zarr.open_group(folder, mode="r")
    for name in root["OME"].attrs["ome"]["series"]:
        validate_zarr_store(str(folder / name))
        Image.from_zarr(zarr.open_group(folder / name, mode="r"))
        located = parse_url(str(folder / name))
        assert located is not None
        (node,) = Reader(located)()
        assert node.data[0].shape == root[f"{name}/0"].shape
        np.testing.assert_array_equal(np.asarray(node.data[0]), root[f"{name}/0"][:])


@pytest.mark.filterwarnings("ignore")
def test_others_open_a_collection_with_the_acquisitions_axes(tmp_path: Path) -> None:
    frames = stacks()
    colour = list(MadeSource(FrameSpec((20, 10, 3), "uint8", "yxs", camera="B"), 4).frames())
    save(tmp_path / "run", *frames.values(), *colour)
    check_by_others(tmp_path / "run")
    root: Any = zarr.open_group(tmp_path / "run", mode="r")
    assert root.attrs["ome"]["bioformats2raw.layout"] == 3
    assert root.attrs["onscope"] == {"schema": 3}
    assert root["OME"].attrs["ome"]["series"] == ["raw.ome.zarr", "raw-1.ome.zarr", "raw-2.ome.zarr"]
    for position, name in enumerate(["raw.ome.zarr", "raw-1.ome.zarr"]):
        pixels, present = root[f"{name}/0"], root[f"{name}/present"]
        assert pixels.metadata.dimension_names == tuple("tczyx")
        assert present.metadata.dimension_names == tuple("tcz")
        assert (pixels.shape, present.shape, pixels.chunks) == ((3, 2, 3, *SHAPE), (3, 2, 3), (1, 1, 1, *SHAPE))
        for (t, p, c, z), frame in frames.items():
            if p == position:
                np.testing.assert_array_equal(pixels[t, c, z], frame.pixels)
        assert np.argwhere(~present[:]).tolist() == ([[1, 1, 1]] if position == 0 else [])
        axes = root[name].attrs["ome"]["multiscales"][0]["axes"]
        assert [axis["name"] for axis in axes] == list("tczyx")
    assert root["raw-2.ome.zarr/0"].shape == (4, 3, 20, 10)
    assert root["raw-2.ome.zarr/present"][:].all()


def test_axes_say_what_the_frames_said(tmp_path: Path) -> None:
    """Pass: names of channels, seconds along t and micrometres along z are those of the frames."""
    names = {0: "DAPI", 1: "Cy5"}
    frames = [
        replace(
            frame,
            labels={"c": names[c]},
            received_ns=10**9 * (10 + 30 * t + z) + c,
            stage_um=(0.0, 0.0, 5 - 0.75 * z),
        )
        for (t, p, c, z), frame in stacks().items()
    ]
    with Recording(tmp_path / "run") as recording:
        for frame in frames:
            recording.save(frame)
            recording.add(made_result(frame, {"plus": frame.pixels}))
    check_by_others(tmp_path / "run")
    root: Any = zarr.open_group(tmp_path / "run", mode="r")
    for name in ("raw.ome.zarr", "plus.ome.zarr"):
        (level,) = root[name].attrs["ome"]["multiscales"][0]["datasets"]
        assert level["coordinateTransformations"][0] == {"type": "scale", "scale": [30.0, 1.0, 0.75, 0.1, 0.1]}
    ome = root["raw.ome.zarr"].attrs["ome"]
    units = {axis["name"]: axis.get("unit") for axis in ome["multiscales"][0]["axes"]}
    assert units == {"t": "second", "c": None, "z": "micrometer", "y": "micrometer", "x": "micrometer"}
    assert [channel["label"] for channel in ome["omero"]["channels"]] == ["DAPI", "Cy5"]
    for path in (tmp_path / "run").rglob("zarr.json"):
        json.loads(path.read_text())
    assert verify(tmp_path / "run", sample=0).good


def test_axes_of_which_nothing_was_said(tmp_path: Path) -> None:
    who = FrameId("run", "cam", 0, 0)
    save(tmp_path / "run", Frame(who, noise(SHAPE, "uint16", 0), index={"t": 0, "c": 1}))
    ome = json.loads((tmp_path / "run" / "raw.ome.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    assert "omero" not in ome
    assert ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] == [1.0] * 4


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_back_what_was_saved(tmp_path: Path, format: str) -> None:
    frames = list(stacks().values())
    frames += MadeSource(FrameSpec((20, 10, 3), "uint8", "yxs", camera="B"), 4).frames()
    if format != "ndtiff":  # which has no floats
        frames += MadeSource(FrameSpec((7, 5), "float32", camera="C"), 3).frames()
    save(tmp_path / "run", *frames, format=format)
    run = open_recording(tmp_path / "run")
    assert [frame.id for frame in run.frames()] == [frame.id for frame in frames]
    assert run.verify() == []
    for frame, saved in zip(frames, run.frames(), strict=True):
        np.testing.assert_array_equal(saved.pixels, frame.pixels, strict=True)
        assert dict(saved.index) == dict(frame.index)
    first = run["raw"][0]
    assert (first.along, first.present.shape, int(first.present.sum())) == ("tcz", (3, 2, 3), 17)
    np.testing.assert_array_equal(first[2, 1, 0], stacks()[2, 0, 1, 0].pixels)
    with pytest.raises(RecordError, match="is missing"):
        first[1, 1, 1]
    pages = run.table("frames")["page"]
    assert pages.null_count == (len(frames) if format == "ome-zarr" else 0)


def test_channels_of_colour_stacks_are_images_with_the_samples_as_c(tmp_path: Path) -> None:
    frames = [
        Frame(
            FrameId("run", "rgb", 0, n), noise((8, 6, 3), "uint8", n), "yxs", {"t": n // 6, "c": n % 2, "z": n // 2 % 3}
        )
        for n in range(12)
    ]
    save(tmp_path / "run", *frames)
    validate_zarr_store(str(tmp_path / "run"))
    run = open_recording(tmp_path / "run")
    assert run.verify() == []
    for channel, images in enumerate(run["raw"]):
        assert (images.along, images.present.shape, bool(images.present.all())) == ("tz", (2, 3), True)
        np.testing.assert_array_equal(images[1, 2], frames[10 + channel].pixels)
        stored: Any = zarr.open_array(images.path / "0", mode="r")
        assert (stored.shape, stored.metadata.dimension_names) == ((2, 3, 3, 8, 6), tuple("tczyx"))


@pytest.mark.parametrize("format", FORMATS[1:])
def test_a_rolling_window_needs_elements_that_can_be_written_again(tmp_path: Path, format: str) -> None:
    with pytest.raises(RecordError, match="found a rolling window with"):
        Recording(tmp_path / "run", keep=10, format=format)
    assert not (tmp_path / "run").exists()


def test_a_rolling_window_of_stacks_is_counted_as_it_came(tmp_path: Path) -> None:
    frames = list(stacks(20).values())
    save(tmp_path / "run", *frames, keep=10)
    run = open_recording(tmp_path / "run")
    assert [frame.id for frame in run.frames()] == [frame.id for frame in frames[-10:]]
    assert run.verify() == []
    validate_zarr_store(str(tmp_path / "run"))
    (images,) = run["raw"]
    assert (images.along, int(images.present.sum())) == ("t", 10)
    assert len(list((tmp_path / "run" / "raw.ome.zarr" / "0" / "c").iterdir())) == 10, "the others are let go"


INDICES = st.dictionaries(st.sampled_from(["t", "c", "z", "p", "g"]), st.integers(-1, 3), max_size=4)


@pytest.mark.long
@settings(max_examples=10, deadline=None)
@given(indices=st.lists(st.tuples(INDICES, st.integers(0, 2)), min_size=1, max_size=25))
def test_frames_of_any_position_come_back(tmp_path_factory: pytest.TempPathFactory, indices: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("r") / "run"
    frames, seq = [], -1
    for index, lost in indices:
        seq += 1 + lost
        frames.append(Frame(FrameId("r", "cam", 0, seq), noise((3, 4), "uint8", seq), index=index))
    save(folder, *frames)
    run = open_recording(folder)
    assert [(frame.id, dict(frame.index)) for frame in run.frames()] == [(each.id, dict(each.index)) for each in frames]
    assert run.verify() == []
    validate_zarr_store(str(folder))
    assert sum(int(images.present.sum()) for images in run["raw"]) == len(frames)


def test_an_unknown_format_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"named 'bmp', expected one of ome-zarr, ome-tiff, ndtiff"):
        Recording(tmp_path / "run", format="bmp")
    assert not (tmp_path / "run").exists()


def test_a_recording_of_the_layout_before_is_opened(tmp_path: Path) -> None:
    source = MadeSource(FrameSpec(SHAPE), 5)
    folder = tmp_path / "run"
    save(folder, *source.frames())
    table = pq.read_table(folder / "frames.parquet")
    numbers = pa.array([at for (at,) in table["index"].to_pylist()], pa.int64())
    before = table.drop_columns(["page"]).set_column(table.column_names.index("index"), "index", numbers)
    pq.write_table(before, folder / "frames.parquet")
    manifest = json.loads((folder / "recording.json").read_text())
    manifest["schema"] = 2
    for image in manifest["images"]:
        for name in ("along", "format", "length"):
            del image[name]
    (folder / "recording.json").write_text(json.dumps(manifest))
    (folder / "zarr.json").unlink()
    run = open_recording(folder)
    assert (len(run), run.verify()) == (5, [])
    assert run.table("frames")["index"].to_pylist() == [[n] for n in range(5)]
    np.testing.assert_array_equal(run.images["raw.ome.zarr"][3], source.pixels(3))
