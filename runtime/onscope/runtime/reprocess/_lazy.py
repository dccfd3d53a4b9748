"""Images that are computed when they are looked at: as arrays that Dask cuts, element by element."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import PipelineError, RecordError
from .._ledger import Ledger
from ..record.reprocessed import Answers, ranges_of, squeezed
from ._chains import described
from ._job import Job, lane_told
from ._store import Store
from ._worker import desk_of


class Told(Store):
    """What workers must know, without a folder."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(Path())
        self._told = told

    def told(self, name: str) -> Any:
        return self._told[name]


@dataclass
class Recipe:
    """How windows are computed: what workers are `told`, and the frames that there are by row. Shared by all images."""

    key: str
    told: dict[str, Any] = field(default_factory=dict)
    frames: dict[int, list[Any]] = field(default_factory=dict)

    def run(self, lane: int, windows: Sequence[Mapping[str, Any]]) -> list[dict[str, npt.NDArray[Any]]]:
        """The answers to some windows by stage; raises RecordError for one that fails."""
        desk = desk_of(self.key, Told(self.told))
        rows = sorted({row for window in windows for row in window["rows"]})
        chunk = {"lane": lane, "line": "", "previous": "", "windows": windows}
        found = []
        with desk.lock:
            ways = desk.chains.ready(chunk, lambda _: None)
            for outcome, answers in desk.run(ways, {**chunk, "frames": [self.frames[row] for row in rows]}):
                if "failed" in outcome:
                    raise RecordError(f"a window cannot be computed: {outcome['failed']}")
                found.append(answers)
        return found


@dataclass
class ComputedArray:
    """An image of a stage as `reprocess` would store it, with the same `shape`, `dtype` and `axes`.

    Indexing with numbers and slices computes the windows of these elements; what has no answer is NaN or 0, as stored.
    """

    recipe: Recipe
    stage: str
    along: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    windows: dict[tuple[int, ...], tuple[int, Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        """As NumPy's, of numbers and slices."""
        wanted_ranges = ranges_of(index, self.shape)
        ranges = [each for each, _ in wanted_ranges]
        element = [at for at, name in enumerate(self.axes) if name in self.along]
        made = np.full([len(each) for each in ranges], np.nan if self.dtype.kind == "f" else 0, self.dtype)
        places = list(product(*(enumerate(ranges[at]) for at in element)))
        wanted = [(place, self.windows[at]) for place in places if (at := tuple(n for _, n in place)) in self.windows]
        inside = [np.asarray(ranges[at]) for at in range(self.ndim) if at not in element]
        for lane in sorted({lane for _, (lane, _) in wanted}):
            mine = [(place, window) for place, (one, window) in wanted if one == lane]
            for (place, _), answers in zip(mine, self.recipe.run(lane, [each for _, each in mine]), strict=True):
                answer = answers[self.stage]
                stored = np.moveaxis(answer, -1, 0) if answer.ndim == 3 else answer
                where: list[Any] = [slice(None)] * self.ndim
                for axis, (to, _) in zip(element, place, strict=True):
                    where[axis] = to
                made[tuple(where)] = stored[np.ix_(*inside)]
        return squeezed(made, wanted_ranges)


def computed_arrays(job: Job) -> dict[str, list[ComputedArray]]:
    """All images of a job by stage, with nothing computed; raises PipelineError where windows depend on others."""
    if job.lines.kind != "alone":
        raise PipelineError(
            f"found that {job.lines.why}, expected windows that each stand by themselves to compute some of them: "
            "write all with `onscope reprocess`, and open what it wrote"
        )
    recipe, found = Recipe(f"lazy {job.key}"), dict[str, ComputedArray]()
    with tempfile.TemporaryDirectory(prefix="onscope-lazy-") as spare:
        labels = [stage.name for stage in job.pipeline.stages if stage.gives == "labels"]
        names = [stage.name for stage in job.pipeline.stages]
        answers = Answers(Path(spare), lambda entry: None, names, job.pipeline.images, labels)
        windows: dict[str, dict[tuple[int, ...], tuple[int, Mapping[str, Any]]]] = {}
        for chunk in job.chunks(described, answers.place, Ledger()):
            recipe.frames |= {each[0]: each for each in chunk.message["frames"]}
            for window in chunk.message["windows"]:
                for path, at in window["places"].values():
                    windows.setdefault(path, {})[tuple(at)] = chunk.message["lane"], window
        extents = answers.extents(job.frames.table)
    recipe.told = {"job": job.telling(Path(spare))}
    recipe.told |= {f"lane-{n}": lane_told(look["message"], look) for n, look in enumerate(job.looks)}
    for path, (stage, along, sizes) in extents.items():
        lane = next(iter(windows[path].values()))[0]
        answer = next(each for each in job.looks[lane]["answers"] if each["stage"] == stage)
        shape = dict(zip("yxc", answer["shape"], strict=False)) | dict(zip(along, sizes, strict=True))
        axes = "".join(name for name in "tczyx" if name in shape)
        size = tuple(shape[name] for name in axes)
        found[path] = ComputedArray(recipe, stage, along, size, np.dtype(answer["dtype"]), axes, windows[path])
    return {stage: [each for each in found.values() if each.stage == stage] for stage in names_of(found)}


def names_of(found: Mapping[str, ComputedArray]) -> list[str]:
    """The stages that have images."""
    return list(dict.fromkeys(each.stage for each in found.values()))
