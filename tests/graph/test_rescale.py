"""Frames of another pixel size than the trained one: warned about, and rescaled when asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Package, PipelineError
from onscope.runtime.graph import Raw, StageRequest, compile_group
from onscope.runtime.package import TensorDescription

from .. import models
from . import generated
from .generated import Recipe
from .run import opened, request


def trained_at(package: Package, size_um: float, unit: str = "micrometer", **more: Any) -> StageRequest:
    """A stage whose package states the pixel size that it was trained at."""

    def stated(tensor: TensorDescription) -> TensorDescription:
        axes = [replace(axis, scale=size_um, unit=unit) if axis.id in "yx" else axis for axis in tensor.described]
        return replace(tensor, described=tuple(axes))

    stage = request(package, **more)
    return replace(stage, inputs=tuple(map(stated, stage.inputs)))


def smooth(y: int, x: int) -> np.ndarray:
    """A picture with no detail that a rescaled one could lose: a gradient and one broad hill."""
    at_y, at_x = np.mgrid[:y, :x]
    hill = np.exp(-((at_y - y / 3) ** 2 + (at_x - x / 2) ** 2) / (2 * (y / 5) ** 2))
    return np.asarray((500 + 4 * at_y + 2000 * hill), np.float32)


def test_another_pixel_size_is_warned_about(tmp_path: Path) -> None:
    package = Package.load(generated.write(tmp_path / "p", Recipe(network="pointwise")))
    near, far = Raw((32, 40), "float32", pixel_size_um=0.105), Raw((32, 40), "float32", pixel_size_um=0.16)
    assert not compile_group([trained_at(package, 100, "nanometer")], near, cache=tmp_path).notes
    note = compile_group([trained_at(package, 0.1)], far, cache=tmp_path).notes[0]
    assert (note.kind, note.what) == ("warning", "0.16 um per pixel, trained at 0.1")


@pytest.mark.parametrize("trained_um", [0.1, 0.13, 0.32])
@pytest.mark.parametrize("network", ["pointwise", "upsample"])
def test_answers_of_rescaled_frames_are_those_of_the_frame(tmp_path: Path, trained_um: float, network: str) -> None:
    package = Package.load(generated.write(tmp_path / "p", Recipe(network=network, sizes="parametrised")))
    frame = smooth(60, 72)
    raw = Raw(frame.shape, "float32", pixel_size_um=0.16)
    plain = opened([request(package)], raw, tmp_path)
    scaled = opened([trained_at(package, trained_um, rescale=True)], raw, tmp_path)
    assert [note.kind for note in scaled.compiled.notes] == ["rescaled"]
    want, found = (run.run([frame])["stage.image"] for run in (plain, scaled))
    assert found.shape == want.shape
    inside = (..., slice(8, -8), slice(8, -8))
    # What a convolution makes of a slope goes with the pixel size; where pixels lie does not.
    assert np.abs(found - want)[inside].max() < (0.02 if network == "pointwise" else 0.05) * np.ptp(want)


def test_shrunk_frames_are_averages_of_what_they_cover(tmp_path: Path) -> None:
    package = models.plus_one(tmp_path / "plus")
    frame = np.full((48, 64), 100, np.uint16)
    frame[::2] = 300  # finer than the network's pixels: no one row may stand for all
    run = opened([trained_at(package, 0.4, rescale=True)], Raw((48, 64), "uint16", pixel_size_um=0.1), tmp_path)
    found = run.run([frame])["stage.image"]
    assert found.shape == (1, 1, 48, 64)
    assert found.dtype == np.uint16
    assert np.all(np.abs(found[..., 8:-8, :].astype(int) - 201) <= 13)


def test_points_come_back_in_pixels_of_the_frame(tmp_path: Path) -> None:
    package = models.brightest(tmp_path / "found")
    # `brightest` calls the place in the flattened frame x, and y is 0.
    frame = np.zeros((8, 64), np.uint16)
    frame[0, 40] = 5000
    run = opened([trained_at(package, 0.05, rescale=True)], Raw((8, 64), "uint16", pixel_size_um=0.1), tmp_path)
    rows = run.run([frame])["stage.points"]
    # The bright pixel is two by two in the frame that the network sees, each row of it 64 pixels of the frame long.
    assert sorted(rows[:2, 1]) == [39.75, 40.25]
    assert sorted(rows[2:4, 1]) == [39.75 + 64, 40.25 + 64]
    assert set(rows[:, 0]) == {-0.25}


def test_rescaling_needs_both_sizes(tmp_path: Path) -> None:
    package = Package.load(generated.write(tmp_path / "p", Recipe(network="pointwise")))
    with pytest.raises(PipelineError, match="the package states no pixel size"):
        compile_group([request(package, rescale=True)], Raw((8, 8), "float32", pixel_size_um=0.1), cache=tmp_path)
    with pytest.raises(PipelineError, match="the pixel size of the frames is not known"):
        compile_group([trained_at(package, 0.1, rescale=True)], Raw((8, 8), "float32"), cache=tmp_path)
    raw = Raw((8, 8), "float32", pixel_size_um=0.1)
    with pytest.raises(PipelineError, match="expected a ratio of at most 16"):
        compile_group([trained_at(package, 100.0, rescale=True)], raw, cache=tmp_path)
