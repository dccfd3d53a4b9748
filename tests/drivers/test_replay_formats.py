"""Replay of what other programs wrote: NDTiff, OME-Zarr, OME-TIFF of several positions."""

from __future__ import annotations

import contextlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from onscope.drivers import replay
from onscope.runtime import Frame, SourceError, now_ns

from .stored import SHAPE, numbered

ndstorage = pytest.importorskip("ndstorage")
UNITS = {"t": ("time", "second"), "c": ("channel", None), "z": ("space", "micrometer"), "p": ("other", None)}


def frames(path: Path, **options: Any) -> list[Frame]:
    return list(replay(path, **options).frames())


def oracle(path: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        return ndstorage.Dataset(str(path))


def write_ndtiff(folder: Path, images: list[tuple[dict[str, Any], np.ndarray[Any, Any], dict[str, Any]]]) -> Path:
    """A data set by ndstorage; returns its folder."""
    data = ndstorage.NDTiffDataset(str(folder), name="made", summary_metadata={"PixelSize_um": 0.5}, writable=True)
    data.initialize({"PixelSize_um": 0.5})
    for axes, pixels, tags in images:
        data.put_image(axes, pixels, tags)
    data.finish()
    return folder / "made_1"


@pytest.mark.real_data
def test_real_ndtiff_is_what_ndstorage_reads(shared_data: Path) -> None:
    place = shared_data / "ndtiff_micromanager" / "v3"
    stacks, channels = place / "ndtiff3.2_monochrome", place / "12_bit_pycromanager_mda"
    found = frames(stacks, fps=None)
    data = oracle(stacks)
    assert len(found) == 128
    assert [frame.id.seq for frame in found] == list(range(128))
    for frame in found[::7]:
        where = {"time": frame.index["t"], "z": frame.index["z"]}
        np.testing.assert_array_equal(frame.pixels, data.read_image(**where))
    assert {(frame.id.camera, frame.exposure_ms, frame.pixel_size_um) for frame in found} == {("Camera", 10.0, 1.0)}
    data = oracle(channels)
    found = frames(channels)
    assert [(frame.index["t"], frame.labels["c"]) for frame in found[:3]] == [(0, "DAPI"), (0, "FITC"), (1, "DAPI")]
    for frame in found:
        pixels = data.read_image(time=frame.index["t"], channel=frame.labels["c"])
        np.testing.assert_array_equal(frame.pixels, pixels)
    picked = frames(channels, pick="c=1", speed=1000)
    assert [(dict(frame.index), frame.id.seq) for frame in picked] == [({"t": t, "c": 1}, t) for t in range(4)]
    (stack,) = channels.glob("*.tif")
    assert len(frames(stack)) == 8


def test_ndtiff_with_positions_times_and_missing_images(tmp_path: Path) -> None:
    pixels = numbered(8)
    images, number = [], 0
    for t in range(2):
        for p in range(2):
            for c, name in enumerate(("DAPI", "GFP")):
                tags = {"ElapsedTime-ms": 40.0 * number, "Exposure": "12.5", "PixelSizeUm": 0.5, "Camera": "left"}
                tags |= {"XPositionUm": 1.0 * p, "YPositionUm": 2.0, "ZPositionUm": 3.0, "PositionName": f"well {p}"}
                if (t, p, c) != (0, 1, 1):
                    images.append(({"time": t, "position": p, "channel": name}, pixels[number], tags))
                number += 1
    folder = write_ndtiff(tmp_path, images)
    source = replay(folder)
    assert (source.spec().camera, source.spec().pixel_size_um) == ("left", 0.5)
    found = list(source.frames())
    assert [frame.id.seq for frame in found] == [0, 1, 2, 4, 5, 6, 7], "one is missing"
    for frame in found:
        np.testing.assert_array_equal(frame.pixels, pixels[frame.id.seq])
        place = frame.index["t"], frame.index["p"], frame.index["c"]
        assert np.ravel_multi_index(place, (2, 2, 2)) == frame.id.seq
        assert dict(frame.labels) == {"c": ("DAPI", "GFP")[place[2]], "p": f"well {place[1]}"}
        assert (frame.exposure_ms, frame.stage_um) == (12.5, (float(place[1]), 2.0, 3.0))
    began_ns = now_ns()
    assert frames(folder, speed=4.0)[-1].received_ns - began_ns >= 280e6 / 4


def test_ndtiff_without_a_grid_is_counted(tmp_path: Path) -> None:
    pixels = numbered(3)
    axes: list[dict[str, Any]] = [{"time": 0, "z": 0}, {"time": 1}, {"time": 5, "z": -2}]
    folder = write_ndtiff(tmp_path, [(each, pixels[k], {}) for k, each in enumerate(axes)])
    found = frames(folder)
    assert [frame.id.seq for frame in found] == [0, 1, 2]
    assert [dict(frame.index) for frame in found] == [{"t": 0, "z": 2}, {"t": 1}, {"t": 5, "z": 0}]
    np.testing.assert_array_equal([frame.pixels for frame in found], pixels)


def entry(axes: str, name: str, *numbers: int) -> bytes:
    return b"".join(struct.pack("<I", len(text)) + text.encode() for text in (axes, name)) + struct.pack(
        "<8I", *numbers
    )


@pytest.mark.parametrize(
    "index",
    [
        b"\x05",
        b"\xff\xff\xff\x7fabc",
        entry("{}", "../secret.tif", 0, 7, 5, 1, 0, 0, 0, 0),
        entry("{}", "/etc/passwd", 0, 7, 5, 1, 0, 0, 0, 0),
        entry("[1]", "a.tif", 0, 7, 5, 1, 0, 0, 0, 0),
        entry('{"time": {}}', "a.tif", 0, 7, 5, 1, 0, 0, 0, 0),
        entry('{"time": 0}', "a.tif", 0, 7, 5, 99, 0, 0, 0, 0),
        entry('{"time": 0}', "a.tif", 0, 0, 5, 1, 0, 0, 0, 0),
        entry('{"time": 0}', "a.tif", 0, 1 << 31, 1 << 31, 1, 0, 0, 0, 0),
        entry('{"time": 0}', "missing.tif", 0, 7, 5, 1, 0, 0, 0, 0),
        entry('{"time": 0}', "a.tif", 90, 7, 5, 1, 0, 0, 0, 0),
        entry('{"time": 0}', "a.tif", 0, 7, 5, 1, 0, 0, 9, 0),
        b"",
    ],
)
def test_a_hostile_index_is_refused(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "a.tif").write_bytes(b"x" * 100)
    (tmp_path / "NDTiff.index").write_bytes(index)
    with pytest.raises(SourceError, match=r"found .*expected .*: "):
        frames(tmp_path)


def write_zarr(
    folder: Path, images: np.ndarray[Any, Any], axes: str, version: int, missing: tuple[int, ...] | None = None
) -> None:
    """An OME-Zarr image by zarr-python, one chunk per plane; one of them is not written."""
    group = zarr.open_group(folder, mode="w", zarr_format=3 if version == 5 else 2)
    chunks = (*([1] * (images.ndim - 2)), *images.shape[-2:])
    array = group.create_array("0", shape=images.shape, dtype=images.dtype, chunks=chunks)
    for place in np.ndindex(*images.shape[:-2]):
        if place != missing:
            array[place] = images[place]
    described = []
    for name in axes:
        kind, unit = UNITS.get(name, ("space", "micrometer"))
        described.append({"name": name, "type": kind} | ({"unit": unit} if unit else {}))
    scale = [{"t": 0.5, "y": 0.25, "x": 0.25}.get(name, 1.0) for name in axes]
    transformation = [{"type": "scale", "scale": scale}]
    ome = {
        "multiscales": [{"axes": described, "datasets": [{"path": "0", "coordinateTransformations": transformation}]}]
    }
    more: dict[str, Any] = {"omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}}
    group.attrs.update({"ome": {"version": "0.5", **ome, **more}} if version == 5 else {**ome, **more})


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("axes", ["yx", "tyx", "czyx", "tczyx", "ztyx"])
def test_ome_zarr_of_any_axes(tmp_path: Path, version: int, axes: str) -> None:
    sizes = tuple({"t": 3, "c": 2, "z": 4}[axis] for axis in axes[:-2])
    count = int(np.prod(sizes))
    images = (numbered(count) + 1).reshape(*sizes, *SHAPE)
    write_zarr(tmp_path / "a.zarr", images, axes, version)
    source = replay(tmp_path / "a.zarr")
    assert (source.spec().shape, source.spec().pixel_size_um) == (SHAPE, 0.25)
    found = list(source.frames())
    assert [frame.id.seq for frame in found] == list(range(count))
    for frame in found:
        source.spec().check(frame.pixels)
        np.testing.assert_array_equal(frame.pixels, images[tuple(frame.index[axis] for axis in axes[:-2])])
        if "c" in axes:
            assert frame.labels["c"] == ("DAPI", "GFP")[frame.index["c"]]
    if "c" in axes:
        picked = frames(tmp_path / "a.zarr", pick={"c": 1})
        assert {frame.index["c"] for frame in picked} == {1}
        assert [frame.id.seq for frame in picked] == list(range(count // 2))
    if "t" in axes:
        began_ns = now_ns()
        assert max(frame.received_ns for frame in frames(tmp_path / "a.zarr", speed=100)) - began_ns >= 10e6


@pytest.mark.parametrize("version", [4, 5])
def test_chunks_that_are_not_there_are_lost_frames(tmp_path: Path, version: int) -> None:
    images = (numbered(6) + 1).reshape(3, 2, *SHAPE)
    write_zarr(tmp_path / "a.zarr", images, "tcyx", version, missing=(1, 0))
    found = frames(tmp_path / "a.zarr")
    assert [frame.id.seq for frame in found] == [0, 1, 3, 4, 5]
    for frame in found:
        np.testing.assert_array_equal(frame.pixels, images[frame.index["t"], frame.index["c"]])


def test_elements_that_are_missing_in_a_shard_are_lost_frames(tmp_path: Path) -> None:
    images = (numbered(6) + 1).reshape(3, 2, *SHAPE)
    write_zarr(tmp_path / "a.zarr", images, "tcyx", 5)
    group = zarr.open_group(tmp_path / "a.zarr", mode="r+")
    del group["0"]
    group.create_array("0", shape=images.shape, dtype="uint16", chunks=(1, 1, *SHAPE), shards=(3, 2, *SHAPE))
    images[1, 0] = 0  # what has the value of an empty chunk is not stored
    group["0"][:] = images  # type: ignore[index]
    assert [frame.id.seq for frame in frames(tmp_path / "a.zarr")] == [0, 1, 3, 4, 5]


def test_a_plate_and_a_collection(tmp_path: Path) -> None:
    images = (numbered(6) + 1).reshape(3, 2, *SHAPE)
    plate = zarr.open_group(tmp_path / "plate.zarr", mode="w")
    plate.attrs["ome"] = {"version": "0.5", "plate": {"wells": [{"path": "A/1"}, {"path": "B/2"}]}}
    for number, well in enumerate(("A/1", "B/2")):
        group = plate.create_group(well)
        group.attrs["ome"] = {"version": "0.5", "well": {"images": [{"path": "0"}]}}
        write_zarr(tmp_path / "plate.zarr" / well / "0", images + 10 * number, "tcyx", 5)
    found = frames(tmp_path / "plate.zarr")
    assert [(frame.index["p"], frame.labels["p"]) for frame in found[::6]] == [(0, "A/1/0"), (1, "B/2/0")]
    for frame in found:
        p, t, c = (frame.index[axis] for axis in "ptc")
        np.testing.assert_array_equal(frame.pixels, images[t, c] + 10 * p)
    assert len(frames(tmp_path / "plate.zarr", pick="p=1,c=0")) == 3
    with pytest.raises(SourceError, match="p=2: pick what is there"):
        replay(tmp_path / "plate.zarr", pick="p=2")
    collection = zarr.open_group(tmp_path / "all.zarr", mode="w", zarr_format=2)
    collection.attrs["bioformats2raw.layout"] = 3
    for number in range(2):
        write_zarr(tmp_path / "all.zarr" / str(number), images + number, "tcyx", 4)
    assert [int(frame.pixels[0, 0]) for frame in frames(tmp_path / "all.zarr", pick="c=0")] == [1, 3, 5, 2, 4, 6]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"multiscales": []},
        {"multiscales": [{"axes": "tyx", "datasets": 3}]},
        {"multiscales": [{"axes": [{"name": "x"}, {"name": "y"}], "datasets": [{"path": "0"}]}]},
        {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "../../secret"}]}]},
        {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "nowhere"}]}]},
        {"multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "0"}]}]},
        {"plate": {"wells": [{"path": "../.."}]}},
        {"plate": {"wells": 5}},
        {"well": {}},
        {"bioformats2raw.layout": 3},
    ],
)
def test_hostile_metadata_are_refused(tmp_path: Path, attributes: dict[str, Any]) -> None:
    write_zarr(tmp_path / "a.zarr", numbered(4).reshape(2, 2, *SHAPE), "tcyx", 5)
    path = tmp_path / "a.zarr" / "zarr.json"
    content = json.loads(path.read_text())
    content["attributes"] = {"ome": attributes}
    path.write_text(json.dumps(content))
    with pytest.raises(SourceError, match=r"found .*expected .*"):
        frames(tmp_path / "a.zarr")


def test_a_damaged_chunk_is_told(tmp_path: Path) -> None:
    write_zarr(tmp_path / "a.zarr", numbered(3) + 1, "tyx", 5)
    (tmp_path / "a.zarr" / "0" / "c" / "1" / "0" / "0").write_bytes(b"nothing")
    given = []
    with pytest.raises(SourceError, match="cannot be read"):
        given += [frame.id.seq for frame in replay(tmp_path / "a.zarr").frames()]
    (tmp_path / "b.zarr").mkdir()
    (tmp_path / "b.zarr" / "zarr.json").write_text("{")
    with pytest.raises(SourceError, match="cannot be read"):
        replay(tmp_path / "b.zarr")


def write_ome_tiff(path: Path, images: np.ndarray[Any, Any]) -> None:
    """Positions of t and c, with times, exposures and stage positions per plane."""
    with tifffile.TiffWriter(path) as file:
        for p, each in enumerate(images):
            planes = each.shape[0] * each.shape[1]
            plane = {
                "DeltaT": [100.0 * k for k in range(planes)],
                "DeltaTUnit": ["ms"] * planes,
                "ExposureTime": [0.01] * planes,
                "PositionX": [float(p)] * planes,
                "PositionY": [2.0] * planes,
                "PositionZ": [3.0] * planes,
            }
            metadata = {"axes": "TCYX", "Name": f"well {p}", "PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm"}
            channels = {"Channel": {"Name": ["DAPI", "GFP"]}, "Plane": plane}
            file.write(each, photometric="minisblack", metadata=metadata | channels)


def test_ome_tiff_of_several_positions_with_what_its_xml_says(tmp_path: Path) -> None:
    images = numbered(12).reshape(2, 3, 2, *SHAPE)
    write_ome_tiff(tmp_path / "a.ome.tif", images)
    source = replay(tmp_path / "a.ome.tif")
    assert source.spec().pixel_size_um == 0.25
    found = list(source.frames())
    assert [frame.id.seq for frame in found] == list(range(12))
    for frame in found:
        p, t, c = (frame.index[axis] for axis in "ptc")
        np.testing.assert_array_equal(frame.pixels, images[p, t, c])
        assert (frame.exposure_ms, frame.stage_um) == (10.0, (float(p), 2.0, 3.0))
        assert dict(frame.labels) == {"c": ("DAPI", "GFP")[c], "p": f"well {p}"}
    began_ns = now_ns()
    picked = frames(tmp_path / "a.ome.tif", pick="p=1,c=0", speed=10)
    np.testing.assert_array_equal([frame.pixels for frame in picked], images[1, :, 0])
    assert picked[-1].received_ns - began_ns >= 40e6
    with pytest.raises(SourceError, match="p=2: pick"):
        replay(tmp_path / "a.ome.tif", pick="p=2")


def test_ome_xml_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="5" SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0">'
        '<UUID FileName="../secret.tif">urn:uuid:1</UUID></TiffData></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", numbered(1)[0], description=xml, metadata=None)
    with pytest.raises(SourceError, match="expected files beside it"):
        frames(tmp_path / "a.ome.tif")


def test_planes_of_a_file_that_is_not_there_are_lost_frames(tmp_path: Path) -> None:
    """As Micro-Manager splits an acquisition: each file describes all of them."""
    images = numbered(4)
    blocks = "".join(
        f'<TiffData FirstT="{t}" IFD="{t % 2}" PlaneCount="1"><UUID FileName="{"ab"[t // 2]}.ome.tif">urn:uuid:'
        f"0000000{t // 2}-0000-0000-0000-000000000000</UUID></TiffData>"
        for t in range(4)
    )
    for number, name in enumerate("ab"):
        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:0000000{number}-0000-0000-0000-000000000000"><Image ID="Image:0"><Pixels ID="Pixels:0" '
            'DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="5" SizeZ="1" SizeC="1" SizeT="4">'
            f'<Channel ID="Channel:0" SamplesPerPixel="1"/>{blocks}</Pixels></Image></OME>'
        )
        with tifffile.TiffWriter(tmp_path / f"{name}.ome.tif") as file:
            for k in range(2):
                pixels = images[2 * number + k]
                file.write(pixels, description=xml if k == 0 else None, metadata=None, contiguous=False)
    whole = frames(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal([frame.pixels for frame in whole], images)
    (tmp_path / "b.ome.tif").unlink()
    left = frames(tmp_path / "a.ome.tif")
    assert [frame.id.seq for frame in left] == [0, 1]
    np.testing.assert_array_equal([frame.pixels for frame in left], images[:2])
