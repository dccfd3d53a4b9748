"""The GPU that is worked on: what it is called, what it can do and under which driver."""

from __future__ import annotations

from dataclasses import dataclass

from ..._errors import ProviderError
from ._failures import checked, told

WANTED = "expected an NVIDIA GPU with its driver: build and run on the machine that has one"


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as CUDA names it: compute capability such as "9.0", driver such as "580.95.05, CUDA 13.0"."""

    number: int
    name: str
    capability: str
    driver: str
    memory_mb: int


def gpu(number: int = 0) -> Gpu:
    """The GPU of that number; raises ProviderError when there is none, ModuleNotFoundError without cuda-bindings."""
    from cuda.bindings import runtime

    error, cuda = runtime.cudaDriverGetVersion()
    if not cuda:
        raise ProviderError(f"found no NVIDIA driver, {WANTED}")
    error, count = runtime.cudaGetDeviceCount()
    if int(error) or not count:
        raise ProviderError(f"found no NVIDIA GPU ({told(error)}), {WANTED}")
    if number >= count:
        raise ProviderError(f"found GPUs 0 to {count - 1}, expected one of the number {number}: take one of those")
    properties = checked(runtime.cudaGetDeviceProperties(number))
    name = properties.name.decode() if isinstance(properties.name, bytes) else str(properties.name)
    return Gpu(
        number,
        name,
        f"{properties.major}.{properties.minor}",
        f"{_driver()}CUDA {cuda // 1000}.{cuda % 1000 // 10}",
        int(properties.totalGlobalMem) >> 20,
    )


def _driver() -> str:
    """The driver's own version and a comma; "" where NVML is not there (Jetson boards have a part of it only)."""
    try:
        from cuda.bindings import nvml

        nvml.init_v2()
        try:
            return f"{nvml.system_get_driver_version()}, "
        finally:
            nvml.shutdown()
    except (ImportError, RuntimeError, AttributeError, OSError):  # NVML's own errors are Exceptions of the binding
        return ""
    except Exception as error:
        if type(error).__module__.startswith("cuda."):
            return ""
        raise
