"""Records what the real bindings of TensorRT offer into api.json, which the stand-in is held against.

The bindings (the wheels tensorrt-cu13-bindings of 10 and of 11) can be imported without a GPU where libraries of the
names that they are linked to are there, even empty ones; TensorRT itself then cannot be started. For each wheel:

    PYTHONPATH=UNPACKED_WHEEL LD_LIBRARY_PATH=LIBRARIES python tests/tensorrt/record_api.py
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("api.json")
CLASSES = (
    "Builder", "BuilderFlag", "IBuilderConfig", "ICudaEngine", "IExecutionContext", "IHostMemory", "ILogger",
    "INetworkDefinition", "IProgressMonitor", "ITimingCache", "NetworkDefinitionCreationFlag", "OnnxParser",
    "ParserError", "Runtime",
)  # fmt: skip


def members(kind: Any) -> dict[str, Any]:
    """Parameters of methods (of all overloads), numbers of enumerations' members, and "property"."""
    if hasattr(kind, "__members__"):
        return {name: int(value) for name, value in kind.__members__.items()}
    found: dict[str, Any] = {}
    for name in dir(kind):
        if name.startswith("_") and name != "__init__":
            continue
        value = getattr(kind, name)
        if isinstance(value, type):
            found[name] = members(value)
        elif callable(value):
            lines = re.findall(rf"{name}\((.*)\) -> ", value.__doc__ or "")
            found[name] = [parameters(line) for line in lines if line != "*args, **kwargs"]
        else:
            found[name] = int(value) if hasattr(value, "__int__") else "property"
    return found


def parameters(line: str) -> list[str]:
    """Names of a signature's parameters, without self; a default or a type may hold commas and brackets."""
    plain = re.sub(r"<[^>]*>|\[[^\]]*\]", "", line)
    return [name for name in re.findall(r"(?:^|, )(\w+)(?::| =|$)", plain) if name != "self"]


def main() -> None:
    trt = importlib.import_module("tensorrt_bindings")
    recorded = json.loads(FILE.read_text()) if FILE.exists() else {}
    recorded[trt.__version__.split(".")[0]] = {
        "version": trt.__version__,
        "classes": {name: members(getattr(trt, name)) for name in CLASSES},
    }
    FILE.write_text(json.dumps(recorded, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
