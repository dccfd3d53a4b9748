"""A book of rules from its YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ..._errors import RuleError
from ..._pipeline import Pipeline
from ...checked_yaml import Checked, check_text, read_checked
from ..aim import STRAIGHT, AimSettings
from ._book import RuleBook
from ._check import Checked as Held
from ._compile import Compiler, Location
from ._image_numbers import is_image_number
from ._look import Known
from ._models import RulesModel
from ._needs import Needs
from ._rule import FileRule
from ._tune import Thresholds


@dataclass(frozen=True, slots=True)
class Written:
    """The rules as they are written, and what they read."""

    checked: Checked[RulesModel]
    rules: tuple[FileRule, ...]

    def where(self, at: Location) -> str:
        """`FILE, line N` of a location."""
        return self.checked.place(*at)

    def check(self, pipeline: Pipeline) -> Needs:
        """What they need of a pipeline's results; raises RuleError with the line."""
        held = Held(pipeline, self.where)
        for rule in self.rules:
            for number, ask in enumerate(rule.asks):
                if "labels" in ask.fields:
                    held.labels(ask.fields["labels"], ("rules", rule.name, "then", number, ask.kind, "labels"))
        return held.check(read for rule in self.rules for read in rule.reads)

    def check_itself(self, compiler: Compiler) -> None:
        """Raise RuleError with the line for what can be seen without a pipeline."""
        model = self.checked.model
        for name, at in compiler.regions:
            if name not in model.regions:
                self._refuse(at, f"found the region {name!r}, expected one of {', '.join(model.regions) or 'none'}")
        for rule in self.rules:
            for read in rule.reads:
                if read.of is None and "." not in read.value:
                    what = "a region" if read.value == "inside" else repr(read.value)
                    self._refuse(
                        read.location,
                        f"found {what} in a rule without `each`, expected a number (frame.mean): or add each: STAGE",
                    )
            self._check_asks(rule)

    def _check_asks(self, rule: FileRule) -> None:
        model = self.checked.model.rules[rule.name]
        targets = (self.checked.model.limits.targets if self.checked.model.limits else None) or {}
        for number, ask in enumerate(rule.asks):
            at: Location = ("rules", rule.name, "then", number, ask.kind)
            if ask.needs_object and model.each is None:
                self._refuse(at, f"found {ask.kind} in a rule without `each`, expected objects: add each: STAGE")
            if ask.kind == "notify" and ask.fields["target"] not in targets:
                self._refuse(
                    (*at, "target"),
                    f"found the target {ask.fields['target']!r}, expected one of limits: targets: "
                    f"({', '.join(targets) or 'none'})",
                )
            if model.together and ask.kind in ("recentre", "go_to"):
                self._refuse(at, f"found {ask.kind} of several objects together, expected one: use pick")

    def _refuse(self, at: Location, words: str) -> NoReturn:
        raise RuleError(f"{self.where(at)}: {words}")


def read_rules(path: Path, text: str | None = None) -> RuleBook:
    """The rules of a file, or of a `text` that messages call `path`; raises RuleError with the line."""
    if text is None:
        return _book(read_checked(path, RulesModel, "rule file", RuleError))
    return _book(check_text(text, path, RulesModel, RuleError))


def _book(checked: Checked[RulesModel]) -> RuleBook:
    model, path = checked.model, checked.path
    compiler = Compiler()
    rules = tuple(FileRule(name, one, compiler, ("rules", name)) for name, one in model.rules.items())
    written = Written(checked, rules)
    written.check_itself(compiler)
    aim = STRAIGHT if model.camera is None else AimSettings(**model.camera.model_dump())
    known = Known({}, model.regions, aim, model.same_within_um, model.lost_after_frames)
    needs = Needs(None, frozenset(_numbers(rules)))
    limits = None if model.limits is None else model.limits.change
    return RuleBook(
        model.name or path.stem,
        rules,
        known,
        limits=limits,
        needs=needs,
        written=written,
        thresholds=Thresholds(compiler.thresholds),
    )


def _numbers(rules: tuple[FileRule, ...]) -> Iterator[str]:
    """Numbers of images that may be read, as long as no pipeline says which of them are columns."""
    for rule in rules:
        for read in rule.reads:
            if is_image_number(read.value.partition(".")[2]):
                yield read.value
