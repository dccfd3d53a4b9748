"""ONNX Runtime with its profiler on: how long the convolutions themselves took, run by run.

The profiler itself takes 5 to 15 us per node, so that what is profiled cannot be timed as well.
"""

from __future__ import annotations

import json
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import onnxruntime as ort

from onscope.runtime._cores import available_cores
from onscope.runtime._frame import Pixels

CONVOLUTION = ("Conv", "FusedConv", "ReorderInput", "ReorderOutput")
"""What ONNX Runtime makes of a convolution; nothing else of a network of one is its own."""


class Profiled:
    """A graph with the options of the `cpu` engine, and the profiler. Used like one of its sessions.

    Without `folder`, where the profile goes, there is none.
    """

    def __init__(self, graph: Path, folder: Path | None, threads: int | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads or available_cores(), 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
        if folder is not None:
            options.enable_profiling = True
            # Its name ends in the second: two that begin in one would write into one file.
            options.profile_file_prefix = str(Path(tempfile.mkdtemp(dir=folder), "profile"))
        self.session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._names = [node.name for node in self.session.get_inputs()]

    def run(self, arrays: Sequence[Pixels]) -> list[Pixels]:
        answers: list[Pixels] = self.session.run(None, dict(zip(self._names, arrays, strict=True)))
        return answers

    def end(self) -> list[float]:
        """Milliseconds that convolutions took in each run, in the order of the runs."""
        events = json.loads(Path(self.session.end_profiling()).read_text())
        runs = sorted(event["ts"] for event in events if event.get("name") == "model_run")
        found = [0.0] * len(runs)
        for event in events:
            kernel = event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
            if kernel and event["args"]["op_name"] in CONVOLUTION:
                found[bisect_right(runs, event["ts"]) - 1] += event["dur"] / 1e3
        return found
