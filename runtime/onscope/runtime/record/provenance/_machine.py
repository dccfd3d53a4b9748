"""The software and the machine that had a part in a run's numbers."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..._cores import available_cores

RECKONING = (
    "onscope",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-ep-nv-tensorrt-rtx",
    "tensorrt",
    "tensorrt-cu13",
    "openvino",
    "numpy",
    "opencv-python-headless",
)
"""Distributions that answers depend on to the bit."""
REPORTED = (
    *RECKONING,
    "onnx",
    "tensorstore",
    "pyarrow",
    "tifffile",
    "ndstorage",
    "ome-writers",
    "bioimageio.spec",
    "pycromanager",
    "pymmcore",
    "pymmcore-plus",
    "useq-schema",
)
ASKED = ("name", "driver_version", "memory.total", "compute_cap")
PATIENCE_S = 5.0
"""How long the driver's tool is waited for: it hangs with some drivers."""


def versions() -> dict[str, str]:
    """Versions of what had a part in the numbers, by distribution name; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in REPORTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, and operating system."""
    return {"cpu": _cpu_name(), "cores": available_cores(), "system": f"{platform.system()} {platform.machine()}"}


def whole_machine() -> dict[str, Any]:
    """What `machine` tells, with its name, the system's release, memory in MB, and the GPUs ([]: none)."""
    return {
        **machine(),
        "name": platform.node(),
        "release": platform.platform(),
        "memory_mb": _memory_mb(),
        "gpus": [dict(each) for each in gpus()],
    }


def command() -> list[str]:
    """How this program was called: its name without the way to it (or its module), and its arguments."""
    if not sys.argv:
        return []
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = "" if spec is None else spec.name.removesuffix(".__main__")
    return [*(("python", "-m", module) if module else (Path(sys.argv[0]).name,)), *sys.argv[1:]]


@functools.cache
def gpus() -> tuple[dict[str, Any], ...]:
    """NVIDIA GPUs as their driver tells: name, driver, memory_mb, capability; none where there is no driver."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        done = subprocess.run(
            [tool, f"--query-gpu={','.join(ASKED)}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
            stdin=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    lines = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    return tuple(
        {"name": name, "driver": driver, "memory_mb": int(mb) if mb.isdecimal() else None, "capability": capability}
        for name, driver, mb, capability in (line for line in lines if len(line) == len(ASKED))
    )


def _memory_mb() -> int | None:
    try:
        return (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) >> 20
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
