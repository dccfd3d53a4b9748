"""What compiled graphs are held against: the bare network, today's script, and bioimageio.core's pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from onscope.runtime import Package
from onscope.runtime._frame import Pixels

from .._bare import open_bare
from ._packages import GAIN, HIGH, LOW, MOST
from ._profiled import Profiled

EPS = 1e-6


class Script:
    """What people write today: percentiles and casts in NumPy, `session.run`, clip."""

    def __init__(self, network: Network | Profiled) -> None:
        self._network = network

    def run(self, frame: Pixels) -> Pixels:
        """The answer in counts for a (y, x) frame."""
        (answer,) = self._network.run([normalised(frame)])
        counts: Pixels = np.clip(answer[0, 0] * GAIN, 0, MOST).astype(np.uint16)
        return counts


class Network:
    """The network alone, on frames that were normalised beforehand."""

    def __init__(self, package: Package, threads: int | None = None) -> None:
        self._session = open_bare(str(package.weights), threads)

    def run(self, arrays: Sequence[Pixels]) -> list[Pixels]:
        answers: list[Pixels] = self._session.run(None, {"x": arrays[0]})
        return answers


class Core:
    """bioimageio.core's prediction pipeline with its pre- and postprocessing, prepared once.

    It computes in `network`'s session: with the same threads and options as the others, where its own would take what
    ONNX Runtime does unasked, and let its threads spin on into the next one's turn.
    """

    def __init__(self, package: Package, network: Profiled) -> None:
        from bioimageio.core import create_prediction_pipeline
        from bioimageio.core.backends.onnx_backend import ONNXModelAdapter
        from bioimageio.spec import load_model_description

        class Lent(ONNXModelAdapter):
            def _init_model_on_device(self, device: str | None) -> Any:
                self._input_names = [node.name for node in network.session.get_inputs()]
                return network.session

        self._model: Any = load_model_description(package.folder / "rdf.yaml", perform_io_checks=False)
        adapter: Any = Lent(model_description=self._model, devices=["CPUExecutionProvider"])
        self._pipeline = create_prediction_pipeline(self._model, model_adapter=adapter)

    def run(self, frame: Pixels) -> Pixels:
        """The answer for a (y, x) frame."""
        from bioimageio.core import Sample, Tensor

        tensor = Tensor(frame[None, None], dims=("batch", "channel", "y", "x"))
        sample = Sample(members={self._model.inputs[0].id: tensor}, stat={}, id="frame")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says at each frame how it computes percentiles
            found = self._pipeline.predict_sample_without_blocking(sample)
        answer: Any = found.members[self._model.outputs[0].id].data.values
        return np.asarray(answer[0, 0])


def normalised(frame: Pixels) -> Pixels:
    """The frame as the network takes it: (1, 1, y, x) float32, the percentiles at 0 and 1."""
    low, high = map(float, np.percentile(frame, (LOW, HIGH)))
    scaled: Pixels = (frame.astype(np.float32) - low) / (high - low + EPS)
    return scaled[None, None]
