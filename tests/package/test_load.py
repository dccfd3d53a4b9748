"""Packages that are as they should be: what is read from them."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime.package import AxisSize, Package, Tolerance


def test_everything_that_is_stated_is_read(make_package: Callable[..., Path]) -> None:
    folder = make_package()
    package = Package.load(folder)
    assert (package.name, package.folder, package.licence) == ("plus one", folder, "BSD-3-Clause")
    assert package.citations == "Nobody, nowhere 10.1234/abc"
    assert package.documentation == folder / "README.md"
    assert package.weights == package.onnx_path == folder / "weights.onnx"
    assert package.weights_sha256 == hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    (given,), (got,) = package.inputs, package.outputs
    assert (given.name, given.graph_name, given.dtype) == ("raw", "raw", "uint16")
    assert given.axes == ("batch", "channel", "y", "x")
    assert given.kinds == ("batch", "channel", "space", "space")
    assert given.sizes == (AxisSize(1), AxisSize(1), AxisSize(None, 4, 2), AxisSize(None, 4, 2))
    assert given.sizes[2].fits(512)
    assert not given.sizes[2].fits(511)
    assert not given.sizes[2].fits(2)
    assert (got.name, got.scale, got.channels) == ("image", 1.0, 1)
    assert dict(package.settings) == {"decode": "image", "columns": ("a", "b"), "threshold": 0.5}
    assert package.tolerances == (Tolerance(1e-4, 0.0, 100.0),)
    (raw,), (image,) = package.load_test_inputs(), package.load_test_outputs()
    assert np.array_equal(raw + np.uint16(1), image)


def test_package_hash_covers_description_and_weights(make_package: Callable[..., Path]) -> None:
    folder = make_package()
    first = Package.load(folder)
    rdf = hashlib.sha256((folder / "rdf.yaml").read_bytes()).hexdigest()
    assert first.package_sha256 == hashlib.sha256(f"{rdf}\n{first.weights_sha256}\n".encode()).hexdigest()
    with (folder / "rdf.yaml").open("a", encoding="utf-8") as file:
        file.write("# a remark\n")
    assert Package.load(folder).package_sha256 != first.package_sha256


def test_a_magnified_output_states_its_scale(make_package: Callable[..., Path]) -> None:
    def halve(rdf: dict[str, Any]) -> None:
        for axis in rdf["outputs"][0]["axes"][2:]:
            axis["scale"] = 0.5

    assert Package.load(make_package(halve)).outputs[0].scale == 2.0


@pytest.mark.parametrize("name", ["rdf.yaml", "bioimageio.yaml"])
def test_the_folder_and_its_description_are_the_same_package(make_package: Callable[..., Path], name: str) -> None:
    folder = make_package()
    (folder / "rdf.yaml").rename(folder / name)
    assert Package.load(str(folder)) == Package.load(folder / name)


def test_a_package_survives_pickling_and_stays_frozen(make_package: Callable[..., Path]) -> None:
    package = Package.load(make_package())
    again = pickle.loads(pickle.dumps(package))  # noqa: S301  the way to a worker and back, our own bytes
    assert again == package
    assert hash(again) == hash(package)
    for one in (package, again):
        with pytest.raises(TypeError):
            one.settings["decode"] = "points"  # type: ignore[index]


def test_importing_the_reader_does_not_import_the_specification() -> None:
    code = "import sys, onscope.runtime.package; print({'bioimageio.spec', 'onnx', 'torch'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "set()"


def test_linked_documentation_is_left_alone(make_package: Callable[..., Path]) -> None:
    def link(rdf: dict[str, Any]) -> None:
        rdf["documentation"] = {"source": "https://example.org/README.md"}

    assert Package.load(make_package(link)).documentation is None


def test_a_package_without_test_tensors_and_hashes_is_read(make_package: Callable[..., Path]) -> None:
    def strip(rdf: dict[str, Any]) -> None:
        del rdf["weights"]["onnx"]["sha256"], rdf["config"]
        for tensor in (rdf["inputs"][0], rdf["outputs"][0]):
            del tensor["test_tensor"]

    package = Package.load(make_package(strip))
    assert package.test_inputs == package.test_outputs == ()
    assert dict(package.settings) == {"decode": "image"}
    assert package.tolerances == (Tolerance(),)
