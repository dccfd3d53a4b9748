"""A Triton server: `python -m benchmarks.serving [--quick] [--only NAME ...] [--readme]` after `make test-triton`.

trip: one window to the server and back, against a bare client of Triton's own (tritonclient) that sends the same bytes.
process: from a frame's receipt to its result, against a worker in a process of this machine.
flight: windows per second with 1 to 16 on their way, against the bare client with as many.
clients: several microscopes at once, and what each of them has of it.
classes: two classes before a server that has not time for all, by one queue, Triton's levels of priority and ours.

The server is NVIDIA's, with its Python back end and ONNX Runtime, on loopback, on the same cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import _command
from .._rows import Row
from . import FULL, NAMES, QUICK, measure


def main() -> None:
    """See `_command.run`."""

    def measured(quick: bool, names: Sequence[str], tell: Callable[[str], object]) -> list[Row]:
        return measure(QUICK if quick else FULL, names, tell)

    _command.run("python -m benchmarks.serving", __doc__, NAMES, measured, "serving", "a minute instead of some")


if __name__ == "__main__":
    main()
