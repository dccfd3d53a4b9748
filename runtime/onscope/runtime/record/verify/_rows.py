"""Raw frames against the checksums that were taken when they came, and tables against each other."""

from __future__ import annotations

from ..._errors import OnscopeError, RecordError
from ..._frame import FrameId
from .._crc32 import crc32
from .._linked import LinkedFrames
from .._reader import RecordedRun
from .._who import ids_of
from ._elements import answer_stages, at_of
from ._looked import EVERY, Looked
from ._report import Check, Findings, listed, ranges

UNREADABLE = (OnscopeError, OSError, ValueError, KeyError, IndexError, OverflowError)


def check_raw(looked: Looked) -> Check:
    """Each raw frame's pixels against the checksum that was taken when they came."""
    findings, run = Findings(), looked.run
    if run is None:
        return findings.check("raw frames", "not looked at")
    changed: list[FrameId] = []
    unread: list[FrameId] = []
    table = run.table("frames")
    places = list(zip(table["array"].to_pylist(), table["index"].to_pylist(), table["crc32"].to_pylist(), strict=True))
    ids = list(ids_of(table))
    nbytes = 0
    for row, (array, index, crc) in enumerate(places):
        try:
            pixels = run.frame(row).pixels
        except UNREADABLE:
            unread.append(ids[row])
            continue
        nbytes += pixels.nbytes
        if crc32(pixels) != crc:
            changed.append(ids[row])
        else:
            looked.seen.setdefault(array, set()).add(at_of(index) or ())
        if row % EVERY == 0:
            looked.progress("raw frames", row, len(places))
    if len(set(ids)) < len(ids):
        findings.add(f"{len(ids) - len(set(ids))} frames have more than one row", len(ids) - len(set(ids)))
    if changed:
        findings.add(f"{listed(ranges(changed))}: the pixels are not those that the camera gave", len(changed))
    if unread:
        findings.add(f"{listed(ranges(unread))}: the pixels cannot be read", len(unread))
    if run.links and not places:
        return _elsewhere(run, findings)
    good = len(places) - len(changed) - len(unread)
    words = f"{good:,} of {len(places):,} are as the camera gave them ({nbytes / 1e6:,.0f} MB)"
    return findings.check("raw frames", words if places else "none in this recording")


def _elsewhere(run: RecordedRun, findings: Findings) -> Check:
    """Frames that the acquisition saved itself: are those there that the answers were computed from?"""
    paths = ", ".join(str(link.path) for link in run.links)
    try:
        frames = LinkedFrames(run)
        lost = frames.missing()
    except RecordError as error:
        findings.add(str(error))
        return findings.check("raw frames", f"elsewhere: {paths}")
    if lost:
        findings.add(f"{listed(ranges(lost))}: the pixels that the answers were computed from are not there", len(lost))
    words = f"{len(frames.rows) - len(lost):,} of {len(frames.rows):,} that answers were computed from are in {paths}"
    return findings.check("raw frames", words)


def check_answers(looked: Looked) -> Check:
    """Each row of the tables of answers against the result that it belongs to."""
    findings = Findings()
    if looked.results is None or looked.run is None:
        return findings.check("answers", "none in this recording")
    answered = set(ids_of(looked.results))
    tables = []
    for name in looked.run.manifest["tables"]:
        if name in ("frames", "results", "inputs"):
            continue
        tables.append(name)
        try:
            rows = set(ids_of(looked.run.table(name)))
        except (OnscopeError, KeyError) as error:
            findings.add(f"the table {name} cannot be read: {error}")
            continue
        if strange := rows - answered:
            findings.add(f"{name} has rows of {listed(ranges(strange))}, which have no result", len(strange))
    if len(looked.run) and looked.run.manifest.get("keep") is None:
        saved = set(ids_of(looked.run.table("frames")))
        if strange := answered - saved:
            words = f"{listed(ranges(strange))}: a result, and no raw frame"
            if looked.state == "complete":
                findings.add(words, len(strange))
            else:  # answers are saved apart from their frames, and either may be ahead
                findings.notes.append(words)
    stages = [*answer_stages(looked.results), *(name for name in tables if name != "values")]
    words = f"{looked.results.num_rows:,} results" + (f" of {', '.join(stages)}" if stages else "")
    return findings.check("answers", words)
