"""Where `onscope plan` has its costs from: a table, a measurement here, or a package's card; never from nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime import FrameSpec, Pipeline, PipelineError
from onscope.runtime.capacity import (
    HANDOVER_MS,
    Cost,
    Pc,
    Scope,
    Sizes,
    measure,
    measure_pc,
    read_costs,
    scattered,
    sizes_up_to,
    write_costs,
)
from onscope.runtime.engines import ON_GPU, behind_faults

if TYPE_CHECKING:
    from ._planned_words import Kind

CARD = "quality.json"
MEASURED_S = 3.0
AWAY_CREDIT = 3
"""Windows that a box has (remote/link/_desk.py)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What windows cost and how large they are, by camera; `notes` say what is not known, or guessed."""

    costs: Mapping[str, Cost]
    sizes: Mapping[str, Sizes]
    pc: Pc
    notes: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        """Of the costs."""
        return ", ".join(dict.fromkeys(cost.provider or "a provider that is not told" for cost in self.costs.values()))

    @property
    def on_gpu(self) -> bool:
        """Whether the costs are those of a GPU, as far as is told."""
        return all(_on_gpu(cost.provider) for cost in self.costs.values())

    @property
    def unit(self) -> str:
        """What a server has one or several of."""
        return "GPU" if self.on_gpu else "worker"

    @property
    def line(self) -> str:
        """Costs and their sources, in a line."""
        lines = []
        for name, cost in self.costs.items():
            each = ", ".join(f"{cost.mean(batch):.3g} ms per batch of {batch}" for batch in sorted(cost.ms))
            lines.append(f"{name}: {each} ({cost.provider or '?'}; {cost.source})")
        return "; ".join(lines)


def _on_gpu(provider: str) -> bool:
    # A table that was written by hand and names no provider is taken for what it was asked to be: the server's GPU.
    return not provider or all(behind_faults(each).partition(":")[0] in ON_GPU for each in provider.split("+"))


def settle(
    pipeline: Pipeline,
    kinds: Sequence[Kind],
    file: Path | None,
    wanted: bool | None,
    provider: str,
    threads: int | None,
    progress: Callable[[str], object],
    largest: int | None = None,
) -> Known:
    """The costs of all cameras: from `file`, else measured, else from cards. Raises PipelineError.

    Batches of up to `largest` windows are measured (1: none, None: as many as is usual).
    """
    costs: dict[str, Cost] = {}
    sizes: dict[str, Sizes] = {}
    notes: list[str] = []
    batches = sizes_up_to(largest)
    read = read_costs(file) if file is not None and wanted is not True else {}
    for kind in kinds:
        told = read.get(kind.name) or read.get("")
        if read and told is None:
            raise PipelineError(
                f"found no cost of the camera {kind.name!r} in {file}, expected one beside {', '.join(sorted(read))}: "
                "name the camera so, or measure it with --measure"
            )
        if told is not None:
            notes += _unlike(told, kind, pipeline)
            costs[kind.name], sizes[kind.name] = told, _sizes(pipeline, kind.spec, told.down_bytes, notes)
            continue
        if wanted is False:
            costs[kind.name] = _card(pipeline, kind, notes)
            sizes[kind.name] = _sizes(pipeline, kind.spec, None, notes)
            continue
        progress(f"measuring {kind.name}")
        window = _window(pipeline, kind.spec)
        costs[kind.name], sizes[kind.name] = measure(
            pipeline, kind.spec, window, provider, threads, MEASURED_S, batches
        )
        if (why := costs[kind.name].facts.get("no_batches")) is not None:
            notes.append(f"{kind.name}: no batches were measured, so none are planned with: {why}")
        if (load := costs[kind.name].facts["load"]) > costs[kind.name].facts["machine"]["cores"]:
            notes.append(f"{kind.name}: measured while the machine was busy (load {load}), so times are too long")
    if file is not None and wanted is True:
        write_costs(file, costs)
        notes.append(f"costs written to {file}")
    progress("measuring how this PC copies and sends")
    pc = Pc() if wanted is False else measure_pc()
    if wanted is False:
        notes.append("what the PC takes to copy and send is left out: nothing was measured")
    return Known(costs, sizes, pc, tuple(dict.fromkeys(notes)))


def _window(pipeline: Pipeline, spec: FrameSpec) -> list[Any]:
    from ._compile import frames_of

    return frames_of(pipeline, spec)


def _sizes(pipeline: Pipeline, spec: FrameSpec, down: int | None, notes: list[str]) -> Sizes:
    """Of a window's frames, and of its answers where they are not known: an image of float32 for each that there is."""
    if down is None:
        down = len(pipeline.images) * prod(spec.shape[:2]) * 4
        notes.append(f"{spec.camera}: answers are taken to be float32 images as large as the frame; nothing ran here")
    return Sizes(spec.nbytes * pipeline.gather.length, down)


def _unlike(cost: Cost, kind: Kind, pipeline: Pipeline) -> list[str]:
    if cost.shape and (tuple(cost.shape) != kind.spec.shape or cost.frames != pipeline.gather.length):
        found = f"{'x'.join(map(str, cost.shape))} x {cost.frames}"
        asked = f"{'x'.join(map(str, kind.spec.shape))} x {pipeline.gather.length}"
        raise PipelineError(
            f"found the cost of windows of {found} for {kind.name!r}, expected {asked}: measure it with --measure"
        )
    return [] if cost.shape else ["the table does not tell of which windows it is: taken for those of each camera"]


def _card(pipeline: Pipeline, kind: Kind, notes: list[str]) -> Cost:
    """What the packages' cards say, for as many pixels."""
    p50 = p99 = 0.0
    told: list[str] = []
    for stage in pipeline.networks:
        path = stage.package.folder / CARD
        try:
            cost = json.loads(path.read_text(encoding="utf-8"))["cost"]
            pixels = prod(cost["shape"]) * cost["frames"]
            part = kind.spec.shape[0] * kind.spec.shape[1] * pipeline.gather.length / pixels
            p50, p99 = p50 + cost["p50_ms"] * part, p99 + cost["p99_ms"] * part
            where = f"{cost['provider']}, {cost['threads']} thread of {cost['machine']}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PipelineError(
                f"found no cost of {stage.package.name} ({type(error).__name__} for its {CARD}), expected a table: "
                "give one with --cost FILE.json, or leave --no-measure out"
            ) from error
        told.append(f"card of {stage.package.name}: {where}")
        if part != 1:
            notes.append(f"{kind.name}: cards tell of other sizes, their time is taken to grow with the pixels")
    provider = cost["provider"]
    return Cost({1: scattered(p50, p99)}, provider, "; ".join(told), 1, kind.spec.shape, pipeline.gather.length)


def scopes_of(
    kinds: Sequence[Kind], pipeline: Pipeline, known: Known, link_gbit: float, in_flight: int, boxes: bool
) -> list[Scope]:
    """Every microscope by itself, mixed as they are dealt out to servers."""
    made = [(number / kind.n, kind, number) for kind in kinds for number in range(kind.n)]
    scopes = []
    for _, kind, number in sorted(made, key=lambda each: each[0]):
        sizes = known.sizes[kind.name]
        scopes.append(
            Scope(
                f"{kind.name} {number + 1}",
                kind.rhythm,
                kind.name,
                kind.admission,
                pipeline.gather.length,
                pipeline.gather.step,
                sizes.up,
                sizes.down,
                kind.buffer,
                copy_ms=known.pc.copy_ms(kind.spec.nbytes),
                pack_ms=known.pc.send_ms(sizes.up),
                unpack_ms=known.pc.send_ms(sizes.down),
                handover_ms=HANDOVER_MS / 2,
                depth=1 if boxes else in_flight,
                credit=AWAY_CREDIT if boxes else 2,
                away=boxes,
                far=not boxes,
                link_gbit=kind.link_gbit or link_gbit,
                priority=kind.priority,
            )
        )
    return scopes
