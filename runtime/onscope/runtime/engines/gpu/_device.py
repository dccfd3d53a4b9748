"""One GPU by NVIDIA's cuda-bindings: three streams of work (copies up, computing, copies down) and what orders them."""

from __future__ import annotations

import sys
from typing import Any

from ..._errors import ProviderError
from ._failures import checked, failure

Stream = Any
Event = Any


class Device:
    """The streams of one session on a GPU. What is begun on a stream is done in its order, beside the host and the
    other streams; a stream waits for another one by an event.

    `shared`: GPU and host have one memory (a Jetson's), so that nothing need be copied between them.
    """

    def __init__(self, number: int) -> None:
        from cuda.bindings import runtime

        self._cuda = runtime
        self._kind = runtime.cudaMemcpyKind
        self._streams: list[Stream] = []
        self._events: list[Event] = []
        self.number = number
        self.use()
        integrated = runtime.cudaDeviceAttr.cudaDevAttrIntegrated
        self.shared = bool(checked(runtime.cudaDeviceGetAttribute(integrated, number)))
        self.up = self._stream()
        self.compute = self._stream()
        self.down = self._stream()

    def _stream(self) -> Stream:
        # Non-blocking: work of others on the default stream is not waited for.
        stream = checked(self._cuda.cudaStreamCreateWithFlags(self._cuda.cudaStreamNonBlocking))
        self._streams.append(stream)
        return stream

    def event(self) -> Event:
        """Something to wait for; it is over until it is recorded."""
        event = checked(self._cuda.cudaEventCreateWithFlags(self._cuda.cudaEventDisableTiming))
        self._events.append(event)
        return event

    def use(self) -> None:
        """Make it the GPU of the calling thread; to be called wherever a thread may have come from elsewhere."""
        checked(self._cuda.cudaSetDevice(self.number))

    def send(self, address: int, pointer: int, size_bytes: int) -> None:
        """Copy from the host's memory to the GPU's, on the stream for copies up."""
        checked(self._cuda.cudaMemcpyAsync(address, pointer, size_bytes, self._kind.cudaMemcpyHostToDevice, self.up))

    def fetch(self, pointer: int, address: int, size_bytes: int, stream: Stream) -> None:
        """Copy from the GPU's memory to the host's."""
        kind = self._kind.cudaMemcpyDefault if self.shared else self._kind.cudaMemcpyDeviceToHost
        checked(self._cuda.cudaMemcpyAsync(pointer, address, size_bytes, kind, stream))

    def move(self, target: int, source: int, size_bytes: int, stream: Stream) -> None:
        """Copy from one place of the GPU's memory to another."""
        kind = self._kind.cudaMemcpyDefault if self.shared else self._kind.cudaMemcpyDeviceToDevice
        checked(self._cuda.cudaMemcpyAsync(target, source, size_bytes, kind, stream))

    def clear(self, address: int, size_bytes: int) -> None:
        """Write zeros, on the stream for computing."""
        checked(self._cuda.cudaMemsetAsync(address, 0, size_bytes, self.compute))

    def record(self, event: Event, stream: Stream) -> None:
        """The event is over when all that the stream has to do so far is done."""
        checked(self._cuda.cudaEventRecord(event, stream))

    def order(self, stream: Stream, event: Event) -> None:
        """What the stream is given from now on begins after the event."""
        checked(self._cuda.cudaStreamWaitEvent(stream, event, 0))

    def wait(self, event: Event) -> None:
        """Until the event is over."""
        checked(self._cuda.cudaEventSynchronize(event))

    def finish(self, stream: Stream) -> None:
        """Until all work of the stream is done."""
        checked(self._cuda.cudaStreamSynchronize(stream))

    def blame(self, said: str) -> Exception:
        """The error to raise where an engine failed with these words: the GPU's own, if that is what it was."""
        error, *_ = self._cuda.cudaStreamSynchronize(self.compute)
        if int(error):
            return failure(error, said)
        error, *_ = self._cuda.cudaGetLastError()
        if "out of memory" in said.lower():
            error = self._cuda.cudaError_t.cudaErrorMemoryAllocation
        return failure(error, said) if int(error) else ProviderError(said)

    def end_capture(self) -> None:
        """End a recording of the stream for computing that somebody began and left."""
        known = self._cuda.cudaStreamCaptureStatus
        error, status = (*self._cuda.cudaStreamIsCapturing(self.compute), None)[:2]
        if not int(error) and status == known.cudaStreamCaptureStatusNone:
            return
        error, graph = (*self._cuda.cudaStreamEndCapture(self.compute), None)[:2]
        if not int(error) and graph is not None:
            self._cuda.cudaGraphDestroy(graph)
        self._cuda.cudaGetLastError()

    def drain(self) -> None:
        """Until nothing of it is under way any more; whether that went well is not asked."""
        for stream in self._streams:
            self._cuda.cudaStreamSynchronize(stream)

    def close(self) -> None:
        """End the streams once their work is done; asked again it does nothing."""
        streams, self._streams = self._streams, []
        events, self._events = self._events, []
        for stream in streams:
            self._cuda.cudaStreamSynchronize(stream)
        for event in events:
            self._cuda.cudaEventDestroy(event)
        for stream in streams:
            self._cuda.cudaStreamDestroy(stream)

    def __del__(self) -> None:
        if getattr(self, "_streams", None) and not sys.is_finalizing():
            self.close()
