"""Format 0.4: letters for axes, sizes beside them, float32 in and out, and the same steps as bioimageio.core's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Package, PackageError
from onscope.runtime.package import Axis, AxisSize, SizeReference, Step, Tolerance

from .networks import graph, old, write_old

F32 = "float32"
PERCENTILES = {"mode": "per_sample", "axes": "yx", "min_percentile": 1, "max_percentile": 99.8}


def taken(name: str = "raw", axes: str = "bcyx", shape: Any = (1, 1, 8, 8), **more: Any) -> dict[str, Any]:
    shape = shape if isinstance(shape, dict) else list(shape)
    return {"name": name, "axes": axes, "data_type": F32, "shape": shape, **more}


def same(reference: str = "raw", axes: str = "bcyx") -> dict[str, Any]:
    return {"reference_tensor": reference, "scale": [1.0] * len(axes), "offset": [0] * len(axes)}


def load(folder: Path, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> Package:
    takes, gives = ([(f"{one['name']}_port", F32, len(one["axes"])) for one in side] for side in (inputs, outputs))
    return Package.load(write_old(folder / "package", old(inputs, outputs), graph(takes, gives)))


def test_axes_and_test_tensors(tmp_path: Path) -> None:
    free = {"min": [1, 3, 5, 64, 32], "step": [0, 0, 0, 16, 8]}
    shape = {"reference_tensor": "raw", "scale": [1.0, 0.0, 1.0, 2.0, 0.5], "offset": [0.0, 1.0, 0.0, -1.5, 2.0]}
    output = taken("image", "bczyx", shape, halo=[0, 0, 0, 4, 2])
    package = load(tmp_path, [taken("raw", "bczyx", free)], [output])
    (given,), (got,) = package.inputs, package.outputs
    assert given.described == (
        Axis("batch", "batch"),
        Axis("channel", "channel", AxisSize(3), channels=("channel0", "channel1", "channel2")),
        Axis("z", "space", AxisSize(5)),
        Axis("y", "space", AxisSize(None, 64, 16)),
        Axis("x", "space", AxisSize(None, 32, 8)),
    )
    assert got.described == (
        Axis("batch", "batch"),
        Axis("channel", "channel", AxisSize(2), channels=("channel0", "channel1")),
        Axis("z", "space", AxisSize(follows=SizeReference("raw", "z"))),
        Axis("y", "space", AxisSize(follows=SizeReference("raw", "y", 2.0, -3)), 0.5, halo=4),
        Axis("x", "space", AxisSize(follows=SizeReference("raw", "x", 0.5, 4)), 2.0, halo=2),
    )
    assert (given.graph_name, got.graph_name, given.dtype) == ("raw_port", "image_port", F32)
    assert [path.name for path in (*package.test_inputs, *package.test_outputs)] == ["in0.npy", "out0.npy"]


@pytest.mark.parametrize(
    ("axes", "ids"),
    [
        ("yx", ("y", "x")),
        ("byxc", ("batch", "y", "x", "channel")),
        ("btczyx", ("batch", "time", "channel", "z", "y", "x")),
        ("bic", ("batch", "index", "channel")),
    ],
)
def test_letters(tmp_path: Path, axes: str, ids: tuple[str, ...]) -> None:
    sizes = [1 if letter == "b" else 3 for letter in axes]
    package = load(tmp_path, [taken("raw", axes, sizes)], [taken("image", axes, same("raw", axes))])
    assert package.inputs[0].axes == package.outputs[0].axes == ids


def test_a_new_axis_and_a_channel_that_follows(tmp_path: Path) -> None:
    shape = {"reference_tensor": "raw", "scale": [1.0, 2.0, None, 1.0, 1.0], "offset": [0, 0.5, 2.5, 0, 0]}
    package = load(tmp_path, [taken(shape=(1, 2, 8, 8))], [taken("image", "bczyx", shape)])
    assert package.outputs[0].sizes[1:4] == (AxisSize(5), AxisSize(5), AxisSize(follows=SizeReference("raw", "y")))


STEPS = [
    ("binarize", {"threshold": 0.5}, "binarize", {"threshold": 0.5}),
    (
        "clip",
        {"min": 0.0, "max": 1.0},
        "clip",
        {"min": 0.0, "max": 1.0, "min_percentile": None, "max_percentile": None, "axes": None},
    ),
    ("scale_linear", {"gain": 2.0}, "scale_linear", {"gain": 2.0, "offset": 0.0}),
    (
        "scale_linear",
        {"gain": [2.0, 3.0], "offset": [0.0, 1.0], "axes": "yx"},
        "scale_linear",
        {"gain": (2.0, 3.0), "offset": (0.0, 1.0), "axis": "channel"},
    ),
    ("sigmoid", None, "sigmoid", {}),
    (
        "zero_mean_unit_variance",
        {"mode": "per_sample", "axes": "cyx", "eps": 1e-4},
        "zero_mean_unit_variance",
        {"axes": ("channel", "y", "x"), "eps": 1e-4},
    ),
    (
        "zero_mean_unit_variance",
        {"mode": "per_dataset", "axes": "yx"},
        "zero_mean_unit_variance",
        {"axes": ("batch", "y", "x"), "eps": 1e-6},
    ),
    (
        "zero_mean_unit_variance",
        {"mode": "fixed", "axes": "yx", "mean": [1.0, 2.0], "std": [3.0, 4.0]},
        "fixed_zero_mean_unit_variance",
        {"mean": (1.0, 2.0), "std": (3.0, 4.0), "axis": "channel"},
    ),
    (
        "zero_mean_unit_variance",
        {"mode": "fixed", "axes": "cyx", "mean": 1.0, "std": 3.0},
        "fixed_zero_mean_unit_variance",
        {"mean": 1.0, "std": 3.0},
    ),
    (
        "scale_range",
        PERCENTILES,
        "scale_range",
        {"axes": ("y", "x"), "min_percentile": 1.0, "max_percentile": 99.8, "eps": 1e-6, "reference_tensor": None},
    ),
    (
        "scale_range",
        {"mode": "per_dataset", "axes": "cyx"},
        "scale_range",
        {
            "axes": ("batch", "channel", "y", "x"),
            "min_percentile": 0.0,
            "max_percentile": 100.0,
            "eps": 1e-6,
            "reference_tensor": None,
        },
    ),
]


@pytest.mark.parametrize(("name", "kwargs", "id", "arguments"), STEPS)
def test_steps_in_the_words_of_0_5(tmp_path: Path, name: str, kwargs: Any, id: str, arguments: dict[str, Any]) -> None:
    step = {"name": name, **({} if kwargs is None else {"kwargs": kwargs})}
    given = taken(shape=(1, 2, 8, 8), data_type="uint16", preprocessing=[step])
    package = load(tmp_path, [given], [taken("image", "bcyx", same())])
    first, mine, last = package.inputs[0].steps
    assert (mine.id, dict(mine.arguments)) == (id, arguments)
    assert (first, last) == (cast("uint16"), cast(F32))


def cast(dtype: str) -> Step:
    return Step("ensure_dtype", {"dtype": dtype})


NAMES = {
    "EnsureDtype": "ensure_dtype",
    "Clip": "clip",
    "Binarize": "binarize",
    "Sigmoid": "sigmoid",
    "ScaleRange": "scale_range",
    "ZeroMeanUnitVariance": "zero_mean_unit_variance",
    "FixedZeroMeanUnitVariance": "fixed_zero_mean_unit_variance",
    "ScaleMeanVariance": "scale_mean_variance",
}


@pytest.mark.parametrize(
    ("pre", "post"),
    [
        ([], []),
        ([{"name": "scale_range", "kwargs": PERCENTILES}], []),
        ([], [{"name": "sigmoid"}, {"name": "binarize", "kwargs": {"threshold": 0.5}}]),
        (
            [{"name": "zero_mean_unit_variance", "kwargs": {"mode": "fixed", "axes": "cyx", "mean": 1.0, "std": 2.0}}],
            [
                {
                    "name": "scale_mean_variance",
                    "kwargs": {"mode": "per_sample", "axes": "cyx", "reference_tensor": "raw"},
                }
            ],
        ),
    ],
)
def test_the_steps_are_bioimageio_core_s(tmp_path: Path, pre: list[Any], post: list[Any]) -> None:
    from bioimageio.core import load_model_description
    from bioimageio.core.proc_setup import setup_pre_and_postprocessing

    inputs = [taken(data_type="uint8", preprocessing=pre), taken("more", data_type="uint16")]
    outputs = [taken("image", "bcyx", same(), postprocessing=post), taken("other", "bcyx", same())]
    package = load(tmp_path, inputs, outputs)
    model = load_model_description(package.folder / "rdf.yaml", perform_io_checks=False)
    theirs = setup_pre_and_postprocessing(model, dataset_for_initial_statistics=[])
    steps: Any
    for tensors, steps in ((package.inputs, theirs.pre), (package.outputs, theirs.post)):
        mine = [(one.name, step.id, step.arguments.get("dtype")) for one in tensors for step in one.steps]
        assert mine == [
            (str(step.input), NAMES[type(step).__name__], getattr(step, "dtype", None))
            for step in steps
            if type(step).__name__ in NAMES
        ]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (taken("image", "bcyx", (1, 1, 8)), "found 3 sizes for the axes bcyx of image|breaks the BioImage.IO format"),
        (taken("image", "bcyx", same("nobody")), "follows nobody|breaks|cannot be read"),
        (taken("image", "bcyx", same(), data_type="complex64"), "breaks the BioImage.IO format"),
        (taken("image", "bcyx", (1, 1, 8, 1 << 20)), "a size of 1048576"),
        (taken("image", "bcyx", (1, 1, 0, 8)), "at least 1 pixel|breaks the BioImage.IO format"),
        (taken("image", "bcyx", {**same(), "scale": [1.0, 1.0, 1e9, 1.0]}), "a shape of 1000000000"),
        (taken("image", "bcyx", (1, 1, 8, 8), halo=[0, 0, 1]), "found .* for the axes bcyx|breaks"),
        (
            taken(
                "image",
                "bczyx",
                same("raw", "bczyx"),
                postprocessing=[{"name": "scale_linear", "kwargs": {"gain": [2.0], "axes": "x"}}],
            ),
            "which leaves c, z, y, expected at most one more|breaks",
        ),
    ],
)
def test_what_does_not_fit_together(tmp_path: Path, output: dict[str, Any], words: str) -> None:
    with pytest.raises(PackageError, match=words) as caught:
        load(tmp_path, [taken()], [output])
    assert "\n" not in str(caught.value)


def test_the_tolerance_that_it_states(tmp_path: Path) -> None:
    stated = {"reproducibility_tolerance": [{"relative_tolerance": 1e-4, "absolute_tolerance": 1e-5}]}
    content = old([taken()], [taken("image", "bcyx", same())]) | {"config": {"bioimageio": stated}}
    model = graph([("raw", F32, 4)], [("image", F32, 4)])
    assert Package.load(write_old(tmp_path / "package", content, model)).tolerances == (Tolerance(1e-4, 1e-5, 100.0),)
    stated["reproducibility_tolerance"][0]["relative_tolerance"] = 5.0
    with pytest.raises(PackageError, match=r"config\.bioimageio that breaks the format"):
        Package.load(write_old(tmp_path / "again", content, model))


def test_zeros_and_nulls_among_the_scales(tmp_path: Path) -> None:
    """As published descriptions have it: 0 and null both make a size of 2 * offset; null is a new axis."""
    shape = {"reference_tensor": "raw", "scale": [1.0, 0.0, None, 1.0, 1.0], "offset": [0.0, 0.5, 0.5, 0.0, 0.0]}
    package = load(tmp_path, [taken()], [taken("image", "bczyx", shape)])
    assert package.outputs[0].sizes[1:3] == (AxisSize(1), AxisSize(1))
    assert [size.follows.axis for size in package.outputs[0].sizes[3:] if size.follows] == ["y", "x"]


def test_a_network_that_does_not_take_float32(tmp_path: Path) -> None:
    model = graph([("raw", "uint8", 4)], [("image", F32, 4)])
    content = old([taken(data_type="uint8")], [taken("image", "bcyx", same())])
    with pytest.raises(PackageError, match="described as float32 when it reaches the network, but uint8"):
        Package.load(write_old(tmp_path / "package", content, model))


def test_counts_as_test_tensors_of_floats(tmp_path: Path) -> None:
    package = load(tmp_path, [taken()], [taken("image", "bcyx", same())])
    np.save(package.test_inputs[0], np.ones((1, 1, 8, 8), np.uint16))
    assert package.load_test_inputs()[0].dtype == np.uint16
