"""What CUDA tells of failures, as errors: most are of one call, some end all work with the GPU in this process."""

from __future__ import annotations

from typing import Any

from ..._errors import DeviceLostError, DeviceMemoryError, ProviderError

LOST = frozenset(
    f"cudaError{name}"
    for name in (
        "Assert", "Contained", "ContextIsDestroyed", "DevicesUnavailable", "ECCUncorrectable", "ExternalDevice",
        "HardwareStackError", "IllegalAddress", "IllegalInstruction", "InvalidAddressSpace", "InvalidPc",
        "LaunchFailure", "LaunchTimeout", "MisalignedAddress", "MpsClientTerminated", "NvlinkUncorrectable",
        "TensorMemoryLeak", "Unknown",
    )
)  # fmt: skip
"""Errors that stay: every later call of the process answers with them ("cudaError_t" in CUDA's runtime API)."""
MEMORY = "cudaErrorMemoryAllocation"


def checked(answer: tuple[Any, ...]) -> Any:
    """What a call of the CUDA runtime gave besides its error code; raises ProviderError for any but success."""
    error, *values = answer
    if int(error):
        raise failure(error)
    return values[0] if values else None


def failure(error: Any, said: str = "") -> ProviderError:
    """The error to raise for a code; `said` is what an engine told beside it."""
    words = f"{told(error)}: {said}" if said else told(error)
    name = getattr(error, "name", "")
    if name in LOST:
        return DeviceLostError(
            f"found the GPU lost ({words}), expected it to go on: start again in a new process, and look at its "
            "driver, its temperature and its memory (nvidia-smi) if it happens again"
        )
    if name == MEMORY:
        return DeviceMemoryError(f"found too little memory on the GPU ({words}), expected what the graph needs")
    return ProviderError(f"the GPU failed: {words}")


def told(error: Any) -> str:
    """A CUDA error code in words."""
    from cuda.bindings import runtime

    _, words = runtime.cudaGetErrorString(error)
    return words.decode() if isinstance(words, bytes) else str(words)


def no_memory(asked_bytes: int, what: str) -> DeviceMemoryError:
    """That so much was not to be had, with what is free; `what` it was for."""
    return DeviceMemoryError(
        f"found {free_memory()} on the GPU, expected {_mb(asked_bytes)} more for {what}: end what else works on it, or "
        "take smaller frames, a smaller network or --precision fp16"
    )


def free_memory() -> str:
    """How much is free, in words."""
    from cuda.bindings import runtime

    error, *sizes = runtime.cudaMemGetInfo()
    return "not enough memory" if int(error) else f"{_mb(sizes[0])} free of {_mb(sizes[1])}"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.{0 if size_bytes >= 10 << 20 else 2}f} MB"
