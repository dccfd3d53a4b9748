"""Packages of CARE folders answer live as CSBDeep's `predict` does, with its normalising and its way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("csbdeep")

from onscope.export import _steps
from onscope.export.keras_tf import quiet
from onscope.export.routes import load
from onscope.runtime import Package, Stage
from onscope.runtime.engines import open_session
from onscope.runtime.package import check_reproduces
from onscope.runtime.worker import prove_compiled

from . import folders
from .test_route_csbdeep import KINDS, Make, close, image, live


@pytest.mark.parametrize("kind", ["residual", "plain", "two channels", "two channels to one", "probabilistic", "deep"])
def test_packages_answer_as_csbdeep_predicts(tmp_path: Path, kind: str, make: Make) -> None:
    """With what `predict` does by itself: normalised, padded where needed, and mapped back to the frame's units."""
    model = folders.care(tmp_path / "care", **KINDS[kind])
    original = load(tmp_path / "care")
    assert "csbdeep" in original.tools
    channels, deep = model.config.n_channel_in, model.config.n_dim == 3
    whole = image((*((16,) if deep else ()), 40, 36, channels))
    report = make(original, whole[None])
    assert report.passed
    assert [one.where for one in report.parity][-1] == "two at once"
    # A frame of a size that the network takes.
    frames = whole if channels > 1 else whole[..., 0]
    axes = ("ZYX" if deep else "YX") + ("C" if channels > 1 else "")
    found = live(tmp_path / "package", frames, deep, tmp_path)
    with quiet():
        if model.config.probabilistic:
            pair = model.predict_probabilistic(frames, axes)
            expected = {"mean": pair.mean(), "scale": pair.scale()}
        else:
            expected = {"image": model.predict(frames, axes)}
    assert found.keys() == expected.keys()
    for name, answer in expected.items():
        assert close(np.squeeze(found[name]), np.squeeze(answer))
    if not deep:  # an odd one is reflected at its end
        odd, step, out = image((37, 29, channels), 3), original.stated.step or 1, model.config.n_channel_out
        normal = folders.percentiles(odd, 2, 99.8, (0, 1))
        answer = model.keras_model(folders.padded(normal, (step, step, 1))[None]).numpy()[0, :37, :29, :out]
        if channels == out:
            low, high = np.percentile(odd, (2, 99.8), axis=(0, 1))
            answer = answer * (high - low) + low
        found = live(tmp_path / "package", odd if channels > 1 else odd[..., 0], False, tmp_path)
        assert close(np.squeeze(found[next(iter(expected))]), np.squeeze(answer), 2e-5)


def test_a_flat_frame_stays_what_it_is(tmp_path: Path, make: Make) -> None:
    """Of a frame of one value nothing is left to normalise; CSBDeep answers with that value."""
    model = folders.care(tmp_path / "care")
    make(load(tmp_path / "care"), image((1, 40, 36, 1)))
    flat = np.full((40, 36), 777, np.uint16)
    with quiet():
        expected = model.predict(flat, "YX")
    assert np.array_equal(expected, flat)
    assert np.array_equal(np.squeeze(live(tmp_path / "package", flat, False, tmp_path)["image"]), expected)


def test_other_readers_find_the_test_outputs_in_units_of_percentiles(tmp_path: Path, make: Make) -> None:
    """`denormalise` is the runtime's: test outputs are those of BioImage.IO's steps, and are compared as such."""
    model = folders.care(tmp_path / "care", probabilistic=True)
    frames = image((1, 40, 36, 1))
    report = make(load(tmp_path / "care"), frames)
    package = Package.load(report.folder)
    assert [output.processing for output in package.outputs] == [("ensure_dtype", "inverse_scale_range")] * 2
    normal = folders.percentiles(frames, 2, 99.8, (0, 1, 2))
    stored = np.concatenate(package.load_test_outputs(), axis=-1)
    assert close(stored, model.keras_model(normal).numpy())
    stage = Stage("care", package)
    for agreed in (
        *check_reproduces(package, open_session(package.weights, "cpu")),
        *prove_compiled(package, stage.request)[0],
    ):
        assert agreed.passed
        assert agreed.max_relative < 1e-5


def test_the_way_back_goes_with_the_steps(tmp_path: Path, make: Make) -> None:
    folders.care(tmp_path / "care", probabilistic=True)
    original = load(tmp_path / "care")
    make(original, output_names=["denoised", "sigma"], overwrite=True)
    assert Package.load(tmp_path / "package").settings["denormalise"] == {"denoised": "values", "sigma": "spread"}
    report = make(original, pre=_steps.parse_normalise("mean-std"), overwrite=True)
    assert "denormalise" not in Package.load(tmp_path / "package").settings
    assert any("the network's own units" in note for note in report.notes)
    make(original, pre=_steps.parse_normalise("percentiles:1,99"), overwrite=True)
    assert Package.load(tmp_path / "package").outputs[0].steps[-1].arguments["max_percentile"] == 99
