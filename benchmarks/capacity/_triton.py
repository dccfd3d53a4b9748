"""NVIDIA's Triton as the server that only takes time: queue, batches and priorities are real, its networks sleep."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.serving.conftest import deployed
from tests.triton.server import LIMITED, Triton

from onscope.runtime import FrameSpec, Pipeline

SLEEPING = """

Real = TritonPythonModel
MS = {table!r}


class TritonPythonModel(Real):
    \"\"\"The same answers, after as long as a batch of so many is to take.\"\"\"

    def execute(self, requests):
        import time

        began = time.perf_counter()
        answers = super().execute(requests)
        known = sorted(MS)
        of = next((size for size in known if size >= len(requests)), known[-1])
        time.sleep(max(0.0, MS[of] / 1e3 - (time.perf_counter() - began)))
        return answers
"""


def slow_down(repository: Path, ms: Mapping[int, float]) -> None:
    """Let the models in a repository take so many milliseconds, by the size of the batch."""
    for model in repository.rglob("model.py"):
        model.write_text(model.read_text() + SLEEPING.format(table=dict(ms)))


@contextmanager
def sleeping(
    pipeline: Path, side: int, ms: Mapping[int, float], instances: int, largest: int, levels: int
) -> Iterator[int]:
    """The port of a server of this pipeline for frames of `side` pixels, whose batches take `ms` by their size."""
    with tempfile.TemporaryDirectory(prefix="onscope-triton-") as folder:
        server = Triton(Path(folder) / "repository", LIMITED if levels > 1 else ())
        more = {"batch": largest, "instances": instances, "priorities": levels, "delay_us": 0}
        deployed(Pipeline.load(pipeline), server, FrameSpec((side, side)), backend="python", kind="cpu", **more)
        slow_down(server.folder, ms)
        server.start()
        try:
            yield server.port
        finally:
            server.kill()
