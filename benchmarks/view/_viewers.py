"""Viewers in a process of their own, so that they share no interpreter with the run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Seen:
    """What those viewers saw that are not slow: milliseconds from each frame's receipt to its picture."""

    ages_ms: list[float] = field(default_factory=list)

    @property
    def updates(self) -> int:
        return len(self.ages_ms)


@contextmanager
def viewers(port: int, number: int, size: int, image: str, slow: int = 0) -> Iterator[Seen]:
    """So many viewers while the block lasts, the last ones slow; filled at its end. They are there when it begins."""
    program = [sys.executable, "-m", "benchmarks.view.looking", *map(str, (port, number, size, image, slow))]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = Seen()
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the viewers did not come: run `python -m benchmarks.view.looking` by hand")
        yield seen
        seen.ages_ms.extend(json.loads(process.communicate("end\n", timeout=60)[0]))
    finally:
        process.kill()
        process.wait()
