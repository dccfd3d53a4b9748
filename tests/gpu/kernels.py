"""A network in NumPy as an engine would launch it: three frames, a number and a memory in; an image, a memory and a
count out."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from onscope.runtime.engines import TensorSpec
from onscope.runtime.engines.gpu import Device, GpuSession

SIDE = 24
SHAPE = (SIDE, SIDE)
ONE = (TensorSpec("frame", SHAPE, "uint16"),)
INPUTS = (
    *(TensorSpec(name, SHAPE, "uint16") for name in ("a", "b", "c")),
    TensorSpec("gain", (1,), "float32"),
    TensorSpec("memory", SHAPE, "float32"),
)
OUTPUTS = (
    TensorSpec("image", SHAPE, "uint16"),
    TensorSpec("next", SHAPE, "float32"),
    TensorSpec("count", (2,), "int64"),
)


def network(a: np.ndarray, b: np.ndarray, c: np.ndarray, gain: np.ndarray, memory: np.ndarray) -> list[np.ndarray]:
    """Each input counts for another thing, so that no two can be taken for one another."""
    with np.errstate(all="ignore"):
        image = a + np.uint16(3) * b + np.uint16(7) * c
        after = memory[::-1] * np.float32(0.5) + a.astype(np.float32) * gain
        return [image, after, np.array([a.sum(dtype=np.int64), np.count_nonzero(memory)])]


def one_frame(frame: np.ndarray) -> list[np.ndarray]:
    return [frame + np.uint16(1)]


class NumpyKernels:
    """Kernels that work on the stand-in's stream when their turn comes."""

    capturable = True

    def __init__(self, cuda: Any, device: Device, inputs: Any, outputs: Any, function: Any) -> None:
        self.told: list[str] = []
        self.launched = 0
        self.closed = False
        self._cuda, self._device = cuda, device
        self._specs, self._function = (inputs, outputs), function
        self._sets: dict[int, tuple[list[int], list[int]]] = {}

    def bind(self, number: int, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self._sets[number] = list(inputs), list(outputs)

    def launch(self, number: int) -> None:
        self.launched += 1
        assert self._cuda.enqueue(self._device.compute, lambda: self._work(*self._sets[number])) == 0

    def _work(self, inputs: list[int], outputs: list[int]) -> None:
        from tensorrt._run import steady

        arrays = []
        for spec, address in zip(self._specs[0], inputs, strict=True):
            dtype = np.dtype(spec.dtype)
            arrays.append(steady(address, int(np.prod(spec.shape)) * dtype.itemsize).view(dtype).reshape(spec.shape))
        for spec, address, answer in zip(self._specs[1], outputs, self._function(*arrays), strict=True):
            content = np.ascontiguousarray(answer, spec.dtype).tobytes()
            ctypes.memmove(address, content, len(content))

    def close(self) -> None:
        self.closed = True


def session(
    cuda: Any, inputs: Any = INPUTS, outputs: Any = OUTPUTS, function: Any = network
) -> tuple[GpuSession, NumpyKernels]:
    device = Device(0)
    kernels = NumpyKernels(cuda, device, inputs, outputs, function)
    return GpuSession("numpy", inputs, outputs, device, kernels), kernels


def frame(key: int) -> np.ndarray:
    """What a key stands for."""
    return np.random.default_rng(key).integers(0, 65536, SHAPE).astype(np.uint16)


def window(first: int, gain: float = 1.0, memory: Any = None) -> list[Any]:
    frames = [frame(first + each) for each in range(3)]
    return [*frames, np.array([gain], np.float32), np.zeros(SHAPE, np.float32) if memory is None else memory]
