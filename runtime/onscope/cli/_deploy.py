"""`onscope deploy`: a pipeline's graphs as a Triton model repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from rich.console import Console

    from onscope.runtime import FrameSpec, Pipeline
    from onscope.runtime.deploy import Deployed, Options

LIMITER = " --rate-limit=execution_count --rate-limit-resource=onscope:{instances}"
"""Without these words to the server all classes are equal."""
LAST_LINES = """\
tritonserver --model-repository {folder}{limiter}
onscope run {pipeline} --worker kserve://HOST:8001 --provider cpu
"""


def deploy(
    what: WhatArgument,
    triton: Annotated[Path, typer.Option("--triton", help="The model repository; made if it is not there.")],
    shape: SizesOption = None,
    backend: Annotated[
        str, typer.Option("--backend", help="What runs the graphs there: onnxruntime, tensorrt or python.")
    ] = "onnxruntime",
    on: Annotated[str, typer.Option("--on", help="auto, gpu or cpu of the server.")] = "auto",
    instances: Annotated[int, typer.Option("--instances", help="Of each model, on each GPU.")] = 1,
    batch: Annotated[int, typer.Option("--batch", help="Windows of several microscopes in one run, at most.")] = 8,
    delay_us: Annotated[int, typer.Option("--delay-us", help="How long a window may wait for others.")] = 500,
    priorities: Annotated[
        int, typer.Option("--priorities", help="Classes of microscopes, for ?priority=1 of addresses.")
    ] = 1,
    accelerator: Annotated[
        bool,
        typer.Option("--tensorrt", help="Let the server's ONNX Runtime use TensorRT, built as it loads."),
    ] = False,
    check: Annotated[
        str | None,
        typer.Option(
            "--check", metavar="kserve://HOST:PORT", help="Hold a running server's answers against the CPU's."
        ),
    ] = None,
    precision: PrecisionOption = None,
    dtype: DtypeOption = Dtype.uint16,
    colour: ColourOption = False,
    camera: CameraOption = "camera",
    pixel_size_um: PixelSizeOption = None,
    window: WindowOption = None,
    tile: TileOption = None,
) -> None:
    """Write a package's or pipeline's graphs for a Triton server.

    Each graph is a model, named after its hash: runs with --worker
    kserve://HOST:PORT find theirs, and a newer one stands beside an older.
    Graphs that read each other's images are one more model, an ensemble;
    recurrent networks keep their memory on the server.

    Exit code 1, and one sentence, when something is missing or wrong, or
    when --check finds other answers than the CPU's.
    """
    from rich.console import Console

    from onscope.runtime import PipelineError
    from onscope.runtime.deploy import Options

    if on not in ("auto", "gpu", "cpu"):
        raise PipelineError(f"found --on {on!r}, expected auto, gpu or cpu")
    options = Options(
        backend,  # type: ignore[arg-type]  # looked at there
        on,  # type: ignore[arg-type]
        instances,
        batch,
        delay_us,
        priorities,
        accelerator=accelerator,
    )
    console = Console(soft_wrap=True, highlight=False)
    pipeline = open_pipeline(what, window, tile, precision).on("cpu")
    specs = frame_specs(shape, pipeline, dtype, colour, camera, pixel_size_um)
    warn_of_forced(console, pipeline.packages)
    for spec in specs:
        _show(console, _deployed(console, pipeline, spec, triton, options), spec, options)
    name = what if Path(what).suffix in (".yaml", ".yml") else "PIPELINE"
    console.print()
    limiter = LIMITER.format(instances=instances) if priorities > 1 else ""
    console.print(LAST_LINES.format(folder=triton, limiter=limiter, pipeline=name), style="dim", markup=False, end="")
    if check is not None:
        for spec in specs:
            _check(console, pipeline, spec, check)


def _deployed(console: Console, pipeline: Pipeline, spec: FrameSpec, folder: Path, options: Options) -> Deployed:
    from onscope.runtime import deploy as room
    from onscope.runtime.worker import Chain

    facts: dict[str, Any] = {
        "packages": {stage.name: stage.package.package_sha256 for stage in pipeline.networks},
        "shape": list(spec.shape),
        "dtype": spec.dtype,
    }
    with console.status("compiling") as status:
        said = status.update if console.is_terminal else (lambda text: None)
        chain = Chain(pipeline.opening(spec, "cpu", None), said)
        return room.deploy(chain, folder, options, facts)


def _show(console: Console, deployed: Deployed, spec: FrameSpec, options: Options) -> None:
    from rich.text import Text

    size = "x".join(map(str, spec.shape))
    console.print(Text(f"for frames of {size} {spec.dtype}", "bold"))
    for model in deployed.models:
        windows = f"up to {model.most} windows at once" if model.most > 1 else "one window at a time"
        memory = ", keeps what the network remembers" if model.remembers else ""
        state = f"{model.size_bytes / 1e6:.1f} MB" if model.fresh else "as it was"
        console.print(Text.assemble((model.name, "cyan"), f"  {' + '.join(model.stages)}"))
        console.print(Text(f"  {model.backend}, {windows}{memory}; {state}"))
        for number, each in enumerate(model.classes, 1):
            console.print(Text.assemble((each, "cyan"), f"  the same for ?priority={number}"))
    if deployed.chain:
        console.print(Text.assemble((deployed.chain, "cyan"), "  all of them, for clients that ask for all at once"))
    if options.priorities > 1:
        console.print("classes: the last is usual; the server has to be started with its rate limiter, as below")
    for words in (*(told for model in deployed.models for told in model.told), *deployed.told):
        console.print(Text(words, "yellow"))


def _check(console: Console, pipeline: Pipeline, spec: FrameSpec, worker: str) -> None:
    """Raise ProviderError where a running server answers something else than the CPU."""
    import os

    from onscope.runtime import ProviderError
    from onscope.runtime.kserve import TOKEN_VARIABLE, parse_worker
    from onscope.runtime.worker import Chain, engine_errors

    address, token = parse_worker(worker)
    if token:
        os.environ[TOKEN_VARIABLE] = token
    chain = Chain(pipeline.opening(spec, address.provider, None))
    errors = engine_errors(chain, frames_of(pipeline, spec), {})
    for group in chain.groups:
        group.close()
    for name, error in errors.items():
        told = f"{name}: {error.engine:.1e} of the answer's range against the CPU here"
        console.print(f"{address} {told}", style="" if error.passed else "red", markup=False)
    failed = [name for name, error in errors.items() if not error.passed]
    if failed:
        raise ProviderError(
            f"found other answers of {address} than the CPU's for {', '.join(failed)}, expected the same: look at the "
            "server's back end and its precision"
        )
