"""What the CUDA provider needs, or one sentence of what is missing."""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..._errors import ProviderError

NAME = "CUDAExecutionProvider"
HINT = "pip install 'onscope[cuda]' on a machine with an NVIDIA GPU"


def library() -> Any:
    """The module `onnxruntime`, with the CUDA libraries loaded that it came with; raises ProviderError."""
    both = [name for name in ("onnxruntime", "onnxruntime-gpu") if _installed(name)]
    if len(both) == 2:
        raise ProviderError(
            "found onnxruntime and onnxruntime-gpu, which overwrite each other's files, expected one of them for "
            "'cuda': pip uninstall onnxruntime onnxruntime-gpu, then pip install 'onscope[cuda]'"
        )
    try:
        import onnxruntime as ort
    except ImportError as missing:
        raise ProviderError(f"found no onnxruntime, expected onnxruntime-gpu for 'cuda': {HINT}") from missing
    if NAME not in ort.get_available_providers():
        raise ProviderError(
            f"found an onnxruntime {ort.__version__} without CUDA, expected onnxruntime-gpu for 'cuda': "
            f"pip uninstall onnxruntime, then {HINT}"
        )
    if find_spec("cuda") is None:
        raise ProviderError(f"found no cuda-bindings installed, expected them for 'cuda': {HINT}")
    _load(ort)
    return ort


@cache
def _load(ort: Any) -> str:
    """Load the CUDA libraries that pip installed; what it prints where some are missing."""
    said = io.StringIO()
    if hasattr(ort, "preload_dlls"):
        with contextlib.redirect_stdout(said):
            ort.preload_dlls()
    return " ".join(said.getvalue().split())[:300]


def missing_library(ort: Any) -> str:
    """Why the CUDA provider's own library cannot be loaded, in the loader's words; "" where it can.

    ONNX Runtime tells that with a line of its log alone, and puts the graph on the CPU.
    """
    folder = Path(str(ort.__file__)).parent / "capi"
    pattern = "onnxruntime_providers_{}.dll" if sys.platform == "win32" else "libonnxruntime_providers_{}.so"
    if not (folder / pattern.format("cuda")).exists():
        return ""
    try:
        ctypes.CDLL(str(folder / pattern.format("shared")), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(str(folder / pattern.format("cuda")))
    except OSError as error:
        return " ".join(str(error).split())[:200]
    return ""


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
