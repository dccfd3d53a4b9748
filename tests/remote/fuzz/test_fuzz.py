"""The fuzzers' harnesses on what is really said and on edits of it, without a fuzzer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .harnesses import HARNESSES, Harness
from .messages import edited, joined, split
from .recorded import record

number = st.integers(0, 1 << 20)
edits = st.lists(st.tuples(number, number, number), max_size=6)


class ByName(dict[str, Any]):
    """A dict that is not written out in a failure's report."""

    __repr__ = object.__repr__


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    return ByName(record(tmp_path_factory.mktemp("recorded")))


@pytest.fixture(scope="module")
def harnesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Harness]]:
    made = ByName({name: make(tmp_path_factory.mktemp(name)) for name, make in HARNESSES.items()})
    yield made
    for harness in made.values():
        if hasattr(harness, "close"):
            harness.close()


@pytest.mark.parametrize("name", HARNESSES)
def test_what_is_really_said_is_understood(
    name: str, seeds: dict[str, list[bytes]], harnesses: dict[str, Harness]
) -> None:
    harness: Any = harnesses[name]
    for seed in seeds[name]:
        before = harness.handled
        harness(seed)
        said = [parts for parts in split(seed) if not parts[0].startswith(b'{"kind":"@')]
        assert harness.handled - before >= len(said) * (0.5 if name == "session" else 1) > 1
        if name == "guest":
            assert {"open", "answers", "run"} <= {message["kind"] for message in harness.reached}
            assert len(harness.stored) == 1
        if name == "desk":
            assert [each["kind"] for each in harness.told].count("done") >= 4


@pytest.mark.parametrize("name", HARNESSES)
@given(edits, number)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_instead_only_errors_of_the_protocol_come_of_it(
    name: str, seeds: dict[str, list[bytes]], harnesses: dict[str, Harness], edits: Any, which: int
) -> None:
    messages = split(seeds[name][which % len(seeds[name])])
    harnesses[name](joined(edited(messages, edits)))


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_come_only_errors_of_the_protocol_come_of_it(harnesses: dict[str, Harness], data: bytes) -> None:
    for harness in harnesses.values():
        harness(data)
