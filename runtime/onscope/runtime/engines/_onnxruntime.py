"""`cpu`: ONNX Runtime on the CPU."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .._cores import available_cores
from .._errors import ProviderError
from ._interface import Array, Session, TensorSpec, check_arrays

DTYPES = {
    "tensor(bool)": "bool",
    "tensor(double)": "float64",
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(int8)": "int8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(uint8)": "uint8",
}
SHORT_SPIN = ("session.intra_op.spin_duration_us", "100")
"""Microseconds that ONNX Runtime's threads wait for work before they sleep; versions before 1.26 do not know it."""
STOP_SPINNING = ("session.force_spinning_stop", "1")


class OnnxRuntimeEngine:
    """Opens graphs on ONNX Runtime's CPU provider."""

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise ProviderError(f"found the provider 'cpu:{argument}', expected 'cpu': it takes no argument")

    def open(self, graph: Path, threads: int | None = None) -> Session:
        return OnnxRuntimeSession(graph, threads)


class OnnxRuntimeSession:
    """One graph on the CPU provider."""

    def __init__(self, graph: Path, threads: int | None) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is raised: no lines of its own beside it
        # Threads that spin for long steal from the next session, and from the acquisition beside them; between the
        # operators of a graph too, so that stopping after a run is not enough (docs/decisions/0008-machine-care.md).
        options.add_session_config_entry(*(SHORT_SPIN if _version(ort.__version__) >= (1, 26) else STOP_SPINNING))
        try:
            self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base below Exception
            raise ProviderError(f"ONNX Runtime cannot open {graph.name}: {first_line(error)}") from error
        self.provider = "cpu"
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self._names = [spec.name for spec in self.inputs]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            return self._session.run(None, dict(zip(self._names, arrays, strict=True)))  # type: ignore[no-any-return]
        except Exception as error:
            check_arrays(self.inputs, arrays)
            raise ProviderError(f"ONNX Runtime failed: {first_line(error)}") from error


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _spec(node: object) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)  # type: ignore[attr-defined]
    kind = node.type  # type: ignore[attr-defined]
    if kind not in DTYPES:
        raise ProviderError(f"found a graph that takes or gives {kind}, expected a tensor of numbers")
    return TensorSpec(node.name, shape, DTYPES[kind])  # type: ignore[attr-defined]


def first_line(error: Exception) -> str:
    """What ONNX Runtime says, in one line, without where in its sources it was raised."""
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    line = re.sub(r"^/\S+:\d+ .*?\) ", "", line)[:300]
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)  # names come from the graph
