"""A schedule of faults: frozen values, checked when they are made; the seed decides what they befall."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onscope.runtime import ProviderError, Source, SourceError
from onscope.runtime.engines import chance, parse_fault

from ._source import FaultySource, faulty

LONGEST_MS, MOST_FRAMES = 1e6, 10_000


@dataclass(frozen=True, slots=True)
class FaultSchedule:
    """What goes wrong, and how often: shares from 0 to 1 of the camera's frames, and of the runs of each graph.

    The camera: `drop` of the frames begin a loss of `drop_frames` each (its counter jumps), every frame comes up to
    `jitter_ms` late, and at `burst` of them `burst_frames` are held back and come at once, as from a driver that was
    held up. The model: `slow` of its runs take `slow_ms` longer, `hang` never end (the worker is ended after its
    patience), `fail` raise an error, `die` kill the worker's process. Of those that end the worker, the first `deaths`
    come and no more: a third one within half a minute would end all retries. `runs` are faults at chosen runs, in the
    words of the scripted engine: "die@20", "slow=50@every3".

    What befalls a frame depends on `seed`, its camera, segment and number; what befalls a run of a graph, on `seed`,
    the graph's stages and the number of the run: the same everywhere and each time. Raises SourceError.
    """

    seed: int = 0
    drop: float = 0.0
    drop_frames: int = 1
    jitter_ms: float = 0.0
    burst: float = 0.0
    burst_frames: int = 8
    slow: float = 0.0
    slow_ms: float = 100.0
    hang: float = 0.0
    fail: float = 0.0
    die: float = 0.0
    deaths: int = 2
    runs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("drop", "burst", "slow", "hang", "fail", "die"):
            self._check(name, 0.0, 1.0, "a share from 0 to 1, or a percentage")
        for name in ("jitter_ms", "slow_ms"):
            self._check(name, 0.0, LONGEST_MS, f"milliseconds, at most {LONGEST_MS:g}")
        for name in ("drop_frames", "burst_frames"):
            self._check(name, 1, MOST_FRAMES, f"1 to {MOST_FRAMES} frames", whole=True)
        self._check("deaths", 0, 1000, "a whole number of at most 1000", whole=True)
        self._check("seed", 0, 10**18 - 1, "a whole number of at least 0", whole=True)
        for words in self.runs:
            try:
                parse_fault(words)
            except ProviderError as error:
                raise SourceError(str(error)) from error

    def _check(self, name: str, least: float, most: float, expected: str, *, whole: bool = False) -> None:
        value = getattr(self, name)
        kinds = int if whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not math.isfinite(value):
            raise SourceError(f"found {name}={value!r} in a schedule of faults, expected {expected}")
        if not least <= value <= most:
            raise SourceError(f"found {name}={value!r} in a schedule of faults, expected {expected}")

    def drops(self, camera: str, segment: int, seq: int) -> bool:
        """Whether a frame is lost on its way from the camera."""
        return any(
            self._befalls("drop", self.drop, camera, segment, first)
            for first in range(max(0, seq - self.drop_frames + 1), seq + 1)
        )

    def late_ms(self, camera: str, segment: int, seq: int) -> float:
        """How much later than it was received a frame comes."""
        return self.jitter_ms * chance(self.seed, "jitter", camera, segment, seq) if self.jitter_ms else 0.0

    def holds_up(self, camera: str, segment: int, seq: int) -> bool:
        """Whether a burst begins with a frame."""
        return self._befalls("burst", self.burst, camera, segment, seq)

    def _befalls(self, kind: str, share: float, camera: str, segment: int, seq: int) -> bool:
        return share > 0 and chance(self.seed, kind, camera, segment, seq) < share

    @property
    def spoils_models(self) -> bool:
        """Whether anything befalls the models."""
        return bool(self.runs) or max(self.slow, self.hang, self.fail, self.die) > 0

    def provider(self, provider: str, state: Path | None = None) -> str:
        """The provider with this schedule before it; runs are counted in the empty folder `state`, over deaths."""
        shares = {f"slow={self.slow_ms:g}": self.slow, "hang": self.hang, "raise": self.fail, "die": self.die}
        faults = [f"{kind}@{100 * share:.12g}%" for kind, share in shares.items() if share]
        parts = [f"on={provider}", f"seed={self.seed}", f"deaths={self.deaths}", *faults, *self.runs]
        if "," in provider or (state is not None and "," in str(state)):
            raise SourceError(f"found a comma in {provider} or {state}, expected none where faults are injected")
        return "scripted:" + ",".join(parts if state is None else [*parts, f"state={state}"])

    @contextmanager
    def inject(self, source: Source, provider: str = "auto") -> Iterator[tuple[FaultySource, str]]:
        """The source and the provider with this trouble before them, while the block lasts."""
        if not self.spoils_models:
            yield faulty(source, self), provider
            return
        with tempfile.TemporaryDirectory(prefix="onscope-faults-", ignore_cleanup_errors=True) as state:
            yield faulty(source, self), self.provider(provider, Path(state))

    def __str__(self) -> str:
        """In the words that `parse` reads."""
        words = [f"seed={self.seed}"]
        for name, more in (("drop", f"x{self.drop_frames}"), ("burst", f"x{self.burst_frames}")):
            words += [f"{name}={_share(getattr(self, name))}{more}"] if getattr(self, name) else []
        words += [f"jitter_ms={self.jitter_ms:g}"] if self.jitter_ms else []
        words += [f"slow={_share(self.slow)}x{self.slow_ms:g}ms"] if self.slow else []
        words += [f"{name}={_share(getattr(self, name))}" for name in ("hang", "fail", "die") if getattr(self, name)]
        words += [f"deaths={self.deaths}"] if self.deaths != 2 else []
        return ",".join([*words, *self.runs])


def _share(value: float) -> str:
    return f"{100 * value:.12g}%"
