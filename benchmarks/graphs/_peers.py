"""What compiled graphs are held against: the bare network, today's script, and bioimageio.core's pipeline."""

from __future__ import annotations

import json
import warnings
from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from onscope.runtime import Package
from onscope.runtime._cores import available_cores
from onscope.runtime._frame import Pixels

from .._bare import open_bare
from ._packages import GAIN, HIGH, LOW, MOST

EPS = 1e-6


class Script:
    """What people write today: percentiles and casts in NumPy, `session.run`, clip."""

    def __init__(self, package: Package, threads: int | None = None) -> None:
        self._session = open_bare(str(package.weights), threads)

    def run(self, frame: Pixels) -> Pixels:
        """The answer in counts for a (y, x) frame."""
        (answer,) = self._session.run(None, {"x": normalised(frame)})
        counts: Pixels = np.clip(answer[0, 0] * GAIN, 0, MOST).astype(np.uint16)
        return counts


class Network:
    """The network alone, on frames that were normalised beforehand."""

    def __init__(self, package: Package, threads: int | None = None) -> None:
        self._session = open_bare(str(package.weights), threads)

    def run(self, normal: Pixels) -> Pixels:
        answer: Pixels = self._session.run(None, {"x": normal})[0]
        return answer


class Kernels:
    """The network alone with ONNX Runtime's profiler, which knows how long its operators themselves took."""

    def __init__(self, package: Package, folder: Path, threads: int | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads or available_cores(), 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "kernels")
        self._session = ort.InferenceSession(str(package.weights), options, providers=["CPUExecutionProvider"])

    def run(self, normal: Pixels) -> Pixels:
        answer: Pixels = self._session.run(None, {"x": normal})[0]
        return answer

    def end(self) -> list[float]:
        """Milliseconds that the operators took, run by run, in the order of the runs."""
        events = json.loads(Path(self._session.end_profiling()).read_text())
        runs = sorted(event["ts"] for event in events if event.get("name") == "model_run")
        found = [0.0] * len(runs)
        for event in events:
            if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
                found[bisect_right(runs, event["ts"]) - 1] += event["dur"] / 1e3
        return found


class Core:
    """bioimageio.core's prediction pipeline with its pre- and postprocessing, prepared once."""

    def __init__(self, package: Package) -> None:
        from bioimageio.core import create_prediction_pipeline
        from bioimageio.spec import load_model_description

        self._model: Any = load_model_description(package.folder / "rdf.yaml", perform_io_checks=False)
        self._pipeline = create_prediction_pipeline(self._model, weights_format="onnx")

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
