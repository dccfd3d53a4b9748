"""What the settings of decoders may be, as frozen plain values: packages, stages and the exporter check by them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from .._errors import OnscopeError

Takes = Literal["number", "whole", "flag", "word", "words", "numbers", "number or numbers"]
MOST_WORDS, LONGEST_WORD = 4096, 256
SHOWN = 60
"""Letters of a value that an error shows."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a decoder, by its name in `config.onscope` and in a stage's `decode`.

    `least` and `most` are the bounds of its numbers, themselves included; `above` is a bound that is not. `choices` are
    the words that it may be (empty: any). `compiled`: the graph depends on it; `fixed`: the room for
    answers does, so that it stays as it is while frames run.
    """

    name: str
    takes: Takes
    description: str
    default: Any = None
    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    choices: tuple[str, ...] = ()
    compiled: bool = False
    fixed: bool = False

    @property
    def expected(self) -> str:
        """What it takes, in words."""
        bounds = [
            *([f"above {self.above:g}"] if math.isfinite(self.above) else []),
            *([f"of at least {self.least:g}"] if math.isfinite(self.least) else []),
            *([f"at most {self.most:g}"] if math.isfinite(self.most) else []),
        ]
        bounded = f" {' and '.join(bounds)}" if bounds else ""
        return {
            "number": f"a finite number{bounded}",
            "whole": f"a whole number{bounded}",
            "flag": "true or false",
            "word": f"one of {', '.join(self.choices)}" if self.choices else "a name",
            "words": "a list of different names",
            "numbers": f"a list of finite numbers{bounded}",
            "number or numbers": f"a finite number{bounded}, or a list of them",
        }[self.takes]

    def fits(self, value: object) -> bool:
        """Whether it may be this value."""
        match self.takes:
            case "flag":
                return isinstance(value, bool)
            case "word":
                return _is_word(value) and (not self.choices or value in self.choices)
            case "words":
                return _is_list(value) and all(map(_is_word, value)) and len(set(value)) == len(value)
            case "numbers":
                return _is_list(value) and all(map(self._is_number, value))
            case "number or numbers":
                return self._is_number(value) or (_is_list(value) and all(map(self._is_number, value)))
            case _:
                return self._is_number(value)

    def _is_number(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float) if self.takes != "whole" else int):
            return False
        try:
            number = float(value)
        except OverflowError:  # a whole number of hundreds of digits
            return False
        return math.isfinite(number) and self.least <= number <= self.most and number > self.above


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_WORD


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, (list, tuple)) and 0 < len(value) <= MOST_WORDS


def check(
    known: Sequence[Setting], settings: Mapping[str, Any], where: str, error: type[OnscopeError], only: bool = False
) -> None:
    """Raise `error` for the first of `settings` that is not what the `known` ones take; None: not stated.

    `where` stands before the names in the sentence ("config.onscope."). `only`: settings of other names are refused;
    else they are somebody else's.
    """
    by_name = {each.name: each for each in known}
    for name, value in settings.items():
        setting = by_name.get(name)
        if setting is None and only:
            raise error(f"found {where}{name}, expected one of {', '.join(by_name) or '(no settings)'}: remove it")
        if setting is not None and value is not None and not setting.fits(value):
            shown = repr(value)
            shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
            raise error(f"found {where}{name} {shown}, expected {setting.expected}: correct it")


def taken(known: Sequence[Setting], settings: Mapping[str, Any], name: str) -> Any:
    """A setting's value, or its default."""
    value = settings.get(name)
    return next(each.default for each in known if each.name == name) if value is None else value
