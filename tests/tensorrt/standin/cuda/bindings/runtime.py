"""Memory that can only be reached by copies, and a stream whose work is done no sooner than it is waited for.

A real stream works beside the caller: what was sent may be read at any time until the stream was waited for, and what
is fetched is there only then. Here that time is as long as it can be, so that a forgotten wait, or an array that is
given up too early, shows in every test.
"""

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class cudaError_t(IntEnum):  # the binding's own name
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorNoDevice = 100
    cudaErrorInvalidResourceHandle = 400


class cudaMemcpyKind(IntEnum):
    cudaMemcpyHostToHost = 0
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


@dataclass
class cudaDeviceProp:
    name: bytes
    major: int
    minor: int
    totalGlobalMem: int


OK = cudaError_t.cudaSuccess
_taken: dict[int, Any] = {}
_streams: dict[int, list[Callable[[], None]]] = {}
_failed: list[cudaError_t] = []


def cudaDriverGetVersion() -> tuple[Any, ...]:
    return OK, int(os.environ.get("STANDIN_CUDA", "13000"))


def cudaGetDeviceCount() -> tuple[Any, ...]:
    count = int(os.environ.get("STANDIN_GPUS", "1"))
    return (OK, count) if count else (cudaError_t.cudaErrorNoDevice, None)


def cudaGetDeviceProperties(device: int) -> tuple[Any, ...]:
    return OK, cudaDeviceProp(os.environ.get("STANDIN_GPU", "Stand-in GPU").encode(), 9, 0, 8 << 30)


def cudaSetDevice(device: int) -> tuple[Any, ...]:
    return (OK,)


def cudaGetErrorString(error: Any) -> tuple[Any, ...]:
    return OK, cudaError_t(int(error)).name.encode()


def cudaMalloc(size: int) -> tuple[Any, ...]:
    if size > 1 << 30:
        return cudaError_t.cudaErrorMemoryAllocation, None
    buffer = (ctypes.c_char * size)()
    ctypes.memset(buffer, 0xA5, size)  # what lies there is anything
    _taken[ctypes.addressof(buffer)] = buffer
    return OK, ctypes.addressof(buffer)


def cudaFree(devPtr: int) -> tuple[Any, ...]:
    return (OK if _taken.pop(devPtr, None) is not None else cudaError_t.cudaErrorInvalidValue,)


def cudaStreamCreateWithFlags(flags: int) -> tuple[Any, ...]:
    stream = max(_streams, default=0) + 1
    _streams[stream] = []
    return OK, stream


def cudaStreamDestroy(stream: int) -> tuple[Any, ...]:
    return (OK if _streams.pop(stream, None) is not None else cudaError_t.cudaErrorInvalidResourceHandle,)


def cudaMemcpyAsync(dst: int, src: int, count: int, kind: cudaMemcpyKind, stream: int) -> tuple[Any, ...]:
    there = dst if kind == cudaMemcpyKind.cudaMemcpyHostToDevice else src
    if there not in _taken or count > ctypes.sizeof(_taken[there]):
        return (cudaError_t.cudaErrorInvalidValue,)
    return (enqueue(stream, lambda: ctypes.memmove(dst, src, count)),)


def cudaStreamSynchronize(stream: int) -> tuple[Any, ...]:
    if stream not in _streams:
        return (cudaError_t.cudaErrorInvalidResourceHandle,)
    work, _streams[stream] = _streams[stream], []
    for each in work:
        each()
    return (_failed.pop() if _failed else OK,)


def enqueue(stream: int, work: Callable[[], Any]) -> cudaError_t:
    """For the stand-in of TensorRT: work that is done when the stream is waited for."""
    if stream not in _streams:
        return cudaError_t.cudaErrorInvalidResourceHandle
    _streams[stream].append(work)
    return OK


def at(address: int) -> Any:
    """For the stand-in of TensorRT: the memory that was taken there, or None."""
    return _taken.get(address)


def fail(error: cudaError_t) -> None:
    """For the stand-in of TensorRT: what the next wait tells."""
    _failed.append(error)
