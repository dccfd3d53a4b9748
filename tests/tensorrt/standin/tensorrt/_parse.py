"""What the real parser refuses: types that TensorRT has not, and 8-bit scales that are not symmetric."""

from typing import Any

import onnx
from onnx import TensorProto, numpy_helper

from ._types import ILogger, checked_logger

MIDDLE = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL}
FLOATING = (TensorProto.FLOAT, TensorProto.FLOAT16)
OPSETS = range(9, 26)


class ParserError:
    def __init__(self, node: Any, words: str) -> None:
        self._node, self._words = node, words

    def desc(self) -> str:
        return self._words

    def node_name(self) -> str:
        return self._node.name if self._node is not None else ""

    def node_operator(self) -> str:
        return self._node.op_type if self._node is not None else ""


class OnnxParser:
    def __init__(self, network: Any, logger: ILogger) -> None:
        checked_logger(logger)
        self._network = network
        self._errors: list[ParserError] = []

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, index: int) -> ParserError:
        return self._errors[index]

    def parse(self, model: bytes, path: str | None = None) -> bool:
        read = onnx.load_model_from_string(model)
        self._errors = list(_errors(read))
        self._network.parsed = model
        return not self._errors


def _errors(model: Any) -> Any:
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if opset not in OPSETS:
        yield ParserError(None, f"opset {opset} is not supported")
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    kinds = {each.name: each.type.tensor_type.elem_type for each in (*graph.input, *graph.output, *graph.value_info)}
    constants = {each.name: each for each in graph.initializer}
    kinds |= {name: each.data_type for name, each in constants.items()}
    ins, outs = {each.name for each in graph.input}, {each.name for each in graph.output}
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            zero = constants.get(node.input[2]) if len(node.input) > 2 else None
            if zero is None or zero.data_type != TensorProto.INT8 or numpy_helper.to_array(zero).any():
                yield ParserError(node, "only symmetric INT8 is supported: the zero point must be 0")
            continue
        for name in filter(None, (*node.input, *node.output)):
            kind = kinds.get(name)
            if kind is None:
                yield ParserError(node, f"the type of {name} is unknown")
            elif kind == TensorProto.UINT8:
                at_the_end = name in ins if name in node.input else name in outs
                other = kinds.get(node.output[0] if name in node.input else node.input[0])
                if not at_the_end or node.op_type != "Cast" or other not in FLOATING:
                    yield ParserError(node, "UINT8 is only supported between a network's end and a floating point type")
            elif kind not in MIDDLE:
                yield ParserError(node, f"unsupported data type {TensorProto.DataType.Name(kind)}")
