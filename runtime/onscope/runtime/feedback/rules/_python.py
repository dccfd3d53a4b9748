"""Rules as Python functions: `@rule(...)` above a function that is asked with every result."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from ..._errors import RuleError
from ..._frame import FrameId
from .._actions import Action
from .._of_action import of_action
from .._proposal import Proposal, Seen
from .._wishes import Asked, Target, Wish
from ._cooldowns import RETRY_NS, Begun
from ._look import Look

MOST_ASKED = 10_000
Answer = Iterable[Asked | tuple[Asked, Target] | Proposal]
Function = Callable[[Seen], Answer]


@dataclass(frozen=True, slots=True)
class Marked:
    """A function that is a rule."""

    function: Function
    name: str
    priority: int
    cooldown_ns: int
    numbers: frozenset[str]
    action_frames: bool

    def __call__(self, seen: Seen) -> Answer:
        return self.function(seen)


def rule(
    *,
    name: str | None = None,
    priority: int = 0,
    cooldown_s: float = 0.0,
    numbers: Sequence[str] = (),
    action_frames: bool = False,
) -> Callable[[Function], Marked]:
    """Make a rule of `def f(seen: Seen)`, which gives (or yields) what it asks for.

    That is actions or wishes, pairs of one and the Target that it is about, or whole Proposals. It is called in the
    process (or thread) of the rules, with every result, one after the other. `name`: in the journal (None: the
    function's); after something is asked for, it is left alone for `cooldown_s` (of the frames' time). `numbers` are
    those of images that `seen.numbers` is to have: "frame.p99". With `action_frames` it also hears of frames that
    actions asked for.
    """
    if not cooldown_s >= 0:
        raise RuleError(f"found a cooldown of {cooldown_s} s, expected seconds from 0 on")

    def marked(function: Function) -> Marked:
        told = name or str(getattr(function, "__name__", "rule"))
        return Marked(function, told, priority, round(min(cooldown_s, 1e9) * 1e9), frozenset(numbers), action_frames)

    return marked


class PythonRule:
    """One of them at work."""

    def __init__(self, marked: Marked) -> None:
        self.name, self.priority, self._marked = marked.name, marked.priority, marked
        self._until_ns = 0
        self._begun = Begun()

    def propose(self, look: Look) -> list[Proposal]:
        """What it asks for; whatever it raises comes through, RuleError for what is nothing that can be asked for."""
        if look.ns < self._until_ns or (of_action(look.seen.frame) and not self._marked.action_frames):
            return []
        began = time.perf_counter_ns()
        given = list(islice(iter(self._marked(look.seen) or ()), MOST_ASKED))
        ns = look.seen.now_ns + time.perf_counter_ns() - began
        proposals = [self._proposal(one, look.seen, ns) for one in given]
        if proposals:
            self._until_ns = look.ns + self._marked.cooldown_ns
            tracks = [one.target.track if one.target else 0 for one in proposals]
            for track in set(tracks):
                self._begun.note(look.seen.frame.id, track, tracks.count(track), partial(self._shorten, look.ns))
        return proposals

    def refused(self, frame: FrameId, track: int) -> None:
        """The gate has refused one of the proposals for a frame's track."""
        self._begun.refused(frame, track)

    def _shorten(self, ns: int) -> None:
        self._until_ns = ns + min(self._marked.cooldown_ns, RETRY_NS)

    def _proposal(self, given: object, seen: Seen, ns: int) -> Proposal:
        if isinstance(given, Proposal):
            if not isinstance(given.asked, (Action, Wish)):
                raise RuleError(f"found a proposal of {type(given.asked).__name__}, expected an action or a wish")
            return replace(given, rule=self.name, models=given.models or dict(seen.models))
        asked, target = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        if not isinstance(asked, (Action, Wish)) or not (target is None or isinstance(target, Target)):
            raise RuleError(
                f"found {type(given).__name__}, expected actions, wishes, pairs of one and a Target, or Proposals"
            )
        words = (self._marked.function.__doc__ or "").strip().split("\n")[0]
        return Proposal(
            self.name,
            asked,
            words or f"the rule {self.name} asked for it",
            seen.frame.id,
            seen.frame.received_ns,
            ns,
            self.priority,
            target,
            {name: float(value) for name, value in (target.values if target else {}).items() if _number(value)},
            dict(seen.models),
        )


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def rules_of(path: Path) -> list[Marked]:
    """The rules of a Python file, in their order. The file is run: it is code of the user's own.

    Raises RuleError when it cannot be read, raises something, or holds no rule.
    """
    name = f"onscope_rules_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise RuleError(f"found no Python file {path}, expected one with rules: look at its path")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses of the file look themselves up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RuleError(f"found that {path} raises {type(error).__name__}: {error}: correct it") from error
    found = [value for value in vars(module).values() if isinstance(value, Marked)]
    if not found:
        raise RuleError(f"found no rule in {path}, expected a function below @rule(...)")
    return found
