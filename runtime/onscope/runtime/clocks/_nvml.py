"""NVIDIA's management library, by cuda-bindings or nvidia-ml-py, whichever is installed; else nothing is told."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from .._clock import now_ns
from ._reading import Reading

REASONS = {4: "power cap", 8: "hardware slowdown", 32: "heat", 64: "heat (hardware)", 128: "power brake"}
"""Of nvmlClocksEventReasons, those that slow down what is being computed."""
T = TypeVar("T")
SM, MEMORY = 1, 2
"""Of nvmlClockType_t."""


class Nvml(Protocol):
    """The few calls that are used; they raise what they like."""

    def clock(self, gpu: int, kind: int) -> float: ...
    def temperature(self, gpu: int) -> float: ...
    def power_mw(self, gpu: int) -> float: ...
    def reasons(self, gpu: int) -> int: ...
    def memory(self, gpu: int) -> tuple[int, int]:
        """Free and total bytes."""
        ...


class _CudaBindings:
    def __init__(self) -> None:
        self._nvml: Any = importlib.import_module("cuda.bindings.nvml")
        self._nvml.init_v2()

    def _of(self, gpu: int) -> Any:
        return self._nvml.device_get_handle_by_index_v2(gpu)

    def clock(self, gpu: int, kind: int) -> float:
        return float(self._nvml.device_get_clock_info(self._of(gpu), kind))

    def temperature(self, gpu: int) -> float:
        told = self._nvml.device_get_temperature_v(self._of(gpu), 0)
        return float(getattr(told, "temperature", told))

    def power_mw(self, gpu: int) -> float:
        return float(self._nvml.device_get_power_usage(self._of(gpu)))

    def reasons(self, gpu: int) -> int:
        return int(self._nvml.device_get_current_clocks_event_reasons(self._of(gpu)))

    def memory(self, gpu: int) -> tuple[int, int]:
        told = self._nvml.device_get_memory_info_v2(self._of(gpu))
        return int(told.free), int(told.total)


class _NvidiaMlPy:
    def __init__(self) -> None:
        self._nvml: Any = importlib.import_module("pynvml")
        self._nvml.nvmlInit()

    def _of(self, gpu: int) -> Any:
        return self._nvml.nvmlDeviceGetHandleByIndex(gpu)

    def clock(self, gpu: int, kind: int) -> float:
        return float(self._nvml.nvmlDeviceGetClockInfo(self._of(gpu), kind))

    def temperature(self, gpu: int) -> float:
        return float(self._nvml.nvmlDeviceGetTemperature(self._of(gpu), 0))

    def power_mw(self, gpu: int) -> float:
        return float(self._nvml.nvmlDeviceGetPowerUsage(self._of(gpu)))

    def reasons(self, gpu: int) -> int:
        return int(self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self._of(gpu)))

    def memory(self, gpu: int) -> tuple[int, int]:
        told = self._nvml.nvmlDeviceGetMemoryInfo(self._of(gpu))
        return int(told.free), int(told.total)


def nvml() -> Nvml | None:
    """The library, begun; None where there is none, or no driver."""
    for kind in (_CudaBindings, _NvidiaMlPy):
        try:
            return kind()
        except Exception:  # the bindings' errors have no base of their own, and none of them matters here
            continue
    return None


def number_of(provider: str) -> int | None:
    """NVML's number of the GPU that a provider runs on; None where CUDA_VISIBLE_DEVICES hides which that is."""
    argument = provider.partition(":")[2]
    number = int(argument) if argument.isdecimal() else 0
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if seen is None:
        return number
    names = [name.strip() for name in seen.split(",")]
    return int(names[number]) if number < len(names) and names[number].isdecimal() else None


def reading(library: Nvml, gpu: int) -> Reading:
    """What the GPU tells now; what it does not tell is None."""
    clock, memory_clock = _told(lambda: library.clock(gpu, SM)), _told(lambda: library.clock(gpu, MEMORY))
    power = _told(lambda: library.power_mw(gpu))
    why = _told(lambda: library.reasons(gpu)) or 0
    return Reading(
        now_ns(),
        clock,
        memory_clock,
        _told(lambda: library.temperature(gpu)),
        None if power is None else power / 1e3,
        tuple(words for bit, words in REASONS.items() if int(why) & bit),
    )


def gpu_memory_mb(provider: str) -> tuple[float, float] | None:
    """Free and total memory, in megabytes (1e6 bytes), of the GPU that a provider runs on; None: nobody tells."""
    gpu, library = number_of(provider), nvml()
    if library is None or gpu is None:
        return None
    found = _told(lambda: library.memory(gpu))
    return None if found is None else (found[0] / 1e6, found[1] / 1e6)


def _told(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except Exception:  # as above: a GPU that does not tell is no reason to stop
        return None
