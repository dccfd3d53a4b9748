"""What a rule asks for, with the values of the moment in it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, get_type_hints

from ..._errors import RuleError
from .. import _actions, _wishes
from .._actions import KINDS
from .._wishes import Asked
from ._look import Look
from ._nodes import number
from ._objects import Objects
from ._texts import NAME
from ._then_model import ASKED, One

FLOATS = (float, float | None)


class Ask:
    """One entry of `then:`. Numbers may be names of values, and words hold values in braces: `cell {tracks.track}`."""

    def __init__(self, told: One) -> None:
        self.kind = told.kind
        self._make: type[Asked] = ASKED[self.kind]
        hints = get_type_hints(self._make, vars(_actions if self.kind in KINDS else _wishes))
        self._fields: dict[str, Any] = {}
        self._values: dict[str, str] = {}
        self._words: dict[str, str] = {}
        for name, value in told.told.items():
            if isinstance(value, str) and hints[name] in FLOATS:
                self._values[name] = value
            elif name == "words":
                self._words[name] = value
            else:
                self._fields[name] = tuple(map(tuple, value)) if name == "places" else value

    @property
    def names(self) -> list[tuple[str, str]]:
        """The fields that read values, and the names of these."""
        words = [(name, each) for name, text in self._words.items() for each in NAME.findall(text)]
        return [*self._values.items(), *words]

    @property
    def needs_object(self) -> bool:
        """Whether it is nothing without an object."""
        return self._make in (_wishes.Recentre, _wishes.GoTo, _wishes.Illuminate)

    @property
    def fields(self) -> dict[str, Any]:
        """What is stated and no name of a value."""
        return dict(self._fields)

    def asked(self, look: Look, objects: Objects | None, at: int) -> Asked:
        """The action or wish for the object in a row. Raises RuleError for a value that is not known."""
        values = {name: self._value(each, look, objects, at) for name, each in self._values.items()}
        words = {name: self._filled(text, look, objects, at) for name, text in self._words.items()}
        return self._make(**self._fields, **values, **words)

    def _value(self, name: str, look: Look, objects: Objects | None, at: int) -> float:
        value = read_value(name, look, objects, at)
        if not math.isfinite(value):
            raise RuleError(f"found {name} {value}, expected a finite number for {self.kind}: nothing is asked for")
        return value

    def _filled(self, text: str, look: Look, objects: Objects | None, at: int) -> str:
        return NAME.sub(lambda found: f"{read_value(found[1], look, objects, at):.6g}", text)


def read_value(name: str, look: Look, objects: Objects | None, at: int) -> float:
    """A value by its name, of the object in a row; raises RuleError where there is none of that name."""
    values = None if objects is None else objects.value(name)
    return number(look, objects, name) if values is None else float(values[at])


assert all(dataclasses.is_dataclass(one) for one in ASKED.values())
