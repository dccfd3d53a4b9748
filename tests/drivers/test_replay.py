"""Replay of stacks, folders and recordings."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from onscope.drivers import replay
from onscope.runtime import Frame, FrameId, FrameSpec, Source, SourceError
from onscope.runtime.record import Recording

from .source_tests import SourceTests
from .stored import SHAPE, numbered, record


class InFolder(SourceTests):
    folder: Path

    @pytest.fixture(autouse=True)
    def source_place(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make_unknown(self) -> AbstractContextManager[Source]:
        return replay(self.folder / "nowhere.tif")


class TestReplayTiff(InFolder):
    def make_source(self) -> AbstractContextManager[Source]:
        tifffile.imwrite(self.folder / "stack.tif", numbered(8), photometric="minisblack")
        return replay(self.folder / "stack.tif")


class TestReplayFolder(InFolder):
    def make_source(self) -> AbstractContextManager[Source]:
        for number, image in enumerate(numbered(8, "uint8")):
            cv2.imwrite(str(self.folder / f"image{number}.png"), image)
        return replay(self.folder)


class TestReplayAtSpeed(InFolder):
    def make_source(self) -> AbstractContextManager[Source]:
        tifffile.imwrite(self.folder / "stack.tif", numbered(8), photometric="minisblack")
        return replay(self.folder / "stack.tif", fps=500)


class TestReplayRecording(InFolder):
    def make_source(self) -> AbstractContextManager[Source]:
        record(self.folder / "run", [(0, seq) for seq in range(8)])
        return replay(self.folder / "run")

    def make_unknown(self) -> AbstractContextManager[Source]:
        record(self.folder / "run", [(0, 0)])
        return replay(self.folder / "run", camera="another")


def test_a_stack_is_played_unaltered_and_in_order(tmp_path: Path) -> None:
    images = numbered(12)
    tifffile.imwrite(tmp_path / "stack.tif", images, photometric="minisblack")
    frames = list(replay(tmp_path / "stack.tif", camera="old", pixel_size_um=0.1, exposure_ms=7.0).frames())
    np.testing.assert_array_equal([frame.pixels for frame in frames], images)
    assert [dict(frame.index) for frame in frames] == [{"t": t} for t in range(12)]
    assert {(frame.id.camera, frame.pixel_size_um, frame.exposure_ms) for frame in frames} == {("old", 0.1, 7.0)}


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}, {"bigtiff": True, "compression": "zlib"}])
def test_axes_of_a_hyperstack_become_positions(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / ("stack.ome.tif" if "ome" in options else "stack.tif")
    images = numbered(2 * 3 * 4).reshape(2, 3, 4, *SHAPE)
    tifffile.imwrite(path, images, metadata={"axes": "TZCYX"}, photometric="minisblack", **options)
    frames = list(replay(path).frames())
    assert len(frames) == 24
    for frame in frames:
        t, z, c = frame.index["t"], frame.index["z"], frame.index["c"]
        np.testing.assert_array_equal(frame.pixels, images[t, z, c])
    picked = list(replay(path, pick={"c": 1, "z": 2}).frames())
    np.testing.assert_array_equal([frame.pixels for frame in picked], images[:, 2, 1])
    assert [frame.id.seq for frame in picked] == [0, 1]
    with pytest.raises(SourceError, match="expected them to hold c=4"):
        replay(path, pick={"c": 4})


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", ">u2", ">f4"])
def test_dtypes_that_frames_have(tmp_path: Path, dtype: str) -> None:
    images = numbered(2, dtype)
    tifffile.imwrite(tmp_path / "stack.tif", images, byteorder=">" if dtype.startswith(">") else "<")
    source = replay(tmp_path / "stack.tif")
    assert source.spec().dtype == np.dtype(dtype).newbyteorder("=").name
    for frame, image in zip(source.frames(), images, strict=True):
        source.spec().check(frame.pixels)
        assert frame.pixels.dtype.isnative
        np.testing.assert_array_equal(frame.pixels, image)


@pytest.mark.parametrize("dtype", ["float64", "int16", "uint32", "complex64"])
def test_dtypes_that_they_do_not_have(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", numbered(2, dtype))
    with pytest.raises(SourceError, match=f"found {dtype} pixels .* expected uint8, uint16, float32: convert"):
        replay(tmp_path / "stack.tif")


def test_nan_passes_unaltered(tmp_path: Path) -> None:
    images = numbered(2, "float32")
    images[1, 2, 3] = np.nan
    tifffile.imwrite(tmp_path / "stack.tif", images)
    np.testing.assert_array_equal([frame.pixels for frame in replay(tmp_path / "stack.tif").frames()], images)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("samples", [3, 4])
def test_colour_is_red_green_blue(tmp_path: Path, suffix: str, dtype: str, samples: int) -> None:
    image = np.zeros((*SHAPE, samples), dtype)
    image[..., :3] = (200, 100, 50)
    if suffix == "png":
        cv2.imwrite(str(tmp_path / "a.png"), image[..., [2, 1, 0, 3][:samples]])
    else:
        tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb")
    source = replay(tmp_path / f"a.{suffix}")
    assert source.spec() == FrameSpec((*SHAPE, 3), dtype, "yxs", "replay", None, 8 * np.dtype(dtype).itemsize)
    (frame,) = source.frames()
    np.testing.assert_array_equal(frame.pixels, image[..., :3])
    (luminance,) = replay(tmp_path / f"a.{suffix}", colour=False).frames()
    assert luminance.pixels.shape == SHAPE
    assert abs(int(luminance.pixels[0, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 1


def test_grey_stored_as_colour_is_grey(tmp_path: Path) -> None:
    grey = np.repeat(numbered(2, "uint8")[..., None], 3, axis=-1)
    for number, image in enumerate(grey):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    np.testing.assert_array_equal([frame.pixels for frame in replay(tmp_path).frames()], grey[..., 0])
    assert replay(tmp_path, colour=True).spec().axes == "yxs"
    grey[1, 0, 0, 0] = 255
    cv2.imwrite(str(tmp_path / "1.png"), grey[1])
    with pytest.raises(SourceError, match=r"found colours in .*1\.png"):
        list(replay(tmp_path).frames())


def test_a_folder_is_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100):
        tifffile.imwrite(tmp_path / f"image{number}.tif", np.full(SHAPE, number, "uint16"))
    (tmp_path / "notes.txt").write_text("not an image")
    assert [int(frame.pixels[0, 0]) for frame in replay(tmp_path).frames()] == [1, 9, 10, 100]


def test_a_folder_of_unlike_images_says_which_differs(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "1.tif", np.zeros(SHAPE, "uint16"))
    tifffile.imwrite(tmp_path / "2.tif", np.zeros((3, 3), "uint16"))
    frames = replay(tmp_path).frames()
    next(frames)
    with pytest.raises(SourceError, match=r"found 3x3 uint16 in .*2.tif, expected 5x7 uint16 as in 1.tif"):
        next(frames)


def test_a_recording_is_played_with_its_losses_segments_and_positions(tmp_path: Path) -> None:
    recorded = record(tmp_path / "run", [(0, 0), (0, 1), (0, 4), (1, 0)])
    for place in (tmp_path / "run", tmp_path / "run" / "raw.ome.zarr"):
        source = replay(place)
        assert source.spec() == FrameSpec(SHAPE, "uint16", "yx", "cam", 0.1, 16)
        frames = list(source.frames())
        assert [(frame.id.segment, frame.id.seq) for frame in frames] == [(0, 0), (0, 1), (0, 4), (1, 0)]
        for frame, before in zip(frames, recorded, strict=True):
            np.testing.assert_array_equal(frame.pixels, before.pixels)
            assert dict(frame.index) == dict(before.index)
            assert (frame.stage_um, frame.exposure_ms) == (before.stage_um, before.exposure_ms)
    assert {frame.id.segment for frame in source.frames()} == {2, 3}


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    stack = tmp_path / "stack.tif"
    tifffile.imwrite(stack, numbered(3), photometric="minisblack")
    with pytest.raises(SourceError, match="found no recorded times"):
        replay(stack, fps="recorded")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="found no image in"):
        replay(tmp_path / "empty")
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(SourceError, match=r"found .txt in the name"):
        replay(tmp_path / "notes.txt")
    for name in ("broken.tif", "broken.png"):
        (tmp_path / name).write_bytes(b"no image at all")
        with pytest.raises(SourceError, match="cannot be read"):
            replay(tmp_path / name)


def test_a_stack_that_was_cut_off_gives_no_wrong_frame(tmp_path: Path) -> None:
    images = numbered(20, shape=(64, 64))
    tifffile.imwrite(tmp_path / "whole.tif", images, photometric="minisblack", metadata=None)
    whole = (tmp_path / "whole.tif").read_bytes()
    cut = tmp_path / "cut.tif"
    for share in (0.2, 0.5, 0.9, 0.99):
        cut.write_bytes(whole[: int(len(whole) * share)])
        taken: list[Frame] = []
        with pytest.raises(SourceError, match=r"cut\.tif"):
            _take(cut, taken)
        for frame in taken:
            np.testing.assert_array_equal(frame.pixels, images[frame.id.seq])


def _take(path: Path, taken: list[Frame]) -> None:
    for frame in replay(path).frames():
        taken.append(frame)


def test_a_recording_comes_back_as_it_was(tmp_path: Path) -> None:
    """Two cameras, a change of the region and of the pixel type, names, an odd exposure, losses: identity and all."""
    left, right, cut = ((5, 7), "uint16"), ((4, 4), "uint8"), ((3, 6), "float32")
    places = [("left", 0, 0, left), ("right", 0, 0, right), ("left", 0, 3, left), ("right", 0, 1, right)]
    places += [("left", 1, 2, cut), ("right", 0, 7, right), ("left", 1, 3, cut)]
    given = [
        Frame(
            FrameId("abc", camera, segment, seq),
            numbered(number + 1, look[1], look[0])[number],
            index={"t": number, "c": number % 2},
            received_ns=10**9 + number * 1_234_567,
            pixel_size_um=0.1 + 0.2,
            exposure_ms=1 / 3,
            stage_um=(1.0, 2.0 / 3.0, -1e-9),
            labels={"c": ("DAPI", "GFP")[number % 2]},
        )
        for number, (camera, segment, seq, look) in enumerate(places)
    ]
    with Recording(tmp_path / "run") as recording:
        for frame in given:
            recording.save(frame)
    source = replay(tmp_path / "run")
    assert [spec.camera for spec in source.specs()] == ["left", "right"]
    for taken in (list(source.frames()), list(replay(tmp_path / "run", speed=1000).frames())):
        assert [frame.id for frame in taken] == [frame.id for frame in given]
        for frame, before in zip(taken, given, strict=True):
            assert frame.pixels.dtype == before.pixels.dtype
            np.testing.assert_array_equal(frame.pixels, before.pixels)
            for name in ("axes", "pixel_size_um", "exposure_ms", "stage_um"):
                assert getattr(frame, name) == getattr(before, name)
            assert (dict(frame.index), dict(frame.labels)) == (dict(before.index), dict(before.labels))
    assert {frame.id.segment for frame in source.frames()} == {2, 3}, "played again, it is behind the first time"
    assert {frame.id.camera for frame in replay(tmp_path / "run", camera="right").frames()} == {"right"}


@pytest.mark.real_data
def test_real_images(shared_data: Path) -> None:
    spots = replay(shared_data / "spots_hybiss_spotiflow" / "img_hybiss_2d.tif")
    assert spots.spec().shape == (512, 512)
    movie = replay(shared_data / "timelapse_colloids_trackpy")
    assert (movie.spec().shape, len(list(movie.frames()))) == ((424, 640, 3), 50)
    assert replay(shared_data / "timelapse_colloids_trackpy", colour=False).spec().shape == (424, 640)
    micromanager = shared_data / "ndtiff_micromanager/v3/12_bit_pycromanager_mda/"
    stack = next(micromanager.glob("*.tif"))
    assert [dict(frame.index) for frame in replay(stack, fps="recorded", pick={"c": 1}).frames()] == [
        {"t": t, "c": 1} for t in range(4)
    ]
