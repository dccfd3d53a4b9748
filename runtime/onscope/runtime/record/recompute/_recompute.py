"""Results computed again from the raw frames, and held against those that were recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._errors import OnscopeError, ProviderError
from ..._frame import FrameId, FrameSpec
from .._reader import RecordedRun
from ._compare import Compared, compare_columns, compare_images, compare_tables
from ._conditions import differences
from ._levels import level_of, levels_of
from ._reasons import CannotBeComputed
from ._rebuilt import Rebuilt
from ._swapped import Swaps
from ._tuned import TunedChain
from ._windows import Row, Windows, parameters_of, spread

if TYPE_CHECKING:
    from ...worker import Regional

Progress = Callable[[str, int, int], object]


@dataclass(slots=True)
class StageAgain:
    """What came of one stage's answers: how many were `identical` to the bit, `within` the package's tolerance, `off`.

    `largest` is the largest difference of two values. `unlike` says what was not as in the run; where it is empty,
    answers must be identical. `skipped` counts those that could not be computed, by reason.
    """

    identical: int = 0
    within: int = 0
    off: int = 0
    largest: float = 0.0
    unlike: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    wrong: list[tuple[FrameId, str]] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        return self.identical + self.within + self.off

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


@dataclass(frozen=True, slots=True)
class Recomputed:
    """By stage; `results` of `whole` were chosen. `why` nothing can be computed at all ("": something can)."""

    stages: Mapping[str, StageAgain]
    results: int
    whole: int
    why: str = ""


def recompute(
    run: RecordedRun,
    results: Any,
    values: Any,
    *,
    sample: int | None = 20,
    seed: int = 0,
    packages: Sequence[Path] = (),
    provider: str | None = None,
    progress: Progress = lambda step, done, whole: None,
) -> Recomputed:
    """Compute `sample` results again (None: all), spread over the run, the same ones for the same `seed`.

    `results` and `values` are the tables of these names (None: there is no such). It runs in this process, on the
    engine that ran then, or on `provider`.
    """
    with tempfile.TemporaryDirectory(prefix="onscope-again-") as spare:
        levels = levels_of(run.manifest, packages, Path(spare))
        rebuilt, _ = levels[0]
        if rebuilt.pipeline is None:
            return Recomputed({}, 0, results.num_rows, "; ".join(dict.fromkeys(rebuilt.why.values())))
        chosen = spread(results.num_rows, sample, seed)
        windows = Windows(run, results)
        windows.fetch(chosen)
        again = _Again(levels, windows, values, provider, differences(run.manifest))
        for done, number in enumerate(chosen):
            progress("computed again", done, len(chosen))
            again.look(number)
        return Recomputed(again.stages, len(chosen), results.num_rows)


class _Again:
    def __init__(
        self,
        levels: Mapping[int, tuple[Rebuilt, float]],
        windows: Windows,
        values: Any,
        provider: str | None,
        unlike: Sequence[str],
    ) -> None:
        self.stages: dict[str, StageAgain] = {}
        self._levels = levels
        self._level = 0
        self._rebuilt = rebuilt = levels[0][0]
        assert rebuilt.pipeline is not None
        self._swaps = Swaps(rebuilt.manifest, rebuilt.pipeline)
        self._windows = windows
        self._parameters = parameters_of(values)
        self._provider = provider
        self._unlike = unlike
        self._chains: dict[tuple[int, FrameSpec], tuple[TunedChain, Regional]] = {}
        self._refused: dict[tuple[int, FrameSpec], str] = {}

    def look(self, number: int) -> None:
        row = self._windows.row(number)
        stages = [self.stages.setdefault(name, StageAgain()) for name in row.stages]
        self._level = level_of(self._parameters.get(row.id, {}))
        self._rebuilt, _ = self._levels.get(self._level, self._levels[0])
        if self._level not in self._levels or self._rebuilt.pipeline is None:
            for stage in stages:
                stage.skip(f"what ran at level {self._level} of the budget is not in the recording")
            return
        able = []
        for name, stage in zip(row.stages, stages, strict=True):
            if why := self._rebuilt.why.get(name) or self._swaps.why_not(row, name):
                stage.skip(why)
            else:
                able.append(name)
        if not able:
            return
        try:
            answers = self._answers(row, able)
        except CannotBeComputed as why:
            for name in able:
                self.stages[name].skip(str(why))
            return
        for name in able:
            self._judge(row, name, *answers[name])

    def _judge(self, row: Row, name: str, answer: Any, columns: Sequence[str]) -> None:
        stage, package = self.stages[name], self._rebuilt.package(name)
        try:
            if not columns:
                assert package is not None
                found = compare_images(self._windows.image(row, name), answer, package)
            elif answer.dtype.names is not None:
                found = compare_columns(self._windows.objects(row, name), answer, package)
            else:
                assert package is not None
                found = compare_tables(self._windows.objects(row, name), answer, columns, package)
        except (OnscopeError, OSError, ValueError, KeyError, TypeError) as error:
            found = Compared("off", words=f"the recorded answer cannot be read ({error})")
        stage.largest = max(stage.largest, found.largest)
        if found.verdict == "identical":
            stage.identical += 1
        elif found.verdict == "within":
            stage.within += 1
            if not stage.unlike:
                stage.wrong.append((row.id, f"differs by {found.largest:.3g}, expected the same to the bit"))
        else:
            stage.off += 1
            stage.wrong.append((row.id, found.words))

    def _answers(self, row: Row, able: Sequence[str]) -> dict[str, tuple[Any, Sequence[str]]]:
        """By stage, its answer, and the names of the columns where it is a table."""
        spec = self._windows.spec(row)
        tuned, regional = self._chain(spec)
        chain = tuned.chain
        names = [answer.stage for answer in chain.opened]
        chosen = [number for number, name in enumerate(names) if name in able]
        groups = [group for group in chain.groups if any(number in chosen for number in group.decoders)]
        pipeline = self._rebuilt.pipeline
        assert pipeline is not None
        recurrent = any(group.compiled.states for group in groups)
        rows = self._windows.since_reset(row, pipeline.gather.along) if recurrent else [row]
        own = any(stage.normalise in ("frozen", "running") for stage in pipeline.networks if stage.name in able)
        answers: list[Any] = []
        for each in rows:
            frames = self._windows.frames(each)
            told = self._parameters.get(each.id, {})
            tuned.follow(told)
            parameters = told if own else None
            try:
                answers, _ = regional.run(
                    [frame.pixels for frame in frames],
                    chosen,
                    0 if recurrent else None,
                    each is rows[0],
                    frames[-1].index.get("c"),
                    None,
                    parameters,
                )
            except KeyError as error:
                raise CannotBeComputed(f"the statistic {error} of its window was not recorded") from error
            except (OnscopeError, ValueError, IndexError) as error:
                raise CannotBeComputed(f"it fails here: {error}") from error
        opened = [chain.opened[number] for number in chosen]
        return {each.stage: (answer, each.columns) for each, answer in zip(opened, answers, strict=True)}

    def _chain(self, spec: FrameSpec) -> tuple[TunedChain, Regional]:
        key = self._level, spec
        if key in self._refused:
            raise CannotBeComputed(self._refused[key])
        if key not in self._chains:
            self._chains.clear()  # one after the other: each has its networks' memory
            try:
                self._chains[key] = self._open(spec)
            except (OnscopeError, OSError, ValueError) as error:
                self._refused[key] = str(error)
                raise CannotBeComputed(str(error)) from error
        return self._chains[key]

    def _open(self, spec: FrameSpec) -> tuple[TunedChain, Regional]:
        from ...budget import centre
        from ...worker import HOST, open_way

        rebuilt, pipeline = self._rebuilt, self._rebuilt.pipeline
        assert pipeline is not None
        then, share = rebuilt.provider(spec), self._levels[self._level][1]
        region = None if share == 1 else centre(spec.shape, share)

        def opened(provider: str) -> Regional:
            message = pipeline.opening(spec, provider, rebuilt.threads)
            return open_way(message, {"stages": message["stages"], "region": region})

        try:
            regional = opened(self._provider or then)
        except ProviderError:
            if self._provider is not None or then == "cpu":
                raise
            regional = opened("cpu")
        chain = regional.chain
        graphs = rebuilt.graphs(spec)
        for answer in chain.opened:
            stage = self.stages.setdefault(answer.stage, StageAgain())
            stage.unlike = list(self._unlike)
            if answer.provider == HOST:
                continue
            if answer.provider != then:
                stage.unlike.append(f"provider {then} then, {answer.provider} now")
            if answer.graph != graphs.get(answer.stage):
                stage.unlike.append(f"graph {str(graphs.get(answer.stage))[:12]} then, {answer.graph[:12]} now")
        return TunedChain(chain, pipeline), regional
