"""Where rules come from: a YAML file, a Python file (which only the rules' own process imports), or given ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..._errors import RuleError
from ..._pipeline import Pipeline
from .._limits import LimitsChange
from ..aim import STRAIGHT, AimSettings
from ..rules import EVERYTHING, Needs, RuleBook


@dataclass(frozen=True, slots=True)
class RulesSource:
    """Rules as they were when the run began: later edits cannot reach them.

    `path` and `text` are those of a file; `given` rules are in this process already. What they tell of themselves:
    `limits` that they tighten, `needs` (what they read of results), and `aim`, how pixels lie to the stage.
    """

    name: str
    path: Path | None = None
    text: str = ""
    given: RuleBook | None = None
    limits: LimitsChange | None = None
    needs: Needs = EVERYTHING
    aim: AimSettings = STRAIGHT

    @classmethod
    def read(cls, path: str | Path, pipeline: Pipeline, aim: AimSettings | None = None) -> RulesSource:
        """A file's. Raises RuleError where there is none, or where a YAML file's rules do not fit the pipeline."""
        path = Path(path).absolute()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"{path} cannot be read ({error}): give a file of rules, .yaml or .py") from error
        if path.suffix == ".py":
            return cls(path.name, path, text, aim=aim or STRAIGHT)
        book = RuleBook.from_text(text, path)
        needs = book.check(pipeline)
        return cls(path.name, path, text, limits=book.limits, needs=needs, aim=aim or book.aim)

    @classmethod
    def of(cls, book: RuleBook, pipeline: Pipeline, aim: AimSettings | None = None) -> RulesSource:
        """Those of a book. Raises RuleError where they do not fit the pipeline."""
        needs = book.check(pipeline)
        book.aim = aim or book.aim
        return cls(book.name, given=book, limits=book.limits, needs=needs, aim=book.aim)

    @property
    def message(self) -> dict[str, Any]:
        """What opens them in their own process."""
        tables = None if self.needs.tables is None else sorted(self.needs.tables)
        needs = {"tables": tables, "numbers": sorted(self.needs.numbers), "links": dict(self.needs.links)}
        return {"kind": "open", "path": str(self.path), "text": self.text, "needs": needs, "aim": asdict(self.aim)}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> RulesSource:
        told, aim, path = message["needs"], message["aim"], Path(message["path"])
        tables = None if told["tables"] is None else frozenset(told["tables"])
        needs = Needs(tables, frozenset(told["numbers"]), told["links"])
        settings = AimSettings(**{**aim, "off_axis_px": tuple(aim["off_axis_px"])})
        return cls(path.name, path, message["text"], needs=needs, aim=settings)

    def mirror(self) -> RuleBook | None:
        """Rules to hold changes against before the ones at work are told; None: those of Python, which have none."""
        if self.given is not None or self.path is None or self.path.suffix == ".py":
            return None
        return RuleBook.from_text(self.text, self.path)

    def book(self) -> RuleBook:
        """The rules, ready to be asked; a Python file is run. Raises RuleError, and what a Python file raises."""
        if self.given is not None:
            return self.given
        assert self.path is not None
        if self.path.suffix == ".py":
            book = RuleBook.from_python(self.path)
        else:
            book = RuleBook.from_text(self.text, self.path)
            book.bind(self.needs)
        book.aim = self.aim
        return book


def needing(needs: Needs, numbers: list[str]) -> Needs:
    """`needs` with numbers that a Python file names only where it is run."""
    return replace(needs, numbers=needs.numbers | frozenset(map(str, numbers)))
