"""Both figures: how many times as fast, over workers and sizes of tasks; and memory over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from onscope.runtime.drawing import FAINT, PANEL, SERIES, TEXT, Canvas

from ._memory import Memory
from ._speed import CHUNK, Speed

WIDTH, EDGE = 1400, 24
LIMIT = (255, 92, 92)


def draw_speed(found: Sequence[Speed], cores: int, title: str, path: Path) -> None:
    """How many times as fast as one process; left over workers, right over windows of a task. A colour per engine."""
    canvas = Canvas(WIDTH, 540)
    canvas.text(EDGE, 14, title, 20)
    for number, speed in enumerate(found):
        words = f"the CPU, {speed.size}x{speed.size}" if speed.provider == "cpu" else "an engine that waits 50 ms"
        canvas.text(WIDTH - EDGE, 14 + 22 * number, words, 14, SERIES[number], "right")
    middle = WIDTH // 2
    told = f"times as fast as one process without Dask, tasks of {CHUNK} windows; each round, and the median"
    counts = sorted(found[0].by_workers)
    boxes = ((EDGE + 40, 104, middle - 40, 480), (middle + 60, 104, WIDTH - EDGE, 480))
    left = _Axes(canvas, boxes[0], told, [f"{n} worker{'s' * (n > 1)}" for n in counts], max(counts) + 0.5)
    for speed in found:
        limits = [left.at(place, speed.most(n, cores)) for place, n in enumerate(counts)]
        for (x0, y0), (x1, y1) in pairwise(limits):
            canvas.line(x0, y0, x1, y1, FAINT, 2)
    words = f"at best: as many as workers, and {cores} cores by what the one process keeps busy"
    canvas.text(boxes[0][0] + 6, boxes[0][3] + 26, words, 13, FAINT)
    sizes = sorted(found[0].by_chunk)
    right = _Axes(canvas, boxes[1], "times as fast, two workers, by windows of a task", list(map(str, sizes)), 2.5)
    for number, speed in enumerate(found):
        above = speed.provider != "cpu"
        left.draw([_ratios(speed, speed.by_workers[n]) for n in counts], SERIES[number], above)
        right.draw([_ratios(speed, speed.by_chunk[n]) for n in sizes], SERIES[number], above)
    canvas.save(path)


def _ratios(speed: Speed, seconds: Sequence[float]) -> list[float]:
    return [alone / took for alone, took in zip(speed.alone, seconds, strict=True)]


class _Axes:
    """A panel with named places along x, and whole numbers up to `most` along y."""

    def __init__(
        self, canvas: Canvas, box: tuple[int, int, int, int], words: str, names: Sequence[str], most: float
    ) -> None:
        self._canvas, self._box, self._count, self._most = canvas, box, len(names), most
        _panel(canvas, box, words)
        for each in range(int(most) + 1):
            _, y = self.at(0, each)
            canvas.text(box[0] - 8, y - 8, str(each), 13, FAINT, "right")
            canvas.line(box[0], y, box[2], y)
        for place, name in enumerate(names):
            canvas.text(self.at(place, 0)[0], box[3] + 6, name, 13, TEXT, "middle")

    def at(self, place: int, value: float) -> tuple[float, float]:
        left, top, right, bottom = self._box
        x = left + 50 + place / max(1, self._count - 1) * (right - left - 100)
        return x, bottom - value / self._most * (bottom - top)

    def draw(self, values: Sequence[Sequence[float]], colour: tuple[int, int, int], above: bool) -> None:
        """Each value as a dot, the medians as a line with their numbers, above the dots or below them."""
        medians = [self.at(place, median(each)) for place, each in enumerate(values)]
        for (x0, y0), (x1, y1) in pairwise(medians):
            self._canvas.line(x0, y0, x1, y1, colour, 2)
        for place, each in enumerate(values):
            for value in each:
                self._canvas.dot(*self.at(place, value), 4, colour)
            x, y = self.at(place, max(each) if above else min(each))
            self._canvas.text(x, y - 26 if above else y + 10, f"{median(each):.2f}", 14, colour, "middle")


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
