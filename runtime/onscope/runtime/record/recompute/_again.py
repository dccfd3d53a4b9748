"""Results whose packages are the same: each window is computed again, and held against what was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._errors import OnscopeError, ProviderError
from ..._frame import FrameId, FrameSpec
from ._compare import Compared, compare_columns, compare_images, compare_tables
from ._reasons import CannotBeComputed
from ._rebuilt import Rebuilt
from ._tuned import TunedChain
from ._windows import Row, Windows

if TYPE_CHECKING:
    from ...worker import Regional

Parameters = Mapping[FrameId, Mapping[str, Mapping[str, float]]]


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


def skip(stages: dict[str, StageAgain], row: Row, reason: str) -> None:
    """Nothing of a result can be computed."""
    for name in row.stages:
        stages.setdefault(name, StageAgain()).skip(reason)


class Again:
    """Of windows that the same packages ran on, of which they saw the middle `share` of the sides; what comes of their
    stages is added to `stages`."""

    def __init__(
        self,
        rebuilt: Rebuilt,
        share: float,
        windows: Windows,
        parameters: Parameters,
        provider: str | None,
        unlike: Sequence[str],
        stages: dict[str, StageAgain],
    ) -> None:
        self.stages = stages
        self._rebuilt, self._share = rebuilt, share
        self._windows = windows
        self._parameters = parameters
        self._provider = provider
        self._unlike = unlike
        self._chains: dict[FrameSpec, tuple[TunedChain, Regional]] = {}
        self._refused: dict[FrameSpec, str] = {}
        self._unlike_now: dict[str, list[str]] = {}

    def look(self, row: Row) -> None:
        """Compute a result's answers, and hold them against those that were recorded."""
        able: list[str] = []
        for name in row.stages:
            stage = self.stages.setdefault(name, StageAgain())
            if why := self._rebuilt.why.get(name) or self._of_another(row, name):
                stage.skip(why)
            else:
                able.append(name)
        if not able:
            return
        try:
            answers = self._answers(row, able)
        except CannotBeComputed as cannot:
            for name in able:
                self.stages[name].skip(str(cannot))
            return
        for name in able:
            self._judge(row, name, *answers[name])

    def _of_another(self, row: Row, name: str) -> str:
        """Why the package cannot be the one that made an image; empty: it is, or nothing says so."""
        package, made_by = self._rebuilt.package(name), self._windows.package_of(row, name)
        if package is None or made_by in ("", package.package_sha256):
            return ""
        return f"another package made it ({made_by[:12]}), of which the recording does not say when it came"

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
            if not self._unlike_now.get(name):
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
        if spec in self._refused:
            raise CannotBeComputed(self._refused[spec])
        if spec not in self._chains:
            self._chains.clear()  # one after the other: each has its networks' memory
            try:
                self._chains[spec] = self._open(spec)
            except (OnscopeError, OSError, ValueError) as error:
                self._refused[spec] = str(error)
                raise CannotBeComputed(str(error)) from error
        return self._chains[spec]

    def _open(self, spec: FrameSpec) -> tuple[TunedChain, Regional]:
        from ...budget import centre
        from ...worker import HOST, open_way

        rebuilt, pipeline = self._rebuilt, self._rebuilt.pipeline
        assert pipeline is not None
        then = rebuilt.provider(spec)
        region = None if self._share == 1 else centre(spec.shape, self._share)

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
            unlike = self._unlike_now[answer.stage] = list(self._unlike)
            if answer.provider not in (HOST, then):
                unlike.append(f"provider {then} then, {answer.provider} now")
            if answer.provider != HOST and answer.graph != graphs.get(answer.stage):
                unlike.append(f"graph {str(graphs.get(answer.stage))[:12]} then, {answer.graph[:12]} now")
            stage.unlike = list(dict.fromkeys([*stage.unlike, *unlike]))
        return TunedChain(chain, pipeline), regional
