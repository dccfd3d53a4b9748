"""`overview.png`: one picture of a recording: raw and answers side by side, times, and the account."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ..drawing import ACCENT, FAINT, LINE, TEXT, WARM, Canvas, Look, busiest, render, ring_marks, trails
from ._charts import facts_chart, latency_chart, ledger_chart
from ._latency import frames_per_second, step_columns
from ._panels import Panel, panels_of, stages_of
from ._reader import RecordedRun
from ._trust_chart import HEIGHT as TRUST
from ._trust_chart import suspicions, trust_chart

MARGIN, GAP, HEADER, CAPTION, CHARTS = 32, 16, 92, 50, 400
ZOOM = 6
"""The crop's side is the shorter side of the frame divided by this."""
MOST_PANELS = 6
CELLS = {1: 710, 2: 710, 3: 560, 4: 440, 5: 360, 6: 320}


def overview(run: RecordedRun, path: str | Path) -> Path:
    """Draw a recording as one PNG: whole frames, a crop of the same region of each, latency, ledger and trust.

    Shows the last frame that has a result (the last raw frame when none has). Raises RecordError when it cannot be
    read or written.
    """
    panels = panels_of(run)[:MOST_PANELS]
    cell = CELLS[max(1, len(panels))]
    width = max(2 * MARGIN + len(panels) * (cell + GAP) - GAP, 1500)
    aspect = panels[0].image.shape[0] / panels[0].image.shape[1] if panels else 1.0
    tall = round(min(cell * aspect, 1.5 * cell))
    images = 2 * (CAPTION + tall) + GAP if panels else 0
    trust = suspicions(run)
    canvas = Canvas(width, HEADER + images + GAP + CHARTS + (GAP + TRUST if trust else 0) + MARGIN)
    _header(canvas, run)
    if panels:
        _images(canvas, run, panels, cell, tall)
    top = HEADER + images + GAP
    room = width - 2 * MARGIN - 2 * GAP
    steps = _steps(run)
    latency_chart(canvas, MARGIN, top, room * 0.56, CHARTS, steps)
    ledger_chart(canvas, MARGIN + room * 0.56 + GAP, top, room * 0.2, CHARTS, _counts(run))
    facts_chart(canvas, MARGIN + room * 0.76 + 2 * GAP, top, room * 0.24, CHARTS, _facts(run))
    if trust:
        trust_chart(canvas, MARGIN, top + CHARTS + GAP, width - 2 * MARGIN, TRUST, trust)
    path = Path(path)
    canvas.save(path)
    return path


def _images(canvas: Canvas, run: RecordedRun, panels: list[Panel], cell: int, tall: int) -> None:
    base = panels[0].image.shape
    side = max(16, min(base[:2]) // ZOOM)
    wide = min(base[1], round(side * cell / tall))
    side = min(side, base[0])
    calm = next((panel for panel in panels[1:] if panel.scale == 1), panels[0])
    y0, x0 = busiest(calm.image, side)
    y0, x0 = max(0, min(y0, base[0] - side)), max(0, min(x0, base[1] - wide))
    pixel_um = next((image.pixel_size_um for image in run.images.values() if image.role == "raw"), None)
    # One choice of colours for all, so that a stage is not told from a dark raw frame by its colours; beside
    # transmitted light, which is grey, fluorescence glows.
    glow = (panels[0].image.ndim == 2 and Look.of(panels[0].image).glow) or None
    for number, panel in enumerate(panels):
        x, look = MARGIN + number * (cell + GAP), Look.of(panel.image, glow)
        for zoomed in (False, True):
            y = HEADER + zoomed * (CAPTION + tall + GAP)
            top, left, high, broad = (y0, x0, side, wide) if zoomed else (0, 0, *base[:2])
            crop = _crop(panel.image, panel.scale, top, left, high, broad)
            shown = render(crop, look, cell, tall)
            zoom = cell / broad
            if panel.points is not None:
                centres = (panel.points - (top, left) + 0.5) * zoom - 0.5
                inside = ((centres > -20) & (centres < (tall + 20, cell + 20))).all(axis=1)
                shown = ring_marks(shown, centres[inside], 20 if zoomed else 7, ACCENT, 2 if zoomed else 1.4)
            if panel.trails:
                lines = [(trail - (top, left) + 0.5) * zoom - 0.5 for trail in panel.trails]
                shown = trails(shown, lines, 4 if zoomed else 2)
            note = f"the marked region, {zoom:.1f}x" if zoomed else look.words
            canvas.text(x, y + 4, panel.title, 19, TEXT, width=cell)
            canvas.text(x, y + 28, note, 13, FAINT, width=cell)
            canvas.image(x, y + CAPTION, shown)
            canvas.frame(x, y + CAPTION, cell, tall, WARM if zoomed else LINE, 1)
            if not zoomed:
                canvas.frame(x + x0 * zoom, y + CAPTION + y0 * zoom, wide * zoom, side * zoom, WARM)
            if pixel_um:
                _scale_bar(canvas, x, y + CAPTION + tall, cell, broad * pixel_um)


def _scale_bar(canvas: Canvas, x: float, bottom: float, cell: int, field_um: float) -> None:
    """A bar of a round length, a fifth of the field at most."""
    aim = field_um / 5
    unit = 10.0 ** np.floor(np.log10(aim))
    length = float(max(unit * step for step in (1, 2, 5) if unit * step <= aim * 1.0001))
    wide = length / field_um * cell
    canvas.box(x + 10, bottom - 38, wide + 20, 30, (0, 0, 0), 4)
    canvas.box(x + 20, bottom - 15, wide, 3, TEXT)
    canvas.text(x + 20 + wide / 2, bottom - 34, f"{length:g} um", 13, TEXT, "middle")


def _header(canvas: Canvas, run: RecordedRun) -> None:
    canvas.text(MARGIN, 22, "onscope", 30, ACCENT)
    canvas.text(MARGIN + 132, 30, run.folder.resolve().name, 21, TEXT, width=canvas.width / 2)
    began = run.manifest["began"][:16].replace("T", " ")
    canvas.text(canvas.width - MARGIN, 26, f"{began} UTC", 15, FAINT, "right")
    if run.manifest["state"] != "complete":
        words = f"{run.manifest['state']}: {run.manifest['error'] or 'the run did not end in order'}"
        canvas.text(MARGIN, 62, words, 15, WARM, width=canvas.width - 2 * MARGIN)
    else:
        stages = "  >  ".join(f"{stage['name']} ({_what(stage)})" for stage in stages_of(run))
        canvas.text(MARGIN, 62, stages, 15, FAINT, width=canvas.width - 2 * MARGIN)


def _what(stage: dict[str, Any]) -> str:
    package, kind = str(stage.get("package") or ""), stage.get("kind", "network")
    return package if kind == "network" else f"{package} {kind} of {stage['reads']}".strip()


def _facts(run: RecordedRun) -> dict[str, str]:
    facts = {"raw frames": f"{len(run):,}"}
    raw = next((image for image in run.images.values() if image.role == "raw"), None)
    if raw is not None:
        facts["frame"] = f"{'x'.join(map(str, raw.shape))} {raw.dtype}"
        facts["pixel"] = f"{raw.pixel_size_um:g} um" if raw.pixel_size_um else "size unknown"
    if "results" in run.manifest["tables"]:
        results = run.table("results")
        facts["results"] = f"{results.num_rows:,}"
        if results.num_rows > 1:
            facts["rate"] = f"{frames_per_second(results['delivered_ns'].to_numpy()):.1f} results/s"
    facts |= run.manifest["notes"]
    providers = {
        image["provenance"]["provider"]
        for image in run.manifest["images"]
        if image.get("provenance", {}).get("provider")
    }
    if providers:
        facts["engine"] = ", ".join(sorted(providers))
    machine = run.manifest["machine"]
    facts["processor"] = f"{machine['cpu']}, {machine['cores']} cores"
    facts["software"] = ", ".join(
        f"{name} {number}" for name, number in run.manifest["versions"].items() if name in ("onscope", "onnxruntime")
    )
    return facts


def _steps(run: RecordedRun) -> dict[str, Any]:
    if "results" not in run.manifest["tables"]:
        return {}
    steps = step_columns(run.table("results"))
    whole = steps.pop("latency")
    return {**steps, "latency": whole}


def _counts(run: RecordedRun) -> dict[str, int]:
    ledger = run.folder / "ledger.csv"
    found: Counter[str] = Counter()
    if ledger.exists():
        with open(ledger, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found[row["state"]] += int(row["frames"])
    return {state: found[state] for state in ("done", "late", "skipped", "failed", "lost_upstream")}


def _crop(image: np.ndarray[Any, Any], scale: float, top: int, left: int, high: int, wide: int) -> np.ndarray[Any, Any]:
    y, x = round(top * scale), round(left * scale)
    return image[y : y + max(1, round(high * scale)), x : x + max(1, round(wide * scale))]
