"""Sources by name: `replay:FILE`, `micromanager:demo`, `demo`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from . import _plugins
from ._errors import SourceError
from ._frame import Source


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
