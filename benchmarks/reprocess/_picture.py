"""Both figures: speed-up over workers and sizes of tasks, and memory over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from onscope.runtime.drawing import FAINT, PANEL, SERIES, TEXT, Canvas

from ._memory import Memory
from ._speed import CHUNK, Speed

WIDTH, EDGE = 1400, 24
LIMIT = (255, 92, 92)


def draw_speed(speed: Speed, cores: int, title: str, path: Path) -> None:
    """Left: how many times as fast as one process; right: seconds more than half of the one process's, by task."""
    canvas = Canvas(WIDTH, 520)
    canvas.text(EDGE, 14, title, 20)
    middle = WIDTH // 2
    most = max([cores, *speed.by_workers]) + 0.5
    box = EDGE + 40, 84, middle - 60, 460
    _panel(
        canvas, box, f"times as fast as one process without Dask, tasks of {CHUNK} windows; each round, and the median"
    )
    left, top, right, bottom = box
    counts = sorted(speed.by_workers)

    def x(count: float) -> float:
        return left + 40 + (count - counts[0]) / max(1, counts[-1] - counts[0]) * (right - left - 80)

    def y(times: float) -> float:
        return bottom - times / most * (bottom - top)

    for each in range(int(most) + 1):
        canvas.text(left - 8, y(each) - 8, str(each), 13, FAINT, "right")
        canvas.line(left, y(each), right, y(each))
    for a, b in pairwise(counts):
        canvas.line(x(a), y(min(a, cores)), x(b), y(min(b, cores)), FAINT, 2)
    canvas.text(right - 8, y(cores) - 22, f"what {cores} cores can give", 13, FAINT, "right")
    ratios = {n: [alone / took for alone, took in zip(speed.alone, speed.by_workers[n], strict=True)] for n in counts}
    _lines(canvas, [(x(n), [y(each) for each in ratios[n]]) for n in counts], SERIES[0])
    for count in counts:
        canvas.text(x(count), bottom + 6, f"{count} worker{'s' * (count > 1)}", 13, TEXT, "middle")
        canvas.text(x(count), y(max(ratios[count])) - 28, f"{median(ratios[count]):.2f}", 14, TEXT, "middle")
    _draw_chunks(canvas, speed, (middle + 60, 84, WIDTH - EDGE - 20, 460))
    canvas.save(path)


def _draw_chunks(canvas: Canvas, speed: Speed, box: tuple[int, int, int, int]) -> None:
    _panel(canvas, box, "times as fast, two workers, by windows of a task")
    left, top, right, bottom = box
    ratios: Mapping[int, Sequence[float]] = {
        n: [alone / took for alone, took in zip(speed.alone, speed.by_chunk[n], strict=True)]
        for n in sorted(speed.by_chunk)
    }
    most = 2.5

    def y(times: float) -> float:
        return bottom - times / most * (bottom - top)

    for each in (0, 0.5, 1, 1.5, 2, 2.5):
        canvas.text(left - 8, y(each) - 8, f"{each:g}", 13, FAINT, "right")
        canvas.line(left, y(each), right, y(each))
    step = (right - left - 80) / max(1, len(ratios) - 1)
    points = [(left + 40 + number * step, chunk) for number, chunk in enumerate(ratios)]
    _lines(canvas, [(x, [y(each) for each in ratios[chunk]]) for x, chunk in points], SERIES[1])
    for x, chunk in points:
        canvas.text(x, bottom + 6, f"{chunk}", 13, TEXT, "middle")
        canvas.text(x, y(max(ratios[chunk])) - 28, f"{median(ratios[chunk]):.2f}", 14, TEXT, "middle")


def draw_memory(memory: Memory, title: str, path: Path) -> None:
    """Resident megabytes of each worker and of the process that sends the tasks."""
    canvas = Canvas(WIDTH, 520)
    canvas.text(EDGE, 14, title, 20)
    box = EDGE + 60, 84, WIDTH - EDGE - 20, 460
    _panel(canvas, box, "resident memory, MB: each worker (colours), and the process that plans and sends (grey)")
    left, top, right, bottom = box
    most = memory.limit_mb * 1.15

    def at(sample: tuple[float, float]) -> tuple[float, float]:
        seconds, mb = sample
        return left + seconds / memory.seconds * (right - left), bottom - min(mb, most) / most * (bottom - top)

    for mb in range(0, int(most), 100):
        canvas.text(left - 8, at((0, mb))[1] - 8, str(mb), 13, FAINT, "right")
        canvas.line(left, at((0, mb))[1], right, at((0, mb))[1])
    canvas.line(left, at((0, memory.limit_mb))[1], right, at((0, memory.limit_mb))[1], LIMIT, 2)
    words = f"a worker's limit: {memory.limit_mb} MB; the raw frames have {memory.whole_mb:,.0f} MB"
    canvas.text(right - 8, at((0, memory.limit_mb))[1] + 6, words, 13, LIMIT, "right")
    for samples, colour in [(memory.driver, FAINT), *zip(memory.workers.values(), SERIES, strict=False)]:
        for a, b in pairwise(samples):
            canvas.line(*at(a), *at(b), colour, 2)
    for part in range(5):
        canvas.text(
            left + part / 4 * (right - left), bottom + 6, f"{part / 4 * memory.seconds:.1f} s", 13, TEXT, "middle"
        )
    canvas.save(path)


def _panel(canvas: Canvas, box: tuple[int, int, int, int], words: str) -> None:
    left, top, right, bottom = box
    canvas.text(left, top - 26, words, 14, FAINT)
    canvas.box(left, top, right - left, bottom - top, PANEL)


def _lines(canvas: Canvas, points: Sequence[tuple[float, Sequence[float]]], colour: tuple[int, int, int]) -> None:
    for (x0, ys0), (x1, ys1) in pairwise(points):
        canvas.line(x0, median(ys0), x1, median(ys1), colour, 2)
    for x, ys in points:
        for y in ys:
            canvas.dot(x, y, 4, colour)
