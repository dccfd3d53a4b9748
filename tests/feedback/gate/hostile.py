"""Rules that mean harm: random actions of every kind, in and out of the limits and of reason."""

from __future__ import annotations

import math
import random
from dataclasses import fields
from typing import Any

import numpy as np

from onscope.runtime.feedback import KINDS, Action, MoveStage, Recentre


class Sly(float):
    """Says one thing when it is judged and another one when it is applied."""

    def __float__(self) -> float:
        return 1.0

    def __le__(self, other: object) -> bool:
        return True

    __ge__ = __lt__ = __gt__ = __le__


class SlyText(str):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("blue")


class Bomb:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("boom")


class Further(MoveStage):
    """An action of a class of its own."""


ODD: tuple[Any, ...] = (
    *(math.nan, math.inf, -math.inf, 1e300, -1e300, 5e-324, 10**400, -(10**400), 2**63, -(2**63), 2**53 + 1),
    *(np.float32("nan"), np.float64("inf"), np.int64(-(2**63)), np.uint64(2**64 - 1), np.float16(3), np.int8(-3)),
    *(True, None, "", "1", b"1", 1j, [1.0], (), (1.0, 2.0), {}, np.zeros(1), np.bool_(True), np.datetime64(3, "s")),
    *(Sly(1e9), Sly("nan"), SlyText("blue"), object(), Bomb(), type("Count", (int,), {})(3), MoveStage, range(3)),
    *(((math.nan, 0.0),), ((0.0, 0.0),) * 10_000, ((1e9, 1e9),), ([0.0, 0.0],), "zero \0", "long " * 10_000),
)

TEXTS = (
    "GFP",
    "Cy5",
    "both",
    "channel",
    "objective",
    "20x",
    "blue",
    "red",
    "violet",
    "valve",
    "shutter",
    "me",
    "you",
    "",
)


class Rules:
    """Seeded; `action()` is the next that is asked for."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def action(self) -> Any:
        chance = self._random.random()
        if chance < 0.02:
            return self._random.choice(ODD)
        if chance < 0.03:
            return Further(0.0, 0.0)
        if chance < 0.04:
            return Recentre()
        kind = self._random.choice(tuple(KINDS.values()))
        declared = [(each.name, each) for each in fields(kind)]
        return kind(*(self._value(name, str(each.type)) for name, each in declared))

    def _value(self, name: str, declared: str) -> Any:
        chance = self._random.random()
        if chance < 0.05:
            return self._random.choice(ODD)
        if chance < 0.4 and "None" in declared:
            return None
        if name == "mask":
            return self._mask()
        if name == "places":
            count = self._random.choice((1, 1, 2, 3, 9, 60))
            return tuple((self._number("x_um"), self._number("y_um")) for _ in range(count))
        if "str" in declared:
            return self._fitting(name)
        if "bool" in declared:
            return self._random.random() < 0.5
        if "int" in declared:
            return self._random.choice((1, 2, 5, 10, 49, 50, 51, -1, 0, np.int64(7), 10**9))
        return self._number(name)

    def _fitting(self, name: str) -> str:
        """More often than not what the limits know by such a name."""
        known = {
            "group": "channel",
            "preset": "Cy5",
            "channel": self._random.choice(("GFP", "Cy5")),
            "light": self._random.choice(("blue", "red")),
            "line": self._random.choice(("valve", "shutter")),
            "target": "me",
        }
        return known.get(name, "words") if self._random.random() < 0.7 else self._random.choice(TEXTS)

    def _number(self, name: str) -> Any:
        ends = {
            "x_um": (-1000, 1000, -300, 500, 100),
            "y_um": (-500, 500, -400, 400, 0),
            "z_um": (0, 100, 20, 80, 50),
            "exposure_ms": (1, 200, 20, 50),
            "interval_s": (0, 60, 0.01, 1),
            "power_mw": (0, 10, 20, 3),
            "duration_ms": (0, 50, 500, 1000, 5),
            "duration_s": (0, 1, 100),
            "step_um": (0, 0.5, 1, 2, 10),
            "range_um": (0, 20, 60, 10),
            "interval_ms": (0, 10, 100, 12_000),
            "pixel_um": (0, 0.5, 1, 3, 10),
        }[name]
        value = self._random.choice(ends)
        chance = self._random.random()
        if chance < 0.25:
            return value
        if chance < 0.35:
            return math.nextafter(value, self._random.choice((-math.inf, math.inf)))
        if chance < 0.45:
            return np.float64(value * self._random.uniform(-2, 2))
        if chance < 0.5:
            return -value
        return self._random.uniform(min(ends), max(ends))

    def _mask(self) -> np.ndarray[Any, Any]:
        shape = tuple(self._random.choice((1, 8, 64)) for _ in range(self._random.choice((2, 2, 2, 2, 1, 3))))
        mask = np.zeros(shape, self._random.choice((np.uint8, np.uint8, np.uint8, np.bool_, np.float32)))
        mask[: self._random.choice((0, 1, 5, 64))] = 1
        return mask


def is_plain(action: Action) -> bool:
    """Whether all of an action's values are what their types say, and nothing else."""
    for each in (one.name for one in fields(action)):
        value = getattr(action, each)
        if each == "places":
            good = type(value) is tuple and all(
                type(at) is tuple and list(map(type, at)) == [float] * 2 for at in value
            )
        elif each == "mask":
            good = type(value) is np.ndarray and not value.flags.writeable and value.base is None
        else:
            good = value is None or any(type(value) is kind for kind in (int, float, str, bool))
        if not good:
            return False
    return True
