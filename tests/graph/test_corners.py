"""What packages and cameras have beside the common: halos, frozen statistics, odd dtypes, sizes known late."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from onscope.runtime import Package
from onscope.runtime._errors import PipelineError
from onscope.runtime.graph import Raw, compile_group
from onscope.runtime.graph.calibration._calibration import Calibration, calibrated

from .. import models
from .agree import disagreement
from .generated import SCENES, Recipe, image, write
from .oracle import core_prediction, staged
from .rules import compare
from .run import answers, opened, request, window_of

UNIT = (("scale_range", {"axes": ["y", "x"], "min_percentile": 1.0, "max_percentile": 99.0}),)
FIXED = (("fixed_zero_mean_unit_variance", {"mean": 500.0, "std": 300.0}),)
ALL = (("zero_mean_unit_variance", {"axes": ["channel", "y", "x"]}),)


@pytest.mark.parametrize(
    ("side", "form"),
    [
        ((24, 32), "0.5"),
        ((21, 37), "0.5"),
        ((8, 9), "0.5"),
        ((21, 37), "0.4"),
        pytest.param((24, 32), "0.4", marks=pytest.mark.slow),
        pytest.param((8, 9), "0.4", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(("network", "halo"), [("conv", 1), ("unet", 4), ("upsample", 2), ("downsample", 1)])
def test_halos(tmp_path: Path, network: str, halo: int, side: tuple[int, int], form: Any) -> None:
    for pre in (FIXED, UNIT):
        recipe = Recipe(network, pre=pre, inner_halo=halo, format=form)
        folder = write(tmp_path / pre[0][0], recipe)
        array = image(recipe, side, dtype="uint16")
        window, raw = window_of(recipe, array)
        found = answers(folder, window, raw, tmp_path)["image"]
        pads = recipe.pads(side)
        assert compare(found, staged(folder, {"frame": array}, pads)["image"]) == ""
        if pre == FIXED and form == "0.5" and not any(fill for _, fill in pads.values()):
            assert compare(found, core_prediction(folder, {"frame": array}, halo=True)["image"]) == ""


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(
    ("dtype", "layout"),
    [
        ("uint8", "bcyx"),
        ("uint16", "yxc"),
        ("float32", "bcyx"),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (("uint8", "yxc"), ("uint16", "bcyx"), ("float32", "yxc"))
        ),
    ],
)
def test_what_cameras_give(tmp_path: Path, scene: str, dtype: str, layout: str) -> None:
    for pre in (UNIT, ALL, (("clip", {"min_percentile": 2.0, "max_percentile": 99.5, "axes": ["y", "x"]}), *ALL)):
        reason = disagreement(tmp_path, Recipe("conv", layout, 2, pre=pre), (21, 30), dtype, True, scene)
        assert not reason, (reason, pre)


@pytest.mark.parametrize("given", ["float32", "uint8", "uint16"])
@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]
)
def test_every_dtype_of_answers(tmp_path: Path, dtype: str, given: str) -> None:
    post = (("scale_linear", {"gain": 30.0, "offset": 20.0}), ("clip", {"min": 0.0, "max": 120.0}))
    recipe = Recipe("conv", pre=UNIT, post=(*post, ("ensure_dtype", {"dtype": dtype})), given=given, answered=dtype)
    assert disagreement(tmp_path, recipe, (21, 30)) == ""
    plain = replace(recipe, post=())
    assert disagreement(tmp_path, plain, (21, 30)) == ""


@pytest.mark.parametrize("answered", ["uint8", "int16", "float32"])
@pytest.mark.parametrize(
    "post", [(), (("binarize", {"threshold": 111.5}),), (("clip", {"min": 95.5, "max": 120.5}),)], ids=str
)
def test_the_old_format_casts_before_its_steps(tmp_path: Path, answered: str, post: Any) -> None:
    pre = (("clip", {"min": 100.0, "max": 150.0}),)
    recipe = Recipe(
        "pointwise", pre=pre, post=post, answered=answered, format="0.4", described="uint16"
    )  # answers 91 to 137
    assert disagreement(tmp_path, recipe) == ""


def test_values_of_the_first_windows_stay_and_those_of_the_raw_frame_are_shared(tmp_path: Path) -> None:
    recipe = Recipe("conv", pre=UNIT)
    folder = write(tmp_path / "package", recipe)
    package = Package.load(folder)
    first, second = (image(Recipe(layout="yx"), (24, 32), seed, "uint16") for seed in (1, 2))
    raw = Raw((24, 32), "uint16")
    run = opened([request(package, normalise="frozen", frozen_frames=1)], raw, tmp_path)
    run.run([first])
    given = {"frame": second[None, None]}
    frozen = run.run([second])["stage.image"]
    assert compare(frozen, staged(folder, given, measured={"frame": first[None, None]})["image"]) == ""
    assert compare(frozen, staged(folder, given)["image"]) != ""
    counts = write(tmp_path / "counts", Recipe("conv", given="uint16", answered="uint16", seed=4))
    chain = [request(Package.load(counts), "a"), request(package, "b", reads="a", normalise="shared")]
    answered = opened(chain, raw, tmp_path).run([first])
    shared = staged(folder, {"frame": answered["a.image"]}, measured={"frame": first[None, None]})["image"]
    assert compare(answered["b.image"], shared) == ""


@pytest.mark.parametrize("maps", [False, True], ids=["numbers", "maps"])
@pytest.mark.parametrize("pre", [FIXED, UNIT, ALL], ids=["fixed", "percentiles", "mean"])
def test_calibrated_frames(tmp_path: Path, pre: Any, maps: bool) -> None:
    """core on the calibrated frame, against the raw one with the calibration in the graph."""
    side, random = (21, 30), np.random.default_rng(3)
    more: dict[str, Any] = (
        {"dark": random.uniform(95, 105, side), "response": random.uniform(0.9, 1.1, side)} if maps else {}
    )
    calibration = Calibration(offset=100.0, electrons_per_count=0.46, hot=random.random(side) > 0.99, **more)
    folder = write(tmp_path / "package", Recipe("conv", pre=pre))
    frame = image(Recipe(layout="yx"), side, 1, "uint16", "hot pixel")
    given = calibrated(frame, calibration)[None, None]
    run = opened([request(Package.load(folder))], Raw(side, "uint16"), tmp_path, calibration)
    assert compare(run.run([frame])["stage.image"], core_prediction(folder, {"frame": given})["image"]) == ""


def test_few_pixels_of_a_large_image_fall_to_the_other_side_of_a_threshold(tmp_path: Path) -> None:
    plain = Recipe("unet", pre=ALL, described="uint16")
    array = image(plain, (512, 500), 1)
    before = core_prediction(write(tmp_path / "plain", plain), {"frame": array})["image"]
    post = (("binarize", {"threshold": float(np.median(before))}),)
    folder = write(tmp_path / "package", replace(plain, post=post, answered="bool"))
    found = answers(folder, [array[0, 0]], Raw((512, 500), "uint16"), tmp_path)["image"]
    wanted = core_prediction(folder, {"frame": array})["image"]
    assert 0.05 < wanted.mean() < 0.95
    assert compare(found, wanted, ["binarize"]) == ""


def test_as_many_answers_as_there_are(tmp_path: Path) -> None:
    """An axis whose size is known after the run: the places of all pixels above 1000 counts."""
    nodes = [
        helper.make_node("Cast", ["frame"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Greater", ["f", "limit"], ["high"]),
        helper.make_node("NonZero", ["high"], ["places"]),
        helper.make_node("Transpose", ["places"], ["points"], perm=[1, 0]),
    ]
    axes: list[dict[str, Any]] = [
        {"type": "index", "id": "index", "size": {"min": 1, "max": 5000}},
        {"type": "channel", "id": "channel", "channel_names": ["b", "c", "y", "x"]},
    ]
    package = models.write(
        tmp_path / "package", nodes, {"limit": np.float32(1000)}, "uint16", ("points", "int64", axes),
        settings={"decode": "points", "columns": ["b", "c", "y", "x"]},
    )  # fmt: skip
    for seed in (1, 2):
        frame = image(Recipe(layout="yx"), (17, 23), seed, "uint16")
        found = answers(package.folder, [frame], Raw(frame.shape, "uint16"), tmp_path / "cache")["points"]
        assert np.array_equal(found, core_prediction(package.folder, {"frame": frame[None, None]})["points"])
        assert len(found) == np.sum(frame > 1000)


def test_a_network_of_two_images_is_refused_by_their_names(tmp_path: Path) -> None:
    recipe = Recipe("conv", pre=UNIT, recurrent=True)
    package = Package.load(write(tmp_path / "package", recipe))
    stage = replace(request(package), settings={"decode": "image"})
    with pytest.raises(PipelineError, match="frame, hidden"):
        compile_group((stage,), Raw((24, 32), "uint16"), cache=tmp_path)
