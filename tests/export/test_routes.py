"""State dicts and TorchScript files: opened without running what they bring, and refused when they bring code."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.export.pytorch import read_tensors
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


@pytest.mark.long
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
        (SMOOTH, "3 of another shape or kind of numbers, such as"),
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


def test_a_whole_network_is_named(tmp_path: Path) -> None:
    written: dict[str, dict[str, Any]] = {
        "new": {},
        "old": {"_use_new_zipfile_serialization": False},
        "four": {"pickle_protocol": 4},
    }
    for name, options in written.items():
        torch.save(Smooth(), tmp_path / f"{name}.pt", **options)
        words = rf"a whole network \({Smooth.__module__}:Smooth\) .*--network '{Smooth.__module__}:Smooth\(...\)'"
        for load in (lambda path: load_state_dict(path, SMOOTH), load_torchscript):
            with pytest.raises(ExportError, match=words):
                load(tmp_path / f"{name}.pt")
    torch.save(torch.nn.Sequential(torch.nn.ReLU()), tmp_path / "plain.pt")
    with pytest.raises(ExportError, match=r"a whole network \(torch.nn.modules.container:Sequential\)"):
        load_torchscript(tmp_path / "plain.pt")


def test_lightning_checkpoints(tmp_path: Path) -> None:
    tensors = {f"model.{name}": value for name, value in Smooth().state_dict().items()}
    kept = {"state_dict": tensors, "pytorch-lightning_version": "2.5", "hyper_parameters": {"features": 2}}
    torch.save(kept, tmp_path / "plain.ckpt")
    network = load_state_dict(tmp_path / "plain.ckpt", SMOOTH).network
    assert torch.equal(network.state_dict()["up.bias"], Smooth().state_dict()["up.bias"])
    torch.save({**kept, "hyper_parameters": {"folder": tmp_path}}, tmp_path / "objects.ckpt")
    with pytest.raises(ExportError, match=r"a Lightning checkpoint with pickled objects \(pathlib:PosixPath\)"):
        load_state_dict(tmp_path / "objects.ckpt", SMOOTH)


def safetensors(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    """Written as the format says; tests compare with what was put in."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        data = tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        kind = {torch.float32: "F32", torch.bfloat16: "BF16", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def test_safetensors(tmp_path: Path) -> None:
    path = safetensors(Smooth(features=3).state_dict(), tmp_path / "smooth.safetensors")
    found = load_state_dict(path, f"{SMOOTH}(features=3)").network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in Smooth(features=3).state_dict().items())
    odd = {"a": torch.randn(3).to(torch.bfloat16), "b": torch.arange(4).reshape(2, 2), "c": torch.zeros(0)}
    read = read_tensors(safetensors(odd, tmp_path / "odd.safetensors"))
    assert all(torch.equal(read[name], value) and read[name].dtype == value.dtype for name, value in odd.items())
    whole = path.read_bytes()
    for number, data in enumerate((whole[:-1], whole[:20], b"", b"\xff" * 40, whole.replace(b'"F32"', b'"F99"'))):
        (tmp_path / f"{number}.safetensors").write_bytes(data)
        with pytest.raises(ExportError, match="no whole safetensors file"):
            load_state_dict(tmp_path / f"{number}.safetensors", SMOOTH)


class Writes(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        torch.save(pixels, "written")
        return pixels


class Maps(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels + torch.from_file("mapped", shared=True, size=4).sum()


@pytest.mark.parametrize(("network", "word"), [(Writes(), "save"), (Maps(), "from_file")])
def test_torchscript_that_touches_files(tmp_path: Path, network: torch.nn.Module, word: str) -> None:
    torch.jit.save(torch.jit.script(network), tmp_path / "net.pt")
    with pytest.raises(ExportError, match=f"names the operator {word} in net.pt"):
        load_torchscript(tmp_path / "net.pt")
