"""What is measured on a GPU: the shipped packages and a U-Net, by engine, size and precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from onscope.runtime import FrameSpec, OnscopeError, Package, Pipeline, ProviderError, Stage
from onscope.runtime.engines import build_ahead, probe
from onscope.runtime.engines.gpu import GpuSession, gpu
from onscope.runtime.worker import Chain

from .._material import images
from ..graphs._packages import unet
from ._bare import bare_ms
from ._floor import floor_ms, work_of
from ._plan import Plan
from ._subject import Subject

REDUCE_S = 60.0
ENGINES = ("tensorrt", "tensorrt-rtx", "tensorrt-ep", "cuda")


def engines(told: Callable[[str], object]) -> list[str]:
    """Those that run here, by a small model and its numbers."""
    found = {name: probe(name) for name in ENGINES}
    for name, each in found.items():
        if not each.ok:
            told(f"{name} is not measured: {each.detail}")
    return [name for name, each in found.items() if each.ok]


def packages(plan: Plan, folder: Path, told: Callable[[str], object]) -> dict[str, Package]:
    """The U-Net, and those that are shipped, where they are installed; in all precisions that are asked for."""
    found = {f"U-Net of {plan.features} features": unet(folder / "unet", plan.features)}
    with suppress(ImportError):
        from onscope.export.zoo import PACKAGES

        found |= {each.name: Package.load(each) for each in sorted(PACKAGES.iterdir()) if (each / "rdf.yaml").is_file()}
    return {name: reduced(each, plan, folder / "reduced" / name, told) for name, each in found.items()}


def reduced(package: Package, plan: Plan, folder: Path, told: Callable[[str], object]) -> Package:
    """The package with variants in the plan's precisions, as far as they can be made."""
    missing = [each for each in plan.precisions if each != "float32" and each not in package.variants]
    if not missing:
        return package
    told(f"reducing {package.name} to {', '.join(missing)}")
    try:
        from onscope.export.precision import reduce_package

        reduce_package(package, missing, folder, images(256, 4), limit_s=REDUCE_S, rounds=1)
    except (ImportError, OnscopeError) as why:
        told(f"not reduced: {why}")
        return package
    return Package.load(folder)


def subjects(plan: Plan, folder: Path, told: Callable[[str], object]) -> Iterator[tuple[Subject, Chain]]:
    """Each with a chain that is open, of which the bare times were taken."""
    here = engines(told)
    found = packages(plan, folder, told) if here else {}
    for engine in here:
        for name, package in found.items():
            for size in plan.sizes:
                for precision in plan.precisions:
                    what = f"{name}, {size}x{size}, {precision}, {engine}"
                    told(f"bare: {what}")
                    try:
                        stage = Stage("net", package, precision=precision, normalise="frozen")
                        yield _subject(plan, what, stage, engine, size)
                    except OnscopeError as refusal:  # without that precision, or not for frames of that size
                        told(f"not measured: {refusal}")


def opened(pipeline: Pipeline, engine: str, size: int) -> Chain:
    """A chain for frames of one size; what has to be built ahead is built. Raises what a Chain raises."""

    def build(graph: Path) -> None:
        with suppress(ProviderError):  # engines that open graphs as they are: nothing has to be built
            build_ahead(graph, engine)

    return Chain(pipeline.on(engine).opening(FrameSpec((size, size)), engine, None), build=build)


def _subject(plan: Plan, name: str, stage: Stage, engine: str, size: int) -> tuple[Subject, Chain]:
    pipeline = Pipeline([stage])
    chain = opened(pipeline, engine, size)
    (group,) = chain.groups
    session: Any = group._session
    if not isinstance(session, GpuSession):
        raise ProviderError(f"found a {type(session).__name__} for {name}, expected a GPU's session")
    up, run, down = bare_ms(session, plan.bare)
    work, card = work_of(group.compiled.path), gpu(session._device.number).name
    detail = {"up_ms": up, "run_ms": run, "down_ms": down, "gflop": work.gflop, "mb": work.mb, "card": card}
    detail["floor_ms"] = floor_ms(work, card, stage.precision)
    return Subject(name, pipeline.on(engine), engine, size, up, run, down, None, detail), chain
