"""The shipped classifier of crops: what it says of itself, and what it tells of specimens that nothing has seen."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import cv2
import numpy as np
import pytest
from ruamel.yaml import YAML

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._crops import NAMES, PIXEL_UM, SIDE, Crop
from onscope.export.zoo._crops_recipes import DIVIDING_IN_SCALE, DYING_IN_SCALE, NATURAL
from onscope.export.zoo._mitosis_quality import Judged, judged, runner
from onscope.export.zoo.recipes import Part, made
from onscope.runtime import Package

FOLDER = PACKAGES / "mitosis-cells"
UNSEEN = 5000
"""Held-out specimens from here on are in no table either."""


@cache
def found(kind: str) -> Judged:
    crops: list[Crop] = []
    if kind == "natural":
        crops = made(NATURAL, Part.HELD_OUT, UNSEEN) + made(NATURAL, Part.HELD_OUT, UNSEEN + 1)
    else:
        for number, recipe in enumerate((DIVIDING_IN_SCALE, DIVIDING_IN_SCALE, DIVIDING_IN_SCALE, DYING_IN_SCALE)):
            crops += made(recipe, Part.HELD_OUT, UNSEEN + 10 + number)
    return judged(runner(FOLDER / "weights.onnx"), crops)


def test_it_is_small_and_says_what_it_is() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2_000_000
    described = YAML(typ="safe").load((FOLDER / "rdf.yaml").read_text(encoding="utf-8"))
    assert described["license"] == "BSD-3-Clause"
    assert described["config"]["onscope"].items() >= {"classes": list(NAMES), "pixel_um": PIXEL_UM}.items()
    (given,), (answer,) = described["inputs"], described["outputs"]
    assert given["axes"][0] == {"type": "batch"}  # any number of crops
    assert [axis.get("size") for axis in given["axes"][2:]] == [SIDE, SIDE]
    assert answer["axes"][1]["channel_names"] == list(NAMES)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    wanted = ("## Quality", "## What it was trained on", "## What it does not do", "expected calibration error")
    assert all(part in text for part in wanted)
    assert "**The export is equal to the network:" in text
    assert "(not measured)" not in text
    for picture in ("export.png", "quality.png"):
        image = cv2.imread(str(FOLDER / picture))
        assert image is not None
        assert image.shape[1] == 1500
        assert f"]({picture})" in text


def test_it_has_the_proof_of_its_export() -> None:
    account = json.loads((FOLDER / "export.json").read_text(encoding="utf-8"))
    assert account["passed"]
    assert account["weights_sha256"] == Package.load(FOLDER).weights_sha256
    assert {one["where"] for one in account["metrics"]} == {"test tensor", *(f"frame {n}" for n in range(1, 6))}
    assert "two at once" in {one["where"] for one in account["parity"]}


def test_it_gives_its_own_test_output_alone_and_in_a_batch() -> None:
    package = Package.load(FOLDER)
    run = runner(package.onnx_path)
    (given,), (expected,) = package.load_test_inputs(), package.load_test_outputs()
    assert run(given[:, 0]) == pytest.approx(expected, abs=1e-4)
    batch = np.concatenate([given[:, 0], given[:, 0, ::-1], given[:, 0]])
    assert run(batch)[[0, 2]] == pytest.approx(np.repeat(expected, 2, axis=0), abs=1e-4)


@pytest.mark.long
def test_phases_are_told_in_cultures_that_it_never_saw() -> None:
    one = found("eventful").alike()
    assert min(Counter(one.names.tolist()).values()) > 30
    assert one.accuracy > 0.7
    assert np.nanmin(one.recall) > 0.5
    assert one.recall[NAMES.index("metaphase")] > 0.8
    assert one.recall[NAMES.index("dead")] > 0.75


@pytest.mark.long
def test_few_resting_nuclei_are_told_to_divide_or_to_be_dead() -> None:
    one = found("natural")
    resting = one.names == 0
    assert resting.sum() > 100
    known = one.at(np.array([0.9, 0.02, 0.02, 0.03, 0.03]))
    assert (known.told[resting] == 0).mean() > 0.95
    assert (one.told[resting] == NAMES.index("metaphase")).mean() < 0.03
    assert (one.told[resting] == NAMES.index("dead")).mean() < 0.05


@pytest.mark.parametrize("gain", [0.5, 4.0])
def test_the_cameras_gain_and_offset_do_not_matter(gain: float) -> None:
    package = Package.load(FOLDER)
    run = runner(package.onnx_path)
    crop = package.load_test_inputs()[0][:, 0].astype(np.float64)
    other = np.clip(gain * crop + 200, 0, 65535).astype(np.uint16)
    assert run(other) == pytest.approx(run(crop.astype(np.uint16)), abs=0.03)  # rounding to whole counts remains
