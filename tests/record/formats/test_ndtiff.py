"""Raw frames as NDTiff, read by ndstorage alone."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record.formats import RawAbout, format_of
from onscope.runtime.record.formats._ndtiff import _series, mend

from ._series import CHANNELS, ELEMENTS, SPEC, Element, RawSeriesTests, note, pixels_of, write

ndstorage = pytest.importorskip("ndstorage", reason="ndstorage is not installed: it reads NDTiff")
FORMAT = format_of("ndtiff")
AXES = {"time": "t", "channel": "c", "z": "z"}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    with contextlib.redirect_stdout(io.StringIO()):  # it counts what it reads
        data = ndstorage.Dataset(str(path))
    try:
        yield data
    finally:
        data.close()


class TestNdTiff(RawSeriesTests):
    name = "ndtiff"

    def holds(self, spec: FrameSpec) -> bool:
        return spec.dtype == "uint8" or (spec.dtype == "uint16" and spec.axes == "yx")

    def open_alone(self, about: RawAbout) -> Mapping[Element, np.ndarray[Any, Any]]:
        found: dict[Element, np.ndarray[Any, Any]] = {}
        with opened(about.path) as data:
            for axes in data.get_image_coordinates_list():
                assert axes["position"] == 1
                place = {AXES[name]: value for name, value in axes.items() if name != "position"}
                if "c" in place:
                    place["c"] = CHANNELS.index(place["c"])
                found[tuple(place[axis] for axis in about.leading)] = data.read_image(**axes)
        for stack in about.path.glob("*.tif"):  # and by their own directories
            with tifffile.TiffFile(stack, is_ndtiff=False) as file:
                images = [page.asarray() for page in file.pages]
            for image in images:
                assert any(np.array_equal(image, other) for other in found.values())
        return found


def made(folder: Path, count: int = 12, spec: FrameSpec = SPEC) -> RawAbout:
    about = RawAbout(folder / "raw.ndtiff", spec, "tcz")
    series = FORMAT.make(about)
    write(series, about, ELEMENTS[:count])
    series.close()
    return about


def test_what_is_known_of_the_frames_is_in_the_file(tmp_path: Path) -> None:
    about = made(tmp_path, spec=FrameSpec((24, 17), pixel_size_um=0.25, bit_depth=12, camera="Cam"))
    with opened(about.path) as data:
        assert {name: list(values) for name, values in data.axes.items()} == {
            "position": [1], "time": [0, 1, 2], "channel": sorted(CHANNELS), "z": [0, 1],
        }  # fmt: skip
        assert data.summary_metadata["PixelSize_um"] == 0.25
        assert data.summary_metadata["BitDepth"] == 12
        known = data.read_metadata(time=2, channel=CHANNELS[1], z=1, position=1)
    expected = {
        "Exposure": 10.0, "PixelSizeUm": 0.25, "ElapsedTime-ms": 110.0, "Camera": "Cam 'A' & <B>", "BitDepth": 12,
        "PixelType": "GRAY16", "Channel": CHANNELS[1], "ChannelIndex": 1, "Frame": 2, "SliceIndex": 1,
        "PositionIndex": 1, "XPositionUm": 1.0, "YPositionUm": -2.5, "ZPositionUm": 0.5, "Width": 17, "Height": 24,
        "ReceivedTime": "2027-01-15T08:00:00.110000+00:00",
    }  # fmt: skip
    assert known | expected == known


def test_the_data_set_can_be_opened_while_it_grows(tmp_path: Path) -> None:
    about = RawAbout(tmp_path / "raw.ndtiff", SPEC, "tcz")
    series = FORMAT.make(about)
    for number, at in enumerate(ELEMENTS):
        series.write(at, pixels_of(SPEC, at), note(number, at, "tcz"))[1].result()
        with opened(about.path) as data:
            assert len(data.get_image_coordinates_list()) == number + 1
            pixels = data.read_image(time=at[0], channel=CHANNELS[at[1]], z=at[2], position=1)
            np.testing.assert_array_equal(pixels, pixels_of(SPEC, at))
    series.close()


def test_channels_without_names_are_numbers(tmp_path: Path) -> None:
    about = RawAbout(tmp_path / "raw.ndtiff", SPEC, "tc")
    series = FORMAT.make(about)
    for number in range(2):
        series.write((0, number), pixels_of(SPEC, (0, number)), note(number, (0, number), "tc") | {"labels": {}})
    series.close()
    with opened(about.path) as data:
        np.testing.assert_array_equal(data.read_image(time=0, channel=1, position=1), pixels_of(SPEC, (0, 1)))


def test_channels_of_one_name_are_told_apart(tmp_path: Path) -> None:
    about = RawAbout(tmp_path / "raw.ndtiff", SPEC, "tc")
    labels = ("GFP", "GFP", None)
    series = FORMAT.make(about)
    for number, label in enumerate(labels):
        named = note(number, (0, 0), "tc") | {"labels": {"c": label} if label else {}}
        series.write((0, number), pixels_of(SPEC, (0, number)), named)
    series.close()
    series = FORMAT.resume(about, 3)
    for number in range(3):
        named = note(number, (0, 0), "tc") | {"labels": {}}
        series.write((1, number), pixels_of(SPEC, (1, number)), named)
    series.close()
    with opened(about.path) as data:
        assert list(data.axes["channel"]) == ["2", "GFP", "GFP 1"]
        for number, name in enumerate(("GFP", "GFP 1", "2")):
            for t in range(2):
                pixels = data.read_image(time=t, channel=name, position=1)
                np.testing.assert_array_equal(pixels, pixels_of(SPEC, (t, number)))


@pytest.mark.parametrize("kept", [None, 2, 3, 7, 9])
def test_full_files_are_followed_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int | None) -> None:
    monkeypatch.setattr(_series, "FILE_BYTES", 6000)  # room for three frames
    about = made(tmp_path)
    if kept is not None:
        series = FORMAT.resume(about, kept)
        write(series, about, ELEMENTS[kept:], kept)
        series.close()
    FORMAT.finish(about, ELEMENTS, range(12))
    assert len(list(about.path.glob("*.tif"))) == 4
    assert max(path.stat().st_size for path in about.path.glob("*.tif")) <= 6000
    suite = TestNdTiff()
    suite.check_alone(about, ELEMENTS)
    suite.check(about, ELEMENTS, range(12))
    assert mend(about.path) == []


@pytest.mark.parametrize("cut", [1, 50, 150])
def test_an_entry_that_was_cut_off_is_mended(tmp_path: Path, cut: int) -> None:
    about = made(tmp_path)
    index = about.path / "NDTiff.index"
    index.write_bytes(index.read_bytes()[:-cut])
    done = mend(about.path)
    assert any("of frames that no entry of the index names were removed" in words for words in done), done
    left = 10 if cut > 120 else 11
    TestNdTiff().check_alone(about, ELEMENTS[:left])
    assert len(TestNdTiff().open_alone(about)) == left
    assert mend(about.path) == []


def test_files_of_others_are_not_mended(tmp_path: Path) -> None:
    data = ndstorage.NDTiffDataset(str(tmp_path), name="other", writable=True)
    data.initialize({"PixelSize_um": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ndstorage.ndtiff_file.MAX_FILE_SIZE", 1 << 24)
        data.put_image({"time": 0}, np.zeros((4, 4), np.uint16), b"{}")
        data.finish()
    (folder,) = tmp_path.iterdir()
    with pytest.raises(RecordError, match="written by another program"):
        mend(folder)


def test_images_that_lost_their_pixels_are_not_cut_away(tmp_path: Path) -> None:
    about = made(tmp_path)
    stack = about.path / "NDTiffStack.tif"
    data = stack.read_bytes()
    stack.write_bytes(data[: len(data) // 2])
    with pytest.raises(RecordError, match=r"of 12 images of .* without pixels"):
        mend(about.path)
    assert stack.read_bytes() == data[: len(data) // 2]


def test_a_rolling_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="rolling window for NDTiff"):
        FORMAT.make(RawAbout(tmp_path / "raw.ndtiff", SPEC, length=20))
