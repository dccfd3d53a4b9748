"""The shipped classifier on crops of whole frames: the same classes as offline, and right ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from onscope.export.zoo import PACKAGES, _crops
from onscope.export.zoo._crops_recipes import dividing, natural
from onscope.export.zoo._mitosis_quality import runner
from onscope.export.zoo.recipes import Field, Part, Recipe, made
from onscope.runtime import Package
from onscope.runtime.crops import CropSettings, CropsRunner
from onscope.runtime.graph import Raw, StageRequest

from .networks import objects

UNSEEN = 7000
"""Held-out specimens from here on are in no table."""


def _fields(field: Field, rng: np.random.Generator) -> Sequence[Field]:
    return [field] if field.shot.channel == "nuclei" else []


@cache
def fields(number: int) -> list[Field]:
    return made(Recipe("fields", "dividing-cells", dividing, _fields), Part.HELD_OUT, UNSEEN + number)


def stage(package: Package, **more: Any) -> StageRequest:
    return StageRequest(
        name="phase",
        weights=package.weights,
        weights_sha256=package.weights_sha256,
        package_sha256=package.package_sha256,
        inputs=package.inputs,
        outputs=package.outputs,
        settings={**package.settings, **more},
        normalise="per_crop",
        rescale=True,
    )


def live(field: Field, table: np.ndarray[Any, Any], **more: Any) -> np.ndarray[Any, Any]:
    raw = Raw(field.counts.shape, "uint16", pixel_size_um=field.pixel_um)
    return CropsRunner(stage(Package.load("zoo/mitosis-cells"), **more), CropSettings(), raw, ("cpu", 1)).run(
        [field.counts], table
    )


@pytest.mark.long
@pytest.mark.parametrize("number", [0, 1, 2])
def test_classes_are_those_of_the_classifier_run_offline_on_the_same_crops(number: int) -> None:
    field = fields(number)[0]
    found = list(_crops.centres(field.truth, field.pixel_um, np.random.default_rng(number)))
    table = objects([place for _, *place in found], [row for row, *_ in found])
    image = _crops.at_scale(field.counts, field.pixel_um)
    ratio = np.array(image.shape) / np.array(field.counts.shape)
    places = (np.stack([table["y"], table["x"]], axis=1).astype(np.float64) + 0.5) * ratio - 0.5
    chances = runner(PACKAGES / "mitosis-cells" / "weights.onnx")(_crops.cut(image, places))
    answer = live(field, table)
    assert len(answer) > 10
    assert answer["class"].tolist() == chances.argmax(axis=1).tolist()
    scores = np.stack([answer[f"score_{name}"] for name in _crops.NAMES], axis=1)
    assert scores == pytest.approx(chances, abs=1e-5)
    assert answer["score"] == pytest.approx(chances.max(axis=1), abs=1e-5)


def test_most_of_them_are_right() -> None:
    right: list[bool] = []
    for number in range(3):
        for field in fields(number)[:2]:
            kinds = field.truth.kinds()
            found = [each for each in _crops.centres(field.truth, field.pixel_um, np.random.default_rng(0))
                     if kinds[each[0]] in _crops.OF_KIND]  # fmt: skip
            answer = live(field, objects([place for _, *place in found]))
            names = [_crops.OF_KIND[kinds[row]] for row, *_ in found]
            right += (answer["class"] == names).tolist()
    assert len(right) > 100
    assert np.mean(right) > 0.8


@pytest.mark.long
def test_known_frequencies_make_fewer_resting_nuclei_divide() -> None:
    frequencies = [0.88, 0.02, 0.02, 0.03, 0.05]
    plain = known = resting = 0
    culture = Recipe("natural fields", "dividing-cells", natural, _fields)
    for field in [*made(culture, Part.HELD_OUT, UNSEEN), *made(culture, Part.HELD_OUT, UNSEEN + 1)]:
        kinds = field.truth.kinds()
        found = [each for each in _crops.centres(field.truth, field.pixel_um, np.random.default_rng(0))
                 if kinds[each[0]] == "interphase"]  # fmt: skip
        table = objects([place for _, *place in found])
        resting += len(table)
        plain += int(np.count_nonzero(live(field, table)["class"]))
        known += int(np.count_nonzero(live(field, table, frequencies=frequencies)["class"]))
    assert resting > 50
    assert plain > 2 * known, f"{plain} and {known} of {resting}"
