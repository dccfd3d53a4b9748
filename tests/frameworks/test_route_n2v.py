"""Folders as N2V itself writes them (with Keras 2) become packages that answer in counts as `N2V.predict` does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
if any(find_spec(name) is None for name in ("n2v", "tf_keras")):  # imported in their own process only
    pytest.skip("n2v and tf_keras are not installed", allow_module_level=True)

from onscope.export import _steps
from onscope.export.routes import load
from onscope.runtime import ExportError

from .n2v_folders import KINDS
from .test_route_csbdeep import Make, close, live


@pytest.fixture(scope="module")
def folders_of_n2v(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder per kind."""
    folder = tmp_path_factory.mktemp("n2v")
    command = [sys.executable, "-m", "tests.frameworks.n2v_folders", str(folder)]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_is_n2vs(folders_of_n2v: Path, kind: str) -> None:
    """At a size that N2V pads too, on both sides."""
    original = load(folders_of_n2v / kind)
    stated = original.stated
    with np.load(folders_of_n2v / kind / "predicted.npz") as file:
        odd, expected = file["odd"], file["odd_answer"]
    frame = odd if stated.channel_names else odd[..., None]
    step = stated.step or 1
    missing = [(-size % step) // 2 for size in frame.shape[:-1]]
    around = [(low, -size % step - low) for low, size in zip(missing, frame.shape, strict=False)]
    padded = np.pad(frame, [*around, (0, 0)], mode="reflect")[None]
    inputs = {"raw": (padded, stated.axes)}
    answer = original.run(np.ascontiguousarray(_steps.apply(stated.pre, padded, stated.axes, inputs)))[0]
    found = _steps.apply(stated.post[0], answer, stated.axes, inputs)[0]
    cut = tuple(slice(low, low + size) for low, size in zip(missing, frame.shape, strict=False))
    assert close(found[cut].reshape(expected.shape), expected)


@pytest.mark.parametrize("kind", ["n2v2", "colours", "deep"])
def test_packages_answer_as_n2v_predicts(folders_of_n2v: Path, kind: str, tmp_path: Path, make: Make) -> None:
    with np.load(folders_of_n2v / kind / "predicted.npz") as file:
        given, expected = file["given"], file["given_answer"]
    original = load(folders_of_n2v / kind)
    assert original.route == f"the N2V folder {kind} (weights_best.h5)"
    assert make(original).passed
    found = live(tmp_path / "package", given, kind == "deep", tmp_path)["image"]
    assert close(found.reshape(expected.shape), expected, 5e-6)


def test_weights_of_another_network_and_cut_off_ones(folders_of_n2v: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(folders_of_n2v / "n2v2", tmp_path / "n2v2")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "unet_n_first": 6}))
    with pytest.raises(
        ExportError, match=r"kernel of 3x3x1x4 for the layer 'channel_0down_level_0_no_0' in .* 3x3x1x6"
    ):
        load(folder)
    (folder / "config.json").write_text(json.dumps({**config, "blurpool": False}))
    with pytest.raises(ExportError, match=r"weights for the layer 'channel_0max_0' in .*expected none"):
        load(folder)
    (folder / "config.json").write_text(json.dumps(config))
    content = (folder / "weights_best.h5").read_bytes()
    (folder / "weights_best.h5").write_bytes(content[:-100])
    with pytest.raises(ExportError, match="no whole HDF5 file"):
        load(folder)
