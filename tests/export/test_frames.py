"""The user's own frames: which are taken of what is stored, and how they become the network's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tensorstore
import tifffile

from onscope.export import Choices, export_original
from onscope.export.frames import Form, read_frames
from onscope.export.pytorch import TorchNetwork
from onscope.runtime import ExportError, Pipeline, Runtime, Stage, open_source
from onscope.runtime.record import open_recording

from .networks import Smooth, TwoFaced

PLAIN = Form("bcyx", (1, 1, 32, 32), "uint16", 16, 1)
RANDOM = np.random.default_rng(0)


def counts(*shape: int) -> Any:
    return RANDOM.integers(90, 4000, shape).astype(np.uint16)


def ome_zarr(folder: Path, pixels: Any, axes: str, version: str) -> Path:
    """An image as other software writes it: OME-Zarr 0.4 on Zarr 2, or 0.5 on Zarr 3."""
    images = [{"axes": [{"name": name} for name in axes], "datasets": [{"path": "0"}]}]
    folder.mkdir()
    if version == "0.4":
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps({"multiscales": images}))
    else:
        attributes = {"ome": {"version": version, "multiscales": images}}
        text = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes})
        (folder / "zarr.json").write_text(text)
    spec = {
        "driver": "zarr" if version == "0.4" else "zarr3",
        "kvstore": {"driver": "file", "path": str(folder / "0")},
    }
    store = tensorstore.open(spec, create=True, dtype=pixels.dtype, shape=pixels.shape).result()
    store[...] = pixels
    return folder


def test_a_folder_of_images_in_natural_order(tmp_path: Path) -> None:
    stored = counts(12, 32, 40)
    for number, pixels in enumerate(stored):
        if number % 2:
            cv2.imwrite(str(tmp_path / f"cell{number}.png"), pixels)
        else:
            tifffile.imwrite(tmp_path / f"cell{number}.tif", pixels)
    (tmp_path / "notes.txt").write_text("not an image")
    frames, notes = read_frames([tmp_path], PLAIN, 4)
    assert [frame.name for frame in frames] == ["cell0.tif", "cell4.tif", "cell7.png", "cell11.png"]
    for frame, number in zip(frames, (0, 4, 7, 11), strict=True):
        np.testing.assert_array_equal(frame.pixels, stored[number][None, None])
    assert notes == (f"4 of the 12 files in {tmp_path.name} were used, evenly spread",)


def test_a_stack_gives_frames_spread_over_it(tmp_path: Path) -> None:
    stored = counts(9, 2, 33, 34)
    tifffile.imwrite(tmp_path / "stack.tif", stored, imagej=True, metadata={"axes": "TCYX"})
    frames, notes = read_frames([tmp_path / "stack.tif"], PLAIN, 3)
    assert [frame.name for frame in frames] == ["stack.tif, t 0, c 0", "stack.tif, t 4, c 0", "stack.tif, t 8, c 1"]
    np.testing.assert_array_equal(frames[1].pixels[0, 0], stored[4, 0])
    np.testing.assert_array_equal(frames[2].pixels[0, 0], stored[8, 1])
    assert notes == ("3 of 18 frames were used, evenly spread",)


def test_of_planes_in_one_piece_those_that_are_wanted_are_read(tmp_path: Path, monkeypatch: Any) -> None:
    """ImageJ describes one plane of a large stack alone; the others lie behind it."""
    stored = counts(40, 33, 34)
    tifffile.imwrite(tmp_path / "stack.tif", stored, imagej=True, metadata={"axes": "TYX"})
    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", None)  # the whole stack
    frames, _ = read_frames([tmp_path / "stack.tif"], PLAIN, 3)
    np.testing.assert_array_equal([frame.pixels[0, 0] for frame in frames], stored[[0, 20, 39]])


def test_many_places_are_not_listed(tmp_path: Path) -> None:
    """Metadata may claim any number of frames; what was never written is zeros."""
    sparse = ome_zarr(tmp_path / "long.zarr", counts(1, 20, 20), "tyx", "0.5") / "0" / "zarr.json"
    sparse.write_text(json.dumps({**json.loads(sparse.read_text()), "shape": [10**12, 20, 20]}))
    frames, notes = read_frames([tmp_path / "long.zarr"], Form("bcyx", (1, 1, 20, 20), "uint16"), 3)
    assert len(frames) == 3
    assert "3 of 1000000000000 frames were used, evenly spread" in notes
    assert "2 of 3 frames hold one value alone: was there light?" in notes
    assert "1 of 3 frames are the same as another" in notes


def test_a_folder_of_ome_zarrs(tmp_path: Path) -> None:
    stored = counts(2, 32, 40)
    for number, version in enumerate(("0.4", "0.5")):
        ome_zarr(tmp_path / f"cell{number}.ome.zarr", stored[number], "yx", version)
    frames, _ = read_frames([tmp_path], PLAIN)
    np.testing.assert_array_equal([frame.pixels[0, 0] for frame in frames], stored)


def test_a_compressed_stack_page_by_page(tmp_path: Path) -> None:
    stored = counts(5, 33, 34)
    tifffile.imwrite(tmp_path / "stack.tif", stored, photometric="minisblack", compression="zlib")
    frames, _ = read_frames([tmp_path / "stack.tif"], PLAIN)
    np.testing.assert_array_equal(np.stack([frame.pixels[0, 0] for frame in frames]), stored)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path: Path, version: str) -> None:
    stored = counts(3, 2, 1, 20, 24)
    path = ome_zarr(tmp_path / "image.ome.zarr", stored, "tczyx", version)
    frames, notes = read_frames([path], PLAIN)
    assert len(frames) == 6
    assert notes == ()
    assert frames[3].name == "image.ome.zarr, t 1, c 1"
    np.testing.assert_array_equal(frames[3].pixels[0, 0], stored[1, 1, 0])


def test_planes_that_the_network_takes_at_once_stay_together(tmp_path: Path) -> None:
    stored = counts(7, 3, 20, 24)
    path = ome_zarr(tmp_path / "image.zarr", stored, "tcyx", "0.5")
    window = Form("btcyx", (1, 3, 3, 20, 20), "uint16", 16, 4)
    frames, notes = read_frames([path], window)
    assert [frame.name for frame in frames] == ["image.zarr, t 0 to 2", "image.zarr, t 3 to 5"]
    np.testing.assert_array_equal(frames[1].pixels, stored[None, 3:6])
    assert notes == ()
    with pytest.raises(ExportError, match=r"found 3 planes along c in image.zarr, expected 2"):
        read_frames([path], Form("bcyx", (1, 2, 20, 20), "uint16"))


def test_colours_are_channels_or_grey(tmp_path: Path) -> None:
    colours = RANDOM.integers(0, 255, (20, 24, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "colours.png"), colours[..., ::-1])
    tifffile.imwrite(tmp_path / "grey.tif", np.repeat(colours[..., :1], 3, axis=2), photometric="rgb")
    frames, _ = read_frames([tmp_path / "colours.png"], Form("bcyx", (1, 3, 20, 24), "uint8"))
    np.testing.assert_array_equal(frames[0].pixels[0], colours.transpose(2, 0, 1))
    frames, _ = read_frames([tmp_path / "grey.tif"], Form("yx", (20, 24), "uint8"))
    np.testing.assert_array_equal(frames[0].pixels, colours[..., 0])
    with pytest.raises(ExportError, match=r"found colours in .*, expected 1 channels"):
        read_frames([tmp_path / "colours.png"], Form("bcyx", (1, 1, 20, 24), "uint8"))


@pytest.mark.parametrize("shape", [(1, 1, 20, 24), (1, 20, 24), (20, 24), (6, 20, 24)])
def test_arrays_with_and_without_the_axes_of_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    stored = counts(*shape)
    np.save(tmp_path / "a.npy", stored)
    for given in (stored, tmp_path / "a.npy"):
        frames, _ = read_frames([given], PLAIN)
        np.testing.assert_array_equal(np.concatenate([frame.pixels for frame in frames]).ravel(), stored.ravel())
        assert {frame.pixels.shape for frame in frames} == {(1, 1, 20, 24)}


def test_sizes_are_cropped_at_the_end_and_it_is_said() -> None:
    stored = counts(41, 50)
    frames, notes = read_frames([stored], Form("byxc", (1, 32, 32, 1), "uint16", 16, 8))
    np.testing.assert_array_equal(frames[0].pixels[0, :, :, 0], stored[:40, :48])
    assert "cropped at the end, as the network takes 16 + n * 8 pixels" in notes[0]
    assert "from 41x50 to 40x48" in notes[0]
    frames, notes = read_frames([stored], Form("bcyx", (1, 1, 32, 36), "uint16", fixed=True))
    np.testing.assert_array_equal(frames[0].pixels[0, 0], stored[:32, :36])
    assert "one size alone" in notes[0]
    with pytest.raises(ExportError, match=r"found 41 pixels along y .*, expected at least 64"):
        read_frames([stored], Form("bcyx", (1, 1, 64, 64), "uint16", 64, 8))


def test_whole_numbers_are_widened_and_nothing_else() -> None:
    frames, _ = read_frames([counts(20, 20).astype(np.uint8)], PLAIN)
    assert frames[0].pixels.dtype == np.uint16
    frames, _ = read_frames([counts(20, 20).astype(">u2")], PLAIN)
    assert frames[0].pixels.dtype == np.dtype("=u2")
    for kind in (np.float32, np.int16, np.float64, np.uint32):
        with pytest.raises(ExportError, match=f"found {np.dtype(kind).name} pixels in .*, expected uint16"):
            read_frames([counts(20, 20).astype(kind)], PLAIN)


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.tif").write_bytes(b"II*\0nothing more")
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\0")
    (tmp_path / "a.txt").write_text("words")
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "plate.zarr").mkdir()
    (tmp_path / "plate.zarr" / "zarr.json").write_text('{"attributes": {"ome": {"plate": {}}}}')
    climbing = {"attributes": {"ome": {"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "../../out"}]}]}}}
    (tmp_path / "climbs.zarr").mkdir()
    (tmp_path / "climbs.zarr" / "zarr.json").write_text(json.dumps(climbing))
    for name, content in (
        ("list", "[1]"),
        ("words", '{"attributes": {"ome": {"multiscales": ["one"]}}}'),
        ("deep", '{"attributes": ' * 100_000),
    ):
        (tmp_path / f"{name}.zarr").mkdir()
        (tmp_path / f"{name}.zarr" / "zarr.json").write_text(content)
    sparse = ome_zarr(tmp_path / "huge.zarr", counts(4, 4), "yx", "0.5") / "0" / "zarr.json"
    sparse.write_text(json.dumps({**json.loads(sparse.read_text()), "shape": [10**6, 10**6]}))
    for name, words in (
        ("empty", "found no image in"), ("nowhere", "found nothing at"), ("a.txt", "expected one of .npy, .png"),
        ("a.tif", "cannot be read"), ("a.png", "not an image"), ("a.npy", "no NumPy array"), ("pickle.npy", "found"),
        ("plate.zarr", "no multiscales"), ("climbs.zarr", "outside of it"), ("list.zarr", "cannot be read"),
        ("words.zarr", "cannot be read"), ("deep.zarr", "cannot be read"), ("huge.zarr", "found frames of 1000000 x"),
    ):  # fmt: skip
        with pytest.raises(ExportError, match=words) as told:
            read_frames([tmp_path / name], PLAIN)
        assert "\n" not in str(told.value)


def test_frames_of_a_recording_are_the_raw_ones(tmp_path: Path) -> None:
    stored = counts(4, 32, 40)
    for number, pixels in enumerate(stored):
        tifffile.imwrite(tmp_path / f"f{number}.tif", pixels)
    pipeline = Pipeline([Stage("denoise", "zoo/care-beads")])
    with (
        open_source(f"replay:{tmp_path}") as source,
        Runtime(pipeline, worker="thread", provider="null", record=tmp_path / "rec") as runtime,
    ):
        list(runtime.stream(source, 4))
    assert len(open_recording(tmp_path / "rec")) == 4
    frames, _ = read_frames([tmp_path / "rec"], PLAIN)
    np.testing.assert_array_equal(np.stack([frame.pixels[0, 0] for frame in frames]), stored)


def test_an_export_is_proven_on_them(tmp_path: Path) -> None:
    for number in range(3):
        tifffile.imwrite(tmp_path / f"own-{number}.tif", counts(37, 50 + number))
    steps: list[str] = []
    choices = Choices(frames=[tmp_path], max_frames=2, name="a network", example=counts(1, 1, 40, 36), license="MIT")
    report = export_original(TorchNetwork(Smooth(), "memory", None), tmp_path / "package", choices, steps.append)
    rows = [one for one in report.parity if one.where.startswith("frame ")]
    assert [(one.where, one.size) for one in rows] == [
        ("frame 1 (own-0.tif)", (37, 50)),
        ("frame 2 (own-2.tif)", (37, 52)),
    ]
    assert {one.where for one in report.metrics} == {"test tensor", "frame 1 (own-0.tif)", "frame 2 (own-2.tif)"}
    assert any("2 of the 3 files" in note for note in report.notes)
    counted = [step for step in steps if step.startswith("proving parity")]
    assert counted == [f"proving parity {number}/{len(counted)}" for number in range(1, len(counted) + 1)]
    assert len(counted) == len(report.parity)


def test_an_export_that_is_wrong_on_the_users_frames_alone_is_refused(tmp_path: Path) -> None:
    class WrongAbove(TwoFaced):
        def forward(self, pixels: Any) -> Any:
            return super().forward(pixels) if self.lie == 0 else pixels * 2.0 + self.lie * (pixels > 50)

    class Lying(TorchNetwork):
        """Runs as what is exported except for bright pixels, which the example has none of."""

        def run(self, array: Any) -> Any:
            return [array * np.float32(2)]

    choices = Choices(example=RANDOM.random((1, 1, 24, 24), np.float32), name="a network", license="MIT")
    original = Lying(WrongAbove(5.0).eval(), "memory", None)
    assert export_original(original, tmp_path / "package", choices).passed
    bright = RANDOM.random((24, 24), np.float32) * 100
    with pytest.raises(ExportError, match=r"not equal to the network: .*\(frame 1\) is off by"):
        export_original(original, tmp_path / "other", replace(choices, frames=[bright]))
    assert not (tmp_path / "other").exists()
