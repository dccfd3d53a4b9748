"""The driver's version; as on a Jetson, NVML may not be there."""

import os


def init_v2() -> None:
    if "STANDIN_DRIVER" not in os.environ:
        raise RuntimeError("NVML was not found")


def system_get_driver_version() -> str:
    return os.environ["STANDIN_DRIVER"]


def shutdown() -> None:
    pass


def _told(number: int) -> float:
    """One of the numbers of STANDIN_CLOCKS: MHz, degrees, mW, reasons, free and total bytes."""
    if "STANDIN_CLOCKS" not in os.environ:
        raise RuntimeError("this GPU does not tell")
    return float(os.environ["STANDIN_CLOCKS"].split(",")[number])


def device_get_handle_by_index_v2(index: int) -> int:
    return index + 1000


def device_get_clock_info(device: int, type: int) -> int:
    return int(_told(0)) * type


def device_get_temperature_v(device: int, sensor_type: int) -> int:
    return int(_told(1))


def device_get_power_usage(device: int) -> int:
    return int(_told(2))


def device_get_current_clocks_event_reasons(device: int) -> int:
    return int(_told(3))


class Memory:
    def __init__(self) -> None:
        self.free, self.total = int(_told(4)), int(_told(5))


def device_get_memory_info_v2(device: int) -> Memory:
    return Memory()
