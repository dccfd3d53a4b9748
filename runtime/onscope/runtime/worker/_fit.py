"""Compile what fits into memory: the full frame where it does, else tiles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import psutil

from .._errors import PackageError, PipelineError
from ..graph import Calibration, Compiled, Raw, StageRequest, compile_group, side_that_fits

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


def compile_fitting(
    stages: Sequence[StageRequest], raw: Raw, calibration: Calibration | None, free_mb: float | None = None
) -> tuple[Compiled, list[str]]:
    """The graph of the stages, in tiles where the full frame does not fit; and what the user is told of it.

    `free_mb` is the memory that is free (None: now). Raises what `compile_group` raises for the stages as they are.
    """
    compiled = compile_group(stages, raw, calibration)
    free_mb = psutil.virtual_memory().available / 1e6 if free_mb is None else free_mb
    budget_mb = SHARE * free_mb
    if compiled.tiling is not None or compiled.memory_mb <= budget_mb:
        return compiled, []
    names = "+".join(stage.name for stage in stages)
    wants = f"{names}: {compiled.memory_mb:.0f} MB for the full frame, {free_mb:.0f} MB are free"
    side, tried = max(raw.shape[:2]), compiled
    for _ in range(ROUNDS):
        side = min(side - 1, side_that_fits(tried.memory_mb, (side, side), budget_mb))
        if side < SMALLEST:
            break
        try:
            tried = compile_group([replace(stage, tile=side) for stage in stages], raw, calibration)
        except PipelineError as why:
            if compiled.memory_mb > psutil.virtual_memory().total / 1e6:
                raise PipelineError(f"found {wants}, expected what this machine can hold; in tiles: {why}") from why
            return compiled, [f"{wants}, and tiles are not possible: {why}"]
        if tried.tiling is not None and tried.memory_mb <= budget_mb:
            exact = "" if tried.tiling.exact else f", which is not exact: {tried.tiling.why}"
            return tried, [f"{wants}: run in tiles of {'x'.join(map(str, tried.tiling.tile))} pixels{exact}"]
    if compiled.memory_mb > psutil.virtual_memory().total / 1e6:
        raise PipelineError(
            f"found {wants}, and no tiles fit, expected what this machine can hold: take smaller frames"
        )
    return compiled, [f"{wants}, and no tiles fit"]
