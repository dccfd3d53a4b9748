"""A sample of the answers, computed again from the raw frames, as one of the checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..._errors import OnscopeError
from ..._frame import FrameId
from ..recompute import StageAgain, recompute
from ._looked import Looked
from ._report import Check, Findings, listed, ranges

NAME = "computed again"


def check_again(looked: Looked, sample: int | None, seed: int, packages: Sequence[Path], provider: str | None) -> Check:
    """Compute `sample` results again (None: all, 0: none). What cannot be computed is told, and is no fault."""
    findings, run = Findings(), looked.run
    if run is None or looked.results is None or not looked.results.num_rows or sample == 0:
        return findings.check(NAME, "none" if sample != 0 else "not asked for")
    values = None
    if "values" in run.manifest["tables"]:
        try:
            values = run.table("values")
        except OnscopeError as error:
            findings.notes.append(str(error))
    options = {"sample": sample, "seed": seed, "packages": packages, "provider": provider}
    found = recompute(run, looked.results, values, progress=looked.progress, **options)  # type: ignore[arg-type]
    if found.why:
        findings.notes.append(f"not computed again: {found.why}")
        return findings.check(NAME, f"none of {found.whole:,} results")
    for name, stage in sorted(found.stages.items()):
        _tell(name, stage, findings)
    return findings.check(NAME, f"{found.results:,} of {found.whole:,} results")


def _tell(name: str, stage: StageAgain, findings: Findings) -> None:
    unlike = f"; not as in the run: {listed(stage.unlike)}" if stage.unlike else ""
    parts = [f"{stage.identical:,} identical to the bit"] if stage.identical else []
    if stage.within:
        parts.append(f"{stage.within:,} within the package's tolerance (largest difference {stage.largest:.3g})")
    if stage.off:
        parts.append(f"{stage.off:,} not what is recorded")
    if parts:
        findings.notes.append(f"{name}: {', '.join(parts)}{unlike if stage.within or stage.off else ''}")
    for reason, count in stage.skipped.items():
        findings.notes.append(f"{name}: {count:,} not computed again: {reason}")
    by_words: dict[str, list[FrameId]] = {}
    for who, words in stage.wrong:
        by_words.setdefault(words, []).append(who)
    for words, whose in by_words.items():
        findings.add(f"{name}: {listed(ranges(whose))}: {words}{unlike}", len(whose))
