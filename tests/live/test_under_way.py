"""Windows that are begun before the one before them is done: the same answers as one after the other, all accounted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Pipeline, ProviderError, Result, Runtime, block
from onscope.runtime.engines import Session
from onscope.runtime.engines._onnxruntime import OnnxRuntimeSession
from onscope.runtime.engines._staged import StagedSession
from onscope.runtime.worker import _group
from tests import models
from tests.remote.test_kinds import KINDS, recurrent, rows

STAGED = "staged:2+4+1"


def answers(results: list[Result]) -> list[tuple[object, ...]]:
    """All that is told of windows but who computed them and when."""
    return [
        (
            result.frame.id,
            {stage: (result[stage].dtype, result[stage].shape, result[stage].tobytes()) for stage in result},
            [each.pixels.tobytes() for each in result.frames],
            result.parameters,
            result.state_reset,
            result.padded,
            result.trust,
            result.suspect,
        )
        for result in results
    ]


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_pipelines_answer_as_on_the_cpu(kind: str, tmp_path: Path) -> None:
    make, spec, frame = KINDS[kind]
    pipeline = make(tmp_path)
    found = []
    for provider in ("cpu", STAGED):
        frames = [frame(number) for number in range(30)]
        it = Runtime(pipeline, provider=provider, admission=block(8))
        with it:
            it.prepare(spec)
            found.append(answers(rows(it, frames, None)))
            assert it.ledger.adds_up()
    assert found[0] == found[1]


BAD = 61234
"""The first pixel of frames that cannot be computed."""


class Failing(OnnxRuntimeSession):
    def run(self, arrays: Sequence[Any]) -> list[Any]:
        if arrays[0].flat[0] == BAD:
            raise ProviderError("this frame cannot be computed")
        return super().run(arrays)


def failing(graph: Path, provider: str, threads: int | None = None) -> Session:
    real = Failing(graph, threads)
    return StagedSession(real, (0.0, 3.0, 1.0)) if provider == "staged" else real


@pytest.mark.parametrize("remembers", [False, True])
@pytest.mark.parametrize("bad", [{5}, {5, 6}, {0, 5, 7, 8, 9}, set(range(20))])
def test_a_window_that_fails_spoils_only_itself(
    bad: set[int], remembers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the next one was begun with the memory that it should have left: that one begins anew."""
    monkeypatch.setattr(_group, "open_session", failing)
    pipeline: Pipeline = recurrent(tmp_path) if remembers else models.pipeline(tmp_path)
    found = []
    for provider in ("cpu", "staged"):
        frames = [models.frame(number) for number in range(20)]
        for number in bad:
            frames[number].pixels[0, 0] = BAD
        with Runtime(pipeline, provider=provider, admission=block(8), worker="thread") as it:
            it.prepare(models.SPEC)
            found.append(answers(rows(it, frames, None)))
            assert it.ledger.counts["failed"] == len(bad)
            assert it.ledger.counts["done"] == 20 - len(bad)
            assert it.ledger.adds_up()
    assert found[0] == found[1]


def test_windows_overlap(tmp_path: Path) -> None:
    """While one is computed the next one goes there: three stages of 20 ms each take less than 60 ms per window."""
    with Runtime(models.pipeline(tmp_path), provider="staged:20+20+20", admission=block(8)) as it:
        it.prepare(models.SPEC)
        results = rows(it, [models.frame(number) for number in range(30)], None)
    times = [(result.stamps.started, result.stamps.finished) for result in results]
    assert len(times) == 30
    assert sum(one[1] > other[0] for one, other in pairwise(times)) >= 20
