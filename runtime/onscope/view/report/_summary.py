"""The head of the page: what ran, when, where, how it ended, and what a check of the files found."""

from __future__ import annotations

from onscope.runtime.record.about import About, size_words

from ._found import Found
from ._html import Child, Html, coded, facts, join, note, section, tag, trouble
from ._words import duration, file_name, ms, named, number, share, some, source_words, when

STATES = {
    "complete": ("good", "Complete: the run ended in order."),
    "interrupted": ("bad", "Interrupted: the run did not end in order."),
    "open": ("warm", "Not ended: the run is under way, or was cut off (`onscope repair` completes it then)."),
}
MOST_FAULTS = 12


def heading(found: Found) -> Html:
    """The title with the state, and what matters most in a few numbers."""
    state = found.about.facts.state if found.about else "unreadable"
    style, words = STATES.get(state, ("bad", "The description of this recording cannot be read."))
    badge = tag("span", state, class_=f"badge {style}")
    why = found.about.facts.error if found.about else None
    lines: list[Child] = [tag("p", tag("span", "onscope", class_="brand"), " report of a recording", class_="over")]
    lines.append(tag("h1", found.name, " ", badge))
    if state != "complete":
        lines.append(trouble(words + (f" {named(why, found.folder)}" if why else "")))
    if found.about is not None:
        lines.append(tag("p", _sentence(found.about), class_="lead"))
    return tag("header", lines, _tiles(found))


def _sentence(about: About) -> str:
    told = when(about.facts)
    if about.seconds is not None:
        told += f"; frames came for {duration(about.seconds)}"
    stages = [f"{stage.name} ({stage.package or stage.kind})" for stage in about.stages]
    return f"{told}. {'Stages: ' + some(stages, 8) + '.' if stages else 'Nothing was run on the frames.'}"


def _tiles(found: Found) -> Html:
    about = found.about
    if about is None:
        return Html("")
    counts, total = about.counts, sum(about.counts.values())
    done = counts.get("done", 0) + counts.get("late", 0)
    tiles = [("raw frames", f"{about.frames:,}", size_words(about.nbytes) + " on the disk")]
    if total or about.stages:
        tiles.append(("results", f"{done:,}", f"{share(done, total)} of the frames" if about.ledger else ""))
    if about.latency_ms and "p50" in about.latency_ms:
        tiles.append(
            (
                "latency, median",
                f"{ms(about.latency_ms['p50'])} ms",
                f"95 of 100 within {ms(about.latency_ms['p95'])} ms",
            )
        )
    lost = {state: count for state, count in counts.items() if state in ("failed", "lost_upstream") and count}
    words = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in lost.items())
    tiles.append(("lost or failed", f"{sum(lost.values()):,}", words or "frames"))
    suspect, judged = _suspect(found)
    if judged:
        tiles.append(("suspect", f"{suspect:,}", f"of {judged:,} restored images"))
    if found.story is not None:
        asked = [entry for entry in found.story if entry.frame is not None]
        did = sum(entry.outcome == "done" for entry in asked)
        tiles.append(
            ("decisions", f"{len(asked):,}", f"{did:,} carried out" if found.story.head.armed else "in shadow mode")
        )
    boxes = [
        tag("div", tag("dt", name), tag("dd", tag("b", value), " ", tag("span", more))) for name, value, more in tiles
    ]
    return tag("dl", boxes, class_="tiles")


def _suspect(found: Found) -> tuple[int, int]:
    if found.values is None or not found.values.num_rows:
        return 0, 0
    import pyarrow.compute as pc

    mine = found.values.filter(
        pc.and_(pc.equal(found.values["kind"], "trust"), pc.equal(found.values["name"], "suspicion"))
    )
    return int(pc.sum(pc.greater(mine["value"], 1)).as_py() or 0), mine.num_rows


def run(found: Found) -> Html:
    """What is known of the run as a whole, and what a check of its files found."""
    return section("run", "The run", _troubles(found), _facts(found), _check(found))


def _troubles(found: Found) -> list[Html]:
    return [trouble(words) for words in found.troubles[:MOST_FAULTS]]


def _facts(found: Found) -> Html:
    about = found.about
    if about is None:
        return Html("")
    told = about.facts
    pairs: list[tuple[str, Child]] = [("recorded", when(told))]
    pairs += [("source", source_words(source)) for source in told.sources[:8]]
    for image in about.images:
        if image.role == "raw":
            pixel = f", pixel {image.pixel_size_um:g} µm" if image.pixel_size_um else ", pixel size unknown"
            pairs.append(
                (image.path, f"{image.there:,} frames, {' x '.join(map(str, image.shape))} {image.dtype}{pixel}")
            )
    if about.exposures_ms:
        pairs.append(("exposure", some([f"{number(each)} ms" for each in about.exposures_ms])))
    pairs += [
        (
            "raw frames elsewhere",
            f"{link.get('kind')}, saved by {link.get('by')}: {file_name(str(link.get('path') or ''))}",
        )
        for link in about.links
    ]
    if told.pipeline.file:
        pairs.append(("pipeline", file_name(told.pipeline.file)))
    machine = told.machine
    memory = f", {machine.memory_mb / 1024:.0f} GiB of memory" if machine.memory_mb else ""
    cores = f", {machine.cores} cores" if machine.cores else ""
    pairs.append(
        (
            "machine",
            f"{f'{machine.name}: ' if machine.name else ''}{machine.cpu}{cores}{memory}, "
            f"{machine.release or machine.system}",
        )
    )
    if machine.gpus is not None:
        pairs.append(("GPU", some([f"{gpu.name}, driver {gpu.driver}" for gpu in machine.gpus]) or "none"))
    if told.runtime.worker:
        admission = told.runtime.admission
        deadline = "" if admission.deadline_ms is None else f", deadline {admission.deadline_ms:g} ms"
        every = "" if admission.every_n == 1 else f", every {admission.every_n}th frame"
        pairs.append(
            (
                "runtime",
                f"worker {told.runtime.worker}, provider {told.runtime.provider}, "
                f"{admission.kind}({admission.depth}){every}{deadline}",
            )
        )
    pairs += [(name, named(words, found.folder)) for name, words in list(told.notes.items())[:40]]
    return facts(pairs, wide=True)


def _check(found: Found) -> Html:
    if found.checked is None:
        return note(coded(f"The files were not checked: {found.unchecked}. `onscope verify` does it."))
    checks = [check for check in found.checked.checks if check.name != "computed again"]
    items = [
        tag(
            "li",
            tag("b", "ok" if check.good else f"{check.found:,} faults", class_="good" if check.good else "bad"),
            f" {check.name}: {check.words}",
        )
        for check in checks
    ]
    faults = [trouble(named(words, found.folder)) for words in found.checked.faults[:MOST_FAULTS]]
    more = len(found.checked.faults) - MOST_FAULTS
    left = note(coded(f"and {more:,} more: `onscope verify` has them all")) if more > 0 else None
    notes = [note(named(words, found.folder)) for check in checks for words in check.notes[:3]]
    title = "What a check of the files found when this report was made"
    again = note(coded("Answers were not computed again for it: `onscope verify` does that."))
    return join(tag("h3", title), tag("ul", items, class_="checks"), faults, left, notes, again)


def contents(anchors: list[tuple[str, str]]) -> Html:
    """Links to the parts of the page."""
    return tag(
        "nav",
        tag("ul", [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in anchors]),
        aria_label="Contents",
    )
