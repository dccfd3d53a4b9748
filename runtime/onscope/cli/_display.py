"""What a run shows while it goes on: a live panel in a terminal, a line every second elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from onscope.runtime import Event, Kind

from ._monitor import Monitor

REFRESH_S = 0.5
LINE_S = 1.0


class Display:
    """Shows a monitor; a context manager. `tick` is called after every result and draws when it is time to."""

    def __init__(self, console: Console, monitor: Monitor, title: str, frames: int | None) -> None:
        self._console = console
        self._monitor = monitor
        self._title = title
        self._frames = frames
        self._next = 0.0
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Display:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tick(self, counts: Mapping[str, int], taken: int) -> None:
        """Draw again when half a second (in a terminal) or a second (elsewhere) has passed."""
        now = time.monotonic()
        if now < self._next:
            return
        if self._live is None:
            self._next = now + LINE_S
            self._console.print(line(self._monitor, counts, taken, self._frames), highlight=False, soft_wrap=True)
        else:
            self._next = now + REFRESH_S
            self._live.update(panel(self._monitor, counts, taken, self._frames, self._title), refresh=True)

    def tell(self, event: Event) -> None:
        """Show an event at once; called from any thread."""
        self._monitor.note(event)
        style = "bold red" if event.bad else "cyan"
        self._console.print(Text.assemble((f"{event.kind}: ", style), event.message), soft_wrap=True)

    def tell_of(self, kind: str, words: str) -> None:
        """Show what a recording tells of the disk and of its process."""
        self.tell(Event(cast(Kind, kind), words))


def panel(monitor: Monitor, counts: Mapping[str, int], taken: int, frames: int | None, title: str) -> RenderableType:
    """The live panel."""
    head = Table.grid(padding=(0, 4))
    of = f" of {frames}" if frames else ""
    cells = [_pair("frames", f"{taken}{of}"), _pair("results/s", f"{monitor.rate:.1f}")]
    cells += [_pair(stage, f"{count:,}") for stage, count in monitor.objects.items()]
    head.add_row(*cells)
    ledger = Table.grid(padding=(0, 4))
    ledger.add_row(*(_pair(state.replace("_", " "), f"{count}") for state, count in counts.items()))
    parts: list[RenderableType] = [head, ledger]
    if monitor.psnr is not None and monitor.psnr.means:
        parts.append(psnr_words(monitor))
    if monitor.likeness is not None and monitor.likeness.means:
        parts.append(likeness_words(monitor))
    parts += trust_words(monitor)
    parts += [Text(), steps_table(monitor)]
    return Panel(Group(*parts), title=title, border_style="cyan", expand=False, padding=(1, 2))


def line(monitor: Monitor, counts: Mapping[str, int], taken: int, frames: int | None) -> str:
    """The same in one line of plain text."""
    whole = monitor.steps().get("whole way", {})
    of = f"/{frames}" if frames else ""
    words = [f"frames {taken}{of}", f"{monitor.rate:.1f} results/s"]
    if whole:
        words.append(f"latency p50 {whole['p50']:.1f} p95 {whole['p95']:.1f} p99 {whole['p99']:.1f} ms")
    words += [f"{state} {count}" for state, count in counts.items() if count]
    if monitor.psnr is not None:
        words += [f"PSNR {name} {mean:.1f} dB" for name, mean in monitor.psnr.means.items()]
    if monitor.likeness is not None:
        words += [f"r {name} {mean:.3f}" for name, mean in monitor.likeness.means.items()]
    words += [f"{stage} {count}" for stage, count in monitor.objects.items()]
    words += [f"{stage} {one.suspect} suspect" for stage, one in monitor.trust.stages.items() if one.suspect]
    return " | ".join(words)


def steps_table(monitor: Monitor) -> Table:
    """Percentiles by step."""
    table = Table(box=None, header_style="dim", padding=(0, 2), pad_edge=False)
    table.add_column("latency, ms")
    for name in ("p50", "p95", "p99", "max"):
        table.add_column(name, justify="right")
    for step, summary in monitor.steps().items():
        style = "bold" if step == "whole way" else ""
        numbers = (f"{summary[name]:.2f}" for name in ("p50", "p95", "p99", "max"))
        table.add_row(step.removeprefix("stage "), *numbers, style=style)
    return table


def psnr_words(monitor: Monitor) -> Text:
    """Mean PSNR of raw frames and stages, with the peak it is reckoned with."""
    assert monitor.psnr is not None
    words = Text("PSNR  ", style="dim")
    for name, mean in monitor.psnr.means.items():
        words.append(f"{name} ", style="dim").append(f"{mean:.2f} dB   ", style="bold")
    return words.append(f"(peak {monitor.psnr.peak or 0:.0f} counts, {monitor.psnr.samples} frames)", style="dim")


def likeness_words(monitor: Monitor) -> Text:
    """Mean correlation of raw frames and stages with what they should show."""
    assert monitor.likeness is not None
    words = Text("likeness to what is to be found  ", style="dim")
    for name, mean in monitor.likeness.means.items():
        words.append(f"{name} ", style="dim").append(f"r {mean:.3f}   ", style="bold")
    return words.append(f"({monitor.likeness.samples} frames)", style="dim")


def trust_words(monitor: Monitor) -> list[Text]:
    """A line per stage whose answers are looked at."""
    return [
        Text.assemble((f"trust {stage} ", "dim"), (one.words, "yellow" if one.suspect else "bold"))
        for stage, one in monitor.trust.stages.items()
    ]


def _pair(name: str, value: str) -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, "bold"))
