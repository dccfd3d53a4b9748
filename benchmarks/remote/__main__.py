"""The link to a box: `python -m benchmarks.remote [--quick] [--only NAME ...] [--readme]`.

throughput: frames per second to a box and answers of their size back, over those of a bare socket on the same link.
cables: the same between two network namespaces with a cable of a chosen rate and loss, encrypted (Linux, as root, with
ip, tc and nft), and the latency at half of that rate.
latency: from a frame's receipt to its result, against a worker in a process of this machine.
packing: frames per second with pieces packed where it pays, over those of `pack=never`; latency where it does not pay.

All others on loopback; links are made slow by a proxy in a process of its own.
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

    _command.run("python -m benchmarks.remote", __doc__, NAMES, measured, "remote", "a minute instead of some")


if __name__ == "__main__":
    main()
