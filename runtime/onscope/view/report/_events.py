"""What happened during the run, and which numbers its processing used."""

from __future__ import annotations

from collections.abc import Mapping

from onscope.runtime.record.about import About, tuned_of

from ._found import Found
from ._html import Html, Long, join, note, section, table, tag
from ._words import named, number, without_folders

MOST_EVENTS = 60


def events(found: Found) -> Html:
    """Deaths and returns of processes, warnings, statistics that were frozen; empty without a description."""
    if found.about is None:
        return Html("")
    facts = found.about.facts
    rows = [
        [f"{(event.at_ns - facts.clock.monotonic_ns) / 1e9:.1f}", event.kind, named(event.message, found.folder)]
        for event in facts.events
    ]
    told = (
        table("What happened", ["s", "kind", "in words"], rows, (0,), most=MOST_EVENTS)
        if rows
        else note("Nothing out of the ordinary happened.")
    )
    more = note(f"{facts.events_left_out:,} further events were not recorded.") if facts.events_left_out else None
    return section("events", "Events", told, more, _frozen(found), _unsaved(found))


def parameters(found: Found) -> Html:
    """Settings of the stages, statistics that were used, and the texts of pipeline, calibration and rules."""
    if found.about is None:
        return Html("")
    facts = found.about.facts
    told = []
    for stage in facts.pipeline.stages:
        settings = {
            "reads": stage.reads,
            "normalise": stage.normalise,
            "tile": stage.tile,
            "precision": stage.precision,
            **stage.settings,
        }
        words = ", ".join(
            f"{name} {_plain(value)}" for name, value in settings.items() if value is not None and value not in ("", [])
        )
        told.append([stage.name, stage.kind, stage.package or "-", words])
    stages = table("Stages and their settings", ["stage", "kind", "package", "settings"], told) if told else None
    rows = [
        [stage, name, *(number(spread.get(each)) for each in ("p5", "p50", "p95")), f"{spread.get('n', 0):,.0f}"]
        for stage, names in found.about.parameters.items()
        for name, spread in names.items()
        if not name.startswith("setting ")
    ]
    used = (
        table(
            "Numbers that frames were normalised with, in counts",
            ["stage", "statistic", "p5", "p50", "p95", "n"],
            rows,
            (2, 3, 4, 5),
        )
        if rows
        else None
    )
    texts = [("Pipeline", facts.pipeline.yaml)]
    texts += [
        (f"Calibration {camera}".strip(), each.yaml) for camera, each in list(facts.pipeline.calibration.items())[:8]
    ]
    if found.story is not None:
        texts.append(("Rules", found.story.head.rules))
    files = [
        join(tag("h3", title), tag("pre", tag("code", Long(without_folders(text))), tabindex="0"))
        for title, text in texts
        if text
    ]
    return section("parameters", "Parameters", stages, _changed(found.about), used, files)


def _changed(about: About) -> list[Html]:
    """Numbers that were tuned, and packages that were replaced, while frames came."""
    began = about.facts.clock.monotonic_ns
    told = []
    numbers = [
        [stage, name, *(number(spread.get(each)) for each in ("min", "p50", "max")), f"{spread.get('n', 0):,.0f}"]
        for stage, name, spread in tuned_of(about)
    ]
    if numbers:
        head = ["stage", "number", "lowest", "median", "highest", "results"]
        told.append(table("Numbers that were tuned while frames came", head, numbers, (2, 3, 4, 5)))
    packages = [
        [f"{(swap.at_ns - began) / 1e9:.1f}", swap.stage, swap.package, tag("code", swap.package_sha256[:16])]
        for swap in about.facts.swaps
    ]
    if packages:
        head = ["s", "stage", "package from then on", "sha256"]
        told.append(table("Packages that were replaced while frames came", head, packages, (0,)))
    return told


def _frozen(found: Found) -> Html | None:
    """The values that were frozen, by stage."""
    rows = []
    for each in found.about.facts.statistics if found.about else ():
        frozen = each.get("frozen")
        for stage, values in frozen.items() if isinstance(frozen, Mapping) else ():
            for name, value in values.items() if isinstance(values, Mapping) else ():
                rows.append([str(each.get("camera", "")), str(stage), str(name), _short(value)])
    return (
        table("Statistics that were frozen, in counts", ["camera", "stage", "statistic", "value"], rows)
        if rows
        else None
    )


def _unsaved(found: Found) -> Html | None:
    lost = found.about.facts.unsaved if found.about else ()
    rows = [[each.camera or "camera", f"{each.segment}", f"{each.seq}", f"{each.frames:,}"] for each in lost]
    return (
        table("Frames that did not reach the disk", ["camera", "segment", "first", "frames"], rows, (1, 2, 3))
        if rows
        else None
    )


def _plain(value: object) -> str:
    """A setting's value without the signs of Python."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_plain, value)) if isinstance(value, (list, tuple)) else _short(value)


def _short(value: object) -> str:
    words = f"{value:.6g}" if isinstance(value, float) else str(value)
    return words if len(words) <= 120 else words[:119] + "…"
