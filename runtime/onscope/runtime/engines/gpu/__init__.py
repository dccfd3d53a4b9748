"""What all engines on NVIDIA's GPUs share: the device, its memory and streams, and the session of what runs there."""

from ._bound import BoundKernels
from ._card import WANTED, Gpu, gpu
from ._device import Device
from ._failures import checked, failure, free_memory, told
from ._kernels import Kernels
from ._session import GpuSession

__all__ = [
    "WANTED",
    "BoundKernels",
    "Device",
    "Gpu",
    "GpuSession",
    "Kernels",
    "checked",
    "failure",
    "free_memory",
    "gpu",
    "told",
]
