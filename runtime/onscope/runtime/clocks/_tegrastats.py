"""A Jetson's GPU: what `tegrastats` prints, and the counters of its over-current protection."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .._clock import now_ns
from ._reading import Reading

TOOL = "tegrastats"
COUNTERS = Path("/sys/class/hwmon")
_CLOCK = re.compile(r"\bGR3D_FREQ [0-9]{1,3}%@\[?([0-9]{1,5})")
_MEMORY_CLOCK = re.compile(r"\bEMC_FREQ [0-9]{1,3}%@([0-9]{1,5})")
_HEAT = re.compile(r"\bgpu@(-?[0-9]{1,3}(?:\.[0-9]{1,3})?)C", re.IGNORECASE)
_POWER = re.compile(r"\bVDD_(?:GPU_SOC|GPU|CPU_GPU_CV) ([0-9]{1,7})mW")


def parse_tegrastats(line: str, at_ns: int = 0) -> Reading | None:
    """What a line tells of the GPU; None: it is none of tegrastats, or tells nothing of the GPU.

    Boards and versions differ: `GR3D_FREQ 45%@1020`, `GR3D_FREQ 0%@[305,305]`, `gpu@44.5C`,
    `VDD_GPU_SOC 2480mW/2480mW`.
    """
    clock, memory_clock, heat, power_mw = (
        None if (found := pattern.search(line)) is None else float(found[1])
        for pattern in (_CLOCK, _MEMORY_CLOCK, _HEAT, _POWER)
    )
    if clock is None and heat is None and power_mw is None:
        return None
    return Reading(at_ns, clock, memory_clock, heat, None if power_mw is None else power_mw / 1e3)


def over_currents(folder: Path = COUNTERS) -> int:
    """How often the board has slowed itself down for want of current since it was started; 0 where nobody counts."""
    total = 0
    for file in folder.glob("hwmon*/oc*_event_cnt"):
        try:
            total += int(file.read_text())
        except (OSError, ValueError):
            continue
    return total


def readings(interval_ms: int = 1000, tool: str = TOOL, counters: Path = COUNTERS) -> Iterator[Reading]:
    """A reading per line that the tool prints, until it ends or the iterator is closed."""
    way = shutil.which(tool)
    if way is None:
        return
    before = over_currents(counters)
    with subprocess.Popen(
        [way, "--interval", str(interval_ms)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as running:
        try:
            assert running.stdout is not None
            for line in running.stdout:
                found = parse_tegrastats(line, now_ns())
                if found is None:
                    continue
                now = over_currents(counters)
                reasons = ("over-current",) if now > before else ()
                before = now
                yield Reading(
                    found.at_ns, found.clock_mhz, found.memory_clock_mhz, found.temperature_c, found.power_w, reasons
                )
        finally:
            running.kill()
