"""`export.png`: the proof in one picture: input, both answers, their difference, and all errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onscope.runtime.drawing import ACCENT, BAD, FAINT, GOOD, LINE, PANEL, TEXT, WARM, Canvas

from ._answers import Answers
from ._chart import errors_chart, metrics_chart
from ._panels import Panel, panels, signed_colours
from ._proof import Proof
from ._report import Report

MARGIN, GAP, HEADER, CAPTION, CHARTS, FOOT = 32, 16, 96, 50, 330, 62
WIDTH, CELL = 1500, 347
MOST_ROWS = 4
TALLEST, FLATTEST = 1.3, 0.35
"""Height of a panel relative to its width; images beyond are shown narrower, or with a rim."""


def draw_picture(proof: Proof, report: Report, path: Path) -> None:
    """Write the PNG: a row per shown answer (four at most), the errors of all inputs, and the metrics.

    Raises RecordError when it cannot be written.
    """
    rows = proof.shown[:MOST_ROWS]
    talls = [_tall(one) for one in rows]
    images = sum(CAPTION + tall + GAP for tall in talls)
    canvas = Canvas(WIDTH, HEADER + images + CHARTS + FOOT + 8)
    _header(canvas, report)
    y = HEADER
    for one, tall in zip(rows, talls, strict=True):
        for number, panel in enumerate(panels(one, *_inner(one, tall))):
            _panel(canvas, MARGIN + number * (CELL + GAP), y, tall, panel)
        y += CAPTION + tall + GAP
    room = WIDTH - 2 * MARGIN - GAP
    errors_chart(canvas, MARGIN, y, room * 0.6, CHARTS, proof)
    metrics_chart(canvas, MARGIN + room * 0.6 + GAP, y, room * 0.4, CHARTS, report)
    _foot(canvas, y + CHARTS + 14, proof, report)
    canvas.save(path)


def _tall(one: Answers) -> int:
    return round(CELL * min(TALLEST, max(FLATTEST, _aspect(one))))


def _aspect(one: Answers) -> float:
    y, x = (one.frame.shape[one.frame_axes.index(letter)] for letter in "yx")
    return float(y / x)


def _inner(one: Answers, tall: int) -> tuple[int, int]:
    """Width and height of the images inside a panel, which keep their shape."""
    aspect = _aspect(one)
    return (CELL, max(1, round(CELL * aspect))) if CELL * aspect <= tall else (max(1, round(tall / aspect)), tall)


def _panel(canvas: Canvas, x: int, y: int, tall: int, panel: Panel) -> None:
    canvas.text(x, y + 4, panel.title, 19, TEXT, width=CELL)
    canvas.text(x, y + 28, panel.note, 13, FAINT, width=CELL)
    high, wide = panel.pixels.shape[:2]
    canvas.box(x, y + CAPTION, CELL, tall, PANEL)
    canvas.image(x + (CELL - wide) // 2, y + CAPTION + (tall - high) // 2, np.ascontiguousarray(panel.pixels))
    canvas.frame(x, y + CAPTION, CELL, tall, LINE, 1)
    if panel.words:
        colour = GOOD if panel.words == "equal" else BAD
        canvas.text(x + CELL / 2, y + CAPTION + tall / 2 - 14, panel.words, 24, colour, "middle")
    if panel.scale is not None:
        _colour_bar(canvas, x + CELL - 10, y + CAPTION + tall - 10, panel.scale)


def _colour_bar(canvas: Canvas, right: float, bottom: float, most: float) -> None:
    """What the colours of a difference mean, in its lower right corner."""
    wide = 180
    canvas.box(right - wide, bottom - 34, wide, 34, PANEL, 4)
    colours = signed_colours(np.linspace(-most, most, wide - 20)[None].repeat(6, 0), most)
    canvas.image(round(right - wide + 10), round(bottom - 12), colours)
    for words, at, align in ((f"-{most:.2g}", right - wide + 10, "left"), ("0", right - wide / 2, "middle"),
                             (f"+{most:.2g}", right - 10, "right")):  # fmt: skip
        canvas.text(at, bottom - 30, words, 13, TEXT, align)  # type: ignore[arg-type]


def _header(canvas: Canvas, report: Report) -> None:
    canvas.text(MARGIN, 22, "onscope", 30, ACCENT)
    canvas.text(MARGIN + 132, 30, report.name, 21, TEXT, width=canvas.width / 2)
    words, colour = ("the export is equal", GOOD) if report.passed else ("NOT EQUAL: forced, not to be trusted", BAD)
    canvas.text(canvas.width - MARGIN, 28, words, 21, colour, "right")
    way = f"{report.route}  >  ONNX opset {report.opset} by {report.exporter}"
    canvas.text(MARGIN, 64, way, 15, FAINT, width=canvas.width - 2 * MARGIN)


def _foot(canvas: Canvas, y: float, proof: Proof, report: Report) -> None:
    width = canvas.width - 2 * MARGIN
    inputs = len({(one.where, one.size) for one in proof.parity})
    words = f"The export is {report.verdict}. {proof.errors.total:,} values of {inputs} inputs were compared."
    canvas.text(MARGIN, y, words, 15, TEXT if report.passed else WARM, width=width)
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    source = f"; source sha256 {report.source_sha256[:12]}…" if report.source_sha256 else ""
    canvas.text(MARGIN, y + 24, f"{versions}; weights sha256 {report.weights_sha256[:12]}…{source}", 13, FAINT,
                width=width)  # fmt: skip
