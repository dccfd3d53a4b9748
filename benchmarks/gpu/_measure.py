"""All measurements: on GPUs where there are some, else on an engine that stands for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.models import plus_one

from onscope.runtime import Pipeline, Stage
from onscope.runtime.worker import Chain

from .._rows import Row
from ._gpus import subjects
from ._live import across_ms, across_row, inside_ms, inside_rows, throughput_row
from ._plan import Plan
from ._subject import Subject

NAMES = ("inside", "across", "throughput", "peers")


def measure(plan: Plan, names: Sequence[str], told: Callable[[str], object]) -> Iterator[Row]:
    """Rows of each subject; `peers` on a GPU alone."""
    with TemporaryDirectory() as temporary:
        folder, found = Path(temporary), False
        for subject, chain in subjects(plan, folder, told):
            found = True
            yield _kernels(subject)
            yield from _rows(subject, chain, plan.gpu_frames, plan, names, told)
        if found and "peers" in names:
            from ._peers import peers

            yield from peers(plan, folder, told)
        for subject, chain in () if found else _stand_ins(plan, folder):
            yield from _rows(subject, chain, plan.frames, plan, names, told)


def _stand_ins(plan: Plan, folder: Path) -> Iterator[tuple[Subject, Chain]]:
    pipeline = Pipeline([Stage("plus", plus_one(folder / "plus"))])
    for case in plan.cases:
        name = f"{case.up_ms:g} + {case.run_ms:g} + {case.down_ms:g} ms, {case.size}x{case.size}"
        subject = Subject(name, pipeline, case.provider, case.size, case.up_ms, case.run_ms, case.down_ms, 1)
        yield subject, Chain(pipeline.opening(subject.spec, subject.provider, 1))


def _rows(
    subject: Subject, chain: Chain, frames: int, plan: Plan, names: Sequence[str], told: Callable[[str], object]
) -> Iterator[Row]:
    inside: list[float] = []
    if {"inside", "across"} & set(names):
        told(f"inside the worker: {subject.name}")
        inside = inside_ms(subject, chain, frames)
    if "inside" in names:
        yield from inside_rows(subject, inside)
    if "across" in names:
        told(f"across processes: {subject.name}")
        yield across_row(subject, inside, across_ms(subject, frames))
    if "throughput" in names:
        told(f"throughput: {subject.name}")
        yield throughput_row(subject, plan.rounds, plan.burst)


def _kernels(subject: Subject) -> Row:
    floor = subject.detail.get("floor_ms")
    against = "" if floor is None else f"{floor:.3g} ms at the card's peak"
    ratio = None if not floor else round(subject.run_ms / floor, 2)
    return Row(f"kernels alone, {subject.name}", f"{subject.run_ms:.3g} ms", against, ratio, detail=subject.detail)
