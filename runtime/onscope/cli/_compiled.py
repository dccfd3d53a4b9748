"""What `onscope compile` prints: each graph, what went into it, and what it needs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onscope.runtime import Crops, FrameSpec, Measure, Pipeline, Stage, Track
from onscope.runtime.graph import Compiled, Note, notes_of
from onscope.runtime.graph.tiles import starts_of

if TYPE_CHECKING:
    from onscope.runtime.worker import Chain

STYLES = {"warning": "yellow", "outside": "yellow"}
COUNTED = ("fused", "merged", "padded", "rescaled", "calibrated")
ALONG = {"t": "time points", "z": "planes", "c": "channels", "i": "consecutive frames"}


def show(
    console: Console,
    pipeline: Pipeline,
    spec: FrameSpec,
    chain: Chain,
    errors: Mapping[str, float],
    seconds: float,
    whole: bool,
) -> None:
    """Print what was compiled; `whole`: every note. `errors` are those of seams, by stage."""
    frames = f"{'x'.join(map(str, spec.shape))} {spec.dtype}"
    if pipeline.gather.length > 1:
        frames += f", windows of {pipeline.gather.length} {ALONG[pipeline.gather.along]}"
    many = len(chain.groups)
    head = f"{frames}: {many} graph{'s' * (many != 1)} for {len(chain.opened)} stage{'s' * (len(chain.opened) != 1)}"
    console.print(Text(f"{head}, ready in {seconds:.1f} s", "bold"))
    for group in chain.groups:
        compiled = group.compiled
        console.print()
        console.print(Text(" + ".join(compiled.stages), "bold cyan"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("reads", "raw frames" if group.reads == "frame" else f"the image of {group.reads}")
        for number, decode in group.decoders.items():
            answer = chain.opened[number]
            kind = f"{'labels' if decode.labels else 'image'} {answer.axes}"
            if answer.columns:
                kind = f"table of {', '.join(answer.columns)}"
            table.add_row("gives", f"{answer.stage}: {'x'.join(map(str, answer.shape))} {answer.dtype}, {kind}")
        _add_precisions(table, [stage for stage in pipeline.networks if stage.name in compiled.stages])
        _add_notes(table, compiled, group.reads, whole)
        if compiled.tiling is not None:
            _add_tiling(
                table, compiled, group.raw.shape, {name: errors[name] for name in compiled.stages if name in errors}
            )
        if compiled.scalars:
            numbers = len(
                {
                    replace(scalar, input="", statistic=replace(scalar.statistic, part="value"))
                    for scalar in compiled.scalars
                }
            )
            table.add_row("from the host", f"{numbers} statistic{'s' * (numbers != 1)} of each window")
        if compiled.states:
            carried = ", ".join(f"{'x'.join(map(str, state.shape))} {state.dtype}" for state in compiled.states)
            table.add_row("remembers", f"{carried}, from window to window")
        needs = f"about {compiled.memory_mb:.1f}" if compiled.memory_mb >= 0.1 else "less than 0.1"
        table.add_row("memory", f"{needs} MB per run on {group.provider}")
        table.add_row("opset", f"{compiled.opset}, IR version {compiled.ir_version}, sha256 {compiled.sha256[:12]}…")
        table.add_row("file", Text(str(compiled.path), overflow="fold"))
        console.print(table)
    _show_hosted(console, pipeline, chain)


def _show_hosted(console: Console, pipeline: Pipeline, chain: Chain) -> None:
    """The stages that run beside the graphs, on objects."""
    answers = {answer.stage: answer for answer in chain.opened}
    for stage in pipeline.stages:
        if not isinstance(stage, Measure | Track | Crops) or stage.name not in answers:
            continue
        answer = answers[stage.name]
        console.print()
        console.print(Text(stage.name, "bold cyan"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        more = "".join(f", with {name}" for name in stage.inputs[1:])
        what = f"{stage.package.name} on {stage.kind}" if isinstance(stage, Crops) else stage.kind
        table.add_row("does", Text(f"{what} of {stage.of}{more}, run by {answer.provider}"))
        table.add_row("gives", Text(f"table of {', '.join(answer.columns)}; at most {stage.most:,} rows"))
        console.print(table)


def _add_precisions(table: Table, stages: Sequence[Stage]) -> None:
    """The stages that run a variant of their package's weights."""
    for stage in stages:
        if stage.precision in stage.package.variants:
            sha256 = stage.request.weights_sha256
            table.add_row("precision", f"{stage.name}: {stage.precision}, weights with the sha256 {sha256[:12]}…")


def _add_notes(table: Table, compiled: Compiled, reads: str, whole: bool) -> None:
    notes = [note for note in notes_of(compiled) if note.kind != "tiled" or not compiled.tiling]
    if not whole:
        counts = Counter(note.kind for note in notes if note.kind in COUNTED)
        if counts:
            words = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            table.add_row("steps", f"{words} (--report says which)")
        notes = [note for note in notes if note.kind not in COUNTED]
    for note in notes:
        table.add_row(Text(note.kind, STYLES.get(note.kind, "")), _words(note, compiled, reads))


def _words(note: Note, compiled: Compiled, reads: str) -> Text:
    text = Text(style=STYLES.get(note.kind, ""))
    if note.stage and len(compiled.stages) > 1:
        text.append(f"{note.stage}: ")
    text.append(note.what)
    if note.why:
        why = note.why if reads == "frame" else note.why.replace("the raw frame", f"the image of {reads}")
        text.append(f" ({why})", "dim" if note.kind not in STYLES else "")
    return text


def _add_tiling(table: Table, compiled: Compiled, frame_shape: Sequence[int], errors: Mapping[str, float]) -> None:
    tiling = compiled.tiling
    assert tiling is not None
    count = math.prod(map(len, starts_of(tiling, frame_shape)))
    tile, halo = ("x".join(map(str, sides)) for sides in (tiling.tile, tiling.halo))
    exact = "covers the receptive field" if tiling.exact else f"not exact: {tiling.why}"
    table.add_row("tiled", f"{count} of {tile} pixels, {tiling.batch} at a time, halo {halo}: {exact}")
    for stage, error in errors.items():
        words = "0, bit for bit" if error == 0 else f"{error:.2e} of the answer's range"
        table.add_row("seams", Text(f"{stage}: largest error {words}", "" if error <= 1e-5 else "yellow"))
