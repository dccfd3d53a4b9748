"""`--sweep mitosis.threshold=0.5:0.95:10`: a rule file with one number set to one value after the other."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..._errors import RuleError

THRESHOLD = "threshold"
SIDES = ("above", "at_least", "below", "at_most")
"""What thresholds are called in rule files."""
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Sweep:
    """A place in a rule file (`rule`, then the `keys` within it) and the `values` to set it to."""

    rule: str
    keys: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        """As it was asked for."""
        return ".".join((self.rule, *self.keys))


def parse_sweep(text: str) -> Sweep:
    """`RULE.KEY=FIRST:LAST:STEPS` as a Sweep, both ends among the values. Raises RuleError when it is none."""
    match = re.fullmatch(r"([^.=]+)\.([^=]+)=([^:]+):([^:]+):(\d{1,4})", text.strip())
    try:
        first, last, steps = (float(match[3]), float(match[4]), int(match[5])) if match else (math.nan, math.nan, 0)
    except ValueError:
        first = last = math.nan
        steps = 0
    if match is None or not (math.isfinite(first) and math.isfinite(last) and 2 <= steps <= MOST_STEPS):
        raise RuleError(
            f"found the sweep {text!r}, expected RULE.KEY=FIRST:LAST:STEPS with 2 to {MOST_STEPS} steps: "
            "mitosis.threshold=0.5:0.95:10, say"
        )
    return Sweep(match[1], tuple(match[2].split(".")), tuple(float(each) for each in np.linspace(first, last, steps)))


def versions(text: str, path: Path, sweep: Sweep) -> Iterator[tuple[float, str]]:
    """The rule file's text with each of the values; whole ones stay whole numbers where there was one.

    `threshold` stands for the rule's only above, at_least, below or at_most; else the last key is looked for under
    those before it. Raises RuleError where there is none of that name, or several.
    """
    yaml = _yaml()
    try:
        written = yaml.load(text)
    except Exception as error:  # the parser's own: the file was read before, so this is another kind of file
        raise RuleError(f"{path} cannot be swept ({error}): only rules in YAML can") from error
    rules = written.get("rules") if isinstance(written, dict) else None
    if not isinstance(rules, dict) or sweep.rule not in rules:
        known = ", ".join(map(str, rules)) if isinstance(rules, dict) else "none"
        raise RuleError(f"found the rule {sweep.rule!r} in the sweep, expected one of {known} in {path}")
    holder, key = _place(rules[sweep.rule], sweep, path)
    whole = isinstance(holder[key], int) and not isinstance(holder[key], bool)
    for value in sweep.values:
        holder[key] = round(value) if whole else value
        yield float(holder[key]), json.dumps(written)  # which is YAML as well


def _place(rule: Any, sweep: Sweep, path: Path) -> tuple[Any, Any]:
    """The mapping (or list) that holds the number, and its key there."""
    *before, last = sweep.keys
    wanted = SIDES if last == THRESHOLD and not before else (last,)
    found = [
        (where, holder, key) for where, holder, key in _numbers(rule) if str(key) in wanted and _passes(before, where)
    ]
    if len(found) != 1:
        told = ", ".join(".".join((*where, str(key))) for where, _, key in found or _numbers(rule)) or "none"
        raise RuleError(
            f"found {len(found)} numbers that {sweep.name} stands for, expected one of {told} in {path}: name its keys"
        )
    return found[0][1], found[0][2]


def _passes(keys: list[str], where: tuple[str, ...]) -> bool:
    """Whether the keys come in this order on the way."""
    way = iter(where)
    return all(key in way for key in keys)


def _numbers(node: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(pairs):
        if isinstance(value, (dict, list)):
            yield from _numbers(value, (*where, str(key)))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield where, node, key


def _yaml() -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True)
