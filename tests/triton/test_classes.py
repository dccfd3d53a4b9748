"""Microscopes of two classes before one server: the first goes before, and both get what they would get alone."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import FrameSpec, Pipeline, Stage, block
from onscope.runtime.engines import open_session
from tests import models
from tests.graph.generated import Recipe, write
from tests.serving.conftest import deployed
from tests.serving.runs import answers_of, same

from .server import LIMITED
from .test_triton import PYTHON, Make, Tritons

WINDOWS = 40
FLOODING = 4
SLOW = """

Fast = TritonPythonModel


class TritonPythonModel(Fast):
    def execute(self, requests):
        import time

        time.sleep(0.02)
        return super().execute(requests)
"""


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("recurrent", [False, True])
def test_each_class_has_its_answers(
    runtime: Make, tmp_path: Path, triton: Tritons, batch: int, recurrent: bool
) -> None:
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    pipeline = Pipeline([Stage("net", write(tmp_path / "net", Recipe(recurrent=recurrent, described="uint16")))])
    server = triton(more=LIMITED)
    deployed(pipeline, server, spec, priorities=2, batch=batch, **PYTHON)
    server.start()
    frames = [models.frame(n, 50 * n, spec) for n in range(15)]
    expected = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(2)), frames, spec)
    for priority in (1, 2):
        there = runtime(pipeline, worker=f"{server.worker}?priority={priority}", admission=block(2))
        assert same(answers_of(there, frames, spec), expected)


@pytest.mark.parametrize("batch", [1, 2])
def test_the_first_class_goes_before(folder: Path, triton: Tritons, batch: int) -> None:
    """The others always have windows waiting, 16 of them: in one queue each of the first class would wait for all."""
    pipeline, server = models.pipeline(folder), triton(more=LIMITED)
    (graph,) = deployed(pipeline, server, priorities=2, batch=batch, **PYTHON)
    for model in server.folder.rglob("model.py"):
        model.write_text(model.read_text() + SLOW)
    server.start()
    frame, answered, over = np.zeros(models.SPEC.shape, np.uint16), Counter[int](), threading.Event()

    def flood(number: int) -> None:
        session = open_session(graph, f"{server.provider}?priority=2&in_flight=4&shared=never")
        begun = []
        while not over.is_set():
            begun.append(session.start([frame]))  # type: ignore[attr-defined]
            if len(begun) == 4:
                begun.pop(0).outcome()
                answered[number] += 1
        for each in begun:
            each.outcome()

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(FLOODING)]
    for each in threads:
        each.start()
    session = open_session(graph, f"{server.provider}?priority=1")
    session.run([frame])
    before = answered.total()
    for _ in range(WINDOWS):
        assert session.run([frame])
    between = answered.total() - before
    over.set()
    for each in threads:
        each.join()
    assert 0 < between <= 2 * WINDOWS * batch, "one run of the others under way, and one begun as the answer is taken"
