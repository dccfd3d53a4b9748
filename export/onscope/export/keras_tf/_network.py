"""A Keras model as an original: run by TensorFlow on the CPU, converted by tf2onnx or Keras' own exporter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, Converted, Stated, Wanted, contiguous, one_line
from ._convert import Way, first_that_works, from_function, signature
from ._door import failures, quiet, require_keras
from ._layers import flat, input_dtype
from ._resizes import plain_resizes

if TYPE_CHECKING:
    import keras

TF2ONNX = "tf2onnx"
KERAS = "Keras' ONNX export"
TOOLS = ("keras", "tensorflow", "tf2onnx")


@dataclass(frozen=True)
class KerasNetwork:
    """A Keras 3 model of one input and one or several outputs, in inference mode (an Original).

    Its outputs are in the order in which the model gives them (of a dict: of its keys as they are written).
    """

    model: keras.Model
    route: str = "a Keras model in memory"
    source_sha256: str | None = None
    stated: Stated = field(default_factory=Stated)
    tools: tuple[str, ...] = TOOLS

    @property
    def parameters(self) -> int:
        return int(self.model.count_params())

    def run(self, array: Array) -> list[Array]:
        """Its outputs, computed eagerly on the CPU; raises ExportError when it fails."""
        return run_function(self._answer, array)

    def convert(self, wanted: Wanted) -> Converted:
        """tf2onnx's `from_function` goes first, then Keras' `model.export`; raises ExportError when both fail."""
        ways: list[tuple[str, Way]] = [
            (TF2ONNX, lambda: from_function(self._answer, wanted)),
            (KERAS, lambda: self._exported(wanted)),
        ]
        with plain_resizes(self.model):
            return first_that_works(ways, wanted)

    def _answer(self, tensor: Any) -> list[Any]:
        import tensorflow as tf

        return flat(self.model(tf.cast(tensor, input_dtype(self.model)), training=False))

    def _exported(self, wanted: Wanted) -> Any:
        import tempfile
        from pathlib import Path

        import keras
        import onnx

        taken = keras.Input(batch_shape=tuple(signature(wanted).shape), dtype=str(wanted.example.dtype))
        cast = keras.layers.Lambda(lambda tensor: keras.ops.cast(tensor, input_dtype(self.model)))
        whole = keras.Model(taken, flat(self.model(cast(taken), training=False)))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "network.onnx")
            whole.export(str(file), format="onnx", verbose=False, input_signature=[signature(wanted)])
            return onnx.load(file)


def run_function(function: Any, array: Array) -> list[Array]:
    """What a function from tensor to tensors gives for an array, on the CPU; raises ExportError."""
    require_keras()
    import tensorflow as tf

    try:
        with quiet(), tf.device("CPU:0"):
            return [np.asarray(output) for output in function(tf.constant(contiguous(array)))]
    except failures() as error:
        size = "x".join(map(str, array.shape))
        raise ExportError(
            f"found that the network itself fails on a {size} {array.dtype} input ({one_line(error)}), expected it to "
            "take every size from the stated minimum on: correct the minimum, the step or the axes"
        ) from error
