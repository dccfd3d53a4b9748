"""Another machine on this one: a network namespace at the end of a cable of a chosen rate and loss (Linux, as root)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HERE, THERE = "10.231.77.1", "10.231.77.2"
BURST = "256kb"
QUEUE = "20ms"
"""What waits in front of the cable, as in a switch; more is dropped, and TCP sends slower."""


def can_make() -> bool:
    """Whether this process may make one."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and all(map(shutil.which, ("ip", "tc", "nft")))


@contextmanager
def cable(rate: float | None, loss: float = 0.0) -> Iterator[list[str]]:
    """What to put before a command so that it runs at the other end, at THERE; `rate` in bytes per second of each
    direction (None: as fast as it goes), `loss` a share of the packets."""
    name, here, there = (f"onscope-{os.getpid()}", f"osc{os.getpid() % 100000}a", f"osc{os.getpid() % 100000}b")
    inside = ["ip", "netns", "exec", name]
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _run("ip", "address", "add", f"{HERE}/30", "dev", here)
        _run(*inside, "ip", "address", "add", f"{THERE}/30", "dev", there)
        for prefix, device in (([], here), (inside, there), (inside, "lo")):
            _run(*prefix, "ip", "link", "set", device, "up")
        if rate is not None:
            limit = ["root", "tbf", "rate", f"{rate * 8:.0f}bit", "burst", BURST, "latency", QUEUE]
            for prefix, device in (([], here), (inside, there)):
                _run(*prefix, "tc", "qdisc", "add", "dev", device, *limit)
        if loss:
            drop = f"priority 0; numgen random mod 10000 < {loss * 1e4:.0f} drop;"
            rules = " ".join(f"chain {way} {{ type filter hook {way} {drop} }};" for way in ("input", "output"))
            _run(*inside, "nft", f"table ip loss {{ {rules} }};")
        yield inside
    finally:
        with suppress(subprocess.CalledProcessError):
            _run("ip", "netns", "delete", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
