"""Raw frames as OME-TIFF, read by tifffile alone, and their OME-XML by ome-types."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record.formats import RawAbout, format_of
from onscope.runtime.record.formats._ometiff import mend
from onscope.runtime.record.formats._tiff import BIG

from ._series import CHANNELS, ELEMENTS, SPEC, Element, RawSeriesTests, note, pixels_of, write

ome_types = pytest.importorskip("ome_types", reason="ome-types is not installed: it reads the OME-XML")
FORMAT = format_of("ome-tiff")


class TestOmeTiff(RawSeriesTests):
    name = "ome-tiff"

    def open_alone(self, about: RawAbout) -> Mapping[Element, np.ndarray[Any, Any]]:
        with tifffile.TiffFile(about.path) as file:
            pixels = ome_types.from_xml(file.ome_metadata).images[0].pixels
            found: dict[Element, np.ndarray[Any, Any]] = {}
            for block in pixels.tiff_data_blocks:
                first = (block.first_t, block.first_c, block.first_z)
                sizes = (pixels.size_t, len(pixels.channels), pixels.size_z)
                element = int(np.ravel_multi_index(first, sizes))
                for n in range(block.plane_count):
                    t, c, z = map(int, np.unravel_index(element + n, sizes))
                    at = tuple({"t": t, "c": c, "z": z}[axis] for axis in about.leading)
                    found[at] = file.pages[block.ifd + n].asarray()
            # The same by tifffile's own way from the XML to the pixels.
            whole = (
                file.series[0].asarray().reshape(pixels.size_t, len(pixels.channels), pixels.size_z, *about.spec.shape)
            )
        for at, image in found.items():
            t, c, z = (dict(zip(about.leading, at, strict=True)).get(axis, 0) for axis in "tcz")
            np.testing.assert_array_equal(whole[t, c, z], image)
        return found


def made(folder: Path, count: int = 12, spec: FrameSpec = SPEC) -> RawAbout:
    """A file of so many frames that was not finished."""
    about = RawAbout(folder / "raw.ome.tif", spec, "tcz")
    series = FORMAT.make(about)
    write(series, about, ELEMENTS[:count])
    series.close()
    return about


def pages_of(path: Path) -> list[np.ndarray[Any, Any]]:
    with tifffile.TiffFile(path) as file:
        return [page.asarray() for page in file.pages]


def test_what_is_known_of_the_frames_is_in_the_file(tmp_path: Path) -> None:
    about = made(tmp_path)
    FORMAT.finish(about, ELEMENTS, range(12))
    with tifffile.TiffFile(about.path) as file:
        image = ome_types.from_xml(file.ome_metadata).images[0]
        assert file.pages.first.tags["XResolution"].value == (40_000_000, 1000)  # 0.25 um, in pixels per cm
    pixels = image.pixels
    assert (pixels.size_t, pixels.size_c, pixels.size_z) == (3, 2, 2)
    assert (pixels.physical_size_x, pixels.physical_size_x_unit.value) == (0.25, "µm")
    assert [channel.name for channel in pixels.channels] == list(CHANNELS)
    assert image.acquisition_date.isoformat() == "2027-01-15T08:00:00+00:00"
    last = pixels.planes[-1]
    assert (last.the_t, last.the_c, last.the_z) == (2, 1, 1)
    assert (last.delta_t, last.exposure_time, last.exposure_time_unit.value) == (0.11, 10.0, "ms")
    assert (last.position_x, last.position_y, last.position_z, last.position_z_unit.value) == (1.0, -2.5, 0.5, "µm")
    assert [(block.ifd, block.plane_count) for block in pixels.tiff_data_blocks] == [(0, 12)]


def test_the_file_can_be_opened_while_it_grows(tmp_path: Path) -> None:
    about = RawAbout(tmp_path / "raw.ome.tif", SPEC, "tcz")
    series = FORMAT.make(about)
    for number, at in enumerate(ELEMENTS):
        series.write(at, pixels_of(SPEC, at), note(number, at, "tcz"))[1].result()
        with tifffile.TiffFile(about.path) as file:
            assert ome_types.from_xml(file.ome_metadata).images[0].pixels.size_t == number + 1
            assert file.series[0].shape[: -2 if number else None] == ((number + 1,) if number else SPEC.shape)
            np.testing.assert_array_equal(file.pages[number].asarray(), pixels_of(SPEC, at))
    series.close()


@pytest.mark.parametrize("cut", [1, 100, 2000])
def test_a_page_that_was_cut_off_is_mended(tmp_path: Path, cut: int) -> None:
    about = made(tmp_path)
    data = about.path.read_bytes()
    about.path.write_bytes(data[: -min(cut, len(data) - 100)])
    done = mend(about.path)
    assert len(done) == 2, done
    assert "of a frame that was never finished were removed" in done[0]
    left = pages_of(about.path)
    assert "OME-XML of" in done[1]
    assert 9 < len(left) < 12
    for at, pixels in zip(ELEMENTS, left, strict=False):
        np.testing.assert_array_equal(pixels, pixels_of(SPEC, at))
    assert mend(about.path) == []


def test_bytes_that_are_not_in_the_chain_are_mended(tmp_path: Path) -> None:
    about = made(tmp_path)
    with open(about.path, "ab") as file:
        file.write(bytes(1000))
    assert len(mend(about.path)) == 2
    assert mend(about.path) == []
    assert len(pages_of(about.path)) == 12


def test_a_file_without_frames_is_whole(tmp_path: Path) -> None:
    about = RawAbout(tmp_path / "raw.ome.tif", SPEC, "t")
    FORMAT.make(about).close()
    assert mend(about.path) == []


@pytest.mark.parametrize(
    "data", [b"", b"II", b"no TIFF at all, whatever its name says", BIG.header.pack(b"MM", 43, 8, 0, 16)]
)
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "raw.ome.tif"
    path.write_bytes(data)
    with pytest.raises(RecordError, match="cannot be read"):
        mend(path)
    with pytest.raises(RecordError, match="cannot be read"):
        FORMAT.read(RawAbout(path, SPEC))
    assert path.read_bytes() == data


def test_files_that_lie_are_refused(tmp_path: Path) -> None:
    about = made(tmp_path)
    data = bytearray(about.path.read_bytes())
    circle = bytearray(data)
    with tifffile.TiffFile(about.path) as file:
        (count,) = struct.unpack_from("<Q", data, file.pages[0].offset)
        struct.pack_into("<Q", circle, file.pages[0].offset + 8 + 20 * count, file.pages[0].offset)
    about.path.write_bytes(circle)
    with pytest.raises(ValueError, match="whole pages"):
        FORMAT.read(about).read(ELEMENTS[1], 1)
    for place in range(16, 600, 3):  # in the first directory
        broken = bytearray(data)
        broken[place] ^= 0xFF
        about.path.write_bytes(broken)
        try:
            found = FORMAT.read(about).read(ELEMENTS[0], 0)
        except (RecordError, ValueError):
            continue
        np.testing.assert_array_equal(found, pixels_of(SPEC, ELEMENTS[0]))


def test_the_element_of_a_row_must_be_that_of_the_page(tmp_path: Path) -> None:
    about = made(tmp_path)
    with pytest.raises(ValueError, match="is of the element"):
        FORMAT.read(about).read(ELEMENTS[2], 1)


def test_a_rolling_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="rolling window for OME-TIFF"):
        FORMAT.make(RawAbout(tmp_path / "raw.ome.tif", SPEC, length=20))
