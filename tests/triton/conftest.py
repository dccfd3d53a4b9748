"""A running Triton, and what is put into its repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import events, folder, runtime

from .server import Triton, environment

__all__ = ["events", "folder", "runtime"]
collect_ignore_glob = [] if environment() else ["test_*.py"]


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
