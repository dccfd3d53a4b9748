"""A pymmcore-plus core with the names of `pycromanager.Core()`, which the rest of the driver speaks."""

from __future__ import annotations

import re
from typing import Any


class SnakeCore:
    """`mmc` with `snap_image` for `snapImage`; what it has no such name for is as pymmcore-plus has it."""

    def __init__(self, mmc: Any) -> None:
        self.mmc = mmc
        self._names = {_snake(name): name for name in dir(mmc) if not name.startswith("_")}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.mmc, self._names.get(name, name))


def _snake(name: str) -> str:
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).lower()
