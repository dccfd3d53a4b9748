"""A camera's calibration: the graph against NumPy pixel by pixel, and files that are not to be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime._errors import PipelineError
from onscope.runtime.graph._draft import Draft, Value
from onscope.runtime.graph.calibration._calibration import (
    Calibration,
    affine,
    calibrate,
    calibrated,
    is_affine,
    load_calibration,
    neighbours,
)
from onscope.runtime.graph.calibration._calibration_file import CalibrationModel
from onscope.runtime.graph.calibration._camera import response_of
from tests.graph.steps import Written

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "calibration-1.json"


def in_graph(pixels: np.ndarray, calibration: Calibration, reference: bool = False) -> np.ndarray:
    written = Written({"own": pixels}, ("y", "x", "s")[: pixels.ndim], on_host=True)
    value = calibrate(written.draft, written.inputs["own"], calibration)
    assert value.dtype == "float32"
    return written.run(value, reference)


@st.composite
def measured(draw: st.DrawFn) -> tuple[np.ndarray, Calibration]:
    """A frame of any size and dtype, and a calibration with any of its parts."""
    generator = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    size = (draw(st.integers(3, 14)), draw(st.integers(3, 14)))
    shape = (*size, 3) if draw(st.booleans()) else size
    dtype = draw(st.sampled_from(["uint8", "uint16", "float32"]))
    pixels = generator.integers(0, 256 if dtype == "uint8" else 65536, shape).astype(dtype)
    maps = shape if draw(st.booleans()) else size
    hot = np.zeros(size, np.bool_)
    hot.flat[generator.choice(hot.size, draw(st.integers(0, hot.size // 10)), replace=False)] = True
    return pixels, Calibration(
        draw(st.sampled_from([0.0, 100.0, 99.7])),
        draw(st.sampled_from([1.0, 0.46, 7.5])),
        generator.normal(100, 3, maps).astype(np.float32) if draw(st.booleans()) else None,
        generator.uniform(0.5, 2, maps).astype(np.float32) if draw(st.booleans()) else None,
        hot if draw(st.booleans()) else None,
    )


@settings(max_examples=150, deadline=None)
@given(measured())
def test_the_graph_is_what_numpy_computes(drawn: tuple[np.ndarray, Calibration]) -> None:
    pixels, calibration = drawn
    expected = calibrated(pixels, calibration)
    found = in_graph(pixels, calibration)
    assert found.shape == pixels.shape
    assert np.allclose(found, expected, rtol=2e-6, atol=1e-6 * max(1.0, float(np.abs(expected).max())))
    assert np.array_equal(found, in_graph(pixels, calibration, reference=True))


def test_counts_become_electrons() -> None:
    found = in_graph(np.array([[100, 300], [90, 101]], np.uint16), Calibration(100.0, 0.5))
    assert found.tolist() == [[0, 100], [-5, 0.5]]  # below the offset is read noise, and stays


def test_a_flat_field_makes_even_light_even_and_keeps_its_mean() -> None:
    generator = np.random.default_rng(0)
    dark, response = generator.normal(100, 5, (16, 16)), generator.uniform(0.7, 1.3, (16, 16))
    flat = dark + 4000 * response
    calibration = Calibration(dark=dark.astype(np.float32), response=response_of(flat, dark))
    found = in_graph((dark + 1000 * response).astype(np.float32), calibration)
    assert np.allclose(found, found.mean(), rtol=1e-5)
    assert found.mean() == pytest.approx(1000 * response.mean(), rel=1e-5)


def test_hot_pixels_that_touch_take_the_nearest_good_ones() -> None:
    pixels = np.arange(1600, dtype=np.uint16).reshape(40, 40)
    hot = np.zeros((40, 40), np.bool_)
    hot[0:3, 0:3] = hot[20:23, 20:23] = hot[39, 39] = True  # the first one's whole neighbourhood is hot
    pixels[hot] = 60000
    found = in_graph(pixels, Calibration(hot=hot))
    assert found.max() < 1600
    assert found[39, 39] == np.median(pixels[38:, 38:][~hot[38:, 38:]])
    assert found[0, 0] == np.median([pixels[at, 3] for at in range(4)] + [pixels[3, at] for at in range(3)])
    assert found[21, 21] == np.median(pixels[19:24, 19:24][~hot[19:24, 19:24]])
    assert np.array_equal(found[~hot], pixels[~hot])
    assert neighbours(hot).table.shape == (19, 49)


def test_only_what_changes_pixels_alike_is_affine() -> None:
    plain = Calibration(100.0, 0.5)
    assert is_affine(plain)
    assert is_affine(None)
    gain, offset = affine(plain)
    assert 300 * gain + offset == calibrated(np.array([[300]], np.uint16), plain)
    assert affine(None) == (1.0, 0.0)
    assert not is_affine(Calibration(dark=np.zeros((2, 2), np.float32)))
    assert not is_affine(Calibration(hot=np.zeros((20, 2), np.bool_)))


def test_every_part_is_in_the_hash() -> None:
    ones = np.ones((20, 2), np.float32)
    hot = np.zeros((20, 2), np.bool_)
    all_ = [
        Calibration(),
        Calibration(1.0),
        Calibration(electrons_per_count=2.0),
        Calibration(bits=12),
        Calibration(dark=ones),
        Calibration(response=ones),
        Calibration(hot=hot),
        Calibration(dark=ones.reshape(2, 20)),
        Calibration(dark=ones * 2),
    ]
    assert len({each.sha256 for each in all_}) == len(all_)
    assert Calibration(dark=ones).sha256 == Calibration(dark=ones.copy()).sha256


def test_maps_are_held_and_not_shared() -> None:
    dark = np.zeros((2, 2), np.float32)
    calibration = Calibration(dark=dark)
    dark[:] = 5
    assert calibration.dark is not None
    assert not calibration.dark.any()
    with pytest.raises(ValueError, match="read-only"):
        calibration.dark[:] = 1


def test_a_roi_takes_its_part_of_the_maps() -> None:
    dark = np.arange(48, dtype=np.float32).reshape(6, 8)
    whole = Calibration(dark=dark, response=dark + 1, hot=np.zeros((6, 8), np.bool_), bits=12)
    part = whole.cropped(1, 2, 3, 4)
    assert part.size == (3, 4)
    assert part.full_scale == 4095
    assert part.dark is not None
    assert np.array_equal(part.dark, dark[1:4, 2:6])
    assert part.sha256 != whole.sha256
    assert Calibration(3.0).cropped(5, 5, 100, 100).offset == 3
    with pytest.raises(PipelineError, match="expected one inside the calibration's 6 x 8"):
        whole.cropped(4, 0, 3, 8)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"electrons_per_count": 0.0}, "expected a number and one above 0"),
        ({"offset": np.nan}, "expected a number and one above 0"),
        ({"dark": np.full((2, 2), np.inf)}, "numbers that are none"),
        ({"dark": np.zeros((3, 2, 2))}, "average a stack"),
        ({"dark": np.zeros(())}, "average a stack"),
        ({"response": np.zeros((2, 2))}, "do not answer to light"),
        ({"hot": np.ones((2, 2))}, "marks 100 % of the pixels"),
        ({"dark": np.zeros((2, 2)), "response": np.ones((2, 3))}, "2 x 2 and 2 x 3"),
    ],
)
def test_what_cannot_be_is_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        Calibration(**parts)


def test_frames_of_another_size_are_refused() -> None:
    calibration = Calibration(dark=np.zeros((4, 4), np.float32))
    for pixels in (np.zeros((2, 2), np.uint16), np.zeros((4, 5, 3), np.uint16)):
        with pytest.raises(PipelineError, match="calibration of 4 x 4, expected the same size: state the ROI"):
            in_graph(pixels, calibration)
        with pytest.raises(PipelineError, match="expected the same size"):
            calibrated(pixels, calibration)
    with pytest.raises(PipelineError, match="map for RGB pixels"):
        in_graph(np.zeros((4, 4), np.uint16), Calibration(dark=np.zeros((4, 4, 3), np.float32)))
    with pytest.raises(PipelineError, match="known sizes"):
        calibrate(Draft(), Value("frame", "uint16", ("channel", "y", "x"), (1, 4, 4)), calibration)


def write(folder: Path, text: str, **maps: np.ndarray) -> Path:
    for name, array in maps.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "calibration.yaml").write_text(text)
    return folder / "calibration.yaml"


def test_a_file_with_all_parts_is_read(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    dark, flat = generator.normal(100, 3, (8, 10)), generator.uniform(2000, 4000, (8, 10)).astype(np.float32)
    tifffile.imwrite(tmp_path / "flat.tif", flat)
    text = (
        "schema: 1\ndark: dark.npy\nelectrons_per_count: 0.46\nflat: flat.tif\nhot_pixels: [[1, 2], [7, 9]]\n"
        "bits: 12\nroi: {y: 0, x: 1, height: 8, width: 9}\n"
    )
    found = load_calibration(write(tmp_path, text, dark=dark))
    assert found.hot is not None
    assert found.response is not None
    assert found.dark is not None
    assert [tuple(each) for each in np.argwhere(found.hot)] == [(1, 1), (7, 8)]
    assert np.array_equal(found.dark, dark.astype(np.float32)[:, 1:])
    light = flat - dark
    good = np.ones((8, 10), np.bool_)
    good[1, 2] = good[7, 9] = False
    assert np.allclose(found.response[~found.hot], (light / light[good].mean())[:, 1:][~found.hot])
    assert (found.response[found.hot] == 1).all()
    assert (found.electrons_per_count, found.full_scale, found.size) == (0.46, 4095, (8, 9))


def test_an_offset_alone_is_a_calibration(tmp_path: Path) -> None:
    found = load_calibration(write(tmp_path, "schema: 1\noffset: 1e2\n"))
    assert (found.offset, is_affine(found)) == (100.0, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("offset: 1\n", "line 1: schema"),
        ("schema: 2\n", "line 1: schema"),
        ("schema: 1\ngain: 2\n", "line 2: gain: Extra"),
        ("schema: 1\nelectrons_per_count: -1\n", "line 2: electrons_per_count"),
        ("schema: 1\noffset: .nan\n", "line 2: offset"),
        ("schema: 1\nbits: 0\n", "line 2: bits"),
        ("schema: 1\nroi: {y: 0, x: 0,\n  height: 0, width: 1}\n", "line 3: roi.height"),
        ("schema: 1\noffset: 1\ndark: dark.npy\n", "expected one of them"),
        ("schema: 1\ndark: ../dark.npy\n", "leads out of"),
        ("schema: 1\ndark: /etc/passwd\n", "expected a file beside"),
        ("schema: 1\ndark: http://x/dark.npy\n", "expected a file beside"),
        ("schema: 1\ndark: link.npy\n", "leads out of"),
        ("schema: 1\ndark: none.npy\n", "found no file 'none.npy'"),
        ("schema: 1\ndark: calibration.yaml\n", "expected an .npy or .tif"),
        ("schema: 1\ndark: pickled.npy\n", "no NumPy array file"),
        ("schema: 1\ndark: huge.npy\n", "no NumPy array file"),
        ("schema: 1\ndark: words.npy\n", "expected numbers"),
        ("schema: 1\ndark: broken.tif\n", "no TIFF image"),
        ("schema: 1\ndark: stack.tif\n", "found 2 images"),
        ("schema: 1\ndark: dark.npy\nflat: wide.npy\n", "expected one size"),
        ("schema: 1\nhot_pixels: [[0, 0]]\n", "no map whose size"),
        ("schema: 1\ndark: dark.npy\nhot_pixels: [[0, 9]]\n", r"found the hot pixel \[0, 9\]"),
        ("schema: 1\ndark: dark.npy\nhot_pixels: [[0, -1]]\n", "line 3: hot_pixels"),
        ("schema: 1\nflat: dark.npy\n", "do not answer to light"),
        ("schema: 1\nx: &a [*a]\n", "line 2: found an anchor"),
        ("- 1\n", "line 1: found"),
        ("schema: 1\noffset: [\n", "found no YAML"),
    ],
)
def test_files_that_are_wrong_are_refused_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    np.save(tmp_path / "dark.npy", np.zeros((2, 2)))
    np.save(folder / "pickled.npy", np.array([{}]), allow_pickle=True)
    (folder / "link.npy").symlink_to(tmp_path / "dark.npy")
    (folder / "broken.tif").write_bytes(b"II*\0" + b"\xff" * 40)
    tifffile.imwrite(folder / "stack.tif", np.zeros((2, 4, 4), np.uint16), photometric="minisblack")
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }\n"
    (folder / "huge.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    path = write(folder, text, dark=np.zeros((4, 4)), wide=np.zeros((4, 5)), words=np.array([["a"]]))
    with pytest.raises(PipelineError, match=said):
        load_calibration(path)


def test_the_published_schema_is_up_to_date() -> None:
    made = json.dumps(CalibrationModel.model_json_schema(by_alias=True), indent=2) + "\n"
    assert SCHEMA.read_text() == made, "the model changed: publish its schema again"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"found that the calibration .* cannot be read"):
        load_calibration(tmp_path / "none.yaml")
