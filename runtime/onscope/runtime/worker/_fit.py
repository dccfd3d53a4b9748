"""Compile what fits into memory: the full frame where it does, else tiles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import psutil

from .._errors import DeviceMemoryError, PackageError, PipelineError, ProviderError
from ..clocks import gpu_memory_mb
from ..engines import ON_GPU
from ..graph import Calibration, Compiled, Raw, StageRequest, compile_group, side_that_fits

T = TypeVar("T")
SHARE = 0.5
"""Of the memory that is free: what one run of a graph may take by its estimate, which is not all that it takes."""
SMALLEST = 64
"""No tiles smaller than this are made without being asked for."""
ROUNDS = 4


def check_weights(stage: StageRequest) -> None:
    """Raise PackageError unless a stage's weights are there, and those that the pipeline was loaded with.

    A graph in the cache would do without them; but who changes a package wants to see that change.
    """
    try:
        with stage.weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PackageError(f"cannot read {stage.weights}: {error.strerror}") from error
    if found != stage.weights_sha256:
        raise PackageError(
            f"found {stage.weights.name} with the sha256 {found[:12]}…, expected {stage.weights_sha256[:12]}…: the "
            "file changed after the pipeline was loaded"
        )


def open_fitting(
    stages: Sequence[StageRequest],
    raw: Raw,
    calibration: Calibration | None,
    provider: str,
    open: Callable[[Compiled], T],
) -> tuple[Compiled, T, list[str]]:
    """Compile what fits, and `open` it on a provider; in smaller tiles where the provider finds its memory too small.

    What does not fit in tiles either is refused here, before any frame comes: raises DeviceMemoryError, and what
    `compile_fitting` and `open` raise.
    """
    compiled, told = compile_fitting(stages, raw, calibration, provider=provider)
    first: DeviceMemoryError | None = None
    for _ in range(ROUNDS):
        try:
            return compiled, open(compiled), told
        except DeviceMemoryError as error:
            first = first or error
        except ProviderError as error:  # what is built ahead was built for the full frame
            raise error if first is None else DeviceMemoryError(f"{first}; in tiles: {error}") from first
        smaller, more = compile_fitting(stages, raw, calibration, compiled.memory_mb)
        if smaller.tiling is None or smaller.memory_mb >= compiled.memory_mb:
            raise DeviceMemoryError(f"{first}; in tiles: {more[-1] if more else 'there are none'}") from first
        compiled, told = smaller, [f"{first}: run in tiles of {'x'.join(map(str, smaller.tiling.tile))} pixels"]
    raise DeviceMemoryError(f"{first}; in tiles: the smallest that were tried do not fit either") from first


def compile_fitting(
    stages: Sequence[StageRequest],
    raw: Raw,
    calibration: Calibration | None,
    free_mb: float | None = None,
    provider: str = "cpu",
) -> tuple[Compiled, list[str]]:
    """The graph of the stages, in tiles where the full frame does not fit; and what the user is told of it.

    `free_mb` is the memory that is free (None: now; of the GPU that `provider` runs on, where that tells, else of the
    machine). Raises what `compile_group` raises for the stages as they are.
    """
    compiled = compile_group(stages, raw, calibration)
    there = gpu_memory_mb(provider) if free_mb is None and provider.partition(":")[0] in ON_GPU else None
    total_mb = psutil.virtual_memory().total / 1e6
    if there is not None:
        free_mb, total_mb = there
    free_mb = psutil.virtual_memory().available / 1e6 if free_mb is None else free_mb
    budget_mb = SHARE * free_mb
    if compiled.tiling is not None or compiled.memory_mb <= budget_mb:
        return compiled, []
    names = "+".join(stage.name for stage in stages)
    on = "" if there is None else " on the GPU"
    wants = f"{names}: {compiled.memory_mb:.0f} MB for the full frame, {free_mb:.0f} MB are free{on}"
    side, tried = max(raw.shape[:2]), compiled
    for _ in range(ROUNDS):
        side = min(side - 1, side_that_fits(tried.memory_mb, (side, side), budget_mb))
        if side < SMALLEST:
            break
        try:
            tried = compile_group([replace(stage, tile=side) for stage in stages], raw, calibration)
        except PipelineError as why:
            if compiled.memory_mb > total_mb:
                raise PipelineError(f"found {wants}, expected what this machine can hold; in tiles: {why}") from why
            return compiled, [f"{wants}, and tiles are not possible: {why}"]
        if tried.tiling is not None and tried.memory_mb <= budget_mb:
            exact = "" if tried.tiling.exact else f", which is not exact: {tried.tiling.why}"
            return tried, [f"{wants}: run in tiles of {'x'.join(map(str, tried.tiling.tile))} pixels{exact}"]
    if compiled.memory_mb > total_mb:
        raise PipelineError(
            f"found {wants}, and no tiles fit, expected what this machine can hold: take smaller frames"
        )
    return compiled, [f"{wants}, and no tiles fit"]
