"""The oracle itself: it is bioimageio.core, refuses what core refuses, and tells when two images are not the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from onscope.runtime import Package

from .agree import rounding_of
from .generated import Recipe, image, reproducible, write
from .oracle import core_prediction, staged
from .recipes import recipes
from .rules import compare, near_threshold


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(recipes())
def test_stage_by_stage_is_what_core_predicts_and_the_package_opens(recipe: Recipe) -> None:
    with TemporaryDirectory() as root:
        folder = write(Path(root) / "package", recipe)
        package = Package.load(folder)
        inputs = {"frame": image(recipe, recipe.side)}
        found = staged(folder, inputs)
        assert [tensor.name for tensor in package.outputs] == list(found)
        if not recipe.core_refuses:
            for name, array in core_prediction(folder, inputs).items():
                assert found[name].dtype == array.dtype
                # The same network in two sessions: ONNX Runtime need not share it among its threads in the same way.
                steps = next(tensor.processing for tensor in package.outputs if tensor.name == name)
                reason = compare(found[name], array, steps, tolerance=1e-6)
                if reason and array.dtype.kind == "f":  # a softmax of hundreds makes more of the last bit
                    rounding = rounding_of(folder, inputs, name, array)
                    reason = compare(found[name], array, steps, tolerance=1e-6, rounding=rounding)
                assert reason == ""


@pytest.mark.parametrize("network", ["conv", "upsample", "unet"])
def test_halos_are_padded_and_cropped_as_core_does(tmp_path: Path, network: str) -> None:
    halo = 2 if network == "upsample" else 1 if network == "conv" else 4
    pre = (("scale_linear", {"gain": 0.001, "offset": 0.0}),)
    recipe = Recipe(network, pre=pre, inner_halo=halo, side=(32, 24))
    folder = write(tmp_path / "package", recipe)
    side = (24, 16) if network == "unet" else (23, 18)
    inputs = {"frame": image(recipe, side)}
    own = round(halo / recipe.kind.scale)
    found = staged(folder, inputs, {"y": (own, 0), "x": (own, 0)})["image"]
    assert compare(found, core_prediction(folder, inputs, halo=True)["image"], tolerance=1e-9) == ""


def test_a_package_can_be_made_to_give_its_own_test_tensors(tmp_path: Path) -> None:
    recipe = Recipe("unet", pre=(("zero_mean_unit_variance", {}),), post=(("sigmoid", {}),))
    folder = write(tmp_path / "package", recipe)
    reproducible(folder, recipe, [core_prediction(folder, {"frame": image(recipe, recipe.side)})["image"]])
    package = Package.load(folder)
    found = core_prediction(folder, {"frame": package.load_test_inputs()[0]})["image"]
    assert np.array_equal(found, package.load_test_outputs()[0])


def test_what_core_does_not_do(tmp_path: Path) -> None:
    recipe = Recipe("pointwise", channels=2, out_channels=2)
    inputs = {"frame": image(recipe, recipe.side)}

    def package(name: str, **more: object) -> Path:
        return write(tmp_path / name, replace(recipe, **more))  # type: ignore[arg-type]

    exact, rough = (
        package(name, pre=(("scale_range", {"axes": ["y", "x"], "eps": eps}),))
        for name, eps in (("exact", 1e-6), ("rough", 1e-1))
    )
    assert np.array_equal(core_prediction(exact, inputs)["image"], core_prediction(rough, inputs)["image"])
    own = package("own", post=(("zero_mean_unit_variance", {"axes": ["y", "x"]}),))
    with pytest.raises(KeyError, match="image"):
        core_prediction(own, inputs)
    assert abs(staged(own, inputs)["image"].mean()) < 1e-5
    each = package("each", post=(("binarize", {"threshold": [0.0, 1e9], "axis": "channel"}),), answered="bool")
    with pytest.raises(ValueError, match="broadcast"):
        core_prediction(each, inputs)
    assert not staged(each, inputs)["image"][:, 1].any()


def test_differences_are_told() -> None:
    random = np.random.default_rng(1)
    floats = random.random((40, 50), np.float32) * 8
    assert compare(floats, floats) == ""
    assert compare(floats + np.float32(3e-5), floats) == ""
    assert "off by" in compare(floats + np.float32(3e-4), floats)
    assert compare(floats + np.float32(3e-4), floats, tolerance=5e-5) == ""
    one = floats.copy()
    one[3, 4] = np.nan
    assert "off by" in compare(one, floats)
    assert "shape" in compare(floats[:-1], floats)
    assert "dtype" in compare(floats.astype(np.float64), floats)
    narrow = np.full((4, 5), 0.997, np.float32)
    narrow[0, 0] += np.float32(1e-3)
    assert compare(narrow + np.spacing(narrow), narrow) == ""
    assert "off by" in compare(narrow + 6 * np.spacing(narrow), narrow)
    counts = (floats * 10).astype(np.uint8)
    assert compare(counts + np.uint8(1), counts) == ""
    assert "counts" in compare(counts + np.uint8(2), counts)
    steps, high = ("sigmoid", "binarize"), floats > 4
    flipped = high.copy()
    flipped[5, 6] ^= True
    assert compare(high.astype(np.uint8), high, steps) == ""
    assert "flipped" in compare(flipped, high, steps)
    near = near_threshold(floats, float(floats[5, 6]))
    assert compare(flipped, high, steps, near=near) == ""
    assert "flipped" in compare(flipped, high, steps, near=~near)
