"""What a box's messages are made of, checked; words for the user are cut, since a box may say what it likes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..wire import WireError

MOST_WORDS = 2000
"""Characters of one sentence of the box's that are kept."""
MOST_SENTENCES = 1000
MOST_NUMBERS = 4096
"""Values of one statistic, and names of one stage's numbers."""
LARGEST_COUNT = 1 << 53
DEEP = 8


def sentence(head: Mapping[str, Any], name: str) -> str:
    """A text, which may be as long as it likes: what is too much of it is left out, as are halves of characters."""
    return cut(head.get(name), name)


def cut(value: object, name: str) -> str:
    """A text as `sentence` tells it."""
    if not isinstance(value, str):
        raise WireError(f"found {name} {value!r:.40}, expected a text")
    return value[:MOST_WORDS].encode("utf-8", "replace").decode()


def sentences(head: Mapping[str, Any], name: str) -> list[str]:
    """Some such texts; where there are none, the name may be left out."""
    return [cut(each, name) for each in some(head.get(name, []), name, MOST_SENTENCES)]


def some(value: object, name: str, most: int) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(value, list) or len(value) > most:
        raise WireError(f"found {name} {value!r:.40}, expected a list of at most {most}")
    return value


def flag(head: Mapping[str, Any], name: str) -> bool:
    """True or False, the latter where it is left out."""
    value = head.get(name, False)
    if not isinstance(value, bool):
        raise WireError(f"found {name} {value!r:.40}, expected true or false")
    return value


def by_stage(head: Mapping[str, Any], name: str, stages: Collection[str]) -> dict[str, Any]:
    """Something by the names of a lane's stages; where there is nothing, the name may be left out."""
    value = head.get(name, {})
    if not isinstance(value, dict) or not value.keys() <= set(stages):
        raise WireError(f"found {name} {value!r:.40}, expected them by the stages {', '.join(stages)}")
    return value


def numbers_by_stage(head: Mapping[str, Any], name: str, stages: Collection[str]) -> dict[str, dict[str, float]]:
    """Numbers by their names, by stage."""
    found = {}
    for stage, values in by_stage(head, name, stages).items():
        if not isinstance(values, dict) or len(values) > MOST_NUMBERS:
            raise WireError(f"found {name} of {stage} {values!r:.40}, expected at most {MOST_NUMBERS} by name")
        found[stage] = {cut(each, name): number(value, name) for each, value in values.items()}
    return found


def number(value: object, name: str) -> float:
    """A number, which may be infinite or none."""
    if type(value) is float or (type(value) is int and abs(value) <= LARGEST_COUNT):  # True is no number here
        return float(value)
    raise WireError(f"found {value!r:.40} among {name}, expected a number")


def plain(value: object, name: str, deep: int = DEEP) -> Any:
    """Values in lists and by names, not nested deeper than whoever writes them down can follow."""
    if isinstance(value, dict | list) and not deep:
        raise WireError(f"found {name} that are nested deeper than {DEEP} times")
    if isinstance(value, dict):
        return {cut(key, name): plain(each, name, deep - 1) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each, name, deep - 1) for each in value]
    if isinstance(value, str):
        return cut(value, name)
    if isinstance(value, int) and abs(value) > LARGEST_COUNT:
        raise WireError(f"found {value!r:.40} among {name}, expected a number below 2^53")
    return value
