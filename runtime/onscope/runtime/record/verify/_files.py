"""Every file that is no chunk, against the list of checksums that was written at the end."""

from __future__ import annotations

from ..._errors import RecordError
from .._checksums import NAME as CHECKSUMS
from .._checksums import PART, read_checksums, sha256_of
from ._looked import Looked
from ._report import Check, Findings, listed

SINCE = 3
"""The layout that the list came with."""


def check_files(looked: Looked) -> Check:
    """What has changed, is missing, or belongs to nothing."""
    findings, there = Findings(), looked.inventory
    for name in there.links:
        findings.add(f"{name} is a link, or no file: it is not followed")
    try:
        sums = read_checksums(looked.folder)
    except RecordError as error:
        findings.add(str(error))
        return findings.check("files", f"{len(there.files):,} files, of which nothing is known")
    if sums is None:
        if looked.state == "complete" and looked.run is not None and looked.run.manifest["schema"] >= SINCE:
            findings.add(f"{CHECKSUMS} is missing: no file but the chunks and the raw frames can be checked")
        _without(there.files, findings)
        return findings.check("files", f"{len(there.files):,} files, without checksums")
    present = set(there.files)
    for done, (name, expected) in enumerate(sorted(sums.items())):
        looked.progress("files", done, len(sums))
        if name not in present:
            findings.add(f"{name} is missing")
            continue
        try:
            if sha256_of(looked.folder / name) != expected:
                findings.add(f"{name} has changed since it was written")
        except OSError as error:
            findings.add(f"{name} cannot be read ({error.strerror or error})")
    for name in sorted(present - sums.keys() - {CHECKSUMS}):
        findings.add(f"{name} belongs to nothing that was recorded")
    return findings.check("files", f"{len(sums):,} files")


def _without(names: list[str], findings: Findings) -> None:
    findings.notes.append(
        "there is no list of checksums: the run did not end in order (`onscope repair` writes one), or it has the "
        "layout before"
    )
    parts = [name for name in names if name.endswith(PART)]
    if parts:
        findings.notes.append(f"{listed(parts)}: begun and not written to the end; `onscope repair` sets them aside")
