"""Code that builds a network and is somebody else's: what it lacks is said, whatever it raises is one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from onscope.export import Choices, export_original
from onscope.export.routes import Asked, load
from onscope.runtime import ExportError

from .packages import CODE, sha256, state_dict, two_classes

TRUST = Asked(trust_code=True)
Change = Callable[[Path, dict[str, Any]], object]


def packaged(folder: Path, change: Change) -> Path:
    def weights(inside: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
        made = state_dict(inside, network, raw)
        change(inside, made["pytorch_state_dict"])
        return made

    return two_classes(folder / "source", weights)


def written(code: str) -> Change:
    def change(folder: Path, entry: dict[str, Any]) -> None:
        (folder / "net.py").write_text(code, encoding="utf-8")
        entry["architecture"]["sha256"] = sha256(folder / "net.py")

    return change


def refused(source: Path, words: str) -> None:
    with pytest.raises(ExportError, match=words) as caught:
        load(source, TRUST)
    assert "\n" not in str(caught.value)


def test_code_without_a_hash_is_said(tmp_path: Path) -> None:
    source = packaged(tmp_path, lambda _, entry: entry["architecture"].pop("sha256"))
    words = "the code in net.py was run without a sha256 to check it by"
    report = export_original(load(source, TRUST), tmp_path / "out")
    assert any(words in note for note in report.notes)
    assert words in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    (tmp_path / "checked").mkdir()
    stated = load(packaged(tmp_path / "checked", lambda *_: None), TRUST).stated
    assert not any("without a sha256" in note for note in stated.notes)


def test_tensors_that_are_missing_are_said(tmp_path: Path) -> None:
    def some(folder: Path, entry: dict[str, Any]) -> None:
        tensors = torch.load(folder / "state.pt", weights_only=True)
        del tensors["last.bias"]
        torch.save(tensors, folder / "state.pt")
        entry.update(sha256=sha256(folder / "state.pt"), strict=False)

    notes = load(packaged(tmp_path, some), TRUST).stated.notes
    assert any("1 tensors are missing, such as last.bias, which the package allows" in note for note in notes)

    def none(folder: Path, entry: dict[str, Any]) -> None:
        torch.save({"other.weight": torch.ones(3)}, folder / "state.pt")
        entry.update(sha256=sha256(folder / "state.pt"), strict=False)

    (tmp_path / "none").mkdir()
    refused(packaged(tmp_path / "none", none), "that are not those of net.py:Net .4 missing")


def test_a_module_beside_it_that_is_imported_late(tmp_path: Path) -> None:
    def change(folder: Path, entry: dict[str, Any]) -> None:
        (folder / "beside_the_net.py").write_text("def name():\n    return 'first'\n", encoding="utf-8")
        late = CODE.replace(
            "        super().__init__()\n", "        super().__init__()\n        import beside_the_net\n"
        )
        written(late)(folder, entry)

    load(packaged(tmp_path, change), TRUST)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise OSError('no such camera')", r"net.py:Net cannot be built \(no such camera\)"),
        ("1 / 0", r"net.py:Net cannot be built \(division by zero\)"),
        ("class Net:\n    def __init__(self, features):\n        {}[features]", r"net.py:Net cannot be built \(3\)"),
        ("def Net(features):\n    return features", r"net.py:Net gives int, expected a torch.nn.Module"),
        ("import nowhere_to_be_found", "no module for the architecture"),
        ("class Net(", "net.py:Net cannot be built"),
    ],
)
def test_code_that_fails(tmp_path: Path, code: str, words: str) -> None:
    refused(packaged(tmp_path, written(code)), words)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", r"no module 'its_network' that can be imported .*\(division by zero\)"),
        ("import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        1 / 0", "Net cannot be built"),
    ],
)
def test_a_module_that_fails(tmp_path: Path, code: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "its_network.py").write_text(code, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "its_network", raising=False)
    torch.save({}, tmp_path / "net.pt")
    with pytest.raises(ExportError, match=words):
        load(tmp_path / "net.pt", Asked("its_network:Net", tmp_path, True))


def test_modules_of_one_name_in_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({}, tmp_path / "net.pt")
    found = []
    for factor in (2, 3):
        folder = tmp_path / str(factor)
        folder.mkdir()
        code = f"import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x * {factor}\n"
        (folder / "same_name.py").write_text(code, encoding="utf-8")
        original = load(tmp_path / "net.pt", Asked("same_name:Net", folder, True))
        found.append(float(original.run(np.ones((1, 1, 2, 2), np.float32))[0].max()))
    monkeypatch.delitem(sys.modules, "same_name")
    assert found == [2.0, 3.0]


class Demanding(nn.Module):
    """Asserts, and looks for what is not there."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        assert self.how != "asserts", "multiples of 64 only"
        return pixels / (0 if self.how == "divides" else 1) if self.how != "looks" else {}["x"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("how", "words"),
    [("asserts", r"does not take a .*\(multiples of 64 only.*--fixed"), ("looks", "itself fails on a")],
)
def test_a_network_that_fails(tmp_path: Path, how: str, words: str) -> None:
    torch.save({}, tmp_path / "net.pt")
    original = load(tmp_path / "net.pt", Asked(f"{__name__}:Demanding(how='{how}')"))
    with pytest.raises(ExportError, match=words):
        export_original(original, tmp_path / "package", Choices(dtype="float32"))
