"""The CUDA runtime on the host: memory that only copies reach, streams that work beside the caller, graphs of work.

Whatever is forgotten shows as wrong numbers: streams take their time, copies come in two halves, memory holds anything
at first and poison at last. The functions, their parameters and the constants are those of NVIDIA's cuda-bindings.
"""

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import _memory as memory
from . import _work as work
from ._constants import *  # noqa: F403
from ._constants import (
    cudaHostAllocMapped,
    cudaMemcpyKind,
    cudaStreamCaptureMode,
    cudaStreamCaptureStatus,
)
from ._failing import OK, call, cudaError_t, fail, last, late, wanted
from ._work import cudaStream_t


@dataclass
class cudaDeviceProp:
    name: bytes
    major: int
    minor: int
    totalGlobalMem: int


def cudaDriverGetVersion() -> tuple[Any, ...]:
    return OK, int(os.environ.get("STANDIN_CUDA", "13000"))


def cudaGetDeviceCount() -> tuple[Any, ...]:
    count = int(os.environ.get("STANDIN_GPUS", "1"))
    return (OK, count) if count else (cudaError_t.cudaErrorNoDevice, None)


def cudaGetDeviceProperties(device: int) -> tuple[Any, ...]:
    return OK, cudaDeviceProp(os.environ.get("STANDIN_GPU", "Stand-in GPU").encode(), 9, 0, 8 << 30)


@call
def cudaDeviceGetAttribute(attr: Any, device: int) -> tuple[Any, ...]:
    return OK, int(os.environ.get("STANDIN_INTEGRATED", "0"))


@call
def cudaSetDevice(device: int) -> tuple[Any, ...]:
    there = device < int(os.environ.get("STANDIN_GPUS", "1"))
    return (OK if there else cudaError_t.cudaErrorInvalidDevice,)


def cudaGetErrorString(error: Any) -> tuple[Any, ...]:
    return OK, cudaError_t(int(error)).name.encode()


def cudaGetLastError() -> tuple[Any, ...]:
    return (last(),)


def cudaMemGetInfo() -> tuple[Any, ...]:
    return OK, memory.free_bytes(), memory.TOTAL


@call
def cudaMalloc(size: int) -> tuple[Any, ...]:
    if work.spoil():
        return cudaError_t.cudaErrorStreamCaptureUnsupported, None
    if size > memory.free_bytes():
        return cudaError_t.cudaErrorMemoryAllocation, None
    return OK, memory.take(size, "gpu")


def cudaFree(devPtr: int) -> tuple[Any, ...]:
    return (OK if memory.drop(devPtr) else cudaError_t.cudaErrorInvalidValue,)


@call
def cudaHostAlloc(size: int, flags: int) -> tuple[Any, ...]:
    if wanted("cudaHostAlloc"):
        return cudaError_t.cudaErrorMemoryAllocation, None
    return OK, memory.take(size, "mapped" if flags & cudaHostAllocMapped else "pinned")


def cudaFreeHost(ptr: int) -> tuple[Any, ...]:
    return (OK if memory.drop(ptr) else cudaError_t.cudaErrorInvalidValue,)


@call
def cudaHostGetDevicePointer(pHost: int, flags: int) -> tuple[Any, ...]:
    there = memory.find(pHost, 1, "mapped")
    return (OK, pHost) if there else (cudaError_t.cudaErrorInvalidValue, None)


@call
def cudaHostRegister(ptr: int, size: int, flags: int) -> tuple[Any, ...]:
    if wanted("cudaHostRegister"):
        return (cudaError_t.cudaErrorNotSupported,)
    if ptr in memory.blocks:
        return (cudaError_t.cudaErrorHostMemoryAlreadyRegistered,)
    memory.blocks[ptr] = memory.Block(ptr, size, "registered", None)
    return (OK,)


def cudaHostUnregister(ptr: int) -> tuple[Any, ...]:
    return (OK if memory.drop(ptr) else cudaError_t.cudaErrorHostMemoryNotRegistered,)


@call
def cudaStreamCreateWithFlags(flags: int) -> tuple[Any, ...]:
    return OK, cudaStream_t(work.keep(work.streams, work.Stream()))


def cudaStreamDestroy(stream: int) -> tuple[Any, ...]:
    found = work.streams.pop(int(stream), None)
    if found is not None:
        found.end()
    return (OK if found is not None else cudaError_t.cudaErrorInvalidResourceHandle,)


@call
def cudaStreamSynchronize(stream: int) -> tuple[Any, ...]:
    found = work.streams.get(int(stream))
    if found is None:
        return (cudaError_t.cudaErrorInvalidResourceHandle,)
    if found.recorded is not None:
        found.spoilt = True
        return (cudaError_t.cudaErrorStreamCaptureUnsupported,)
    found.finish()
    return (late(),)


@call
def cudaEventCreateWithFlags(flags: int) -> tuple[Any, ...]:
    return OK, work.keep(work.events, work.Event())


def cudaEventDestroy(event: int) -> tuple[Any, ...]:
    return (OK if work.events.pop(event, None) is not None else cudaError_t.cudaErrorInvalidResourceHandle,)


@call
def cudaEventRecord(event: int, stream: int) -> tuple[Any, ...]:
    work.events[event].record(work.streams[int(stream)])
    return (OK,)


@call
def cudaEventSynchronize(event: int) -> tuple[Any, ...]:
    work.events[event].ticket.wait()
    return (late(),)


@call
def cudaStreamWaitEvent(stream: int, event: int, flags: int) -> tuple[Any, ...]:
    work.events[event].hold(work.streams[int(stream)])
    return (OK,)


@call
def cudaMemcpyAsync(dst: int, src: int, count: int, kind: cudaMemcpyKind, stream: int) -> tuple[Any, ...]:
    known = cudaMemcpyKind
    ends = {known.cudaMemcpyHostToDevice: (dst,), known.cudaMemcpyDeviceToHost: (src,)}.get(kind, (dst, src))
    reached = ("gpu", "mapped") if kind == known.cudaMemcpyDefault else ("gpu",)
    if kind == known.cudaMemcpyDefault:
        ends = (src,)
    if any(memory.find(each, count, *reached) is None for each in ends):
        return (cudaError_t.cudaErrorInvalidValue,)
    other = src if kind == known.cudaMemcpyHostToDevice else dst
    straight = memory.find(other, count, "pinned", "registered") is not None
    memory.copies.append(memory.Copied(int(kind), count, straight, src))
    return (enqueue(stream, lambda: memory.move(dst, src, count)),)


@call
def cudaMemsetAsync(devPtr: int, value: int, count: int, stream: int) -> tuple[Any, ...]:
    if memory.find(devPtr, count, "gpu", "mapped") is None:
        return (cudaError_t.cudaErrorInvalidValue,)
    return (enqueue(stream, lambda: (ctypes.memset(devPtr, value, count), None)[1]),)


@call
def cudaStreamBeginCapture(stream: int, mode: cudaStreamCaptureMode) -> tuple[Any, ...]:
    found = work.streams[int(stream)]
    found.recorded, found.spoilt = [], False
    return (OK,)


@call
def cudaStreamEndCapture(stream: int) -> tuple[Any, ...]:
    found = work.streams[int(stream)]
    recorded, found.recorded = found.recorded, None
    if recorded is None or found.spoilt or wanted("cudaStreamEndCapture"):
        return cudaError_t.cudaErrorStreamCaptureInvalidated, None
    return OK, work.keep(work.graphs, recorded)


@call
def cudaStreamIsCapturing(stream: int) -> tuple[Any, ...]:
    return OK, cudaStreamCaptureStatus(int(work.streams[int(stream)].recorded is not None))


@call
def cudaGraphInstantiate(graph: int, flags: int) -> tuple[Any, ...]:
    if wanted("cudaGraphInstantiate"):
        return cudaError_t.cudaErrorNotSupported, None
    return OK, work.keep(work.ready, list(work.graphs[graph]))


@call
def cudaGraphLaunch(graphExec: int, stream: int) -> tuple[Any, ...]:
    if wanted("cudaGraphLaunch"):
        return (cudaError_t.cudaErrorInvalidValue,)
    for each in work.ready[graphExec]:
        enqueue(stream, each)
    return (OK,)


def cudaGraphDestroy(graph: int) -> tuple[Any, ...]:
    return (OK if work.graphs.pop(graph, None) is not None else cudaError_t.cudaErrorInvalidValue,)


def cudaGraphExecDestroy(graphExec: int) -> tuple[Any, ...]:
    return (OK if work.ready.pop(graphExec, None) is not None else cudaError_t.cudaErrorInvalidValue,)


def enqueue(stream: int, task: Callable[[], None]) -> cudaError_t:
    """For the stand-ins of engines: work of a stream."""
    found = work.streams.get(int(stream))
    if found is None:
        return cudaError_t.cudaErrorInvalidResourceHandle
    found.put(task)
    return OK


__all__ = ["cudaError_t", "cudaStream_t", "enqueue", "fail"]
