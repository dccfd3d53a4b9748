"""A recording as what rules are rehearsed on: frames come as they came, and nothing can be done about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import RecordError
from ..._frame import Frame, FrameId, FrameSpec
from ..._pipeline import Pipeline
from ..._result import Provenance, Result
from ...record import RecordedRun, describe_pipeline
from .._actions import Action
from .._controller import Command, Done, Setting
from .._limits import Limits
from ..rules import RuleBook
from ._answers import result_of
from ._stage import Shot
from ._truth import Story, TrueFrame

WHO = FrameId._fields
Known = Callable[[FrameId], TrueFrame | None]
WIDE_UM = (-1e6, 1e6)


class RecordedMicroscope:
    """The microscope of a recording, as a `Rehearsal`: what is applied is noted, and changes nothing.

    Its setting is that of the last frame. `truth` tells what is true of a frame. `look`: frames have their pixels (else
    zeros that take no room). `limits`: what its devices could do, which no recording tells.
    """

    acts = False

    def __init__(
        self, run: RecordedRun, limits: Limits, truth: Known = lambda frame: None, *, look: bool = False
    ) -> None:
        self._run, self._limits, self._truth, self._look = run, limits, truth, look
        self._spec = run.spec()
        table = run.table("frames")
        names = [*WHO, "position", "labels", "received_ns", "pixel_size_um", "exposure_ms"]
        names += ["stage_x_um", "stage_y_um", "stage_z_um"]
        self._rows: list[dict[str, Any]] = table.select(names).to_pylist()
        came = np.array([row["received_ns"] for row in self._rows], np.int64)
        self._interval_s = float(np.median(np.diff(came))) / 1e9 if len(came) > 1 else None
        self._next, self._now_ns, self._sample_s = 0, int(came[0]), float("nan")
        self._frame: Frame | None = None
        self._stopped = False

    @property
    def now_ns(self) -> int:
        return self._now_ns

    @property
    def sample_s(self) -> float:
        return self._now_ns / 1e9 if np.isnan(self._sample_s) else self._sample_s

    @property
    def over(self) -> bool:
        return self._stopped or self._next >= len(self._rows)

    def spec(self) -> FrameSpec:
        return self._spec

    def next(self) -> Shot | None:
        if self.over:
            return None
        number, self._next = self._next, self._next + 1
        frame = self._run.frame(number) if self._look else self._bare(self._rows[number])
        truth = self._truth(frame.id)
        if truth is not None:
            self._sample_s = truth.time_s
        self._frame, self._now_ns = frame, max(self._now_ns, frame.received_ns)
        return Shot(frame, truth)

    def taken(self) -> list[Shot]:
        return []

    def wait(self, seconds: float) -> None:
        self._now_ns += round(seconds * 1e9)

    def story(self) -> Story | None:
        return None

    def limits(self) -> Limits:
        return self._limits

    def setting(self) -> Setting:
        frame = self._frame
        if frame is None:
            return Setting(pixel_um=self._spec.pixel_size_um, shape=self._spec.shape[:2])  # type: ignore[arg-type]
        x_um, y_um, z_um = frame.stage_um or (None, None, None)
        return Setting(
            x_um,
            y_um,
            z_um,
            frame.exposure_ms,
            self._interval_s,
            frame.labels.get("c"),
            pixel_um=frame.pixel_size_um,
            shape=(int(frame.pixels.shape[0]), int(frame.pixels.shape[1])),
        )

    def apply(self, action: Action) -> Done:
        return Done(self._now_ns, self._now_ns)

    def safe(self) -> tuple[Command, ...]:
        self._stopped = True
        return ()

    def _bare(self, row: Mapping[str, Any]) -> Frame:
        stage = (row["stage_x_um"], row["stage_y_um"], row["stage_z_um"])
        return Frame(
            FrameId(*(row[name] for name in WHO)),
            np.broadcast_to(np.zeros((), self._spec.dtype), self._spec.shape),
            self._spec.axes,
            json.loads(row["position"]),
            row["received_ns"],
            pixel_size_um=row["pixel_size_um"],
            exposure_ms=row["exposure_ms"],
            stage_um=None if None in stage else stage,
            labels=json.loads(row["labels"]),
        )


class RecordedAnswers:
    """The answers that a recording has: tables, label images and trust values, as they were given live."""

    def __init__(self, run: RecordedRun) -> None:
        told = run.manifest.get("pipeline")
        stages = told.get("stages", []) if isinstance(told, dict) else []
        self._run = run
        self.stages = tuple(str(each["name"]) for each in stages if isinstance(each, dict) and "name" in each)
        self.links = {
            str(each["name"]): str(each["reads"])
            for each in stages
            if isinstance(each, dict) and each.get("kind") in ("track", "pairs", "crops")
        }
        """For each stage whose rows are about those of another one, that one."""
        self._results = {who: row for row, who in enumerate(_ids(run.table("results")))}
        self._tables = {name: _Rows(run.table(name)) for name in self.stages if name in run.manifest["tables"]}
        self._labels = [
            each.stage for each in run.images.values() if each.stage in self.stages and each.dtype.kind in "iu"
        ]
        self._trust = _trust(run)
        self._provenance = {
            str(each["name"]): Provenance(str(each["package_sha256"]), "", "recorded")
            for each in stages
            if isinstance(each, dict) and each.get("package_sha256")
        }

    def result(self, shot: Shot) -> Result | None:
        who = shot.frame.id
        row = self._results.get(who)
        if row is None:
            return None
        answers: dict[str, npt.NDArray[Any]] = {name: table.of(who) for name, table in self._tables.items()}
        for stage in self._labels:
            try:
                answers[str(stage)] = self._run.answer(str(stage), row)
            except RecordError:
                continue  # the stage did not run on this frame
        trust = self._trust.get(who, {})
        return result_of(shot.frame, answers, self._provenance, trust=MappingProxyType(trust))


class _Rows:
    """A stage's table by frame."""

    def __init__(self, table: Any) -> None:
        own = {*WHO, *(name for name in table.column_names if name.startswith("raw_"))}
        names = [name for name in table.column_names if name not in own]
        columns = {name: table[name].to_numpy(zero_copy_only=False) for name in names}
        self._rows = np.zeros(table.num_rows, [(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            self._rows[name] = values
        self._of: dict[FrameId, list[int]] = {}
        for number, who in enumerate(_ids(table)):
            self._of.setdefault(who, []).append(number)

    def of(self, who: FrameId) -> npt.NDArray[Any]:
        return self._rows[self._of.get(who, [])]


def _ids(table: Any) -> list[FrameId]:
    return [FrameId(*who) for who in zip(*(table[name].to_pylist() for name in WHO), strict=True)]


def _trust(run: RecordedRun) -> dict[FrameId, dict[str, dict[str, float]]]:
    try:
        table = run.table("values")
    except RecordError:  # there is none
        return {}
    found: dict[FrameId, dict[str, dict[str, float]]] = {}
    for who, row in zip(_ids(table), table.select(["stage", "kind", "name", "value"]).to_pylist(), strict=True):
        if row["kind"] == "trust":
            found.setdefault(who, {}).setdefault(row["stage"], {})[row["name"]] = row["value"]
    return found


def same_stages(pipeline: Pipeline, run: RecordedRun) -> bool:
    """Whether a recording's answers are those of this pipeline: the same stages, packages and settings."""
    return bool(_essence(describe_pipeline(pipeline)) == _essence(run.manifest.get("pipeline")) is not None)


def _essence(told: Any) -> list[Any] | None:
    stages = told.get("stages") if isinstance(told, dict) else None
    if not isinstance(stages, list):
        return None
    plain: list[Any] = json.loads(json.dumps(stages, default=str))
    return plain


def limits_of(book: RuleBook) -> Limits:
    """As wide as the rules may ask for: no recording tells what its devices could do."""
    groups: dict[str, set[str]] = {}
    lights: set[str] = set()
    lines: set[str] = set()
    for rule in book.rules:
        for ask in getattr(rule, "asks", ()):
            told = ask.fields
            if ask.kind == "set_preset":
                groups.setdefault(str(told["group"]), set()).add(str(told["preset"]))
            elif told.get("channel"):
                groups.setdefault("Channel", set()).add(str(told["channel"]))
            lights |= {str(told["light"])} if "light" in told else set()
            lines |= {str(told["line"])} if ask.kind == "pulse" else set()
    change = book.limits
    return Limits(
        x_um=WIDE_UM,
        y_um=WIDE_UM,
        z_um=WIDE_UM,
        exposure_ms=(0.0, 1e6),
        interval_s=(0.0, 1e6),
        power_mw=dict.fromkeys(lights | set(change.power_mw or ()), 1e6),
        pulse_ms=dict.fromkeys(lines | set(change.pulse_ms or ()), 1e6),
        presets={
            group: frozenset(groups.get(group, set())) | frozenset((change.presets or {}).get(group, frozenset()))
            for group in groups.keys() | set(change.presets or ())
        },
    )
