"""One frame of a recording on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onscope.runtime.record.about import FrameAbout

from ._info_words import clean

RAW = ("exposure_ms", "pixel_size_um", "stage_x_um", "stage_y_um", "stage_z_um")


def show_frame(console: Console, frame: FrameAbout) -> None:
    """Print all that is known of it."""
    state = clean(frame.state.replace("_", " ") or "no account of it")
    reason = f" ({clean(frame.reason)})" if frame.reason else ""
    console.print(Text.assemble(("frame ", ""), (clean(frame.id), "bold"), f", {state}{reason}"), soft_wrap=True)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in (*_raw(frame), *_result(frame)):
        grid.add_row(Text(f"  {clean(name)}"), Text(clean(words)))
    console.print(grid)
    for title, values in (
        ("parameters, counts", frame.parameters),
        ("parameters within the graph, computed again", frame.computed),
        ("trust", frame.trust),
    ):
        if any(values.values()):
            console.print(Text(f"\n{title}", "bold"))
            console.print(_numbers(values))


def _raw(frame: FrameAbout) -> Iterable[tuple[str, str]]:
    if frame.received:
        yield "received", frame.received
    if not frame.raw:
        yield "raw", "not in this recording"
        return
    yield "raw", f"{frame.raw['array']} {_place(frame.raw['index'])}, CRC-32 {frame.raw['crc32']:08x}"
    for name in ("position", "labels"):
        if frame.raw.get(name) not in (None, "", "{}"):
            yield name, str(frame.raw[name])
    for name in RAW:
        if frame.raw.get(name) is not None:
            yield name, f"{frame.raw[name]:g}"


def _result(frame: FrameAbout) -> Iterable[tuple[str, str]]:
    row = frame.result
    if not row:
        yield "result", "none"
        return
    yield "latency", f"{row['latency_ms']:.2f} ms"
    if row.get("window"):
        yield "window", ", ".join(f"{each['segment']}/{each['seq']}" for each in row["window"])
    if row.get("state_reset"):
        yield "memory", "recurrent networks began anew"
    for name, value in row.items():
        if name.startswith("stage ") and name.endswith("_ms") and value is not None:
            stage = name.removeprefix("stage ").removesuffix("_ms")
            array = row.get(f"{stage}_array")
            place = f", {array} {_place(row[f'{stage}_index'])}" if array is not None else ""
            yield stage, f"{value:.2f} ms{place}"


def _place(index: Any) -> str:
    return "[" + ", ".join(map(str, index if isinstance(index, list) else [index])) + "]"


def _numbers(values: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for stage, names in values.items():
        for name, value in names.items():
            table.add_row(Text(f"  {clean(stage)}"), Text(clean(name)), Text(f"{value:.6g}"))
    return table
