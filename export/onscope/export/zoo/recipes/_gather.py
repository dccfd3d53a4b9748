"""Many specimens in worker processes, with a progress bar."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

import cv2
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ._parts import Part
from ._recipe import Recipe, made

E = TypeVar("E")


def gather(
    recipe: Recipe[E], part: Part, count: int, *, first: int = 0, workers: int | None = None, quiet: bool = False
) -> Iterator[E]:
    """The examples of a part's specimens `first` to `first + count - 1`, in this order however they are made.

    `workers` processes (None: as many as there are cores, 0: none beside this one). They are started afresh (spawn): a
    script that calls this needs the guard `if __name__ == "__main__"`, and what it imports at its top they import too.
    """
    cores = os.cpu_count() or 1
    workers = min(cores, count) if workers is None else workers
    numbers = range(first, first + count)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as progress:
        bar = progress.add_task(f"{recipe.name}, {part}", total=count)
        if workers == 0:
            for number in numbers:
                yield from made(recipe, part, number)
                progress.advance(bar)
            return
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
            for examples in pool.map(partial(made, recipe, part), numbers):
                yield from examples
                progress.advance(bar)
