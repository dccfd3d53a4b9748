"""A Keras model as an original: run by TensorFlow on the CPU, converted by tf2onnx or Keras' own exporter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, Converted, Stated, Wanted, contiguous, one_line
from ._convert import Way, first_that_works, from_function, signature
from ._door import failures, quiet, require_keras
from ._inputs import frame_first
from ._layers import flat, input_dtypes, input_shapes
from ._resizes import plain_resizes

if TYPE_CHECKING:
    import keras

TF2ONNX = "tf2onnx"
KERAS = "Keras' ONNX export"
TOOLS = ("keras", "tensorflow", "tf2onnx")


@dataclass(frozen=True)
class KerasNetwork:
    """A Keras 3 model of one or several inputs and outputs, in inference mode (an Original).

    Its outputs are in the order in which the model gives them (of a dict: of its keys as they are written). The
    frame is the first of its inputs that is an image.
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
        return self.run_on([array])

    def run_on(self, arrays: Sequence[Array]) -> list[Array]:
        """As `run`, for the frame and what lies beside it."""
        return run_function(self._answer, arrays)

    def convert(self, wanted: Wanted) -> Converted:
        """tf2onnx's `from_function` goes first, then Keras' `model.export`; raises ExportError when both fail."""
        ways: list[tuple[str, Way]] = [
            (TF2ONNX, lambda: from_function(self._answer, wanted)),
            (KERAS, lambda: self._exported(wanted)),
        ]
        with plain_resizes(self.model):
            return first_that_works(ways, wanted)

    def _answer(self, tensors: Sequence[Any]) -> list[Any]:
        import tensorflow as tf

        return self._called(tensors, tf.cast)

    def _called(self, tensors: Sequence[Any], cast: Callable[[Any, str], Any]) -> list[Any]:
        dtypes = input_dtypes(self.model)
        if len(tensors) != len(dtypes):
            raise ValueError(f"it takes {len(dtypes)} inputs")
        order = frame_first(input_shapes(self.model), self.route) if len(dtypes) > 1 else [0]
        placed = dict(zip(order, tensors, strict=True))
        given = [cast(placed[place], dtype) for place, dtype in enumerate(dtypes)]
        return flat(self.model(given if len(given) > 1 else given[0], training=False))

    def _exported(self, wanted: Wanted) -> Any:
        import tempfile
        from pathlib import Path

        import keras
        import onnx

        given = signature(wanted)
        taken = [keras.Input(batch_shape=tuple(one.shape), dtype=one.dtype.name, name=one.name) for one in given]
        whole = keras.Model(taken, self._called(taken, keras.ops.cast))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "network.onnx")
            whole.export(str(file), format="onnx", verbose=False, input_signature=[given])
            return onnx.load(file)


def run_function(function: Callable[[Sequence[Any]], Sequence[Any]], arrays: Sequence[Array]) -> list[Array]:
    """What a function from tensors to tensors gives for arrays, on the CPU; raises ExportError."""
    require_keras()
    import tensorflow as tf

    try:
        with quiet(), tf.device("CPU:0"):
            return [np.asarray(output) for output in function([tf.constant(contiguous(one)) for one in arrays])]
    except failures() as error:
        words = " and ".join(f"a {'x'.join(map(str, one.shape))} {one.dtype}" for one in arrays)
        raise ExportError(
            f"found that the network itself fails on {words} input ({one_line(error)}), expected it to take every size "
            "from the stated minimum on: correct the minimum, the step or the axes"
        ) from error
