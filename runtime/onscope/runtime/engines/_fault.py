"""Which faults befall which runs: the words of the scripted engine, and chances that are the same on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._errors import ProviderError
from ._interface import WARM_UPS

WITH_VALUE = ("slow", "busy", "leak")
WITHOUT = ("hang", "raise", "crash", "die", "lost", "nan", "wrong")
DEADLY = ("hang", "die")
LARGEST = 1e6
_FAULT = re.compile(
    r"(?P<kind>[a-z]+)(=(?P<value>\d+(\.\d+)?))?"
    r"@((?P<all>\*)|every(?P<every>\d+)|(?P<share>\d+(\.\d+)?(e-\d+)?)%|(?P<first>-?\d+)(-(?P<last>-?\d+))?)"
    r"(/(?P<stage>[^/]+))?"
)


def chance(seed: int, *words: object) -> float:
    """A number from 0 up to 1 that looks random and depends on its arguments alone, on every machine and version.

    The first 8 bytes of their BLAKE2b (RFC 7693), joined by line ends, as a share of 2^64.
    """
    text = "\n".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64


def behind_faults(provider: str) -> str:
    """The engine that a scripted one runs graphs on; other providers stand for themselves."""
    name, _, argument = provider.partition(":")
    parts = (part.strip().partition("=") for part in argument.split(","))
    return next((value for key, _, value in parts if key == "on"), "cpu") if name == "scripted" else provider


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong (`value` in ms or MB), in which runs, and in the session of which stage (empty: in all).

    `share`: the part of all runs, chosen by chance; None: by their numbers.
    """

    kind: str
    value: float
    runs: range | None
    every: int
    stage: str
    share: float | None = None

    def befalls(self, run: int | None, seed: int, name: str) -> bool:
        """Whether it is this run's turn, of a session of that name; one without a number is left alone."""
        if run is None:
            return False
        if self.share is not None:
            return run >= 0 and chance(seed, self.kind, name, run) < self.share
        return run in self.runs if self.runs is not None else run >= 0 and run % self.every == 0


def parse_fault(text: str) -> Fault:
    """`KIND[=VALUE]@RUNS[/STAGE]`; raises ProviderError."""
    found = _FAULT.fullmatch(text)
    kind = found["kind"] if found else ""
    if found is None or kind not in (WITH_VALUE if found["value"] else WITHOUT):
        raise ProviderError(
            f"found {text!r} in the schedule of faults, expected KIND@RUNS or KIND@RUNS/STAGE: write the "
            f"kind as {', '.join(f'{kind}=NUMBER' for kind in WITH_VALUE)}, {', '.join(WITHOUT)}, the runs as 5, "
            "5-8, every3, 2% or *"
        )
    value, every = float(found["value"] or 0), int(found["every"] or 1)
    first = int(found["first"] or 0)
    last = int(found["last"] or first)
    share = None if found["share"] is None else float(found["share"]) / 100
    if last < first or first < -WARM_UPS or every < 1 or value > LARGEST or (share or 0) > 1:
        raise ProviderError(
            f"found {text!r} in the schedule of faults, expected runs from {-WARM_UPS} on in rising order, every1 or "
            f"more, at most 100%, and a value of at most {LARGEST:g}"
        )
    runs = range(first, last + 1) if found["first"] else None
    return Fault(kind, value, runs, every, found["stage"] or "", share)


class Faults:
    """The faults of one session by its run: `name` is that of its stages.

    Of those that end the worker by chance, the first `deaths` come and no more: the third death within half a minute
    would end all retries, so that what came of a run would depend on its pace.
    """

    def __init__(self, faults: Sequence[Fault], name: str, seed: int = 0, deaths: int = 2) -> None:
        self._faults = faults
        self._name = name
        self._seed = seed
        self._deaths = deaths

    def of(self, run: int | None) -> list[Fault]:
        """What befalls a run, in the order written."""
        due = [fault for fault in self._faults if fault.befalls(run, self._seed, self._name)]
        if run is None or not any(map(_kills_by_chance, due)):
            return due
        before = sum(
            any(_kills_by_chance(each) and each.befalls(earlier, self._seed, self._name) for each in self._faults)
            for earlier in range(run)
        )
        return due if before < self._deaths else [fault for fault in due if not _kills_by_chance(fault)]


def _kills_by_chance(fault: Fault) -> bool:
    return fault.share is not None and fault.kind in DEADLY
