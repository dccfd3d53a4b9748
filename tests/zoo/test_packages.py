"""The shipped packages: found without PyTorch, small, complete, and equal to their own test tensors."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from ruamel.yaml import YAML

from onscope.export.zoo import PACKAGES
from onscope.runtime import Package

SETTINGS: dict[str, dict[str, Any]] = {
    "care-beads": {"decode": "image"},
    "espcn-beads": {"decode": "image", "scale": 2},
    "spots-beads": {"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.8},
    "nuclei-cells": {"decode": "image"},
}
BEADS = [name for name in SETTINGS if name.endswith("-beads")]


def test_packages_are_found_without_a_framework() -> None:
    code = "import sys; from onscope.export.zoo import PACKAGES; print('torch' in sys.modules, PACKAGES.is_dir())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("name", SETTINGS)
def test_package_is_small_and_says_what_it_is(name: str) -> None:
    folder = PACKAGES / name
    assert sum(file.stat().st_size for file in folder.iterdir()) < (1_000_000 if name in BEADS else 2_000_000)
    described = YAML(typ="safe").load((folder / "rdf.yaml").read_text(encoding="utf-8"))
    assert described["license"] == "BSD-3-Clause"
    assert described["config"]["onscope"].items() >= SETTINGS[name].items()
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert all(part in text for part in ("## Quality", "## What it was trained on", "## What it does not do", "F1"))


@pytest.mark.parametrize("name", SETTINGS)
def test_package_has_the_proof_of_its_export(name: str) -> None:
    """Of the weights that it has, with frames beside the test tensor, in words and as a picture."""
    folder = PACKAGES / name
    account = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert account["passed"]
    assert account["weights_sha256"] == Package.load(folder).weights_sha256
    assert len(account["source_sha256"]) == 64
    frames = {one["where"] for one in account["metrics"]}
    assert frames == {"test tensor", "frame 1", "frame 2", "frame 3"}
    assert all(one["passed"] for one in account["metrics"])
    assert "**The export is equal to the network:" in (folder / "README.md").read_text(encoding="utf-8")
    picture = cv2.imread(str(folder / account["picture"]))
    assert picture is not None
    assert picture.shape[1] == 1500


@pytest.mark.parametrize("name", BEADS)
def test_package_gives_its_own_test_output(name: str) -> None:
    package = Package.load(PACKAGES / name)
    session = ort.InferenceSession(str(package.onnx_path), providers=["CPUExecutionProvider"])
    assert [given.type for given in session.get_inputs()] == ["tensor(uint16)"]
    (given,), (expected,) = package.load_test_inputs(), package.load_test_outputs()
    (answer,) = session.run(None, {session.get_inputs()[0].name: given})
    assert answer.dtype == expected.dtype
    assert answer.shape == expected.shape
    if expected.dtype == np.uint16:  # another processor may round to the other side
        assert np.abs(answer.astype(int) - expected).max() <= 1
    else:
        assert answer == pytest.approx(expected, abs=1e-3)
