"""Examples of a recipe as arrays, made once and kept in the cache: a training begins again without simulating again."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from onscope.runtime.shared import cache_folder

from ..recipes import Part, Recipe, gather

Array = npt.NDArray[Any]
E = TypeVar("E")


def bank(
    recipe: Recipe[E], part: Part, count: int, arrays: Callable[[Sequence[E]], Mapping[str, Array]], *, first: int = 0
) -> dict[str, Array]:
    """`arrays` of the examples of a part's specimens `first` to `first + count - 1`, from the cache if they are there.

    They are known by the recipe's name, scenario, module and functions as they are written: who changes these, or the
    specimen below them, simulates anew (the specimen's own change is not noticed: empty the cache's folder `zoo`).
    """
    file = _file(recipe, part, count, first, arrays)
    if file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    made = dict(arrays(list(gather(recipe, part, count, first=first))))
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_suffix(".part.npz")
    np.savez(whole, allow_pickle=False, **made)
    whole.rename(file)
    return made


def _file(recipe: Recipe[Any], part: Part, count: int, first: int, arrays: Callable[..., object]) -> Path:
    functions = (getattr(one, "func", one) for one in (recipe.plan, recipe.examples, arrays))  # of partials theirs
    modules = {inspect.getmodule(one) for one in functions}
    written = "".join(sorted(inspect.getsource(module) for module in modules if module is not None))
    told = f"{recipe.name} {recipe.scenario} {part} {count} {first} {arrays.__qualname__} {written}"
    return cache_folder("zoo") / f"{recipe.name}-{part}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npz"
