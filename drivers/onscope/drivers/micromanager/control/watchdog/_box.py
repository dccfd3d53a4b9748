"""The acquisition's end of the simulated watchdog: its process, and its input as a device of a core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LINE = "Line"
"""The property that drives the watchdog's input."""


class SimulatedWatchdog:
    """A watchdog in a process of its own, which writes what its shutter does to `log`; a context manager.

    `device()` is its input, for `core.loadPyDevice(label, watchdog.device())` of a pymmcore-plus core: a property
    `Line` of 0 or 1. The shutter opens when it first changes, and closes for good when it has not for `timeout_s`.
    """

    def __init__(self, log: str | os.PathLike[str], timeout_s: float = 0.5) -> None:
        self.log = Path(log)
        module = __name__.rpartition(".")[0]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(self.log), str(timeout_s)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # what ends us, and all that belongs to us, does not end it
        )
        while not self.states and self._process.poll() is None:
            pass

    @property
    def states(self) -> list[str]:
        """What the shutter was, from the beginning on: "closed", "open", ..."""
        return [str(one["shutter"]) for one in read_shutter(self.log)]

    def drive(self, value: int) -> None:
        """The input is 0 or 1. Raises OSError when the watchdog has ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"1" if value else b"0")
        self._process.stdin.flush()

    def device(self) -> Any:
        """Its input as a device of pymmcore-plus."""
        from pymmcore_plus.experimental.unicore import GenericDevice

        class Input(GenericDevice):
            """The input line of a watchdog."""

        made = Input()
        state = [0]

        def put(_: Any, value: Any) -> None:
            state[0] = int(value)
            self.drive(state[0])

        made.register_property(
            LINE,
            property_type=int,
            default_value=0,
            allowed_values=(0, 1),
            getter=lambda _: state[0],
            setter=put,
        )
        return made

    def wait(self, timeout_s: float = 60.0) -> list[str]:
        """Wait until it has closed the shutter and ended; the states of the shutter."""
        self._process.wait(timeout_s)
        return self.states

    def close(self) -> None:
        """Let go of the line: the shutter closes, and the process ends."""
        if self._process.stdin is not None:
            with suppress(OSError):  # it has ended before
                self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_shutter(log: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """What a watchdog wrote: `shutter`, `why` and `unix_s`, the oldest first; a line that is not whole yet is left."""
    try:
        lines = Path(log).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines[:-1]]
