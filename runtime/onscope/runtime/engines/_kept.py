"""What was built and lies in the cache: for what, how large, used when last, and whether it fits this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import _plugins
from .._cache_files import remove
from .._cache_place import cache_folder
from .._errors import ProviderError
from ._ahead import Keeper

ROOM = "engines"
GRAPHS = "graphs"
MOST_GPUS = 16
OTHER = "it is of an engine that is not installed here"
Fits = Callable[[Mapping[str, str]], str]
"""Why an engine of these properties does not fit; empty: it does."""


@dataclass(frozen=True, slots=True)
class KeptEngine:
    """A built engine. `stages` are those of the compiled graph, where that is still there; `used_s` is the time of its
    last use since 1970; `why_not` says why it does not fit this machine (empty: it fits)."""

    path: Path
    made_for: Mapping[str, str]
    size_bytes: int
    used_s: float
    stages: tuple[str, ...]
    why_not: str

    def described(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "path": str(self.path), "made_for": dict(self.made_for), "stages": list(self.stages)}


def kept_engines() -> list[KeptEngine]:
    """All that was built, the ones used last first. Raises PackageError where there can be no cache."""
    folder = cache_folder(ROOM)
    stages, judges = _stages_by_graph(), dict(_judges())
    found = []
    for beside in sorted(folder.glob("*.json")):
        try:
            made_for = json.loads(beside.read_bytes())["made_for"]
            path = next(path for path in folder.glob(f"{beside.stem}.*") if path != beside)
            size, used = path.stat().st_size, beside.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError, StopIteration):
            continue  # half written, or removed just now
        if not isinstance(made_for, dict):
            continue
        judge = judges.get(path.suffix)
        why_not = OTHER if judge is None else judge(made_for)
        found.append(KeptEngine(path, made_for, size, used, stages.get(made_for.get("graph", ""), ()), why_not))
    return sorted(found, key=lambda engine: -engine.used_s)


def to_prune(
    engines: Sequence[KeptEngine], *, older_than_s: float | None, largest_bytes: float | None, unfit: bool
) -> list[KeptEngine]:
    """Those that were not used for so long, that do not fit, and, of what is left, the ones used longest ago until all
    take at most `largest_bytes` together."""
    now = time.time()
    goes = [
        engine
        for engine in engines
        if (unfit and engine.why_not) or (older_than_s is not None and now - engine.used_s > older_than_s)
    ]
    kept = [engine for engine in engines if engine not in goes]
    taken = sum(engine.size_bytes for engine in kept)
    for engine in sorted(kept, key=lambda engine: engine.used_s):
        if largest_bytes is None or taken <= largest_bytes:
            break
        goes.append(engine)
        taken -= engine.size_bytes
    return goes


def remove_kept(engines: Sequence[KeptEngine]) -> None:
    """Remove them; one that a run has open (Windows) stays."""
    for engine in engines:
        remove(engine.path)


def _judges() -> Iterator[tuple[str, Fits]]:
    """Who says whether an engine fits, by the suffix of its file: those engines of this installation that build."""
    for name in _plugins.find("onscope.engines"):
        try:
            kind = _plugins.load("onscope.engines", name, ProviderError)
        except ProviderError:
            continue
        if isinstance(suffix := getattr(kind, "suffix", None), str):
            yield suffix, _judge(kind)


def _judge(kind: Any) -> Fits:
    here: list[Keeper] = []
    why = ""
    for number in range(MOST_GPUS):
        try:
            here.append(kind(str(number) if number else ""))
        except (ProviderError, ModuleNotFoundError) as error:
            why = str(error)
            break

    def fits(made_for: Mapping[str, str]) -> str:
        reasons = [one.misfit(made_for) for one in here]
        if not reasons:
            return why
        return "" if "" in reasons else min(reasons, key=len)

    return fits


def _stages_by_graph() -> dict[str, tuple[str, ...]]:
    """The stages of the compiled graphs in the cache, by the graphs' sha256."""
    found = {}
    for beside in cache_folder(GRAPHS).glob("*.json"):
        try:
            said = json.loads(beside.read_bytes())
            found[str(said["sha256"])] = tuple(map(str, said["stages"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
