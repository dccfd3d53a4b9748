"""ONNX files of several inputs: what lies beside the frame is guessed, or stated, and the export takes it too."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from onscope.export import Choices, FurtherInput, export_original
from onscope.export._further import parse_input
from onscope.export.routes import load
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session

from .onnx_files import close, pixels, written
from .packages import BATCH, about, channel, counts, follows, sha256, space, tensor, write
from .test_several_inputs import Coarse, Numbers, Pair, Recurrent, Template

SIDES = {2: "y", 3: "x"}
CASES: dict[str, tuple[type[nn.Module], tuple[int, ...], dict[int, str], tuple[str, tuple[Any, ...]], int]] = {
    "pair": (Pair, (1, 1, 32, 32), SIDES, ("bcyx", (1, 1, Fraction(1), Fraction(1))), 1),
    "coarse": (Coarse, (1, 1, 16, 16), {2: "v", 3: "u"}, ("bcyx", (1, 1, Fraction(1, 2), Fraction(1, 2))), 2),
    "template": (Template, (1, 1, 20, 12), {}, ("bcyx", (1, 1, 20, 12)), 1),
    "recurrent": (Recurrent, (1, 4, 16, 16), {2: "v", 3: "u"}, ("bcyx", (1, 4, Fraction(1, 2), Fraction(1, 2))), 2),
    "numbers": (Numbers, (1, 5), {}, ("bc", (1, 5)), 1),
}


def by_torch(network: nn.Module, other: tuple[int, ...], free: bool, sides: dict[int, str], path: Path) -> Path:
    """Written by torch's TorchScript exporter: of 32x32 pixels, or with free sizes and batch."""
    named = {"image": {0: "n", 2: "y", 3: "x"}, "other": {0: "n", **sides}} if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (torch.rand(1, 1, 32, 32), torch.rand(other)), str(path), dynamo=False, opset_version=17,
            input_names=["image", "other"], dynamic_axes=named,
        )  # fmt: skip
    return path


@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_what_lies_beside_the_frame(tmp_path: Path, case: str, free: bool) -> None:
    make, other, sides, (axes, sizes), step = CASES[case]
    original = load(by_torch(make(), other, free, sides, tmp_path / "net.onnx"))
    (beside,) = original.stated.further
    assert (beside.name, beside.axes, beside.sizes) == ("other", axes, sizes)
    (said,) = [note.split("'")[1] for note in original.stated.notes if "lies beside the frame was guessed" in note]
    assert parse_input(said) == beside
    report = export_original(original, tmp_path / "package", Choices(name="a network"))
    package = Package.load(report.folder)
    assert [one.name for one in package.inputs] == ["raw", "other"]
    session = open_session(package.weights, "cpu", 1)
    for batch, (y, x) in ((1, (20, 36)), (2, (32, 32))):
        shape = tuple(
            batch if letter == "b" else int(size * {"y": y, "x": x}[letter]) if isinstance(size, Fraction) else size
            for letter, size in zip(axes, sizes, strict=True)
        )
        arrays = [pixels(batch, 1, y, x), pixels(*shape)]
        with torch.no_grad():
            wanted = make().eval()(*map(torch.from_numpy, arrays))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for have, want in zip(session.run(arrays), wanted, strict=True):
            assert close(have, want.numpy())
    assert package.inputs[0].sizes[2].step == step


def numbers(path: Path, dtype: int = TensorProto.FLOAT) -> Path:
    """A frame times numbers of a kind that no frame has."""
    nodes = [helper.make_node("Cast", ["t"], ["f"], to=1), helper.make_node("Mul", ["x", "f"], ["y"])]
    written(path, nodes, ("n", 1, "h", "w"), 13)
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("t", dtype, [1]))
    onnx.save(model, path)
    return path


def test_whole_numbers_beside_the_frame(tmp_path: Path) -> None:
    original = load(numbers(tmp_path / "time.onnx", TensorProto.INT64))
    report = export_original(original, tmp_path / "package", Choices(name="a network"))
    assert any("its input t is int64, to which uint16 is cast in the graph" in note for note in report.notes)
    package = Package.load(report.folder)
    frame = pixels(1, 1, 17, 19)
    (found,) = open_session(package.weights, "cpu", 1).run([frame, np.array([3], np.uint16)])
    assert close(found, 3 * frame)


def test_the_user_says_what_lies_beside(tmp_path: Path) -> None:
    path = by_torch(Coarse(), (1, 1, 16, 16), True, {2: "v", 3: "u"}, tmp_path / "net.onnx")
    half = Fraction(1, 2)
    stated = FurtherInput("coarse", "bcyx", (1, 1, half, half))
    report = export_original(load(path), tmp_path / "package", Choices(name="a network", further=[stated]))
    assert [one.name for one in Package.load(report.folder).inputs] == ["raw", "coarse"]
    wrong = FurtherInput("coarse", "bcyx", (1, 1, Fraction(1), Fraction(1)))
    with pytest.raises(ExportError, match=r"the network itself fails on a .* and .* input"):
        export_original(load(path), tmp_path / "wrong", Choices(name="a network", further=[wrong]))
    two = Choices(name="a network", further=[stated, stated])
    with pytest.raises(ExportError, match=r"found 3 inputs stated, expected 2 .*\(image, other\)"):
        export_original(load(path), tmp_path / "wrong", two)


def test_inputs_that_hold_nothing_usable(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"takes object of 1 axes \(t\), expected numbers"):
        load(numbers(tmp_path / "words.onnx", TensorProto.STRING))


def test_a_package_with_onnx_weights_of_several_inputs(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    path = by_torch(Coarse(), (1, 1, 16, 16), True, {2: "v", 3: "u"}, folder / "net.onnx")
    raw, other = counts().astype(np.float32), counts((1, 1, 16, 20), 1).astype(np.float32)
    with torch.no_grad():
        found = Coarse().eval()(torch.from_numpy(raw), torch.from_numpy(other)).numpy()
    grid = {"min": 16, "step": 2}
    half = [space(name, size=follows(name), scale=2.0) for name in "yx"]
    inputs = [
        tensor("raw", [BATCH, channel("a"), space("y", size=grid), space("x", size=grid)], raw, folder),
        tensor("coarse", [BATCH, channel("b"), *half], other, folder),
    ]
    same = [space(name, size=follows(name)) for name in "yx"]
    outputs = [tensor("image", [BATCH, channel("c"), *same], found, folder)]
    weights = {"onnx": {"source": path.name, "sha256": sha256(path), "opset_version": 17}}
    write(folder, about(inputs=inputs, outputs=outputs, weights=weights))
    report = export_original(load(folder), tmp_path / "package", Choices())
    assert [one.where for one in report.parity][-1] == "its own test output"
    assert [one.name for one in Package.load(report.folder).inputs] == ["raw", "coarse"]
