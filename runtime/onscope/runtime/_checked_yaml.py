"""YAML files that users write: YAML 1.2, no aliases, checked by pydantic, with line numbers in the errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ._errors import PipelineError

LARGEST = 1 << 20
Model = TypeVar("Model", bound=BaseModel)


def read_checked(path: Path, model: type[Model], what: str) -> Model:
    """The content of a file as `model`; raises PipelineError, which names the file as `what` and the line."""
    try:
        if path.stat().st_size > LARGEST:
            raise PipelineError(f"found {path} with {path.stat().st_size} bytes, expected a {what} of at most 1 MB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"cannot read the {what} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PipelineError(f"found {path} with bytes that are no UTF-8, expected a YAML text") from error
    content = _parsed(text, path)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PipelineError(f"{path}, line {_line(content, first['loc'])}: {where}: {first['msg']}") from error


def _parsed(text: str, path: Path) -> Any:
    yaml = YAML(typ="rt", pure=True)  # round-trip: YAML 1.2, keeps line numbers, builds no Python objects
    yaml.allow_duplicate_keys = False
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            if getattr(event, "anchor", None):
                raise PipelineError(
                    f"{path}, line {event.start_mark.line + 1}: found an anchor or alias, expected none: "
                    "write the value out"
                )
        content = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PipelineError(f"{path}, line {line}: found no YAML ({error.problem})") from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise PipelineError(f"found no YAML in {path}: {type(error).__name__}") from error
    if not isinstance(content, CommentedMap):
        raise PipelineError(f"{path}, line 1: found {type(content).__name__}, expected `schema: 1` and named fields")
    return content


def _line(content: Any, location: Sequence[int | str]) -> int:
    """The line of the innermost part of the location that is in the file."""
    line = 1
    for key in location:
        if not isinstance(content, CommentedMap) or key not in content:
            break
        line = content.lc.key(key)[0] + 1
        content = content[key]
    return line
