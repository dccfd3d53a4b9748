"""Runtimes that are always over their budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from onscope.runtime import Budget, Event, Pipeline, Runtime, block
from tests import models
from tests.deadline.live import SPEC, Make


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture(params=["thread", pytest.param("box", marks=pytest.mark.slow)])
def worker(request: pytest.FixtureRequest) -> str:
    """Where the networks run, if a test does not say it."""
    return str(request.param)


@pytest.fixture
def runtime(events: list[Event], worker: str, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes prepared runtimes, and closes them."""
    with ExitStack() as stack:

        def make(pipeline: Pipeline, steps: Sequence[str], ms: float = 1e-3, **more: object) -> Runtime:
            """Every result is over such a budget: three of them are one level more."""
            budget = Budget(ms, steps, window=40, dwell_s=0.1)
            settings: dict[str, object] = {"worker": worker, "admission": block(2), **more}
            if settings["worker"] == "box":
                settings["worker"] = request.getfixturevalue("box_address")
            made = stack.enter_context(Runtime(pipeline, on_event=events.append, budget=budget, **settings))  # type: ignore[arg-type]
            made.prepare(SPEC)
            return made

        yield make


@pytest.fixture(scope="module")
def plus(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return models.pipeline(tmp_path_factory.mktemp("packages"))
