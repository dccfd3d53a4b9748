"""Whether a package gives its own test outputs: steps in NumPy, the network on an engine, against bioimageio.core."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from onnx import numpy_helper

from onscope.runtime import Package, PackageError
from onscope.runtime.engines import open_session
from onscope.runtime.package import carry_out, check_reproduces, prove, refuse_mismatch

from ..graph import oracle, rules
from ..graph.generated import Recipe, reproducible, write
from ..graph.recipes import recipes
from .networks import graph, new
from .networks import write as write_package

Make = Callable[..., Path]


def predicted(folder: Path, recipe: Recipe) -> dict[str, Any]:
    return oracle.staged(folder, {"frame": np.load(folder / "input0.npy")})


@settings(max_examples=15, deadline=None)
@given(recipe=recipes())
def test_the_same_answers_as_bioimageio_core(recipe: Recipe) -> None:
    # Next to a threshold, or to a whole number, the last digit decides; test_agreement looks at those.
    assume(not any(id in ("binarize", "ensure_dtype") for id, _ in (*recipe.pre, *recipe.post)))
    with tempfile.TemporaryDirectory() as there:
        folder = write(Path(there) / "package", recipe)
        package = Package.load(folder)
        expected = predicted(folder, recipe)
        found = carry_out(package, open_session(package.weights, "cpu", 1), package.load_test_inputs())
        for tensor, have in zip(package.outputs, found, strict=True):
            assert not rules.compare(have, expected[tensor.name], tensor.processing, tolerance=5e-5), recipe


STEPS = Recipe(
    layout="bcyx",
    channels=2,
    described="uint16",
    pre=(("scale_range", {"axes": ["y", "x"], "min_percentile": 1.0, "max_percentile": 99.8}),),
    post=(("sigmoid", {}),),
)


@pytest.mark.parametrize("form", ["0.5", "0.4"])
def test_a_package_with_steps_reproduces(tmp_path: Path, form: Any) -> None:
    recipe = Recipe(**{**{name: getattr(STEPS, name) for name in Recipe.__dataclass_fields__}, "format": form})
    folder = write(tmp_path / "package", recipe)
    package = Package.load(folder)
    session = open_session(package.weights, "cpu", 1)
    wrong = prove(package, session)
    assert not wrong[0].passed
    with pytest.raises(PackageError, match=r"does not give its own test outputs on cpu: largest error .* in 'image'"):
        check_reproduces(package, session)
    assert check_reproduces(package, session, force=True) == wrong
    reproducible(folder, recipe, list(predicted(folder, recipe).values()))
    package = Package.load(folder)
    (right,) = check_reproduces(package, open_session(package.weights, "cpu", 1))
    assert right.passed
    assert right.max_relative < 1e-5


def test_other_weights_are_noticed(make_package: Make) -> None:
    folder = make_package(lambda rdf: rdf["weights"]["onnx"].pop("sha256"))
    model = onnx.load(folder / "weights.onnx")
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.array(3, np.float32), "one"))
    onnx.save(model, folder / "weights.onnx")
    package = Package.load(folder)
    (found,) = prove(package, open_session(package.weights, "cpu", 1))
    assert (found.passed, found.off, found.max_abs) == (False, 80, 2.0)
    with pytest.raises(PackageError, match=r"largest error 2 .*80 of 80 values off") as caught:
        refuse_mismatch(package, [found], "cpu")
    assert "\n" not in str(caught.value)


AXES = [{"type": "space", "id": id, "size": 8} for id in "yx"]


def described(tmp_path: Path, *steps: dict[str, Any], gives: str = "float32") -> Package:
    tensor = {"axes": AXES, "data": {"type": "float32"}}
    inputs = [{**tensor, "id": name, "test_tensor": {"source": f"{name}.npy"}} for name in ("a", "b")]
    outputs = [{**tensor, "id": "c", "test_tensor": {"source": "c.npy"}, "postprocessing": list(steps)}]
    model = graph([("second", "float32", 2), ("first", "float32", 2)], [("c", gives, 2), ("more", "float32", 2)])
    for number in range(2):
        model.graph.initializer[number].CopyFrom(numpy_helper.from_array(np.array([8, 8]), f"shape{number}"))
    folder = write_package(tmp_path / "package", new(inputs, outputs), model)
    for number, name in enumerate("abc"):
        np.save(folder / f"{name}.npy", np.arange(64, dtype=np.float32).reshape(8, 8) + number)
    return Package.load(folder)


def test_several_inputs_in_the_order_of_the_description(tmp_path: Path) -> None:
    """The graph gives its first input, whatever that is called; here 2 is added to it beside the graph."""
    package = described(tmp_path, {"id": "scale_linear", "kwargs": {"offset": 2.0}})
    (found,) = check_reproduces(package, open_session(package.weights, "cpu", 1))
    assert found.passed
    assert found.max_abs == 0


def test_a_reference_tensor_is_an_input_as_it_comes(tmp_path: Path) -> None:
    """b is a + 1: what has the mean and spread of b is a + 1."""
    package = described(
        tmp_path,
        {"id": "scale_mean_variance", "kwargs": {"reference_tensor": "b"}},
        {"id": "scale_linear", "kwargs": {"offset": 1.0}},
    )
    assert check_reproduces(package, open_session(package.weights, "cpu", 1))[0].passed


def test_what_a_decoder_makes_is_not_compared(tmp_path: Path) -> None:
    flow = {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False}
    package = described(tmp_path, {"id": "cellpose_flow_dynamics", "kwargs": flow})
    (found,) = check_reproduces(package, open_session(package.weights, "cpu", 1))
    assert found.passed
    assert found.words == "not compared: cellpose_flow_dynamics makes objects of it, which a decoder does"


def test_code_of_a_package_is_refused_by_name(tmp_path: Path) -> None:
    package = described(tmp_path, {"id": "custom", "callable": "run", "source": "evil.py"})
    with pytest.raises(PackageError, match="the step custom, expected a step of the format itself"):
        prove(package, open_session(package.weights, "cpu", 1))


def test_another_shape_or_dtype_is_no_agreement(tmp_path: Path) -> None:
    package = described(tmp_path)
    np.save(package.test_outputs[0], np.zeros((8, 9), np.float32))
    (found,) = prove(package, open_session(package.weights, "cpu", 1))
    assert (found.passed, found.words) == (False, "found 8x8 float32, expected 8x9 float32")
