"""The ways in: one file per kind of source, chosen by what the source is, each loaded when it is taken.

Every file has `load(source, asked) -> Original`, which raises ExportError in one sentence: what the source is instead,
or what is not installed. Nothing of a source is executed or unpickled without `asked.trust_code`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .._original import Original


@dataclass(frozen=True, slots=True)
class Asked:
    """What a route must be told: the class of a state dict ("module:Class(value)"), the folder of its module, the word
    that code which belongs to the source may be run, the key of the tensors in a checkpoint of several, and the axes
    of the input, for routes that would guess them."""

    network: str | None = None
    code: Path | None = None
    trust_code: bool = False
    key: str = ""
    axes: str = ""


ROUTES = {
    "bioimageio": "a BioImage.IO package: folder or .zip with an rdf.yaml, or the rdf.yaml",
    "csbdeep": "a model folder of CSBDeep, CARE or N2V: config.json with weights beside it",
    "czann": "a ZEISS .czann file",
    "keras": "a Keras .keras or .h5 file",
    "onnx": "an ONNX file",
    "stardist": "a StarDist model folder: config.json with weights and thresholds.json beside it",
    "state-dict": "a PyTorch state dict (.pt, .pth, .safetensors) and its class (--network)",
    "tensorflow": "a TensorFlow SavedModel folder or frozen graph (.pb)",
    "torch-program": "a torch.export program (.pt2)",
    "torchscript": "a TorchScript file",
}
"""Names of the routes, and what each takes; the file is named by the route."""
SUFFIXES = {
    ".czann": "czann",
    ".h5": "keras",
    ".hdf5": "keras",
    ".keras": "keras",
    ".onnx": "onnx",
    ".pb": "tensorflow",
    ".pt2": "torch-program",
    ".safetensors": "state-dict",
    ".yaml": "bioimageio",
    ".yml": "bioimageio",
    ".zip": "bioimageio",
}
MOST_CONFIG = 1 << 20


def load(source: Path, asked: Asked | None = None, route: str | None = None) -> Original:
    """The network of a source, by the route of that name, or the one that its kind asks for; raises ExportError."""
    asked = asked or Asked()
    if not source.exists():
        raise ExportError(f"found nothing at {source}, expected a trained network, a file or a folder: check the path")
    name = route or route_of(source, asked)
    if name not in ROUTES:
        raise ExportError(f"found the route {name!r}, expected one of {', '.join(ROUTES)}")
    module = importlib.import_module(f"{__name__}._{name.replace('-', '_')}")
    loader: Callable[[Path, Asked], Original] = module.load
    return loader(source, asked)


def route_of(source: Path, asked: Asked) -> str:
    """The route for a source, by its name and what lies in it; raises ExportError for folders that are none."""
    if source.is_dir():
        if (source / "rdf.yaml").is_file():
            return "bioimageio"
        if (source / "saved_model.pb").is_file():
            return "tensorflow"
        if (source / "config.json").is_file():
            return "stardist" if "n_rays" in read_config(source) else "csbdeep"
        kinds = "; ".join(ROUTES[name] for name in ("bioimageio", "csbdeep", "stardist", "tensorflow"))
        raise ExportError(f"found no model in the folder {source}, expected one of these: {kinds}")
    if asked.network is not None:
        return "state-dict"
    return SUFFIXES.get(source.suffix.lower(), "torchscript")


def read_config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """The config.json of a model folder, or another JSON file of it; raises ExportError."""
    path = folder / name
    try:
        if path.exists() and not path.is_file():
            raise ExportError(f"found {path}, which is no file, expected a network's configuration")
        if path.stat().st_size > MOST_CONFIG:
            raise ExportError(f"found {path} of more than {MOST_CONFIG >> 20} MB, expected a network's configuration")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(f"found {path}, which cannot be read as JSON ({error}), expected a configuration") from error
    if not isinstance(content, dict):
        raise ExportError(f"found a {type(content).__name__} in {path}, expected names with values")
    return content
