"""Which tensors of a checkpoint are a network's: training scripts keep them under keys, under prefixes, and twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from onscope.runtime import ExportError

from .._original import one_line

if TYPE_CHECKING:
    from torch import nn

Tensors = Mapping[str, Any]
COMPILED = re.compile(r"(^|\.)_orig_mod(?=\.)")
"""What torch.compile puts into every name."""
DEEPEST = 3
"""Keys above a state dict."""
MOST_PLACES = 1000


class _Fit(NamedTuple):
    """Tensors by the network's names, from `place`: keys of the file and the prefix of the names, joined by dots.

    `left` are names beside the prefix.
    """

    place: str
    tensors: Tensors
    left: tuple[str, ...]
    differences: tuple[tuple[str, tuple[str, ...]], ...]


def fill(
    network: nn.Module, content: Mapping[str, Any], source: Path, name: str, strict: bool = True, key: str = ""
) -> tuple[str, ...]:
    """Give a network its tensors out of all that a file holds; returns what is worth knowing about the choice.

    State dicts are looked for under keys ("state_dict", "model", ...) and under a prefix that all names of the network
    share there: "module." of data-parallel training and averaged models, "model." of Lightning; the "_orig_mod." of
    torch.compile is left out. `key` is the key or the prefix to be taken, for files that hold several that fit and
    differ, such as a running mean (EMA) beside the last ones. Where `strict` is False tensors may be missing or spare.

    Raises ExportError: names, shapes or kinds of numbers differ, several fit, or none do.
    """
    want = network.state_dict()
    fits = [fit for place, tensors in _places(content) for fit in _fits(want, place, tensors, strict)]
    fits = [fit for fit in fits if not key or fit.place == key]
    if not fits:
        under = f" under {key!r}" if key else ""
        raise ExportError(
            f"found no state dict{under} in {source.name}, expected names with tensors for {one_line(name, 80)}: save "
            "network.state_dict()" + (f", or name another key than {key!r}" if key else "")
        )
    best = min(fits, key=_distance)
    if best.differences and (strict or not best.tensors or best.differences[-1][1]):
        words = "; ".join(f"{len(keys)} {kind}, such as {keys[0]}" for kind, keys in best.differences if keys)
        under = f" under {best.place!r}" if best.place else ""
        raise ExportError(
            f"found tensors{one_line(under, 80)} in {source.name} that are not those of {one_line(name, 80)} ({words}),"
            " expected the same names and shapes: check the class and its values"
        )
    others = [fit for fit in fits if fit is not best and _distance(fit) == _distance(best)]
    if differing := [fit for fit in others if not _same(fit.tensors, best.tensors)]:
        places = " and ".join(repr(one_line(fit.place, 60)) for fit in (best, *differing[:3]))
        raise ExportError(
            f"found {1 + len(differing)} state dicts in {source.name} that fit and differ (under {places}), expected "
            f"one: say which with --key {one_line((differing[0].place or best.place), 60)}"
        )
    try:
        network.load_state_dict(dict(best.tensors), strict=strict)
    except RuntimeError as error:  # tensors without numbers, sparse ones
        why = str(error).strip().splitlines()[-1].rpartition("exception occurred")[2].strip(" :")
        raise ExportError(
            f"found tensors in {source.name} that PyTorch cannot give to {one_line(name, 80)} ({one_line(why, 160)}), "
            "expected plain ones: save network.state_dict() of the trained network"
        ) from error
    return tuple(_notes(best, source))


def _notes(fit: _Fit, source: Path) -> Iterator[str]:
    if fit.place not in ("", "module", "state_dict"):
        yield f"the tensors under {one_line(fit.place, 80)!r} in {source.name} were taken"
    if fit.left:
        yield f"tensors beside them are not the network's and were left out: {len(fit.left)}, such as {fit.left[0]}"
    for kind, keys in fit.differences:
        if keys:
            yield (
                f"{len(keys)} tensors are {kind}, such as {keys[0]}, which the package allows (strict: false): what is "
                "missing stays as the class makes it"
            )


def _places(content: Mapping[str, Any]) -> Iterator[tuple[str, Tensors]]:
    """Every mapping of the file that holds tensors, with the keys above it; those further up go first."""
    import torch

    level: list[tuple[str, Mapping[Any, Any]]] = [("", content)]
    count = 0
    for _ in range(DEEPEST + 1):
        deeper = []
        for place, held in level:
            count += 1
            tensors = {str(name): value for name, value in held.items() if isinstance(value, torch.Tensor)}
            if tensors or not held:
                yield place, tensors
            inside = ((name, value) for name, value in held.items() if isinstance(value, Mapping))
            deeper += [(f"{place}.{name}".removeprefix("."), value) for name, value in inside]
        level = deeper[: MOST_PLACES - count]


def _fits(want: Tensors, place: str, tensors: Tensors, strict: bool) -> Iterator[_Fit]:
    """Under each prefix that could be above the network's names; with none first, and alone if it has all of them."""
    names = {COMPILED.sub("", name).removeprefix("."): value for name, value in tensors.items()}
    names = names if len(names) == len(tensors) else dict(tensors)
    prefixes = [""]
    if want and not want.keys() <= names.keys():
        longest = max(want, key=len) if strict else max(want.keys(), key=lambda name: _ends(names, name))
        prefixes += [name[: -len(longest)] for name in names if name.endswith(f".{longest}")]
    for prefix in prefixes:
        own = {name.removeprefix(prefix): value for name, value in names.items() if name.startswith(prefix)}
        left = tuple(name for name in names if not name.startswith(prefix))
        missing, unknown = sorted(want.keys() - own.keys()), sorted(own.keys() - want.keys())
        wrong = sorted(name for name in want.keys() & own.keys() if not _alike(want[name], own[name]))
        kinds = (("missing", missing), ("unknown", unknown), ("of another shape or kind of numbers", wrong))
        whole = f"{place}.{prefix}".strip(".")
        common = own if strict or want.keys() & own.keys() else {}
        yield _Fit(whole, common, left, tuple((k, tuple(v)) for k, v in kinds) if any(v for _, v in kinds) else ())


def _ends(names: Tensors, ending: str) -> int:
    return max((len(ending) for name in names if name.endswith(f".{ending}")), default=0)


def _alike(want: Any, have: Any) -> bool:
    from torch.nn.parameter import is_lazy

    lazy: bool = is_lazy(want)
    return lazy or (want.shape == have.shape and want.is_complex() == have.is_complex())


def _distance(fit: _Fit) -> int:
    return sum(len(keys) for _, keys in fit.differences)


def _same(one: Tensors, other: Tensors) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())
