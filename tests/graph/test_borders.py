"""Networks of one size that lose their borders, and packages that say how they are padded; smaller frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from onscope.runtime import PipelineError
from onscope.runtime.graph import Raw, StageRequest
from onscope.runtime.package import Axis, AxisSize, TensorDescription, make_step

from .run import opened
from .written import stage

RANDOM = np.random.default_rng(1)


def of_size(tensor: TensorDescription, side: int | None = None, **more: Any) -> TensorDescription:
    """The tensor with y and x of a fixed size, or whatever `more` says of the two axes."""
    if side is not None:
        more["size"] = AxisSize(fixed=side)
    axes: list[Axis] = [replace(axis, **more) if axis.kind == "space" else axis for axis in tensor.described]
    return replace(tensor, described=tuple(axes))


def network(folder: Path, upsample: bool) -> StageRequest:
    """A valid 5x5 mean of 24 x 24 pixels, or one of 3x3 that is then made twice as large."""
    size = 3 if upsample else 5
    kernel = np.full((1, 1, size, size), 1 / size**2, np.float32)
    nodes = [helper.make_node("Conv", ["image", "kernel"], ["mean" if upsample else "answer"])]
    weights: dict[str, Any] = {"kernel": kernel}
    if upsample:
        weights["scales"] = np.array([1, 1, 2, 2], np.float32)
        nodes.append(
            helper.make_node(
                "Resize", ["mean", "", "scales"], ["answer"], mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor",
            )
        )  # fmt: skip
    asked = stage(folder, nodes, weights)
    outputs = (of_size(asked.outputs[0], 44 if upsample else 20),)
    return replace(asked, inputs=(of_size(asked.inputs[0], 24),), outputs=outputs)


def mean(image: np.ndarray, size: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (size, size))
    return np.asarray(windows.mean((2, 3)))


@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("side", [(24, 24), (21, 17), (6, 24)])
def test_what_is_left_is_free_of_padding(tmp_path: Path, upsample: bool, side: tuple[int, int]) -> None:
    frame = RANDOM.normal(size=side).astype(np.float32)
    run = opened([network(tmp_path, upsample)], Raw(side, "float32"), tmp_path)
    found = run.run([frame])["stage.answer"][0, 0]
    expected = mean(frame, 3 if upsample else 5)
    if upsample:
        expected = expected.repeat(2, 0).repeat(2, 1)
    assert found.shape == expected.shape == run.compiled.answers[0].shape[2:]
    assert np.abs(found - expected).max() < 1e-6


def test_a_frame_of_which_nothing_would_be_left_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"found 4 pixels along x, of which none are left in 'answer': .* 4 fewer"):
        opened([network(tmp_path, False)], Raw((24, 4), "float32"), tmp_path)


MODES = ("", "symmetric", "reflect", "edge", "constant")


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("mode", MODES)
def test_halos_are_padded_as_the_package_says(tmp_path: Path, mode: Any, dtype: str) -> None:
    """(frame - 100) / 10, then a mean of 5 x 5 whose border is the halo; a constant is one of counts."""
    kernel = np.full((1, 1, 5, 5), 0.04, np.float32)
    asked = stage(
        tmp_path, [helper.make_node("Conv", ["image", "kernel"], ["answer"], pads=[2] * 4)], {"kernel": kernel}
    )
    steps = (make_step("scale_linear", {"gain": 0.1, "offset": -10.0}),)
    image = replace(asked.inputs[0], pad=mode, pad_value=40.0, steps=steps)
    asked = replace(asked, inputs=(image,), outputs=(of_size(asked.outputs[0], halo=2),))
    frame = RANDOM.integers(0, 400, (11, 9)).astype(dtype)
    run = opened([asked], Raw(frame.shape, dtype), tmp_path)
    value: dict[str, Any] = {"constant_values": 40} if mode == "constant" else {}
    padded = np.pad(frame.astype(np.float64), 2, mode=mode or "symmetric", **value)
    found = run.run([frame])["stage.answer"][0, 0]
    assert np.abs(found - mean((padded - 100) / 10, 5)).max() < 2e-5
    (note,) = [note for note in run.compiled.notes if note.kind == "padded"]
    assert note.what == "y 11 -> 15, x 9 -> 13"
