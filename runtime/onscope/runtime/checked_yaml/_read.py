"""YAML files that users write: YAML 1.2, no aliases, checked by pydantic, with line numbers in the errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .._errors import OnscopeError, PipelineError

LARGEST = 1 << 20
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Checked(Generic[Model]):
    """A file's content as a model, as it is written, and as text."""

    path: Path
    model: Model
    written: Any
    text: str = ""

    def place(self, *location: int | str) -> str:
        """`FILE, line N` of the innermost part of the location (keys and numbers) that is in the file."""
        return _place(self.path, self.written, location)


def read_checked(
    path: Path, model: type[Model], what: str, refusal: type[OnscopeError] = PipelineError
) -> Checked[Model]:
    """The content of a file as `model`; raises `refusal`, which names the file as `what` and the line."""
    return check_text(_text(path, what, refusal), path, model, refusal)


def check_text(
    text: str, path: Path, model: type[Model], refusal: type[OnscopeError] = PipelineError
) -> Checked[Model]:
    """The same of a text, which messages call `path`."""
    if len(text) > LARGEST:
        raise refusal(f"found {len(text)} characters in {path}, expected at most 1 MB")
    written = _parsed(path, text, refusal)
    try:
        return Checked(path, model.model_validate(written), written, text)
    except ValidationError as error:
        first = error.errors()[0]
        # Where one of several models is chosen by the keys, its tag ("<track>") is none of the file's.
        location = tuple(part for part in first["loc"] if not str(part).startswith("<"))
        where = ".".join(map(str, location))
        raise refusal(f"{_place(path, written, location)}: {where}: {first['msg']}") from error


def _text(path: Path, what: str, refusal: type[OnscopeError]) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise refusal(f"found {path} with {path.stat().st_size} bytes, expected a {what} of at most 1 MB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise refusal(
            f"found that the {what} {path} cannot be read ({error.strerror}), expected a YAML file: look at its path"
        ) from error
    except UnicodeDecodeError as error:
        raise refusal(f"found {path} with bytes that are no UTF-8, expected a YAML text") from error


def _parsed(path: Path, text: str, refusal: type[OnscopeError]) -> Any:
    yaml = YAML(typ="rt", pure=True)  # round-trip: YAML 1.2, keeps line numbers, builds no Python objects
    yaml.allow_duplicate_keys = False
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            if getattr(event, "anchor", None):
                raise refusal(
                    f"{path}, line {event.start_mark.line + 1}: found an anchor or alias, expected none: write the "
                    "value out"
                )
        content = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise refusal(
            f"{path}, line {line}: found no YAML ({error.problem}), expected `schema: 1` and named fields"
        ) from error
    except (YAMLError, RecursionError, ValueError, LookupError) as error:  # of "+_" it asks for the number's digits
        raise refusal(
            f"found no YAML in {path} ({type(error).__name__}), expected `schema: 1` and named fields"
        ) from error
    if not isinstance(content, CommentedMap):
        raise refusal(f"{path}, line 1: found {type(content).__name__}, expected `schema: 1` and named fields")
    return content


def _place(path: Path, written: Any, location: tuple[int | str, ...]) -> str:
    line = 1
    for key in location:
        if isinstance(written, CommentedMap) and key in written:
            line = written.lc.key(key)[0] + 1
        elif isinstance(written, CommentedSeq) and isinstance(key, int) and key < len(written):
            line = written.lc.item(key)[0] + 1
        else:
            break
        written = written[key]
    return f"{path}, line {line}"
