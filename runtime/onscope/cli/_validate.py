"""`onscope validate`: is a package what it says, and how fast is it here?"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import ProviderOption, ThreadsOption

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.console import Console

    from onscope.runtime import Package
    from onscope.runtime.engines import Session
    from onscope.runtime.package import Agreement

WARM_UPS = 5
MAX_SIZE = 8192


def validate(
    package: Annotated[
        str, typer.Argument(help="Folder of a package, its rdf.yaml, or a shipped one: zoo/care-beads.")
    ],
    size: Annotated[str, typer.Option("--size", help="Height x width in pixels to measure at.")] = "512x512",
    provider: ProviderOption = "auto",
    runs: Annotated[int, typer.Option("--runs", min=3, help="Frames to measure.")] = 100,
    threads: ThreadsOption = None,
) -> None:
    """Check a package: its files, its answers, its speed here, the frame rate it can hold.

    Runs the network on the package's own test tensors, compares, and measures
    how long one frame takes at a size.

    Exit code 1, and one sentence, when something is wrong.
    """
    from rich.console import Console

    from onscope.runtime import Package, PackageError
    from onscope.runtime.engines import open_session
    from onscope.runtime.package import prove

    console = Console()
    shape = _parse_size(size)
    opened = Package.load(package)
    _show_package(console, opened)
    session = open_session(opened.weights, provider, threads)
    proof = prove(opened, session)
    _show_proof(console, proof, session.provider)
    failed = [one for one in proof if not one.passed]
    if failed:
        raise PackageError(
            f"found that {opened.name} does not give its own test outputs on {session.provider}: {_why(failed[0])}"
        )
    _show_speed(console, _measure(console, session, _frame(opened, shape), runs), shape, session.provider)


def _parse_size(text: str) -> tuple[int, int]:
    from onscope.runtime import PackageError

    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip().lower())
    if match is None or not all(1 <= int(side) <= MAX_SIZE for side in match.groups()):
        raise PackageError(
            f"found the size {text!r}, expected HEIGHTxWIDTH of at most {MAX_SIZE} pixels, such as 512x512"
        )
    return int(match[1]), int(match[2])


def _frame(package: Package, size: tuple[int, int]) -> npt.NDArray[np.generic]:
    """The package's own test input, repeated and cut to `size`; empty where it has none."""
    import numpy as np

    from onscope.runtime import PackageError

    given = package.inputs[0]
    wanted = dict(zip(("y", "x"), size, strict=True))
    for axis, allowed in zip(given.axes, given.sizes, strict=True):
        if axis in wanted and not allowed.fits(wanted[axis]):
            states = allowed.fixed or f"{allowed.minimum} + n * {allowed.step}"
            raise PackageError(f"found {wanted[axis]} pixels along {axis}, expected {states} as {package.name} states")
    if package.test_inputs:
        array = package.load_test_inputs()[0]
    else:
        array = np.zeros([allowed.fixed or 1 for allowed in given.sizes], given.dtype)
    for index, axis in enumerate(given.axes):
        if axis in wanted:
            array = np.take(array, np.arange(wanted[axis]), axis=index, mode="wrap")
    return np.ascontiguousarray(array)


def _measure(console: Console, session: Session, frame: npt.NDArray[np.generic], runs: int) -> npt.NDArray[np.float64]:
    """Milliseconds of each run, after the warm-up."""
    import numpy as np
    from rich.progress import track

    times = []
    quiet = not console.is_terminal
    for index in track(range(WARM_UPS + runs), "measuring", console=console, transient=True, disable=quiet):
        began = time.perf_counter_ns()
        session.run([frame])
        if index >= WARM_UPS:
            times.append((time.perf_counter_ns() - began) / 1e6)
    return np.array(times)


def _show_package(console: Console, package: Package) -> None:
    given = package.inputs[0]
    outputs = ", ".join(f"{one.name} {one.dtype} ({', '.join(one.axes)})" for one in package.outputs)
    lines = [
        f"package {package.name}, {package.licence or 'no licence stated'}, sha256 {package.package_sha256[:12]}…",
        f"weights {package.weights.stat().st_size / 1e6:.2f} MB, sha256 {package.weights_sha256[:12]}…, as stated",
        f"takes   {given.name} {given.dtype} ({', '.join(given.axes)})",
        f"gives   {outputs}, decoded as {package.settings['decode']}",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _show_proof(console: Console, proof: tuple[Agreement, ...], provider: str) -> None:
    if not proof:
        console.print("answers not checked: the package has no test tensors", style="yellow")
    for one in proof:
        words = f"answers {one.output} on {provider}: {_why(one)}"
        console.print(words, style="green" if one.passed else "red", highlight=False, markup=False, soft_wrap=True)


def _why(one: Agreement) -> str:
    if one.reason:
        return one.reason
    unpaired = f", {one.unpaired} points without a partner" if one.unpaired else ""
    return (
        f"largest error {one.max_abs:.3g} ({one.max_relative:.1e} of the range), {one.off} of {one.elements} values "
        f"off by more than {one.tolerance.absolute:.3g} + {one.tolerance.relative:.3g} * value{unpaired}"
    )


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
