"""Micro-Manager's core inside this process, by way of pycro-manager: started, asked and stopped in order.

pycro-manager keeps one core and one acquisition engine per process, in module globals; so does this module.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, overload

from onscope.runtime import SourceError

from ._mmpycorex import forget_cores, forget_engine

DEMO_CONFIG = "MMConfig_demo.cfg"
CORE_ERRORS = (RuntimeError, OSError, IndexError, ValueError, MemoryError, SystemError)
"""What pymmcore raises when the hardware or the core refuses (SystemError: when a core was unloaded meanwhile)."""
UNLOAD_TRIES, UNLOAD_PAUSE_S = 10, 0.1


class TaggedImage(Protocol):
    """One image as the core gives it: packed pixels and text tags."""

    pix: Any
    tags: Mapping[str, Any]


class Core(Protocol):
    """What the driver asks of a core: methods of pycro-manager's `Core()`, as pymmcore documents them."""

    def get_version_info(self) -> str: ...
    def get_device_library(self, label: str) -> str: ...
    def get_device_name(self, label: str) -> str: ...
    def get_camera_device(self) -> str: ...
    def set_camera_device(self, label: str) -> None: ...
    def get_xy_stage_device(self) -> str: ...
    def get_focus_device(self) -> str: ...
    def get_image_height(self) -> int: ...
    def get_image_width(self) -> int: ...
    def get_bytes_per_pixel(self) -> int: ...
    def get_number_of_components(self) -> int: ...
    def get_number_of_camera_channels(self) -> int: ...
    def get_camera_channel_name(self, channel: int) -> str: ...
    def get_image_bit_depth(self) -> int: ...
    def get_pixel_size_um(self) -> float: ...
    def get_exposure(self) -> float: ...
    def set_exposure(self, exposure_ms: float) -> None: ...
    def get_property(self, device: str, name: str) -> str: ...
    def set_property(self, device: str, name: str, value: str | int | float) -> None: ...
    def get_allowed_property_values(self, device: str, name: str) -> Sequence[str]: ...
    def set_roi(self, x: int, y: int, width: int, height: int) -> None: ...
    def clear_roi(self) -> None: ...
    def get_x_position(self) -> float: ...
    def get_y_position(self) -> float: ...
    def get_position(self) -> float: ...
    def set_relative_xy_position(self, dx_um: float, dy_um: float) -> None: ...
    def device_busy(self, label: str) -> bool: ...
    def wait_for_device(self, label: str) -> None: ...
    def set_circular_buffer_memory_footprint(self, megabytes: int) -> None: ...
    def get_circular_buffer_memory_footprint(self) -> int: ...
    def initialize_circular_buffer(self) -> None: ...
    def get_buffer_total_capacity(self) -> int: ...
    def get_buffer_free_capacity(self) -> int: ...
    @overload
    def start_sequence_acquisition(self, n: int, interval_ms: float, stop_on_overflow: bool, /) -> None: ...
    @overload
    def start_sequence_acquisition(
        self, camera: str, n: int, interval_ms: float, stop_on_overflow: bool, /
    ) -> None: ...
    def start_continuous_sequence_acquisition(self, interval_ms: float) -> None: ...
    def stop_sequence_acquisition(self, camera: str = ..., /) -> None: ...
    def is_sequence_running(self, camera: str = ..., /) -> bool: ...
    def is_buffer_overflowed(self) -> bool: ...
    def get_remaining_image_count(self) -> int: ...
    def pop_next_tagged_image(self) -> TaggedImage: ...


def adapter_path() -> str:
    """The folder of the demo devices that come as the wheel mm-test-adapters."""
    return str(need("mm_test_adapters").device_adapter_path())


def installed_adapter_paths() -> list[str]:
    """Folders with device adapters on this machine: installed Micro-Managers, as pymmcore-plus finds them, and ours."""
    found = [str(path) for path in need("pymmcore_plus").find_micromanager(return_first=False)]
    return list(dict.fromkeys([*found, adapter_path()]))


def check_buffer(buffer_mb: int) -> int:
    """`buffer_mb`, when the machine can have a buffer of that many megabytes; the core would try, and be killed."""
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0  # unknown on Windows
    memory_mb = pages * os.sysconf("SC_PAGE_SIZE") // 2**20 if pages > 0 else 2**31
    if not 1 <= buffer_mb <= memory_mb:
        raise SourceError(
            f"found a buffer of {buffer_mb} MB, expected at least 1 MB and no more than this machine's memory: choose "
            "one that holds a second or two of frames"
        )
    return int(buffer_mb)


def start_core(config: Path, adapter_paths: Sequence[str], buffer_mb: int) -> Core:
    """Start a core in this process and load `config` (checked before) with the adapters found in `adapter_paths`.

    Raises SourceError when Micro-Manager is not installed, when a core is running already (there is one per process),
    or when the core cannot load the configuration; nothing is left running then.
    """
    pycromanager = need("pycromanager")
    if need("mmpycorex").is_pymmcore_active():
        raise SourceError(
            "found a Micro-Manager core running in this process, expected none (there can be one): leave the other "
            "`with` block first, or wrap the running core in micromanager.Scope"
        )
    forget_engine()
    pycromanager.start_headless(
        str(adapter_paths[0]), None, python_backend=True, buffer_size_mb=check_buffer(buffer_mb)
    )
    core = pycromanager.Core()
    try:
        core.set_device_adapter_search_paths([str(path) for path in adapter_paths])
        core.load_system_configuration(str(config))
    except CORE_ERRORS as error:
        del core
        stop_core()
        raise SourceError(
            f"found that Micro-Manager cannot load {config} ({one_line(error)}), expected every device of it to be "
            "there: correct that line, or give the folder of the missing device adapter in adapter_paths"
        ) from error
    running: Core = core
    return running


def stop_core() -> None:
    """Stop whatever sequence runs, unload all devices and end the engine's threads; nothing to do when none runs.

    Raises SourceError when devices refuse to be unloaded for a second; the next core can start even then.
    """
    pycromanager = need("pycromanager")
    if not need("mmpycorex").is_pymmcore_active():
        return
    core = pycromanager.Core()
    refusal: Exception | None = None
    for _ in range(UNLOAD_TRIES):
        try:
            if core.get_camera_device():
                # The core refuses to unload a camera that runs. One that has just ended may still have its thread, so
                # this is not asked first: stopping waits for it.
                core.stop_sequence_acquisition()
            pycromanager.stop_headless()
            break
        except CORE_ERRORS as error:
            refusal = error
            time.sleep(UNLOAD_PAUSE_S)
    else:
        forget_cores()
        raise SourceError(
            f"found that Micro-Manager did not end in order ({one_line(refusal)}), expected all devices to be "
            "unloaded: look after the hardware that the message names"
        ) from refusal
    forget_engine()


def one_line(error: Exception | None) -> str:
    """A core's error text, which runs over several lines, as one line without its full stop."""
    return " ".join(str(error).split()).rstrip(".")


def need(name: str) -> Any:
    """A package of Micro-Manager's; raises SourceError when it is not installed."""
    try:
        return import_module(name)
    except ImportError as missing:
        raise SourceError(
            f"found no {missing.name or name}, expected Micro-Manager's Python packages: "
            "pip install 'onscope[micromanager]' brings them"
        ) from missing
