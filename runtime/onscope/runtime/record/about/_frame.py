"""One frame of a recording: who it is, what became of it, and how each of its numbers came about."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ..._clock import ClockPair
from ..._errors import RecordError
from ..._frame import FrameId
from .._reader import RecordedRun
from .._who import WHO, id_of
from ..recompute import statistics_of
from ._facts import facts_of
from ._tables import table_of

NAMED = re.compile(r"(?:(?:(?:(?P<run>[^/]+)/)?(?P<camera>[^/]+)/)?(?P<segment>\d{1,18})/)?(?P<seq>\d{1,18})")
Numbers = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class FrameAbout:
    """`raw` is its row in `frames`, `result` that in `results` ({}: none), `state` and `reason` those of the ledger.

    `received` is its receipt in ISO 8601, UTC. `parameters` were recorded; `computed` are the statistics that the graph
    took and told nobody, computed again.
    """

    id: FrameId
    state: str
    reason: str
    received: str
    raw: Mapping[str, Any]
    result: Mapping[str, Any]
    parameters: Numbers
    computed: Numbers
    trust: Numbers

    def as_json(self) -> dict[str, Any]:
        """The same as plain values that JSON can hold."""
        return asdict(self) | {"id": self.id._asdict()}


def about_frame(run: RecordedRun, wanted: str, packages: Sequence[Path] = ()) -> FrameAbout:
    """The frame that `[[[RUN/]CAMERA/]SEGMENT/]SEQ` names, the first one where several do.

    Raises RecordError when there is none. `packages` are folders to look for packages in.
    """
    facts_of(run.manifest, run.folder)  # before anything of it is believed
    named = NAMED.fullmatch(wanted)
    if named is None:
        raise RecordError(f"found the frame {wanted!r}, expected its number, as 12, or 0/12 (SEGMENT/SEQ), or cam/0/12")
    told = {name: int(text) if name in ("segment", "seq") else text for name, text in named.groupdict().items() if text}
    results = table_of(run.folder, "results")
    raw, rows = _first(run.table("frames"), told), [] if results is None else _numbers(results, told)
    result: Mapping[str, Any] = results.slice(rows[0], 1).to_pylist()[0] if rows else {}
    known = raw or result
    id = id_of(known) if known else None
    if raw and result and id_of(result) != id:
        rows = _numbers(results, {name: raw[name] for name in WHO})
        result = results.slice(rows[0], 1).to_pylist()[0] if rows else {}
    id, state, reason = _fate(run.folder, told if id is None else id._asdict(), id)
    if id is None:
        raise RecordError(f"found no frame {wanted} in {run.folder}, expected one that its account or tables name")
    recorded, computed = statistics_of(run, rows[0], packages) if rows else ({}, {})
    return FrameAbout(
        id=id,
        state=state or str(result.get("state", "")),
        reason=reason,
        received=_date(run, known["received_ns"]) if known else "",
        raw=raw,
        result=result,
        parameters=recorded,
        computed=computed,
        trust=_trust(run.folder, id),
    )


def _numbers(table: Any, who: Mapping[str, Any]) -> list[int]:
    """Numbers of the rows of these values."""
    chosen = None
    for name, value in who.items():
        same = pc.equal(table[name], value)
        chosen = same if chosen is None else pc.and_(chosen, same)
    found: list[int] = pc.indices_nonzero(chosen).to_pylist() if table.num_rows else []
    return found


def _first(table: Any, who: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = _numbers(table, who)
    found: list[dict[str, Any]] = table.slice(rows[0], 1).to_pylist() if rows else [{}]
    return found[0]


def _trust(folder: Path, id: FrameId) -> dict[str, dict[str, float]]:
    table = table_of(folder, "values")
    found: dict[str, dict[str, float]] = {}
    if table is not None:
        for number in _numbers(table, {**id._asdict(), "kind": "trust"}):
            row = table.slice(number, 1).to_pylist()[0]
            found.setdefault(row["stage"], {})[row["name"]] = row["value"]
    return found


def _fate(folder: Path, who: Mapping[str, Any], id: FrameId | None) -> tuple[FrameId | None, str, str]:
    """Who a frame is, and its state and reason in the account ("", "": it is not there). A row may tell of several."""
    try:
        with open(folder / "ledger.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                begins, frames, segment = int(row["seq"]), int(row["frames"]), int(row["segment"])
                mine = begins <= who["seq"] < begins + frames and segment == who.get("segment", segment)
                if mine and all(row[name] == who.get(name, row[name]) for name in ("run", "camera")):
                    return FrameId(row["run"], row["camera"], segment, who["seq"]), row["state"], row["reason"]
    except FileNotFoundError:  # the run is under way, or was cut off
        pass
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RecordError(f"{folder / 'ledger.csv'} cannot be read ({error}): restore it from a copy") from error
    return id, "", ""


def _date(run: RecordedRun, received_ns: int) -> str:
    from datetime import UTC, datetime

    wall_ns = ClockPair(**run.manifest["clock"]).wall_of(received_ns)
    try:
        return datetime.fromtimestamp(wall_ns / 1e9, tz=UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
