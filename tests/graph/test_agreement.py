"""Compiled graphs against bioimageio.core: every step, layout, axis, network and opset, and what comes by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .agree import disagreement
from .generated import NEWEST, SCENES, Recipe
from .networks import KINDS
from .recipes import DEPTH, FLAT, OLD, recipes

Agrees = Callable[..., None]

PRE: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "scale_range": [("scale_range", {"axes": ["channel", "y", "x"], "min_percentile": 1.0, "max_percentile": 99.8})],
    "scale_range, each channel": [("scale_range", {"axes": ["y", "x"], "min_percentile": 5.0, "max_percentile": 95.5})],
    "scale_range, all": [("scale_range", {})],
    "zero_mean_unit_variance": [("zero_mean_unit_variance", {"axes": ["channel", "y", "x"]})],
    "zero_mean_unit_variance, each channel": [("zero_mean_unit_variance", {"axes": ["y", "x"]})],
    "zero_mean_unit_variance, each row": [("zero_mean_unit_variance", {"axes": ["channel", "x"]})],
    "zero_mean_unit_variance, all": [("zero_mean_unit_variance", {})],
    "zero_mean_unit_variance, batch": [("zero_mean_unit_variance", {"axes": ["batch", "channel", "y", "x"]})],
    "fixed_zero_mean_unit_variance": [("fixed_zero_mean_unit_variance", {"mean": 500.0, "std": 100.0})],
    "fixed_zero_mean_unit_variance, each channel": [
        ("fixed_zero_mean_unit_variance", {"mean": [500.0, 300.0], "std": [100.0, 50.0], "axis": "channel"})
    ],
    "scale_linear": [("scale_linear", {"gain": 0.01, "offset": -1.0})],
    "scale_linear, each channel": [("scale_linear", {"gain": [0.01, 0.02], "offset": [-1.0, 1.0], "axis": "channel"})],
    "clip": [("clip", {"min": 300.0, "max": 900.0})],
    "clip below": [("clip", {"min": 300.0})],
    "clip above": [("clip", {"max": 900.0})],
    "clip by percentile": [("clip", {"min_percentile": 2.0, "max_percentile": 98.0, "axes": ["channel", "y", "x"]})],
    "clip by percentile, each channel": [("clip", {"max_percentile": 97.0, "axes": ["y", "x"]})],
    "clip by percentile and value": [("clip", {"min": 200.0, "max_percentile": 97.0, "axes": ["y", "x"]})],
    "clip, then scale_range": [
        ("clip", {"min": 300.0, "max": 900.0}),
        ("scale_range", {"axes": ["y", "x"], "max_percentile": 99.0}),
    ],
    "scale_range, then clip": [("scale_range", {"axes": ["y", "x"]}), ("clip", {"min": 0.1, "max": 0.6})],
    "binarize": [("binarize", {"threshold": 611.3})],
    "binarize, each channel": [("binarize", {"threshold": [611.3, 703.7], "axis": "channel"})],
    "sigmoid": [("fixed_zero_mean_unit_variance", {"mean": 500.0, "std": 200.0}), ("sigmoid", {})],
    "softmax": [("scale_linear", {"gain": 0.005, "offset": 0.0}), ("softmax", {"axis": "channel"})],
    "ensure_dtype": [("scale_linear", {"gain": 0.0625, "offset": 0.5}), ("ensure_dtype", {"dtype": "uint8"})],
}
POST: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "scale_range": [("scale_range", {"axes": ["channel", "y", "x"], "min_percentile": 1.0, "max_percentile": 99.8})],
    "scale_range, each channel": [("scale_range", {"axes": ["y", "x"], "min_percentile": 5.0, "max_percentile": 95.5})],
    "scale_range of the input": [("scale_range", {"axes": ["channel", "y", "x"], "reference_tensor": "frame"})],
    "zero_mean_unit_variance": [("zero_mean_unit_variance", {"axes": ["channel", "y", "x"]})],
    "zero_mean_unit_variance, each channel": [("zero_mean_unit_variance", {"axes": ["y", "x"]})],
    "zero_mean_unit_variance, all": [("zero_mean_unit_variance", {})],
    "scale_mean_variance": [("scale_mean_variance", {"axes": ["channel", "y", "x"], "reference_tensor": "frame"})],
    "scale_mean_variance, all": [("scale_mean_variance", {"reference_tensor": "frame"})],
    "fixed_zero_mean_unit_variance": [("fixed_zero_mean_unit_variance", {"mean": 1.0, "std": 2.0})],
    "fixed_zero_mean_unit_variance, each channel": [
        ("fixed_zero_mean_unit_variance", {"mean": [1.0, 2.0], "std": [2.0, 3.0], "axis": "channel"})
    ],
    "scale_linear": [("scale_linear", {"gain": 20.0, "offset": 3.0})],
    "scale_linear, each channel": [("scale_linear", {"gain": [20.0, 2.0], "offset": [0.0, 3.0], "axis": "channel"})],
    "clip": [("clip", {"min": 0.1, "max": 0.7})],
    "clip by percentile": [("clip", {"min_percentile": 2.0, "max_percentile": 98.0, "axes": ["channel", "y", "x"]})],
    "binarize": [("binarize", {"threshold": 0.3})],
    "binarize, each channel": [("binarize", {"threshold": [0.3, 0.5], "axis": "channel"})],
    "sigmoid": [("sigmoid", {})],
    "softmax": [("softmax", {"axis": "channel"})],
    "softmax along x": [("softmax", {"axis": "x"})],
    "sigmoid, then binarize": [("sigmoid", {}), ("binarize", {"threshold": 0.55})],
    "ensure_dtype": [
        ("scale_linear", {"gain": 90.0, "offset": 60.0}),
        ("clip", {"min": 0.0, "max": 255.0}),
        ("ensure_dtype", {"dtype": "uint8"}),
    ],
}
NOT_IN_04 = ("softmax", "ensure_dtype", "below", "above", "percentile", "binarize, each", "all", "linear", "row")
"""What format 0.4 has no words for, or bioimageio.core no code."""
UNIT = (("scale_range", {"axes": ["y", "x"], "min_percentile": 1.0, "max_percentile": 99.0}),)


def _in_both(steps: Iterable[str], missing: tuple[str, ...]) -> list[tuple[str, str]]:
    """Names of steps with each format that has them."""
    return [(name, "0.5") for name in steps] + [
        (name, "0.4") for name in steps if not any(word in name for word in missing)
    ]


@pytest.fixture
def agrees(tmp_path: Path) -> Agrees:
    """Fails with the numbers where a package's compiled graph and the oracle differ."""

    def check(recipe: Recipe, *arguments: Any, **more: Any) -> None:
        reason = disagreement(tmp_path, recipe, *arguments, **more)
        assert not reason, f"{reason}\n{recipe}"

    return check


@pytest.mark.parametrize(("steps", "form"), _in_both(PRE, NOT_IN_04))
def test_every_step_before_the_network(agrees: Agrees, steps: str, form: Any) -> None:
    taken = "uint8" if steps == "ensure_dtype" else "float32"
    agrees(Recipe("pointwise", channels=2, out_channels=2, pre=tuple(PRE[steps]), taken=taken, format=form), (21, 37))


@pytest.mark.parametrize(("steps", "form"), _in_both(POST, (*NOT_IN_04, "of the input")))
def test_every_step_after_the_network(agrees: Agrees, steps: str, form: Any) -> None:
    dtype = (
        {"binarize": "bool", "ensure_dtype": "uint8"}.get(POST[steps][-1][0], "float32") if form == "0.5" else "float32"
    )
    agrees(
        Recipe("conv", channels=2, out_channels=2, pre=UNIT, post=tuple(POST[steps]), answered=dtype, format=form),
        (21, 37),
    )


@pytest.mark.parametrize("layout", [*FLAT, *DEPTH])
def test_every_layout(agrees: Agrees, layout: str) -> None:
    channels = 2 if "c" in layout else 1
    recipe = Recipe("conv", layout, channels, channels, pre=UNIT)
    agrees(recipe)
    agrees(replace(recipe, channels=1, out_channels=1, collapse=any(letter in "tzi" for letter in layout)), (21, 31))


@pytest.mark.parametrize("stack", ["fixed", "parametrised"])
@pytest.mark.parametrize("sizes", ["fixed", "parametrised", "referenced"])
@pytest.mark.parametrize("layout", ["bcyx", "tyx", "bzyxc", "biyx"])
def test_every_size_of_axes(agrees: Agrees, layout: str, sizes: Any, stack: Any) -> None:
    side = (24, 24) if sizes == "referenced" else (24, 32)
    recipe = Recipe("conv", layout, sizes=sizes, side=side, pre=UNIT, stack=stack)
    for other in (side, (21, 21), (17, 23)):
        agrees(recipe, other)


@pytest.mark.parametrize("layout", OLD)
def test_every_layout_of_the_old_format(agrees: Agrees, layout: str) -> None:
    channels = 3 if "c" in layout else 1
    agrees(Recipe("conv", layout, channels, channels, pre=UNIT, format="0.4"))


@pytest.mark.parametrize("layout", ["bcyx", "byxc", "yxc", "bczyx"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colour(agrees: Agrees, layout: str, dtype: str) -> None:
    agrees(Recipe("conv", layout, 3, 3, pre=UNIT), dtype=dtype, colour=True)


@pytest.mark.parametrize("form", ["0.5", "0.4"])
@pytest.mark.parametrize("network", KINDS)
def test_every_network_at_sizes_that_it_takes_and_others(agrees: Agrees, network: str, form: Any) -> None:
    recipe = Recipe(network, pre=UNIT, out_channels=2, format=form)
    for side in ((24, 32), (25, 31), (9, 13), (37, 8))[: 4 if form == "0.5" else 2]:
        agrees(recipe, side)


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 20, NEWEST])
@pytest.mark.parametrize("network", ["old_forms", "unet", "instance_norm"])
def test_every_opset(agrees: Agrees, network: str, opset: int) -> None:
    agrees(Recipe(network, pre=UNIT, post=(("sigmoid", {}),), opset=opset), (22, 30))


@pytest.mark.parametrize("described", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_dtypes_of_frames_and_of_networks(agrees: Agrees, described: str, dtype: str) -> None:
    for recipe in (Recipe(pre=UNIT, described=described), Recipe(described=described, taken=described)):
        if described == dtype or described == "float32":
            agrees(recipe, dtype=dtype)
            agrees(replace(recipe, given="uint16", answered="uint16"), (23, 29), dtype=dtype)


@pytest.mark.long
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(recipes(), st.data())
def test_whatever_comes(recipe: Recipe, data: st.DataObject) -> None:
    _whatever(recipe, data)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(recipes(), st.data())
def test_whatever_comes_at_length(recipe: Recipe, data: st.DataObject) -> None:
    _whatever(recipe, data)


def _whatever(recipe: Recipe, data: st.DataObject) -> None:
    """Any package, on frames of its own size or another, of its own dtype or the camera's."""
    side = recipe.side
    # A fixed size of 24 that answers a fixed 20 leaves open which part of the answer a smaller frame's would be.
    unknown = recipe.sizes == "fixed" and recipe.network == "valid"
    if not unknown and data.draw(st.booleans(), label="another size"):
        low = -3 if recipe.sizes == "fixed" else -5
        high = 0 if recipe.sizes == "fixed" else 9
        y, x = (max(size + data.draw(st.integers(low, high)), 8) for size in side)
        side = (min(y, side[0]), min(x, side[1])) if recipe.sizes == "fixed" else (y, x)
    dtype = data.draw(st.sampled_from(("uint8", "uint16", "float32"))) if recipe.described == "float32" else None
    colour = data.draw(st.booleans(), label="colour")
    scene = data.draw(st.sampled_from(SCENES), label="scene")
    with TemporaryDirectory() as root:
        reason = disagreement(Path(root), recipe, side, dtype, colour, scene)
    assert not reason, reason
