"""A book of rules: what a file of them asks for, result by result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..._errors import RuleError
from ..._frame import FrameId
from .._limits import LimitsChange
from .._proposal import Proposal, Seen
from ..aim import AimSettings
from ._look import Known, Look
from ._needs import EVERYTHING, Needs
from ._python import PythonRule, rules_of
from ._spot import Spots
from ._tune import Thresholds, TunableRule

if TYPE_CHECKING:
    from ..._pipeline import Pipeline
    from ._file import Written

PATIENCE = 3
"""Results in a row that a rule may fail at."""
LONGEST = 500


class Rule(Protocol):
    """One rule at work: `propose` says what it asks for, and may raise; `refused` hears of what was refused."""

    name: str
    priority: int

    def propose(self, look: Look) -> list[Proposal]: ...

    def refused(self, frame: FrameId, track: int) -> None: ...


class RuleBook:
    """Rules that are asked with every result, in the order of results, from one thread at a time.

    What it remembers is bounded: of 1024 positions, channels and planes, and at each of them of the objects that are
    there and 4096 that are gone. `limits` is what the file tightens, `aim` how it says that pixels lie to the stage
    (may be set before the first result), `needs` what it reads: exact after `check`.
    """

    def __init__(
        self,
        name: str,
        rules: Sequence[Rule],
        known: Known | None = None,
        *,
        limits: LimitsChange | None = None,
        needs: Needs = EVERYTHING,
        written: Written | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self.name, self.rules, self.needs = name, tuple(rules), needs
        self.limits = LimitsChange() if limits is None else limits
        self.failures: list[str] = []
        """What went wrong with the last result, in sentences."""
        self._known, self._written = known or Known(), written
        self._thresholds = Thresholds({}) if thresholds is None else thresholds
        self._spots = Spots()
        self._failed: dict[int, int] = {}

    @classmethod
    def load(cls, path: str | Path) -> RuleBook:
        """The rules of a file: YAML, or Python (`.py`), which is run. Raises RuleError with the line at fault."""
        path = Path(path)
        if path.suffix == ".py":
            return cls.from_python(path)
        from ._file import read_rules

        return read_rules(path)

    @classmethod
    def from_text(cls, text: str, path: str | Path = "rules.yaml") -> RuleBook:
        """The same of a YAML text; `path` names it in errors. Raises RuleError."""
        from ._file import read_rules

        return read_rules(Path(path), text)

    @classmethod
    def from_python(cls, path: str | Path) -> RuleBook:
        """The functions below `@rule` of a Python file, which is run. Raises RuleError."""
        found = rules_of(Path(path))
        numbers = frozenset().union(*(one.numbers for one in found))
        return cls(Path(path).stem, [PythonRule(one) for one in found], needs=Needs(None, numbers))

    @property
    def aim(self) -> AimSettings:
        """How the camera's pixels lie to the stage."""
        return self._known.aim

    @aim.setter
    def aim(self, settings: AimSettings) -> None:
        self._known.aim = settings

    @property
    def targets(self) -> dict[str, tuple[str, ...]]:
        """Whom `notify` may tell, as the file declares it."""
        return dict(self.limits.targets or {})

    @property
    def remembered(self) -> int:
        """Positions, channels and planes that something is remembered of."""
        return len(self._spots)

    def check(self, pipeline: Pipeline) -> Needs:
        """Hold the rules against a pipeline: stages, columns and numbers that they read; `needs` is exact from then on.

        Raises RuleError with the line at fault. Python rules are not looked into.
        """
        if self._written is not None:
            self.bind(self._written.check(pipeline))
        return self.needs

    def bind(self, needs: Needs) -> None:
        """What `check` found, for the same rules in another process."""
        self.needs = needs
        self._known.links = dict(needs.links)

    @property
    def tunable(self) -> tuple[TunableRule, ...]:
        """Thresholds that `tune` may change, with their values now; Python rules have none."""
        return tuple(self._thresholds)

    def tune(self, rule: str, name: str, value: float) -> float:
        """Change a threshold from the next result on; returns what it was. Raises RuleError, and nothing is changed."""
        return self._thresholds.tune(rule, name, value)

    def propose(self, seen: Seen) -> list[Proposal]:
        """What all rules ask for, the highest priority first. Never raises.

        A rule that fails asks for nothing then, which `failures` tells; after three results in a row it is left out.
        """
        self.failures = []
        try:
            look = Look(seen, self._spots.of(seen), self._known)
        except Exception as error:  # odd data must not end the experiment
            self.failures.append(f"result {seen.number}: {_sentence(error)}")
            return []
        proposals: list[Proposal] = []
        for number, rule in enumerate(self.rules):
            if self._failed.get(number, 0) >= PATIENCE:
                continue
            try:
                proposals += rule.propose(look)
                self._failed.pop(number, None)
            except Exception as error:
                self._fail(number, rule.name, error)
        return sorted(proposals, key=lambda each: -each.priority)

    def refused(self, rule: str, frame: FrameId, track: int = 0) -> None:
        """The gate has refused a proposal of a rule, for a track (0: for none) of a frame.

        Where all that the rule asked for then is refused, it may ask again after a second (or its cooldown, where that
        is shorter): what was not done is not left undone for the rest of a long cooldown.
        """
        for one in self.rules:
            if one.name == rule:
                one.refused(frame, track)

    @property
    def disabled(self) -> list[str]:
        """Rules that are left out for good."""
        return [self.rules[number].name for number, count in self._failed.items() if count >= PATIENCE]

    def _fail(self, number: int, name: str, error: Exception) -> None:
        self._failed[number] = self._failed.get(number, 0) + 1
        gone = " It failed three times in a row and is left out from now on." if name in self.disabled else ""
        self.failures.append(f"rule {name}: {_sentence(error)}.{gone}")


def _sentence(error: Exception) -> str:
    told = str(error) if isinstance(error, RuleError) else f"{type(error).__name__}: {error}"
    return told[:LONGEST]
