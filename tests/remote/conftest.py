"""Boxes for the tests, and runtimes whose worker is on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Event, Pipeline, Runtime
from tests import models
from tests.boxes import Running


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Makes servers, and stops them."""
    with ExitStack() as stack:

        def make(**more: Any) -> Running:
            made = Running(tmp_path / "store", **more)
            stack.callback(made.stop)
            return made

        yield make


@pytest.fixture
def box(serve: Callable[..., Running]) -> Running:
    return serve()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def pipeline(folder: Path) -> Pipeline:
    return models.pipeline(folder)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def runtime(pipeline: Pipeline, events: list[Event], box: Running) -> Iterator[Callable[..., Runtime]]:
    """Makes prepared runtimes with their worker on the box, and closes them."""
    with ExitStack() as stack:

        def make(over: Pipeline = pipeline, spec: Any = models.SPEC, **more: Any) -> Runtime:
            made = stack.enter_context(Runtime(over, on_event=events.append, **{"worker": box.address, **more}))
            if spec is not None:
                made.prepare(spec)
            return made

        yield make
