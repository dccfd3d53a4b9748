"""What a row of the table `results` was computed from: the frames of its window, and the windows before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ..._errors import RecordError
from ..._frame import Frame, FrameId, FrameSpec, spec_of
from ...windows import Along, place_name
from .._linked import LinkedFrames
from .._reader import RecordedRun
from .._who import WHO, id_of, ids_of
from ..recorder import spec_of_entry
from ._reasons import CannotBeComputed

FURTHEST = 64
"""Windows that are run before the one that is looked at, to bring a recurrent network's memory to where it was."""


@dataclass(frozen=True)
class Row:
    """A result: whose it is, the frames of its window, which stages ran, and where their images are."""

    number: int
    id: FrameId
    window: tuple[FrameId, ...]
    stages: tuple[str, ...]
    reset: bool
    values: Mapping[str, Any]


class Windows:
    """The results of a run, and the raw frames that they were computed from. Raises RecordError when read."""

    def __init__(self, run: RecordedRun, results: Any) -> None:
        self._run = run
        self._results = results
        table = run.table("frames")
        self._row_of = {who: row for row, who in enumerate(ids_of(table))}
        self._arrays = table["array"]
        raw = (entry for entry in run.manifest["images"] if entry["role"] == "raw")
        self._specs = {entry["path"]: spec_of_entry(entry) for entry in raw}
        self._packages = {
            str(entry.get("path")): str(origin["package"])
            for entry in run.manifest["images"]
            if isinstance(origin := entry.get("provenance"), Mapping) and origin.get("package")
        }
        self._elsewhere: dict[FrameId, Frame] = {}
        self._why = "frames of its window are not in the recording"
        self._stages = [name[len("stage ") : -len("_ms")] for name in results.column_names if name.startswith("stage ")]

    def __len__(self) -> int:
        return int(self._results.num_rows)

    def row(self, number: int) -> Row:
        """A row of the table."""
        values = self._results.slice(number, 1).to_pylist()[0]
        who = id_of(values)
        window = tuple(
            FrameId(who.run, who.camera, each["segment"], each["seq"]) for each in values.get("window") or ()
        )
        ran = tuple(name for name in self._stages if values[f"stage {name}_ms"] is not None)
        return Row(number, who, window or (who,), ran, bool(values.get("state_reset")), values)

    def fetch(self, numbers: Iterable[int]) -> None:
        """Look for the frames of these rows where the acquisition saved them itself, if it did: all in one go."""
        if not self._run.links:
            return
        wanted = {who for number in numbers for who in self.row(number).window} - self._row_of.keys()
        try:
            self._elsewhere = LinkedFrames(self._run).find(wanted)
        except RecordError as error:
            self._why = str(error)

    def frames(self, row: Row) -> list[Frame]:
        """The frames of its window, in their order; raises CannotBeComputed when one is not there."""
        if len(row.window) != (row.values.get("frames") or 1):
            raise CannotBeComputed("the frames of its window were not recorded")
        known = {who: self._frame(who) for who in dict.fromkeys(row.window)}
        return [known[who] for who in row.window]

    def _frame(self, who: FrameId) -> Frame:
        if who in self._row_of:
            return self._run.frame(self._row_of[who])
        if who not in self._elsewhere:
            raise CannotBeComputed(self._why)
        return self._elsewhere[who]

    def spec(self, row: Row) -> FrameSpec:
        """What its frames look like."""
        at = self._row_of.get(row.window[0])
        return spec_of(self._frame(row.window[0])) if at is None else self._specs[self._arrays[at].as_py()]

    def since_reset(self, row: Row, along: Along) -> list[Row]:
        """The windows of the same place from its last new beginning on, `row` last; raises CannotBeComputed."""
        own = place_name(self._of(row), along)
        chain = [row]
        for number in range(row.number - 1, -1, -1):
            if chain[-1].reset:
                break
            before = self.row(number)
            if before.id[:3] == row.id[:3] and place_name(self._of(before), along) == own:
                chain.append(before)
            if len(chain) > FURTHEST + 1 or row.number - number > 64 * FURTHEST:
                raise CannotBeComputed(f"its memory began more than {FURTHEST} windows before")
        if not chain[-1].reset:
            raise CannotBeComputed("where its memory began is not in the recording")
        return chain[::-1]

    def image(self, row: Row, stage: str) -> npt.NDArray[Any]:
        """The recorded image of a stage."""
        index = row.values[f"{stage}_index"]
        images: Any = self._run.images[row.values[f"{stage}_array"]]
        return np.asarray(images[index if isinstance(index, int) else tuple(index)])

    def package_of(self, row: Row, stage: str) -> str:
        """The sha256 of the package that made a stage's image; "": it made none, or nobody says."""
        return self._packages.get(str(row.values.get(f"{stage}_array")), "")

    def objects(self, row: Row, stage: str) -> dict[str, npt.NDArray[Any]]:
        """The recorded objects of a stage, by column; columns that say whose they are as well."""
        table = self._run.table(stage)
        for name, value in zip(WHO, row.id, strict=True):
            table = table.filter(pc.equal(table[name], value))
        return {name: table[name].to_numpy() for name in table.column_names}

    def _of(self, row: Row) -> Frame:
        return self._frame(row.window[-1])


def spread(count: int, sample: int | None, seed: int) -> Sequence[int]:
    """So many of `count` numbers, one from each equal part of them; all with None. The same for the same seed."""
    if sample is None or sample >= count:
        return range(count)
    edges = np.linspace(0, count, sample + 1)
    rng = np.random.default_rng(seed)
    return [int(rng.integers(int(low), max(int(low) + 1, int(high)))) for low, high in pairwise(edges)]


def parameters_of(values: Any) -> dict[FrameId, dict[str, dict[str, float]]]:
    """What the results' stages were normalised with, by frame, stage and name: of the table `values`, or None."""
    found: dict[FrameId, dict[str, dict[str, float]]] = {}
    for who, stage, name, value in _parameters(values):
        found.setdefault(who, {}).setdefault(stage, {})[name] = value
    return found


def _parameters(values: Any) -> Iterator[tuple[FrameId, str, str, float]]:
    if values is None:
        return
    columns = {name: values[name].to_pylist() for name in (*WHO, "stage", "kind", "name", "value")}
    for *who, stage, kind, name, value in zip(*columns.values(), strict=True):
        if kind == "parameter":
            yield FrameId(*who), stage, name, value
