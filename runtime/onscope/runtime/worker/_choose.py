"""The provider that a lane runs on, where it is to be chosen: the first that opens its graphs and answers rightly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import ProviderError
from ..engines import AUTO, ON_GPU, has_driver, is_choice, providers_of
from ._engine_errors import EngineError
from ._hosted import Numbers
from ._messages import Message
from ._verdicts import failures, measured, needs_verdict, remembered
from ._ways import Ways


@dataclass(frozen=True, slots=True)
class Chosen:
    """A lane's ways, opened on one provider; `why` in words where it was chosen, `told` what the user must know."""

    ways: Ways
    provider: str
    why: str = ""
    told: tuple[str, ...] = ()


def open_ways(message: Message, progress: Callable[..., object], numbers: Numbers) -> Chosen:
    """Open a lane on the provider of its message, or on the first of several.

    One that is asked for by name is used or refused. Of several (a list, `auto`) each is opened in turn, and held
    against the CPU unless that was done before for the same graphs on this machine. `progress` is called with a
    sentence, and as `provider` with what is being tried. Raises what a Chain raises, ProviderError where none is left.
    """
    asked = message["provider"]
    if not is_choice(asked):
        progress("", provider=asked)
        return Chosen(Ways(message, progress, numbers), asked)
    names = providers_of(asked)
    refused: list[str] = []
    for name in names:
        progress("", provider=name)
        try:
            ways, how = _opened({**message, "provider": name}, progress, numbers)
        except ProviderError as error:
            refused.append(f"{name}: {error}")
            progress(f"{name} is left out: {error}")
            continue
        why = f"{name} runs this, of {asked}: {how or _alone(asked, names)}"
        if len(names) > 1:
            progress(why + (f"; left out: {'; '.join(refused)}" if refused else ""))
        return Chosen(ways, name, why, (_remark(asked, name, refused),) if refused else ())
    raise ProviderError(f"found no provider of {asked!r} that runs these graphs here ({'; '.join(refused)})")


def _remark(asked: str, name: str, refused: list[str]) -> str:
    if asked != AUTO:
        return f"{name} runs in the place of others in the list {asked}: {'; '.join(refused)}"
    what = "there is a GPU, and the CPU runs the networks" if name not in ON_GPU else f"{name} runs the networks"
    return f"{what}: {'; '.join(refused)}"


def _alone(asked: str, names: tuple[str, ...]) -> str:
    if asked == AUTO and not has_driver():
        return "there is no NVIDIA driver on this machine"
    return "it is the first that opens and answers rightly" if len(names) > 1 else "there is no other"


def _opened(message: Mapping[str, Any], progress: Callable[..., object], numbers: Numbers) -> tuple[Ways, str]:
    """The ways on one provider, and how it is known that they answer rightly; raises ProviderError if they do not."""
    name = message["provider"]
    ways = Ways(message, progress, numbers)
    if not needs_verdict(name):
        return ways, ""
    fresh = False
    all_errors: dict[str, EngineError] = {}
    for way in ways.all:
        if not way.chain.groups:
            continue
        errors = remembered(way.chain, name)
        if errors is None:
            progress(f"comparing {name} with the CPU")
            errors, fresh = measured(way.chain, name), True
        all_errors |= errors
        if words := failures(errors):
            raise ProviderError(f"found answers other than the CPU's, expected the same: {words}")
    largest = max((error.engine for error in all_errors.values()), default=0.0)
    words = f"its answers differ from the CPU's by {largest:.1e} of their range at most"
    # What was compared has filled statistics and memories: the run begins with new ones.
    return (Ways(message, progress, numbers) if fresh else ways), words + ("" if fresh else ", as was measured before")
