"""What happened during the run, and which numbers its processing used."""

from __future__ import annotations

from collections.abc import Mapping

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
        table("Events", ["s", "", ""], rows, (0,), most=MOST_EVENTS)
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
            f"{name} {_short(value)}" for name, value in settings.items() if value is not None and value != ""
        )
        what = stage.package or stage.kind
        told.append([stage.name, stage.kind, what, words])
    stages = table("Stages and their settings", ["stage", "kind", "package", "settings"], told) if told else None
    rows = [
        [stage, name, *(number(spread.get(each)) for each in ("p5", "p50", "p95")), f"{spread.get('n', 0):,.0f}"]
        for stage, names in found.about.parameters.items()
        for name, spread in names.items()
    ]
    used = (
        table(
            "Numbers that frames were normalised with, in counts",
            ["stage", "", "p5", "p50", "p95", "n"],
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
    return section("parameters", "Parameters", stages, used, files)


def _frozen(found: Found) -> Html | None:
    """The values that were frozen, by stage."""
    rows = []
    for each in found.about.facts.statistics if found.about else ():
        frozen = each.get("frozen")
        for stage, values in frozen.items() if isinstance(frozen, Mapping) else ():
            for name, value in values.items() if isinstance(values, Mapping) else ():
                rows.append([str(each.get("camera", "")), str(stage), str(name), _short(value)])
    return table("Statistics that were frozen, in counts", ["camera", "stage", "", "value"], rows) if rows else None


def _unsaved(found: Found) -> Html | None:
    lost = found.about.facts.unsaved if found.about else ()
    rows = [[each.camera or "camera", f"{each.segment}", f"{each.seq}", f"{each.frames:,}"] for each in lost]
    return (
        table("Frames that did not reach the disk", ["camera", "segment", "first", "frames"], rows, (1, 2, 3))
        if rows
        else None
    )


def _short(value: object) -> str:
    words = f"{value:.6g}" if isinstance(value, float) else str(value)
    return words if len(words) <= 120 else words[:119] + "…"
