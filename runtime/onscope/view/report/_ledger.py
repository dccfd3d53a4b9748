"""What became of every frame: as a table with reasons, and as strips over time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ._found import Found, LedgerRow, column
from ._html import Html, join, note, section, table, tag
from ._svg import LEFT, RIGHT, WIDE, Axis, figure, frame, time_axis
from ._words import share

ENDS = {
    "done": ("a result came", "good"),
    "late": ("a result came after its deadline", "warm"),
    "skipped": ("left out on purpose", "faint"),
    "failed": ("the network or its worker failed", "bad"),
    "lost_upstream": ("the camera or its driver lost it", "bad"),
}
STRIP, GAP = 26, 8
COLUMNS = 320
MOST_STRIPS = 8

Array = npt.NDArray[np.float64]


def ledger(found: Found) -> Html:
    """The section; it says so where there is no account."""
    rows = found.ledger or _without_account(found)
    if not rows:
        return section("ledger", "What became of the frames", note("There is no account of them."))
    states: dict[str, Counter[str]] = {}
    for row in rows:
        states.setdefault(row.state, Counter())[row.reason] += row.frames
    total = sum(sum(reasons.values()) for reasons in states.values())
    order = sorted(states, key=lambda state: (list(ENDS).index(state) if state in ENDS else len(ENDS), state))
    told = [
        [state.replace("_", " "), reason or ENDS.get(state, ("", ""))[0], f"{count:,}", share(count, total)]
        for state in order
        for reason, count in states[state].most_common()
    ]
    why = None
    if not found.ledger:
        words = "The account was not written: the run is under way, was cut off, or nothing ran on its frames. "
        why = note(words, "This is what the tables tell.")
    counted = table(f"Ends of {total:,} frames", ["state", "reason", "frames", "share"], told, (2, 3))
    return section("ledger", "What became of the frames", why, _strips(found, rows, order), counted)


def _without_account(found: Found) -> tuple[LedgerRow, ...]:
    """Results by their state, and frames that nothing is told of."""
    if found.frames is None and found.results is None:
        return ()
    told: dict[tuple[str, str, int, int], LedgerRow] = {}
    for held, state in ((found.frames, "no result told"), (found.results, "")):
        if held is not None:
            states = [state] * held.num_rows if state else held["state"].to_pylist()
            columns = (held[name].to_pylist() for name in ("run", "camera", "segment", "seq"))
            for run, camera, segment, seq, end in zip(*columns, states, strict=True):
                told[run, camera, segment, seq] = LedgerRow(run, camera, segment, seq, end, "", 1)
    return tuple(told.values())


def _strips(found: Found, rows: tuple[LedgerRow, ...], order: list[str]) -> Html:
    times = _times(found, rows)
    known = np.isfinite(times)
    if not known.any():
        return note("Their times are not known.")
    x = Axis.over(times)
    frames = np.array([row.frames for row in rows], np.float64)
    column_of = np.minimum((x.share(np.where(known, times, x.low)) * COLUMNS).astype(int), COLUMNS - 1)
    counts = {
        state: np.bincount(column_of[mine], frames[mine], COLUMNS)
        for state in order
        if (mine := known & np.array([row.state == state for row in rows])).any()
    }
    most = max(float(each.max()) for each in counts.values())
    left = LEFT + 60
    wide = (WIDE - left - RIGHT) / COLUMNS
    drawn, shown = [], dict(list(counts.items())[:MOST_STRIPS])
    for number, (state, found_there) in enumerate(shown.items()):
        base = 6 + (number + 1) * (STRIP + GAP) - GAP
        style = ENDS.get(state, ("", "faint"))[1]
        drawn.append(tag("line", x1=left, x2=WIDE - RIGHT, y1=base, y2=base, class_="grid"))
        drawn.append(tag("text", state.replace("_", " "), x=left - 10, y=base - 8, text_anchor="end"))
        for at in np.flatnonzero(found_there).tolist():
            tall = max(4.0, STRIP * float(found_there[at]) / most)
            drawn.append(
                tag(
                    "rect",
                    x=f"{left + at * wide:.1f}",
                    y=f"{base - tall:.1f}",
                    width=f"{max(1.4, wide - 0.3):.1f}",
                    height=f"{tall:.1f}",
                    class_=f"fill {style}",
                )
            )
    foot = 6 + len(shown) * (STRIP + GAP) - GAP + 6
    words = (
        f"When frames ended so, by the time that they came: the higher a bar, the more frames (highest: {most:,.0f})."
    )
    lost = int(frames[~known].sum())
    words += f" {lost:,} frames are not shown: when they came is not known." if lost else ""
    words += " Times of lost frames are estimated from their neighbours." if "lost_upstream" in shown else ""
    return figure(words, frame("What became of the frames over time", foot + 40, drawn, join(time_axis(x, foot, left))))


def _times(found: Found, rows: tuple[LedgerRow, ...]) -> Array:
    """Seconds of each row: when its (middle) frame was received; NaN where nothing of its segment is known."""
    groups: dict[tuple[str, str, int], list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault((row.run, row.camera, row.segment), []).append(at)
    known: dict[tuple[str, str, int], tuple[Array, Array]] = {}
    for held in (found.results, found.frames):
        if held is not None and held.num_rows:
            known |= _received(held)
    times = np.full(len(rows), np.nan)
    for who, mine in groups.items():
        if who in known:
            seq, received = known[who]
            middles = [rows[at].seq + (rows[at].frames - 1) / 2 for at in mine]
            times[mine] = np.interp(middles, seq, found.seconds(received))
    return times


def _received(table: Any) -> dict[tuple[str, str, int], tuple[Array, Array]]:
    """Counters of each segment's frames, rising, with the moments of their receipt."""
    keys = list(zip(*(table[name].to_pylist() for name in ("run", "camera", "segment")), strict=True))
    names = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    which = np.array([names[key] for key in keys])
    seq, received = column(table, "seq"), column(table, "received_ns")
    found = {}
    for key, number in names.items():
        mine = np.flatnonzero((which == number) & np.isfinite(received))
        mine = mine[np.argsort(seq[mine])]
        if len(mine):
            found[key] = (seq[mine], received[mine])
    return found
