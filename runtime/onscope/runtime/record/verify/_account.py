"""The ledger against the tables: has every frame that is said to be there its row, and every row its frame?"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..._frame import FrameId
from .._who import among, ids_of
from ._report import Check, Findings, listed, ranges

LEDGER = "ledger.csv"
ANSWERED = ("done", "late")
LOST = "lost_upstream"


REFUSED = "not recorded"
"""The reason of frames that the recorder did not take."""


class Entry(NamedTuple):
    """The end of `frames` frames that begin with `id`."""

    id: FrameId
    state: str
    frames: int
    reason: str


def check_account(folder: Path, raw: Iterable[FrameId] | None, results: Any, manifest: Mapping[str, Any]) -> Check:
    """Hold `ledger.csv` against the frames that were saved (None: they are elsewhere), and the table `results`.

    The manifest tells of frames that nobody could save, and whether only the last ones were kept. A recording that no
    ledger was given to is held against its own counters.
    """
    findings = Findings()
    saved = None if raw is None else set(raw)
    entries = _read(folder / LEDGER, findings)
    if entries is None:
        return _without(saved, results, manifest["state"] == "complete", findings)
    states = _states(folder, entries, findings)
    ended = {entry.id: entry.state for entry in entries if entry.state != LOST}
    _against_raw(entries, ended, saved, manifest, findings)
    if results is not None:
        _against_results(ended, results, manifest, findings)
    elif not manifest.get("answers_ended") and any(state in ANSWERED for state in ended.values()):
        findings.add("the ledger tells of answers, and there is no table of results", 1)
    words = ", ".join(f"{count:,} {state}" for state, count in states.items() if count)
    return findings.check("account", f"{sum(states.values()):,} frames: {words}" if words else "no frames")


def _states(folder: Path, entries: list[Entry], findings: Findings) -> dict[str, int]:
    states: dict[str, int] = {}
    for entry in entries:
        states[entry.state] = states.get(entry.state, 0) + entry.frames
    whole = _counts(folder / "latency.json")
    if whole is None:
        return states
    if left := whole.get("open", 0):
        findings.add(f"{left} frames have no end in the account", left)
    counted = {state: count for state, count in whole.items() if state != "open" and count}
    if sum(counted.values()) > sum(states.values()):
        findings.notes.append(
            f"ledger.csv has the last {len(entries):,} ends; of {sum(counted.values()):,} frames the counts are known"
        )
    elif counted != states:
        findings.add(f"ledger.csv has {states}, and latency.json {counted}: they are of one run")
    return counted


def _against_raw(
    entries: list[Entry],
    ended: dict[FrameId, str],
    saved: set[FrameId] | None,
    manifest: Mapping[str, Any],
    findings: Findings,
) -> None:
    if saved is None:
        findings.notes.append("the raw frames were saved by the acquisition itself: they are not looked at here")
        return
    refused = {entry.id for entry in entries if entry.reason.startswith(REFUSED)} - saved
    if refused:
        findings.notes.append(f"{listed(ranges(refused))}: refused by the recorder, as the account says")
    lost = ended.keys() - saved - refused
    if unsaved := among(lost, manifest.get("unsaved", ())):
        findings.notes.append(
            f"{listed(ranges(unsaved))}: given to the recorder, which failed before it had saved them"
        )
    if (lost := lost - unsaved) and manifest.get("keep") is None:
        findings.add(f"{listed(ranges(lost))}: in the account, and not among the raw frames", len(lost))
    told = {
        FrameId(*entry.id[:3], entry.id.seq + n)
        for entry in entries
        if entry.state == LOST
        for n in range(min(entry.frames, len(saved) + 1))
    }
    if both := told & saved:
        findings.add(f"{listed(ranges(both))}: lost by the account, and among the raw frames all the same", len(both))
    oldest = _oldest(entries)
    known = {who for who in saved if who[:3] not in oldest or who.seq >= oldest[who[:3]]}
    if unknown := known - ended.keys() - told:
        findings.add(f"{listed(ranges(unknown))}: among the raw frames, and not in the account", len(unknown))


def _against_results(ended: dict[FrameId, str], results: Any, manifest: Mapping[str, Any], findings: Findings) -> None:
    answered = list(ids_of(results))
    states = dict(zip(answered, results["state"].to_pylist(), strict=True))
    if len(states) < len(answered):
        twice = len(answered) - len(states)
        findings.add(f"{twice} frames have more than one row among the results", twice)
    wrong = [who for who, state in states.items() if who in ended and ended[who] != state]
    if wrong:
        findings.add(f"{listed(ranges(wrong))}: a result that the account does not tell of so", len(wrong))
    covered = set(states)
    if "window" in results.column_names:
        for who, window in zip(answered, results["window"].to_pylist(), strict=True):
            covered.update(FrameId(who.run, who.camera, each["segment"], each["seq"]) for each in window or ())
        lost = [who for who, state in ended.items() if state in ANSWERED and who not in covered]
        if lost and (why := manifest.get("answers_ended")):
            findings.notes.append(f"{listed(ranges(lost))}: answered, and not saved, because {why}")
        elif lost:
            findings.add(f"{listed(ranges(lost))}: answered by the account, and without a result", len(lost))


def _without(saved: set[FrameId] | None, results: Any, complete: bool, findings: Findings) -> Check:
    if not complete:
        findings.notes.append("no ledger was written: the run did not end in order")
    frames = 0 if saved is None else len(saved)
    if saved:
        gaps = []
        by_camera: dict[tuple[str, str, int], list[int]] = {}
        for who in saved:
            by_camera.setdefault(who[:3], []).append(who.seq)
        for place, numbers in by_camera.items():
            numbers.sort()
            ends = zip([-1, *numbers], numbers, strict=False)
            gaps += [(*place, before + 1, after - 1) for before, after in ends if after > before + 1]
        if gaps:
            missing = sum(last - first + 1 for *_, first, last in gaps)
            words = [f"{run}/{camera}/{segment}/{first} to {last}" for run, camera, segment, first, last in gaps]
            findings.notes.append(f"{missing:,} frame numbers are not there: {listed(words)}; the camera lost them")
    answers = 0 if results is None else results.num_rows
    return findings.check("account", f"no ledger; {frames:,} raw frames, {answers:,} results")


def _oldest(entries: list[Entry]) -> dict[tuple[str, str, int], int]:
    """By segment, the first frame whose end is still known: a ledger keeps the last ones."""
    found: dict[tuple[str, str, int], int] = {}
    for entry in entries:
        found[entry.id[:3]] = min(entry.id.seq, found.get(entry.id[:3], entry.id.seq))
    return found


def _read(path: Path, findings: Findings) -> list[Entry] | None:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [
                Entry(FrameId(row["run"], row["camera"], int(row["segment"]), int(row["seq"])), row["state"],
                      int(row["frames"]), row["reason"])
                for row in csv.DictReader(file)
            ]  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        findings.add(f"{path.name} cannot be read ({error!r})")
        return None


def _counts(path: Path) -> dict[str, int] | None:
    try:
        counts = json.loads(path.read_text(encoding="utf-8"))["ledger"]
        return {str(state): int(count) for state, count in counts.items()} or None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
