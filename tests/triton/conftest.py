"""A running Triton, and what is put into its repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import Event, Runtime

from .server import Triton, environment

collect_ignore_glob = [] if environment() else ["test_*.py"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def triton(tmp_path: Path) -> Iterator[Callable[..., Triton]]:
    """Makes servers that are not started yet."""
    made: list[Triton] = []

    def make(**more: Any) -> Triton:
        made.append(Triton(tmp_path / f"server-{len(made)}" / "repository", **more))
        return made[-1]

    yield make
    for each in made:
        with suppress(AttributeError, ProcessLookupError):
            each.kill()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def runtime(events: list[Event]) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes, and closes them."""
    with ExitStack() as stack:

        def make(pipeline: Any, **more: Any) -> Runtime:
            return stack.enter_context(Runtime(pipeline, on_event=events.append, **more))

        yield make
