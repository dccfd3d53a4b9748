"""What a GPU tells of itself: clocks, temperature, power, why it is slowed down, and how much memory is free."""

from ._monitor import Monitor
from ._nvml import gpu_memory_mb
from ._reading import Reading
from ._record import Clocks
from ._tegrastats import parse_tegrastats

__all__ = ["Clocks", "Monitor", "Reading", "gpu_memory_mb", "parse_tegrastats"]
