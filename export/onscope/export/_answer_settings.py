"""What the user says of the answer that is made of the network's output, from texts such as min_distance=3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onscope.runtime import ExportError
from onscope.runtime.decode import SETTINGS, Setting, check_settings


def check_answer(settings: Mapping[str, Any]) -> None:
    """Raise ExportError unless `settings` (config.onscope) name a kind of answer, and what it takes."""
    check_settings(settings, "config.onscope.", ExportError)


def parse_answer(kind: str, stated: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE texts as settings of a kind of answer; lists have commas. Raises ExportError, one sentence."""
    known = {each.name: each for each in SETTINGS[kind]}
    found: dict[str, Any] = {}
    for text in stated:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or name not in known:
            raise ExportError(
                f"found --set {text[:60]!r}, expected NAME=VALUE of {', '.join(known) or '(nothing)'} for --decode "
                f"{kind}: correct it"
            )
        found[name] = _value(known[name], value.strip())
    check_settings({"decode": kind, **found}, "--set ", ExportError)
    return found


def _value(setting: Setting, text: str) -> Any:
    """The text as what the setting takes; as it is where it is none of that, which the check tells."""
    if setting.takes == "flag":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    parts = [part.strip() for part in text.split(",")]
    if setting.takes == "words":
        return parts
    if setting.takes == "word":
        return text
    numbers = [_number(part) for part in parts]
    return numbers if setting.takes == "numbers" or len(numbers) > 1 else numbers[0]


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
