"""An ONNX graph in ONNX Runtime on the CPU, as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onscope.runtime import ExportError

from .._original import Array, one_line

if TYPE_CHECKING:
    from onnx import ModelProto


class Session:
    """One input, any number of outputs; raises ExportError, also when ONNX Runtime is not installed."""

    def __init__(self, model: ModelProto, given: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ExportError(
                "found no ONNX Runtime, expected it for running the ONNX file: pip install onscope[cpu]"
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what fails is said in one sentence
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors have no common base below Exception
            raise ExportError(
                f"found that ONNX Runtime does not open the ONNX file ({reason(error)}), expected one that it runs"
            ) from error
        self._given = given

    def run(self, array: Array) -> list[Array]:
        """All outputs for one input; raises ExportError."""
        try:
            answers: list[Array] = self._session.run(None, {self._given: array})
        except Exception as error:
            size = "x".join(map(str, array.shape))
            raise ExportError(
                f"found that the network itself fails on a {size} {array.dtype} input ({reason(error)}), expected its "
                "outputs: give the sizes and axes that it takes"
            ) from error
        return answers


def reason(error: Exception) -> str:
    """What ONNX Runtime says, without where in its code."""
    text = one_line(error, 600)
    for mark in ("Status Message: ", "was false. ", "Exception during initialization: "):
        text = text.rpartition(mark)[2]
    return one_line(text, 160)
