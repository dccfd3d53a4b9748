"""BioImage.IO packages written by hand around small networks, with the test outputs that PyTorch gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ruamel.yaml import YAML
from torch import Tensor, nn

Change = Callable[[dict[str, Any]], object]
CODE = """
import torch
from pathlib import Path

Path(__file__).with_name("ran").touch()


class Net(torch.nn.Module):
    def __init__(self, features=2):
        super().__init__()
        self.first = torch.nn.Conv2d(1, features, 3, padding=1)
        self.last = torch.nn.Conv2d(features, 2, 3, padding=1)

    def forward(self, pixels):
        return self.last(torch.relu(self.first(pixels)))
"""
"""An architecture as a package brings it; it leaves a trace when it is imported."""


class Net(nn.Module):
    """The same, for what is expected."""

    def __init__(self, features: int = 2) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first = nn.Conv2d(1, features, 3, padding=1)
        self.last = nn.Conv2d(features, 2, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.last(torch.relu(self.first(pixels)))
        return answer


def counts(shape: Sequence[int] = (1, 1, 32, 40), seed: int = 0) -> npt.NDArray[np.uint16]:
    random = np.random.default_rng(seed)
    return random.poisson(random.uniform(50, 400, shape)).astype(np.uint16)


def answer_of(network: nn.Module, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with torch.no_grad():
        found: npt.NDArray[Any] = network(torch.from_numpy(array.astype(np.float32))).numpy()
    return found


def standardised(array: npt.NDArray[Any], eps: float = 1e-6) -> npt.NDArray[np.float32]:
    exact = array.astype(np.float64)
    found: npt.NDArray[np.float32] = ((exact - exact.mean()) / (exact.std() + eps)).astype(np.float32)
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def script(network: nn.Module, path: Path) -> dict[str, Any]:
    torch.jit.save(torch.jit.script(network.eval()), path)
    return {"source": path.name, "sha256": sha256(path), "pytorch_version": "2.9"}


def onnx_file(network: nn.Module, path: Path, example: Any) -> dict[str, Any]:
    free = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    torch.onnx.export(
        network.eval(), (torch.from_numpy(example.astype(np.float32)),), path, dynamo=True, opset_version=20,
        dynamic_shapes=(free,), external_data=False, verbose=False,
    )  # fmt: skip
    return {"source": path.name, "sha256": sha256(path), "opset_version": 20}


def tensor(name: str, axes: list[dict[str, Any]], array: Any, folder: Path, **more: Any) -> dict[str, Any]:
    path = folder / f"{name}.npy"
    np.save(path, array)
    test = {"source": path.name, "sha256": sha256(path)}
    return {"id": name, "axes": axes, "data": {"type": str(array.dtype)}, "test_tensor": test, **more}


def space(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "space", "id": name, **more}


def channel(*names: str) -> dict[str, Any]:
    return {"type": "channel", "channel_names": list(names)}


BATCH = {"type": "batch"}


def follows(name: str, of: str = "raw", offset: int = 0) -> dict[str, Any]:
    return {"tensor_id": of, "axis_id": name, "offset": offset}


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    (folder / "README.md").write_text("# What it is\n\nA network for tests.\n", encoding="utf-8")
    with (folder / "rdf.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(dict(content), file)
    return folder


def about(**more: Any) -> dict[str, Any]:
    return {
        "type": "model",
        "format_version": "0.5.12",
        "name": "Two classes (test)",
        "description": "Tells two classes apart.",
        "license": "CC-BY-4.0",
        "authors": [{"name": "A. Author", "affiliation": "Somewhere", "orcid": "0000-0002-1825-0097"}],
        "cite": [{"text": "Nobody, nowhere", "doi": "10.1234/abc"}],
        "tags": ["test", "2d"],
        "documentation": {"source": "README.md"},
        **more,
    }


def two_classes(
    folder: Path, weights: Callable[[Path, nn.Module, Any], dict[str, Any]], change: Change | None = None
) -> Path:
    """Format 0.5: uint16 counts, standardised; two classes, through a sigmoid; sizes 16 + n * 4, a halo of 2."""
    folder.mkdir()
    network, raw = Net(3).eval(), counts()
    found = 1 / (1 + np.exp(-answer_of(network, standardised(raw)).astype(np.float64)))
    grid = {"min": 16, "step": 4}
    inputs = tensor(
        "frame", [BATCH, channel("light"), space("y", size=grid), space("x", size=grid)], raw, folder,
        preprocessing=[
            {"id": "zero_mean_unit_variance", "kwargs": {"eps": 1e-6}},
            {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
        ],
    )  # fmt: skip
    sides = [space(name, size=follows(name, "frame"), halo=2) for name in "yx"]
    outputs = tensor(
        "classes", [BATCH, channel("cell", "border"), *sides], found.astype(np.float32), folder,
        postprocessing=[{"id": "sigmoid"}],
    )  # fmt: skip
    content = about(inputs=[inputs], outputs=[outputs], weights=weights(folder, network, raw))
    if change is not None:
        change(content)
    return write(folder, content)


def torchscript(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
    return {"torchscript": script(network, folder / "net.pt")}


def onnx_weights(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
    return {"onnx": onnx_file(network, folder / "net.onnx", raw)}


def state_dict(folder: Path, network: nn.Module, raw: Any) -> dict[str, Any]:
    torch.save(network.state_dict(), folder / "state.pt")
    (folder / "net.py").write_text(CODE, encoding="utf-8")
    named = {"source": "net.py", "sha256": sha256(folder / "net.py"), "callable": "Net", "kwargs": {"features": 3}}
    return {
        "pytorch_state_dict": {
            "source": "state.pt",
            "sha256": sha256(folder / "state.pt"),
            "pytorch_version": "2.9",
            "architecture": named,
        }
    }
