"""`oracle`: onnx's reference evaluator. Slow and obvious: what every other engine is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .._errors import ProviderError
from ._interface import Array, Session, TensorSpec, check_arrays


class OracleEngine:
    """Opens graphs on onnx.reference."""

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise ProviderError(f"found the provider 'oracle:{argument}', expected 'oracle': it takes no argument")

    def open(self, graph: Path, threads: int | None = None) -> Session:
        return OracleSession(graph)


class OracleSession:
    """One graph in NumPy."""

    def __init__(self, graph: Path) -> None:
        import onnx
        from onnx.reference import ReferenceEvaluator

        try:
            model = onnx.load(graph)
            self._evaluator = ReferenceEvaluator(model)
        except Exception as error:  # protobuf, checker and evaluator errors have no common base
            raise ProviderError(f"onnx cannot open {graph.name}: {error}") from error
        constants = {tensor.name for tensor in model.graph.initializer}
        self.provider = "oracle"
        self.inputs = tuple(spec_of(value) for value in model.graph.input if value.name not in constants)
        self.outputs = tuple(spec_of(value) for value in model.graph.output)

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        check_arrays(self.inputs, arrays)
        try:
            feeds = {spec.name: array for spec, array in zip(self.inputs, arrays, strict=True)}
            outputs = self._evaluator.run(None, feeds)
        except Exception as error:  # any operator of the graph may raise anything
            raise ProviderError(f"onnx's reference evaluator failed: {error}") from error
        return [np.asarray(output) for output in outputs]


def spec_of(value: object) -> TensorSpec:
    """An input or output of an ONNX graph, as its file describes it."""
    import onnx

    kind = value.type.tensor_type  # type: ignore[attr-defined]
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim)
    return TensorSpec(value.name, shape, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name)  # type: ignore[attr-defined]
