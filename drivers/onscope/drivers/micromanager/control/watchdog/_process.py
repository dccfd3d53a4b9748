"""The process behind the simulated watchdog: a retriggerable timer with a shutter at its output."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from pathlib import Path
from typing import IO


def run(line: IO[bytes], log: Path, timeout_s: float) -> None:
    """Read the line's changes until it is closed; every change of the shutter is a JSON line in `log`, on the disk.

    The shutter is closed at first, opens with the first change, and is closed once none has come for `timeout_s`, or
    once nobody holds the other end. It opens again only in a process that is started anew.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the other end
    with log.open("a", encoding="utf-8") as file:
        opened = False

        def tell(state: str, why: str) -> None:
            file.write(json.dumps({"shutter": state, "why": why, "unix_s": time.time()}) + "\n")
            file.flush()
            os.fsync(file.fileno())

        tell("closed", "power on")
        last = None
        until_s = float("inf")
        while True:
            ready, _, _ = select.select([line], [], [], max(0.0, min(until_s - time.monotonic(), 3600.0)))
            if not ready:
                if time.monotonic() >= until_s:
                    tell("closed", f"the line did not change for {timeout_s:g} s")
                    return
                continue
            heard = os.read(line.fileno(), 4096)
            if not heard:
                tell("closed", "the line is gone")
                return
            if heard[-1:] != last or len(set(heard)) > 1:
                until_s = time.monotonic() + timeout_s
                if not opened:
                    opened = True
                    tell("open", "the line changes")
            last = heard[-1:]
