"""Sources by name: `replay:FILE`, `micromanager:demo`, `demo`; and schedules of faults that stand before them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, runtime_checkable

from . import _plugins
from ._errors import SourceError
from ._frame import Source, specs_of


@contextmanager
def open_source(text: str, **options: Any) -> Iterator[Source]:
    """Open the source that `DRIVER` or `DRIVER:ARGUMENT` names and close it at the end of the block.

    A driver is an entry point of the group onscope.drivers: a callable that takes the argument's text and keyword
    options and returns a Source, or a context manager that gives one. An option that is None is left to the driver.
    Raises SourceError when there is no such driver, it cannot open its argument, or it does not know an option.
    """
    name, _, argument = text.partition(":")
    driver = _plugins.load("onscope.drivers", name, SourceError)
    chosen = {key: value for key, value in options.items() if value is not None}
    known = inspect.signature(driver).parameters
    for key in chosen:
        if key not in known and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            mine = ", ".join(p for p in list(known)[1:]) or "none"
            raise SourceError(f"found the option {key!r} for the source {name}, expected one of its own ({mine})")
    opened = driver(argument, **chosen)
    if isinstance(opened, AbstractContextManager):
        with opened as source:
            yield source
    else:
        yield opened


@runtime_checkable
class Described(Protocol):
    """A source that says what it is, as plain values that JSON can hold: driver, devices, file, scenario, seed ..."""

    def describe(self) -> Mapping[str, Any]: ...


def describe_source(source: Source) -> dict[str, Any]:
    """What a source says of itself, with its cameras; of one that says nothing, the class of it as `driver`."""
    kind = type(source)
    told: dict[str, Any] = {"driver": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(source, Described):
        told |= source.describe()
    told.setdefault("cameras", [spec.camera for spec in specs_of(source)])
    plain: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return plain


class Faults(Protocol):
    """A schedule of trouble on purpose."""

    def inject(self, source: Source, provider: str = "auto") -> AbstractContextManager[tuple[Source, str]]:
        """The source and the provider with the trouble before them, while the block lasts."""
        ...


def read_faults(text: str) -> Faults:
    """The schedule of faults that a few words or a YAML file describe; raises SourceError."""
    schedule: Faults = _plugins.load("onscope.faults", "seeded", SourceError)(text)
    return schedule
