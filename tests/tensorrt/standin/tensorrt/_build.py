"""Building: an engine is the graph itself, with what it was built for in front."""

import json
import os
import time
from typing import Any

from cuda.bindings import runtime

from ._types import GENERATION, BuilderFlag, IHostMemory, ILogger, NetworkDefinitionCreationFlag, checked_logger

MAGIC = b"stand-in engine\n"


def here() -> dict[str, Any]:
    """What an engine is bound to."""
    return {
        "tensorrt": os.environ.get("STANDIN_TENSORRT", "10.16.1.11"),
        "gpu": runtime.cudaGetDeviceProperties(0)[1].name.decode(),
    }


class INetworkDefinition:
    def __init__(self) -> None:
        self.parsed = b""


class ITimingCache:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def serialize(self) -> IHostMemory:
        return IHostMemory(self._content)


class IProgressMonitor:
    def __init__(self) -> None:
        self._whole = True

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        raise NotImplementedError

    def step_complete(self, phase_name: str, step: int) -> bool:
        raise NotImplementedError

    def phase_finish(self, phase_name: str) -> None:
        raise NotImplementedError


class IBuilderConfig:
    def __init__(self) -> None:
        self.progress_monitor: IProgressMonitor | None = None
        self.flags = {BuilderFlag.TF32}  # on by default, as in the real one
        self._cache: ITimingCache | None = None

    def clear_flag(self, flag: Any) -> None:
        self.flags.discard(BuilderFlag(flag))

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache | None:
        known = not serialized_timing_cache or serialized_timing_cache.startswith(here()["tensorrt"].encode())
        return ITimingCache(serialized_timing_cache) if known else None

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        if not isinstance(cache, ITimingCache):
            raise TypeError("incompatible function arguments")
        self._cache = cache
        return True

    def get_timing_cache(self) -> ITimingCache | None:
        return self._cache


class Builder:
    def __init__(self, logger: ILogger) -> None:
        self._logger = checked_logger(logger)
        if os.environ.get("STANDIN_NO_BUILDER"):
            logger.log(ILogger.INTERNAL_ERROR, "CUDA initialization failure with error: 35")
            raise TypeError("pybind11::init(): factory function returned nullptr")

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        if not flags >> int(NetworkDefinitionCreationFlag.STRONGLY_TYPED) & 1:
            raise AssertionError(f"found a network that is not strongly typed (flags {flags} of {GENERATION})")
        return INetworkDefinition()

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory | None:
        if os.environ.get("STANDIN_CANNOT_BUILD"):
            self._logger.log(ILogger.ERROR, "Could not find any implementation for node conv_0")
            return None
        seconds = float(os.environ.get("STANDIN_SECONDS", "0"))
        told = config.progress_monitor
        if told is not None:
            told.phase_start("Building Engine", None, 4)
            for number in range(4):
                told.phase_start(f"Tactics {number}", "Building Engine", 5)
                for step in range(5):
                    time.sleep(seconds / 20)
                    if not told.step_complete(f"Tactics {number}", step):
                        return None
                told.phase_finish(f"Tactics {number}")
                if not told.step_complete("Building Engine", number):
                    return None
            told.phase_finish("Building Engine")
        said = {**here(), "tf32": BuilderFlag.TF32 in config.flags}
        config.set_timing_cache(ITimingCache(here()["tensorrt"].encode() + b" measured"), False)
        return IHostMemory(MAGIC + json.dumps(said).encode() + b"\n" + network.parsed)
