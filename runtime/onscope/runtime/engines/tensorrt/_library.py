"""The `tensorrt` package, 10 or 11, or one sentence of what is missing."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from ..._errors import ProviderError

GENERATIONS = (10, 11)
HINT = "pip install 'onscope[tensorrt]' on a machine with an NVIDIA GPU; on a Jetson tensorrt comes with JetPack 7.2"


def library() -> Any:
    """The module `tensorrt`; raises ProviderError when it (or cuda-bindings) is missing, too old or does not load."""
    missing = [name for name, module in (("tensorrt", "tensorrt"), ("cuda-bindings", "cuda")) if not _is_there(module)]
    if missing:
        raise ProviderError(
            f"found no {' and no '.join(missing)} installed, expected them for the provider 'tensorrt': {HINT}"
        )
    try:
        module = importlib.import_module("tensorrt")
        version = str(module.__version__)
    except Exception as error:  # stubs of the wheels raise what they like, and so does a loader of libraries
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise ProviderError(
            f"found tensorrt, which cannot be loaded ({words}), expected its libraries beside it: {HINT}"
        ) from error
    if int(version.split(".")[0]) not in GENERATIONS:
        raise ProviderError(f"found tensorrt {version}, expected {' or '.join(map(str, GENERATIONS))}: {HINT}")
    return module


def logger(trt: Any) -> Any:
    """A logger for TensorRT that keeps what went wrong (`.complaints`) and prints nothing."""

    class Complaints(trt.ILogger):  # type: ignore[misc]  # the module is only known when it runs
        def __init__(self) -> None:
            trt.ILogger.__init__(self)  # pybind11 wants its own constructor called, not super()'s
            self.complaints: list[str] = []

        def log(self, severity: Any, msg: str) -> None:
            if int(severity) <= int(trt.ILogger.ERROR):
                self.complaints.append(" ".join(msg.split()))

    return Complaints()


def complaint(kept: Any) -> str:
    """The last thing that TensorRT complained of, in one line, or "it does not say why"."""
    return str(kept.complaints[-1])[:400] if kept.complaints else "it does not say why"


def made(kind: Any, words: str, kept: Any, *arguments: Any) -> Any:
    """An object of TensorRT's; where its factory gives none, ProviderError of `words` and TensorRT's complaint."""
    try:
        return kind(*arguments)
    except TypeError as error:  # pybind11: "factory function returned nullptr"
        raise ProviderError(f"{words}: {complaint(kept)}") from error


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
