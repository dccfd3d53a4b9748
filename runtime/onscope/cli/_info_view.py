"""A recording on a terminal: plain words and small tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onscope.runtime.record.about import About, size_words

from ._info_tables import events_table, frames_table, images_table, spreads_table, stages_table, times_table
from ._info_words import clean, duration, source_words, when

STATES: Mapping[str, tuple[str, str]] = {
    "complete": ("complete", "green"),
    "interrupted": ("cut off", "bold red"),
    "open": ("under way, or its processes are gone", "yellow"),
}


def show(console: Console, about: About) -> None:
    """Print everything."""
    facts = about.facts
    words, style = STATES.get(facts.state, (facts.state, "yellow"))
    console.print(Text.assemble((clean(about.folder), "bold"), ", ", (clean(words), style)), soft_wrap=True)
    if facts.error:
        console.print(Text(f"  {clean(facts.error)}", "red"), soft_wrap=True)
    if unsaved := sum(each.frames for each in facts.unsaved):
        words = f"{unsaved:,} frames were given to the recorder, which failed before it had saved them"
        console.print(Text(f"  {words}", "red"), soft_wrap=True)
    _pairs(console, _head(about))
    for title, table in (
        ("frames", frames_table(about)),
        ("images", images_table(about)),
        ("stages", stages_table(about)),
        ("times, ms", times_table(about)),
        ("parameters, counts", spreads_table(about.parameters)),
        ("trust", spreads_table(about.trust)),
        ("events", events_table(about)),
    ):
        if table is not None:
            console.print(Text(f"\n{title}", "bold"))
            console.print(table)
    _pairs(console, _made_with(about), "\nmade with")
    _pairs(console, _models(about), "\nmodels")
    if about.stages:
        console.print(Text("\nonscope info --methods prints this as text for a paper, with references", "dim"))


def _head(about: About) -> Iterable[tuple[str, str]]:
    facts = about.facts
    yield "recorded", when(facts) + ("" if about.seconds is None else f", {duration(about.seconds)}")
    yield "size", f"{size_words(about.nbytes)} on the disk, layout {facts.layout}"
    for source in facts.sources:
        yield "source", source_words(source)
    for link in about.links:
        yield "raw frames", f"saved by {link['by']} ({link['kind']}): {link['path'] or 'place unknown'}"
    if facts.pipeline.file:
        yield "pipeline", facts.pipeline.file
    if facts.command:
        yield "command", " ".join(facts.command)
    for camera, calibration in facts.pipeline.calibration.items():
        yield "calibration", f"{calibration.file}{f' ({camera})' if camera else ''}, {(calibration.sha256 or '')[:12]}"
    yield from facts.notes.items()


def _made_with(about: About) -> Iterable[tuple[str, str]]:
    facts = about.facts
    machine = facts.machine
    cores = f", {machine.cores} cores" if machine.cores else ""
    memory = f", {machine.memory_mb / 1024:.0f} GiB" if machine.memory_mb else ""
    yield "machine", f"{machine.cpu}{cores}{memory}, {machine.release or machine.system}"
    if machine.gpus is not None:
        gpus = [f"{gpu.name}, driver {gpu.driver}" for gpu in machine.gpus]
        yield "GPU", "; ".join(gpus) or "none"
    if facts.runtime.worker:
        admission = facts.runtime.admission
        more = "" if admission.every_n == 1 else f", every {admission.every_n}th frame"
        more += "" if admission.deadline_ms is None else f", deadline {admission.deadline_ms:g} ms"
        yield (
            "runtime",
            f"worker {facts.runtime.worker}, provider asked for {facts.runtime.provider}, threads "
            f"{facts.runtime.threads or 'one per core'}, {admission.kind}({admission.depth}){more}",
        )
    yield "software", ", ".join(f"{name} {number}" for name, number in facts.versions.items())


def _models(about: About) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for stage in about.stages:
        package = about.package_of(stage.name)
        if package is None or stage.package_sha256 in seen:
            continue
        seen.add(stage.package_sha256)
        cite = "; ".join(" ".join(filter(None, (paper.text, paper.doi or paper.url))) for paper in package.cite)
        words = f"{package.licence or 'no licence stated'}, from {package.origin or package.folder or 'unknown'}"
        yield stage.package, words + (f". Cite: {cite}" if cite else "")


def _pairs(console: Console, pairs: Iterable[tuple[str, str]], title: str = "") -> None:
    rows = [(clean(name), clean(words)) for name, words in pairs]
    if not rows:
        return
    if title:
        console.print(Text(title, "bold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in rows:
        grid.add_row(Text(f"  {name}"), Text(words))
    console.print(grid)
