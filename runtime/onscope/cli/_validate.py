"""`onscope validate`: is a package what it says, and how fast is it here?"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._forced import warn_of_forced
from ._options import ProviderOption, ThreadsOption

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.console import Console

    from onscope.runtime import Package
    from onscope.runtime.engines import Session
    from onscope.runtime.package import Agreement, Axis

    Array = npt.NDArray[Any]

WARM_UPS = 5
MAX_SIZE = 8192
DEFAULT_SIZE = 512


def validate(
    package: Annotated[
        str, typer.Argument(help="Folder or .zip of a package, its rdf.yaml, or a shipped one: zoo/care-beads.")
    ],
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            help="Height x width in pixels to measure at.",
            show_default="512x512, or the next size that the network takes",
        ),
    ] = None,
    provider: ProviderOption = "auto",
    runs: Annotated[int, typer.Option("--runs", min=3, help="Frames to measure.")] = 100,
    threads: ThreadsOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Measure the speed even if the answers are not the stated ones.")
    ] = False,
) -> None:
    """Check a package: its files, its answers, its speed here, the frame rate it can hold.

    Runs the package's own test tensors through its steps and its network,
    compares, and measures how long the network takes at a size.

    Exit code 1, and one sentence, when something is wrong.
    """
    from rich.console import Console

    from onscope.runtime import Package
    from onscope.runtime.engines import open_session
    from onscope.runtime.package import fed, prove, refuse_mismatch

    console = Console()
    asked = None if size is None else parse_size(size)
    opened = Package.load(package)
    shape = asked or _own_size(opened)
    _show_package(console, opened)
    _show_variants(console, opened, provider)
    warn_of_forced(console, [opened])
    refuse_beyond_memory(opened)
    session = open_session(opened.weights, provider, threads)
    proof = prove(opened, session)
    _show_proof(console, proof, session.provider)
    if not force:
        refuse_mismatch(opened, proof, session.provider)
    arrays = fed(opened, _inputs(opened, shape), session)
    _show_speed(console, _measure(console, session, arrays, runs), shape, session.provider)


def parse_size(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH in pixels; raises PackageError when it is none."""
    from onscope.runtime import PackageError

    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip().lower())
    if match is None or not all(1 <= int(side) <= MAX_SIZE for side in match.groups()):
        raise PackageError(
            f"found the size {text!r}, expected HEIGHTxWIDTH of at most {MAX_SIZE} pixels, such as 512x512"
        )
    return int(match[1]), int(match[2])


def refuse_beyond_memory(package: Package) -> None:
    """Raise PackageError when the network, with the package's test inputs, takes more memory than there is."""
    import onnx
    import psutil

    from onscope.runtime import PackageError
    from onscope.runtime.graph import run_mb

    tests = zip(package.inputs, package.load_test_inputs(), strict=False)
    needed = run_mb(onnx.load(package.weights), {tensor.graph_name: test.shape for tensor, test in tests})
    here = psutil.virtual_memory().total / 1e6
    if needed > here:
        raise PackageError(
            f"found that {package.name} needs about {needed:.0f} MB for its own test input, expected at most the "
            f"{here:.0f} MB of this machine: it is no package for it"
        )


def _own_size(package: Package) -> tuple[int, int]:
    """About DEFAULT_SIZE, as the first input takes it."""
    sizes = {axis.id: axis.size.at_least(DEFAULT_SIZE) for axis in package.inputs[0].described}
    return sizes.get("y", DEFAULT_SIZE), sizes.get("x", DEFAULT_SIZE)


def _inputs(package: Package, size: tuple[int, int]) -> list[Array]:
    """The package's own test inputs, repeated and cut to `size`; empty where it has none."""
    import numpy as np

    wanted = dict(zip(("y", "x"), size, strict=True))
    tests: list[Any] = list(package.load_test_inputs()) or [None] * len(package.inputs)
    made = []
    for tensor, test in zip(package.inputs, tests, strict=True):
        sizes = [_size(package, axis, wanted) for axis in tensor.described]
        empty = [side or axis.size.at_least(1) for axis, side in zip(tensor.described, sizes, strict=True)]
        array = np.zeros(empty) if test is None else test
        for place, pixels in enumerate(sizes):
            if pixels is not None:
                array = np.take(array, np.arange(pixels), axis=place, mode="wrap")
        made.append(np.ascontiguousarray(array))
    return made


def _size(package: Package, axis: Axis, wanted: Mapping[str, int]) -> int | None:
    """Pixels along y or x; None for other axes, and for those of further inputs that have a size of their own."""
    from onscope.runtime import PackageError

    follows = axis.size.follows
    if follows is not None and follows.axis in wanted:
        return follows.size(wanted[follows.axis])
    if axis.id not in wanted:
        return None
    if axis.size.fits(wanted[axis.id]):
        return wanted[axis.id]
    if axis not in package.inputs[0].described:
        return None
    states = axis.size.fixed or f"{axis.size.minimum} + n * {axis.size.step}"
    near = axis.size.at_least(wanted[axis.id])
    raise PackageError(
        f"found {wanted[axis.id]} pixels along {axis.id}, expected {states} as {package.name} states: measure at "
        f"{near} (a run pads frames to such sizes)"
    )


def _measure(console: Console, session: Session, arrays: Sequence[Array], runs: int) -> npt.NDArray[np.float64]:
    """Milliseconds of each run, after the warm-up."""
    import numpy as np
    from rich.progress import track

    times = []
    quiet = not console.is_terminal
    for index in track(range(WARM_UPS + runs), "measuring", console=console, transient=True, disable=quiet):
        began = time.perf_counter_ns()
        session.run(arrays)
        if index >= WARM_UPS:
            times.append((time.perf_counter_ns() - began) / 1e6)
    return np.array(times)


def _show_package(console: Console, package: Package) -> None:
    inputs, outputs = (
        ", ".join(f"{one.name} {one.dtype} ({', '.join(one.axes)})" for one in side)
        for side in (package.inputs, package.outputs)
    )
    lines = [
        f"package {package.name}, {package.licence or 'no licence stated'}, sha256 {package.package_sha256[:12]}…",
        f"weights {package.weights.stat().st_size / 1e6:.2f} MB, sha256 {package.weights_sha256[:12]}…, as stated",
        f"takes   {inputs}",
        f"gives   {outputs}, {_answers(package)}",
    ]
    for side, tensors in (("before", package.inputs), ("after", package.outputs)):
        if steps := [step for tensor in tensors for step in tensor.processing if step != "ensure_dtype"]:
            lines.append(f"{side:7} {', '.join(steps)}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _show_variants(console: Console, package: Package, provider: str) -> None:
    """What was measured of the weights in fewer bits, where it was, and which of them `precision: auto` runs here."""
    from onscope.runtime import best_precision

    for name, one in package.variants.items():
        speeds = [f"{speed.ratio:.2f} times as fast on {engine}" for engine, speed in one.speeds.items()]
        places = {speed.cpu for speed in one.speeds.values()}
        where = f" ({', '.join(sorted(places))})" if places else ""
        if one.passes:
            words = f"passed; {', '.join(speeds) or 'speed not measured'}{where}"
        else:
            words = "did not pass, so no stage may run it"
        style = None if one.passes else "yellow"
        console.print(f"{name:7} {words}", style=style, highlight=False, markup=False, soft_wrap=True)
    if package.variants:
        chosen = best_precision(package, provider)
        console.print(f"auto    a stage with `precision: auto` runs {chosen} here", highlight=False, soft_wrap=True)


def _answers(package: Package) -> str:
    from onscope.runtime.graph.steps import DECODERS

    objects = [step for tensor in package.outputs for step in tensor.processing if step in DECODERS]
    if objects:
        return f"from which {objects[0]} makes objects"
    return f"decoded as {package.settings['decode']}"


def _show_proof(console: Console, proof: tuple[Agreement, ...], provider: str) -> None:
    if not proof:
        console.print("answers not checked: the package has no test tensors", style="yellow")
    for one in proof:
        words = f"answers {one.output} on {provider}: {one.words}"
        style = "yellow" if one.unchecked else "green" if one.passed else "red"
        console.print(words, style=style, highlight=False, markup=False, soft_wrap=True)


def _show_speed(console: Console, times: npt.NDArray[np.float64], size: tuple[int, int], provider: str) -> None:
    import numpy as np

    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    console.print(
        f"speed   {size[0]}x{size[1]} on {provider}, {len(times)} runs: "
        f"p50 {p50:.2f} ms, p95 {p95:.2f} ms, p99 {p99:.2f} ms",
        highlight=False,
        soft_wrap=True,
    )
    console.print(
        f"holds   [bold]{1000 / p99:.1f} frames/s[/bold] (99 of 100 frames are done before the next one comes), the "
        "network alone, on this machine as it was just now",
        highlight=False,
        soft_wrap=True,
    )
