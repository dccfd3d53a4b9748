"""`onscope build`: engines for this machine's GPU, built ahead, and held against the CPU before they are kept."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._compile import frame_specs, frames_of, open_pipeline
from ._forced import warn_of_forced
from ._options import (
    CameraOption,
    ColourOption,
    Dtype,
    DtypeOption,
    PixelSizeOption,
    PrecisionOption,
    SizesOption,
    TileOption,
    WhatArgument,
    WindowOption,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console
    from rich.progress import Progress

    from onscope.runtime import FrameSpec, Pipeline
    from onscope.runtime.engines import Built
    from onscope.runtime.worker import Chain, EngineError


def build(
    what: WhatArgument,
    provider: Annotated[
        str, typer.Option("--provider", help="tensorrt (native), tensorrt-ep (ONNX Runtime's); :1 is the second GPU.")
    ] = "tensorrt",
    shape: SizesOption = None,
    precision: PrecisionOption = None,
    dtype: DtypeOption = Dtype.uint16,
    colour: ColourOption = False,
    camera: CameraOption = "camera",
    pixel_size_um: PixelSizeOption = None,
    window: WindowOption = None,
    tile: TileOption = None,
    force: Annotated[bool, typer.Option("--force", help="Keep engines that do not give the CPU's answers.")] = False,
) -> None:
    """Build engines for frames of some sizes, so that nothing is built while frames come.

    Every graph of the package or pipeline is built for this machine's GPU,
    run on a frame, and compared with the CPU and with the float weights.
    Engines are kept in the cache and found by graph, frame size, precision,
    GPU, driver and TensorRT version: where one of them changes, build again.

    Exit code 1, and one sentence, when something is missing or wrong.
    """
    from rich.console import Console

    from onscope.runtime.engines import require_ahead

    console = Console()
    require_ahead(provider)
    pipeline = open_pipeline(what, window, tile, precision).on(provider)
    specs = frame_specs(shape, pipeline, dtype, colour, camera, pixel_size_um)
    warn_of_forced(console, pipeline.packages)
    for spec in specs:
        _build(console, pipeline, spec, provider, force)


def _build(console: Console, pipeline: Pipeline, spec: FrameSpec, provider: str, force: bool) -> None:
    """Build for frames of one size, compare, and tell; raises ProviderError where the answers are not the CPU's."""
    from onscope.runtime import ProviderError
    from onscope.runtime.engines import discard_built
    from onscope.runtime.worker import Chain, remember

    engines: dict[Path, Built] = {}
    began = time.perf_counter()
    with _bar(console) as bar:
        chain = Chain(pipeline.opening(spec, provider, None), build=lambda graph: _one(graph, provider, bar, engines))
        errors = _errors(chain, pipeline, spec, bar)
    if errors:
        remember(chain, provider, errors)  # `auto` and lists take what passed here, and leave out what did not
    failed = [name for name, error in errors.items() if not error.passed]
    told = "; ".join(_words(name, errors[name]) for name in failed)
    if failed and not force:
        for graph in engines:
            discard_built(graph, provider)
        raise ProviderError(
            f"found engines that answer something else than the CPU ({told}), expected the same: they were removed; "
            "try --precision float32, or keep them with --force"
        )
    _show(console, chain, engines, errors, time.perf_counter() - began)
    if failed:
        words = f"warning: kept engines that answer something else than the CPU: {told}"
        console.print(words, style="yellow", highlight=False, markup=False, soft_wrap=True)


def _one(graph: Path, provider: str, bar: Progress, engines: dict[Path, Built]) -> None:
    """Build one graph, with a bar that says what TensorRT does."""
    from onscope.runtime.engines import build_ahead

    task = bar.add_task("building", total=None)

    def tell(what: str, done: int, steps: int) -> None:
        bar.update(task, description=what[:40], completed=done, total=steps or None)

    engines[graph] = build_ahead(graph, provider, tell)
    bar.remove_task(task)


def _errors(chain: Chain, pipeline: Pipeline, spec: FrameSpec, bar: Progress) -> Mapping[str, EngineError]:
    """Each stage's error against the CPU; empty where no engine for the CPU is installed."""
    from onscope.runtime.engines import probe
    from onscope.runtime.worker import engine_errors

    if not probe("cpu").ok:
        return {}
    bar.add_task("comparing with the CPU", total=None)
    floats = {
        stage.name: replace(stage, precision="float32").request
        for stage in pipeline.networks
        if stage.precision != "float32"
    }
    return engine_errors(chain, frames_of(pipeline, spec), floats)


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show(
    console: Console, chain: Chain, engines: Mapping[Path, Built], errors: Mapping[str, EngineError], seconds: float
) -> None:
    from rich.table import Table
    from rich.text import Text

    many = len(engines)
    console.print(Text(f"{many} engine{'s' * (many != 1)} ready in {seconds:.1f} s", "bold"))
    for group in chain.groups:
        built = engines[group.compiled.path]
        console.print()
        console.print(Text(" + ".join(group.compiled.stages), "bold cyan"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        came = f"built in {built.seconds:.1f} s" if built.fresh else "was built before"
        table.add_row("engine", f"{came}, {built.size_bytes / 1e6:.1f} MB")
        for name in ("gpu", "capability", "driver", "tensorrt", "through", "precision", "inputs"):
            table.add_row(name, Text(built.made_for[name]))
        table.add_row("one run", f"{group.warm_ns / 1e6:.2f} ms, copies included")
        for name in group.compiled.stages:
            if name in errors:
                table.add_row("error", Text(_words(name, errors[name]), "" if errors[name].passed else "yellow"))
        table.add_row("file", Text(str(built.path), overflow="fold"))
        console.print(table)
    if not errors:
        words = "not compared with the CPU: no engine for it is installed (pip install 'onscope[cpu]')"
        console.print(Text(words, "yellow"))


def _words(name: str, error: EngineError) -> str:
    there = f"this graph there: {error.cpu:.1e}"
    return f"{name}: {error.engine:.1e} of the answer's range against float32 on the CPU ({there})"
