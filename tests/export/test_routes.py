"""State dicts and TorchScript files: opened without running what they bring, and refused when they bring code."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export.routes._state_dict import NetworkName, load_state_dict, parse_network
from onscope.export.routes._torchscript import load_torchscript
from onscope.runtime import ExportError, Package

from .networks import Smooth, Twice

SMOOTH = f"{Smooth.__module__}:Smooth"
CODE = """
from pathlib import Path
import torch
Path(__file__).with_name("ran").touch()
class Double(torch.nn.Module):
    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(float(factor)))
    def forward(self, pixels):
        return pixels * self.factor
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(Smooth(features=3).state_dict(), tmp_path / "smooth.pt")
    return tmp_path / "smooth.pt"


def test_a_state_dict_becomes_a_package(weights: Path, make: Any, counts: Any) -> None:
    loaded = load_state_dict(weights, f"{SMOOTH}(features=3)")
    assert loaded.source_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    report = make(loaded.network, counts, route=loaded.route, source_sha256=loaded.source_sha256)
    assert report.exporter == "torch.export"
    assert "the state dict smooth.pt" in (report.folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "params"])
def test_checkpoints_and_parallel_training(tmp_path: Path, key: str) -> None:
    state = {f"module.{name}": value + 1 for name, value in Smooth().state_dict().items()}
    torch.save({"epoch": 3, key: state}, tmp_path / "checkpoint.pt")
    network = load_state_dict(tmp_path / "checkpoint.pt", SMOOTH).network
    assert torch.equal(network.state_dict()["up.bias"], Smooth().state_dict()["up.bias"] + 1)


def test_a_pickled_network_is_not_opened(tmp_path: Path) -> None:
    torch.save(Smooth(), tmp_path / "whole.pt")
    with pytest.raises(ExportError, match=r"pickled objects in it.* save torch.save\(network.state_dict\(\), file\)"):
        load_state_dict(tmp_path / "whole.pt", SMOOTH)


def test_a_pickle_that_runs_code_does_not(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"up.bias": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ExportError, match="pickled objects"):
        load_state_dict(tmp_path / "evil.pt", SMOOTH)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("data", [b"", b"hello", b"\x80\x04]q\x00.", b"PK\x03\x04 broken"])
def test_files_that_are_no_weights(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(data)
    with pytest.raises(ExportError, match=r"found x.pt|found list in x.pt"):
        load_state_dict(tmp_path / "x.pt", SMOOTH)
    with pytest.raises(ExportError, match="no TorchScript file"):
        load_torchscript(tmp_path / "x.pt")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for load in (lambda path: load_state_dict(path, SMOOTH), load_torchscript):
        with pytest.raises(ExportError, match=r"no readable file at .*nowhere.pt"):
            load(tmp_path / "nowhere.pt")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (f"{Smooth.__module__}:Twice", r"are not those of .* missing, such as .*; .* unknown, such as"),
        (SMOOTH, "4 of another shape|of another shape, such as"),
        (f"{Smooth.__module__}:Nothing", "found no class 'Nothing' of torch.nn.Module"),
        (f"{Smooth.__module__}:not_a_network()", "found no class 'not_a_network'"),
        ("os:system('true')", "found no class 'system'"),
        ("no_such_module_here:Net", "found no module 'no_such_module_here'"),
        (f"{SMOOTH}(colour=3)", "Smooth cannot be built .*colour"),
    ],
)
def test_networks_that_do_not_fit(weights: Path, network: str, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        load_state_dict(weights, network)


def test_names_of_networks() -> None:
    assert parse_network("a.b:C") == NetworkName("a.b", "C", (), {})
    assert parse_network("a:C.D(1, 'x', [2, None], k=-0.5)") == NetworkName(
        "a", "C.D", (1, "x", [2, None]), {"k": -0.5}
    )


@pytest.mark.parametrize(
    "text",
    [
        "Class",
        "module:",
        ":Class",
        "a:C(x=open('f'))",
        "a:C(**{})",
        "a:C()()",
        "a:C[0]",
        "a:C(x=b)",
        "a:(lambda: 1)()",
        "a b:C",
        "a:C; import os",
        "a:C(1",
        "a:" + "(" * 5000,
        "../a:C",
        "a:C(x=f'{1}')",
    ],
)
def test_names_that_are_more_than_names(text: str) -> None:
    with pytest.raises(ExportError, match="expected module:Class"):
        parse_network(text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    for candidate in (text, f"module:{text}", f"module:Class({text})"):
        refusal = None
        try:
            parse_network(candidate)
        except ExportError as error:
            refusal = str(error)
        assert refusal is None or refusal.startswith("found the network")


def test_code_is_imported_only_when_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "my_double_network.py").write_text(CODE, encoding="utf-8")
    torch.save({"factor": torch.tensor(3.0)}, tmp_path / "double.pt")
    name = "my_double_network:Double(factor=1.5)"
    with pytest.raises(ExportError, match="importing runs it, so read it and add --trust-code"):
        load_state_dict(tmp_path / "double.pt", name, folder)
    monkeypatch.chdir(folder)  # the current folder is not installed code
    monkeypatch.syspath_prepend("")
    with pytest.raises(ExportError, match="found no module 'my_double_network'"):
        load_state_dict(tmp_path / "double.pt", name)
    assert not (folder / "ran").exists()
    network = load_state_dict(tmp_path / "double.pt", name, folder, trust_code=True).network
    assert (folder / "ran").exists()
    assert network(torch.ones(1)).item() == 3.0


def test_a_torchscript_file_becomes_a_package(tmp_path: Path, make: Any) -> None:
    torch.jit.save(torch.jit.script(Twice().eval()), tmp_path / "twice.pt")
    loaded = load_torchscript(tmp_path / "twice.pt")
    frame = np.random.default_rng(0).random((1, 1, 21, 26), np.float32)
    report = make(loaded.network, frame, sizes=[(33, 17)], route=loaded.route)
    assert report.exporter == "TorchScript exporter"
    assert Package.load(report.folder).outputs[0].scale == 2.0


def test_a_state_dict_is_no_torchscript_file(weights: Path) -> None:
    with pytest.raises(ExportError, match=r"no TorchScript file .*name its class with --network"):
        load_torchscript(weights)
