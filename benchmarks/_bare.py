"""What the runtime is held against: the same graphs without it, and the script that people write today."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort

from onscope.runtime import Pipeline
from onscope.runtime._cores import available_cores
from onscope.runtime._frame import Pixels


class BareLoop:
    """The pipeline's graphs in ONNX Runtime sessions of this process, with the options of the `cpu` engine."""

    def __init__(self, pipeline: Pipeline, threads: int | None = None) -> None:
        self._stages = [(stage, open_bare(str(stage.package.weights), threads)) for stage in pipeline.networks]

    def run(self, frame: Pixels) -> list[Pixels]:
        """All outputs for one (y, x) frame."""
        images: dict[str, Pixels] = {"frame": frame[None, None]}
        for stage, session in self._stages:
            images[stage.name] = session.run(None, {session.get_inputs()[0].name: images[stage.reads]})[0]
        return list(images.values())[1:]

    def naive(self, frame: Pixels) -> list[Pixels]:
        """The same between today's script: percentiles, scaling and clipping in NumPy, in the acquisition process.

        The networks take counts, so that the scaled image is brought back to counts before them, as scripts do that
        save what they computed.
        """
        low, high = np.percentile(frame, (1, 99.8))
        scaled = (frame.astype(np.float32) - low) / (high - low + 1e-6)
        counts = np.clip(scaled * (high - low) + low, 0, 65535).astype(np.uint16)
        outputs = self.run(counts)
        image = outputs[0].astype(np.float32)
        outputs[0] = np.clip(image, 0, 65535).astype(np.uint16)
        return outputs


def open_bare(path: str, threads: int | None = None) -> Any:
    """A session with the options of the `cpu` engine."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
