"""`onscope compile`: make the graphs of a package or a pipeline, and say what was done to them."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._forced import warn_of_forced
from ._options import (
    CameraOption,
    ColourOption,
    Dtype,
    DtypeOption,
    PixelSizeOption,
    ProviderOption,
    ThreadsOption,
    TileOption,
    WhatArgument,
    WindowOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from rich.console import Console

    from onscope.runtime import FrameSpec, Pipeline
    from onscope.runtime.worker import Chain

STAGES = re.compile(r"^stages\s*:", re.MULTILINE)
"""What a pipeline's YAML has, and a package's description has not."""

NO_ANSWERS = ("null", "scripted")
"""Engines that do not run the network, and so cannot be held against test outputs."""


def compile_(
    what: WhatArgument,
    size: Annotated[str, typer.Option("--size", help="Height x width of the frames in pixels.")] = "512x512",
    dtype: DtypeOption = Dtype.uint16,
    colour: ColourOption = False,
    camera: CameraOption = "camera",
    pixel_size_um: PixelSizeOption = None,
    window: WindowOption = None,
    tile: TileOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compile packages that do not give their own test outputs.")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Say all that was done to the graphs.")] = False,
    to_json: Annotated[Path | None, typer.Option("--json", help="Write all of it to a JSON file.")] = None,
    provider: ProviderOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Compile a package or a pipeline to graphs from raw counts to answers.

    Says what was fused, merged, padded, tiled and left outside, the memory
    that a run needs, and where the graphs lie: a run with such frames finds
    them there. Tiled stages are run once on the full frame too, and the
    largest error at a seam is told. Packages whose weights do not give
    their own test outputs are refused.

    Exit code 1, and one sentence, when something is wrong.
    """
    from rich.console import Console

    from onscope.runtime.worker import Chain, seam_errors

    from ._compiled import show

    console = Console()
    spec = frame_spec(size, dtype, colour, camera, pixel_size_um)
    pipeline = open_pipeline(what, window, tile).on(provider)
    warn_of_forced(console, pipeline.packages)
    began = time.perf_counter()
    quiet = not console.is_terminal
    with console.status("compiling") as status:
        _prove(pipeline, provider, threads, force, console)
        chain = Chain(pipeline.opening(spec, provider, threads), (lambda text: None) if quiet else status.update)
    seconds = time.perf_counter() - began
    tiled = any(group.tiled is not None for group in chain.groups)
    errors = seam_errors(chain, frames_of(pipeline, spec)) if tiled else {}
    if to_json is not None:
        _write(to_json, chain, errors)
    show(console, pipeline, spec, chain, errors, seconds, report)


def _prove(pipeline: Pipeline, provider: str, threads: int | None, force: bool, console: Console) -> None:
    """Raise PackageError where a package does not give its own test outputs; with `force`, say so in a line.

    Two ways: its network with the steps in NumPy, and its compiled graph with the test input as the frame.
    """
    from onscope.runtime.engines import open_session
    from onscope.runtime.package import prove, refuse_mismatch
    from onscope.runtime.worker import prove_compiled

    from ._validate import refuse_beyond_memory

    if provider in NO_ANSWERS:
        return
    for stage in {stage.package.folder: stage for stage in pipeline.networks}.values():
        package = stage.package
        refuse_beyond_memory(package)
        proof = prove(package, session := open_session(package.weights, provider, threads))
        if not force:
            refuse_mismatch(package, proof, session.provider)
        # A variant's answers are others, and were proven when it was made; what is proven here is the package.
        whole = replace(stage.request, weights=package.weights.resolve(), weights_sha256=package.weights_sha256)
        compiled, _ = prove_compiled(package, whole, provider, threads)
        if not force:
            refuse_mismatch(package, compiled, f"{session.provider}, compiled")
        for one, way in (*((one, "") for one in proof), *((one, ", compiled") for one in compiled)):
            if not one.passed:
                words = f"warning: {package.name} does not give its own test output {one.output!r}{way}: {one.words}"
                console.print(words, style="yellow", highlight=False, markup=False, soft_wrap=True)


def frame_spec(size: str, dtype: Dtype, colour: bool, camera: str, pixel_size_um: float | None) -> FrameSpec:
    """What the options say of the frames; raises PipelineError for a size that is none."""
    from onscope.runtime import FrameSpec

    from ._validate import parse_size

    shape = parse_size(size)
    return FrameSpec((*shape, 3) if colour else shape, dtype.value, "yxs" if colour else "yx", camera, pixel_size_um)


def frame_specs(
    sizes: Sequence[str] | None,
    pipeline: Pipeline,
    dtype: Dtype,
    colour: bool,
    camera: str,
    pixel_size_um: float | None,
) -> list[FrameSpec]:
    """`frame_spec` for each of the sizes, once; where none is named for the pipeline's own, else for 512x512."""
    named = sizes or ["x".join(map(str, each)) for each in pipeline.shapes] or ["512x512"]
    return [frame_spec(size, dtype, colour, camera, pixel_size_um) for size in dict.fromkeys(named)]


def open_pipeline(
    what: str, window: int | None = None, tile: int | None = None, precision: str | None = None
) -> Pipeline:
    """The pipeline of a YAML, or one of a single stage that runs a package; raises PipelineError or PackageError."""
    from onscope.runtime import Pipeline, PipelineError, Stage

    path = Path(what)
    if path.is_file() and path.suffix in (".yaml", ".yml") and STAGES.search(_beginning(path)):
        options = {"--window": window, "--tile": tile, "--precision": precision}
        given = " and ".join(name for name, value in options.items() if value is not None)
        if given:
            raise PipelineError(f"found {given} for the pipeline {path}, expected that in its YAML: write it there")
        return Pipeline.load(path)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem if path.suffix else path.name)
    name = name.lstrip("-_0123456789").rstrip("-_")
    if name in ("", "rdf", "frame", "bioimageio", "model"):
        name = "package"
    stage = Stage(name[:64], what, tile=tile, precision=precision or "float32")  # type: ignore[arg-type]  # looked at there
    return Pipeline([stage], 1 if window is None else window)


def frames_of(pipeline: Pipeline, spec: FrameSpec) -> list[npt.NDArray[Any]]:
    """One window of frames: the first package's own test input, repeated and cut, else seeded noise."""
    import numpy as np

    package = pipeline.packages[0]
    random = np.random.default_rng(0)
    scene: npt.NDArray[Any] = random.random((64, 64))
    if package.test_inputs:
        axes, test = package.inputs[0].axes, package.load_test_inputs()[0]
        if "y" in axes and "x" in axes:
            scene = np.moveaxis(test, (axes.index("y"), axes.index("x")), (-2, -1)).reshape(-1, *_plane(test, axes))[0]
    for place in (0, 1):
        scene = np.take(scene, np.arange(spec.shape[place]), axis=place, mode="wrap")
    if scene.dtype != spec.dtype:  # of another range: spread over what cameras give
        low, high = float(scene.min()), float(scene.max())
        top = 255.0 if spec.dtype == "uint8" else 4000.0
        scene = (scene.astype(np.float64) - low) * (top / (high - low) if high > low else 0.0)
    frame = scene if spec.axes == "yx" else np.repeat(scene[..., np.newaxis], spec.shape[2], axis=2)
    return [np.ascontiguousarray(frame.astype(spec.dtype))] * pipeline.gather.length


def _plane(array: npt.NDArray[np.generic], axes: Sequence[str]) -> tuple[int, int]:
    return array.shape[list(axes).index("y")], array.shape[list(axes).index("x")]


def _beginning(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(1 << 20)


def _write(path: Path, chain: Chain, errors: dict[str, float]) -> None:
    from onscope.runtime import PipelineError
    from onscope.runtime.graph import compiled_message

    graphs = [
        {
            **compiled_message(group.compiled),
            "path": str(group.compiled.path),
            "reads": group.reads,
            "provider": group.provider,
            "seam_errors": {name: errors[name] for name in group.compiled.stages if name in errors},
        }
        for group in chain.groups
    ]
    try:
        path.write_text(json.dumps({"schema": 1, "graphs": graphs}, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"cannot write {path}: {error.strerror}") from error
