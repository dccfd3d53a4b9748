"""YAML read strictly into frozen dataclasses: every mistake is one sentence with its line."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Built = TypeVar("Built")
LARGEST = 1 << 20
UNITS = (
    "_s",
    "_ms",
    "_min",
    "_h",
    "_um",
    "_nm",
    "_mw",
    "_rad",
    "_deg",
    "_um2",
    "_um3",
    "_j_cm2",
    "_um_h",
    "_um_per_min",
)


class ScenarioError(ValueError):
    """A scenario that cannot be read: one sentence with the file and the line."""


def parsed(path: Path) -> CommentedMap:
    """The file's top level. Raises ScenarioError for what is no YAML 1.2 without aliases, or no mapping."""
    try:
        if path.stat().st_size > LARGEST:
            raise ScenarioError(f"found {path} with {path.stat().st_size} bytes, expected a scenario of at most 1 MB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot read the scenario {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"found {path} with bytes that are no UTF-8, expected a YAML text") from error
    yaml = YAML(typ="rt", pure=True)  # round-trip: YAML 1.2, keeps line numbers, builds no Python objects
    yaml.allow_duplicate_keys = False
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            if getattr(event, "anchor", None):
                line = event.start_mark.line + 1
                raise ScenarioError(
                    f"{path}, line {line}: found an anchor or alias, expected none: write the value out"
                )
        content = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{path}, line {line}: found no YAML ({error.problem})") from error
    except (YAMLError, RecursionError) as error:
        raise ScenarioError(f"found no YAML in {path}: {type(error).__name__}") from error
    except ValueError as error:
        if isinstance(error, ScenarioError):
            raise
        raise ScenarioError(f"found no YAML in {path}: {type(error).__name__}") from error
    if not isinstance(content, CommentedMap):
        raise ScenarioError(f"{path}, line 1: found {type(content).__name__}, expected `schema: 1` and named fields")
    return content


def built(kind: type[Built], node: Any, where: str, line: int = 1) -> Built:
    """A dataclass from a mapping of its fields; `where` names the file. Raises ScenarioError for anything else.

    Types are those of the annotations: whole numbers pass as float, lists as tuples, mappings as dataclasses or dicts.
    """
    if not isinstance(node, CommentedMap):
        raise ScenarioError(f"{where}, line {line}: found {_shown(node)}, expected named fields of {kind.__name__}")
    hints = typing.get_type_hints(kind)
    known = {each.name: each for each in fields(kind) if each.init}  # type: ignore[arg-type]
    given = {}
    for key, value in node.items():
        here = node.lc.key(key)[0] + 1
        if key not in known:
            raise ScenarioError(f"{where}, line {here}: found {key!r}, expected {_meant(key, known)}")
        given[key] = _value(hints[key], value, where, here, str(key))
    missing = [
        name
        for name, each in known.items()
        if name not in given and each.default is MISSING and each.default_factory is MISSING
    ]
    if missing:
        raise ScenarioError(f"{where}, line {line}: found no {missing[0]!r}, expected it in {kind.__name__}")
    try:
        return kind(**given)
    except ValueError as error:
        raise ScenarioError(f"{where}, line {line}: {error}") from error


def _meant(key: Any, known: Mapping[str, Any]) -> str:
    """What to write instead: the same quantity with its right unit, what is spelled nearly so, or all there are."""
    stem = _without_unit(str(key))
    same = [name for name in known if _without_unit(name) == stem]
    if same:
        return f"{same[0]!r}: the unit belongs to the name, and the number must be in it"
    near = get_close_matches(str(key), known, n=1)
    return f"{near[0]!r}" if near else f"one of {', '.join(known)}"


def _without_unit(name: str) -> str:
    found = [unit for unit in UNITS if name.endswith(unit)]
    return name.removesuffix(max(found, key=len)) if found else name


def _value(hint: Any, value: Any, where: str, line: int, key: str) -> Any:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inside:
            return None
        return _value(next(each for each in inside if each is not type(None)), value, where, line, key)
    if origin is Literal:
        if value not in inside:
            raise ScenarioError(f"{where}, line {line}: found {key}: {_shown(value)}, expected {_listed(inside)}")
        return value
    if origin is tuple:
        return _tuple(inside, value, where, line, key)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        if not isinstance(value, CommentedMap):
            raise ScenarioError(f"{where}, line {line}: found {key}: {_shown(value)}, expected names with a value each")
        lines = {name: value.lc.key(name)[0] + 1 for name in value}
        return {str(name): _value(inside[1], each, where, lines[name], str(name)) for name, each in value.items()}
    if is_dataclass(hint):
        return built(hint, value, where, line)  # type: ignore[arg-type]
    return _plain(hint, value, where, line, key)


def _tuple(inside: tuple[Any, ...], value: Any, where: str, line: int, key: str) -> Any:
    many = len(inside) == 2 and inside[1] is Ellipsis
    if not isinstance(value, list) or (not many and len(value) != len(inside)):
        count = "values" if many else f"{len(inside)} values"
        raise ScenarioError(f"{where}, line {line}: found {key}: {_shown(value)}, expected a list of {count}")
    hints = [inside[0]] * len(value) if many else inside
    return tuple(_value(hint, each, where, line, key) for hint, each in zip(hints, value, strict=True))


def _plain(hint: Any, value: Any, where: str, line: int, key: str) -> Any:
    names = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}
    fits = isinstance(value, bool) if hint is bool else isinstance(value, hint) and not isinstance(value, bool)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if number == number and abs(number) != float("inf"):
            return number
        fits = False
    if not fits:
        raise ScenarioError(
            f"{where}, line {line}: found {key}: {_shown(value)}, expected {names.get(hint, hint)}"
            + (" without a unit: the name says it" if hint in (float, int) and isinstance(value, str) else "")
        )
    return hint(value)  # ruamel's own numbers and texts become plain ones


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _listed(values: tuple[Any, ...]) -> str:
    return " or ".join(str(value) for value in values)
