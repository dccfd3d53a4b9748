"""Servers, pipelines and runtimes for tests of serving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from onscope.runtime import Event, Pipeline, Runtime
from onscope.runtime.deploy import Options, deploy
from onscope.runtime.worker import Chain
from tests import models

from .servers import StandIn


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def pipeline(folder: Path) -> Pipeline:
    return models.pipeline(folder)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One that nobody kills."""
    server = StandIn(tmp_path_factory.mktemp("repository"))
    yield server
    server.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StandIn]:
    """One that a test may kill."""
    server = StandIn(tmp_path / "repository", delay_ms=5)
    yield server
    server.kill()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def runtime(events: list[Event]) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes, and closes them."""
    with ExitStack() as stack:

        def make(pipeline: Pipeline, **more: Any) -> Runtime:
            return stack.enter_context(Runtime(pipeline, on_event=events.append, **more))

        yield make


class HasRepository(Protocol):
    """A server that reads a folder."""

    folder: Path


def deployed(pipeline: Pipeline, server: HasRepository, spec: Any = models.SPEC, **options: Any) -> list[Path]:
    """Write a pipeline's graphs into a server's repository; the graphs themselves."""
    chain = Chain(pipeline.opening(spec, "cpu", 1))
    deploy(chain, server.folder, Options(**options), {})
    return [group.compiled.path for group in chain.groups]
