"""Python that never rests, where it is wanted: in this process, in another one, or nowhere."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

WORK = "numbers = list(range(100))\nwhile True: sum(number * number for number in numbers)"
"""Python that never rests."""
Where = Literal["idle", "elsewhere", "beside"]
PLACES: tuple[Where, ...] = ("idle", "elsewhere", "beside")
"""Nothing else runs; a Python process works on another core; a Python thread of the acquisition process does."""


@contextmanager
def busy(where: Where) -> Iterator[None]:
    """Python work in the chosen place while the block runs."""
    if where == "idle":
        yield
    elif where == "elsewhere":
        process = subprocess.Popen([sys.executable, "-c", WORK])
        try:
            yield
        finally:
            process.kill()
            process.wait()
    else:
        end = threading.Event()
        thread = threading.Thread(target=_work, args=(end,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def _work(end: threading.Event) -> None:
    numbers = list(range(100))
    while not end.is_set():
        sum(number * number for number in numbers)
